#include "base/decimal.h"

#include <random>
#include <string>

#include "support/catch.h"

namespace retailpulse {
namespace {

// The slow twin: schoolbook arithmetic on a string of digits. `text` is a valid JSON number whose
// exponent is small.
DecimalResult slow_parse(std::string text, int scale, std::int64_t& out) {
  const bool negative = text[0] == '-';
  if (negative) text.erase(0, 1);
  long exponent = 0;
  if (const auto e = text.find_first_of("eE"); e != std::string::npos) {
    exponent = std::stol(text.substr(e + 1));
    text.resize(e);
  }
  if (const auto dot = text.find('.'); dot != std::string::npos) {
    exponent -= static_cast<long>(text.size() - dot - 1);
    text.erase(dot, 1);
  }
  exponent += scale;  // the value is text * 10^exponent, a whole number wanted
  std::string dropped;
  for (; exponent > 0; --exponent) text += '0';
  for (; exponent < 0; ++exponent) {
    dropped.insert(dropped.begin(), text.back());
    text.pop_back();
    if (text.empty()) text = "0";
  }
  text.erase(0, std::min(text.find_first_not_of('0'), text.size() - 1));
  const bool rounded = dropped.find_first_not_of('0') != std::string::npos;
  std::string half = "5" + std::string(dropped.empty() ? 0 : dropped.size() - 1, '0');
  const bool odd = (text.back() - '0') % 2 == 1;
  if (!dropped.empty() && (dropped > half || (dropped == half && odd))) {
    std::size_t i = text.size();
    while (i > 0 && text[i - 1] == '9') text[--i] = '0';
    if (i > 0) ++text[i - 1];
    if (i == 0) text.insert(0, "1");
  }
  const std::string limit = "9223372036854775807";
  if (text.size() > limit.size() || (text.size() == limit.size() && text > limit)) {
    return DecimalResult::kOutOfRange;
  }
  out = std::stoll(text) * (negative ? -1 : 1);
  return rounded ? DecimalResult::kRounded : DecimalResult::kExact;
}

std::string random_number(std::mt19937_64& random) {
  const auto digits = [&random](std::size_t n) {
    std::string s;
    for (std::size_t i = 0; i < n; ++i) {
      // Long runs of 0, 5 and 9 are where rounding goes wrong.
      const char special[] = {'0', '5', '9', '0', '5'};
      s += random() % 2 == 0 ? special[random() % 5] : static_cast<char>('0' + random() % 10);
    }
    return s;
  };
  std::string whole = digits(1 + random() % (random() % 8 == 0 ? 22 : 8));
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size() - 1));
  std::string text = (random() % 3 == 0 ? "-" : "") + whole;
  if (random() % 4 != 0) text += "." + digits(1 + random() % 12);
  if (random() % 4 == 0) {
    text += random() % 2 == 0 ? "e" : "E";
    text += std::to_string(static_cast<int>(random() % 40) - 20);
  }
  return text;
}

TEST_CASE("decimals agree with schoolbook arithmetic", "[decimal][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  int exact = 0, rounded = 0, out_of_range = 0;
  for (int i = 0; i < 300'000; ++i) {
    const std::string text = random_number(random);
    const int scale = static_cast<int>(random() % 7);
    std::int64_t expected = 0, actual = 0;
    const DecimalResult want = slow_parse(text, scale, expected);
    const DecimalResult got = parse_decimal(text, scale, actual);
    if (got != want || (got != DecimalResult::kOutOfRange && actual != expected)) {
      FAIL(text << " scale " << scale << ": " << actual << ", expected " << expected);
    }
    exact += want == DecimalResult::kExact ? 1 : 0;
    rounded += want == DecimalResult::kRounded ? 1 : 0;
    out_of_range += want == DecimalResult::kOutOfRange ? 1 : 0;
  }
  CHECK(exact > 10'000);
  CHECK(rounded > 10'000);
  CHECK(out_of_range > 10'000);
}

TEST_CASE("half goes to even", "[decimal]") {
  const auto micros = [](std::string_view text) {
    std::int64_t value = 0;
    CHECK(parse_decimal(text, 0, value) == DecimalResult::kRounded);
    return value;
  };
  CHECK(micros("0.5") == 0);
  CHECK(micros("1.5") == 2);
  CHECK(micros("2.5") == 2);
  CHECK(micros("-2.5") == -2);
  CHECK(micros("2.5000000000000000000000001") == 3);
  CHECK(micros("0.4999999999999999999999999") == 0);
  CHECK(micros("1e-300") == 0);
}

TEST_CASE("what is not a JSON number is not a number", "[decimal]") {
  for (const char* text : {"", "-", "+1", ".5", "1.", "01", "-01", "00", "0x10", "1e", "1e+", "1e-",
                           "NaN", "Infinity", "-Infinity", "nan", "1 ", " 1", "1,5", "1_000", "--1",
                           "1.2.3", "1e5.0", "٣", "1\n", "1e5e5", "\xff"}) {
    INFO(text);
    std::int64_t value = 7;
    CHECK(parse_decimal(text, 6, value) == DecimalResult::kNotANumber);
    CHECK(value == 7);
  }
  std::int64_t value = 7;
  CHECK(parse_decimal(std::string_view("1\0", 2), 6, value) == DecimalResult::kNotANumber);
}

TEST_CASE("the edges of the range", "[decimal]") {
  std::int64_t v = 0;
  CHECK(parse_decimal("9223372036854.775807", 6, v) == DecimalResult::kExact);
  CHECK(v == INT64_MAX);
  CHECK(parse_decimal("-9223372036854.775807", 6, v) == DecimalResult::kExact);
  CHECK(v == -INT64_MAX);
  CHECK(parse_decimal("9223372036854.775808", 6, v) == DecimalResult::kOutOfRange);
  CHECK(parse_decimal("9223372036854.7758074", 6, v) == DecimalResult::kRounded);
  CHECK(parse_decimal("9223372036854.7758075", 6, v) == DecimalResult::kOutOfRange);
  // Digits enough to undo an exponent of five: neither zero nor out of range.
  const std::string zeros(12'000, '0');
  CHECK(parse_decimal("0." + zeros + "25e12001", 6, v) == DecimalResult::kExact);
  CHECK(v == 2'500'000);
  CHECK(parse_decimal("25" + zeros + "e-12001", 6, v) == DecimalResult::kExact);
  CHECK(v == 2'500'000);
  CHECK(parse_decimal("1e99999999999999999999", 6, v) == DecimalResult::kOutOfRange);
  CHECK(parse_decimal("0e99999999999999999999", 6, v) == DecimalResult::kExact);
  CHECK(v == 0);
  CHECK(parse_decimal("-0", 6, v) == DecimalResult::kExact);
  CHECK(v == 0);
  CHECK(parse_decimal("1e-99999999999999999999", 6, v) == DecimalResult::kRounded);
  CHECK(parse_decimal("1" + std::string(5'000, '0') + "e-5000", 6, v) == DecimalResult::kExact);
  CHECK(v == 1'000'000);
  CHECK(parse_decimal("0." + std::string(5'000, '0') + "1e5001", 6, v) == DecimalResult::kExact);
  CHECK(v == 1'000'000);
}

TEST_CASE("money is written with what it needs and no less than its currency", "[decimal]") {
  CHECK(format_micros(5'478'055'820'000, 2) == "5478055.82");
  CHECK(format_micros(1'234'500, 2) == "1.2345");
  CHECK(format_micros(-500'000, 0) == "-0.5");
  CHECK(format_micros(0, 0) == "0");
  CHECK(format_micros(0, 2) == "0.00");
  CHECK(format_micros(1, 2) == "0.000001");
  CHECK(format_micros(-1, 2) == "-0.000001");
  CHECK(format_micros(1'000'000, 0) == "1");
  CHECK(format_micros(INT64_MAX, 2) == "9223372036854.775807");
  CHECK(format_micros(INT64_MIN, 2) == "-9223372036854.775808");
}

TEST_CASE("what is written reads back as itself", "[decimal][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 50'000; ++i) {
    const auto magnitude = static_cast<std::int64_t>(random() >> (1 + random() % 63));
    const std::int64_t micros = i % 2 == 0 ? magnitude : -magnitude;
    std::int64_t back = 0;
    const std::string text = format_micros(micros, static_cast<int>(random() % 7));
    REQUIRE(parse_decimal(text, 6, back) == DecimalResult::kExact);
    REQUIRE(back == micros);
  }
}

TEST_CASE("currencies know their decimals", "[decimal]") {
  CHECK(currency_digits("EUR") == 2);
  CHECK(currency_digits("JPY") == 0);
  CHECK(currency_digits("KWD") == 3);
  CHECK(currency_digits("CLF") == 4);
  CHECK(currency_digits("") == 2);
  CHECK(currency_digits("???") == 2);
}

}  // namespace
}  // namespace retailpulse
