// TimeRange: what `from` and `to` of a request mean, and the panes that answer them.
//
// "now" is the data clock (the watermark), never the wall clock: a backfill of old data shows that
// time. A range is answered in the panes of one tier and grows outward to their edges; the answer
// says which range that was.
//
// Grammar: RFC 3339 | YYYY-MM-DD | now | today | yesterday, the last three with any number of
//          +N or -N of s, m, h, d. A date and today are the beginning of that civil day.
//
// Thread: any (pure functions; DataClock is a value).
// Test:   tests/serve/range_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <retailpulse/history_rows.h>
#include <retailpulse/status.h>

#include "base/zone.h"

namespace retailpulse {

// The moments that relative times hang on, of one commit.
struct DataClock {
  std::int64_t now_us = 0;       // watermark; without one the newest event; without any, the commit
  std::int64_t today_us = 0;     // civil day that holds now, as if in UTC
  std::int64_t day_from_us = 0;  // its first moment
  std::int64_t day_to_us = 0;    // the first moment of the next day
  std::int64_t before_from_us = 0;  // the first moment of the day before
  std::int64_t edge_us = 0;      // end of the data: newest event of today or now, whichever is later
};
[[nodiscard]] DataClock data_clock(const HistoryClock& clock, const Zone& zone);

struct TimeRange {
  std::int64_t from_us = 0;
  std::int64_t to_us = 0;
};

// One moment in microseconds, or a sentence that says what would be right.
[[nodiscard]] Result<std::int64_t> parse_moment(std::string_view text, const DataClock& clock,
                                                const Zone& zone);
// Empty texts: from today's begin, to the edge of the data.
[[nodiscard]] Result<TimeRange> parse_range(std::string_view from, std::string_view to,
                                            const DataClock& clock, const Zone& zone);

// Panes of one tier, and the moments at which they begin and end.
struct Cut {
  Window window;
  TimeRange range;
};

// What a question can bear and what the tables hold.
struct TierChoice {
  Tier finest = Tier::kMinute;
  std::int64_t panes_max = 2880;
};

// The coarsest tier that has exactly this range; else the finest one that holds it in at most
// panes_max panes, with the range grown outward.
[[nodiscard]] Cut cut_range(const TimeRange& range, const TierChoice& choice,
                            const HistoryClock& history, const DataClock& clock, const Zone& zone);
// The range in panes of the given tier, grown outward.
[[nodiscard]] Cut cut_range(const TimeRange& range, Tier tier, const Zone& zone);

// First moment and end of a pane.
[[nodiscard]] TimeRange pane_range(Tier tier, std::int64_t pane_us, const Zone& zone);

// "2026-11-22T14:03:22Z", with a fraction when there is one.
[[nodiscard]] std::string utc_text(std::int64_t us);
// "2026-11-22" of an as-if-UTC civil day.
[[nodiscard]] std::string day_text(std::int64_t civil_day_us);

}  // namespace retailpulse
