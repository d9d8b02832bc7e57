#include "app/stage_watch.h"

#include "support/catch.h"

namespace retailpulse {
namespace {

using Names = std::vector<std::string>;
constexpr Duration kSecond = std::chrono::seconds{1};

void turn_all(Metrics& metrics) {
  metrics.main.turns.add();
  for (auto& consumer : metrics.consumers) consumer.turns.add();
  for (auto& aggregator : metrics.aggregators) aggregator.turns.add();
  metrics.commit.turns.add();
}

}  // namespace

TEST_CASE("stages: what has not begun or has ended does not stand still") {
  Metrics metrics(2);
  StageWatch watch(metrics);
  CHECK(watch.look(kSecond).empty());
  CHECK(watch.look(1000 * kSecond).empty());
  turn_all(metrics);
  metrics.consumers[1].turns.set(kEnded);
  CHECK(watch.look(1001 * kSecond).empty());
  CHECK(watch.look(1100 * kSecond) == Names{"main", "rp-src-0", "rp-agg-0", "rp-agg-1", "rp-commit"});
}

TEST_CASE("stages: each is told after eight seconds, until it moves again") {
  Metrics metrics(1);
  StageWatch watch(metrics);
  for (int second = 1; second <= 20; ++second) {
    turn_all(metrics);
    REQUIRE(watch.look(second * kSecond).empty());
  }
  for (int second = 21; second <= 27; ++second) {
    const auto aggregator = metrics.aggregators[0].turns.get();
    turn_all(metrics);
    metrics.aggregators[0].turns.set(aggregator);
    REQUIRE(watch.look(second * kSecond).empty());
  }
  metrics.main.turns.add();
  metrics.consumers[0].turns.add();
  metrics.commit.turns.add();
  CHECK(watch.look(28 * kSecond) == Names{"rp-agg-0"});
  metrics.aggregators[0].turns.add();
  CHECK(watch.look(29 * kSecond).empty());
}

}  // namespace retailpulse
