#include "window/aggregator.h"

#include <algorithm>
#include <deque>
#include <memory>
#include <random>

#include "support/catch.h"
#include "support/event_builder.h"
#include "support/fact_encoder.h"
#include "support/naive_model.h"
#include "support/random_facts.h"
#include "support/slow_store.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;

// A lane with its aggregator, restored from what `store` holds.
class Lane {
 public:
  Lane(std::uint32_t id, const TimeConfig& time, std::vector<std::uint32_t> partitions)
      : id_(id), time_(time), partitions_(std::move(partitions)) {}

  void start(SlowStore& store) {
    encoder_ = FactEncoder();
    store.forget_names(LaneId{id_});
    aggregator_ = std::make_unique<Aggregator>(LaneId{id_}, time_, metrics_);
    aggregator_->adopt();
    for (const std::uint32_t p : partitions_) {
      const auto stored = store.stored(PartitionSlot{p});
      aggregator_->restore(PartitionSlot{p}, stored.next, stored.max_event_us, stored.recent_ids);
    }
  }
  void fold(const std::vector<Fact>& facts) {
    EventBatch batch;
    for (const Fact& fact : facts) encoder_.append(fact, batch);
    aggregator_->adopt();
    aggregator_->fold(batch);
  }
  void replay(const std::vector<Fact>& facts) {
    EventBatch batch;
    for (const Fact& fact : facts) {
      Replayed replayed;
      replayed.reject = static_cast<std::int64_t>(batch.replays.size()) + 1;
      replayed.was = Reason::kMissingField;
      replayed.first_event = static_cast<std::uint32_t>(batch.events.size());
      encoder_.append(fact, batch);
      replayed.bucket = fact.bucket;
      replayed.events = static_cast<std::uint32_t>(batch.events.size()) - replayed.first_event;
      batch.replays.push_back(replayed);
    }
    batch.advances.clear();
    batch.rejects.clear();
    aggregator_->adopt();
    aggregator_->fold(batch);
  }
  void mark_end(Offset next) {
    EventBatch batch;
    FactEncoder::mark_end(partitions_.front(), next, batch);
    aggregator_->adopt();
    aggregator_->fold(batch);
  }
  std::unique_ptr<Epoch> cut() {
    aggregator_->adopt();
    return aggregator_->cut_epoch();
  }
  Aggregator& aggregator() { return *aggregator_; }
  [[nodiscard]] const std::vector<std::uint32_t>& partitions() const { return partitions_; }

 private:
  std::uint32_t id_;
  TimeConfig time_;
  std::vector<std::uint32_t> partitions_;
  AggregatorMetrics metrics_;
  FactEncoder encoder_;
  std::unique_ptr<Aggregator> aggregator_;
};

// One lane with one partition, for stories.
class OneLane {
 public:
  OneLane() { lane_.start(store_); }

  OneLane& fold(std::vector<Fact> facts) {
    for (Fact& fact : facts) fact.offset = next_++;
    lane_.fold(facts);
    return *this;
  }
  // Of records that were rejected before.
  OneLane& replay(const std::vector<Fact>& facts) {
    lane_.replay(facts);
    return *this;
  }
  OneLane& at_end() {
    lane_.mark_end(next_);
    return *this;
  }
  std::unique_ptr<Epoch> cut() { return lane_.cut(); }
  Aggregator& aggregator() { return lane_.aggregator(); }

 private:
  SlowStore store_{TimeConfig{}};
  Lane lane_{0, TimeConfig{}, {0}};
  Offset next_ = 0;
};

// Gives all partitions to lanes and reads them in random pieces, with random cuts and crashes.
Rows run_pipeline(const std::vector<std::vector<Fact>>& facts, const TimeConfig& time,
                  std::uint32_t lane_count, std::mt19937_64& random) {
  SlowStore store(time);
  std::deque<Lane> lanes;  // a lane stays where it is
  for (std::uint32_t l = 0; l < lane_count; ++l) {
    std::vector<std::uint32_t> mine;
    for (std::uint32_t p = 0; p < facts.size(); ++p) {
      if (p % lane_count == l) mine.push_back(p);
    }
    lanes.emplace_back(l, time, mine);
  }
  for (Lane& lane : lanes) lane.start(store);
  std::vector<std::size_t> at(facts.size(), 0);
  const auto unread = [&] {
    for (std::size_t p = 0; p < facts.size(); ++p) {
      if (at[p] < facts[p].size()) return true;
    }
    return false;
  };
  while (unread()) {
    Lane& lane = lanes[random() % lanes.size()];
    std::vector<Fact> batch;
    for (const std::uint32_t p : lane.partitions()) {
      const std::size_t n = std::min<std::size_t>(random() % 40, facts[p].size() - at[p]);
      batch.insert(batch.end(), facts[p].begin() + static_cast<std::ptrdiff_t>(at[p]),
                   facts[p].begin() + static_cast<std::ptrdiff_t>(at[p] + n));
      at[p] += n;
    }
    lane.fold(batch);
    const std::uint64_t dice = random() % 100;
    if (dice < 30) store.commit(*lane.cut());
    if (dice >= 97) {  // crash: what was not committed is read again
      lane.start(store);
      for (const std::uint32_t p : lane.partitions()) {
        at[p] = static_cast<std::size_t>(store.stored(PartitionSlot{p}).next);
      }
    }
  }
  for (Lane& lane : lanes) store.commit(*lane.cut());
  return store.rows();
}

Rows expect_rows(const std::vector<std::vector<Fact>>& facts, const TimeConfig& time) {
  NaiveModel model(time);
  for (const auto& partition : facts) {
    for (const Fact& fact : partition) model.add(fact);
  }
  return model.rows();
}

TEST_CASE("lanes, batches, cuts, order of partitions and crashes cannot change the numbers",
          "[aggregator][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (const char* zone : {"Europe/Berlin", "Asia/Kathmandu"}) {
    TimeConfig time;
    time.zone = zone;
    RandomShop shop;
    shop.partitions = 5;
    shop.records = 2'500;
    shop.begin = utc("2026-03-28 20:00:00");  // Berlin: over the day of 23 hours
    const auto facts = random_facts(seed, shop);
    const Rows expected = expect_rows(facts, time);
    for (std::uint32_t lanes = 1; lanes <= 5; ++lanes) {
      INFO("zone " << zone << ", lanes " << lanes);
      const Rows actual = run_pipeline(facts, time, lanes, random);
      INFO(difference(expected, actual));
      REQUIRE((expected == actual));
    }
  }
}

TEST_CASE("the random shop has something of everything", "[aggregator][random]") {
  RandomShop shop;
  shop.begin = utc("2026-01-01 00:00:00");
  shop.records = 3'000;
  const Rows rows = expect_rows(random_facts(7, shop), TimeConfig{});
  for (const char* table : {"totals|10s", "totals|1d", "products|1m", "categories|15m",
                            "ratings|1m", "types|1m", "visitors|10s", "listing|", "reject|",
                            "ledger|"}) {
    INFO(table);
    CHECK_FALSE(only(rows, table).empty());
  }
  std::size_t with_all_buckets = 0;
  for (const std::string& row : only(rows, "ledger|")) {
    const bool all = row.find("duplicate=0") == std::string::npos &&
                     row.find("filtered=0") == std::string::npos &&
                     row.find("rejected=0") == std::string::npos;
    with_all_buckets += all ? 1 : 0;
  }
  CHECK(with_all_buckets == shop.partitions);
  for (const std::string& row : only(rows, "partition|")) {
    INFO(row);
    CHECK(row.find("late=0") == std::string::npos);
    CHECK(row.find("future=0") == std::string::npos);
  }
}

TEST_CASE("a duplicate record gives nothing, whatever it holds", "[aggregator]") {
  OneLane lane;
  lane.fold({at("10:00:01").sale("mug", "2").line("cup", "3").with_id("a").by("ann"),
             at("10:00:02").listing("mug", "Kitchen").with_id("l")});
  lane.fold({at("10:59:01").sale("mug", "2").line("cup", "3").with_id("a").by("bob"),
             at("10:00:02").listing("mug", "Kitchen").with_id("l")});
  const auto epoch = lane.cut();
  REQUIRE(epoch->totals.size() == 1);
  CHECK(epoch->totals[0].sales == Sales{2, 2, 2'000, 5'000'000, 0});
  CHECK(epoch->listings.size() == 1);
  CHECK(epoch->visitors.size() == 1);
  REQUIRE(epoch->advances.size() == 1);
  const PartitionAdvance& a = epoch->advances[0];
  CHECK(a.records == 4);
  CHECK(a.counts[static_cast<std::size_t>(Bucket::kCounted)] == 2);
  CHECK(a.counts[static_cast<std::size_t>(Bucket::kDuplicate)] == 2);
  CHECK(a.max_event_us == to_us(utc("10:00:02")));
  CHECK(a.recent_ids.size() == 2);
}

TEST_CASE("late is judged by earlier records alone, once for a record", "[aggregator]") {
  OneLane lane;  // out_of_order is 5 s
  lane.fold({at("10:00:14.999999").sale("mug", "1"),
             at("10:00:09").sale("mug", "1"),         // its pane ends at :10, watermark :09.999999
             at("10:00:15").sale("mug", "1"),
             at("10:00:09").sale("mug", "1").line("cup", "1"),  // watermark :10 = pane end: late
             at("10:00:10").sale("mug", "1"),
             at("09:00:00").rejected(Reason::kBadJson)});
  const PartitionAdvance a = lane.cut()->advances.at(0);
  CHECK(a.late == 1);
  CHECK(a.min_event_us == to_us(utc("10:00:09")));
  CHECK(a.counts[static_cast<std::size_t>(Bucket::kCounted)] == 5);
}

TEST_CASE("a stamp from the future counts in its own pane and moves no watermark", "[aggregator]") {
  OneLane lane;
  lane.fold({at("10:00:00").sale("mug", "1"),
             at("2031-01-01 00:00:00").sale("mug", "1").from_the_future(),
             at("10:00:01").sale("mug", "1")});
  const auto epoch = lane.cut();
  CHECK(epoch->totals.size() == 2);
  const PartitionAdvance& a = epoch->advances.at(0);
  CHECK(a.future == 1);
  CHECK(a.late == 0);
  CHECK(a.max_event_us == to_us(utc("10:00:01")));
}

TEST_CASE("a sum that would overflow goes on in a second row", "[aggregator]") {
  OneLane lane;
  lane.fold({at("10:00:00").sale("mug", "9223372036854"), at("10:00:01").sale("mug", "1"),
             at("10:00:02").sale("mug", "1")});
  const auto epoch = lane.cut();
  REQUIRE(epoch->totals.size() == 2);
  REQUIRE(epoch->products.size() == 2);
  CHECK(epoch->totals[0].sales.gross_micros == 9'223'372'036'854'000'000);
  CHECK(epoch->totals[1].sales == Sales{2, 2, 2'000, 2'000'000, 0});
  CHECK(epoch->products[1].sales == epoch->totals[1].sales);
}

TEST_CASE("epochs touch, and an advance without records is an advance", "[aggregator]") {
  OneLane lane;
  lane.aggregator().adopt();
  CHECK(lane.aggregator().empty());
  lane.fold({at("10:00:00").sale("mug", "1"), at("10:00:01").filtered()});
  CHECK_FALSE(lane.aggregator().empty());
  const auto first = lane.cut();
  CHECK(first->number == 1);
  CHECK(first->advances.at(0).begin == 0);
  CHECK(first->advances.at(0).next == 2);
  CHECK(lane.aggregator().empty());
  EventBatch batch;  // an aborted transaction: offsets move, nothing was read
  FactEncoder::mark_end(0, 7, batch);
  batch.newest_record_us = 42;
  lane.aggregator().fold(batch);
  const auto second = lane.cut();
  CHECK(second->number == 2);
  CHECK(second->newest_record_us == 42);
  const PartitionAdvance& a = second->advances.at(0);
  CHECK(a.begin == 2);
  CHECK(a.next == 7);
  CHECK(a.records == 0);
  CHECK(a.at_end);
  CHECK(a.max_event_us == to_us(utc("10:00:00")));  // carried on
  CHECK(a.min_event_us == INT64_MAX);               // of this epoch
  const auto third = lane.cut();
  CHECK(third->advances.empty());
}

TEST_CASE("a visitor is marked again in the next epoch", "[aggregator]") {
  OneLane lane;
  lane.fold({at("10:00:00").action("view").by("ann")});
  CHECK(lane.cut()->visitors.size() == 1);
  lane.fold({at("10:00:01").action("view").by("ann"), at("10:00:02").action("view").by("ann"),
             at("10:00:10").action("view").by("ann"),
             at("10:00:10").listing("mug", "x").by("bob")});
  CHECK(lane.cut()->visitors.size() == 2);  // two panes; a listing is nobody's visit
}

TEST_CASE("stars are rounded half up", "[aggregator]") {
  OneLane lane;
  lane.fold({at("10:00:00").rating("mug", "1"), at("10:00:00").rating("mug", "1.499"),
             at("10:00:00").rating("mug", "1.5"), at("10:00:00").rating("mug", "4.5"),
             at("10:00:00").rating("mug", "5")});
  const auto epoch = lane.cut();
  REQUIRE(epoch->ratings.size() == 1);
  CHECK(epoch->ratings[0].ratings == 5);
  CHECK(epoch->ratings[0].sum_milli == 13'499);
  CHECK((epoch->ratings[0].stars == std::array<std::int64_t, 5>{2, 1, 0, 0, 2}));
}

TEST_CASE("a shared order leaves counting to the store", "[aggregator]") {
  OneLane lane;
  lane.fold({at("10:00:00").sale("mug", "1").line("cup", "2").in_order("A"),
             at("10:00:30").refund("mug", "1").in_order("A"), at("10:00:40").sale("mug", "1")});
  const auto epoch = lane.cut();
  CHECK(epoch->order_lines.size() == 2);  // a refund is no part of an order's first line
  std::int64_t orders = 0;
  for (const TotalDelta& row : epoch->totals) orders += row.sales.orders;
  CHECK(orders == 1);
}

TEST_CASE("a replayed record is counted like another, but moves no offset", "[aggregator]") {
  OneLane lane;
  lane.fold({at("10:05:00").sale("mug", "1").with_id("a")}).at_end();
  CHECK(lane.cut()->advances[0].at_end);
  lane.replay({at("10:00:00").sale("cup", "2").line("cup", "3").with_id("b").by("ann"),
               at("10:00:00").sale("cup", "2").line("cup", "3").with_id("b").by("ann"),
               at("10:00:00").sale("mug", "1").with_id("a"),
               at("10:00:00").rejected(Reason::kBadJson), at("10:00:00").filtered()});
  const auto epoch = lane.cut();
  REQUIRE(epoch->advances.size() == 1);
  const PartitionAdvance& advance = epoch->advances[0];
  CHECK(advance.begin == 1);
  CHECK(advance.next == 1);
  CHECK(advance.records == 0);
  CHECK(advance.counts == std::array<std::uint64_t, kBuckets>{});
  CHECK(advance.late == 0);
  CHECK(advance.at_end);  // still where it was
  CHECK(advance.recent_ids.size() == 1);
  std::vector<Bucket> buckets;
  for (const Replayed& replayed : epoch->replays) buckets.push_back(replayed.bucket);
  CHECK((buckets == std::vector<Bucket>{Bucket::kCounted, Bucket::kDuplicate, Bucket::kDuplicate,
                                        Bucket::kRejected, Bucket::kFiltered}));
  REQUIRE(epoch->totals.size() == 1);
  CHECK(epoch->totals[0].sales.gross_micros == 5'000'000);
  CHECK(epoch->visitors.size() == 1);
  // What is read afterwards is judged by it.
  lane.fold({at("10:00:00").sale("cup", "2").with_id("b")});
  CHECK(lane.cut()->advances[0].counts[static_cast<std::size_t>(Bucket::kDuplicate)] == 1);
}

TEST_CASE("T7: below the floor a record is too late, from the moment it is told", "[aggregator]") {
  OneLane lane;
  lane.aggregator().adopt();
  lane.fold({at("09:59:59").sale("mug", "1")});
  lane.aggregator().refuse_before(to_us(utc("10:00:00")));
  lane.fold({at("09:59:59.999999").sale("mug", "1").with_id("a"), at("10:00:00").sale("mug", "1"),
             at("09:59:00").rating("mug", "5").by("ann"), at("09:59:59").sale("mug", "1").with_id("a"),
             at("09:00:00").listing("mug", "Kitchen")});
  lane.replay({at("09:59:00").sale("mug", "1"), at("10:00:01").sale("mug", "1")});
  const auto epoch = lane.cut();
  REQUIRE(epoch->advances.size() == 1);
  const PartitionAdvance& a = epoch->advances[0];
  const auto in = [&a](Bucket bucket) { return a.counts[static_cast<std::size_t>(bucket)]; };
  CHECK(in(Bucket::kCounted) == 3);    // one before the floor rose, one at it, the listing
  CHECK(in(Bucket::kTooLate) == 2);
  CHECK(in(Bucket::kDuplicate) == 1);  // of a record that was too late
  CHECK(a.late == 1);                  // the listing: late says nothing about being refused
  CHECK(a.max_event_us == to_us(utc("10:00:01")));
  CHECK(a.min_event_us == to_us(utc("09:00:00")));
  REQUIRE(epoch->replays.size() == 2);
  CHECK(epoch->replays[0].bucket == Bucket::kTooLate);
  CHECK(epoch->replays[1].bucket == Bucket::kCounted);
  std::int64_t lines = 0;
  for (const TotalDelta& total : epoch->totals) lines += total.sales.lines;
  CHECK(lines == 3);
  CHECK(epoch->ratings.empty());
  CHECK(epoch->visitors.empty());
  CHECK(epoch->listings.size() == 1);
}

TEST_CASE("an epoch is due when rows, or far fewer rejects, have piled up", "[aggregator]") {
  OneLane lane;
  lane.aggregator().adopt();
  std::vector<Fact> rejects(kEpochRowsMax / 64 - 1, at("10:00:00").rejected(Reason::kBadJson));
  lane.fold(rejects);
  CHECK_FALSE(lane.aggregator().epoch_due());
  lane.fold({at("10:00:00").rejected(Reason::kBadJson)});
  CHECK(lane.aggregator().epoch_due());
  CHECK(lane.cut()->rejects.size() == kEpochRowsMax / 64);
  CHECK_FALSE(lane.aggregator().epoch_due());
}

}  // namespace
}  // namespace retailpulse
