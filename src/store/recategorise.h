// Recategoriser: moves booked sales when a listing changes the category of minutes gone by.
//
// It reads the product's own rows, the finest tier that still has them, and moves their sums
// between two category rows in that tier and all coarser ones. Orders of one line move with them;
// orders of several lines are recounted by OrderMarks. A pane of a coarse tier moves only when the
// change covers all of it.
//
// Thread: role committer, inside a transaction, before the commit's own deltas are folded.
// Limits: one look-up for each minute with sales that the change covers.
// Test:   tests/store/recategorise_test.cpp, tests/store_twin_test.cpp
#pragma once

#include <cstdint>

#include <retailpulse/status.h>

#include "store/catalog.h"
#include "store/rollup_rows.h"
#include "store/sqlite.h"

namespace retailpulse {

class Recategoriser {
 public:
  Status load(Database& db);
  // `seals`: those of this commit. Finer rows below them may still be there, but a backlog of a year
  // in one commit has half a million minutes, and each listing would look at all of them.
  Status move(const Recategorised& change, const Seals& seals, RollupRows& rows);

 private:
  static std::int64_t first_pane(Tier tier, const Recategorised& change, std::int64_t first_us,
                                 RollupRows& rows);
  Status move_tier(Tier tier, std::int64_t from_us, std::int64_t to_us,
                   const Recategorised& change, RollupRows& rows);
  Status move_pane(Tier tier, std::int64_t pane_us, const Recategorised& change, RollupRows& rows);

  Statement first_;
  Statement panes_;
  Statement rows_;
};

}  // namespace retailpulse
