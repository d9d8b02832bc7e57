// What a first listing costs after a long backlog that had no watermark: every pane is still there.
//
// The store: kDays of minutes with kSalesAMinute sales, of 2,000 products in turn by Zipf's law, none
// of them listed, read in few commits. Then listings, 100 in each commit. Checked: the sales of
// listed products have left "(unknown)" in every tier, to the last line. Measured against a look at
// every minute there is, for reading alone.
#include <benchmark/benchmark.h>

#include <unistd.h>

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/store.h>

#include "store/sqlite.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kBegin = 1'767'225'600'000'000;  // 2026-01-01
constexpr std::int64_t kMinuteUs = kTierUs[static_cast<std::size_t>(Tier::kMinute)];
constexpr std::int64_t kDays = 60;
constexpr std::int64_t kSalesAMinute = 10;
constexpr std::uint32_t kProducts = 2'000;
constexpr std::uint32_t kListingsACommit = 100;
constexpr std::int64_t kMinutesACommit = 2'880;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "listing_bench: %s\n", why.c_str());
  std::exit(1);
}

// A store in a folder of its own, read in one backlog.
class Backlog {
 public:
  Backlog() {
    std::string name = std::filesystem::temp_directory_path() / "retailpulse-bench-XXXXXX";
    folder_ = mkdtemp(name.data());
    StoreOptions options;
    options.config.directory = folder_;
    options.zone = "Europe/Berlin";
    auto store = open_store(options);
    if (!store.ok()) fail(store.status().message());
    store_ = std::move(store).value();
    for (std::uint32_t p = 0; p < kProducts; ++p) {
      epoch_.names.push_back({Dimension::kProduct, NameId{p}, "p" + std::to_string(p)});
    }
    epoch_.names.push_back({Dimension::kCategory, NameId{0}, "Home"});
    epoch_.names.push_back({Dimension::kCurrency, NameId{0}, "EUR"});
    for (std::int64_t minute = 0; minute < kDays * 1'440; ++minute) {
      sell(kBegin + minute * kMinuteUs);
      if ((minute + 1) % kMinutesACommit == 0) commit();
    }
  }
  ~Backlog() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Backlog(const Backlog&) = delete;
  Backlog& operator=(const Backlog&) = delete;

  // The next kListingsACommit products get their first listing.
  Duration list_some() {
    for (std::uint32_t i = 0; i < kListingsACommit && listed_ < kProducts; ++i) {
      Listing listing;
      listing.product = NameId{listed_++};
      listing.category = NameId{0};
      listing.from = from_us(kBegin);
      epoch_.listings.push_back(listing);
    }
    const Duration begun = system_clock().monotonic();
    commit();
    return system_clock().monotonic() - begun;
  }
  [[nodiscard]] bool all_listed() const { return listed_ == kProducts; }

  // What a listing would read that looks for its product in every minute of the shop.
  Duration look_everywhere(std::int64_t product) {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    if (!db.ok()) fail(db.status().message());
    auto panes = db.value().prepare("SELECT DISTINCT pane_us FROM totals WHERE tier=1");
    auto rows = db.value().prepare(
        "SELECT currency,orders-shared_orders,lines,units_milli,gross_micros,refunds_micros "
        "FROM products WHERE tier=1 AND pane_us=?1 AND product=?2 AND category=0");
    if (!panes.ok() || !rows.ok()) fail("a statement");
    const Duration begun = system_clock().monotonic();
    while (panes.value().step().value()) {
      rows.value().bind(1, panes.value().integer(0)).bind(2, product);
      while (rows.value().step().value()) benchmark::DoNotOptimize(rows.value().integer(1));
    }
    return system_clock().monotonic() - begun;
  }

  // Lines of listed products that are still without a category, or the other way round: must be 0.
  void check() {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    if (!db.ok()) fail(db.status().message());
    for (int tier = 1; tier < 4; ++tier) {
      const std::string at = " WHERE tier=" + std::to_string(tier);
      auto wrong = db.value().integer(
          "SELECT (SELECT coalesce(sum(lines),0) FROM categories" + at + " AND category<>0)-"
          "(SELECT coalesce(sum(lines),0) FROM products JOIN catalog USING(product)" + at + ")");
      if (!wrong.ok()) fail(wrong.status().message());
      if (wrong.value() != 0) fail("lines in the wrong category in tier " + std::to_string(tier));
    }
  }

 private:
  void sell(std::int64_t minute_us) {
    for (std::int64_t i = 0; i < kSalesAMinute; ++i) {
      const double u = std::uniform_real_distribution<double>(0, 1)(random_);
      const auto product = static_cast<std::uint32_t>(std::pow(kProducts, u)) - 1;
      const Sales sales{1, 1, 1'000, 5'000'000, 0};
      epoch_.totals.push_back({minute_us, NameId{0}, sales});
      epoch_.products.push_back({minute_us, NameId{product}, kNoName, NameId{0}, sales});
    }
  }
  void commit() {
    const Epoch* part = &epoch_;
    if (auto done = store_->commit({&part, 1}, {}, CommitContext{}); !done.ok()) {
      fail(done.status().message());
    }
    if (Status s = store_->maintain(); !s.ok()) fail(s.message());
    epoch_ = Epoch{};
  }

  std::string folder_;
  std::unique_ptr<RollupStore> store_;
  std::mt19937_64 random_{42};
  Epoch epoch_;
  std::uint32_t listed_ = 0;
};

Backlog& the_backlog() {
  static Backlog backlog;
  return backlog;
}

void every_minute(benchmark::State& state) {
  std::int64_t product = 2;
  for (auto _ : state) {
    const Duration took = the_backlog().look_everywhere(product++);
    state.SetIterationTime(std::chrono::duration<double>(took).count());
  }
}
BENCHMARK(every_minute)->UseManualTime()->Iterations(40)->Unit(benchmark::kMillisecond);

void first_listings(benchmark::State& state) {
  Backlog& backlog = the_backlog();
  double seconds = 0;
  std::uint32_t commits = 0;
  for (auto _ : state) {
    if (backlog.all_listed()) fail("more rounds than products");
    const double took = std::chrono::duration<double>(backlog.list_some()).count();
    state.SetIterationTime(took);
    seconds += took;
    ++commits;
  }
  backlog.check();
  state.counters["ms_a_listing"] = 1e3 * seconds / (commits * kListingsACommit);
}
BENCHMARK(first_listings)->UseManualTime()->Iterations(kProducts / kListingsACommit)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace retailpulse

BENCHMARK_MAIN();
