// RollupStore: the merged truth, in one SQLite file. The only writer.
//
// One commit is one transaction {names, rollups, categories, order marks, offsets
// (compare-and-set), watermarks, ledger, rejects, recent ids}. After a crash the file alone says
// where to go on. See src/store/README.md for the tables.
//
// Thread:     role committer.
// Invariants: (1) a partition's next offset moves only with all deltas up to it, and only from the
//             value that the epoch began with; (2) consumed == sum of ledger buckets, per
//             partition, after every commit; (3) category rows of a tier == its product rows
//             grouped by the category in effect at the pane's start.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/epoch.h>
#include <retailpulse/status.h>
#include <retailpulse/types.h>
#include <retailpulse/window.h>

namespace retailpulse {

struct StoredPartition {
  std::string topic;
  std::int32_t partition = 0;
  Offset next = 0;
  std::int64_t max_event_us = INT64_MIN;
  std::vector<std::uint64_t> recent_ids;  // oldest first
};

struct CommitContext {
  std::int64_t watermark_us = INT64_MIN;  // global; never decreases
  std::int64_t wall_us = 0;
  Duration out_of_order{};                // a partition's watermark is its newest event less this
  bool closed_by_wall = false;            // all partitions idle: panes close by the wall clock
  std::vector<PartitionSlot> idle;        // partitions left out of the watermark
  std::vector<std::pair<PartitionSlot, Offset>> end_offsets;  // last known, for lag
};

struct GapRow {                           // records that Kafka no longer had when we came
  PartitionSlot slot{};
  Offset from = 0;
  Offset to = 0;
};

struct CommitReport {
  std::uint64_t frame = 0;                // number of this commit, shown with every answer
  std::uint64_t rows_written = 0;
  Duration took{};
};

struct StoreOptions {
  StoreConfig config;
  std::string zone;                       // IANA name; must equal the file's once it has rows
  bool throw_away = false;                // demo: a new file each time
};

class RollupStore {
 public:
  virtual ~RollupStore() = default;
  [[nodiscard]] virtual const std::string& path() const = 0;
  [[nodiscard]] virtual const std::string& zone() const = 0;
  // What the file knows of every partition it has ever committed.
  [[nodiscard]] virtual Result<std::vector<StoredPartition>> partitions() = 0;
  [[nodiscard]] virtual std::int64_t watermark_us() const = 0;
  // Gives a slot its row; a new partition starts at `start`. Before the slot's first epoch.
  virtual Status bind(PartitionSlot slot, const std::string& topic, std::int32_t partition,
                      Offset start) = 0;
  // Commits the epochs of one cycle (any number of lanes) or nothing at all. kStorage and
  // kCorrupt are final for this process; kBusy may be tried again with the same arguments.
  virtual Result<CommitReport> commit(std::span<const Epoch* const> epochs,
                                      std::span<const GapRow> gaps, const CommitContext& context) = 0;
  // Prunes sealed panes a chunk at a time and checkpoints the WAL; cheap when nothing is due.
  virtual Status maintain() = 0;
  // Truncates the WAL; the store is not used afterwards.
  virtual Status close() = 0;
};

// Opens or creates DIR/retailpulse.db and takes the one-process lock (kBusy when held).
[[nodiscard]] Result<std::unique_ptr<RollupStore>> open_store(const StoreOptions& options);

// "SQLite 3.54.1"
[[nodiscard]] std::string store_library_version();

}  // namespace retailpulse
