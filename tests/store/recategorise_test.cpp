// A listing that comes when the minutes it is about are sealed already: through the whole store.
#include "store/recategorise.h"

#include <unistd.h>

#include <filesystem>
#include <string>

#include <retailpulse/store.h>

#include "support/catch.h"
#include "support/store_rows.h"

namespace retailpulse::testing {
namespace {

constexpr std::int64_t kHour = 3600 * kSecondUs;
constexpr std::int64_t kMinute = 60 * kSecondUs;
constexpr std::int64_t kEight = 1'730'491'200 * kSecondUs;  // 2024-11-01T20:00:00Z
const NameId kLamp{0};
const NameId kEuro{0};

class Shop {
 public:
  Shop() {
    std::string name = std::filesystem::temp_directory_path() / "retailpulse-listing-XXXXXX";
    folder_ = mkdtemp(name.data());
    StoreOptions options;
    options.config.directory = folder_;
    options.zone = "UTC";
    auto store = open_store(options);
    REQUIRE(store.ok());
    store_ = std::move(store).value();
    epoch_.names = {{Dimension::kProduct, kLamp, "lamp"},
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
  void listing(std::int64_t from, std::uint32_t category) {
    Listing listing;
    listing.product = kLamp;
    listing.category = NameId{category};
    listing.from = from_us(from);
    epoch_.listings.push_back(listing);
  }
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

  // "name lines" of a tier's categories that have any, in order of name.
  [[nodiscard]] std::string categories(Tier tier) {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    std::string all;
    for (const std::string& row : texts_of(
             db.value(), "SELECT text||' '||sum(lines) FROM categories JOIN names ON dimension=1 "
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
};

}  // namespace

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

TEST_CASE("recategorise: a sealed pane that a change cuts in two keeps what it has") {
  for (const std::int64_t later : {72 * kHour, 40 * 24 * kHour}) {
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
  }
}

}  // namespace retailpulse::testing
