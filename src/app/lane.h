// Lane: one consumer thread, one ring, one aggregator thread; a share of the partitions.
//
//   Kafka -> [consumer: source, decoder] -> ring of batches -> [aggregator] -> ring of epochs
//
// Lanes meet only at the committer, which *asks* for epochs: a lane never queues deltas, it goes
// on folding into the ones it has. When they are too many, or the ring of batches is full, the
// stage before simply waits: back-pressure reaches librdkafka's bounded queue and stops fetching.
//
// Thread:     start, add, stop_reading, join: role main. request_epoch, take_epoch, source: role
//             committer. replay: any. The two loops own everything else.
// Invariants: after stop_reading() the lane still hands over every record that it took; its last
//             epoch bears `last`.
// Limits:     kBatches batches of events (event.h) and kEpochRowsMax rows.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/decoder.h>
#include <retailpulse/epoch.h>
#include <retailpulse/event.h>
#include <retailpulse/metrics.h>
#include <retailpulse/source.h>

#include "app/replay_builder.h"
#include "base/ring.h"
#include "base/signal.h"
#include "base/thread_safety.h"
#include "window/aggregator.h"

namespace retailpulse {

struct LanePartition {
  PartitionStart start;
  const StreamConfig* stream = nullptr;  // outlives the lane
  SlotStart restored;
};

class Lane {
 public:
  // `committer` is raised when an epoch is ready or due. Source and decoder are the lane's own.
  Lane(LaneId id, const TimeConfig& time, std::unique_ptr<Source> source,
       std::unique_ptr<Decoder> decoder, Metrics& metrics, Signal& committer);
  ~Lane();

  void add(std::vector<LanePartition> partitions) RP_EXCLUDES(inbox_mutex_);
  // Decodes rejected records of this lane's partitions again; each comes back in an epoch. Any
  // thread; after add() of their partitions.
  void replay(std::vector<ReplayOrder> orders) RP_EXCLUDES(inbox_mutex_);
  // Records before `floor_us` are too late. `failed` is called once, from the consumer thread, when
  // the source cannot go on.
  void start(std::int64_t floor_us, std::function<void(const Status&)> failed);
  void stop_reading();
  void join();

  [[nodiscard]] LaneId id() const { return id_; }
  [[nodiscard]] Source& source() { return *source_; }
  // From the cut of this epoch on, records before `floor_us` are too late.
  void request_epoch(std::int64_t floor_us);
  // False: not ready yet.
  [[nodiscard]] bool take_epoch(std::unique_ptr<Epoch>& epoch);
  [[nodiscard]] bool epoch_due() const { return due_.load(std::memory_order_acquire); }
  // Every partition that was read stood at its end when last heard of.
  [[nodiscard]] bool caught_up() const { return caught_up_.load(std::memory_order_acquire); }

 private:
  static constexpr std::size_t kBatches = 8;
  using BatchPtr = std::unique_ptr<EventBatch>;

  void consume();
  void aggregate();
  void take_inbox(EventBatch& batch) RP_EXCLUDES(inbox_mutex_);
  // True when `batch` holds replays now, and is to be pushed as it is.
  bool take_replays(EventBatch& batch) RP_EXCLUDES(inbox_mutex_);
  void push(BatchPtr& batch);
  [[nodiscard]] BatchPtr free_batch();
  bool fold_next(Aggregator& aggregator);
  bool hand_over(Aggregator& aggregator, bool last);

  const LaneId id_;
  const TimeConfig& time_;
  std::unique_ptr<Source> source_;
  std::unique_ptr<Decoder> decoder_;
  ConsumerMetrics& consumer_metrics_;
  AggregatorMetrics& aggregator_metrics_;
  Signal& committer_;
  std::function<void(const Status&)> failed_;

  Mutex inbox_mutex_;
  std::vector<LanePartition> inbox_ RP_GUARDED_BY(inbox_mutex_);
  std::vector<ReplayOrder> replays_ RP_GUARDED_BY(inbox_mutex_);  // kReplayMax at most

  Ring<BatchPtr, kBatches> batches_;   // consumer -> aggregator
  Ring<BatchPtr, kBatches> free_;      // aggregator -> consumer
  Ring<std::unique_ptr<Epoch>, 2> epochs_;  // aggregator -> committer
  Signal work_;                        // for the aggregator: a batch, a request, the end
  Signal space_;                       // for the consumer: a free batch

  std::atomic<bool> stop_{false};            // main -> consumer; relaxed, polled
  std::atomic<bool> consumed_{false};        // consumer -> aggregator; release/acquire: after the last push
  std::atomic<std::int64_t> floor_us_{INT64_MIN};  // committer -> aggregator; written before wanted_
  std::atomic<std::uint64_t> wanted_{0};     // committer -> aggregator; release/acquire with work_
  std::atomic<bool> due_{false};             // aggregator -> committer; release/acquire
  std::atomic<bool> caught_up_{false};       // aggregator -> committer; release/acquire
  std::vector<bool> at_end_;                 // by slot; the aggregator's own
  std::thread consumer_thread_;
  std::thread aggregator_thread_;
};

}  // namespace retailpulse
