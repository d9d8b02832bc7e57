#include "window/watermark.h"

#include <memory>
#include <random>

#include <retailpulse/window.h>

#include "support/catch.h"
#include "support/event_builder.h"
#include "support/manual_clock.h"
#include "support/text_rows.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

// Partitions of a shop whose clocks a test moves by hand. out_of_order and idle_after are 5 s.
class Shop {
 public:
  explicit Shop(std::uint32_t partitions, std::string_view wall = "10:00:00",
                std::int64_t stored = INT64_MIN)
      : clock_(utc(wall)), watermark_(TimeConfig{}, stored) {
    watermark_.adopt();
    for (std::uint32_t p = 0; p < partitions; ++p) add(p);
  }

  void add(std::uint32_t p, std::int64_t max_event_us = INT64_MIN) {
    watermark_.adopt();
    watermark_.add(PartitionSlot{p}, max_event_us);
    newest_.resize(p + 1, max_event_us);
    next_.resize(p + 1, 0);
  }
  enum class End : std::uint8_t { kReached, kNotReached };
  // A record of partition `p`; the position may then be the end.
  void record(std::uint32_t p, EventTime time, End end = End::kNotReached) {
    newest_[p] = std::max(newest_[p], to_us(time));
    advance(p, 1, end);
  }
  // The source says that the position is (still) the end, or that it is not.
  void say(std::uint32_t p, End end) { advance(p, 0, end); }
  void doubt(std::uint32_t p) {
    watermark_.adopt();
    watermark_.doubt(PartitionSlot{p});
  }
  void reconnect() {
    watermark_.adopt();
    watermark_.reconnected(clock_.monotonic());
  }
  void wait(Duration d) { clock_.step(d); }
  void wall_jumps(Duration d) { clock_.jump_wall(d); }

  std::string value() {
    refresh();
    watermark_.adopt();
    return time_text(watermark_.value());
  }
  std::size_t idle() {
    refresh();
    watermark_.adopt();
    return watermark_.idle().size();
  }
  bool closed_by_wall() {
    refresh();
    watermark_.adopt();
    return watermark_.closed_by_wall();
  }
  std::int64_t of(std::uint32_t p) {
    watermark_.adopt();
    return watermark_.of(PartitionSlot{p});
  }
  [[nodiscard]] EventTime wall() const { return clock_.wall(); }

 private:
  void advance(std::uint32_t p, Offset records, End end) {
    PartitionAdvance a;
    a.slot = PartitionSlot{p};
    a.begin = next_[p];
    a.next = next_[p] += records;
    a.max_event_us = newest_[p];
    a.at_end = end == End::kReached;
    watermark_.adopt();
    watermark_.advance(a, clock_.monotonic());
  }
  void refresh() {
    watermark_.adopt();
    const std::int64_t before = watermark_.value();
    watermark_.refresh(clock_.monotonic(), clock_.wall());
    REQUIRE(watermark_.value() >= before);
  }

  ManualClock clock_;
  GlobalWatermark watermark_;
  std::vector<std::int64_t> newest_;
  std::vector<Offset> next_;
};
using End = Shop::End;

TEST_CASE("the watermark is the least of the partitions and waits for all of them", "[watermark]") {
  Shop shop(3);
  CHECK(shop.value() == "never");
  shop.record(0, utc("10:00:30"));
  shop.record(1, utc("10:00:20"));
  CHECK(shop.value() == "never");
  shop.record(2, utc("10:00:40"));
  CHECK(shop.value() == "2026-01-01T10:00:15Z");
  shop.record(1, utc("10:00:50"));
  CHECK(shop.value() == "2026-01-01T10:00:25Z");
  shop.record(0, utc("09:00:00"));  // a late event moves nothing
  CHECK(shop.value() == "2026-01-01T10:00:25Z");
}

TEST_CASE("T3: an idle partition is passed, within twice idle_after", "[watermark]") {
  Shop shop(8);
  for (std::uint32_t p = 0; p < 8; ++p) shop.record(p, utc("10:00:00"));
  shop.say(7, End::kReached);
  for (int s = 0; s < 10; ++s) {
    shop.wait(seconds{1});
    for (std::uint32_t p = 0; p < 7; ++p) shop.record(p, utc("10:00:00") + seconds{s + 1});
  }
  CHECK(shop.idle() == 1);
  CHECK(shop.value() == "2026-01-01T10:00:05Z");
}

TEST_CASE("T3: a partition that nobody can reach is never idle, however long it is silent",
          "[watermark]") {
  Shop shop(8);
  for (std::uint32_t p = 0; p < 8; ++p) shop.record(p, utc("10:00:00"));
  for (int minute = 1; minute <= 100; ++minute) {
    shop.wait(minutes{1});
    for (std::uint32_t p = 0; p < 7; ++p) shop.record(p, utc("10:00:00") + minutes{minute});
    REQUIRE(shop.idle() == 0);
    REQUIRE(shop.value() == "2026-01-01T09:59:55Z");
  }
}

TEST_CASE("T3: a partition whose broker fails at its end holds again", "[watermark]") {
  Shop shop(2);
  shop.record(0, utc("10:00:00"));
  shop.record(1, utc("10:00:00"), End::kReached);
  shop.wait(seconds{60});
  shop.record(0, utc("10:01:00"));
  CHECK(shop.value() == "2026-01-01T10:00:55Z");
  shop.doubt(1);
  shop.wait(seconds{60});
  shop.record(0, utc("10:02:00"));
  CHECK(shop.idle() == 0);
  CHECK(shop.value() == "2026-01-01T10:00:55Z");  // held, and never back
  shop.say(1, End::kReached);                     // reached again: the time starts anew
  CHECK(shop.idle() == 0);
  shop.wait(seconds{5});
  CHECK(shop.idle() == 1);
  CHECK(shop.value() == "2026-01-01T10:01:55Z");
}

TEST_CASE("after an outage a partition has to be quiet for idle_after again", "[watermark]") {
  Shop shop(2);
  shop.record(0, utc("10:00:00"), End::kReached);
  shop.record(1, utc("10:00:00"), End::kReached);
  shop.wait(minutes{10});  // nobody could ask; the committer did not refresh
  shop.reconnect();
  CHECK(shop.idle() == 0);
  CHECK(shop.value() == "2026-01-01T09:59:55Z");
  shop.record(0, utc("10:03:00"), End::kReached);  // written during the outage
  shop.record(1, utc("10:02:00"), End::kReached);
  CHECK(shop.value() == "2026-01-01T10:01:55Z");
  shop.wait(seconds{5});
  CHECK(shop.idle() == 2);
}

TEST_CASE("a slow trickle that is always at its end is not idle", "[watermark]") {
  Shop shop(2);
  shop.record(1, utc("10:30:00"));
  for (int s = 0; s < 60; s += 4) {
    shop.record(0, utc("10:00:00") + seconds{s}, End::kReached);
    shop.wait(seconds{4});
    REQUIRE(shop.idle() == 0);
  }
  CHECK(shop.value() == "2026-01-01T10:00:51Z");
}

TEST_CASE("repeating that the end is reached does not restart the wait", "[watermark]") {
  Shop shop(2);
  shop.record(0, utc("10:00:00"), End::kReached);
  for (int s = 0; s < 5; ++s) {
    shop.wait(seconds{1});
    shop.say(0, End::kReached);
  }
  CHECK(shop.idle() == 1);
}

TEST_CASE("an empty partition holds until its end is known, then is passed", "[watermark]") {
  Shop shop(2);
  shop.record(0, utc("10:00:00"));
  CHECK(shop.value() == "never");
  shop.say(1, End::kReached);
  shop.wait(seconds{5});
  CHECK(shop.value() == "2026-01-01T09:59:55Z");
}

TEST_CASE("T4: all idle never means infinity, and never goes back", "[watermark]") {
  Shop shop(3, "10:00:00");
  for (std::uint32_t p = 0; p < 3; ++p) {
    shop.record(p, utc("09:59:00") + seconds{20 * p}, End::kReached);
  }
  CHECK(shop.value() == "2026-01-01T09:58:55Z");
  CHECK_FALSE(shop.closed_by_wall());
  for (int s = 5; s < 600; s += 5) {
    shop.wait(seconds{5});
    REQUIRE(shop.idle() == 3);
    REQUIRE(shop.closed_by_wall());
    // Live: ten seconds (out_of_order + idle_after) behind the wall.
    REQUIRE(shop.value() == time_text(to_us(shop.wall() - seconds{10})));
  }
  shop.wait(hours{12});  // the night
  const std::string night = shop.value();
  CHECK(night == "2026-01-01T10:09:45Z");
  shop.record(1, utc("22:30:00"));  // morning: one partition lives again
  CHECK_FALSE(shop.closed_by_wall());
  CHECK(shop.value() == "2026-01-01T22:29:55Z");
}

TEST_CASE("T4: a replay of old records is closed to its last pane, not to now", "[watermark]") {
  Shop shop(2, "2026-06-01 12:00:00");
  shop.record(0, utc("2024-01-01 10:00:03"), End::kReached);
  shop.record(1, utc("2024-01-01 10:00:59.5"), End::kReached);
  shop.wait(seconds{5});
  CHECK(shop.value() == "2024-01-01T10:01:00Z");
  CHECK(shop.closed_by_wall());
  shop.wait(hours{5});
  CHECK(shop.value() == "2024-01-01T10:01:00Z");
  shop.record(0, utc("2024-01-01 10:02:00"));
  CHECK(shop.value() == "2024-01-01T10:01:55Z");
  CHECK_FALSE(shop.closed_by_wall());
}

TEST_CASE("all idle without any data says nothing", "[watermark]") {
  Shop shop(2);
  shop.say(0, End::kReached);
  shop.say(1, End::kReached);
  shop.wait(minutes{1});
  CHECK(shop.idle() == 2);
  CHECK(shop.value() == "never");
  CHECK_FALSE(shop.closed_by_wall());
}

TEST_CASE("T5: a new partition with old data holds the watermark where it is", "[watermark]") {
  Shop shop(2);
  shop.record(0, utc("10:00:00"));
  shop.record(1, utc("10:00:00"));
  CHECK(shop.value() == "2026-01-01T09:59:55Z");
  shop.add(2);
  shop.record(0, utc("10:05:00"));
  shop.record(1, utc("10:05:00"));
  CHECK(shop.value() == "2026-01-01T09:59:55Z");
  shop.record(2, utc("08:00:00"));
  CHECK(shop.value() == "2026-01-01T09:59:55Z");
  shop.record(2, utc("10:04:00"));
  CHECK(shop.value() == "2026-01-01T10:03:55Z");
}

TEST_CASE("T8: a step of the wall clock does not make a partition idle", "[watermark]") {
  Shop shop(2);
  shop.record(0, utc("10:00:00"));
  shop.record(1, utc("10:00:00"), End::kReached);
  shop.wall_jumps(hours{1});
  CHECK(shop.idle() == 0);
  shop.wait(seconds{5});
  shop.wall_jumps(hours{-2});
  CHECK(shop.idle() == 1);
  CHECK(shop.value() == "2026-01-01T09:59:55Z");
}

TEST_CASE("T11: a partition whose producer runs ten minutes fast does not hurry the others",
          "[watermark]") {
  Shop shop(8);
  for (int s = 0; s < 100; ++s) {
    for (std::uint32_t p = 0; p < 8; ++p) {
      shop.record(p, utc("10:00:00") + seconds{s} + (p == 3 ? minutes{10} : minutes{0}));
    }
  }
  CHECK(shop.value() == "2026-01-01T10:01:34Z");
  CHECK(shop.of(3) - shop.of(0) == 600 * kSecondUs);  // the skew, for the page
  // One that runs slow holds everybody: nothing of it may become late for that.
  Shop slow(2);
  slow.record(0, utc("10:00:00"));
  slow.record(1, utc("09:50:00"));
  CHECK(slow.value() == "2026-01-01T09:49:55Z");
}

TEST_CASE("a stored watermark and stored partitions go on where they were", "[watermark]") {
  Shop shop(0, "10:00:00", to_us(utc("09:00:00")));
  CHECK(shop.value() == "2026-01-01T09:00:00Z");
  shop.add(0, to_us(utc("08:00:00")));
  CHECK(shop.value() == "2026-01-01T09:00:00Z");
  shop.record(0, utc("09:30:00"));
  CHECK(shop.value() == "2026-01-01T09:29:55Z");
}

TEST_CASE("whatever happens, it never decreases and stays behind the newest event or the wall",
          "[watermark][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto below = [&random](std::uint64_t n) { return static_cast<std::int64_t>(random() % n); };
  for (int run = 0; run < 50; ++run) {
    Shop shop(4, "10:00:00");
    std::int64_t newest = INT64_MIN;
    for (int i = 0; i < 300; ++i) {
      const auto p = static_cast<std::uint32_t>(below(4));
      const End end = below(2) == 0 ? End::kReached : End::kNotReached;
      if (below(3) == 0) {
        shop.say(p, end);
      } else {
        const EventTime t = shop.wall() - seconds{below(120)};
        newest = std::max(newest, to_us(t));
        shop.record(p, t, end);
      }
      shop.wait(Duration{below(3'000'000)});
      const bool by_wall = shop.closed_by_wall();  // also requires that it does not decrease
      if (by_wall) newest = std::max(newest, to_us(shop.wall()));
      if (newest != INT64_MIN && shop.value() != "never") {
        REQUIRE(to_us(utc(shop.value())) <= newest - 5 * kSecondUs);
      }
    }
  }
}

}  // namespace
}  // namespace retailpulse
