#include "window/recent_ids.h"

#include <deque>
#include <random>
#include <set>

#include "support/catch.h"

namespace retailpulse {
namespace {

// The slow twin: exactly first in, first out.
class Reference {
 public:
  bool first_seen(std::uint64_t id) {
    if (!set_.insert(id).second) return false;
    order_.push_back(id);
    if (order_.size() > kRecentIds) {
      set_.erase(order_.front());
      order_.pop_front();
    }
    return true;
  }
  [[nodiscard]] const std::deque<std::uint64_t>& order() const { return order_; }

 private:
  std::set<std::uint64_t> set_;
  std::deque<std::uint64_t> order_;
};

// From a small universe, so that ids come back before, at and after their eviction.
void compare(std::mt19937_64& random, std::uint64_t universe, std::uint64_t factor, int steps) {
  RecentIds recent;
  Reference reference;
  for (int i = 0; i < steps; ++i) {
    const std::uint64_t id = (1 + random() % universe) * factor;
    const bool expected = reference.first_seen(id);
    if (recent.first_seen(id) != expected) FAIL("step " << i << " id " << id);
  }
  CHECK(recent.size() == reference.order().size());
}

TEST_CASE("recent ids agree with a plain first-in-first-out set", "[recent_ids]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  compare(random, 1'000, 1, 20'000);
  compare(random, kRecentIds, 1, 300'000);
  compare(random, kRecentIds + 1'000, 1, 300'000);
  compare(random, kRecentIds * 2, 1, 300'000);
  compare(random, kRecentIds * 2, std::uint64_t{1} << 32, 300'000);  // equal low halves
}

// Ids that all belong into one place of the set, among others: long runs of places, many of them of
// ids that left the ring.
TEST_CASE("ids that want the same place are told apart, and forgotten one by one", "[recent_ids]") {
  constexpr std::uint64_t kUnmultiply = 0xf1de83e19937733d;  // times 0x9e3779b97f4a7c15 is 1
  static_assert(kUnmultiply * 0x9e3779b97f4a7c15 == 1);
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  RecentIds recent;
  Reference reference;
  for (int i = 0; i < 400'000; ++i) {
    const bool crowded = random() % 16 == 0;
    const std::uint64_t id = crowded ? kUnmultiply * ((std::uint64_t{77} << 32) | (1 + random() % 3'000))
                                     : 1 + random() % (2 * kRecentIds);
    const bool expected = reference.first_seen(id);
    if (recent.first_seen(id) != expected) FAIL("step " << i << " id " << id);
  }
  CHECK(recent.size() == kRecentIds);
}

TEST_CASE("an id is forgotten exactly when kRecentIds newer ones have come", "[recent_ids]") {
  RecentIds recent;
  REQUIRE(recent.first_seen(1));
  for (std::uint64_t i = 2; i <= kRecentIds; ++i) REQUIRE(recent.first_seen(i));
  CHECK_FALSE(recent.first_seen(1));             // still the oldest of kRecentIds
  REQUIRE(recent.first_seen(kRecentIds + 1));    // pushes 1 out
  CHECK(recent.first_seen(1));
  CHECK_FALSE(recent.first_seen(3));
}

TEST_CASE("restored ids behave as if the run had never ended", "[recent_ids]") {
  RecentIds before;
  std::vector<std::uint64_t> stored;
  for (std::uint64_t i = 1; i <= kRecentIds + 500; ++i) {
    REQUIRE(before.first_seen(i * 7));
    if (i % 1000 == 0) {
      const auto fresh = before.take_fresh();
      stored.insert(stored.end(), fresh.begin(), fresh.end());
    }
  }
  const auto fresh = before.take_fresh();
  stored.insert(stored.end(), fresh.begin(), fresh.end());
  REQUIRE(stored.size() == kRecentIds + 500);
  RecentIds after;
  after.restore(std::vector<std::uint64_t>(stored.end() - kRecentIds, stored.end()));
  CHECK(after.take_fresh().empty());
  CHECK(after.size() == kRecentIds);
  CHECK(after.first_seen(500 * 7) == before.first_seen(500 * 7));
  CHECK(after.first_seen(502 * 7) == before.first_seen(502 * 7));
  CHECK(after.take_fresh() == before.take_fresh());
}

TEST_CASE("fresh ids never outnumber the ones remembered", "[recent_ids]") {
  RecentIds recent;
  for (std::uint64_t i = 1; i <= 3 * kRecentIds; ++i) REQUIRE(recent.first_seen(i));
  const auto fresh = recent.take_fresh();
  REQUIRE(fresh.size() == kRecentIds);
  CHECK(fresh.front() == 2 * kRecentIds + 1);
  CHECK(fresh.back() == 3 * kRecentIds);
}

}  // namespace
}  // namespace retailpulse
