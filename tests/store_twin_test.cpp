// The whole core against the slow twin: facts -> aggregators -> epochs -> SQLite, with random
// lanes, batches, cuts and crashes. What the file then holds must be what the twin says.
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>
#include <random>

#include <retailpulse/store.h>

#include "base/zone.h"
#include "store/sqlite.h"
#include "support/catch.h"
#include "support/event_builder.h"
#include "support/fact_encoder.h"
#include "support/naive_model.h"
#include "support/random_facts.h"
#include "support/store_rows.h"
#include "window/aggregator.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;

class Folder {  // a folder of its own, gone at the end
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "retailpulse-twin-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

struct OneLane {
  std::vector<std::uint32_t> partitions;
  FactEncoder encoder;
  std::unique_ptr<Aggregator> aggregator;
};

// The process: lanes and store, killed and started again at will.
class Process {
 public:
  Process(const std::vector<std::vector<Fact>>& facts, const TimeConfig& time, std::size_t lanes,
          StoreOptions options)
      : facts_(facts), time_(time), options_(std::move(options)), lanes_(lanes),
        at_(facts.size(), 0) {
    for (std::uint32_t p = 0; p < facts.size(); ++p) lanes_[p % lanes].partitions.push_back(p);
    start();
  }

  void start() {
    store_.reset();
    auto store = open_store(options_);
    REQUIRE(store.ok());
    store_ = std::move(store).value();
    auto stored = store_->partitions();
    REQUIRE(stored.ok());
    for (std::uint32_t l = 0; l < lanes_.size(); ++l) {
      OneLane& lane = lanes_[l];
      lane.encoder = FactEncoder();
      lane.aggregator = std::make_unique<Aggregator>(LaneId{l}, time_, metrics_);
      lane.aggregator->adopt();
      for (const std::uint32_t p : lane.partitions) restore(*lane.aggregator, p, stored.value());
    }
  }

  // One random piece of one lane.
  void read(std::mt19937_64& random) {
    OneLane& lane = lanes_[random() % lanes_.size()];
    EventBatch batch;
    for (const std::uint32_t p : lane.partitions) {
      const std::size_t n = std::min<std::size_t>(random() % 40, facts_[p].size() - at_[p]);
      for (std::size_t i = 0; i < n; ++i) lane.encoder.append(facts_[p][at_[p]++], batch);
    }
    lane.aggregator->adopt();
    lane.aggregator->fold(batch);
  }

  void commit() {
    std::vector<std::unique_ptr<Epoch>> epochs;
    std::vector<const Epoch*> parts;
    for (OneLane& lane : lanes_) {
      lane.aggregator->adopt();
      epochs.push_back(lane.aggregator->cut_epoch());
      parts.push_back(epochs.back().get());
    }
    CommitContext context;
    context.out_of_order = time_.out_of_order;
    auto report = store_->commit(parts, {}, context);
    INFO(report.status().message());
    REQUIRE(report.ok());
    REQUIRE(store_->maintain().ok());
  }

  [[nodiscard]] bool all_read() const {
    for (std::size_t p = 0; p < facts_.size(); ++p) {
      if (at_[p] < facts_[p].size()) return false;
    }
    return true;
  }

 private:
  void restore(Aggregator& aggregator, std::uint32_t p, const std::vector<StoredPartition>& stored) {
    const auto it = std::find_if(stored.begin(), stored.end(), [&](const StoredPartition& s) {
      return s.partition == static_cast<std::int32_t>(p);
    });
    aggregator.adopt();
    REQUIRE(store_->bind(PartitionSlot{p}, "t", static_cast<std::int32_t>(p), 0).ok());
    at_[p] = it == stored.end() ? 0 : static_cast<std::size_t>(it->next);
    if (it == stored.end()) {
      aggregator.restore(PartitionSlot{p}, 0, INT64_MIN, {});
    } else {
      aggregator.restore(PartitionSlot{p}, it->next, it->max_event_us, it->recent_ids);
    }
  }

  const std::vector<std::vector<Fact>>& facts_;
  TimeConfig time_;
  StoreOptions options_;
  AggregatorMetrics metrics_;
  std::vector<OneLane> lanes_;
  std::vector<std::size_t> at_;
  std::unique_ptr<RollupStore> store_;
};

// The store's rows, with money in micros.
Rows rows_of(const std::string& path) {
  auto db = Database::open(path, Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  return store_rows(db.value());
}

TEST_CASE("the store holds what the slow twin says, whatever lanes, cuts and crashes", "[store][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (const char* zone : {"Europe/Berlin", "Asia/Kathmandu"}) {
    TimeConfig time;
    time.zone = zone;
    RandomShop shop;
    shop.partitions = 5;
    shop.records = 2'000;
    shop.begin = utc("2026-03-28 20:00:00");  // Berlin: over the day of 23 hours
    const auto facts = random_facts(seed, shop);
    NaiveModel model(time);
    for (const auto& partition : facts) {
      for (const Fact& fact : partition) model.add(fact);
    }
    const Rows expected = as_store_rows(model.rows());
    for (std::size_t lanes = 1; lanes <= 3; ++lanes) {
      INFO("zone " << zone << ", lanes " << lanes);
      const Folder folder;
      StoreOptions options;
      options.config.directory = folder.path();
      options.zone = zone;
      Process process(facts, time, lanes, options);
      while (!process.all_read()) {
        process.read(random);
        const std::uint64_t dice = random() % 100;
        if (dice < 30) process.commit();
        if (dice >= 97) process.start();
      }
      process.commit();
      const Rows actual = rows_of(folder.path() + "/retailpulse.db");
      INFO(difference(expected, actual));
      REQUIRE((expected == actual));
    }
  }
}

}  // namespace
}  // namespace retailpulse
