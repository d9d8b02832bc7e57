// Ring: a bounded queue between exactly one pushing and one popping thread. Lock-free.
//
// Lamport's queue with cached opposite indices (as in rigtorp/SPSCQueue and folly's
// ProducerConsumerQueue): a side touches the other's cache line only when its cached copy says
// full or empty. It never waits: who finds it full or empty parks on a Signal (base/signal.h).
//
// Thread:     try_push: the one producer; try_pop: the one consumer; size_guess: any.
// Invariants: head_ <= tail_ <= head_ + capacity; slots in [head_, tail_) hold values.
// Limits:     capacity is a power of two, chosen at compile time.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <utility>

#include <retailpulse/types.h>

namespace retailpulse {

template <class T, std::size_t Capacity>
class Ring {
  static_assert(Capacity >= 2 && (Capacity & (Capacity - 1)) == 0, "a power of two, at least 2");

 public:
  // False when full; `value` is then untouched.
  [[nodiscard]] bool try_push(T& value) {
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    if (tail - head_seen_ == Capacity) {
      head_seen_ = head_.load(std::memory_order_acquire);  // pairs with try_pop's release
      if (tail - head_seen_ == Capacity) return false;
    }
    slots_[tail & (Capacity - 1)] = std::move(value);
    tail_.store(tail + 1, std::memory_order_release);      // pairs with try_pop's acquire
    return true;
  }

  // False when empty; `value` is then untouched.
  [[nodiscard]] bool try_pop(T& value) {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    if (head == tail_seen_) {
      tail_seen_ = tail_.load(std::memory_order_acquire);  // pairs with try_push's release
      if (head == tail_seen_) return false;
    }
    value = std::move(slots_[head & (Capacity - 1)]);
    head_.store(head + 1, std::memory_order_release);      // pairs with try_push's acquire
    return true;
  }

  // Between 0 and Capacity; may be out of date by the time it returns.
  [[nodiscard]] std::size_t size_guess() const {
    const std::size_t head = head_.load(std::memory_order_relaxed);
    const std::size_t tail = tail_.load(std::memory_order_relaxed);
    return tail > head ? tail - head : 0;
  }

 private:
  alignas(kCacheLineBytes) std::atomic<std::size_t> tail_{0};  // written by the producer
  std::size_t head_seen_ = 0;                                  // the producer's copy of head_
  alignas(kCacheLineBytes) std::atomic<std::size_t> head_{0};  // written by the consumer
  std::size_t tail_seen_ = 0;                                  // the consumer's copy of tail_
  alignas(kCacheLineBytes) std::array<T, Capacity> slots_{};
};

}  // namespace retailpulse
