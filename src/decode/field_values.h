// field_values: what the text of a field means: money, quantities, ratings, currencies, words.
//
// Pure functions. Each returns Reason::kNone or why the value is not acceptable; an absent or null
// value is the caller's business. Numbers are taken from the token as written, never via double.
//
// Thread: any.
// Limits: kMoneyMicrosMax, kQuantityMilliMax, kNameBytesMax.
// Test:   tests/decode/field_values_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <retailpulse/types.h>

#include "decode/fields.h"

namespace retailpulse {

inline constexpr std::int64_t kMoneyMicrosMax = 10'000'000'000 * kMicrosPerUnit;    // 10^10 units
inline constexpr std::int64_t kQuantityMilliMax = 1'000'000'000 * kMilliPerPiece;   // 10^9 pieces

enum class Op : std::uint8_t { kSale, kRefund, kCancel };

[[nodiscard]] inline bool is_given(const FieldValue& value) {
  return value.kind != ValueKind::kAbsent && value.kind != ValueKind::kNull;
}
// Without blanks (space, tab, line ends) at both ends.
[[nodiscard]] std::string_view trim(std::string_view text);
// Equal but for the case of ASCII letters; `lower` is in lower case.
[[nodiscard]] bool equals_folded(std::string_view text, std::string_view lower);

// An id or a name: the string, or the number's token. kWrongType, kTooLarge.
[[nodiscard]] Reason read_name(const FieldValue& value, std::string_view& out);
// kBadMoney, kWrongType; `rounded` is set when there were more than six decimals.
[[nodiscard]] Reason read_money(const FieldValue& value, std::int64_t& micros, bool& rounded);
// May be negative. kBadNumber, kWrongType.
[[nodiscard]] Reason read_quantity(const FieldValue& value, std::int64_t& milli);
// 1..5 stars. kRatingOutOfRange, kBadNumber, kWrongType.
[[nodiscard]] Reason read_rating(const FieldValue& value, std::int32_t& milli);
// Three letters, made upper case. kBadCurrency, kWrongType.
[[nodiscard]] Reason read_currency(const FieldValue& value, std::array<char, 3>& out);
// kUnknownOp, kWrongType.
[[nodiscard]] Reason read_op(const FieldValue& value, Op& out);
[[nodiscard]] Reason read_listing_op(const FieldValue& value, bool& deleted);
// Trimmed, ASCII letters in lower case, in `buffer` if it had to change. kWrongType, kTooLarge.
[[nodiscard]] Reason read_type(const FieldValue& value, std::array<char, kNameBytesMax>& buffer,
                               std::string_view& out);

}  // namespace retailpulse
