#include "simulate/simulator.h"

#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <vector>

#include "base/hash.h"
#include "simulate/dirt.h"
#include "support/catch.h"

using namespace retailpulse;

namespace {

using Json = nlohmann::json;

std::uint64_t fingerprint(std::uint64_t seed, int records) {
  SimulatorConfig config;
  config.seed = seed;
  config.products = 200;
  Simulator simulator(config);
  SimRecord record;
  std::uint64_t hash = 0;
  for (int i = 0; i < records; ++i) {
    simulator.next(record);
    hash = hash64(record.key, hash);
    hash = hash64(record.value, hash + static_cast<std::uint64_t>(record.partition));
    hash =
        hash64(record.has_value ? "v" : "n", hash + static_cast<std::uint64_t>(to_us(record.sent)));
  }
  return hash;
}

}  // namespace

TEST_CASE("simulator: the same seed gives the same bytes, another seed others") {
  CHECK(fingerprint(5, 30'000) == fingerprint(5, 30'000));
  CHECK(fingerprint(5, 30'000) != fingerprint(6, 30'000));
}

TEST_CASE("simulator: clean records are JSON with the native fields") {
  SimulatorConfig config;
  config.products = 300;
  Simulator simulator(config);
  SimRecord record;
  std::map<Role, int> seen;
  std::set<std::string> types;
  int multi_line = 0;
  for (int i = 0; i < 60'000; ++i) {
    simulator.next(record);
    if (record.bucket == Bucket::kRejected) continue;
    INFO(record.value);
    const Json json = Json::parse(record.value);
    ++seen[record.topic];
    REQUIRE(json.at("timestamp").get<std::string>().back() == 'Z');
    switch (record.topic) {
      case Role::kTransactions:
        REQUIRE(json.contains("transaction_id"));
        REQUIRE(json.at("currency").get<std::string>().size() == 3);
        if (json.contains("items")) {
          ++multi_line;
          REQUIRE(json.at("items").size() == record.fact.line_count);
          REQUIRE(json.contains("order_id"));
        } else {
          REQUIRE(json.at("amount").get<double>() > 0);
          REQUIRE(json.contains("product_id"));
        }
        break;
      case Role::kListings:
        REQUIRE(!json.at("name").get<std::string>().empty());
        REQUIRE(json.at("price").get<double>() > 0);
        REQUIRE(json.contains("category"));
        break;
      case Role::kFeedback:
        REQUIRE(json.at("rating").get<double>() >= 1);
        REQUIRE(json.at("rating").get<double>() <= 5);
        break;
      case Role::kInteractions:
        types.insert(json.at("type").get<std::string>());
        break;
    }
  }
  CHECK(types == std::set<std::string>{"view", "search", "click", "cart_add", "cart_remove",
                                       "checkout", "purchase", "wishlist"});
  CHECK(multi_line > 10);
  CHECK(seen[Role::kInteractions] > 5 * seen[Role::kTransactions]);
  CHECK(seen[Role::kTransactions] > 500);
  CHECK(seen[Role::kFeedback] > 0);
  CHECK(seen[Role::kListings] >= 299);
}

TEST_CASE("simulator: disorder, copies and dirt come in the shares that were asked for") {
  SimulatorConfig config;
  config.products = 300;
  config.rate = 2000;
  config.partitions = 3;
  Simulator simulator(config);
  SimRecord record;
  constexpr int kRecords = 300'000;
  std::map<std::pair<Role, std::int32_t>, std::map<std::string, int>> last_seen;
  std::map<std::pair<Role, std::int32_t>, int> position;
  int rejected = 0;
  int copies = 0;
  int late = 0;
  int future = 0;
  EventTime sent = config.start;
  for (int i = 0; i < kRecords; ++i) {
    simulator.next(record);
    REQUIRE(record.sent >= sent);
    REQUIRE(record.partition == static_cast<std::int32_t>(hash64(record.key) % 3));
    sent = record.sent;
    const auto lane = std::make_pair(record.topic, record.partition);
    const int here = ++position[lane];
    late += record.sent - record.time > std::chrono::minutes{1} ? 1 : 0;
    future += record.time - record.sent > std::chrono::hours{1} ? 1 : 0;
    rejected += record.bucket == Bucket::kRejected ? 1 : 0;
    REQUIRE((record.bucket == Bucket::kRejected) == (record.reason != Reason::kNone));
    if (record.bucket == Bucket::kRejected || record.topic == Role::kListings) continue;
    const auto before = last_seen[lane].find(record.value);
    if (record.bucket == Bucket::kDuplicate) {
      ++copies;
      REQUIRE(before != last_seen[lane].end());
      REQUIRE(here - before->second <= static_cast<int>(kDuplicateWithin));
    } else {
      REQUIRE(before == last_seen[lane].end());
    }
    last_seen[lane].emplace(record.value, here);
  }
  CHECK(std::abs(rejected / double{kRecords} - config.dirt) < 0.001);
  CHECK(std::abs(copies / double{kRecords} - config.duplicates) < 0.002);
  CHECK(late > 0);
  CHECK(late / double{kRecords} < 0.01);
  CHECK(future > 5);
  CHECK(future < 100);
}

TEST_CASE("simulator: its speed on the shop's clock is the rate that was asked for") {
  SimulatorConfig config;
  config.products = 10;
  config.profile = SimulatorConfig::Profile::kWave;
  config.flash_traffic = 1;
  config.rate = GENERATE(200.0, 50'000.0);
  Simulator simulator(config);
  SimRecord record;
  constexpr int kRecords = 200'000;
  for (int i = 0; i < kRecords; ++i) simulator.next(record);
  const double seconds = static_cast<double>((record.sent - config.start).count()) / 1e6;
  CAPTURE(config.rate, seconds);
  CHECK(std::abs(kRecords / seconds / config.rate - 1) < 0.15);
}

TEST_CASE("simulator: a flash sale is a peak") {
  SimulatorConfig config = live_shop();
  config.products = 500;
  config.rate = 500;
  Simulator simulator(config);
  SimRecord record;
  std::map<std::int64_t, int> sales;  // by 20 s
  do {
    simulator.next(record);
    if (record.topic == Role::kTransactions) ++sales[to_us(record.sent) / 20'000'000];
  } while (record.sent < config.start + std::chrono::minutes{6});
  std::vector<int> counts;
  for (const auto& [pane, count] : sales) counts.push_back(count);
  std::sort(counts.begin(), counts.end());
  CHECK(counts.back() > 2 * counts[counts.size() / 2]);
}

TEST_CASE("simulator: ratings come 10 10 20 30 30") {
  SimulatorConfig config;
  config.mix = SimulatorConfig::Mix::kSales;
  config.feedback = 0.5;
  config.feedback_after = std::chrono::seconds{1};
  config.products = 2000;
  Simulator simulator(config);
  SimRecord record;
  std::map<int, double> stars;
  int n = 0;
  for (int i = 0; i < 100'000; ++i) {
    simulator.next(record);
    if (record.topic != Role::kFeedback || record.bucket != Bucket::kCounted) continue;
    ++stars[record.fact.rating_milli / 1000];
    ++n;
  }
  REQUIRE(n > 10'000);
  const std::map<int, double> expected{{1, 0.1}, {2, 0.1}, {3, 0.2}, {4, 0.3}, {5, 0.3}};
  for (const auto& [star, share] : expected) {
    CAPTURE(star, stars[star] / n);
    CHECK(std::abs(stars[star] / n - share) < 0.03);
  }
}

TEST_CASE("dirt: every reject reason has a way, and every way occurs") {
  std::set<Reason> reasons;
  for (std::size_t i = 0; i < simulate::dirt_class_count(); ++i) {
    reasons.insert(simulate::dirt_class(i).reason);
  }
  CHECK(reasons.size() == kReasons - 1);  // all but kNone

  SimulatorConfig config;
  config.mix = SimulatorConfig::Mix::kSales;
  config.dirt = 0.5;
  config.feedback = 0.5;
  config.feedback_after = std::chrono::seconds{1};
  config.big_record_bytes = 2000;
  Simulator simulator(config);
  SimRecord record;
  std::set<Reason> met;
  for (int i = 0; i < 50'000; ++i) {
    simulator.next(record);
    if (record.bucket == Bucket::kRejected) met.insert(record.reason);
  }
  CHECK(met == reasons);
}

TEST_CASE("dirt: what is no JSON is no JSON, and what is, is") {
  simulate::Random random(11);
  const std::string good =
      R"({"transaction_id":"t-1","user_id":"u-1","session_id":"s-1","product_id":"P-1",)"
      R"("amount":19.99,"quantity":2,"currency":"USD","timestamp":"2024-11-25T10:00:00.000Z"})";
  REQUIRE(Json::accept(good));
  const std::set<Reason> broken{Reason::kNullValue,
                                Reason::kEmptyValue,
                                Reason::kBadUtf8,
                                Reason::kBadJson,
                                Reason::kTruncated,
                                Reason::kTrailingBytes,
                                Reason::kUnsupportedEncoding};
  for (std::size_t i = 0; i < simulate::dirt_class_count(); ++i) {
    const simulate::DirtClass& way = simulate::dirt_class(i);
    if ((way.roles & 1U) == 0) continue;
    for (int round = 0; round < 50; ++round) {
      std::string value = good;
      bool has_value = true;
      simulate::apply_dirt(i, 1000, random, value, has_value);
      CAPTURE(way.name, value);
      CHECK(Json::accept(value) == !broken.contains(way.reason));
      CHECK(has_value == (way.reason != Reason::kNullValue));
      CHECK(value != good);
    }
  }
}
