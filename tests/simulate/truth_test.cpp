#include "simulate/truth.h"

#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <tuple>

#include "base/decimal.h"
#include "base/sanitizer.h"
#include "support/catch.h"

using namespace retailpulse;

namespace {

using Json = nlohmann::json;

// A slow second opinion: reads the bytes that were written, in the order they were written, with
// its own idea of each rule.
struct Recount {
  struct Sale {
    std::string time, product, own_category, currency, order;
    std::int64_t amount, milli;
    bool sale;
  };
  std::vector<Sale> sales;
  std::map<std::string, std::map<std::string, std::string>>
      listings;  // product -> time -> category
  std::map<std::string, std::uint64_t> actions;
  std::map<std::int32_t, std::set<std::string>> known;
  std::uint64_t counted = 0, duplicates = 0;
  std::int64_t rating_sum = 0, ratings = 0;

  // Through the text, not through the double that a JSON library makes of it.
  static std::int64_t scaled(int scale, const std::string& text, const char* key) {
    const auto at = text.find(key) + std::string(key).size();
    std::int64_t out = 0;
    REQUIRE(parse_decimal(text.substr(at, text.find_first_of(",}", at) - at), scale, out) ==
            DecimalResult::kExact);
    return out;
  }

  void add(const SimRecord& record) {
    const std::string& text = record.value;
    if (record.bucket == Bucket::kRejected) return;
    const int lane = record.partition * 10 + static_cast<int>(record.topic);
    if (record.topic != Role::kListings && !known[lane].insert(text).second) {
      ++duplicates;
      return;
    }
    ++counted;
    const Json json = Json::parse(text);
    const auto at = [&json](const char* key) { return json.at(key).get<std::string>(); };
    std::string time = at("timestamp");
    time.resize(23);  // milliseconds sort like times; microseconds are cut
    if (record.topic == Role::kListings) {
      listings[at("product_id")][time] = at("category");
    } else if (record.topic == Role::kInteractions) {
      ++actions[at("type")];
    } else if (record.topic == Role::kFeedback) {
      rating_sum += scaled(3, text, "\"rating\":");
      ++ratings;
    } else {
      add_sale(json, text, time, std::to_string(counted));
    }
  }

  void add_sale(const Json& json, const std::string& text, const std::string& time,
                const std::string& own) {
    const bool sale = json.value("op", "sale") == "sale";
    const std::string order = json.value("order_id", "own " + own);
    std::size_t at = 0;
    const auto line = [&](const Json& item) {
      at = text.find("\"product_id\":", at) + 1;
      const std::string rest = text.substr(at);
      sales.push_back({time, item.at("product_id").get<std::string>(), item.value("category", ""),
                       json.at("currency").get<std::string>(), order,
                       scaled(6, rest, "\"amount\":"), scaled(3, rest, "\"quantity\":"), sale});
    };
    if (!json.contains("items")) return line(json);
    for (const Json& item : json["items"]) line(item);
  }

  std::string category(const Sale& sale) const {
    if (!sale.own_category.empty()) return sale.own_category;
    const auto product = listings.find(sale.product);
    if (product == listings.end()) return "(unknown)";
    const std::string minute = sale.time.substr(0, 16) + ":00.000";
    std::string found = product->second.begin()->second;
    for (const auto& [from, name] : product->second) {
      if (from <= minute) found = name;
    }
    return found;
  }

  Json totals() {
    Json out;
    std::stable_sort(sales.begin(), sales.end(),
                     [](const Sale& a, const Sale& b) { return a.time < b.time; });
    std::set<std::string> orders;
    for (const Sale& sale : sales) {
      const std::string day = sale.time.substr(0, 10);
      const auto add = [&](Json& row, const std::string& what, bool may_be_order = true) {
        if (row.is_null()) {
          row = {{"orders", 0},       {"lines", 0},          {"units_milli", 0},
                 {"gross_micros", 0}, {"refunds_micros", 0}, {"net_micros", 0}};
        }
        const auto plus = [&row](const char* key, std::int64_t n) {
          row[key] = row[key].get<std::int64_t>() + n;
        };
        plus(sale.sale ? "gross_micros" : "refunds_micros", sale.amount);
        plus("net_micros", sale.sale ? sale.amount : -sale.amount);
        if (!sale.sale) return;
        plus("lines", 1);
        plus("units_milli", sale.milli);
        const bool order = may_be_order && orders.insert(what + sale.order + sale.currency).second;
        plus("orders", order ? 1 : 0);
      };
      const std::string category_of = category(sale);
      add(out["totals"][sale.currency], "totals");
      add(out["days"][day][sale.currency], "days");
      // A product that changes its category within an order stays in the first one.
      const bool first_of_kind =
          !sale.sale || orders.insert(sale.product + " of " + sale.own_category + " in " +
                                      sale.order + sale.currency).second;
      add(out["categories_by_day"][day][category_of][sale.currency], "categories" + category_of,
          first_of_kind);
    }
    return out;
  }
};

}  // namespace

TEST_CASE("truth: equals a slow recount of the bytes") {
  SimulatorConfig config;
  config.seed = kSanitized ? 1 : GENERATE(1, 2);
  config.products = 50;
  config.rate = 300;
  config.start += std::chrono::hours{23} + std::chrono::minutes{50};  // over midnight
  config.category_changes = 600;
  config.conversion = 0.3;
  config.launches = 0.05;
  INFO("seed " << config.seed);
  Simulator simulator(config);
  const Zone zone = Zone::find("UTC").value();
  Truth truth(simulator.catalogue(), zone);
  Recount recount;
  SimRecord record;
  for (int i = 0; i < 200'000; ++i) {
    simulator.next(record);
    // Equal milliseconds are told apart by microseconds, which the recount cuts away.
    truth.add(record);
    recount.add(record);
  }
  const Json told = Json::parse(truth.to_json(true));
  const Json expected = recount.totals();
  CHECK(told["totals"] == expected["totals"]);
  CHECK(told["days"] == expected["days"]);
  CHECK(told["days"].size() >= 2);
  CHECK(told["categories_by_day"] == expected["categories_by_day"]);
  CHECK(told["ledger"]["counted"] == recount.counted);
  CHECK(told["ledger"]["duplicate"] == recount.duplicates);
  CHECK(recount.duplicates > 1000);
  CHECK(told["types"]["actions"] == Json(recount.actions));
  CHECK(told["ratings"]["n"] == recount.ratings);
  CHECK(told["ratings"]["sum_milli"] == recount.rating_sum);

  // Every breakdown has the same sum.
  const auto sum = [](const Json& rows, auto&& self) -> std::int64_t {
    if (rows.contains("net_micros")) return rows["net_micros"].get<std::int64_t>();
    std::int64_t total = 0;
    for (const auto& row : rows) total += self(row, self);
    return total;
  };
  const std::int64_t net = sum(told["totals"], sum);
  for (const char* part : {"days", "minutes", "products", "products_by_day", "categories_by_day",
                           "categories_by_minute"}) {
    CAPTURE(part);
    CHECK(sum(told[part], sum) == net);
  }
  const Json& ledger = told["ledger"];
  CHECK(ledger["records"].get<int>() == 200'000);
  CHECK(ledger["records"].get<int>() == ledger["counted"].get<int>() +
                                            ledger["rejected"].get<int>() +
                                            ledger["duplicate"].get<int>());
}

TEST_CASE("truth: an order counts once, on the day and in the minute of its first line") {
  SimulatorConfig config;
  config.products = 3;
  const Simulator simulator(config);
  const Zone zone = Zone::find("UTC").value();
  Truth truth(simulator.catalogue(), zone);
  SimRecord record;
  record.fact.kind = EventKind::kSale;
  record.fact.order = 7;
  record.fact.line_count = 1;
  record.fact.lines[0] = {1, simulate::kNoCategory, 5'000'000, 1000};
  const EventTime midnight = config.start + std::chrono::hours{24};
  for (const auto offset : {std::chrono::seconds{5}, std::chrono::seconds{-5}}) {
    record.fact.time = midnight + offset;
    truth.add(record);
  }
  const Json told = Json::parse(truth.to_json(true));
  CHECK(told["totals"]["USD"]["orders"] == 1);
  CHECK(told["totals"]["USD"]["lines"] == 2);
  CHECK(told["days"]["2024-11-25"]["USD"]["orders"] == 1);
  CHECK(told["days"]["2024-11-26"]["USD"]["orders"] == 0);
  CHECK(told["minutes"]["2024-11-25T23:59:00Z"]["USD"]["orders"] == 1);
  CHECK(told["categories_by_day"]["2024-11-25"]["(unknown)"]["USD"]["lines"] == 1);
}

TEST_CASE("truth: a category counts from the next minute on; before the first listing, the first") {
  SimulatorConfig config;
  config.products = 3;
  const Simulator simulator(config);
  const Zone zone = Zone::find("UTC").value();
  Truth truth(simulator.catalogue(), zone);
  SimRecord record;
  record.fact.product = 1;
  record.fact.line_count = 1;
  record.fact.lines[0] = {1, simulate::kNoCategory, 1'000'000, 1000};
  const auto at = [&](EventKind kind, int seconds, std::uint8_t category) {
    record.fact.kind = kind;
    record.fact.category = category;
    record.fact.time = config.start + std::chrono::seconds{seconds};
    truth.add(record);
  };
  at(EventKind::kSale, 0, 0);  // before any listing: the first
  at(EventKind::kListing, 90, 2);
  at(EventKind::kListing, 200, 3);  // in force from second 240
  at(EventKind::kSale, 210, 0);
  at(EventKind::kSale, 240, 0);
  const Json minutes = Json::parse(truth.to_json(true))["categories_by_minute"];
  const std::string first{simulate::category_name(2)};
  const std::string second{simulate::category_name(3)};
  CHECK(minutes["2024-11-25T00:00:00Z"].contains(first));
  CHECK(minutes["2024-11-25T00:03:00Z"].contains(first));
  CHECK(minutes["2024-11-25T00:04:00Z"].contains(second));
}
