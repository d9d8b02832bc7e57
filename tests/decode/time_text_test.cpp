#include "decode/time_text.h"

#include <cstdio>
#include <random>
#include <string>

#include <fmt/format.h>

#include "base/sanitizer.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

const Zone& zone_named(const char* name) {
  static std::vector<std::unique_ptr<Zone>> zones;  // LocalTime keeps a reference
  zones.push_back(std::make_unique<Zone>(Zone::find(name).value()));
  return *zones.back();
}

// Microseconds, or INT64_MIN for no time and INT64_MAX for one too far.
std::int64_t parse(std::string_view text, const char* zone = "UTC") {
  LocalTime local(zone_named(zone));
  EventTime out{};
  const TimeResult result = parse_time(text, local, out);
  if (result == TimeResult::kNotATime) return INT64_MIN;
  return result == TimeResult::kTooFar ? INT64_MAX : to_us(out);
}

constexpr int kRandomMoments = kSanitized ? 2'000 : 20'000;
constexpr std::int64_t kNotATime = INT64_MIN;
constexpr std::int64_t kNoon = 1'721'043'296'000'000;  // 2024-07-15T11:34:56Z

}  // namespace

TEST_CASE("time_text: the forms of RFC 3339 and their relatives") {
  struct Row {
    const char* text;
    std::int64_t us;
  };
  const Row rows[] = {
      {"2024-07-15T11:34:56Z", kNoon},
      {"2024-07-15T11:34:56z", kNoon},
      {"2024-07-15t11:34:56Z", kNoon},
      {"2024-07-15 11:34:56Z", kNoon},
      {"2024-07-15 11:34:56 UTC", kNoon},
      {"2024-07-15 11:34:56 GMT", kNoon},
      {"2024-07-15T11:34:56UTC", kNoon},
      {"2024-07-15T11:34:56", kNoon},
      {"2024-07-15T11:34:56+00:00", kNoon},
      {"2024-07-15T11:34:56+00:00Z", kNoon},
      {"2024-07-15T11:34:56-00:00", kNoon},
      {"2024-07-15T13:34:56+02", kNoon},
      {"2024-07-15T13:34:56+0200", kNoon},
      {"2024-07-15T13:34:56+02:00", kNoon},
      {"2024-07-15 13:34:56 +0200", kNoon},
      {"2024-07-15T06:04:56-05:30", kNoon},
      {"2024-07-16T01:34:56+14:00", kNoon},
      {"2024-07-15T11:34:56.0Z", kNoon},
      {"2024-07-15T11:34:56.1Z", kNoon + 100'000},
      {"2024-07-15T11:34:56,25Z", kNoon + 250'000},
      {"2024-07-15T11:34:56.123Z", kNoon + 123'000},
      {"2024-07-15T11:34:56.123456Z", kNoon + 123'456},
      {"2024-07-15T11:34:56.123456789Z", kNoon + 123'456},
      {"2024-07-15T11:34:56.999999999+00:00", kNoon + 999'999},
      {"2024-07-15T11:34Z", kNoon - 56'000'000},
      {"2024-07-15", kNoon - (11 * 3600 + 34 * 60 + 56) * 1'000'000LL},
      {"1970-01-01T00:00:00Z", 0},
      {"1969-12-31T23:59:59.999999Z", -1},
      {"0001-01-01T00:00:00Z", -62'135'596'800'000'000},
      {"9999-12-31T23:59:59.999999Z", 253'402'300'799'999'999},
      {"2000-02-29T00:00:00Z", 951'782'400'000'000},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000'000},
      {"2016-12-31T23:59:60Z", 1'483'228'799'999'999},
      {"2016-12-31T23:59:60.7Z", 1'483'228'799'999'999},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(parse(row.text) == row.us);
  }
}

TEST_CASE("time_text: what is no time") {
  for (const char* text :
       {"", " ", "now", "2024", "2024-", "2024-7-15", "2024-13-01", "2024-00-10", "2024-04-31",
        "2023-02-29", "1900-02-29", "2024-07-15T", "2024-07-15T1", "2024-07-15T24:00:00Z",
        "2024-07-15T11:60:00Z", "2024-07-15T11:34:61Z", "2024-07-15T11:34:56.Z",
        "2024-07-15T11:34:56.1234567890Z", "2024-07-15T11:34:56+2", "2024-07-15T11:34:56+24:00",
        "2024-07-15T11:34:56+02:60", "2024-07-15T11:34:56+02:00Z", "2024-07-15T11:34:56ZZ",
        "2024-07-15T11:34:56 CEST", "2024-07-15T11:34:56 ", "2024-07-15  11:34:56",
        "2024/07/15", "15.07.2024", "2024-07-15T11:34:56+", "2024-07-15T11:34:56Z+02:00", "12e",
        "1.", "0x10", "١٢٣٤-٠٧-١٥", "-", "1-2", "20240715T113456Z", "--5", "+5"}) {
    CAPTURE(text);
    if (std::string_view(text) == "2024") {
      CHECK(parse(text) == 2'024'000'000);  // a digit text is an epoch, here of seconds
    } else {
      CHECK(parse(text) == kNotATime);
    }
  }
}

TEST_CASE("time_text: epochs are told apart by magnitude, on both sides of each border") {
  struct Row {
    const char* number;
    std::int64_t us;
  };
  const Row rows[] = {
      {"0", 0},
      {"-1", -1'000'000},
      {"1721043296", kNoon},
      {"1721043296.0", kNoon},
      {"1485630413.0", 1'485'630'413'000'000},
      {"1721043296.5", kNoon + 500'000},
      {"1721043296.000001", kNoon + 1},
      {"1.721043296e9", kNoon},
      {"1721043296000", kNoon},
      {"1721043296000.25", kNoon + 250},
      {"1721043296123", kNoon + 123'000},
      {"1721043296123456", kNoon + 123'456},
      {"1721043296123456789", kNoon + 123'456},
      {"1.721043296123456e18", kNoon + 123'456},
      {"99999999999", 99'999'999'999'000'000},
      {"100000000000", 100'000'000'000'000},
      {"99999999999999", 99'999'999'999'999'000},
      {"100000000000000", 100'000'000'000'000},
      {"99999999999999999", 99'999'999'999'999'999},
      {"100000000000000000", 100'000'000'000'000},
      {"-99999999999", -99'999'999'999'000'000},
      {"-100000000000", -100'000'000'000'000},
      {"9223372036854775807", 9'223'372'036'854'775},
      {"-1000000000000000001", -1'000'000'000'000'001},
      {"0001721043296", kNoon},
  };
  for (const Row& row : rows) {
    CAPTURE(row.number);
    EventTime out{};
    CHECK(parse_epoch(row.number, out) == TimeResult::kOk);
    CHECK(to_us(out) == row.us);
    CHECK(parse(row.number) == row.us);
  }
  for (const char* number : {"9223372036854775808", "1e30", "-1e400", "99999999999999999999999"}) {
    CAPTURE(number);
    EventTime out{};
    CHECK(parse_epoch(number, out) == TimeResult::kTooFar);
    CHECK(parse(number) == INT64_MAX);
  }
}

TEST_CASE("time_text: integers of any length, with any byte that is no digit anywhere in them") {
  const std::uint64_t seed = 161'803;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    for (std::uint64_t n = 1 + random() % 16; n > 0; --n) text += static_cast<char>('0' + random() % 10);
    CAPTURE(text);
    const std::int64_t value = std::stoll(text);
    const std::int64_t unit = value < 100'000'000'000 ? 1'000'000 : value < 100'000'000'000'000 ? 1'000 : 1;
    EventTime out{};
    REQUIRE(parse_epoch(text, out) == TimeResult::kOk);
    REQUIRE(to_us(out) == value * unit);
    text[random() % text.size()] = "/:;\x01\x7f\x80\xb0\xff@x "[random() % 11];
    REQUIRE(parse_epoch(text, out) == TimeResult::kNotATime);
  }
}

TEST_CASE("time_text: a date that is remembered changes nothing") {
  LocalTime local(zone_named("Europe/Berlin"));
  const auto remembering = [&local](std::string_view text) {
    EventTime out{};
    return parse_time(text, local, out) == TimeResult::kOk ? to_us(out) : kNotATime;
  };
  CHECK(remembering(std::string_view("\0\0\0\0\0\0\0\0\0\0", 10)) == kNotATime);
  for (const char* text :
       {"2024-07-15T11:34:56Z", "2024-07-15T11:34:57Z", "2024-07-15", "2024-07-15x", "2024-07-1",
        "2024-07-16T00:00:00", "2024-07-15 11:34", "2024-07-35T11:34:56Z", "2024-07-35T11:34:56Z",
        "2024-07-15T", "2024-07-15T11:34:56Z"}) {
    CAPTURE(text);
    CHECK(remembering(text) == parse(text, "Europe/Berlin"));
  }
}

TEST_CASE("time_text: a naive time is read in the given zone, also where the clock is changed") {
  const std::int64_t berlin_summer = kNoon - 2 * 3'600'000'000LL;
  CHECK(parse("2024-07-15T11:34:56", "Europe/Berlin") == berlin_summer);
  CHECK(parse("2024-07-15T11:34:56Z", "Europe/Berlin") == kNoon);
  CHECK(parse("2024-07-15", "Europe/Berlin") == parse("2024-07-14T22:00:00Z"));
  // 2024-03-31: 02:00 -> 03:00. A reading in the gap is the moment at which it ends.
  CHECK(parse("2024-03-31T01:59:59", "Europe/Berlin") == parse("2024-03-31T00:59:59Z"));
  CHECK(parse("2024-03-31T02:30:00", "Europe/Berlin") == parse("2024-03-31T01:00:00Z"));
  CHECK(parse("2024-03-31T03:00:00", "Europe/Berlin") == parse("2024-03-31T01:00:00Z"));
  // 2024-10-27: 03:00 -> 02:00. Of the two moments the earlier.
  CHECK(parse("2024-10-27T02:30:00", "Europe/Berlin") == parse("2024-10-27T00:30:00Z"));
  CHECK(parse("2024-10-27T03:00:00", "Europe/Berlin") == parse("2024-10-27T02:00:00Z"));
  // Half an hour (Lord Howe) and a whole day (Samoa skipped 2011-12-30).
  CHECK(parse("2024-10-06T02:15:00", "Australia/Lord_Howe") == parse("2024-10-05T15:30:00Z"));
  CHECK(parse("2011-12-30T12:00:00", "Pacific/Apia") == parse("2011-12-30T10:00:00Z"));
}

TEST_CASE("time_text: remembered hours give what the zone gives") {
  const std::uint64_t seed = 4711;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (const char* name : {"Europe/Berlin", "America/New_York", "Australia/Lord_Howe",
      "Asia/Kathmandu"}) {
    const Zone& zone = zone_named(name);
    LocalTime local(zone);
    for (int i = 0; i < 5'000; ++i) {
      // Close together, so that hours are met again, around both changes of 2024.
      const std::int64_t around = i % 2 == 0 ? 1'711'846'800'000'000 : 1'729'990'800'000'000;
      const std::int64_t us = around +
          static_cast<std::int64_t>(random() % 400'000'000'000) - 200'000'000'000;
      CAPTURE(name, us);
      REQUIRE(local.from_local(us) == zone.from_local(us));
    }
  }
}

TEST_CASE("time_text: random moments are read as the C++ calendar writes them") {
  const std::uint64_t seed = 99;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (int i = 0; i < kRandomMoments; ++i) {
    const auto us =
        static_cast<std::int64_t>(random() % 8'000'000'000'000'000) - 2'000'000'000'000'000;
    const auto days = std::chrono::floor<std::chrono::days>(from_us(us));
    const std::chrono::year_month_day date(days);
    const std::int64_t in_day = (from_us(us) - days).count();
    const int offset = static_cast<int>(random() % 1680) - 840;  // minutes
    const std::int64_t utc_us = us - offset * 60'000'000LL;
    const std::string text = fmt::format(
        "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}{}{:02}:{:02}", static_cast<int>(date.year()),
        static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
            in_day / 3'600'000'000,
        in_day / 60'000'000 % 60, in_day / 1'000'000 % 60, in_day % 1'000'000,
            offset < 0 ? '-' : '+',
        std::abs(offset) / 60, std::abs(offset) % 60);
    CAPTURE(text);
    REQUIRE(parse(text) == utc_us);
    // Each byte matters: no shorter form of it means the same moment, unless only zeros went.
    REQUIRE(parse(text + "x") == kNotATime);
  }
}

}  // namespace retailpulse
