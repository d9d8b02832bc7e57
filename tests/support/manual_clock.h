// ManualClock: time that passes when a test says so.
//
// Thread: any; step() and jump_wall() from one thread at a time.
#pragma once

#include <atomic>

#include <retailpulse/clock.h>
#include <retailpulse/types.h>

namespace retailpulse::testing {

class ManualClock final : public Clock {
 public:
  explicit ManualClock(EventTime wall) : wall_us_(to_us(wall)) {}

  [[nodiscard]] Duration monotonic() const override { return Duration{monotonic_us_.load()}; }
  [[nodiscard]] EventTime wall() const override { return from_us(wall_us_.load()); }

  void step(Duration d) {
    monotonic_us_ += d.count();
    wall_us_ += d.count();
  }
  // The wall clock alone is set; a suspend, a time server, a hand.
  void jump_wall(Duration d) { wall_us_ += d.count(); }

 private:
  std::atomic<std::int64_t> monotonic_us_{1'000'000};  // sequentially consistent; stands alone
  std::atomic<std::int64_t> wall_us_;                  // likewise
};

}  // namespace retailpulse::testing
