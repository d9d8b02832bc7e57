// SqliteRollupStore: the RollupStore over SQLite, its members and what they keep of the file.
//
// rollup_store.cpp makes one transaction of a commit, rollup_store_open.cpp opens the file. What is
// in memory is what the file holds; after a failed transaction it is read again before the next.
//
// Thread:     role committer.
// Invariants: after a final failure nothing is written any more.
// Test:       tests/store/*_test.cpp, tests/store_twin_test.cpp
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <retailpulse/store.h>

#include "base/zone.h"
#include "store/catalog.h"
#include "store/names.h"
#include "store/order_marks.h"
#include "store/partition_book.h"
#include "store/process_lock.h"
#include "store/recategorise.h"
#include "store/retention.h"
#include "store/rollup_rows.h"
#include "store/row_writer.h"
#include "store/sqlite.h"
#include "store/store_folder.h"

namespace retailpulse {

inline constexpr int kPatienceMs = 1000;  // for a lock of others; the committer tries again

class SqliteRollupStore final : public RollupStore {
 public:
  SqliteRollupStore(ProcessLock lock, Database db, Zone zone, StoreOptions options, std::string path)
      : lock_(std::move(lock)), db_(std::move(db)), zone_(std::move(zone)),
        options_(std::move(options)), path_(std::move(path)), rows_(names_, catalog_, zone_) {}

  Status load(const std::string& lock_path);

  const std::string& path() const override { return path_; }
  const std::string& zone() const override { return zone_.name(); }
  std::int64_t watermark_us() const override { return watermark_us_; }
  std::int64_t floor_us() const override { return floor_of(seals_, zone_); }
  std::int64_t next_floor_us() const override {
    return floor_of(seals_at({watermark_us_, INT64_MIN}, options_.config.retention, zone_, seals_),
                    zone_);
  }
  const std::vector<std::string>& setting_changes() const override { return setting_changes_; }
  Result<std::vector<StoredPartition>> partitions() override { return book_.partitions(db_); }
  const std::string& cluster_id() const override { return cluster_id_; }
  Status move_to_cluster(const std::string& id) override;
  Status begin_logs(std::span<const NewLog> logs) override;
  Status bind(PartitionSlot slot, const std::string& topic, std::int32_t partition,
              Offset start) override;
  Result<CommitReport> commit(std::span<const Epoch* const> epochs, std::span<const GapRow> gaps,
                              const CommitContext& context) override;
  Status maintain() override;
  Status close() override;

 private:
  Status load_zone();
  Status note_calendar();
  Status load_clock();
  Status check_after_crash(bool crashed);
  // Before anything is written: the files are ours, and memory holds what they hold.
  Status get_ready();
  // Passes a failure on; after a final one nothing is written any more.
  Status noted(Status failure);
  Status empty_wal();
  Result<std::int64_t> write_all(std::span<const Epoch* const> epochs, std::span<const GapRow> gaps,
                                 const CommitContext& context, const Seals& seals);
  Status write_partitions(std::span<const Epoch* const> epochs, const CommitContext& context);
  Status take_listings(std::span<const Epoch* const> epochs);
  [[nodiscard]] ListingRow listing_row(LaneId lane, const Listing& l) const;
  Status take_listing(const ListingRow& row, OrderMarks::ListedLines& lines);
  Status write_clock(const CommitContext& context, const Seals& seals);
  // Ends a failed transaction. What is in memory is read again before the next one.
  Status rolled_back(Status cause);

  ProcessLock lock_;
  FileWatch watch_;
  Database db_;
  Status final_;               // the first failure that no further try can mend
  bool stale_ = false;         // memory may hold what was rolled back
  bool waits_ = false;         // for room or a lock
  Duration next_wait_{};       // for readers
  int moved_pages_ = 0;        // of the log, into the file
  Zone zone_;
  StoreOptions options_;
  std::string path_;
  Names names_;
  Catalog catalog_;
  OrderMarks orders_;
  PartitionBook book_;
  Recategoriser recategoriser_;
  RollupRows rows_;
  RowWriter writer_;
  Retention retention_;
  Statement clock_;
  Seals seals_;
  std::string cluster_id_;
  std::uint64_t frame_ = 0;
  std::int64_t watermark_us_ = INT64_MIN;
  std::int64_t newest_event_us_ = INT64_MIN;
  int order_part_ = 0;
  std::vector<std::string> setting_changes_;
};

}  // namespace retailpulse
