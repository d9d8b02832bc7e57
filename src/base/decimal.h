// decimal: exact text <-> scaled integers, never through a double.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace retailpulse {

enum class DecimalResult : std::uint8_t { kExact, kRounded, kNotANumber, kOutOfRange };

// Parses a JSON number ("12", "-0.50", "1.25e2") into value * 10^scale. More digits than the scale
// holds are rounded half to even (kRounded). NaN, Infinity, "", "+1", ".5", "1.", hex: kNotANumber.
[[nodiscard]] DecimalResult parse_decimal(std::string_view text, int scale, std::int64_t& out);

// Micros as decimal text with at least `digits` decimals and no more than the value needs:
// (5478055820000, 2) -> "5478055.82"; (1234500, 2) -> "1.2345"; (-500000, 0) -> "-0.5".
[[nodiscard]] std::string format_micros(std::int64_t micros, int digits);

// Decimals of a currency in ISO 4217 (JPY 0, KWD 3); 2 for a code that is not in it.
[[nodiscard]] int currency_digits(std::string_view code);

}  // namespace retailpulse
