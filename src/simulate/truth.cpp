#include "simulate/truth.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <tuple>

namespace retailpulse {
namespace {

using Json = nlohmann::json;
using simulate::Fact;

constexpr std::int64_t kMinuteUs = 60'000'000;
constexpr std::size_t kTopProducts = 20;

std::int64_t minute_begin(std::int64_t time_us) {
  const std::int64_t rest = time_us % kMinuteUs;
  return time_us - (rest < 0 ? rest + kMinuteUs : rest);
}

std::string date_text(std::int64_t us) {
  return fmt::format("{:%Y-%m-%d}", std::chrono::floor<std::chrono::seconds>(from_us(us)));
}

std::string time_text(std::int64_t us) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z",
                     std::chrono::floor<std::chrono::seconds>(from_us(us)));
}

Json json_of(const Truth::Sums& sums) {
  return {{"orders", sums.orders},
          {"lines", sums.lines},
          {"units_milli", sums.units_milli},
          {"gross_micros", sums.gross_micros},
          {"refunds_micros", sums.refunds_micros},
          {"net_micros", sums.gross_micros - sums.refunds_micros}};
}

template <class Value>
Json json_of(const std::map<std::string, Value>& map) {
  Json json = Json::object();
  for (const auto& [key, value] : map) json[key] = json_of(value);
  return json;
}

}  // namespace

// Keys are made of texts, as a reader of the report sees them.
struct Truth::Report {
  using ByCurrency = std::map<std::string, Sums>;
  ByCurrency totals;
  std::map<std::string, ByCurrency> days;
  std::map<std::string, ByCurrency> minutes;
  std::map<std::string, ByCurrency> products;
  std::map<std::string, std::map<std::string, ByCurrency>> categories_by_day;
  std::map<std::string, std::map<std::string, ByCurrency>> categories_by_minute;
  std::map<std::string, std::map<std::string, ByCurrency>> products_by_day;
};

Truth::Truth(const simulate::Catalogue& catalogue, const Zone& zone)
    : catalogue_(catalogue), zone_(zone) {}

void Truth::add(const SimRecord& record) {
  TopicLedger& ledger = topics_[static_cast<std::size_t>(record.topic)];
  ++ledger.records;
  ++ledger.buckets[static_cast<std::size_t>(record.bucket)];
  ++ledger.reasons[static_cast<std::size_t>(record.reason)];
  if (record.bucket != Bucket::kCounted) return;
  const Fact& fact = record.fact;
  const std::int64_t time_us = to_us(fact.time);
  first_us_ = std::min(first_us_, time_us);
  last_us_ = std::max(last_us_, time_us);
  ++kinds_[fact.kind];
  switch (fact.kind) {
    case EventKind::kSale:
    case EventKind::kRefund:
    case EventKind::kCancel:
      return add_lines(fact);
    case EventKind::kListing:
      listings_[fact.product][time_us] = {++listed_, fact.category};
      return;
    case EventKind::kFeedback:
      ratings_.push_back({time_us, fact.product, fact.rating_milli});
      return;
    case EventKind::kInteraction:
      ++actions_[minute_begin(time_us)][static_cast<std::size_t>(fact.action)];
      return;
  }
}

void Truth::add_lines(const Fact& fact) {
  for (std::size_t i = 0; i < fact.line_count; ++i) {
    const simulate::FactLine& line = fact.lines[i];
    lines_.push_back({to_us(fact.time), fact.order, line.amount_micros, line.quantity_milli,
                      line.product, line.own_category, fact.currency,
                      fact.kind == EventKind::kSale});
  }
}

std::string Truth::category_of(const Line& line) const {
  if (line.own_category != simulate::kNoCategory) {
    return std::string(simulate::category_name(line.own_category));
  }
  const auto product = listings_.find(line.product);
  if (product == listings_.end()) return "(unknown)";
  // The last one at or before the minute's beginning, else the first.
  auto listing = product->second.upper_bound(minute_begin(line.time_us));
  if (listing != product->second.begin()) --listing;
  return std::string(simulate::category_name(listing->second.category));
}

void Truth::count_sales(Report& report, bool minutes) const {
  // In order of time, so that the first line met of an order is its first line.
  std::vector<const Line*> ordered;
  ordered.reserve(lines_.size());
  for (const Line& line : lines_) ordered.push_back(&line);
  std::stable_sort(ordered.begin(), ordered.end(),
                   [](const Line* a, const Line* b) { return a->time_us < b->time_us; });
  // Which (order, what, currency) had a line already; "" stands for the order as a whole.
  std::set<std::tuple<std::uint64_t, std::string, std::uint8_t>> seen;
  std::int64_t minute_us = INT64_MIN;
  std::string minute;
  std::string day;
  for (const Line* line : ordered) {
    if (minute_begin(line->time_us) != minute_us) {
      minute_us = minute_begin(line->time_us);
      minute = time_text(minute_us);
      day = date_text(zone_.civil_day(from_us(line->time_us)));
    }
    const std::string currency{simulate::kCurrencies[line->currency]};
    const std::string category = category_of(*line);
    const std::string& product = catalogue_.at(line->product).id;
    const auto is_first = [&](const std::string& what) {
      return line->sale &&
             (line->order == 0 || seen.emplace(line->order, what, line->currency).second);
    };
    const auto add = [line](Sums& sums, bool first_of_order) {
      (line->sale ? sums.gross_micros : sums.refunds_micros) += line->amount_micros;
      if (!line->sale) return;
      sums.orders += first_of_order ? 1 : 0;
      sums.lines += 1;
      sums.units_milli += line->quantity_milli;
    };
    const bool first = is_first("");
    const bool first_of_product = is_first("product " + product);
    // A product that a listing moves between two lines of an order stays in its first category.
    const bool first_of_kind = is_first(product + " of " + std::to_string(line->own_category));
    const bool first_of_category = first_of_kind && is_first("category " + category);
    add(report.totals[currency], first);
    add(report.days[day][currency], first);
    add(report.products[product][currency], first_of_product);
    add(report.products_by_day[day][product][currency], first_of_product);
    add(report.categories_by_day[day][category][currency], first_of_category);
    if (!minutes) continue;
    add(report.minutes[minute][currency], first);
    add(report.categories_by_minute[minute][category][currency], first_of_category);
  }
}

namespace {

template <class Products>
Json top_products(const Products& products) {
  Json top = Json::object();
  for (const std::string_view currency : simulate::kCurrencies) {
    std::vector<std::pair<std::int64_t, std::string>> ranked;
    for (const auto& [id, by_currency] : products) {
      const auto sums = by_currency.find(std::string(currency));
      if (sums == by_currency.end()) continue;
      ranked.emplace_back(sums->second.refunds_micros - sums->second.gross_micros, id);
    }
    std::sort(ranked.begin(), ranked.end());  // greatest net first, then by id
    if (ranked.size() > kTopProducts) ranked.resize(kTopProducts);
    for (const auto& [negative_net, id] : ranked) {
      top[std::string(currency)].push_back({{"product_id", id}, {"net_micros", -negative_net}});
    }
  }
  return top;
}

struct RatingSums {
  std::int64_t n = 0;
  std::int64_t sum_milli = 0;
  std::array<std::int64_t, 5> stars{};
};

Json json_of(const RatingSums& sums) {
  return {{"n", sums.n}, {"sum_milli", sums.sum_milli}, {"stars", sums.stars}};
}

}  // namespace

std::string Truth::ratings_json() const {
  RatingSums all;
  std::map<std::string, RatingSums> days;
  std::map<std::string, std::map<std::string, RatingSums>> products_by_day;
  for (const Rating& rating : ratings_) {
    const std::string day = date_text(zone_.civil_day(from_us(rating.time_us)));
    RatingSums& product = products_by_day[day][catalogue_.at(rating.product).id];
    for (RatingSums* sums : {&all, &days[day], &product}) {
      ++sums->n;
      sums->sum_milli += rating.milli;
      ++sums->stars[static_cast<std::size_t>((rating.milli + 500) / 1000 - 1)];
    }
  }
  Json json = json_of(all);
  json["days"] = json_of(days);
  json["products_by_day"] = json_of(products_by_day);
  return json.dump();
}

std::string Truth::ledger_json() const {
  Json json{{"records", 0}, {"counted", 0}, {"rejected", 0}, {"duplicate", 0}};
  json["reasons"] = Json::object();
  for (std::size_t topic = 0; topic < topics_.size(); ++topic) {
    const TopicLedger& ledger = topics_[topic];
    Json row{{"records", ledger.records}};
    for (const Bucket bucket : {Bucket::kCounted, Bucket::kRejected, Bucket::kDuplicate}) {
      const auto index = static_cast<std::size_t>(bucket);
      row[std::string(kBucketNames[index])] = ledger.buckets[index];
    }
    for (const auto& [name, value] : row.items()) {
      json[name] = json[name].get<std::uint64_t>() + value.get<std::uint64_t>();
    }
    row["reasons"] = Json::object();
    for (std::size_t reason = 1; reason < kReasons; ++reason) {
      if (ledger.reasons[reason] == 0) continue;
      const std::string name{kReasonNames[reason]};
      row["reasons"][name] = ledger.reasons[reason];
      json["reasons"][name] =
          json["reasons"].value(name, std::uint64_t{0}) + ledger.reasons[reason];
    }
    json["topics"][std::string(kRoleNames[topic])] = row;
  }
  return json.dump();
}

std::string Truth::types_json(bool minutes) const {
  Json json{{"actions", Json::object()}, {"records_by_kind", Json::object()}};
  static constexpr std::array<std::pair<EventKind, const char*>, 6> kKinds{
      {{EventKind::kSale, "sale"},
       {EventKind::kRefund, "refund"},
       {EventKind::kCancel, "cancel"},
       {EventKind::kListing, "listing"},
       {EventKind::kFeedback, "feedback"},
       {EventKind::kInteraction, "interaction"}}};
  for (const auto& [kind, name] : kKinds) {
    const auto count = kinds_.find(kind);
    json["records_by_kind"][name] = count == kinds_.end() ? 0 : count->second;
  }
  for (const auto& [minute_us, counts] : actions_) {
    for (std::size_t action = 0; action < counts.size(); ++action) {
      if (counts[action] == 0) continue;
      const std::string name{simulate::kActionNames[action]};
      json["actions"][name] = json["actions"].value(name, std::uint64_t{0}) + counts[action];
      if (minutes) json["actions_by_minute"][time_text(minute_us)][name] = counts[action];
    }
  }
  return json.dump();
}

std::string Truth::to_json(bool minutes) const {
  Report report;
  count_sales(report, minutes);
  Json json;
  json["zone"] = zone_.name();
  json["first_event"] = first_us_ == INT64_MAX ? Json() : Json(time_text(first_us_));
  json["last_event"] = first_us_ == INT64_MAX ? Json() : Json(time_text(last_us_));
  json["ledger"] = Json::parse(ledger_json());
  json["totals"] = json_of(report.totals);
  json["days"] = json_of(report.days);
  json["products"] = json_of(report.products);
  json["products_by_day"] = json_of(report.products_by_day);
  json["categories_by_day"] = json_of(report.categories_by_day);
  json["top_products"] = top_products(report.products);
  json["ratings"] = Json::parse(ratings_json());
  json["types"] = Json::parse(types_json(minutes));
  if (minutes) {
    json["minutes"] = json_of(report.minutes);
    json["categories_by_minute"] = json_of(report.categories_by_minute);
  }
  return json.dump(1) + "\n";
}

Status Truth::write_file(const std::string& path, bool minutes) const {
  std::ofstream file(path, std::ios::binary);
  file << to_json(minutes);
  file.close();
  if (file.fail()) return {Code::kInvalid, fmt::format("Cannot write the truth file {}.", path)};
  return {};
}

}  // namespace retailpulse
