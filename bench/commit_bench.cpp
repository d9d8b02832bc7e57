// commit_bench: what a commit of the store costs, beside a plain bulk insert of as many rows.
//
// A commit is a live shop's: sales of so many products in one minute, which becomes rows of
// products and categories in three tiers, totals in four, the offset, the ledger and the clock.
// Every fourth commit begins a new minute; the others find their rows there already. The reference
// inserts rows of as many integers in key order, one transaction each, in the same mode of the
// same library. Before anything is timed the sums of a store must be the sums of what was given.
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <numeric>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>

#include <retailpulse/clock.h>
#include <retailpulse/store.h>

#include "base/check.h"
#include "store/sqlite.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kFirstUs = 1'767'225'600'000'000;  // 2026-01-01
constexpr std::uint32_t kCategories = 20;
constexpr int kCommitsInMinute = 4;
constexpr int kCommitsForSize = 8;

class Folder {
 public:
  Folder() {
    std::string name = (std::filesystem::temp_directory_path() / "commit-bench-XXXXXX").string();
    RP_CHECK(mkdtemp(name.data()) != nullptr, "a temporary folder");
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

template <class T>
T must(Result<T> result) {
  RP_CHECK(result.ok(), result.status().message().c_str());
  return std::move(result).value();
}
void must(const Status& status) { RP_CHECK(status.ok(), status.message().c_str()); }

std::int64_t file_bytes(const std::string& path) {
  struct stat known {};
  return stat(path.c_str(), &known) == 0 ? known.st_size : 0;
}

// The shop: commits of `products` products each.
class Shop {
 public:
  Shop(const std::string& folder, std::uint32_t products) : products_(products) {
    StoreOptions options;
    options.config.directory = folder;
    options.zone = "UTC";
    store_ = must(open_store(options));
    must(store_->bind(PartitionSlot{0}, "transactions", 0, 0));
  }

  CommitReport commit() {
    const Epoch epoch = make_epoch();
    const Epoch* const epochs[] = {&epoch};
    CommitContext context;
    context.watermark_us = minute_us() - kTierUs[static_cast<std::size_t>(Tier::kMinute)];
    context.wall_us = minute_us();
    ++commits_;
    return must(store_->commit(epochs, {}, context));
  }
  [[nodiscard]] RollupStore& store() { return *store_; }
  [[nodiscard]] std::int64_t gross_micros() const { return gross_micros_; }

 private:
  [[nodiscard]] std::int64_t minute_us() const {
    return kFirstUs + commits_ / kCommitsInMinute * kTierUs[static_cast<std::size_t>(Tier::kMinute)];
  }

  Epoch make_epoch() {
    Epoch epoch;
    epoch.number = static_cast<std::uint64_t>(commits_ + 1);
    if (commits_ == 0) name_all(epoch);
    TotalDelta total{minute_us(), NameId{0}, {}};
    for (std::uint32_t p = 0; p < products_; ++p) {
      const auto micros = static_cast<std::int64_t>(random_() % 100'000'000);
      const Sales sales{1, 1, 1'000, micros, 0};
      epoch.products.push_back({minute_us(), NameId{p}, NameId{p % kCategories}, NameId{0}, sales});
      total.sales.orders += 1;
      total.sales.lines += 1;
      total.sales.units_milli += 1'000;
      total.sales.gross_micros += micros;
    }
    std::shuffle(epoch.products.begin(), epoch.products.end(), random_);
    gross_micros_ += total.sales.gross_micros;
    epoch.totals.push_back(total);
    PartitionAdvance advance;
    advance.begin = next_;
    advance.next = next_ += products_;
    advance.records = products_;
    advance.counts[static_cast<std::size_t>(Bucket::kCounted)] = products_;
    advance.max_event_us = advance.min_event_us = minute_us();
    epoch.advances.push_back(advance);
    return epoch;
  }

  void name_all(Epoch& epoch) const {
    epoch.names.push_back({Dimension::kCurrency, NameId{0}, "EUR"});
    for (std::uint32_t c = 0; c < kCategories; ++c) {
      epoch.names.push_back({Dimension::kCategory, NameId{c}, fmt::format("category {}", c)});
    }
    for (std::uint32_t p = 0; p < products_; ++p) {
      epoch.names.push_back({Dimension::kProduct, NameId{p}, fmt::format("product-{:06}", p)});
    }
  }

  const std::uint32_t products_;
  std::unique_ptr<RollupStore> store_;
  std::mt19937_64 random_{42};
  std::int64_t commits_ = 0;
  Offset next_ = 0;
  std::int64_t gross_micros_ = 0;
};

// The reference: `rows` new rows of eleven integers in key order, one transaction.
class Bulk {
 public:
  explicit Bulk(const std::string& folder)
      : db_(must(Database::open(folder + "/bulk.db", Database::Mode::kReadWriteCreate))) {
    must(db_.exec("PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;PRAGMA wal_autocheckpoint=0;"
                  "PRAGMA cache_size=-16384;"
                  "CREATE TABLE t(a,b,c,d,e,f,g,h,i,j,k,PRIMARY KEY(a,b,c)) WITHOUT ROWID"));
    db_.count_wal_pages();
    insert_ = must(db_.prepare("INSERT INTO t VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10,?11)"));
  }
  void commit(std::uint64_t rows) {
    must(db_.exec("BEGIN IMMEDIATE"));
    ++commits_;
    for (std::uint64_t row = 0; row < rows; ++row) {
      insert_.bind(1, std::int64_t{1}).bind(2, kFirstUs + commits_);
      insert_.bind(3, static_cast<std::int64_t>(row));
      for (int column = 4; column <= 11; ++column) {
        insert_.bind(column, static_cast<std::int64_t>(row * 7919 % 100'000'000));
      }
      static_cast<void>(must(insert_.run()));
    }
    must(db_.exec("COMMIT"));
  }
  void maintain() {
    if (db_.wal_pages() >= 1000) must(db_.wal_checkpoint(Database::Checkpoint::kPassive));
  }

 private:
  Database db_;
  Statement insert_;
  std::int64_t commits_ = 0;
};

double percentile(std::vector<double>& values, double share) {
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

void report(benchmark::State& state, std::uint64_t rows, std::vector<double>& took_ms) {
  using Counter = benchmark::Counter;
  state.counters["rows"] = static_cast<double>(rows) / static_cast<double>(state.iterations());
  state.counters["rows/s"] = Counter(static_cast<double>(rows), Counter::kIsRate);
  state.counters["p50_ms"] = percentile(took_ms, 0.50);
  state.counters["p99_ms"] = percentile(took_ms, 0.99);
}

double ms_since(Duration begun) {
  return std::chrono::duration<double, std::milli>(system_clock().monotonic() - begun).count();
}

// Rates hold the checkpoints that follow commits; percentiles are of the commits alone.
void commit(benchmark::State& state) {
  const Folder folder;
  Shop shop(folder.path(), static_cast<std::uint32_t>(state.range(0)));
  std::uint64_t bytes_rows = 0;
  shop.commit();
  const std::int64_t before = file_bytes(folder.path() + "/retailpulse.db-wal");
  for (int i = 0; i < kCommitsForSize; ++i) bytes_rows += shop.commit().rows_written;
  const std::int64_t wal = file_bytes(folder.path() + "/retailpulse.db-wal") - before;
  must(shop.store().maintain());
  std::uint64_t rows = 0;
  std::vector<double> took_ms;
  for (auto _ : state) {
    const Duration begun = system_clock().monotonic();
    rows += shop.commit().rows_written;
    took_ms.push_back(ms_since(begun));
    must(shop.store().maintain());
  }
  report(state, rows, took_ms);
  state.counters["wal_B/row"] = static_cast<double>(wal) / static_cast<double>(bytes_rows);
}

void bulk_insert(benchmark::State& state) {
  const Folder folder;
  Bulk bulk(folder.path());
  const auto rows = static_cast<std::uint64_t>(state.range(0));
  bulk.commit(rows);
  const std::int64_t before = file_bytes(folder.path() + "/bulk.db-wal");
  for (int i = 0; i < kCommitsForSize; ++i) bulk.commit(rows);
  const std::int64_t wal = file_bytes(folder.path() + "/bulk.db-wal") - before;
  bulk.maintain();
  std::vector<double> took_ms;
  for (auto _ : state) {
    const Duration begun = system_clock().monotonic();
    bulk.commit(rows);
    took_ms.push_back(ms_since(begun));
    bulk.maintain();
  }
  report(state, rows * static_cast<std::uint64_t>(state.iterations()), took_ms);
  state.counters["wal_B/row"] = static_cast<double>(wal) / static_cast<double>(rows * kCommitsForSize);
}

// About a thousand and ten thousand rows: a product is a row in each of three tiers.
BENCHMARK(commit)->Arg(313)->Arg(3'313)->Unit(benchmark::kMillisecond)->UseRealTime();
BENCHMARK(bulk_insert)->Arg(1'000)->Arg(10'000)->Unit(benchmark::kMillisecond)->UseRealTime();

// What the file says of every tier against what was given.
bool sums_are_right() {
  const Folder folder;
  std::int64_t wanted = 0;
  {
    Shop shop(folder.path(), 500);
    for (int i = 0; i < 3 * kCommitsInMinute; ++i) shop.commit();
    wanted = shop.gross_micros();
    must(shop.store().close());
  }
  Database db = must(Database::open(folder.path() + "/retailpulse.db", Database::Mode::kReadOnly));
  for (const char* table : {"totals", "products", "categories"}) {
    for (std::int64_t tier = 1; tier <= 3; ++tier) {
      const auto sum = must(db.integer(
          fmt::format("SELECT sum(gross_micros) FROM {} WHERE tier={}", table, tier)));
      if (sum != wanted) return false;
    }
  }
  return wanted > 0;
}

}  // namespace
}  // namespace retailpulse

int main(int argc, char** argv) {
  if (!retailpulse::sums_are_right()) {
    std::fputs("commit_bench: the store's sums are not what was committed; nothing was timed\n", stderr);
    return 1;
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
