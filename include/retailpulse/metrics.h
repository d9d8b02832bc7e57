// Metrics: what the running process can say about itself that the store cannot.
//
// One cache line group for each writing role; plain relaxed atomics, because each number stands
// alone: nothing is concluded from two of them together.
//
// Thread: any. Each counter has one writing role, named at its group.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <retailpulse/types.h>

namespace retailpulse {

class Counter {
 public:
  void add(std::uint64_t n = 1) { value_.fetch_add(n, std::memory_order_relaxed); }
  void set(std::uint64_t n) { value_.store(n, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};  // relaxed: pairs with nothing
};

// Durations in buckets of powers of two of a microsecond: bucket i holds [2^i, 2^(i+1)).
class DurationHistogram {
 public:
  static constexpr std::size_t kBucketCount = 32;
  void record(Duration d);                       // base/metrics.cpp
  [[nodiscard]] std::uint64_t count() const { return count_.get(); }
  [[nodiscard]] std::uint64_t sum_us() const { return sum_us_.get(); }
  [[nodiscard]] std::uint64_t bucket(std::size_t i) const { return buckets_[i].get(); }

 private:
  std::array<Counter, kBucketCount> buckets_;
  Counter count_;
  Counter sum_us_;
};

// Each stage counts the turns of its loop, also while it waits: a count that does not move is a
// stage that stands still (app/stage_watch.h). 0: not begun; kEnded: over.
inline constexpr std::uint64_t kEnded = UINT64_MAX;

struct alignas(kCacheLineBytes) MainMetrics {  // role main
  Counter turns;
};

struct alignas(kCacheLineBytes) ConsumerMetrics {  // role consumer, one for each lane
  Counter turns;
  Counter messages;
  Counter bytes;
  Counter redelivered;       // records given twice by the client, dropped before the ledger
  Counter money_rounded;     // amounts with more than six decimals, rounded half to even
  Counter names_capped;      // texts beyond their dimension's cap
  Counter ring_full_waits;   // back-pressure: times the consumer waited for a free batch
};

struct alignas(kCacheLineBytes) AggregatorMetrics {  // role aggregator, one for each lane
  Counter turns;
  Counter events;
  Counter batches;
  Counter ring_depth;
};

struct alignas(kCacheLineBytes) CommitMetrics {  // role committer
  Counter turns;
  Counter commits;
  Counter rows;
  DurationHistogram commit_took;
  DurationHistogram event_to_commit;  // newest Kafka timestamp of an epoch -> committed
};

struct alignas(kCacheLineBytes) HttpMetrics {  // role http
  Counter requests;
  Counter refused;
  Counter sse_clients;
  Counter frames;
  DurationHistogram took;    // request read -> answer sent; without streams
};

struct Metrics {
  explicit Metrics(std::size_t lanes) : consumers(lanes), aggregators(lanes) {}
  MainMetrics main;
  std::vector<ConsumerMetrics> consumers;
  std::vector<AggregatorMetrics> aggregators;
  CommitMetrics commit;
  HttpMetrics http;

  // Every stage of the pipeline by the name of its thread, "rp-agg-0", with its turns.
  struct Stage {
    std::string name;
    const Counter* turns = nullptr;
  };
  [[nodiscard]] std::vector<Stage> stages() const;
};

}  // namespace retailpulse
