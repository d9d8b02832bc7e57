#include "window/visitor_panes.h"

#include <map>
#include <random>
#include <utility>

#include "support/catch.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kWidth = 10'000'000;

TEST_CASE("visitor panes agree with std::map over many epochs", "[visitor_panes]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  VisitorPanes panes(kWidth);
  for (int epoch = 0; epoch < 30; ++epoch) {
    std::map<std::pair<std::int64_t, std::uint16_t>, std::uint8_t> expected;
    const std::uint64_t width = epoch % 3 == 0 ? 3 : 200;  // of which many share a place
    for (std::uint64_t n = random() % 30'000; n > 0; --n) {
      const std::int64_t pane = static_cast<std::int64_t>(random() % width) * kWidth - 5 * kWidth;
      const HllMark mark = hll_mark(random());
      panes.mark(pane, mark);
      std::uint8_t& rank = expected[{pane, mark.reg}];
      rank = std::max(rank, mark.rank);
    }
    REQUIRE(panes.size() == expected.size());
    std::map<std::pair<std::int64_t, std::uint16_t>, std::uint8_t> actual;
    for (const VisitorMark& mark : panes.take()) {
      REQUIRE(actual.try_emplace({mark.pane_us, mark.reg}, mark.rank).second);
    }
    REQUIRE(actual == expected);
    REQUIRE(panes.size() == 0);
  }
}

TEST_CASE("the marks of a pane that has a place come together", "[visitor_panes]") {
  VisitorPanes panes(kWidth);
  for (std::uint16_t reg = 0; reg < 8; ++reg) {
    panes.mark(0, {reg, 1});
    panes.mark(kWidth, {reg, 2});
  }
  const auto marks = panes.take();
  REQUIRE(marks.size() == 16);
  for (std::size_t i = 1; i < marks.size(); ++i) {
    CHECK((marks[i].pane_us == marks[i - 1].pane_us || i == 8));
  }
}

}  // namespace
}  // namespace retailpulse
