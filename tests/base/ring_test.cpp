#include "base/ring.h"

#include <memory>
#include <string>
#include <thread>

#include "base/signal.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

TEST_CASE("a ring is first in, first out, and says when it is full or empty", "[ring]") {
  Ring<std::string, 4> ring;
  std::string out = "untouched";
  CHECK_FALSE(ring.try_pop(out));
  CHECK(out == "untouched");
  for (const char* text : {"a", "b", "c", "d"}) {
    std::string value = text;
    CHECK(ring.try_push(value));
  }
  CHECK(ring.size_guess() == 4);
  std::string refused = "e";
  CHECK_FALSE(ring.try_push(refused));
  CHECK(refused == "e");
  for (const char* text : {"a", "b"}) {
    REQUIRE(ring.try_pop(out));
    CHECK(out == text);
  }
  CHECK(ring.try_push(refused));
  for (const char* text : {"c", "d", "e"}) {
    REQUIRE(ring.try_pop(out));
    CHECK(out == text);
  }
  CHECK_FALSE(ring.try_pop(out));
  CHECK(ring.size_guess() == 0);
}

TEST_CASE("a ring keeps counting past its capacity many times over", "[ring]") {
  Ring<int, 2> ring;
  for (int i = 0; i < 100'000; ++i) {
    int in = i;
    REQUIRE(ring.try_push(in));
    int out = -1;
    REQUIRE(ring.try_pop(out));
    REQUIRE(out == i);
  }
}

// Two threads that park on signals; nothing is lost, doubled or reordered. Runs under the thread
// sanitizer too.
template <std::size_t Capacity>
void stress(std::uint64_t count) {
  Ring<std::unique_ptr<std::uint64_t>, Capacity> ring;
  Signal pushed, popped;
  constexpr Duration kLong = std::chrono::seconds{10};
  std::thread producer([&] {
    for (std::uint64_t i = 0; i < count; ++i) {
      auto value = std::make_unique<std::uint64_t>(i);
      for (;;) {
        const auto seen = popped.epoch();
        if (ring.try_push(value)) break;
        popped.wait(seen, kLong);
      }
      pushed.raise();
    }
  });
  std::uint64_t wrong = 0;
  for (std::uint64_t i = 0; i < count; ++i) {
    std::unique_ptr<std::uint64_t> value;
    for (;;) {
      const auto seen = pushed.epoch();
      if (ring.try_pop(value)) break;
      pushed.wait(seen, kLong);
    }
    popped.raise();
    if (!value || *value != i) ++wrong;
  }
  producer.join();
  CHECK(wrong == 0);
  std::unique_ptr<std::uint64_t> rest;
  CHECK_FALSE(ring.try_pop(rest));
}

TEST_CASE("ring under stress: two threads, small and large", "[ring][stress]") {
  stress<2>(50'000);
  stress<8>(100'000);
  stress<1024>(200'000);
}

}  // namespace
}  // namespace retailpulse
