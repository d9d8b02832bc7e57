// RollupStore: the merged truth, in one SQLite file. The only writer.
//
// One commit is one transaction {names, rollups, categories, order marks, offsets
// (compare-and-set), fingerprints, watermarks, ledger, rejects, recent ids}. After a crash the file alone says
// where to go on. See src/store/README.md for the tables.
//
// Thread:     role committer.
// Invariants: (1) a partition's next offset moves only with all deltas up to it, and only from the
//             value that the epoch began with; (2) consumed == sum of ledger buckets, per
//             partition, after every commit; (3) category rows of every tier == the product's
//             sales grouped by the category that the catalogue gives for the minute of the sale;
//             (4) no row of a sealed pane is made anew: lanes refuse what is older than
//             floor_us(), see window/aggregator.h.
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
  Fingerprint last;                       // the last record read below `next`
  std::string halted;                     // why nothing more was read from its log; "" if it was
};

struct CommitContext {
  std::int64_t watermark_us = INT64_MIN;  // global; never decreases
  std::int64_t wall_us = 0;
  Duration out_of_order{};                // a partition's watermark is its newest event less this
  bool closed_by_wall = false;            // all partitions idle: panes close by the wall clock
  std::vector<PartitionSlot> idle;        // partitions left out of the watermark
  std::vector<std::pair<PartitionSlot, Offset>> end_offsets;  // last known, for lag
  std::vector<std::pair<PartitionSlot, std::string>> halted;  // by this process, and why
  std::string cluster_id;                 // "" when not known; the first one stays
};

struct GapRow {                           // records that Kafka no longer had when we came
  PartitionSlot slot{};
  Offset from = 0;
  Offset to = 0;
};

struct NewLog {                           // a person said: this log is the topic's now
  std::string topic;
  std::int32_t partition = 0;
  Offset start = 0;
};

struct CommitReport {
  std::uint64_t frame = 0;                // number of this commit, shown with every answer
  std::uint64_t rows_written = 0;
  Duration took{};
};

struct Setting {                          // one that decides what stored numbers mean
  std::string name;
  std::string value;                      // as text, the same for the same meaning
  std::string topic;                      // whose numbers; empty: all
  bool fixed = false;                     // may not change once the topic has numbers
};

struct StoreOptions {
  StoreConfig config;
  std::vector<Setting> settings;          // recorded with the time of each change
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
  // Records older than this came too late: every tier has sealed their pane. As the last commit
  // stored it, and as the next one will: that follows from what is committed alone, so the lanes
  // are told with the request for the epochs of that commit and no record slips in between.
  [[nodiscard]] virtual std::int64_t floor_us() const = 0;
  [[nodiscard]] virtual std::int64_t next_floor_us() const = 0;
  // The cluster whose records these numbers are; "" when none was committed or it had no id.
  [[nodiscard]] virtual const std::string& cluster_id() const = 0;
  // The shop moved: commits are of this cluster from now on.
  virtual Status move_to_cluster(const std::string& id) = 0;
  // Partitions go on in other logs, with their old numbers. Before bind() of any of them.
  virtual Status begin_logs(std::span<const NewLog> logs) = 0;
  // Sentences about settings that are others than when the file was open last.
  [[nodiscard]] virtual const std::vector<std::string>& setting_changes() const = 0;
  // Gives a slot its row; a new partition starts at `start`. Before the slot's first epoch.
  virtual Status bind(PartitionSlot slot, const std::string& topic, std::int32_t partition,
                      Offset start) = 0;
  // Commits the epochs of one cycle (any number of lanes) or nothing at all. It may be tried again
  // with the same arguments: after kBusy (a lock, no room, a read-only disk) for ever, after
  // kUnavailable (an I/O error, no memory) a few times. Anything else is final for this process:
  // nothing is written any more. The same holds for bind() and maintain().
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
