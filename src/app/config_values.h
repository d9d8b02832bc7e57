// config_values: how people write durations, moments and start points, and read them back.
//
// Thread: any.
// Test:   tests/app/config_values_test.cpp
#pragma once

#include <retailpulse/config.h>

#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace retailpulse {

// "100ms", "5s", "15m", "36h", "14d"; a whole number and one unit. Nothing else, not even "0".
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
// In the greatest unit that keeps it whole: 36h, 90s.
[[nodiscard]] std::string duration_text(Duration duration);

// RFC 3339 with an offset: "2024-11-25T00:00:00Z", "2024-11-25T01:00:00.5+01:00".
[[nodiscard]] std::optional<EventTime> parse_moment(std::string_view text);
[[nodiscard]] std::string moment_text(EventTime time);

// "earliest", "latest", "last:24h" or a moment.
[[nodiscard]] std::optional<StartPoint> parse_start(std::string_view text);
[[nodiscard]] std::string start_text(const StartPoint& start);

// The candidate that was probably meant, or "" when none is near enough.
[[nodiscard]] std::string nearest(std::string_view word, std::span<const std::string> candidates);

}  // namespace retailpulse
