// Aggregator: folds one lane's events into deltas and cuts them into epochs.
//
// It keeps only what changed since the last epoch; the merged truth lives in the store, so a lane
// restarts with nothing but its partitions' offsets, watermarks and recent ids.
//
// What a record does depends on (record, configuration, its own partition's earlier records)
// alone: never on lanes, batches, the moment of a cut or the wall clock.
//
// One thing depends on what is committed too: whether a record came too late. Between two cuts one
// floor holds, which the commit of the first of them stored (RollupStore::floor_us()): below it no
// tier keeps a pane. Floors only rise and what is below one is gone, so the panes that are kept hold
// every one of their records, whatever the cuts; where a record was counted in one run and refused
// in another, its pane is kept in neither. A listing is never too late: it books nothing.
//
// Thread:     role aggregator.
// Invariants: (1) consecutive epochs of a partition touch: next.begin == previous.next;
//             (2) records == sum of counts, for each advance, checked at every cut;
//             (3) a key has one row, or several when one could not hold its sum.
// Limits:     epoch_due() at kEpochRowsMax rows; one more batch adds at most its own events.
//             Recent ids: window/recent_ids.h, for each partition of the lane.
// Test:       tests/window/aggregator_test.cpp, tests/scenarios/*.txt
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/epoch.h>
#include <retailpulse/event.h>
#include <retailpulse/metrics.h>
#include <retailpulse/window.h>

#include "base/thread_safety.h"
#include "window/delta_keys.h"
#include "window/delta_map.h"
#include "window/recent_ids.h"
#include "window/visitor_panes.h"

namespace retailpulse {

// pane_of() with the last pane remembered: neighbours in a partition share it.
class PaneCache {
 public:
  explicit PaneCache(Tier tier) : width_us_(kTierUs[static_cast<std::size_t>(tier)]) {}
  [[nodiscard]] std::int64_t pane(std::int64_t t_us) {
    // One comparison: a time before begin_us_ wraps to a huge distance.
    if (static_cast<std::uint64_t>(t_us) - static_cast<std::uint64_t>(begin_us_) >=
        static_cast<std::uint64_t>(width_us_)) {
      begin_us_ = pane_of(t_us, width_us_);
    }
    return begin_us_;
  }

 private:
  std::int64_t width_us_;
  std::int64_t begin_us_ = 0;
};

class Aggregator {
 public:
  Aggregator(LaneId lane, const TimeConfig& time, AggregatorMetrics& metrics);

  // Says once, at the root of the thread, that this thread is the aggregator's.
  void adopt() const RP_ASSERT_CAPABILITY(role_) {}

  // Where a partition goes on, before its first batch.
  void restore(PartitionSlot slot, Offset next, std::int64_t max_event_us,
               const std::vector<std::uint64_t>& recent_ids) RP_REQUIRES(role_);
  // Records before this moment are too late from here on. Before the first record, and at a cut.
  void refuse_before(std::int64_t floor_us) RP_REQUIRES(role_);
  // Takes the batch in; its names, listings and rejects are moved out. The caller clears it.
  void fold(EventBatch& batch) RP_REQUIRES(role_);
  // Enough has piled up: cut before the next fold.
  [[nodiscard]] bool epoch_due() const RP_REQUIRES(role_);
  // Nothing was taken in since the last cut, not even a position.
  [[nodiscard]] bool empty() const RP_REQUIRES(role_);
  // Moves out everything since the last cut and begins the next epoch.
  [[nodiscard]] std::unique_ptr<Epoch> cut_epoch() RP_REQUIRES(role_);

 private:
  struct Partition {
    bool known = false;            // restore() was called
    bool touched = false;          // has an advance in the open epoch
    bool at_end = false;           // as its last batch said
    std::int64_t max_event_us = INT64_MIN;
    PartitionAdvance advance;      // of the open epoch
    RecentIds recent;
  };

  Partition& partition(PartitionSlot slot) RP_REQUIRES(role_);
  void fetch_slots(const Event& event) RP_REQUIRES(role_);
  void fetch_row(const Event& event) RP_REQUIRES(role_);
  ProductKey product_key(const Event& event) RP_REQUIRES(role_);
  void touch(Partition& p, PartitionSlot slot) RP_REQUIRES(role_);
  void begin_advance(const Advance& advance) RP_REQUIRES(role_);
  void fold_records(EventBatch& batch) RP_REQUIRES(role_);
  void fold_replays(EventBatch& batch) RP_REQUIRES(role_);
  bool begin_record(const Event& event) RP_REQUIRES(role_);
  [[nodiscard]] bool too_late(const Event& event) const RP_REQUIRES(role_);
  void begin_counted(Partition& p, const Event& event) RP_REQUIRES(role_);
  void fold_event(const Event& event, std::vector<Listing>& listings) RP_REQUIRES(role_);
  void fold_sales(const Event& event) RP_REQUIRES(role_);
  void fold_rating(const Event& event) RP_REQUIRES(role_);
  void mark_visitor(const Event& event) RP_REQUIRES(role_);
  void take_texts(EventBatch& batch) RP_REQUIRES(role_);

  const LaneId lane_;
  const std::int64_t out_of_order_us_;
  AggregatorMetrics& metrics_;
  ThreadRole role_;

  std::vector<Partition> partitions_ RP_GUARDED_BY(role_);       // by slot
  std::vector<PartitionSlot> touched_ RP_GUARDED_BY(role_);      // in order of first appearance
  Epoch open_ RP_GUARDED_BY(role_);                              // texts of the open epoch
  std::uint64_t epochs_ RP_GUARDED_BY(role_) = 0;
  std::int64_t floor_us_ RP_GUARDED_BY(role_) = INT64_MIN;

  DeltaMap<TotalKey> totals_ RP_GUARDED_BY(role_);
  DeltaMap<ProductKey> products_ RP_GUARDED_BY(role_);
  DeltaMap<RatingKey> ratings_ RP_GUARDED_BY(role_);
  DeltaMap<TypeKey> types_ RP_GUARDED_BY(role_);
  VisitorPanes visitors_ RP_GUARDED_BY(role_){kTierUs[static_cast<std::size_t>(Tier::kTenSeconds)]};
  PaneCache ten_seconds_ RP_GUARDED_BY(role_){Tier::kTenSeconds};
  PaneCache minute_ RP_GUARDED_BY(role_){Tier::kMinute};
  std::uint64_t last_visitor_ RP_GUARDED_BY(role_) = 0;          // already marked in last_pane_us_
  std::int64_t last_pane_us_ RP_GUARDED_BY(role_) = 0;
};

}  // namespace retailpulse
