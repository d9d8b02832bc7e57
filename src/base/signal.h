// Signal: lets one thread sleep until another says "look again". Never spins.
//
// On two cores a spinning thread steals the core that would end its wait. A futex with a timeout
// (std::atomic::wait has none): raise() costs one atomic add while nobody sleeps.
//
// Use:    const auto seen = signal.epoch(); if (nothing to do) signal.wait(seen, timeout);
//         Reading the epoch *before* looking makes a raise() between the two a wake-up, not a loss.
// Thread: any.
#pragma once

#include <atomic>
#include <cstdint>

#include <retailpulse/types.h>

namespace retailpulse {

class Signal {
 public:
  [[nodiscard]] std::uint32_t epoch() const { return word_.load(std::memory_order_acquire); }
  void raise();
  // Returns when the epoch is no longer `seen` or the timeout has passed; may also return early.
  void wait(std::uint32_t seen, Duration timeout);

 private:
  std::atomic<std::uint32_t> word_{0};     // release in raise() pairs with acquire in epoch()
  std::atomic<std::uint32_t> sleepers_{0}; // sequentially consistent with word_: no lost wake-up
};

}  // namespace retailpulse
