#include "base/signal.h"

#include <atomic>
#include <chrono>
#include <thread>

#include <retailpulse/clock.h>

#include "support/catch.h"

namespace retailpulse {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST_CASE("a raise between looking and waiting is a wake-up, not a loss", "[signal]") {
  Signal signal;
  const auto seen = signal.epoch();
  signal.raise();
  const Duration before = system_clock().monotonic();
  signal.wait(seen, seconds{30});
  CHECK(system_clock().monotonic() - before < seconds{10});
}

TEST_CASE("a wait ends at its timeout; none or less does not wait at all", "[signal]") {
  Signal signal;
  const Duration before = system_clock().monotonic();
  signal.wait(signal.epoch(), Duration::zero());
  signal.wait(signal.epoch(), Duration{-1});
  signal.wait(signal.epoch(), milliseconds{20});
  CHECK(system_clock().monotonic() - before < seconds{10});
}

TEST_CASE("raise wakes every sleeper", "[signal]") {
  Signal signal;
  std::atomic<int> asleep{0};
  std::atomic<int> awake{0};
  std::vector<std::thread> sleepers;
  for (int i = 0; i < 4; ++i) {
    sleepers.emplace_back([&] {
      const auto seen = signal.epoch();
      ++asleep;
      while (signal.epoch() == seen) signal.wait(seen, seconds{30});
      ++awake;
    });
  }
  while (asleep != 4) std::this_thread::yield();
  signal.raise();
  for (auto& thread : sleepers) thread.join();
  CHECK(awake == 4);
}

TEST_CASE("ping and pong never miss each other", "[signal][stress]") {
  Signal ping, pong;
  std::atomic<int> turns{0};
  constexpr int kTurns = 20'000;
  const auto play = [&turns](Signal& mine, Signal& other, int parity) {
    for (;;) {
      const auto seen = mine.epoch();
      const int now = turns.load();
      if (now >= kTurns) return;
      if (now % 2 == parity) {
        ++turns;
        other.raise();
      } else {
        mine.wait(seen, seconds{30});
      }
    }
  };
  const Duration before = system_clock().monotonic();
  std::thread other([&] { play(pong, ping, 1); });
  play(ping, pong, 0);
  pong.raise();
  other.join();
  CHECK(turns == kTurns);
  CHECK(system_clock().monotonic() - before < seconds{25});  // one lost wake-up costs 30 s
}

}  // namespace
}  // namespace retailpulse
