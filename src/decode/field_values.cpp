#include "decode/field_values.h"

#include <algorithm>
#include <utility>

#include "base/decimal.h"

namespace retailpulse {
namespace {

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }
char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }
char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - ('a' - 'A')) : c; }

// A number, or a string that may hold one.
Reason number_text(const FieldValue& value, std::string_view& out) {
  if (value.kind == ValueKind::kNumber) {
    out = value.text();
  } else if (value.kind == ValueKind::kString) {
    out = trim(value.text());
  } else {
    return Reason::kWrongType;
  }
  return Reason::kNone;
}

Reason string_text(const FieldValue& value, std::string_view& out) {
  if (value.kind != ValueKind::kString) return Reason::kWrongType;
  out = trim(value.text());
  return Reason::kNone;
}

bool is_number(DecimalResult result) {
  return result == DecimalResult::kExact || result == DecimalResult::kRounded;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// parse_decimal() for what nearly every token is: a few digits, perhaps a point and no more
// decimals than `scale`, in half the steps. False for anything else, number or not.
bool parse_short(std::string_view text, int scale, std::int64_t& out) {
  constexpr std::size_t kBytesMax = 12;  // so that no step can overflow
  const bool minus = !text.empty() && text.front() == '-';
  if (minus) text.remove_prefix(1);
  if (text.empty() || text.size() > kBytesMax) return false;
  std::size_t at = 0;
  std::int64_t value = 0;
  for (; at < text.size() && is_digit(text[at]); ++at) value = value * 10 + (text[at] - '0');
  if (at == 0 || (at > 1 && text[0] == '0')) return false;
  if (at < text.size()) {
    if (text[at++] != '.' || at == text.size()) return false;
    for (; at < text.size(); ++at, --scale) {
      if (!is_digit(text[at]) || scale == 0) return false;
      value = value * 10 + (text[at] - '0');
    }
  }
  for (; scale > 0; --scale) value *= 10;
  out = minus ? -value : value;
  return true;
}

DecimalResult parse(std::string_view text, int scale, std::int64_t& out) {
  return parse_short(text, scale, out) ? DecimalResult::kExact : parse_decimal(text, scale, out);
}

bool within(std::int64_t n, std::int64_t most) { return n >= -most && n <= most; }

template <class Value, std::size_t kCount>
Reason read_word(const FieldValue& value, const std::pair<std::string_view, Value> (&words)[kCount],
                 Value& out) {
  std::string_view text;
  if (const Reason reason = string_text(value, text); reason != Reason::kNone) return reason;
  for (const auto& [word, meaning] : words) {
    if (!equals_folded(text, word)) continue;
    out = meaning;
    return Reason::kNone;
  }
  return Reason::kUnknownOp;
}

}  // namespace

std::string_view trim(std::string_view text) {
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

bool equals_folded(std::string_view text, std::string_view lower_text) {
  return std::equal(text.begin(), text.end(), lower_text.begin(), lower_text.end(),
                    [](char a, char b) { return lower(a) == b; });
}

Reason read_name(const FieldValue& value, std::string_view& out) {
  const bool a_text = value.kind == ValueKind::kString || value.kind == ValueKind::kNumber;
  if (!a_text) return Reason::kWrongType;
  if (value.size > kNameBytesMax) return Reason::kTooLarge;
  out = value.text();
  return Reason::kNone;
}

Reason read_money(const FieldValue& value, std::int64_t& micros, bool& rounded) {
  std::string_view text;
  if (const Reason reason = number_text(value, text); reason != Reason::kNone) return reason;
  const DecimalResult result = parse(text, 6, micros);
  if (!is_number(result) || !within(micros, kMoneyMicrosMax)) return Reason::kBadMoney;
  if (result == DecimalResult::kRounded) rounded = true;
  return Reason::kNone;
}

Reason read_quantity(const FieldValue& value, std::int64_t& milli) {
  std::string_view text;
  if (const Reason reason = number_text(value, text); reason != Reason::kNone) return reason;
  const bool good = is_number(parse(text, 3, milli)) && within(milli, kQuantityMilliMax);
  return good ? Reason::kNone : Reason::kBadNumber;
}

Reason read_rating(const FieldValue& value, std::int32_t& milli) {
  constexpr std::int64_t kStar = 1'000'000'000;  // finer than milli: 5.0004 is out of range
  std::string_view text;
  if (const Reason reason = number_text(value, text); reason != Reason::kNone) return reason;
  std::int64_t nanos = 0;
  const DecimalResult result = parse_decimal(text, 9, nanos);
  if (result == DecimalResult::kNotANumber) return Reason::kBadNumber;
  if (!is_number(result) || nanos < kStar || nanos > 5 * kStar) return Reason::kRatingOutOfRange;
  std::int64_t rounded = 0;
  (void)parse_decimal(text, 3, rounded);  // a number, as the same text was at the finer scale
  milli = static_cast<std::int32_t>(rounded);
  return Reason::kNone;
}

Reason read_currency(const FieldValue& value, std::array<char, 3>& out) {
  if (value.kind != ValueKind::kString) return Reason::kWrongType;
  if (value.size != out.size()) return Reason::kBadCurrency;
  for (std::size_t i = 0; i < out.size(); ++i) {
    out[i] = upper(value.data[i]);
    if (out[i] < 'A' || out[i] > 'Z') return Reason::kBadCurrency;
  }
  return Reason::kNone;
}

Reason read_op(const FieldValue& value, Op& out) {
  static constexpr std::pair<std::string_view, Op> kWords[] = {
      {"sale", Op::kSale},         {"order", Op::kSale},       {"purchase", Op::kSale},
      {"refund", Op::kRefund},     {"return", Op::kRefund},    {"cancel", Op::kCancel},
      {"cancelled", Op::kCancel},  {"canceled", Op::kCancel},
  };
  return read_word(value, kWords, out);
}

Reason read_listing_op(const FieldValue& value, bool& deleted) {
  static constexpr std::pair<std::string_view, bool> kWords[] = {
      {"upsert", false}, {"insert", false}, {"create", false}, {"update", false},
      {"delete", true},  {"remove", true},
  };
  return read_word(value, kWords, deleted);
}

Reason read_type(const FieldValue& value, std::array<char, kNameBytesMax>& buffer,
                 std::string_view& out) {
  if (const Reason reason = string_text(value, out); reason != Reason::kNone) return reason;
  if (out.size() > buffer.size()) return Reason::kTooLarge;
  if (std::none_of(out.begin(), out.end(), [](char c) { return lower(c) != c; })) {
    return Reason::kNone;
  }
  std::transform(out.begin(), out.end(), buffer.begin(), lower);
  out = {buffer.data(), out.size()};
  return Reason::kNone;
}

}  // namespace retailpulse
