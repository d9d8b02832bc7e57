// Recategoriser: moves booked sales when a listing changes the category of minutes gone by.
//
// It reads the product's own rows, the finest tier that still has them, and moves their sums
// between two category rows in that tier and all coarser ones. Orders of one line move with them;
// orders of several lines are recounted by OrderMarks. Rows are found from above: a day's row of
// the product says in which half hours it was sold, a quarter's row in which minutes.
//
// Thread: role committer, inside a transaction, before the commit's own deltas are folded.
// Limits: look-ups for a change: each day with sales of the shop, two for each half hour and one
//         for each minute with sales of the product.
// Test:   tests/store/recategorise_test.cpp, tests/store_twin_test.cpp, bench/listing_bench.cpp
#pragma once

#include <cstdint>
#include <vector>

#include <retailpulse/status.h>

#include "store/catalog.h"
#include "store/rollup_rows.h"
#include "store/seals.h"
#include "store/sqlite.h"

namespace retailpulse {

class Recategoriser {
 public:
  Status load(Database& db);
  // `seals`: those of the commit before, whose rows are all still there. The change begins and ends
  // where whole panes do (next_kept, last_kept).
  Status move(const Recategorised& change, const Seals& seals, RollupRows& rows);

  [[nodiscard]] std::uint64_t look_ups() const { return look_ups_; }  // so far

 private:
  using Panes = std::vector<std::int64_t>;

  Status move_tier(Tier tier, std::int64_t from_us, std::int64_t to_us,
                   const Recategorised& change, RollupRows& rows);
  Status move_pane(Tier tier, std::int64_t pane_us, const Recategorised& change, RollupRows& rows);
  // The panes in [from_us, to_us) in which the product was sold under its listing; of days, all in
  // which anything was sold.
  Result<Panes> panes(Tier tier, std::int64_t from_us, std::int64_t to_us, std::int64_t product,
                      RollupRows& rows);
  Result<Panes> days(std::int64_t from_us, std::int64_t to_us);
  Status add_parts(Tier tier, std::int64_t pane_us, std::int64_t product, const RollupRows& rows,
                   Panes& panes);

  Statement first_;
  Statement days_;
  Statement sold_;
  Statement rows_;
  std::uint64_t look_ups_ = 0;
};

}  // namespace retailpulse
