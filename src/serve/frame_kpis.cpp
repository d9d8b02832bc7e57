#include "serve/frame_kpis.h"

#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/decimal.h"
#include "base/hll.h"

namespace retailpulse {
namespace {

constexpr std::string_view kNoEvents = "no events have been read yet";
constexpr std::string_view kNoOrders = "no orders in this time";
constexpr std::string_view kNoRatings = "no ratings in this time";

// One point for each of the last minutes in which anything was seen.
template <class Value>
std::vector<std::string> spark_of(const LiveFacts& facts, Value value) {
  std::vector<std::string> points;
  for (const SeriesPane& pane : facts.minutes) {
    if (!pane.present) continue;
    if (std::optional<std::string> point = value(pane.sales)) points.push_back(*std::move(point));
  }
  return points;
}

void add_sparks(std::vector<Kpi>& kpis, const LiveFacts& facts) {
  const int digits = facts.currency.digits;
  const auto money = [](std::int64_t micros) { return std::optional(format_micros(micros, 0)); };
  kpis[0].spark = spark_of(facts, [&](const Sales& s) { return money(net_of(s)); });
  kpis[1].spark = spark_of(facts, [&](const Sales& s) { return money(s.gross_micros); });
  kpis[2].spark = spark_of(facts, [&](const Sales& s) { return money(s.refunds_micros); });
  kpis[3].spark =
      spark_of(facts, [](const Sales& s) { return std::optional(std::to_string(s.orders)); });
  kpis[4].spark =
      spark_of(facts, [](const Sales& s) { return std::optional(units_text(s.units_milli)); });
  kpis[5].spark = spark_of(facts, [&](const Sales& s) {
    const auto average = average_order_micros(s, digits);
    return average ? money(*average) : std::nullopt;
  });
}

void add_previous(std::vector<Kpi>& kpis, const LiveFacts& facts) {
  if (!facts.before) return;
  const auto before = sales_kpis(*facts.before, facts.currency.digits, true, "final");
  for (std::size_t i = 0; i < before.size(); ++i) {
    const Kpi& kpi = before[i];
    if (kpi.text) {
      kpis[i].previous = "\"" + *kpi.text + "\"";
    } else if (kpi.number) {
      kpis[i].previous = *kpi.number;
    }
  }
}

Kpi visitors_kpi(const LiveFacts& facts) {
  Kpi kpi{.name = "active_visitors", .unit = "count", .why_null = kNoEvents};
  kpi.error = kHllError;
  kpi.state = facts.clock.watermark_us ? "final" : "provisional";
  if (facts.visitors) kpi.number = std::to_string(std::llround(*facts.visitors));
  for (const double point : facts.visitors_spark) {
    kpi.spark.push_back(std::to_string(std::llround(point)));
  }
  return kpi;
}

Kpi rate_kpi(const LiveFacts& facts) {
  Kpi kpi{.name = "transactions_per_second", .unit = "per_second", .why_null = kNoEvents};
  kpi.state = facts.clock.watermark_us ? "final" : "provisional";
  const auto& lines = facts.ten_second_lines;
  if (facts.has_events) {
    std::int64_t last_minute = 0;
    for (std::size_t i = lines.size() - std::min<std::size_t>(6, lines.size()); i < lines.size(); ++i) {
      last_minute += lines[i];
    }
    // Hundredths, half to even.
    kpi.number = format_micros(divide_half_even(last_minute * 100, 60) * 10'000, 0);
  }
  for (const std::int64_t n : lines) kpi.spark.push_back(format_micros(n * 100'000, 0));
  return kpi;
}

}  // namespace

void write_kpi(JsonWriter& json, const Kpi& kpi, std::string_view currency) {
  json.key(kpi.name).open_object().key("value");
  if (kpi.text) {
    json.text(*kpi.text);
  } else if (kpi.number) {
    json.raw(*kpi.number);
  } else {
    json.null();
  }
  json.field("unit", kpi.unit).field("formula", kpi.name).field("state", kpi.state);
  if (kpi.unit == "money") json.field("currency", currency);
  if (!kpi.text && !kpi.number) json.field("why_null", kpi.why_null);
  if (kpi.error) json.key("error").real(*kpi.error, 5);
  if (kpi.n) json.field("n", *kpi.n);
  if (kpi.previous) json.key("previous").raw(*kpi.previous);
  json.key("spark").open_array();
  for (const std::string& point : kpi.spark) json.raw(point);
  json.close_array().close_object();
}

std::vector<Kpi> sales_kpis(const Sales& sales, int digits, bool known, std::string_view state) {
  const auto money = [&](std::string_view name, std::int64_t micros) {
    Kpi kpi{.name = name, .unit = "money", .why_null = kNoEvents, .state = state};
    if (known) kpi.text = format_micros(micros, digits);
    return kpi;
  };
  std::vector<Kpi> kpis{money("net_revenue", net_of(sales)),
                        money("gross_revenue", sales.gross_micros),
                        money("refunds", sales.refunds_micros)};
  Kpi orders{.name = "orders", .unit = "count", .why_null = kNoEvents, .state = state};
  Kpi units{.name = "units", .unit = "count", .why_null = kNoEvents, .state = state};
  if (known) orders.number = std::to_string(sales.orders);
  if (known) units.number = units_text(sales.units_milli);
  Kpi average{.name = "aov", .unit = "money", .why_null = known ? kNoOrders : kNoEvents,
              .state = state};
  if (const auto micros = average_order_micros(sales, digits)) {
    average.text = format_micros(*micros, digits);
  }
  kpis.push_back(std::move(orders));
  kpis.push_back(std::move(units));
  kpis.push_back(std::move(average));
  return kpis;
}

Kpi rating_kpi(const RatingSum& ratings, std::string_view state) {
  Kpi kpi{.name = "average_rating", .unit = "stars", .why_null = kNoRatings, .state = state};
  if (const auto mean = mean_milli(ratings.sum_milli, ratings.ratings)) kpi.text = stars_text(*mean);
  kpi.n = ratings.ratings;
  return kpi;
}

void write_kpis(JsonWriter& json, const LiveFacts& facts) {
  std::vector<Kpi> kpis =
      sales_kpis(facts.today, facts.currency.digits, facts.has_events, "provisional");
  add_sparks(kpis, facts);
  add_previous(kpis, facts);
  Kpi rating = rating_kpi(facts.ratings, "provisional");
  for (const RatingPane& pane : facts.rating_minutes) {
    if (const auto mean = mean_milli(pane.sum_milli, pane.ratings)) {
      rating.spark.push_back(stars_text(*mean));
    }
  }
  kpis.push_back(std::move(rating));
  kpis.push_back(visitors_kpi(facts));
  kpis.push_back(rate_kpi(facts));
  json.open_object();
  for (const Kpi& kpi : kpis) write_kpi(json, kpi, facts.currency.code);
  json.close_object();
}

}  // namespace retailpulse
