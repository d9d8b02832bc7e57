// GlobalWatermark: up to which event time the whole shop is complete, as far as one can know.
//
// A partition's own watermark is its greatest accepted event time less `out_of_order`; the shop's
// is the least of its live partitions, because any of them may still bring an older event. It says
// what is final, never what is counted: an event behind it merges into its pane all the same.
//
// Silence is the hard part. A quiet partition must not stop the shop for ever, yet a partition
// that we cannot reach is just as quiet. So a partition is idle only when the source has said
// "your position is the end" and nothing has come or changed for `idle_after`; a slow, starved or
// unreachable partition never said so and holds the watermark. Time alone decides nothing.
// Whoever loses a partition must take the word back with at_end = false (doubt()).
//
// When all are idle there is no minimum left, and neither "stand still" nor "jump to infinity" is
// right. First the watermark rises to the newest event less out_of_order: no reason to wait for
// partitions that have nothing. Beyond that the wall clock closes panes, marked closed_by_wall:
//  - newest event within kLiveWithin of the wall: a live shop gone quiet. The watermark follows
//    the wall, `out_of_order + idle_after` behind, so that "visitors in the last five minutes"
//    falls to none at night; it stands still once the newest event is older than kLiveWithin.
//  - otherwise a replay of old records (or clocks that disagree): the wall says nothing about
//    these events. The watermark goes to the end of the newest event's base pane and no further:
//    the last pane of a replay becomes final, and records appended later are seldom late.
// An event that is later than all this is late, counted and merged like any other.
//
// Thread:     role committer.
// Invariants: (1) value() never decreases; (2) without closed_by_wall it is at most the newest
//             event time less out_of_order; (3) INT64_MIN until every live partition has data,
//             unless a greater value was restored.
// Limits:     one entry for each partition of the process.
// Test:       tests/window/watermark_test.cpp
#pragma once

#include <cstdint>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/epoch.h>
#include <retailpulse/types.h>

#include "base/thread_safety.h"

namespace retailpulse {

class GlobalWatermark {
 public:
  static constexpr Duration kLiveWithin = std::chrono::hours{1};

  // `stored_us`: where the store left it; INT64_MIN for a new store.
  GlobalWatermark(const TimeConfig& time, std::int64_t stored_us);

  void adopt() const RP_ASSERT_CAPABILITY(role_) {}

  // A partition exists from now on; live until shown idle. `max_event_us` as stored.
  void add(PartitionSlot slot, std::int64_t max_event_us) RP_REQUIRES(role_);
  // What an epoch says of its partition. `now` is monotonic.
  void advance(const PartitionAdvance& advance, Duration now) RP_REQUIRES(role_);
  // The source cannot vouch for this partition's end any more (its broker failed, or a transaction
  // holds back what is behind it).
  void doubt(PartitionSlot slot) RP_REQUIRES(role_);
  // The brokers answer again: what was at its end must be quiet for idle_after anew, so that what
  // was written meanwhile can come first.
  void reconnected(Duration now) RP_REQUIRES(role_);
  // Works out idleness and the value at this moment; once for each commit, also without epochs.
  void refresh(Duration now, EventTime wall) RP_REQUIRES(role_);

  // As of the last refresh().
  [[nodiscard]] std::int64_t value() const RP_REQUIRES(role_) { return value_us_; }
  [[nodiscard]] bool closed_by_wall() const RP_REQUIRES(role_) { return closed_by_wall_; }
  [[nodiscard]] const std::vector<PartitionSlot>& idle() const RP_REQUIRES(role_) { return idle_; }
  // A partition's own watermark, for showing skew between producers; INT64_MIN without data.
  [[nodiscard]] std::int64_t of(PartitionSlot slot) const RP_REQUIRES(role_);

 private:
  struct Partition {
    bool known = false;
    bool at_end = false;
    Duration quiet_since{};        // at_end, and nothing came since; only with at_end
    std::int64_t max_event_us = INT64_MIN;
  };

  Partition& partition(PartitionSlot slot) RP_REQUIRES(role_);
  [[nodiscard]] std::int64_t behind(std::int64_t max_event_us) const;
  [[nodiscard]] std::int64_t closed_until(std::int64_t newest_us, EventTime wall) const;
  void raise(std::int64_t to_us) RP_REQUIRES(role_);

  const Duration out_of_order_;
  const Duration idle_after_;
  ThreadRole role_;
  std::vector<Partition> partitions_ RP_GUARDED_BY(role_);  // by slot
  std::vector<PartitionSlot> idle_ RP_GUARDED_BY(role_);
  std::int64_t value_us_ RP_GUARDED_BY(role_);
  bool closed_by_wall_ RP_GUARDED_BY(role_) = false;
};

}  // namespace retailpulse
