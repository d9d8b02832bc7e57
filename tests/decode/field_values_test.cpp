#include "decode/field_values.h"

#include <cstdlib>
#include <random>
#include <string>
#include <vector>

#include "base/decimal.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

__extension__ using Wide = __int128;  // gcc and clang, without a warning

FieldValue text(std::string_view s) {
  FieldValue value;
  value.set(ValueKind::kString, s);
  return value;
}
FieldValue number(std::string_view s) {
  FieldValue value;
  value.set(ValueKind::kNumber, s);
  return value;
}
FieldValue of_kind(ValueKind kind) {
  FieldValue value;
  value.set(kind, {});
  return value;
}

}  // namespace

TEST_CASE("field_values: money is exact micros from the token") {
  struct Row {
    const char* token;
    std::int64_t micros;
    bool rounded;
  };
  const Row rows[] = {
      {"0", 0, false},
      {"-0", 0, false},
      {"12.5", 12'500'000, false},
      {"12.50", 12'500'000, false},
      {"-3.99", -3'990'000, false},
      {"0.1", 100'000, false},
      {"1.25e2", 125'000'000, false},
      {"0.000001", 1, false},
      {"0.0000005", 0, true},
      {"0.0000015", 2, true},
      {"0.00000050000001", 1, true},
      {"10000000000", kMoneyMicrosMax, false},
      {"-10000000000.000000", -kMoneyMicrosMax, false},
      {"1234567890.123456", 1'234'567'890'123'456, false},
  };
  for (const Row& row : rows) {
    for (const FieldValue& value : {number(row.token), text(row.token)}) {
      CAPTURE(row.token);
      std::int64_t micros = 0;
      bool rounded = false;
      CHECK(read_money(value, micros, rounded) == Reason::kNone);
      CHECK(micros == row.micros);
      CHECK(rounded == row.rounded);
    }
  }
  std::int64_t micros = 0;
  bool rounded = false;
  for (const char* bad : {"", "12,50", "1.234,50", "$5", "5 USD", "NaN", "Infinity", "1e400",
      "10000000000.000001",
                          "-10000000001", "0x10", "١٢", "1_000", "--5"}) {
    CAPTURE(bad);
    CHECK(read_money(text(bad), micros, rounded) == Reason::kBadMoney);
  }
  CHECK(read_money(text(" 7.25\n"), micros, rounded) == Reason::kNone);
  CHECK(micros == 7'250'000);
  for (const ValueKind kind : {ValueKind::kBool, ValueKind::kObject, ValueKind::kArray}) {
    CHECK(read_money(of_kind(kind), micros, rounded) == Reason::kWrongType);
  }
}

TEST_CASE("field_values: random decimals against 128-bit arithmetic") {
  const std::uint64_t seed = 31337;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 50'000; ++i) {
    const auto whole = static_cast<std::int64_t>(random() % 10'000'000'000);
    const int digits = static_cast<int>(random() % 10);
    std::int64_t fraction = 0;
    std::int64_t scale = 1;
    std::string token = std::to_string(whole) + (digits > 0 ? "." : "");
    for (int d = 0; d < digits; ++d) {
      // Mostly zeros, fives and nines: ties and carries.
      const int digit = static_cast<int>("0055599012345678"[random() % 16] - '0');
      fraction = fraction * 10 + digit;
      scale *= 10;
      token += static_cast<char>('0' + digit);
    }
    const Wide exact = (static_cast<Wide>(whole) * scale + fraction) * 1'000'000;
    const auto quotient = static_cast<std::int64_t>(exact / scale);
    const auto twice = static_cast<std::int64_t>(exact % scale) * 2;
    const bool up = twice > scale || (twice == scale && quotient % 2 == 1);
    std::int64_t micros = 0;
    bool rounded = false;
    CAPTURE(token);
    REQUIRE(read_money(number(token), micros, rounded) == Reason::kNone);
    REQUIRE(micros == quotient + (up ? 1 : 0));
    REQUIRE(rounded == (exact % scale != 0));
    REQUIRE(read_money(number("-" + token), micros, rounded) == Reason::kNone);
    REQUIRE(micros == -(quotient + (up ? 1 : 0)));
  }
}

TEST_CASE("field_values: short tokens are read as the general parser reads them") {
  // All texts of up to five of these bytes: signs, zeros in front, points anywhere, exponents.
  const std::string_view bytes = "-.05e9";
  std::vector<std::string> open{""};
  for (std::size_t at = 0; at < open.size(); ++at) {
    const std::string token = open[at];
    for (const char c : bytes) {
      if (token.size() < 5) open.push_back(token + c);
    }
    std::int64_t expected = 0;
    std::int64_t micros = 0;
    bool rounded = false;
    const DecimalResult result = parse_decimal(token, 6, expected);
    const bool number = result == DecimalResult::kExact || result == DecimalResult::kRounded;
    const bool good = number && std::abs(expected) <= kMoneyMicrosMax;
    const Reason reason = read_money(text(token), micros, rounded);
    CAPTURE(token);
    REQUIRE(reason == (good ? Reason::kNone : Reason::kBadMoney));
    if (good) REQUIRE(micros == expected);
    if (good) REQUIRE(rounded == (result == DecimalResult::kRounded));
  }
}

TEST_CASE("field_values: quantities") {
  std::int64_t milli = 0;
  CHECK(read_quantity(number("3"), milli) == Reason::kNone);
  CHECK(milli == 3'000);
  CHECK(read_quantity(text("0.25"), milli) == Reason::kNone);
  CHECK(milli == 250);
  CHECK(read_quantity(number("-2"), milli) == Reason::kNone);
  CHECK(milli == -2'000);
  CHECK(read_quantity(number("1000000000"), milli) == Reason::kNone);
  CHECK(milli == kQuantityMilliMax);
  CHECK(read_quantity(number("1000000000.001"), milli) == Reason::kBadNumber);
  CHECK(read_quantity(number("-1000000001"), milli) == Reason::kBadNumber);
  CHECK(read_quantity(number("1e300"), milli) == Reason::kBadNumber);
  CHECK(read_quantity(text("two"), milli) == Reason::kBadNumber);
  CHECK(read_quantity(text(""), milli) == Reason::kBadNumber);
  CHECK(read_quantity(of_kind(ValueKind::kBool), milli) == Reason::kWrongType);
}

TEST_CASE("field_values: ratings are 1 to 5, ends included") {
  std::int32_t milli = 0;
  struct Row {
    const char* token;
    std::int32_t milli;
  };
  const Row rows[] = {{"1", 1000}, {"5", 5000}, {"4.5", 4500}, {"5.000", 5000}, {"3.1415", 3142},
      {"2.0005", 2000}};
  for (const Row& row : rows) {
    CAPTURE(row.token);
    CHECK(read_rating(number(row.token), milli) == Reason::kNone);
    CHECK(milli == row.milli);
    CHECK(read_rating(text(row.token), milli) == Reason::kNone);
  }
  for (const char* token : {"0", "0.999", "0.9999", "5.0001", "5.1", "6", "-3", "1e20", "1e400"}) {
    CAPTURE(token);
    CHECK(read_rating(number(token), milli) == Reason::kRatingOutOfRange);
  }
  CHECK(read_rating(text("good"), milli) == Reason::kBadNumber);
  CHECK(read_rating(text(""), milli) == Reason::kBadNumber);
  CHECK(read_rating(of_kind(ValueKind::kArray), milli) == Reason::kWrongType);
}

TEST_CASE("field_values: currencies") {
  std::array<char, 3> code{};
  CHECK(read_currency(text("usd"), code) == Reason::kNone);
  CHECK(std::string(code.data(), 3) == "USD");
  for (const char* bad : {"", "US", "USDX", "U$D", "12A", " USD", "\xc3\xa9U"}) {
    CAPTURE(bad);
    CHECK(read_currency(text(bad), code) == Reason::kBadCurrency);
  }
  CHECK(read_currency(number("840"), code) == Reason::kWrongType);
}

TEST_CASE("field_values: operations") {
  Op op = Op::kSale;
  struct Row {
    const char* word;
    Op op;
  };
  const Row rows[] = {{"sale", Op::kSale},     {"ORDER", Op::kSale},        {"Purchase", Op::kSale},
                      {"refund", Op::kRefund}, {"Return", Op::kRefund},     {"cancel", Op::kCancel},
                      {"CANCELED", Op::kCancel}, {" cancelled ", Op::kCancel}};
  for (const Row& row : rows) {
    CAPTURE(row.word);
    CHECK(read_op(text(row.word), op) == Reason::kNone);
    CHECK(op == row.op);
  }
  for (const char* bad : {"", "sell", "refunds", "sal", "delete"}) {
    CAPTURE(bad);
    CHECK(read_op(text(bad), op) == Reason::kUnknownOp);
  }
  CHECK(read_op(number("1"), op) == Reason::kWrongType);

  bool deleted = false;
  CHECK(read_listing_op(text("Delete"), deleted) == Reason::kNone);
  CHECK(deleted);
  CHECK(read_listing_op(text("upsert"), deleted) == Reason::kNone);
  CHECK_FALSE(deleted);
  CHECK(read_listing_op(text("remove"), deleted) == Reason::kNone);
  CHECK(deleted);
  CHECK(read_listing_op(text("sale"), deleted) == Reason::kUnknownOp);
}

TEST_CASE("field_values: names and types") {
  std::string_view out;
  CHECK(read_name(text("A b"), out) == Reason::kNone);
  CHECK(out == "A b");
  CHECK(read_name(number("12345678901234567890"), out) == Reason::kNone);
  CHECK(out == "12345678901234567890");
  CHECK(read_name(text(std::string(kNameBytesMax, 'x')), out) == Reason::kNone);
  CHECK(read_name(text(std::string(kNameBytesMax + 1, 'x')), out) == Reason::kTooLarge);
  CHECK(read_name(of_kind(ValueKind::kObject), out) == Reason::kWrongType);

  std::array<char, kNameBytesMax> buffer{};
  CHECK(read_type(text(" Add_To_CART "), buffer, out) == Reason::kNone);
  CHECK(out == "add_to_cart");
  CHECK(read_type(text("view"), buffer, out) == Reason::kNone);
  CHECK(out == "view");
  CHECK(read_type(text("\xc3\x89T\xc3\x89"), buffer, out) == Reason::kNone);
  CHECK(out == "\xc3\x89t\xc3\x89");
  CHECK(read_type(text(std::string(kNameBytesMax + 1, 'X')), buffer, out) == Reason::kTooLarge);
  CHECK(read_type(number("1"), buffer, out) == Reason::kWrongType);
}

}  // namespace retailpulse
