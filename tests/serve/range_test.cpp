#include "serve/range.h"

#include "support/catch.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kMinute = 60 * kSecondUs;
constexpr std::int64_t kHour = 3600 * kSecondUs;
constexpr std::int64_t kDayUs = 24 * kHour;
constexpr std::int64_t kTen = 1'795'341'600 * kSecondUs;  // 2026-11-22T10:00:00Z

Zone zone(const std::string& name) {
  auto found = Zone::find(name);
  REQUIRE(found.ok());
  return std::move(found).value();
}

HistoryClock at(std::int64_t watermark_us) {
  HistoryClock clock;
  clock.watermark_us = watermark_us;
  clock.newest_event_us = watermark_us;
  clock.sealed_us.fill(INT64_MIN);
  return clock;
}

std::string moment(std::string_view text, const Zone& z, std::int64_t now = kTen) {
  const auto parsed = parse_moment(text, data_clock(at(now), z), z);
  return parsed.ok() ? utc_text(parsed.value()) : "error";
}

TEST_CASE("range: the grammar of a moment") {
  const Zone berlin = zone("Europe/Berlin");
  CHECK(moment("now", berlin) == "2026-11-22T10:00:00Z");
  CHECK(moment("now-15m", berlin) == "2026-11-22T09:45:00Z");
  CHECK(moment("now-1h+30s", berlin) == "2026-11-22T09:00:30Z");
  CHECK(moment("now 1h", berlin) == "2026-11-22T11:00:00Z");  // '+' in a query is a blank
  CHECK(moment("now-7d", berlin) == "2026-11-15T10:00:00Z");
  CHECK(moment("today", berlin) == "2026-11-21T23:00:00Z");
  CHECK(moment("yesterday", berlin) == "2026-11-20T23:00:00Z");
  CHECK(moment("today-1d+6h", berlin) == "2026-11-21T05:00:00Z");
  CHECK(moment("2026-11-22", berlin) == "2026-11-21T23:00:00Z");
  CHECK(moment("2026-11-22T10:00:00Z", berlin) == "2026-11-22T10:00:00Z");
  CHECK(moment("2026-11-22t10:00:00.25z", berlin) == "2026-11-22T10:00:00.25Z");
  CHECK(moment("2026-11-22T10:00:00+05:45", berlin) == "2026-11-22T04:15:00Z");
  CHECK(moment("2026-11-22T10:00:00-01:00", berlin) == "2026-11-22T11:00:00Z");
  CHECK(moment("2026-11-22T10:00:00.1234567Z", berlin) == "2026-11-22T10:00:00.123456Z");
}

TEST_CASE("range: what is not a moment is an error, whatever its size") {
  const Zone utc = zone("UTC");
  for (const char* text :
       {"", " ", "tomorrow", "now-", "now-5", "now-m", "now-5x", "now-99999999d", "nowish", "now--1h",
        "2026-13-01", "2026-02-30", "2026-11-22T", "2026-11-22T10:00Z", "2026-11-22T25:00:00Z",
        "2026-11-22T10:00:00", "2026-11-22T10:00:00.Z", "2026-11-22T10:00:00Zx", "1795341600",
        "-1", "today-9999999d", "now+9999999d", "0000-01-01", "\xff\xfe"}) {
    CAPTURE(text);
    CHECK(moment(text, utc) == "error");
  }
  std::string many = "now";
  for (int i = 0; i < 300; ++i) many += "-9999999d";
  CHECK(moment(many, utc) == "error");
}

TEST_CASE("range: a day of 23 or 25 hours is a day") {
  const Zone berlin = zone("Europe/Berlin");
  const std::int64_t autumn = 1'792'917'000 * kSecondUs;  // 2026-10-25T08:30:00Z
  const auto clock = data_clock(at(autumn), berlin);
  CHECK(utc_text(clock.day_from_us) == "2026-10-24T22:00:00Z");
  CHECK(clock.day_to_us - clock.day_from_us == 25 * kHour);
  CHECK(moment("today-1d", berlin, autumn + kDayUs) == "2026-10-24T22:00:00Z");
  const std::int64_t spring = 1'774'773'000 * kSecondUs;  // 2026-03-29T08:30:00Z
  const auto short_day = data_clock(at(spring), berlin);
  CHECK(short_day.day_to_us - short_day.day_from_us == 23 * kHour);
}

TEST_CASE("range: now is the data clock; without a watermark the newest event") {
  const Zone utc = zone("UTC");
  HistoryClock clock = at(kTen);
  clock.newest_event_us = kTen + 7 * kSecondUs;
  clock.wall_us = kTen + kDayUs;
  CHECK(data_clock(clock, utc).now_us == kTen);
  CHECK(data_clock(clock, utc).edge_us == kTen + 7 * kSecondUs + 1);
  clock.watermark_us.reset();
  CHECK(data_clock(clock, utc).now_us == kTen + 7 * kSecondUs);
  clock.newest_event_us.reset();
  CHECK(data_clock(clock, utc).now_us == clock.wall_us);
  CHECK(data_clock(clock, utc).edge_us == clock.wall_us);
}

struct Asked {
  std::string from;
  std::string to;
};

Cut cut(const Asked& asked, const HistoryClock& history, const Zone& z,
        const TierChoice& choice = {}) {
  const auto clock = data_clock(history, z);
  const auto range = parse_range(asked.from, asked.to, clock, z);
  REQUIRE(range.ok());
  return cut_range(range.value(), choice, history, clock, z);
}

TEST_CASE("range: today and whole days are answered from days, exactly") {
  const Zone berlin = zone("Europe/Berlin");
  const auto today = cut({"", ""}, at(kTen), berlin);
  CHECK(today.window.tier == Tier::kDay);
  CHECK(day_text(today.window.from_us) == "2026-11-22");
  CHECK(utc_text(today.range.from_us) == "2026-11-21T23:00:00Z");
  CHECK(utc_text(today.range.to_us) == "2026-11-22T23:00:00Z");
  const auto days = cut({"2026-11-01", "2026-11-08"}, at(kTen), berlin);
  CHECK(days.window.tier == Tier::kDay);
  CHECK((days.window.to_us - days.window.from_us) / kDayUs == 7);
}

TEST_CASE("range: part of a day is answered in the coarsest panes that have it exactly") {
  const Zone berlin = zone("Europe/Berlin");
  CHECK(cut({"2026-11-22T09:00:00Z", "2026-11-22T09:45:00Z"}, at(kTen), berlin).window.tier ==
        Tier::kQuarter);
  CHECK(cut({"2026-11-22T09:00:00Z", "2026-11-22T09:46:00Z"}, at(kTen), berlin).window.tier ==
        Tier::kMinute);
  const auto odd = cut({"2026-11-22T09:00:30Z", "2026-11-22T09:10:10Z"}, at(kTen), berlin);
  CHECK(odd.window.tier == Tier::kMinute);
  CHECK(utc_text(odd.range.from_us) == "2026-11-22T09:00:00Z");  // grown outward, and says so
  CHECK(utc_text(odd.range.to_us) == "2026-11-22T09:11:00Z");
}

TEST_CASE("range: what a tier has sealed or could not bear is answered by a coarser one") {
  const Zone utc = zone("UTC");
  HistoryClock history = at(kTen);
  history.sealed_us = {kTen - kHour, kTen - kHour, kTen - 4 * kDayUs, INT64_MIN};
  CHECK(cut({"now-30m", "now-10m"}, history, utc).window.tier == Tier::kMinute);
  CHECK(cut({"now-121m", "now-100m"}, history, utc).window.tier == Tier::kQuarter);
  const auto old = cut({"now-5d", "now-109h"}, history, utc);
  CHECK(old.window.tier == Tier::kDay);
  CHECK((old.range.to_us - old.range.from_us) % kDayUs == 0);
  CHECK(cut({"now-31m", "now"}, history, utc, {Tier::kMinute, 30}).window.tier == Tier::kQuarter);
}

TEST_CASE("range: an end before the begin is refused, an empty range is none") {
  const Zone utc = zone("UTC");
  const auto clock = data_clock(at(kTen), utc);
  CHECK_FALSE(parse_range("now", "now-1h", clock, utc).ok());
  const auto empty = parse_range("now", "now", clock, utc);
  REQUIRE(empty.ok());
  const Cut none = cut_range(empty.value(), {}, at(kTen), clock, utc);
  CHECK(none.window.from_us <= none.window.to_us);
  // Beyond the data: nothing, not an error.
  CHECK(parse_range("now+1h", "", clock, utc).ok());
}

TEST_CASE("range: every moment of a cut lies in exactly one of its panes") {
  for (const char* name : {"Europe/Berlin", "Asia/Kathmandu", "America/St_Johns"}) {
    const Zone z = zone(name);
    for (std::int64_t day = 0; day < 400; ++day) {
      const std::int64_t civil = (20'400 + day) * kDayUs;
      const TimeRange a = pane_range(Tier::kDay, civil, z);
      const TimeRange b = pane_range(Tier::kDay, civil + kDayUs, z);
      CHECK(a.to_us == b.from_us);
      CHECK(a.from_us % (15 * kMinute) == 0);  // quarters never straddle two days
    }
  }
}

}  // namespace
}  // namespace retailpulse
