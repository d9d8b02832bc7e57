// A listing that comes when the minutes it is about are sealed already: through the whole store.
#include "store/recategorise.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <retailpulse/store.h>

#include "base/zone.h"
#include "store/catalog.h"
#include "support/catch.h"
#include "support/store_rows.h"

namespace retailpulse::testing {
namespace {

constexpr std::int64_t kHour = 3600 * kSecondUs;
constexpr std::int64_t kMinute = 60 * kSecondUs;
constexpr std::int64_t kEight = 1'730'491'200 * kSecondUs;  // 2024-11-01T20:00:00Z
const NameId kLamp{0};
const NameId kCup{1};
const NameId kEuro{0};

class Shop {
 public:
  explicit Shop(const RetentionConfig& retention = {}, const std::string& zone = "UTC") {
    std::string name = std::filesystem::temp_directory_path() / "retailpulse-listing-XXXXXX";
    folder_ = mkdtemp(name.data());
    StoreOptions options;
    options.config.directory = folder_;
    options.zone = zone;
    options.config.retention = retention;
    auto store = open_store(options);
    REQUIRE(store.ok());
    store_ = std::move(store).value();
    epoch_.names = {{Dimension::kProduct, kLamp, "lamp"},
                    {Dimension::kProduct, kCup, "cup"},
                    {Dimension::kCurrency, kEuro, "EUR"},
                    {Dimension::kCategory, NameId{0}, "Home"},
                    {Dimension::kCategory, NameId{1}, "Light"},
                    {Dimension::kCategory, NameId{2}, "Sale"}};
  }
  ~Shop() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }
  Shop(const Shop&) = delete;
  Shop& operator=(const Shop&) = delete;

  void sale(std::int64_t t_us, std::int64_t lines) {
    const Sales sales{lines, lines, 1000 * lines, 5 * lines, 0};
    epoch_.totals.push_back({pane_of(from_us(t_us), Tier::kTenSeconds), kEuro, sales});
    epoch_.products.push_back(
        {pane_of(from_us(t_us), Tier::kMinute), kLamp, kNoName, kEuro, sales});
  }
  // A line of an order that may have more.
  void line(std::int64_t t_us, std::uint64_t order) {
    const Sales sales{0, 1, 1000, 5, 0};
    epoch_.totals.push_back({pane_of(from_us(t_us), Tier::kTenSeconds), kEuro, sales});
    epoch_.products.push_back(
        {pane_of(from_us(t_us), Tier::kMinute), kLamp, kNoName, kEuro, sales});
    epoch_.order_lines.push_back({order, from_us(t_us), kLamp, kNoName, kEuro});
  }
  void listing(std::int64_t from, std::optional<std::uint32_t> category,
               std::optional<Offset> offset = {}) {
    Listing listing;
    listing.product = kLamp;
    listing.category = category ? NameId{*category} : kNoName;
    listing.from = from_us(from);
    listing.offset = offset ? *offset : offset_++;
    epoch_.listings.push_back(listing);
  }
  // The last sale was of another product.
  void sold_by_others() { epoch_.products.back().product = kCup; }
  void commit(std::int64_t watermark_us) {
    CommitContext context;
    context.watermark_us = watermark_us;
    const Epoch* part = &epoch_;
    const auto report = store_->commit({&part, 1}, {}, context);
    INFO(report.status().message());
    REQUIRE(report.ok());
    REQUIRE(store_->maintain().ok());
    epoch_ = Epoch{};
  }

  [[nodiscard]] Database open() const {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    return std::move(db).value();
  }
  // "name lines" of a tier's categories that have any, in order of name.
  [[nodiscard]] std::string categories(Tier tier) {
    Database db = open();
    std::string all;
    for (const std::string& row : texts_of(
             db, "SELECT text||' '||sum(lines) FROM categories JOIN names ON dimension=1 "
                         "AND id=category WHERE tier=" + std::to_string(static_cast<int>(tier)) +
                         " GROUP BY text HAVING sum(lines)<>0 ORDER BY text")) {
      all += (all.empty() ? "" : ", ") + row;
    }
    return all;
  }

 private:
  std::string folder_;
  std::unique_ptr<RollupStore> store_;
  Epoch epoch_;
  Offset offset_ = 0;
};

}  // namespace

TEST_CASE("recategorise: of two listings alike but for their category the same one stands in any order") {
  constexpr std::uint32_t kHome = 0, kLight = 1;
  for (const bool home_first : {true, false}) {
    Shop shop;  // two partitions have each a listing at offset 7, for one moment, without a name
    shop.sale(kEight + 7 * kMinute, 4);
    shop.listing(kEight, home_first ? kHome : kLight, 7);
    shop.commit(kEight);
    shop.listing(kEight, home_first ? kLight : kHome, 7);
    shop.commit(kEight);
    CHECK(shop.categories(Tier::kMinute) == "Light 4");
  }
}

TEST_CASE("recategorise: the commit that seals a minute still moves it exactly") {
  Shop shop;
  shop.sale(kEight + 7 * kMinute, 4);
  shop.commit(kEight + 8 * kMinute);
  REQUIRE(shop.categories(Tier::kDay) == "(unknown) 4");
  shop.listing(kEight + 10 * kMinute, 0);  // in the middle of the quarter with the sale
  shop.commit(kEight + 72 * kHour);
  CHECK(shop.categories(Tier::kQuarter) == "Home 4");
  CHECK(shop.categories(Tier::kDay) == "Home 4");
}

TEST_CASE("recategorise: long sealed, the first listing takes everything, once") {
  for (const std::int64_t later : {72 * kHour, 40 * 24 * kHour}) {  // minutes, quarters sealed
    Shop shop;
    shop.sale(kEight + 7 * kMinute, 4);
    shop.sale(kEight + 12 * kMinute, 3);
    shop.commit(kEight + 15 * kMinute);
    shop.commit(kEight + later);
    shop.listing(kEight + 10 * kMinute, 0);
    shop.commit(kEight + later);
    CHECK(shop.categories(Tier::kDay) == "Home 7");
  }
}

TEST_CASE("recategorise: of a sealed pane that a change cuts in two nothing moves, now or later") {
  for (const bool days : {false, true}) {
    INFO("quarters are sealed " << days);
    const std::int64_t later = (days ? 40 * 24 : 72) * kHour;
    Shop shop;
    shop.listing(kEight - kHour, 0);
    shop.listing(kEight + 24 * kHour, 1);
    shop.sale(kEight + 7 * kMinute, 4);
    shop.sale(kEight + 12 * kMinute, 3);
    shop.sale(kEight + 25 * kHour, 2);
    shop.commit(kEight + 26 * kHour);
    REQUIRE(shop.categories(Tier::kDay) == "Home 7, Light 2");
    shop.commit(kEight + later);
    shop.listing(kEight + 10 * kMinute, 2);  // Sale from here to the listing of the next day
    shop.commit(kEight + later);
    CHECK(shop.categories(Tier::kDay) == "Home 7, Light 2");
    // What comes later still is booked where its pane is, so that it can move with it.
    shop.sale(kEight + 13 * kMinute, 10);
    shop.sale(kEight + 16 * kMinute, 100);  // the next quarter: a whole one
    shop.commit(kEight + later);
    CHECK(shop.categories(Tier::kDay) ==
          (days ? "Home 117, Light 2" : "Home 17, Light 2, Sale 100"));
    shop.listing(kEight - kHour, 2);  // instead of Home, for all that was before too
    shop.commit(kEight + later);
    CHECK(shop.categories(Tier::kDay) == "Light 2, Sale 117");
  }
}

struct Booked {
  std::int64_t minute_us = 0;
  std::int64_t lines = 0;
  std::int64_t orders = 0;
};

// "tier|pane|category" -> orders and lines, as the catalogue in the file has them now.
using Sums = std::map<std::tuple<std::int64_t, std::int64_t, std::int64_t>,
                      std::pair<std::int64_t, std::int64_t>>;

Sums expected(const std::vector<Booked>& all, Database& db, const Zone& zone) {
  Catalog catalog;
  REQUIRE(catalog.load(db).ok());
  const std::int64_t product =
      std::stoll(texts_of(db, "SELECT id FROM names WHERE dimension=0 AND text='lamp'").at(0));
  Sums sums;
  for (const Booked& sale : all) {
    for (const Tier tier : {Tier::kMinute, Tier::kQuarter, Tier::kDay}) {
      const std::int64_t pane = tier == Tier::kDay ? zone.civil_day(from_us(sale.minute_us))
                                                   : pane_of(from_us(sale.minute_us), tier);
      const char* const seal[] = {"", "sealed_1m_us", "sealed_15m_us", "sealed_day_us"};
      const auto t = static_cast<std::size_t>(tier);
      if (pane < std::stoll(texts_of(db, std::string("SELECT ") + seal[t] + " FROM clock").at(0))) {
        continue;
      }
      auto& sum = sums[{static_cast<std::int64_t>(t), pane,
                        catalog.category(product, sale.minute_us)}];
      sum.first += sale.orders;
      sum.second += sale.lines;
    }
  }
  std::erase_if(sums, [](const auto& sum) { return sum.second == std::pair(0L, 0L); });
  return sums;
}

Sums stored(Database& db) {
  auto rows = db.prepare(
      "SELECT tier,pane_us,category,orders,lines FROM categories,clock WHERE pane_us>="
      "CASE tier WHEN 1 THEN sealed_1m_us WHEN 2 THEN sealed_15m_us ELSE sealed_day_us END "
      "AND (orders<>0 OR lines<>0)");
  REQUIRE(rows.ok());
  Sums sums;
  while (rows.value().step().value()) {
    Statement& r = rows.value();
    sums[{r.integer(0), r.integer(1), r.integer(2)}] = {r.integer(3), r.integer(4)};
  }
  return sums;
}

TEST_CASE("recategorise: whatever comes late, what is booked is what the catalogue says", "[random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  RetentionConfig retention;
  retention.ten_seconds = std::chrono::hours{1};
  retention.minute = std::chrono::hours{6};
  retention.quarter = std::chrono::hours{30};
  for (const char* name : {"Europe/Berlin", "Asia/Kathmandu", "UTC"}) {
    const Zone zone = Zone::find(name).value();
    const std::int64_t begin = 1'774'600'000 * kSecondUs;  // 2026-03-27: Berlin loses an hour on the 29th
    for (int round = 0; round < 6; ++round) {
      INFO(name << ", round " << round);
      Shop shop(retention, name);
      std::vector<Booked> all;
      std::map<std::uint64_t, std::size_t> orders;  // order -> its earliest line in `all`
      std::int64_t watermark = begin;
      const auto moment = [&] {  // at any time, or near to a quarter's or an hour's edge
        std::int64_t t = begin + static_cast<std::int64_t>(random() % (4 * 24 * 60)) * kMinute;
        if (random() % 3 == 0) t -= t % (15 * kMinute);
        if (random() % 6 == 0) t -= t % kHour;
        return t;
      };
      for (int step = 0, listings = 0; step < 80; ++step) {
        for (std::uint64_t n = random() % 4; n > 0; --n) {
          const std::int64_t t = moment();
          if (random() % 2 == 0) {
            shop.sale(t, 1);
            all.push_back({t, 1, 1});
            continue;
          }
          const std::uint64_t order = random() % 20;
          shop.line(t, order);
          all.push_back({t, 1, 0});
          auto [first, fresh] = orders.try_emplace(order, all.size() - 1);
          if (!fresh && all[first->second].minute_us <= t) continue;
          all[first->second].orders = 0;
          first->second = all.size() - 1;
          all.back().orders = 1;
        }
        if (random() % 5 == 0 && listings < 10) {  // well within kVersionsMax
          ++listings;
          const std::uint64_t category = random() % 4;
          shop.listing(moment() + static_cast<std::int64_t>(random() % 2) * 30 * kSecondUs,
                       category == 3 ? std::nullopt
                                     : std::optional(static_cast<std::uint32_t>(category)));
        }
        if (random() % 4 == 0) watermark += static_cast<std::int64_t>(random() % 10) * kHour;
        shop.commit(watermark);
        if (step % 8 != 7) continue;
        Database db = shop.open();
        const Sums is = stored(db);
        const Sums should = expected(all, db, zone);
        REQUIRE((is == should));
      }
    }
  }
}

TEST_CASE("recategorise: no history of listings makes a sum negative", "[random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  RetentionConfig retention;
  retention.minute = std::chrono::hours{6};
  retention.quarter = std::chrono::hours{30};
  Shop shop(retention);
  for (int step = 0; step < 150; ++step) {  // far more than are kept
    const auto moment = [&] {
      return kEight + static_cast<std::int64_t>(random() % (3 * 24 * 60)) * kMinute;
    };
    shop.sale(moment(), 1);
    shop.listing(moment(), static_cast<std::uint32_t>(random() % 3));
    shop.commit(kEight + step * kHour);
    Database db = shop.open();
    REQUIRE(texts_of(db, "SELECT count(*) FROM categories WHERE lines<0 OR orders<0") == Rows{"0"});
    REQUIRE(texts_of(db, "SELECT sum(lines) FROM categories WHERE tier=3") ==
            Rows{std::to_string(step + 1)});
  }
  Database db = shop.open();
  CHECK(texts_of(db, "SELECT count(*) FROM listings") == Rows{"32"});
}

TEST_CASE("recategorise: a listing looks at the product's own minutes, not at all there are") {
  Shop shop;
  for (std::int64_t minute = 0; minute < 30 * 24 * 60; ++minute) {
    shop.sale(kEight + minute * kMinute, 1);
    // lamp: once each day; everything else of the shop: in each minute
    if (minute % 1440 != 77) shop.sold_by_others();
  }
  shop.commit(INT64_MIN);
  Database db = shop.open();
  Recategoriser recategoriser;
  REQUIRE(recategoriser.load(db).ok());
  const Names names;
  const Catalog catalog;
  const Zone zone = Zone::find("UTC").value();
  RollupRows rows(names, catalog, zone);
  rows.begin({});
  const std::int64_t lamp =
      std::stoll(texts_of(db, "SELECT id FROM names WHERE dimension=0 AND text='lamp'").at(0));
  REQUIRE(recategoriser.move({lamp, INT64_MIN, INT64_MAX, 0, 5}, {}, rows).ok());
  std::int64_t moved = 0;
  for (const auto& [key, row] : rows.categories.sorted()) {
    if (key.tier == 3 && key.a == 5) moved += row.sales.lines;
  }
  CHECK(moved == 30);
  CHECK(recategoriser.look_ups() <= 31 + 2 * 30 + 30);  // and not 43,200
}

}  // namespace retailpulse::testing
