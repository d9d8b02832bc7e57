// Retention: which panes are sealed, and pruning them a little at a time.
//
// A seal is a promise about reading (views and queries ignore rows below it) and about writing (a
// late delta below it goes to the coarser tiers only). So rows may be deleted lazily: each call
// deletes one pane of each table, and a long backlog never makes a long transaction.
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

// The seals that hold at a watermark, never before `old`.
[[nodiscard]] Seals seals_at(std::int64_t watermark_us, const RetentionConfig& retention,
                             const Zone& zone, const Seals& old);

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
