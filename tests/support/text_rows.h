// Text rows: how the slow twins and a store under test write their tables so as to be compared.
//
//   totals|1m|2026-01-01T10:00:00Z|EUR|orders=1|lines=2|units=2.000|gross=3.50|refunds=0.00
//
// Absent texts are written as the store shows them: "(unknown)" for a category, else "(none)".
//
// Thread: any. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/epoch.h>
#include <retailpulse/window.h>

#include "base/hll.h"
#include "base/zone.h"

namespace retailpulse::testing {

using Rows = std::vector<std::string>;

// What one partition's records came to.
struct PartitionCounts {
  std::uint64_t records = 0;
  std::array<std::uint64_t, kBuckets> counts{};
  std::array<std::uint64_t, kReasons> rejected{};
  std::uint64_t late = 0;
  std::uint64_t future = 0;
  std::int64_t max_event_us = INT64_MIN;
};

struct RatingSum {
  std::int64_t ratings = 0;
  std::int64_t sum_milli = 0;
  std::array<std::int64_t, 5> stars{};
};

[[nodiscard]] std::string time_text(std::int64_t us);  // with a fraction when there is one
[[nodiscard]] std::string pane_text(Tier tier, std::int64_t pane_us);  // the day tier's: a date
[[nodiscard]] std::string shown(std::string_view text, std::string_view absent);
[[nodiscard]] std::string sales_text(const Sales& sales);
[[nodiscard]] std::string rating_text(const RatingSum& sum);
[[nodiscard]] std::string visitors_text(const Hll& hll);             // a digest of all registers
// "ledger|..." rows of one partition.
void append_ledger(Rows& rows, std::uint32_t partition, const PartitionCounts& counts);

// The zone of a test; UTC for "", so that no test depends on its machine.
[[nodiscard]] Zone zone_named(const std::string& name);
// The pane of a moment in a tier; the day tier's is its civil day in `zone`.
[[nodiscard]] std::int64_t pane_in(Tier tier, std::int64_t t_us, const Zone& zone);

// Only the rows that begin with `prefix`.
[[nodiscard]] Rows only(const Rows& rows, std::string_view prefix);
// The first few lines that one has and the other has not; empty when equal. For INFO.
[[nodiscard]] std::string difference(const Rows& expected, const Rows& actual);

}  // namespace retailpulse::testing
