// time_text: what producers write as a time -> microseconds UTC. Written by hand, no strptime.
//
// Accepted texts: RFC 3339 / ISO 8601 with "T" or a blank, seconds optional, a fraction of 1 to 9
// digits (cut to microseconds), "Z", "+hh", "+hhmm", "+hh:mm", " UTC", "+00:00Z"; a date alone is
// its midnight; without an offset the zone of LocalTime decides; ":60" is folded to :59.999999.
// Accepted numbers and digit texts: epoch seconds, ms, us or ns, told apart by magnitude.
//
// Thread: role consumer.
// Test:   tests/decode/time_text_test.cpp
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include <retailpulse/types.h>

#include "base/zone.h"

namespace retailpulse {

enum class TimeResult : std::uint8_t { kOk, kNotATime, kTooFar };  // too far for EventTime

// Wall-clock readings -> UTC, with the answers of recent hours remembered: asking the tz database
// costs more than decoding a record.
class LocalTime {
 public:
  explicit LocalTime(const Zone& zone) : zone_(zone) {}
  [[nodiscard]] EventTime from_local(std::int64_t local_us);

  // The midnight of a date of ten characters, when it is the one that was noted last.
  [[nodiscard]] bool same_date(std::string_view text, std::int64_t& out_us) const {
    if (date_us_ == INT64_MIN || text.substr(0, date_.size()) != view(date_)) return false;
    out_us = date_us_;
    return true;
  }
  void note_date(std::string_view text, std::int64_t us) {
    std::copy_n(text.begin(), date_.size(), date_.begin());
    date_us_ = us;
  }

 private:
  static std::string_view view(const std::array<char, 10>& text) {
    return {text.data(), text.size()};
  }

  struct Hour {
    std::int64_t begin_us = INT64_MIN;  // local, aligned; INT64_MIN: free
    std::int64_t offset_us = 0;         // local - UTC, the same all through the hour
  };
  const Zone& zone_;
  std::array<Hour, 64> hours_{};        // by hour number modulo size
  std::array<char, 10> date_{};         // neighbours in a partition share theirs
  std::int64_t date_us_ = INT64_MIN;    // INT64_MIN: none noted yet
};

[[nodiscard]] TimeResult parse_time(std::string_view text, LocalTime& local, EventTime& out);
// `number`: a JSON number, also with fraction or exponent; exact down to the microsecond.
// |n| < 1e11 is seconds, < 1e14 milliseconds, < 1e17 microseconds, else nanoseconds.
[[nodiscard]] TimeResult parse_epoch(std::string_view number, EventTime& out);

}  // namespace retailpulse
