// Sums over a range: the KPIs of the shop, and those of one product.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "base/decimal.h"
#include "serve/api_answer.h"
#include "serve/api_handlers.h"
#include "serve/frame_facts.h"
#include "serve/frame_kpis.h"
#include "serve/frame_text.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kKpiPanesMax = 2880;    // two days of minutes
constexpr std::int64_t kTrendPanesMax = 400;   // of one product: a look-up each

Result<Cut> cut_of(const Request& request, const View& view, const ApiContext& context,
                   const TierChoice& choice) {
  auto range = parse_range(query_value(request, "from"), query_value(request, "to"), view.clock,
                           context.zone);
  if (!range.ok()) return range.status();
  return cut_range(range.value(), choice, view.history.clock(), view.clock, context.zone);
}

RatingSum rating_total(HistoryView& history, const Window& window) {
  RatingSum total;
  for (const RatingPane& pane : history.rating_panes(window)) {
    total.ratings += pane.ratings;
    total.sum_milli += pane.sum_milli;
    for (std::size_t i = 0; i < pane.stars.size(); ++i) total.stars[i] += pane.stars[i];
  }
  return total;
}

Result<Reply> kpis(HistoryView& history, const ApiContext& context, const Request& request) {
  const View view = open_view(history, context, request);
  const auto cut = cut_of(request, view, context, {Tier::kMinute, kKpiPanesMax});
  if (!cut.ok()) return cut.status();
  Sales sales;
  for (const TotalPane& pane : history.total_panes(cut.value().window)) {
    if (pane.currency == view.currency.id) add_sales(sales, pane.sales);
  }
  const std::string_view state = range_state(view, cut.value());
  const bool known = history.clock().newest_event_us.has_value();
  JsonWriter json;
  begin_answer(json, view);
  write_range(json, cut.value());
  json.field("state", state).field("currency", view.currency.code).key("kpis").open_object();
  for (const Kpi& kpi : sales_kpis(sales, view.currency.digits, known, state)) {
    write_kpi(json, kpi, view.currency.code);
  }
  write_kpi(json, rating_kpi(rating_total(history, cut.value().window), state), {});
  json.close_object().close_object();
  return object_reply(json.take());
}

void write_catalog(JsonWriter& json, const ProductRow& product, const View& view) {
  json.field("id", product.product_id)
      .field("name", product.name)
      .field("category", product.category)
      .flag("listed", product.listed)
      .flag("deleted", product.deleted)
      .key("price");
  if (product.price_micros) {
    int digits = currency_digits(product.currency);
    for (const CurrencyRow& row : view.history.currencies()) {
      if (row.code == product.currency) digits = row.digits;
    }
    json.text(format_micros(*product.price_micros, digits));
    json.field("price_currency", product.currency);
  } else {
    json.null();
  }
}

void write_stars(JsonWriter& json, const RatingSum& sum) {
  json.key("stars").open_array();
  for (const std::int64_t n : sum.stars) json.number(n);
  json.close_array();
}

// Panes in which the product was sold or refunded, in the answer's currency.
void write_trend(JsonWriter& json, const View& view, StoredId product, const Cut& cut,
                 const Zone& zone) {
  json.key("trend").open_object();
  write_range(json, cut);
  json.key("panes").open_array();
  const auto& watermark = view.history.clock().watermark_us;
  for (const GroupPane& pane : view.history.product_panes(product, cut.window)) {
    if (pane.currency != view.currency.id) continue;
    const TimeRange range = pane_range(cut.window.tier, pane.pane_us, zone);
    json.open_object()
        .field("start_us", range.from_us)
        .field("net", format_micros(net_of(pane.sales), view.currency.digits))
        .field("units", units_text(pane.sales.units_milli))
        .field("orders", pane.sales.orders)
        .field("state", watermark && range.to_us <= *watermark ? "final" : "provisional")
        .close_object();
  }
  json.close_array().close_object();
}

Result<Reply> product(HistoryView& history, const ApiContext& context, const Request& request) {
  const auto id = history.find_name(Dimension::kProduct, request.rest);
  if (!id) {
    return Status(Code::kNotFound,
                  fmt::format("no product \"{}\" has been seen", request.rest.substr(0, 256)));
  }
  const View view = open_view(history, context, request);
  const auto cut = cut_of(request, view, context, {Tier::kMinute, kTrendPanesMax});
  if (!cut.ok()) return cut.status();
  Sales sales;
  ProductRow row = history.product(*id);
  for (const GroupPane& pane : history.product_panes(*id, cut.value().window)) {
    if (pane.category != kStoredNone) row.category = history.name(Dimension::kCategory, pane.category);
    if (pane.currency == view.currency.id) add_sales(sales, pane.sales);
  }
  RatingSum ratings;
  for (const RatingPane& pane : history.product_rating_panes(*id, cut.value().window)) {
    ratings.ratings += pane.ratings;
    ratings.sum_milli += pane.sum_milli;
    for (std::size_t i = 0; i < pane.stars.size(); ++i) ratings.stars[i] += pane.stars[i];
  }
  Cut trend = cut_range(cut.value().range, Tier::kQuarter, context.zone);
  const auto& sealed = history.clock().sealed_us;
  if (trend.window.from_us < sealed[static_cast<std::size_t>(Tier::kQuarter)] ||
      trend.window.to_us - trend.window.from_us >
          kTrendPanesMax * kTierUs[static_cast<std::size_t>(Tier::kQuarter)]) {
    trend = cut_range(cut.value().range, Tier::kDay, context.zone);
  }
  JsonWriter json;
  begin_answer(json, view);
  write_range(json, cut.value());
  write_catalog(json, row, view);
  const bool open = !history.clock().watermark_us || cut.value().range.to_us > *history.clock().watermark_us;
  const std::string_view state = open ? "provisional" : "final";
  json.field("currency", view.currency.code).key("kpis").open_object();
  for (const Kpi& kpi : sales_kpis(sales, view.currency.digits, true, state)) {
    write_kpi(json, kpi, view.currency.code);
  }
  write_kpi(json, rating_kpi(ratings, state), {});
  json.close_object();
  write_stars(json, ratings);
  write_trend(json, view, *id, trend, context.zone);
  json.close_object();
  return object_reply(json.take());
}

}  // namespace

Reply get_kpis(const ApiContext& context, const Request& request) {
  return answer(context, [&](HistoryView& view) { return kpis(view, context, request); });
}

Reply get_product(const ApiContext& context, const Request& request) {
  return answer(context, [&](HistoryView& view) { return product(view, context, request); });
}

}  // namespace retailpulse
