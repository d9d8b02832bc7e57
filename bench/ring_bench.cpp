// The ring between two threads against a mutex and a deque, both parked on the same Signal.
//
// A lane hands over batches of thousands of events, so a hand-over may cost a microsecond unseen;
// this shows what it does cost. Every run checks the sum of what came out.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>

#include "base/ring.h"
#include "base/signal.h"

namespace retailpulse {
namespace {

constexpr std::size_t kCapacity = 1024;
constexpr std::uint64_t kItems = 1'000'000;
constexpr Duration kParkedAtMost = std::chrono::seconds{1};

// What the ring is measured against.
class LockedQueue {
 public:
  bool try_push(std::uint64_t& value) {
    const std::lock_guard lock(mutex_);
    if (queue_.size() == kCapacity) return false;
    queue_.push_back(value);
    return true;
  }
  bool try_pop(std::uint64_t& value) {
    const std::lock_guard lock(mutex_);
    if (queue_.empty()) return false;
    value = queue_.front();
    queue_.pop_front();
    return true;
  }

 private:
  std::mutex mutex_;
  std::deque<std::uint64_t> queue_;
};

// Pushes 1..kItems from another thread and returns the sum of what was popped. The other side is
// told at most once for `batch` items, as batches are told of once.
template <class Queue>
std::uint64_t hand_over(Queue& queue, std::uint64_t batch) {
  Signal pushed, popped;
  std::thread producer([&] {
    for (std::uint64_t i = 1; i <= kItems; ++i) {
      std::uint64_t value = i;
      for (;;) {
        const auto seen = popped.epoch();
        if (queue.try_push(value)) break;
        pushed.raise();
        popped.wait(seen, kParkedAtMost);
      }
      if (i % batch == 0) pushed.raise();
    }
    pushed.raise();
  });
  std::uint64_t sum = 0;
  for (std::uint64_t i = 1; i <= kItems; ++i) {
    std::uint64_t value = 0;
    for (;;) {
      const auto seen = pushed.epoch();
      if (queue.try_pop(value)) break;
      popped.raise();
      pushed.wait(seen, kParkedAtMost);
    }
    sum += value;
    if (i % batch == 0) popped.raise();
  }
  producer.join();
  return sum;
}

template <class Queue>
void queue(benchmark::State& state) {
  const auto batch = static_cast<std::uint64_t>(state.range(0));
  for (auto _ : state) {
    auto fresh = std::make_unique<Queue>();
    if (hand_over(*fresh, batch) != kItems * (kItems + 1) / 2) {
      state.SkipWithError("the sum of what came out is wrong");
    }
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kItems));
}

using SpscRing = Ring<std::uint64_t, kCapacity>;
void settings(benchmark::internal::Benchmark* bench) {
  bench->Arg(1)->Arg(32)->Arg(256)->UseRealTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_TEMPLATE(queue, SpscRing)->Apply(settings);
BENCHMARK_TEMPLATE(queue, LockedQueue)->Apply(settings);

}  // namespace
}  // namespace retailpulse

int main(int argc, char** argv) {
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
