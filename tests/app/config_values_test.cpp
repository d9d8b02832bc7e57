#include "app/config_values.h"

#include "support/catch.h"

using namespace retailpulse;
using namespace std::chrono_literals;

TEST_CASE("durations: one number and one unit, nothing else") {
  CHECK(parse_duration("100ms") == Duration{100ms});
  CHECK(parse_duration("5s") == Duration{5s});
  CHECK(parse_duration("15m") == Duration{15min});
  CHECK(parse_duration("36h") == Duration{36h});
  CHECK(parse_duration("14d") == Duration{14 * 24h});
  CHECK(parse_duration("0s") == Duration{0});
  for (const char* bad : {"", "5", "s", "5 s", " 5s", "5s ", "-5s", "+5s", "1.5h", "5S", "1h30m",
                          "5us", "99999999999999999999d", "9999999999999d", "0x5s"}) {
    CAPTURE(bad);
    CHECK(!parse_duration(bad));
  }
  for (const char* text : {"100ms", "5s", "15m", "36h", "36500d", "90s", "1500ms"}) {
    CHECK(parse_duration(duration_text(*parse_duration(text))) == parse_duration(text));
  }
  CHECK(duration_text(90s) == "90s");
  CHECK(duration_text(0s) == "0s");
  CHECK(duration_text(24h) == "1d");
}

TEST_CASE("moments: RFC 3339 with an offset") {
  const EventTime noon = std::chrono::sys_days{std::chrono::year{2024} / 11 / 25} + 12h;
  CHECK(parse_moment("2024-11-25T12:00:00Z") == noon);
  CHECK(parse_moment("2024-11-25 12:00:00Z") == noon);
  CHECK(parse_moment("2024-11-25T17:45:00+05:45") == noon);
  CHECK(parse_moment("2024-11-25T07:00:00.25-05:00") == noon + 250ms);
  CHECK(parse_moment("2024-02-29T00:00:00Z").has_value());
  for (const char* bad :
       {"", "2024-11-25", "2024-11-25T12:00:00", "2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z",
        "2024-11-25T24:00:00Z", "2024-11-25T12:00:00.Z", "2024-11-25T12:00:00+1:00",
        "2024-11-25T12:00:00Zx", "24-11-25T12:00:00Z", "2024-11-25T12:00:00+24:00"}) {
    CAPTURE(bad);
    CHECK(!parse_moment(bad));
  }
  CHECK(moment_text(noon) == "2024-11-25T12:00:00Z");
  CHECK(moment_text(noon + 250ms) == "2024-11-25T12:00:00.250000Z");
}

TEST_CASE("start points are read back as they are shown") {
  for (const char* text : {"earliest", "latest", "last:1d", "last:90s", "2024-11-25T12:00:00Z"}) {
    CAPTURE(text);
    const auto start = parse_start(text);
    REQUIRE(start);
    CHECK(start_text(*start) == text);
  }
  for (const char* bad : {"", "begin", "last:", "last:24", "last", "Earliest"})
    CHECK(!parse_start(bad));
}

TEST_CASE("nearest finds slips, not strangers") {
  const std::vector<std::string> words{"port", "address", "retention", "out_of_order"};
  CHECK(nearest("prot", words) == "port");
  CHECK(nearest("adress", words) == "address");
  CHECK(nearest("out-of-order", words) == "out_of_order");
  CHECK(nearest("logging", words).empty());
  CHECK(nearest("", words).empty());
  CHECK(nearest(std::string(5000, 'p'), words).empty());
}
