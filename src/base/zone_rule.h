// ZoneRule: what a zone does after the last change that its table names.
//
// A file of the tz database ends with a rule as POSIX writes it ("CET-1CEST,M3.5.0,M10.5.0/3"),
// which holds from the table's last change on: with Debian's tables from 2037, with the slim tables
// of other systems from the zone's last reform. The date library reads the table alone.
//
// Thread: frozen.
// Limits: a rule changes at most twice a year; files of more than kZoneFileBytesMax are refused.
// Test:   tests/base/zone_test.cpp, tests/integration/zone_days_test.py (against Python's zoneinfo)
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace retailpulse {

inline constexpr std::size_t kZoneFileBytesMax = std::size_t{1} << 20;

class ZoneRule {
 public:
  // From the system's file of a zone; none: it has no rule, so the table's last offset stays.
  [[nodiscard]] static std::optional<ZoneRule> of_zone(const std::string& name);
  // The rule alone, from the beginning of time.
  [[nodiscard]] static std::optional<ZoneRule> parse(std::string_view text);

  // The last change of the table, in seconds; the rule says nothing about earlier moments.
  [[nodiscard]] std::int64_t from_s() const { return from_s_; }
  // Seconds east of Greenwich at a moment.
  [[nodiscard]] std::int64_t offset_s(std::int64_t utc_s) const;
  // A wall-clock reading -> UTC: of two moments the earlier, in a gap the moment at which it ends.
  [[nodiscard]] std::int64_t from_local_s(std::int64_t local_s) const;

 private:
  // A day of the year in one of POSIX's three ways, and the time of that day.
  struct Day {
    enum class Kind : std::uint8_t { kWeekday, kJulian, kCounted };
    Kind kind = Kind::kCounted;
    int month = 1;     // kWeekday
    int week = 1;      // kWeekday: 5 is the last
    int day = 0;       // kWeekday: 0 is Sunday; kJulian: 1..365 without 29 February; kCounted: 0..365
    std::int64_t time_s = 7200;
  };
  struct Change {
    std::int64_t at_s;     // UTC
    std::int64_t before_s; // offsets
    std::int64_t after_s;
  };
  class Reader;

  [[nodiscard]] static std::int64_t local_s(const Day& day, int year);
  // The changes of the year before, this one and the next, in order.
  [[nodiscard]] std::vector<Change> changes_around(std::int64_t utc_s) const;

  std::int64_t from_s_ = INT64_MIN;
  std::int64_t standard_s_ = 0;
  std::int64_t summer_s_ = 0;
  bool has_summer_ = false;
  Day begin_;  // of summer time, as standard time reads
  Day end_;    // as summer time reads
};

// "2025b", or "unknown" when the system's database does not say.
[[nodiscard]] std::string tz_database_version();

}  // namespace retailpulse
