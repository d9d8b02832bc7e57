// Recategoriser: moves booked sales when a listing changes the category of minutes gone by.
//
// It reads the product's own rows, the finest tier that still has them, and moves their sums
// between two category rows in that tier and all coarser ones. Orders of one line move with them;
// orders of several lines are recounted by OrderMarks.
//
// Thread: role committer, inside a transaction, before the commit's own deltas are folded.
// Limits: one look-up for each minute with sales that the change covers.
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
  Status move(const Recategorised& change, const Seals& seals, RollupRows& rows);

 private:
  Status move_tier(Tier tier, std::int64_t from_us, std::int64_t to_us,
                   const Recategorised& change, RollupRows& rows);
  Status move_pane(Tier tier, std::int64_t pane_us, const Recategorised& change, RollupRows& rows);

  Statement first_;
  Statement panes_;
  Statement rows_;
};

}  // namespace retailpulse
