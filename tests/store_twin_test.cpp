// The whole core against the slow twin: facts -> aggregators -> epochs -> SQLite, with random
// lanes, batches, cuts and crashes. What the file then holds must be what the twin says.
#include <unistd.h>

#include <algorithm>
#include <deque>
#include <filesystem>
#include <memory>
#include <random>

#include <fmt/format.h>

#include <retailpulse/store.h>

#include "base/zone.h"
#include "store/sqlite.h"
#include "support/catch.h"
#include "support/event_builder.h"
#include "support/fact_encoder.h"
#include "support/naive_model.h"
#include "support/random_facts.h"
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

constexpr const char* kSalesSql =
    "'orders='||r.orders||'|lines='||r.lines||'|units='||printf('%d.%03d',r.units_milli/1000,"
    "r.units_milli%1000)||'|gross='||r.gross_micros||'|refunds='||r.refunds_micros";

// The store's rows, with money in micros.
Rows rows_of(const std::string& path) {
  const std::string pane =
      "CASE r.tier WHEN 0 THEN '10s' WHEN 1 THEN '1m' WHEN 2 THEN '15m' ELSE '1d' END||'|'||"
      "CASE r.tier WHEN 3 THEN date(r.pane_us/1000000,'unixepoch') ELSE "
      "strftime('%Y-%m-%dT%H:%M:%SZ',r.pane_us/1000000,'unixepoch') END||'|'||";
  const auto name = [](int dimension, const char* column) {
    return fmt::format("(SELECT text FROM names WHERE dimension={} AND id=r.{})", dimension, column);
  };
  const std::vector<std::string> queries = {
      fmt::format("SELECT 'totals|'||{}{}||'|'||{} FROM totals r", pane, name(2, "currency"), kSalesSql),
      fmt::format("SELECT 'categories|'||{}{}||'|'||{}||'|'||{} FROM categories r", pane,
                  name(1, "category"), name(2, "currency"), kSalesSql),
      fmt::format("SELECT 'products|'||{}{}||'|'||{}||'|'||{}||'|'||{} FROM products r", pane,
                  name(0, "product"), name(1, "category"), name(2, "currency"), kSalesSql),
      fmt::format("SELECT 'ratings|'||{}{}||'|ratings='||ratings||'|sum='||printf('%d.%03d',"
                  "sum_milli/1000,sum_milli%1000)||'|stars='||one||','||two||','||three||','||four"
                  "||','||five FROM ratings r", pane, name(0, "product")),
      fmt::format("SELECT 'types|'||{}{}||'|events='||events FROM types r", pane, name(3, "type")),
      "SELECT 'reason|'||p.partition||'|'||l.reason||'|records='||l.records FROM ledger_counts l "
      "JOIN partition_state p USING(slot_id) WHERE l.bucket='rejected'",
      "SELECT 'reject|'||p.partition||'|'||r.offset||'|'||r.reason FROM reject_rows r "
      "JOIN partition_state p USING(slot_id)"};
  auto db = Database::open(path, Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  Rows rows;
  for (const std::string& query : queries) {
    auto statement = db.value().prepare(query);
    INFO(query << statement.status().message());
    REQUIRE(statement.ok());
    for (;;) {
      auto more = statement.value().step();
      REQUIRE(more.ok());
      if (!more.value()) break;
      rows.emplace_back(statement.value().text(0));
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// The twin's rows that a store keeps, its money texts as micros.
Rows comparable(const Rows& rows) {
  Rows out;
  for (const char* table : {"totals|", "categories|", "products|", "ratings|", "types|", "reason|",
                            "reject|"}) {
    for (std::string row : only(rows, table)) {
      for (const char* field : {"gross=", "refunds="}) {
        const auto at = row.find(field);
        if (at == std::string::npos) continue;
        const auto begin = at + std::string_view(field).size();
        const auto end = std::min(row.find('|', begin), row.size());
        row.replace(begin, end - begin, std::to_string(scaled(row.substr(begin, end - begin), 6)));
      }
      out.push_back(std::move(row));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
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
    const Rows expected = comparable(model.rows());
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
