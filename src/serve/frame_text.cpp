#include "serve/frame_text.h"

#include <map>

#include <fmt/format.h>

#include "base/decimal.h"
#include "serve/frame_kpis.h"

namespace retailpulse {
namespace {

constexpr int kShareDecimals = 4;

template <class Write>
std::string json_of(Write write) {
  JsonWriter json;
  write(json);
  return json.take();
}

double share_of(std::int64_t part, std::int64_t whole) {
  return whole > 0 ? static_cast<double>(part) / static_cast<double>(whole) : 0;
}

void write_categories(JsonWriter& json, const LiveFacts& facts) {
  std::int64_t total = 0;
  for (const NamedSales& row : facts.categories) total += net_of(row.sales);
  json.open_array();
  for (const NamedSales& row : facts.categories) {
    json.open_object()
        .field("name", row.name)
        .field("net", format_micros(net_of(row.sales), facts.currency.digits))
        .key("share").real(share_of(net_of(row.sales), total), kShareDecimals)
        .field("orders", row.sales.orders)
        .field("units", units_text(row.sales.units_milli))
        .close_object();
  }
  json.close_array();
}

void write_types(JsonWriter& json, const LiveFacts& facts) {
  std::int64_t total = 0;
  for (const auto& row : facts.types) total += row.second;
  json.open_array();
  for (const auto& [name, events] : facts.types) {
    json.open_object()
        .field("name", name)
        .field("events", events)
        .key("share").real(share_of(events, total), kShareDecimals)
        .close_object();
  }
  json.close_array();
}

void write_products(JsonWriter& json, const std::vector<ProductSales>& rows, int digits) {
  json.open_array();
  for (const ProductSales& row : rows) {
    json.open_object()
        .field("id", row.product.product_id)
        .field("name", row.product.name)
        .field("category", row.product.category)
        .field("net", format_micros(net_of(row.sales), digits))
        .field("units", units_text(row.sales.units_milli))
        .field("orders", row.sales.orders)
        .close_object();
  }
  json.close_array();
}

void write_top_products(JsonWriter& json, const LiveFacts& facts) {
  json.open_object().key("by_revenue");
  write_products(json, facts.by_revenue, facts.currency.digits);
  json.key("by_units");
  write_products(json, facts.by_units, facts.currency.digits);
  json.key("other")
      .open_object()
      .field("net", format_micros(facts.other_net_micros, facts.currency.digits))
      .field("units", units_text(facts.other_units_milli))
      .field("products", facts.other_products)
      .close_object()
      .close_object();
}

void write_rated(JsonWriter& json, const std::vector<RatedProduct>& rows) {
  json.open_array();
  for (const RatedProduct& row : rows) {
    json.open_object()
        .field("id", row.product.product_id)
        .field("name", row.product.name)
        .field("mean", stars_text(divide_half_even(row.count.sum_milli, row.count.ratings)))
        .field("n", row.count.ratings)
        .field("score", stars_text(row.score_milli))
        .close_object();
  }
  json.close_array();
}

void write_ratings(JsonWriter& json, const LiveFacts& facts) {
  const auto mean = mean_milli(facts.ratings.sum_milli, facts.ratings.ratings);
  json.open_object().key("mean");
  if (mean) {
    json.text(stars_text(*mean));
  } else {
    json.null();
  }
  json.field("n", facts.ratings.ratings).key("stars").open_array();
  for (const std::int64_t stars : facts.ratings.stars) json.number(stars);
  json.close_array().key("best");
  write_rated(json, facts.best);
  json.key("worst");
  write_rated(json, facts.worst);
  json.close_object();
}

void write_pane(JsonWriter& json, const SeriesPane& pane, int digits) {
  json.open_object()
      .field("start_us", pane.start_us)
      .field("net", format_micros(net_of(pane.sales), digits))
      .field("gross", format_micros(pane.sales.gross_micros, digits))
      .field("orders", pane.sales.orders)
      .field("transactions", pane.sales.lines)
      .field("state", pane_state(pane.closed, pane.revision))
      .field("revision", pane.revision)
      .close_object();
}

std::string peaks_text(const LiveFacts& facts) {
  std::vector<PeakPane> panes;
  for (const SeriesPane& pane : facts.series) {
    panes.push_back({pane.present ? std::optional(net_of(pane.sales)) : std::nullopt, pane.closed});
  }
  JsonWriter json;
  json.open_array();
  for (const Peak& peak : find_peaks(panes)) {
    const std::int64_t to_us = facts.series[peak.end - 1].start_us + facts.step_us;
    if (to_us <= facts.series_from_us) continue;
    json.open_object()
        .field("from_us", facts.series[peak.begin].start_us)
        .field("to_us", to_us)
        .flag("provisional", peak.provisional)
        .field("excess", format_micros(peak.excess_micros, facts.currency.digits))
        .close_object();
  }
  json.close_array();
  return json.take();
}

void fill_series(FrameParts& parts, const LiveFacts& facts) {
  parts.series_head = fmt::format("\"from_us\":{},\"to_us\":{},\"step_us\":{},\"currency\":{}",
                                  facts.series_from_us, facts.series_to_us, facts.step_us,
                                  JsonWriter().text(facts.currency.code).take());
  for (const SeriesPane& pane : facts.series) {
    if (!pane.present || pane.start_us < facts.series_from_us) continue;
    parts.panes.emplace_back(pane.start_us, json_of([&](JsonWriter& json) {
                               write_pane(json, pane, facts.currency.digits);
                             }));
  }
  parts.peaks = peaks_text(facts);
}

void put(FrameParts& parts, std::string_view name, std::string value) {
  for (auto& [key, text] : parts.members) {
    if (key == name) {
      text = std::move(value);
      return;
    }
  }
  parts.members.emplace_back(name, std::move(value));
}

std::string number(std::int64_t value) { return std::to_string(value); }
std::string quoted(std::string_view value) { return JsonWriter().text(value).take(); }

std::string series_text(const FrameParts& parts,
                        const std::vector<const std::string*>& panes) {
  std::string text = "{" + parts.series_head + ",\"panes\":[";
  for (std::size_t i = 0; i < panes.size(); ++i) {
    if (i > 0) text += ',';
    text += *panes[i];
  }
  return text + "],\"peaks\":" + parts.peaks + "}";
}

}  // namespace

std::string_view pane_state(bool closed, std::int64_t revision) {
  if (!closed) return "provisional";
  return revision > 0 ? "revised" : "final";
}

void write_moment(JsonWriter& json, std::string_view name, const std::optional<std::int64_t>& us) {
  json.field(fmt::format("{}_us", name), us).key(name);
  if (us) {
    json.text(utc_text(*us));
  } else {
    json.null();
  }
}

std::optional<std::int64_t> stale_since(const PipelineStatus& status) {
  return status.stale_since_us == 0 ? std::nullopt : std::optional(status.stale_since_us);
}

void write_state(JsonWriter& json, const PipelineStatus& status) {
  json.open_object()
      .field("name", kPipelineStateNames[static_cast<std::size_t>(status.state)])
      .field("reason", status.reason);
  write_moment(json, "stale_since", stale_since(status));
  json.flag("demo", status.demo)
      .key("backfill_done").real(status.backfill_done, 3)
      .key("eta_s").real(status.backfill_eta_s, 0)
      .close_object();
}

void write_lost(JsonWriter& json, const LostSum& sum, const std::vector<LostRange>& lately) {
  json.open_object()
      .field("ranges", sum.ranges)
      .field("offsets", sum.records)
      .field("lately", lost_text(lately))
      .close_object();
}

void write_lag(JsonWriter& json, const PipelineStatus& status) {
  json.open_object()
      .field("records", status.lag_records)
      .key("seconds").real(status.lag_seconds, 1)
      .close_object();
}

void write_ledger(JsonWriter& json, const LedgerSums& sums) {
  json.open_object().field("consumed", sums.consumed);
  for (std::size_t i = 0; i < kBuckets; ++i) json.field(kBucketNames[i], sums.buckets[i]);
  json.field("late", sums.late).field("future", sums.future).close_object();
}

void update_status(FrameParts& parts, const FrameContext& context,
                   const std::optional<std::int64_t>& watermark_us) {
  const double delay_s =
      watermark_us ? static_cast<double>(context.wall_us - *watermark_us) / 1e6 : 0;
  put(parts, "wall_us", number(context.wall_us));
  put(parts, "wall", quoted(utc_text(context.wall_us)));
  put(parts, "delay_s", watermark_us ? JsonWriter().real(delay_s, 1).take() : "null");
  put(parts, "state", json_of([&](JsonWriter& json) { write_state(json, context.status); }));
  put(parts, "rate", JsonWriter().real(context.status.records_per_s, 1).take());
  put(parts, "lag", json_of([&](JsonWriter& json) { write_lag(json, context.status); }));
}

FrameParts frame_parts(const LiveFacts& facts, const FrameContext& context, const Zone& zone) {
  FrameParts parts;
  parts.frame = facts.clock.frame;
  put(parts, "schema", "1");
  put(parts, "boot", quoted(context.boot));
  update_status(parts, context, facts.clock.watermark_us);
  const auto& watermark = facts.clock.watermark_us;
  put(parts, "watermark_us", watermark ? number(*watermark) : "null");
  put(parts, "watermark", watermark ? quoted(utc_text(*watermark)) : "null");
  put(parts, "zone", quoted(zone.name()));
  put(parts, "today", quoted(day_text(facts.data.today_us)));
  put(parts, "day_from_us", number(facts.data.day_from_us));
  put(parts, "ledger", json_of([&](JsonWriter& json) { write_ledger(json, facts.ledger); }));
  put(parts, "lost",
      json_of([&](JsonWriter& json) { write_lost(json, facts.lost, facts.lost_lately); }));
  put(parts, "currency", quoted(facts.currency.code));
  put(parts, "currencies", json_of([&](JsonWriter& json) {
        json.open_array();
        for (const std::string& code : facts.currencies) json.text(code);
        json.close_array();
      }));
  put(parts, "kpis", json_of([&](JsonWriter& json) { write_kpis(json, facts); }));
  put(parts, "categories", json_of([&](JsonWriter& json) { write_categories(json, facts); }));
  put(parts, "types", json_of([&](JsonWriter& json) { write_types(json, facts); }));
  put(parts, "top_products", json_of([&](JsonWriter& json) { write_top_products(json, facts); }));
  put(parts, "ratings", json_of([&](JsonWriter& json) { write_ratings(json, facts); }));
  fill_series(parts, facts);
  return parts;
}

std::string snapshot_text(const FrameParts& parts) {
  std::string text = fmt::format("{{\"frame\":{}", parts.frame);
  for (const auto& [name, value] : parts.members) text += fmt::format(",\"{}\":{}", name, value);
  std::vector<const std::string*> panes;
  for (const auto& pane : parts.panes) panes.push_back(&pane.second);
  return text + ",\"series\":" + series_text(parts, panes) + "}";
}

std::string delta_text(const FrameParts& parts, const FrameParts& before) {
  std::string text = fmt::format("{{\"frame\":{}", parts.frame);
  const std::map<std::string, std::string> old(before.members.begin(), before.members.end());
  for (const auto& [name, value] : parts.members) {
    const auto found = old.find(name);
    if (found == old.end() || found->second != value) {
      text += fmt::format(",\"{}\":{}", name, value);
    }
  }
  const std::map<std::int64_t, std::string> panes_before(before.panes.begin(), before.panes.end());
  std::vector<const std::string*> changed;
  for (const auto& [start_us, pane] : parts.panes) {
    const auto found = panes_before.find(start_us);
    if (found == panes_before.end() || found->second != pane) changed.push_back(&pane);
  }
  if (!changed.empty() || parts.series_head != before.series_head || parts.peaks != before.peaks) {
    text += ",\"series\":" + series_text(parts, changed);
  }
  return text + "}";
}

}  // namespace retailpulse
