#include "app/source_health.h"

#include "support/catch.h"

namespace retailpulse {
namespace {

using Moment = SourceHealth::Moment;

Moment at(int ms) { return {std::chrono::milliseconds{ms}, 1'000'000'000 + 1000LL * ms}; }

TEST_CASE("what nobody was heard of for a while is stale since it was heard") {
  SourceHealth health;
  CHECK(health.stale_since_us(at(90'000).at) == 0);  // whoever tries to connect says so himself
  health.heard(at(1000));
  health.met(at(2000));  // only the first time: another broker may answer for the one that does not
  CHECK(!health.silent(at(4900).at));
  CHECK(health.stale_since_us(at(4900).at) == 0);
  CHECK(health.silent(at(5100).at));
  CHECK(health.stale_since_us(at(5100).at) == at(1000).wall_us);
  health.heard(at(5500));
  CHECK(health.stale_since_us(at(5500).at) == 0);
}

TEST_CASE("a lane in trouble makes numbers stale at once, whether or not brokers answer") {
  SourceHealth health;
  health.met(at(1000));
  health.lane(LaneId{1}, "No right to read", at(2000));
  CHECK(health.trouble() == "No right to read");
  CHECK(health.silent(at(2100).at));  // nobody was heard since: it may be all of them
  CHECK(health.stale_since_us(at(2100).at) == at(1000).wall_us);
  health.heard(at(3000));
  CHECK(!health.silent(at(3100).at));
  CHECK(health.stale_since_us(at(3100).at) == at(2000).wall_us);
  health.lane(LaneId{1}, "Damaged records", at(4000));  // the same trouble, told anew
  CHECK(health.stale_since_us(at(4100).at) == at(2000).wall_us);
  health.lane(LaneId{0}, "No right either", at(4500));
  health.lane(LaneId{1}, "", at(5000));
  CHECK(health.trouble() == "No right either");
  CHECK(health.stale_since_us(at(5100).at) == at(3000).wall_us);  // nobody was heard since then
  health.heard(at(5200));
  CHECK(health.stale_since_us(at(5300).at) == at(4500).wall_us);
  health.lane(LaneId{0}, "", at(6000));
  CHECK(health.trouble().empty());
  CHECK(health.stale_since_us(at(6100).at) == 0);
}

TEST_CASE("an end that stands still behind an open transaction is told after a while") {
  SourceHealth health;
  const PartitionSlot slot{2};
  health.ends(slot, 100, 100, at(0));
  CHECK(health.held_back().empty());
  health.ends(slot, 100, 130, at(2000));
  CHECK(health.held_back() == std::vector<PartitionSlot>{slot});
  CHECK(health.blocked(at(6900).at).empty());
  health.ends(slot, 100, 150, at(6900));
  const auto blocked = health.blocked(at(7000).at);
  REQUIRE(blocked.size() == 1);
  CHECK(blocked[0].slot == slot);
  CHECK(blocked[0].since_us == at(2000).wall_us);
  CHECK(blocked[0].waiting == 50);
  health.ends(slot, 150, 190, at(8000));  // it moves: producers that write in transactions
  CHECK(health.held_back().size() == 1);
  CHECK(health.blocked(at(12'900).at).empty());
  health.ends(slot, 190, 190, at(9000));
  CHECK(health.held_back().empty());
  CHECK(health.blocked(at(99'000).at).empty());
}

}  // namespace
}  // namespace retailpulse
