// Retention: which panes are sealed, and pruning them a little at a time.
//
// A seal is a promise about reading (views and queries ignore rows below it) and about writing (a
// late delta below it goes to the coarser tiers only). So rows may be deleted lazily: each call
// deletes one pane of each table, and a long backlog never makes a long transaction.
//
// Below the seal of days nothing is left to go to: such a record is too late, which its lane has to
// say, as only a lane sees records. So this seal follows the watermark of the commit *before*: it is
// known when the lanes are asked for their epochs, and from their cut on they judge by it. A record
// that was counted under the seal before it lies in a day that still has all of its rows.
//
// Thread:     role committer.
// Invariants: seals never go back; each is aligned to the next coarser tier.
#pragma once

#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/status.h>

#include "base/zone.h"
#include "store/rollup_rows.h"
#include "store/sqlite.h"

namespace retailpulse {

struct Watermarks {
  std::int64_t committed_us = INT64_MIN;  // by the commit before
  std::int64_t now_us = INT64_MIN;
};

// The seals that hold at a watermark, never before `old`.
[[nodiscard]] Seals seals_at(const Watermarks& at, const RetentionConfig& retention,
                             const Zone& zone, const Seals& old);

// The first moment that some tier still keeps; INT64_MIN: all of them.
[[nodiscard]] std::int64_t floor_of(const Seals& seals, const Zone& zone);

class Retention {
 public:
  Status load(Database& db);
  // Deletes the oldest sealed pane of each table and tier; the number of rows that went.
  [[nodiscard]] Result<std::int64_t> prune_some(const Seals& seals);

 private:
  struct Table {
    std::size_t tier;
    Statement oldest;
    Statement remove;
  };
  std::vector<Table> tables_;
};

}  // namespace retailpulse
