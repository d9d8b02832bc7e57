// Zone: civil days of the store, and what a naive time means. The one door to the tz database.
//
// GCC 12 has no chrono time zones; Howard Hinnant's date library reads the system's tzdata, and
// base/zone_rule.h the rule behind its table.
//
// Thread: frozen; civil_day() and day_begin() may be called from any thread.
// Test:   tests/base/zone_test.cpp, tests/integration/zone_days_test.py (against Python's zoneinfo)
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <retailpulse/status.h>
#include <retailpulse/types.h>

#include "base/zone_rule.h"

namespace retailpulse {

class Zone {
 public:
  // IANA name ("Europe/Berlin"), or "" for this machine's zone.
  [[nodiscard]] static Result<Zone> find(const std::string& name);

  [[nodiscard]] const std::string& name() const { return name_; }
  // The civil date at `t`, as that date's midnight as if in UTC (the day tier's pane), in µs.
  [[nodiscard]] std::int64_t civil_day(EventTime t) const;
  // First moment of a civil day (a day may have 23 or 25 hours).
  [[nodiscard]] EventTime day_begin(std::int64_t civil_day_us) const;
  // A wall-clock reading without an offset -> UTC. In an overlap the earlier moment; in a gap the
  // moment at which the gap ends.
  [[nodiscard]] EventTime from_local(std::int64_t local_us) const;

 private:
  Zone(const void* zone, std::string name);
  [[nodiscard]] std::int64_t offset_us(EventTime t) const;

  const void* zone_;  // const date::time_zone*, which lives for ever
  std::string name_;
  std::shared_ptr<const ZoneRule> rule_;  // null: the table's last offset stays
};

// civil_day() with the last answer remembered: almost every event falls into the same day.
class DayCache {  // Thread: one; each owner has its own
 public:
  explicit DayCache(const Zone& zone) : zone_(zone) {}
  [[nodiscard]] std::int64_t civil_day(EventTime t) {
    if (t < begin_ || t >= end_) load(t);
    return day_us_;
  }
  // When the day of the last answer began.
  [[nodiscard]] EventTime day_begin() const { return begin_; }

 private:
  void load(EventTime t);
  const Zone& zone_;
  EventTime begin_{Duration{1}};
  EventTime end_{Duration{0}};
  std::int64_t day_us_ = 0;
};

}  // namespace retailpulse
