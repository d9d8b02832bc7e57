// The whole core against the slow twin: facts -> aggregators -> epochs -> SQLite, with random
// lanes, batches, cuts and crashes. What the file then holds must be what the twin says.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <random>
#include <sstream>

#include <fmt/format.h>

#include <retailpulse/store.h>

#include "base/hash.h"
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
  std::int64_t floor_us = INT64_MIN;
  FactEncoder encoder;
  std::unique_ptr<Aggregator> aggregator;
};

// The process: lanes and store, killed and started again at will.
class Process {
 public:
  Process(const std::vector<std::vector<Fact>>& facts, const TimeConfig& time, std::size_t lanes,
          StoreOptions options)
      : facts_(facts), time_(time), options_(std::move(options)), lanes_(lanes),
        at_(facts.size(), 0), newest_(facts.size(), INT64_MIN), floors_(facts.size()) {
    for (std::uint32_t p = 0; p < facts.size(); ++p) {
      lanes_[p % lanes].partitions.push_back(p);
      floors_[p].resize(facts[p].size(), INT64_MIN);
    }
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
      lane.floor_us = store_->floor_us();
      lane.aggregator->refuse_before(lane.floor_us);
      for (const std::uint32_t p : lane.partitions) restore(*lane.aggregator, p, stored.value());
    }
  }

  // One random piece of one lane.
  void read(std::mt19937_64& random) {
    OneLane& lane = lanes_[random() % lanes_.size()];
    EventBatch batch;
    for (const std::uint32_t p : lane.partitions) {
      const std::size_t n = std::min<std::size_t>(random() % 40, facts_[p].size() - at_[p]);
      for (std::size_t i = 0; i < n; ++i) {
        floors_[p][at_[p]] = lane.floor_us;
        lane.encoder.append(facts_[p][at_[p]++], batch);
      }
    }
    lane.aggregator->adopt();
    lane.aggregator->fold(batch);
  }

  // All of one partition.
  void read_of(std::uint32_t p) {
    OneLane& lane = lanes_[p % lanes_.size()];
    EventBatch batch;
    for (; at_[p] < facts_[p].size(); ++at_[p]) {
      floors_[p][at_[p]] = lane.floor_us;
      lane.encoder.append(facts_[p][at_[p]], batch);
    }
    lane.aggregator->adopt();
    lane.aggregator->fold(batch);
  }

  // `watermark_us`: as if every partition that is further back were idle. What the store has says
  // more.
  void commit(std::int64_t watermark_us = INT64_MIN) {
    std::vector<std::unique_ptr<Epoch>> epochs;
    std::vector<const Epoch*> parts;
    const std::int64_t floor_us = store_->next_floor_us();
    for (OneLane& lane : lanes_) {
      lane.aggregator->adopt();
      epochs.push_back(lane.aggregator->cut_epoch());
      lane.aggregator->refuse_before(floor_us);
      lane.floor_us = floor_us;
      parts.push_back(epochs.back().get());
      for (const PartitionAdvance& a : parts.back()->advances) {
        newest_[index_of(a.slot)] = a.max_event_us;
      }
    }
    CommitContext context;
    context.watermark_us = std::max(store_->watermark_us(), watermark_us);
    context.out_of_order = time_.out_of_order;
    auto report = store_->commit(parts, {}, context);
    INFO(report.status().message());
    REQUIRE(report.ok());
    REQUIRE(store_->maintain().ok());
  }

  // The newest event of a partition, as its last epoch said.
  [[nodiscard]] std::int64_t newest_us(std::size_t p) const { return newest_[p]; }
  // What was sealed everywhere when a record was read, the last time that it was.
  [[nodiscard]] std::int64_t floor_us(std::size_t p, std::size_t record) const {
    return floors_[p][record];
  }
  // Until nothing is left to delete.
  void prune() {
    for (int i = 0; i < 5'000; ++i) REQUIRE(store_->maintain().ok());
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
    newest_[p] = it == stored.end() ? INT64_MIN : it->max_event_us;
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
  std::vector<std::int64_t> newest_;
  std::vector<std::vector<std::int64_t>> floors_;
  std::unique_ptr<RollupStore> store_;
};

// The store's rows, with money in micros.
Rows rows_of(const std::string& path) {
  auto db = Database::open(path, Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  return store_rows(db.value());
}

// The same with the sketches of visitors, byte for byte: what two ways of reading must agree in.
Rows content_of(const std::string& path) {
  auto db = Database::open(path, Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  Rows rows = store_rows(db.value());
  for (std::string& row : texts_of(db.value(), "SELECT tier||'|'||pane_us||'|'||hex(registers) "
                                               "FROM visitors ORDER BY tier,pane_us")) {
    rows.push_back(std::move(row));
  }
  return rows;
}

std::uint64_t content_hash(const Rows& rows) {
  std::uint64_t hash = 0;
  for (const std::string& row : rows) hash = hash64(row, hash);
  return hash;
}

// Read by `lanes` lanes, in random pieces, with random commits and restarts.
Rows content_by(std::size_t lanes, const std::vector<std::vector<Fact>>& facts,
                const TimeConfig& time, std::mt19937_64& random) {
  const Folder folder;
  StoreOptions options;
  options.config.directory = folder.path();
  options.zone = time.zone;
  Process process(facts, time, lanes, options);
  const std::uint64_t commits = 5 + random() % 60;
  while (!process.all_read()) {
    process.read(random);
    const std::uint64_t dice = random() % 100;
    if (dice < commits) process.commit();
    if (dice >= 98) process.start();
  }
  process.commit();
  return content_of(folder.path() + "/retailpulse.db");
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

// Rows of panes that are sealed in their tier are nobody's business.
Rows kept(const Rows& rows, const std::string& path) {
  auto db = Database::open(path, Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  std::array<std::string, kTiers> first;
  const char* columns[] = {"sealed_10s_us", "sealed_1m_us", "sealed_15m_us", "sealed_day_us"};
  for (std::size_t t = 0; t < kTiers; ++t) {
    const auto sealed = db.value().integer(fmt::format("SELECT {} FROM clock", columns[t]));
    REQUIRE(sealed.ok());
    const std::int64_t us = sealed.value().value_or(INT64_MIN);
    first[t] = us == INT64_MIN ? "" : pane_text(static_cast<Tier>(t), us);
  }
  Rows out;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(out), [&](const std::string& row) {
    const auto tier_at = row.find('|') + 1, pane_at = row.find('|', tier_at) + 1;
    const auto tier = std::find(kTierNames.begin(), kTierNames.end(),
                                row.substr(tier_at, pane_at - tier_at - 1));
    if (tier == kTierNames.end()) return true;  // of the ledger
    const auto pane = row.substr(pane_at, row.find('|', pane_at) - pane_at);
    return pane >= first[static_cast<std::size_t>(tier - kTierNames.begin())];
  });
  return out;
}

// Ends of ledger rows: "partition|bucket|records".
Rows ledger_of(const std::string& path) {
  auto db = Database::open(path, Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  return texts_of(db.value(), "SELECT partition||'|'||bucket||'|'||sum(records) FROM ledger "
                              "GROUP BY partition,bucket ORDER BY 1");
}

Rows ledger_of(const NaiveModel& model) {
  Rows out;
  for (const std::string& row : only(model.rows(), "ledger|")) {
    const std::string partition = row.substr(7, row.find('|', 7) - 7);
    for (const std::string_view bucket : kBucketNames) {
      const std::string word = fmt::format("|{}=", bucket);
      const auto at = row.find(word) + word.size();
      const std::string records = row.substr(at, row.find('|', at) - at);
      if (records != "0") out.push_back(fmt::format("{}|{}|{}", partition, bucket, records));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

// A shop of eleven days whose records are late by up to a week, and whose watermark goes on now and
// then, as if any of its partitions were idle.
RandomShop late_shop(EventTime begin) {
  RandomShop shop;
  shop.partitions = 4;
  shop.records = 3'000;
  shop.begin = begin;
  shop.span = std::chrono::hours{24 * 11};
  shop.very_late = 30;
  shop.late_by = std::chrono::hours{24 * 7};
  shop.listed = begin - std::chrono::hours{24 * 90};
  return shop;
}

// Reads everything with random pieces, cuts, watermarks and crashes, and compares what is kept and
// the ledger with the twin.
void run_late(const std::vector<std::vector<Fact>>& facts, const TimeConfig& time,
              std::size_t lanes, const RetentionConfig& retention, std::mt19937_64& random,
              std::uint64_t& too_late) {
  const Folder folder;
  const std::string path = folder.path() + "/retailpulse.db";
  StoreOptions options;
  options.config.directory = folder.path();
  options.config.retention = retention;
  options.zone = time.zone;
  Process process(facts, time, lanes, options);
  while (!process.all_read()) {
    process.read(random);
    const std::uint64_t dice = random() % 100;
    if (dice >= 97) process.start();
    if (dice >= 40) continue;
    const std::int64_t newest = process.newest_us(random() % facts.size());
    const bool known = newest != INT64_MIN;
    process.commit(known ? newest - time.out_of_order.count() : INT64_MIN);
  }
  process.commit();
  NaiveModel model(time);
  for (std::size_t p = 0; p < facts.size(); ++p) {
    for (std::size_t i = 0; i < facts[p].size(); ++i) model.add(facts[p][i], process.floor_us(p, i));
  }
  const Rows expected = kept(as_store_rows(model.rows()), path), actual = kept(rows_of(path), path);
  INFO(difference(expected, actual));
  REQUIRE((expected == actual));
  const Rows filed = ledger_of(model), stored = ledger_of(path);
  INFO(difference(filed, stored));
  REQUIRE((filed == stored));
  for (const std::string& row : filed) {
    const auto at = row.find("|too_late|");
    if (at != std::string::npos) too_late += std::stoull(row.substr(at + 10));
  }
}

TEST_CASE("T6: three in ten records late by up to a week: every kept pane equals a recount",
          "[store][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  TimeConfig time;
  time.zone = "America/St_Johns";
  const auto facts = random_facts(seed, late_shop(utc("2026-03-01 00:00:00")));
  std::uint64_t too_late = 0;
  for (const std::size_t lanes : {1, 3}) run_late(facts, time, lanes, {}, random, too_late);
  CHECK(too_late == 0);  // days are kept for ever
}

TEST_CASE("T7: where days are pruned, older records are too late; what is kept is exact",
          "[store][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  TimeConfig time;
  time.zone = "Europe/Berlin";
  RetentionConfig retention;
  retention.ten_seconds = std::chrono::minutes{10};
  retention.minute = std::chrono::hours{3};
  retention.quarter = std::chrono::hours{30};
  retention.day = std::chrono::hours{60};
  const auto facts = random_facts(seed, late_shop(utc("2026-03-22 00:00:00")));
  std::uint64_t too_late = 0;
  for (const std::size_t lanes : {1, 2, 4}) {
    run_late(facts, time, lanes, retention, random, too_late);
  }
  CHECK(too_late > 100);
}

TEST_CASE("T7: old records that are read after their days were pruned bring no window back",
          "[store]") {
  const auto day = [](int n) { return utc("2026-01-01 12:00:00") + std::chrono::hours{24 * n}; };
  std::vector<std::vector<Fact>> facts(2);
  const auto sell = [&](std::uint32_t partition, int on) {
    Fact sale;
    sale.partition = partition;
    sale.offset = static_cast<Offset>(facts[partition].size());
    sale.time = day(on);
    sale.kind = EventKind::kSale;
    sale.type = "sale";
    sale.visitor = "ann";
    sale.order = fmt::format("order{}", on);
    sale.lines.push_back({"mug", "", "EUR", 1'000'000, 1000});
    facts[partition].push_back(sale);
    Fact rating = sale;
    ++rating.offset;
    rating.kind = EventKind::kFeedback;
    rating.type = "rating";
    rating.lines.clear();
    rating.product = "mug";
    rating.rating_milli = 5000;
    facts[partition].push_back(rating);
  };
  for (int n = 0; n < 100; ++n) sell(0, n);
  for (int n = 0; n < 100; ++n) sell(1, n);
  TimeConfig time;
  time.zone = "UTC";
  const Folder folder;
  StoreOptions options;
  options.config.directory = folder.path();
  options.zone = time.zone;
  options.config.retention.day = std::chrono::hours{24 * 30};
  Process process(facts, time, 2, options);
  process.read_of(0);
  process.commit(to_us(day(99)));
  process.commit();  // seals the days that the first commit's watermark left behind
  process.prune();
  const bool crashed = GENERATE(false, true);
  if (crashed) process.start();
  process.read_of(1);
  process.commit();
  const std::string path = folder.path() + "/retailpulse.db";
  auto db = Database::open(path, Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  const std::int64_t sealed = to_us(day(69)) - 12 * 3600 * kSecondUs;
  CHECK(db.value().integer("SELECT sealed_day_us FROM clock").value() == sealed);
  for (const char* table : {"totals", "categories", "products", "ratings", "types", "visitors"}) {
    INFO(table);
    const auto resurrected =
        db.value().integer(fmt::format("SELECT count(*) FROM {} WHERE pane_us<{}", table, sealed));
    CHECK(resurrected.value() == 0);
  }
  CHECK((ledger_of(path) == Rows{"0|counted|200", "1|counted|62", "1|too_late|138"}));
  CHECK((texts_of(db.value(), "SELECT count(*)||'|'||sum(lines)||'|'||sum(orders) FROM totals_by_day") ==
         Rows{"31|62|31"}));
}

struct Shown {
  std::string state;
  std::string sums;
  std::int64_t revision = 0;
  std::int64_t pane_us = 0;
};

// What the views show of every pane, by "tier|pane|currency".
std::map<std::string, Shown> shown_panes(Database& db) {
  std::map<std::string, Shown> out;
  for (const std::string& row :
       texts_of(db, "SELECT tier||'|'||minute||'|'||currency||'#'||state||'#'||net_micros||','||lines"
                    "||','||orders||'#'||revision||'#'||pane_us FROM totals_by_minute")) {
    std::vector<std::string> parts;
    std::istringstream in(row);
    for (std::string part; std::getline(in, part, '#');) parts.push_back(part);
    out[parts.at(0)] = {parts.at(1), parts.at(2), std::stoll(parts.at(3)), std::stoll(parts.at(4))};
  }
  return out;
}

TEST_CASE("H8: no open pane is ever shown as final, and what changed after it was is revised",
          "[store][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  TimeConfig time;
  time.zone = "Europe/Berlin";
  const Zone zone = zone_named(time.zone);
  RandomShop shop = late_shop(utc("2026-03-25 00:00:00"));
  shop.records = 1'500;
  const auto facts = random_facts(seed, shop);
  const Folder folder;
  StoreOptions options;
  options.config.directory = folder.path();
  options.zone = time.zone;
  Process process(facts, time, 2, options);
  auto db = Database::open(folder.path() + "/retailpulse.db", Database::Mode::kReadOnly);
  REQUIRE(db.ok());
  const auto watermark = [&db] {
    return db.value().integer("SELECT watermark_us FROM clock").value().value_or(INT64_MIN);
  };
  std::int64_t judged = 0, revised = 0;
  for (auto before = shown_panes(db.value()); !process.all_read();) {
    process.read(random);
    const std::int64_t newest = process.newest_us(random() % facts.size());
    const std::int64_t was = watermark();
    process.commit(newest == INT64_MIN ? INT64_MIN : newest - time.out_of_order.count());
    const std::int64_t now = watermark();
    const auto after = shown_panes(db.value());
    for (const auto& entry : after) {
      const std::string& key = entry.first;
      const Shown& pane = entry.second;
      INFO(key << " " << pane.state << ", revision " << pane.revision << ", watermark " << now);
      const auto closed_at = [&](std::int64_t mark) {
        if (mark == INT64_MIN) return false;
        if (key.rfind("1d", 0) == 0) return pane.pane_us < zone.civil_day(from_us(mark));
        const std::size_t tier = key.rfind("15m", 0) == 0 ? 2 : 1;
        return pane.pane_us + kTierUs[tier] <= mark;
      };
      const char* closed = pane.revision > 0 ? "revised" : "final";
      REQUIRE(pane.state == (closed_at(now) ? closed : "provisional"));
      ++judged;
      const auto known = before.find(key);
      if (known == before.end()) continue;  // new, or now answered from this tier
      const Shown& old = known->second;
      const std::int64_t more = pane.revision - old.revision;
      if (pane.sums != old.sums && closed_at(was)) REQUIRE(more == 1);
      if (!closed_at(was)) REQUIRE(more == 0);
      REQUIRE((more == 0 || more == 1));
      revised += more;
    }
    before = after;
  }
  CHECK(judged > 1'000);
  CHECK(revised > 10);
}

// tests/long/twin_seeds does it 10,000 times.
TEST_CASE("any lanes, any cuts, any order of arrival: one content hash", "[store][random][seeds]") {
  const char* wanted = std::getenv("TWIN_SEEDS");
  const int seeds = wanted == nullptr ? 12 : std::atoi(wanted);
  const std::uint64_t first = std::random_device{}();
  constexpr const char* kZones[] = {"Europe/Berlin", "Asia/Kathmandu", "America/New_York", "UTC"};
  std::uint64_t all = 0;
  for (int i = 0; i < seeds; ++i) {
    const std::uint64_t seed = first + static_cast<std::uint64_t>(i);
    INFO("seed " << seed);
    std::mt19937_64 random(seed);
    TimeConfig time;
    time.zone = kZones[random() % 4];
    RandomShop shop;
    shop.partitions = 1 + static_cast<std::uint32_t>(random() % 7);
    shop.records = 60 + random() % 300;
    shop.begin = utc("2026-03-28 20:00:00");
    shop.products = 4 + static_cast<std::uint32_t>(random() % 30);
    const auto facts = random_facts(seed, shop);
    NaiveModel model(time);
    for (const auto& partition : facts) {
      for (const Fact& fact : partition) model.add(fact);
    }
    const Rows one = content_by(1 + random() % 8, facts, time, random);
    const Rows other = content_by(1 + random() % 8, facts, time, random);
    REQUIRE(content_hash(one) == content_hash(other));
    const Rows expected = as_store_rows(model.rows());
    const auto sketches = one.begin() + static_cast<std::ptrdiff_t>(expected.size());
    INFO(difference(expected, Rows(one.begin(), sketches)));
    REQUIRE(std::equal(expected.begin(), expected.end(), one.begin(), sketches));
    all = hash64(std::to_string(content_hash(one)), all);
  }
  if (wanted != nullptr) {
    std::printf("%d seeds from %llu: 0 differ\n", seeds, static_cast<unsigned long long>(first));
  }
  CHECK(all != 0);
}

}  // namespace
}  // namespace retailpulse
