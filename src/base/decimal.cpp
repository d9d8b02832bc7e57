#include "base/decimal.h"

#include <algorithm>
#include <array>
#include <utility>

namespace retailpulse {
namespace {

// More would need more digits to undo it than any value has bytes: out of range, or zero.
constexpr std::size_t kExponentDigitsMax = 8;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// A JSON number taken apart: digits [int_begin, int_end) and [frac_begin, frac_end), exponent.
struct Parts {
  bool negative = false;
  std::string_view whole;
  std::string_view fraction;
  int exponent = 0;
};

std::string_view take_digits(std::string_view& rest) {
  std::size_t n = 0;
  while (n < rest.size() && is_digit(rest[n])) ++n;
  const auto digits = rest.substr(0, n);
  rest.remove_prefix(n);
  return digits;
}

bool take_exponent(std::string_view& rest, int& exponent) {
  rest.remove_prefix(1);
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  auto digits = take_digits(rest);
  if (digits.empty()) return false;
  while (digits.size() > 1 && digits[0] == '0') digits.remove_prefix(1);
  if (digits.size() > kExponentDigitsMax) digits = "99999999";
  for (char c : digits) exponent = exponent * 10 + (c - '0');
  if (negative) exponent = -exponent;
  return true;
}

bool split(std::string_view text, Parts& parts) {
  if (!text.empty() && text[0] == '-') {
    parts.negative = true;
    text.remove_prefix(1);
  }
  parts.whole = take_digits(text);
  if (parts.whole.empty() || (parts.whole.size() > 1 && parts.whole[0] == '0')) return false;
  if (!text.empty() && text[0] == '.') {
    text.remove_prefix(1);
    parts.fraction = take_digits(text);
    if (parts.fraction.empty()) return false;
  }
  if (!text.empty() && (text[0] == 'e' || text[0] == 'E') && !take_exponent(text, parts.exponent)) {
    return false;
  }
  return text.empty();
}

// value = value * 10 + digit, false when it leaves int64.
bool append_digit(std::int64_t& value, int digit) {
  return !__builtin_mul_overflow(value, std::int64_t{10}, &value) &&
         !__builtin_add_overflow(value, std::int64_t{digit}, &value);
}

// What the digits that did not fit say about rounding half to even.
struct Tail {
  int first = 0;
  bool rest_nonzero = false;
  bool any_nonzero = false;
  int seen = 0;

  void add(int digit) {
    if (seen++ == 0) {
      first = digit;
    } else {
      rest_nonzero = rest_nonzero || digit != 0;
    }
    any_nonzero = any_nonzero || digit != 0;
  }
  [[nodiscard]] bool rounds_up(bool odd) const {
    return first > 5 || (first == 5 && (rest_nonzero || odd));
  }
};

}  // namespace

DecimalResult parse_decimal(std::string_view text, int scale, std::int64_t& out) {
  Parts parts;
  if (!split(text, parts)) return DecimalResult::kNotANumber;
  // Digits that count stand before `keep`, counted from the first digit of the whole part.
  const std::int64_t keep =
      static_cast<std::int64_t>(parts.whole.size()) + parts.exponent + scale;
  const auto total = static_cast<std::int64_t>(parts.whole.size() + parts.fraction.size());
  std::int64_t value = 0;
  Tail tail;
  for (std::int64_t i = std::min<std::int64_t>(keep, 0); i < 0; ++i) {
    tail.add(0);
    if (tail.seen > 1) break;  // further zeros before the digits change nothing
  }
  for (std::int64_t i = 0; i < total; ++i) {
    const auto at = static_cast<std::size_t>(i);
    const char c = at < parts.whole.size() ? parts.whole[at] : parts.fraction[at - parts.whole.size()];
    if (i >= keep) {
      tail.add(c - '0');
    } else if (!append_digit(value, c - '0')) {
      return DecimalResult::kOutOfRange;
    }
  }
  for (std::int64_t i = total; i < keep && value != 0; ++i) {
    if (!append_digit(value, 0)) return DecimalResult::kOutOfRange;
  }
  if (tail.rounds_up((value & 1) != 0) && __builtin_add_overflow(value, 1, &value)) {
    return DecimalResult::kOutOfRange;
  }
  out = parts.negative ? -value : value;
  return tail.any_nonzero ? DecimalResult::kRounded : DecimalResult::kExact;
}

std::string format_micros(std::int64_t micros, int digits) {
  // The magnitude of INT64_MIN does not fit int64: go through unsigned.
  const bool negative = micros < 0;
  const std::uint64_t magnitude =
      negative ? ~static_cast<std::uint64_t>(micros) + 1 : static_cast<std::uint64_t>(micros);
  std::string fraction = std::to_string(magnitude % 1'000'000);
  fraction.insert(0, 6 - fraction.size(), '0');
  const auto last = fraction.find_last_not_of('0');
  const std::size_t needed = last == std::string::npos ? 0 : last + 1;
  fraction.resize(std::max(needed, static_cast<std::size_t>(std::clamp(digits, 0, 6))));
  std::string text = negative ? "-" : "";
  text += std::to_string(magnitude / 1'000'000);
  if (!fraction.empty()) text += "." + fraction;
  return text;
}

int currency_digits(std::string_view code) {
  // ISO 4217 minor units that are not 2.
  static constexpr auto kDigits = std::to_array<std::pair<std::string_view, int>>({
      {"BHD", 3}, {"BIF", 0}, {"CLF", 4}, {"CLP", 0}, {"DJF", 0}, {"GNF", 0}, {"IQD", 3},
      {"ISK", 0}, {"JOD", 3}, {"JPY", 0}, {"KMF", 0}, {"KRW", 0}, {"KWD", 3}, {"LYD", 3},
      {"OMR", 3}, {"PYG", 0}, {"RWF", 0}, {"TND", 3}, {"UGX", 0}, {"UYI", 0}, {"UYW", 4},
      {"VND", 0}, {"VUV", 0}, {"XAF", 0}, {"XOF", 0}, {"XPF", 0},
  });
  for (const auto& [name, digits] : kDigits) {
    if (name == code) return digits;
  }
  return 2;
}

}  // namespace retailpulse
