// shop_feed: a mock cluster with the records of a PrfShop, and the judge of stores that read them.
//
//   shop_feed --seed N
//
// Prints {"bootstrap":"..","topics":[..]} by role, then obeys lines of stdin, each with a line of JSON:
//   give N       writes the next N records                  {"given":all so far}
//   check PATH   asks the prefix oracle about a store file  {"records":..,"lost":..,"doubled":..,
//                                                            "faults":[..]}
//   checkpoint PATH   moves the log of a store into its file, as a careless tool may  {"moved":true}
// The offsets that a store has may only grow from check to check. Ends with stdin.
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include <retailpulse/kafka.h>

#include "store/sqlite.h"
#include "support/prefix_oracle.h"
#include "support/prf_writer.h"

using namespace retailpulse;
using namespace retailpulse::testing;

namespace {

constexpr std::uint32_t kPartitions = 2;

void must(const Status& status) {
  if (status.ok()) return;
  std::fprintf(stderr, "shop_feed: %s\n", status.message().c_str());
  std::exit(2);
}

class Feed {
 public:
  explicit Feed(std::uint64_t seed)
      : writer_({seed, kPartitions}, {kRoleNames.begin(), kRoleNames.end()}) {
    auto mock = start_mock_cluster(1);
    must(mock.status());
    mock_ = std::move(mock).value();
    config_.bootstrap = mock_->bootstrap();
    for (const std::string& topic : writer_.topics()) {
      must(mock_->create_topic(topic, kPartitions));
    }
    ProducerOptions how;
    how.codec = "none";
    auto producer = open_producer(config_, how);
    must(producer.status());
    producer_ = std::move(producer).value();
    TimeConfig time;
    time.zone = "Europe/Berlin";
    oracle_ = std::make_unique<PrefixOracle>(writer_.shop(), writer_.topics(), time);
  }

  nlohmann::json begin() const { return {{"bootstrap", config_.bootstrap}, {"topics", writer_.topics()}}; }

  nlohmann::json give(std::uint64_t n) {
    must(writer_.give(n, *producer_));
    must(producer_->flush(std::chrono::minutes{1}));
    Offset given = 0;
    for (const Offset end : writer_.ends()) given += end;
    return {{"given", given}};
  }

  nlohmann::json check(const std::string& path) {
    const Verdict v = oracle_->check(path, writer_.ends());
    return {{"records", v.records}, {"lost", v.lost}, {"doubled", v.doubled}, {"faults", v.faults}};
  }

 private:
  PrfWriter writer_;
  KafkaConfig config_;
  std::unique_ptr<MockCluster> mock_;
  std::unique_ptr<Producer> producer_;
  std::unique_ptr<PrefixOracle> oracle_;
};

nlohmann::json checkpoint(const std::string& path) {
  auto db = Database::open(path, Database::Mode::kReadWriteCreate);
  must(db.status());
  const auto moved = db.value().wal_checkpoint(Database::Checkpoint::kPassive);
  must(moved.status());
  return {{"moved", moved.value()}};
}

void say(const nlohmann::json& answer) {
  std::cout << answer.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) << std::endl;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3 || std::string(argv[1]) != "--seed") {
    std::fprintf(stderr, "shop_feed --seed N\n");
    return 64;
  }
  Feed feed(std::stoull(argv[2]));
  say(feed.begin());
  for (std::string line; std::getline(std::cin, line);) {
    const auto blank = line.find(' ');
    const std::string word = line.substr(0, blank);
    const std::string rest = blank == std::string::npos ? "" : line.substr(blank + 1);
    if (word == "give") say(feed.give(std::stoull(rest)));
    if (word == "check") say(feed.check(rest));
    if (word == "checkpoint") say(checkpoint(rest));
  }
  return 0;
}
