// The laws behind everything: aggregates merge in any order and in any grouping, and nothing is
// the identity. If these hold, lanes, batches, crashes and replays cannot change a number.
#include <algorithm>
#include <deque>
#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "base/hash.h"
#include "base/hll.h"
#include "support/catch.h"
#include "support/event_builder.h"
#include "support/fact_encoder.h"
#include "support/random_facts.h"
#include "support/slow_store.h"
#include "window/aggregator.h"
#include "window/sales.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;

// merge(a, b) == merge(b, a), merge(merge(a, b), c) == merge(a, merge(b, c)), merge(a, 0) == a.
template <class T>
void check_laws(const std::function<T()>& random_value, const std::function<T(T, const T&)>& merge,
                const T& identity) {
  for (int i = 0; i < 500; ++i) {
    const T a = random_value(), b = random_value(), c = random_value();
    REQUIRE((merge(a, b) == merge(b, a)));
    REQUIRE((merge(merge(a, b), c) == merge(a, merge(b, c))));
    REQUIRE((merge(a, identity) == a));
    REQUIRE((merge(identity, a) == a));
  }
}

TEST_CASE("law: sales", "[laws]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto number = [&random] { return static_cast<std::int64_t>(random() >> 4); };
  check_laws<Sales>([&] { return Sales{number(), number(), number(), number(), number()}; },
                    [](Sales a, const Sales& b) {
                      REQUIRE(add_checked(a, b));
                      return a;
                    },
                    Sales{});
}

TEST_CASE("law: visitors, for which merging twice is merging once too", "[laws]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const auto sketch = [&random] {
    Hll hll;
    for (std::uint64_t n = random() % 3'000; n > 0; --n) hll.add(hll_mark(random()));
    return hll;
  };
  const auto merge = [](Hll a, const Hll& b) {
    a.merge(b);
    return a;
  };
  check_laws<Hll>(sketch, merge, Hll{});
  const Hll a = sketch();
  CHECK((merge(a, a) == a));
}

// A lane that reads one partition.
struct Lane {
  Lane(std::uint32_t id, const TimeConfig& time) : aggregator(LaneId{id}, time, metrics) {
    aggregator.adopt();
    aggregator.restore(PartitionSlot{id}, 0, INT64_MIN, {});
  }
  AggregatorMetrics metrics;
  Aggregator aggregator;
  FactEncoder encoder;
};

// All epochs of all lanes, cut after every `every` records.
std::vector<std::vector<std::unique_ptr<Epoch>>> epochs_of(
    const std::vector<std::vector<Fact>>& facts, const TimeConfig& time, std::size_t every) {
  std::vector<std::vector<std::unique_ptr<Epoch>>> out;
  for (std::uint32_t lane_id = 0; lane_id < facts.size(); ++lane_id) {
    Lane lane(lane_id, time);
    lane.aggregator.adopt();
    auto& epochs = out.emplace_back();
    EventBatch batch;
    for (std::size_t i = 0; i < facts[lane_id].size(); ++i) {
      lane.encoder.append(facts[lane_id][i], batch);
      if ((i + 1) % every != 0 && i + 1 != facts[lane_id].size()) continue;
      lane.aggregator.fold(batch);
      batch.clear();
      epochs.push_back(lane.aggregator.cut_epoch());
    }
  }
  return out;
}

struct ShopOfLanes {
  explicit ShopOfLanes(std::uint64_t seed) {
    time.zone = "Europe/Berlin";
    RandomShop shop;
    shop.partitions = 4;
    shop.records = 1'000;
    shop.begin = utc("2026-10-24 12:00:00");
    facts = random_facts(seed, shop);
  }
  TimeConfig time;
  std::vector<std::vector<Fact>> facts;
};

// Commits lane by lane, or in a random interleaving that keeps each lane's own order.
Rows committed(const ShopOfLanes& shop, std::size_t every, std::mt19937_64* random) {
  const auto lanes = epochs_of(shop.facts, shop.time, every);
  std::vector<std::size_t> turn;
  for (std::size_t l = 0; l < lanes.size(); ++l) turn.insert(turn.end(), lanes[l].size(), l);
  if (random != nullptr) std::shuffle(turn.begin(), turn.end(), *random);
  SlowStore store(shop.time);
  std::vector<std::size_t> at(lanes.size(), 0);
  for (const std::size_t l : turn) store.commit(*lanes[l][at[l]++]);
  return store.rows();
}

TEST_CASE("law: epochs of lanes commute", "[laws]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const ShopOfLanes shop(seed);
  const Rows expected = committed(shop, 10, nullptr);
  for (int i = 0; i < 5; ++i) {
    const Rows actual = committed(shop, 10, &random);
    INFO(difference(expected, actual));
    REQUIRE((expected == actual));
  }
}

TEST_CASE("law: epochs associate: how records are grouped does not matter", "[laws]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  const ShopOfLanes shop(seed);
  const Rows expected = committed(shop, 1'000'000, nullptr);  // one epoch for each lane
  for (const std::size_t every : {1, 2, 7, 100}) {
    const Rows actual = committed(shop, every, nullptr);
    INFO(difference(expected, actual));
    REQUIRE((expected == actual));
  }
}

TEST_CASE("law: an empty epoch is the identity", "[laws]") {
  const ShopOfLanes shop(1);
  SlowStore with(shop.time), without(shop.time);
  Epoch empty;
  with.commit(empty);
  const auto lanes = epochs_of(shop.facts, shop.time, 50);
  for (const auto& epochs : lanes) {
    for (const auto& epoch : epochs) {
      empty.lane = epoch->lane;
      with.commit(*epoch);
      with.commit(empty);
      without.commit(*epoch);
    }
  }
  CHECK((with.rows() == without.rows()));
}

}  // namespace
}  // namespace retailpulse
