#include "window/delta_map.h"

#include <map>
#include <random>
#include <tuple>

#include "support/catch.h"
#include "window/delta_keys.h"

namespace retailpulse {
namespace {

TEST_CASE("a delta map agrees with std::map over many epochs", "[delta_map]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  DeltaMap<ProductKey> map;
  for (int epoch = 0; epoch < 20; ++epoch) {
    std::map<std::tuple<std::int64_t, std::uint32_t, std::uint32_t>, std::int64_t> expected;
    const std::size_t adds = random() % 20'000;
    for (std::size_t i = 0; i < adds; ++i) {
      const auto pane = static_cast<std::int64_t>(random() % 7) * 60'000'000 - 120'000'000;
      const auto product = static_cast<std::uint32_t>(random() % 400);
      const auto category = random() % 2 == 0 ? index_of(kNoName) : 3U;
      map.at({pane, NameId{product}, NameId{category}, NameId{0}}).sales.lines += 1;
      expected[{pane, product, category}] += 1;
    }
    REQUIRE(map.size() == expected.size());
    for (const ProductDelta& row : map.take()) {
      const auto it = expected.find({row.pane_us, index_of(row.product), index_of(row.category)});
      REQUIRE(it != expected.end());
      REQUIRE(it->second == row.sales.lines);
    }
    REQUIRE(map.size() == 0);
  }
}

TEST_CASE("again() starts a second row which at() then finds, also after growth", "[delta_map]") {
  DeltaMap<TypeKey> map;
  map.at({0, NameId{1}}).events = 10;
  map.again({0, NameId{1}}).events = 20;
  for (std::uint32_t i = 2; i < 1000; ++i) map.at({0, NameId{i}}).events = 1;
  CHECK(map.at({0, NameId{1}}).events == 20);
  const auto rows = map.take();
  REQUIRE(rows.size() == 1000);
  CHECK(rows[0].events == 10);
  CHECK(rows[1].events == 20);
}

TEST_CASE("after a large epoch small ones are complete and the slots shrink", "[delta_map]") {
  DeltaMap<TypeKey> map;
  for (std::uint32_t i = 0; i < 100'000; ++i) map.at({0, NameId{i}}).events = 1;
  CHECK(map.take().size() == 100'000);
  for (int epoch = 0; epoch < 12; ++epoch) {
    for (std::uint32_t i = 0; i < 40; ++i) map.at({0, NameId{i}}).events += 1;
    for (std::uint32_t i = 0; i < 40; ++i) map.at({0, NameId{i}}).events += 1;
    const auto rows = map.take();
    REQUIRE(rows.size() == 40);
    for (const TypeDelta& row : rows) REQUIRE(row.events == 2);
  }
}

TEST_CASE("rows come out in order of first appearance", "[delta_map]") {
  DeltaMap<TypeKey> map;
  for (const std::uint32_t id : {7U, 3U, 7U, 9U, 3U}) map.at({0, NameId{id}}).events += 1;
  const auto rows = map.take();
  REQUIRE(rows.size() == 3);
  CHECK(rows[0].type == NameId{7});
  CHECK(rows[1].type == NameId{3});
  CHECK(rows[2].type == NameId{9});
}

}  // namespace
}  // namespace retailpulse
