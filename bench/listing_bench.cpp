// What listings cost that change the past.
//
// First listings after a long backlog that had no watermark, when every pane is still there: kDays of
// minutes with kSalesAMinute sales, of 2,000 products in turn by Zipf's law, none of them listed,
// read in few commits. Then listings, 100 in each commit. Checked: the sales of listed products have
// left "(unknown)" in every tier, to the last line. Measured against a look at every minute there
// is, for reading alone.
//
// Then products that were listed go to another category, 100 in each commit, where kOrders orders
// have kLinesAnOrder lines each; the category holds from the last hundredth of the orders on.
// Checked: each order is counted in the new category once for all its lines. Measured against one
// look at all orders.
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
constexpr std::int64_t kOrders = 200'000;
constexpr std::uint32_t kLinesAnOrder = 3;
constexpr std::int64_t kOrdersAMinute = 20;

[[noreturn]] void fail(const std::string& why) {
  std::fprintf(stderr, "listing_bench: %s\n", why.c_str());
  std::exit(1);
}

// A store in a folder of its own.
class Shop {
 public:
  Shop() {
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
    epoch_.names.push_back({Dimension::kCategory, NameId{1}, "Sale"});
    epoch_.names.push_back({Dimension::kCurrency, NameId{0}, "EUR"});
  }
  ~Shop() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

 protected:
  void list(std::uint32_t product, std::uint32_t category, std::int64_t begin_us) {
    Listing listing;
    listing.product = NameId{product};
    listing.category = NameId{category};
    listing.from = from_us(begin_us);
    epoch_.listings.push_back(listing);
  }
  void sell(std::int64_t minute_us, std::uint32_t product, std::int64_t orders) {
    const Sales sales{orders, 1, 1'000, 5'000'000, 0};
    epoch_.totals.push_back({minute_us, NameId{0}, sales});
    epoch_.products.push_back({minute_us, NameId{product}, kNoName, NameId{0}, sales});
  }
  Duration commit() {
    const Duration begun = system_clock().monotonic();
    const Epoch* part = &epoch_;
    if (auto done = store_->commit({&part, 1}, {}, CommitContext{}); !done.ok()) {
      fail(done.status().message());
    }
    const Duration took = system_clock().monotonic() - begun;
    if (Status s = store_->maintain(); !s.ok()) fail(s.message());
    epoch_ = Epoch{};
    return took;
  }
  [[nodiscard]] Database open() const {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    if (!db.ok()) fail(db.status().message());
    return std::move(db).value();
  }

  Epoch epoch_;

 private:
  std::string folder_;
  std::unique_ptr<RollupStore> store_;
};

// Read in one backlog, nothing of it listed.
class Backlog : public Shop {
 public:
  Backlog() {
    for (std::int64_t minute = 0; minute < kDays * 1'440; ++minute) {
      for (std::int64_t i = 0; i < kSalesAMinute; ++i) {
        const double u = std::uniform_real_distribution<double>(0, 1)(random_);
        sell(kBegin + minute * kMinuteUs, static_cast<std::uint32_t>(std::pow(kProducts, u)) - 1, 1);
      }
      if ((minute + 1) % kMinutesACommit == 0) commit();
    }
  }

  // The next kListingsACommit products get their first listing.
  Duration list_some() {
    for (std::uint32_t i = 0; i < kListingsACommit && listed_ < kProducts; ++i) {
      list(listed_++, 0, kBegin);
    }
    return commit();
  }
  [[nodiscard]] bool all_listed() const { return listed_ == kProducts; }

  // What a listing would read that looks for its product in every minute of the shop.
  Duration look_everywhere(std::int64_t product) {
    Database db = open();
    auto panes = db.prepare("SELECT DISTINCT pane_us FROM totals WHERE tier=1");
    auto rows = db.prepare(
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
    Database db = open();
    for (int tier = 1; tier < 4; ++tier) {
      const std::string at = " WHERE tier=" + std::to_string(tier);
      auto wrong = db.integer(
          "SELECT (SELECT coalesce(sum(lines),0) FROM categories" + at + " AND category<>0)-"
          "(SELECT coalesce(sum(lines),0) FROM products JOIN catalog USING(product)" + at + ")");
      if (!wrong.ok()) fail(wrong.status().message());
      if (wrong.value() != 0) fail("lines in the wrong category in tier " + std::to_string(tier));
    }
  }

 private:
  std::mt19937_64 random_{42};
  std::uint32_t listed_ = 0;
};

// Products that are listed, in orders of several lines.
class Baskets : public Shop {
 public:
  Baskets() {
    for (std::uint32_t p = 0; p < kProducts; ++p) list(p, 0, kBegin);
    for (std::int64_t order = 0; order < kOrders; ++order) {
      const std::int64_t minute_us = kBegin + order / kOrdersAMinute * kMinuteUs;
      for (std::uint32_t i = 0; i < kLinesAnOrder; ++i) {
        const NameId product{static_cast<std::uint32_t>(order * kLinesAnOrder + i) % kProducts};
        sell(minute_us, static_cast<std::uint32_t>(product), 0);
        epoch_.order_lines.push_back({static_cast<std::uint64_t>(order + 1), from_us(minute_us),
                                      product, kNoName, NameId{0}});
      }
      if ((order + 1) % 20'000 == 0) commit();
    }
  }

  // The next kListingsACommit products are in another category from the last hundredth on.
  Duration move_some() {
    const std::int64_t from = kBegin + (kOrders - kOrders / 100) / kOrdersAMinute * kMinuteUs;
    for (std::uint32_t i = 0; i < kListingsACommit; ++i) list(moved_++, 1, from);
    return commit();
  }
  [[nodiscard]] bool all_moved() const { return moved_ == kProducts; }

  Duration look_at_all_orders() {
    Database db = open();
    auto rows = db.prepare("SELECT order_key,marks FROM shared_orders");
    if (!rows.ok()) fail("a statement");
    const Duration begun = system_clock().monotonic();
    while (rows.value().step().value()) benchmark::DoNotOptimize(rows.value().blob(1).size());
    return system_clock().monotonic() - begun;
  }

  void check() {
    Database db = open();
    auto found = db.integer("SELECT sum(orders) FROM categories JOIN names ON dimension=1 AND "
                            "id=category WHERE tier=3 AND text='Sale'");
    if (!found.ok()) fail(found.status().message());
    if (found.value() != kOrders / 100) fail("orders in the wrong category");
  }

 private:
  std::uint32_t moved_ = 0;
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

Baskets& the_baskets() {
  static Baskets baskets;
  return baskets;
}

void every_order(benchmark::State& state) {
  for (auto _ : state) {
    const Duration took = the_baskets().look_at_all_orders();
    state.SetIterationTime(std::chrono::duration<double>(took).count());
  }
}
BENCHMARK(every_order)->UseManualTime()->Iterations(10)->Unit(benchmark::kMillisecond);

void category_changes(benchmark::State& state) {
  Baskets& baskets = the_baskets();
  for (auto _ : state) {
    if (baskets.all_moved()) fail("more rounds than products");
    state.SetIterationTime(std::chrono::duration<double>(baskets.move_some()).count());
  }
  baskets.check();
}
BENCHMARK(category_changes)->UseManualTime()->Iterations(kProducts / kListingsACommit)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace retailpulse

BENCHMARK_MAIN();
