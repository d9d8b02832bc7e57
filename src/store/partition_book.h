// PartitionBook: offsets, fingerprints, watermarks, ledger, rejects, gaps, recent ids of partitions.
//
// Thread:     role committer; write() inside a transaction.
// Invariants: (1) next_offset moves only from the value an epoch began with (compare-and-set);
//             (2) consumed == sum of the ledger's buckets, checked in SQL after every write: a
//             ledger that does not balance ends the process.
// Limits:     retention.rejects reject rows; kRecentIdsKept ids for each partition.
#pragma once

#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include <retailpulse/epoch.h>
#include <retailpulse/status.h>
#include <retailpulse/store.h>

#include "store/sqlite.h"

namespace retailpulse {

inline constexpr std::int64_t kRecentIdsKept = 65'536;  // the aggregator's window

class PartitionBook {
 public:
  Status load(Database& db, std::uint32_t rejects_max);
  [[nodiscard]] Result<std::vector<StoredPartition>> partitions(Database& db);
  // The partition goes on in another log, from its `start`; its numbers stay. In a transaction.
  Status begin_log(Database& db, const NewLog& log, std::int64_t wall_us);
  Status bind(PartitionSlot slot, const std::string& topic, std::int32_t partition, Offset start);
  Status write(const Epoch& epoch, Duration out_of_order);
  Status write_gaps(std::span<const GapRow> gaps, std::int64_t wall_us);
  Status write_context(const CommitContext& context);

 private:
  Status write_advance(const PartitionAdvance& advance, Duration out_of_order);
  void bind_fingerprint(const Fingerprint& last);
  Status write_ledger(std::int64_t slot_id, const PartitionAdvance& advance);
  Status write_recent(std::int64_t slot_id, const PartitionAdvance& advance);
  Status write_rejects(const Epoch& epoch);
  Status write_replays(const Epoch& epoch);
  Status add_to_ledger(std::int64_t slot_id, Bucket bucket, Reason reason, std::int64_t records);
  Status check_balance(std::int64_t slot_id);
  [[nodiscard]] std::int64_t slot_id(PartitionSlot slot) const;

  std::vector<std::int64_t> slot_ids_;  // by slot; 0: not bound
  std::unordered_map<std::int64_t, std::int64_t> recent_count_;  // by slot_id
  std::int64_t last_reject_ = 0;
  std::int64_t rejects_max_ = 0;
  Statement insert_;
  Statement find_;
  Statement advance_;
  Statement ledger_;
  Statement balance_;
  Statement leave_;
  Statement emptied_;
  Statement replayed_;
  Statement reject_;
  Statement trim_rejects_;
  Statement recent_;
  Statement trim_recent_;
  Statement gap_;
  Statement halt_;
  Statement idle_;
  Statement end_;
};

}  // namespace retailpulse
