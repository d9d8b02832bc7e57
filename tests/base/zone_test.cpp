#include "base/zone.h"

#include <cstdlib>
#include <ctime>
#include <string>

#include <fmt/format.h>

#include "support/catch.h"
#include "support/event_builder.h"
#include "support/text_rows.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;

constexpr std::int64_t kDayUs = 86'400'000'000;

Zone zone(const char* name) { return zone_named(name); }
std::int64_t date(std::string_view text) { return to_us(utc(std::string(text) + " 00:00:00")); }
std::int64_t hours_of(const Zone& z, std::string_view day) {
  return std::chrono::duration_cast<std::chrono::hours>(z.day_begin(date(day) + kDayUs) -
                                                        z.day_begin(date(day)))
      .count();
}

// The C library's own calendar, for comparison. Sets TZ for this process as long as it lives.
class LibcZone {
 public:
  explicit LibcZone(const char* name) {
    setenv("TZ", name, 1);
    tzset();
  }
  ~LibcZone() {
    unsetenv("TZ");
    tzset();
  }
  LibcZone(const LibcZone&) = delete;
  LibcZone& operator=(const LibcZone&) = delete;

  static std::int64_t civil_day(EventTime t) {
    const std::time_t s = pane_of(to_us(t), kSecondUs) / kSecondUs;
    std::tm tm{};
    localtime_r(&s, &tm);
    using namespace std::chrono;
    const sys_days day{year{tm.tm_year + 1900} / (tm.tm_mon + 1) / tm.tm_mday};
    return microseconds{day.time_since_epoch()}.count();
  }
};

TEST_CASE("a day of the shop is a civil day: 24 hours, 23 in spring, 25 in autumn", "[zone]") {
  const Zone berlin = zone("Europe/Berlin");
  CHECK(hours_of(berlin, "2026-03-28") == 24);
  CHECK(hours_of(berlin, "2026-03-29") == 23);
  CHECK(hours_of(berlin, "2026-10-25") == 25);
  CHECK((berlin.day_begin(date("2026-03-29")) == utc("2026-03-28 23:00:00")));
  CHECK((berlin.day_begin(date("2026-03-30")) == utc("2026-03-29 22:00:00")));
  CHECK(berlin.civil_day(utc("2026-03-29 21:59:59.999999")) == date("2026-03-29"));
  CHECK(berlin.civil_day(utc("2026-03-29 22:00:00")) == date("2026-03-30"));
}

TEST_CASE("a zone a quarter off the hour: Kathmandu is five and three quarters ahead", "[zone]") {
  const Zone kathmandu = zone("Asia/Kathmandu");
  CHECK((kathmandu.day_begin(date("2026-01-02")) == utc("2026-01-01 18:15:00")));
  CHECK(kathmandu.civil_day(utc("2026-01-01 18:14:59.999999")) == date("2026-01-01"));
  CHECK(kathmandu.civil_day(utc("2026-01-01 18:15:00")) == date("2026-01-02"));
}

TEST_CASE("days whose midnight does not exist, exists twice, or that are not there", "[zone]") {
  const Zone beirut = zone("Asia/Beirut");  // spring forward at midnight: the day begins at 01:00
  CHECK((beirut.day_begin(date("2026-03-29")) == utc("2026-03-28 22:00:00")));
  CHECK(hours_of(beirut, "2026-03-29") == 23);
  const Zone havana = zone("America/Havana");  // back from 01:00 to 00:00: the first midnight
  CHECK((havana.day_begin(date("2025-11-02")) == utc("2025-11-02 04:00:00")));
  CHECK(hours_of(havana, "2025-11-02") == 25);
  const Zone apia = zone("Pacific/Apia");  // went without 30 December 2011
  CHECK(apia.civil_day(utc("2011-12-30 09:59:59")) == date("2011-12-29"));
  CHECK(apia.civil_day(utc("2011-12-30 10:00:00")) == date("2011-12-31"));
  CHECK((apia.day_begin(date("2011-12-30")) == apia.day_begin(date("2011-12-31"))));
  DayCache cache(apia);
  CHECK(cache.civil_day(utc("2011-12-30 09:59:59")) == date("2011-12-29"));
  CHECK(cache.civil_day(utc("2011-12-30 10:00:00")) == date("2011-12-31"));
}

TEST_CASE("clocks put back over midnight do not enter a day twice", "[zone]") {
  const Zone st_johns = zone("America/St_Johns");  // 2006-10-29 00:01 became 23:01 of the 28th
  CHECK((st_johns.day_begin(date("2006-10-29")) == utc("2006-10-29 02:30:00")));
  DayCache cache(st_johns);
  for (const char* moment : {"02:30:00", "02:31:00", "03:00:00", "03:29:59", "03:30:00"}) {
    const EventTime t = utc("2006-10-29 " + std::string(moment));
    CHECK(st_johns.civil_day(t) == date("2006-10-29"));
    CHECK(DayCache(st_johns).civil_day(t) == date("2006-10-29"));
    CHECK(cache.civil_day(t) == date("2006-10-29"));
  }
  CHECK(st_johns.civil_day(utc("2006-10-29 02:29:59")) == date("2006-10-28"));
}

TEST_CASE("a reading without an offset: earlier in an overlap, the gap's end in a gap", "[zone]") {
  const Zone berlin = zone("Europe/Berlin");
  CHECK((berlin.from_local(to_us(utc("2026-07-01 12:00:00"))) == utc("2026-07-01 10:00:00")));
  CHECK((berlin.from_local(to_us(utc("2026-10-25 02:30:00"))) == utc("2026-10-25 00:30:00")));
  CHECK((berlin.from_local(to_us(utc("2026-03-29 02:30:00"))) == utc("2026-03-29 01:00:00")));
}

TEST_CASE("T9: civil days agree with the C library from 2000 to 2045, and tile time", "[zone]") {
  // From 2037 on they come from the rule at the end of a zone's file.
  for (const char* name : {"UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
                           "Asia/Tokyo", "America/Sao_Paulo", "America/Havana", "Asia/Beirut",
                           "Pacific/Apia",
                           "Australia/Lord_Howe", "Africa/Cairo", "America/St_Johns"}) {
    INFO(name);
    const Zone z = zone(name);
    const LibcZone libc(name);
    DayCache cache(z);
    const EventTime end = utc("2046-01-01 00:00:00"), table_end = utc("2038-01-01 00:00:00");
    const auto step = [&](EventTime t) { return std::chrono::minutes{t < table_end ? 397 : 797}; };
    for (EventTime t = utc("2000-01-01 00:00:00"); t < end; t += step(t)) {
      const std::int64_t day = z.civil_day(t);
      const std::int64_t wall_day = LibcZone::civil_day(t);
      const bool put_back = wall_day + kDayUs == day && z.day_begin(day) <= t;
      if (day != wall_day && !put_back) FAIL(time_text(to_us(t)));
      if (cache.civil_day(t) != day) FAIL("cache, " << time_text(to_us(t)));
      const EventTime begin = z.day_begin(day);
      if (begin > t || z.civil_day(begin) != day) FAIL("begin, " << time_text(to_us(t)));
      if (z.civil_day(begin - Duration{1}) >= day) FAIL("before begin, " << time_text(to_us(t)));
    }
  }
}

// Hours at which an offset of a rule changes in a year, as "hour of the year:offset in minutes".
std::string changes_of(std::string_view text, int year) {
  const auto rule = ZoneRule::parse(text);
  if (!rule) return "none";
  const std::int64_t begin = to_us(utc(fmt::format("{}-01-01 00:00:00", year))) / kSecondUs;
  std::string out = fmt::format("{}", rule->offset_s(begin) / 60);
  for (std::int64_t hour = 1; hour < 366 * 24; ++hour) {
    const std::int64_t s = begin + hour * 3600;
    if (rule->offset_s(s) == rule->offset_s(s - 1)) continue;
    out += fmt::format(" {}:{}", hour, rule->offset_s(s) / 60);
  }
  return out;
}

TEST_CASE("the rule behind a zone's table, in each of POSIX's forms", "[zone]") {
  CHECK(changes_of("CST-8", 2050) == "480");
  CHECK(changes_of("<+0545>-5:45", 2050) == "345");
  CHECK(changes_of("CET-1CEST,M3.5.0,M10.5.0/3", 2050) == "60 2041:120 7249:60");  // 27 Mar, 30 Oct
  CHECK(changes_of("IST-1GMT0,M10.5.0,M3.5.0/1", 2050) == "0 2041:60 7249:0");  // winter is "summer"
  CHECK(changes_of("EET-2EEST,M3.4.4/50,M10.4.4/50", 2050) == "120 2016:180 7223:120");
  CHECK(changes_of("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", 2050) == "-120 2041:-60 7249:-120");
  CHECK(changes_of("AAA0BBB,J60/0,J366/0", 2050) == "none");
  CHECK(changes_of("AAA0BBB,J60/0,J300/1", 2052) == "0 1440:60 7200:0");  // 1 March of a leap year
  CHECK(changes_of("AAA0BBB,59/0,300/1", 2052) == "0 1416:60 7200:0");    // 29 February
  for (const char* wrong : {"", "CET", "C1", "CET-1CEST", "CET-1CEST,M3.5.0", "CET-1,M3.5.0,M10.5.0",
                            "CET-1CEST,M13.5.0,M10.5.0", "CET-1CEST,M3.6.0,M10.5.0", "CET-168",
                            "CET-1CEST,M3.5.0,M10.5.0/3 ", "<CET-1", "CET-1CEST,M3.5.7,M10.5.0"}) {
    CAPTURE(wrong);
    CHECK_FALSE(ZoneRule::parse(wrong).has_value());
  }
  CHECK_FALSE(ZoneRule::of_zone("../../../etc/passwd").has_value());
  CHECK_FALSE(ZoneRule::of_zone("tzdata.zi").has_value());
  CHECK(tz_database_version() != "unknown");
}

TEST_CASE("a zone that does not exist is a sentence, not a guess", "[zone]") {
  const auto none = Zone::find("Mars/Olympus");
  REQUIRE_FALSE(none.ok());
  CHECK(none.status().code() == Code::kConfig);
  CHECK(none.status().message().find("Mars/Olympus") != std::string::npos);
  CHECK_FALSE(Zone::find("../../etc/passwd").ok());
  CHECK(Zone::find("").ok());  // this machine's
}

}  // namespace
}  // namespace retailpulse
