#include "serve/frame_facts.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_set>

#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr std::int64_t kMinuteUs = kTierUs[static_cast<std::size_t>(Tier::kMinute)];
constexpr std::int64_t kTenSecondsUs = kTierUs[static_cast<std::size_t>(Tier::kTenSeconds)];
constexpr std::int64_t kDayUs = kTierUs[static_cast<std::size_t>(Tier::kDay)];
constexpr std::int64_t kActiveUs = 300 * kSecondUs;  // a visitor is active for five minutes
constexpr std::int64_t kVisitorSparkPoints = 12;
constexpr std::int64_t kCurrencyDays = 400;          // how far back a currency is remembered
constexpr std::int64_t kReachDays = 9;  // with sales in the week before, yesterday is a whole day

struct Span {
  std::string_view name;
  Tier tier;
  std::int64_t range_us;
};
constexpr Span kSpans[] = {{"1h", Tier::kMinute, 3600 * kSecondUs},
                           {"15m", Tier::kTenSeconds, 900 * kSecondUs},
                           {"6h", Tier::kMinute, 6 * 3600 * kSecondUs},
                           {"24h", Tier::kQuarter, 24 * 3600 * kSecondUs}};

const Span& span_of(std::string_view name) {
  for (const Span& span : kSpans) {
    if (span.name == name) return span;
  }
  return kSpans[0];
}

Window day_window(const DataClock& data) {
  return {Tier::kDay, data.today_us, data.today_us + kDayUs};
}

std::int64_t width_of(Tier tier) { return kTierUs[static_cast<std::size_t>(tier)]; }

// A pane in which any event was seen has a counted zero, not a gap. Ten-second panes ask their
// minute: the distribution of events is not kept finer.
void mark_present(HistoryView& view, const Window& window, std::vector<SeriesPane>& panes,
                  std::int64_t edge_us) {
  const Tier tier = std::max(window.tier, Tier::kMinute);
  const std::int64_t width = width_of(tier);
  std::unordered_set<std::int64_t> seen;
  const Window whole{tier, pane_of(window.from_us, width), window.to_us};
  for (const TypePane& row : view.type_panes(whole)) seen.insert(row.pane_us);
  for (SeriesPane& pane : panes) {
    if (pane.start_us < edge_us && seen.count(pane_of(pane.start_us, width)) != 0) {
      pane.present = true;
    }
  }
}

void read_series(HistoryView& view, const Span& span, LiveFacts& facts) {
  const std::int64_t width = width_of(span.tier);
  // A shop whose newest event is far ahead of the data clock is looked at around the clock.
  const std::int64_t end =
      std::min(facts.data.edge_us, facts.data.now_us + span.range_us / 5);
  facts.step_us = width;
  facts.series_to_us = pane_of(end + width - 1, width);
  facts.series_from_us = facts.series_to_us - span.range_us;
  const auto lead_in = static_cast<std::int64_t>(kPeakBaselinePanes) * width;
  const Window window{span.tier, facts.series_from_us - lead_in, facts.series_to_us};
  facts.series = read_panes(view, window, facts.currency.id, facts.data.edge_us);
  const std::int64_t to = pane_of(end + kMinuteUs - 1, kMinuteUs);
  const Window hour{Tier::kMinute, to - static_cast<std::int64_t>(kSparkPanes) * kMinuteUs, to};
  facts.minutes = read_panes(view, hour, facts.currency.id, facts.data.edge_us);
  facts.rating_minutes = view.rating_panes(hour);
}

// The day before, cut where today is now: half a day is compared with half a day. A store that does
// not reach behind that day may have begun in it, and gives nothing to compare with.
void read_before(HistoryView& view, LiveFacts& facts) {
  const DataClock& data = facts.data;
  const Window older{Tier::kDay, data.today_us - kReachDays * kDayUs, data.today_us - kDayUs};
  if (view.total_panes(older).empty()) return;
  const std::int64_t from = data.before_from_us;
  const std::int64_t to = pane_of(from + data.now_us - data.day_from_us, kMinuteUs);
  const std::int64_t quarter = std::max(from, pane_of(to, width_of(Tier::kQuarter)));
  facts.before.emplace();
  for (const Window& window :
       {Window{Tier::kQuarter, from, quarter}, Window{Tier::kMinute, quarter, to}}) {
    for (const TotalPane& row : view.total_panes(window)) {
      if (row.currency == facts.currency.id) add_sales(*facts.before, row.sales);
    }
  }
}

// Transactions and visitors of the moment: the ten-second panes before the data clock.
void read_moment(HistoryView& view, LiveFacts& facts) {
  const std::int64_t to = pane_of(facts.data.now_us, kTenSecondsUs);
  const Window window{Tier::kTenSeconds,
                      to - static_cast<std::int64_t>(kSparkPanes) * kTenSecondsUs, to};
  facts.ten_second_lines.assign(kSparkPanes, 0);
  for (const TotalPane& row : view.total_panes(window)) {
    facts.ten_second_lines[static_cast<std::size_t>((row.pane_us - window.from_us) /
                                                    kTenSecondsUs)] += row.sales.lines;
  }
  if (!facts.has_events) return;
  for (std::int64_t i = kVisitorSparkPoints - 1; i >= 0; --i) {
    const std::int64_t end = to - i * kActiveUs;
    facts.visitors_spark.push_back(
        view.visitors({Tier::kTenSeconds, end - kActiveUs, end}).value_or(0));
  }
  facts.visitors = facts.visitors_spark.back();
}

void read_categories(HistoryView& view, LiveFacts& facts) {
  auto sums = view.group_sums(Dimension::kCategory, day_window(facts.data));
  std::erase_if(sums, [&](const GroupSum& sum) {
    return sum.currency != facts.currency.id || sum.sales == Sales{};
  });
  keep_greatest(sums, sums.size(), [](const GroupSum& a, const GroupSum& b) {
    return net_of(a.sales) != net_of(b.sales) ? net_of(a.sales) > net_of(b.sales) : a.id < b.id;
  });
  NamedSales other{"(other)", {}};
  for (const GroupSum& sum : sums) {
    if (facts.categories.size() < kCategoryRows && sum.id != kStoredOther) {
      facts.categories.push_back({view.name(Dimension::kCategory, sum.id), sum.sales});
    } else {
      add_sales(other.sales, sum.sales);
    }
  }
  if (other.sales != Sales{}) facts.categories.push_back(std::move(other));
}

void read_types(HistoryView& view, LiveFacts& facts) {
  for (const TypeSum& sum : view.type_sums(day_window(facts.data))) {
    if (sum.events != 0) facts.types.emplace_back(view.name(Dimension::kType, sum.type), sum.events);
  }
  std::sort(facts.types.begin(), facts.types.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
}

ProductSales named(HistoryView& view, const GroupSum& sum) {
  ProductSales row{sum.id, view.product(sum.id), sum.sales};
  if (sum.category != kStoredNone) {
    row.product.category = view.name(Dimension::kCategory, sum.category);
  }
  return row;
}

void read_products(HistoryView& view, LiveFacts& facts) {
  auto sums = view.group_sums(Dimension::kProduct, day_window(facts.data));
  std::erase_if(sums,
                [&](const GroupSum& sum) { return sum.currency != facts.currency.id; });
  for (const GroupSum& sum : sums) {
    facts.other_net_micros += net_of(sum.sales);
    facts.other_units_milli += sum.sales.units_milli;
  }
  const std::size_t rows = std::min(kTopRows, sums.size());
  facts.other_products = static_cast<std::int64_t>(sums.size() - rows);
  keep_greatest(sums, rows, [](const GroupSum& a, const GroupSum& b) {
    return net_of(a.sales) != net_of(b.sales) ? net_of(a.sales) > net_of(b.sales) : a.id < b.id;
  });
  for (std::size_t i = 0; i < rows; ++i) {
    facts.by_revenue.push_back(named(view, sums[i]));
    facts.other_net_micros -= net_of(sums[i].sales);
  }
  keep_greatest(sums, rows, [](const GroupSum& a, const GroupSum& b) {
    return a.sales.units_milli != b.sales.units_milli ? a.sales.units_milli > b.sales.units_milli
                                                      : a.id < b.id;
  });
  for (std::size_t i = 0; i < rows; ++i) {
    facts.by_units.push_back(named(view, sums[i]));
    facts.other_units_milli -= sums[i].sales.units_milli;
  }
}

struct Score {  // small, because ten thousand of them are sorted
  std::int64_t milli = 0;
  StoredId id = kStoredNone;
  RatingCount count;
};

std::vector<RatedProduct> rated(HistoryView& view, const Score* scores, std::size_t count) {
  std::vector<RatedProduct> rows;
  for (std::size_t i = 0; i < count; ++i) {
    rows.push_back({scores[i].id, view.product(scores[i].id), scores[i].count, scores[i].milli});
  }
  return rows;
}

void read_ratings(HistoryView& view, LiveFacts& facts) {
  const auto sums = view.rating_sums(day_window(facts.data));
  for (const RatingSum& sum : sums) {
    facts.ratings.ratings += sum.ratings;
    facts.ratings.sum_milli += sum.sum_milli;
    for (std::size_t i = 0; i < sum.stars.size(); ++i) facts.ratings.stars[i] += sum.stars[i];
  }
  if (facts.ratings.ratings <= 0) return;
  const RatingCount shop{facts.ratings.sum_milli, facts.ratings.ratings};
  std::vector<Score> scores;
  for (const RatingSum& sum : sums) {
    const RatingCount count{sum.sum_milli, sum.ratings};
    if (sum.ratings > 0) scores.push_back({bayes_milli(count, shop), sum.product, count});
  }
  keep_greatest(scores, kRatingRows, [](const Score& a, const Score& b) {
    return a.milli != b.milli ? a.milli > b.milli : a.id < b.id;
  });
  const std::size_t best = std::min(kRatingRows, scores.size());
  facts.best = rated(view, scores.data(), best);
  scores.erase(scores.begin(), scores.begin() + static_cast<std::ptrdiff_t>(best));  // not both
  keep_greatest(scores, kRatingRows, [](const Score& a, const Score& b) {
    return a.milli != b.milli ? a.milli < b.milli : a.id < b.id;
  });
  facts.worst = rated(view, scores.data(), std::min(kRatingRows, scores.size()));
}

}  // namespace

std::vector<SeriesPane> read_panes(HistoryView& view, const Window& window, StoredId currency,
                                   std::int64_t edge_us) {
  const std::int64_t width = width_of(window.tier);
  std::vector<SeriesPane> panes(
      static_cast<std::size_t>(std::max<std::int64_t>(0, (window.to_us - window.from_us) / width)));
  const auto& watermark = view.clock().watermark_us;
  for (std::size_t i = 0; i < panes.size(); ++i) {
    panes[i].start_us = window.from_us + static_cast<std::int64_t>(i) * width;
    panes[i].closed = watermark && panes[i].start_us + width <= *watermark;
  }
  for (const TotalPane& row : view.total_panes(window)) {
    SeriesPane& pane = panes[static_cast<std::size_t>((row.pane_us - window.from_us) / width)];
    pane.present = true;
    if (row.currency != currency) continue;
    add_sales(pane.sales, row.sales);
    pane.revision = std::max(pane.revision, row.revision);
  }
  mark_present(view, window, panes, edge_us);
  return panes;
}

LedgerSums ledger_sums(HistoryView& view) {
  LedgerSums sums;
  for (const PartitionRow& row : view.partitions()) {
    sums.consumed += row.consumed;
    sums.late += row.late;
    sums.future += row.future;
  }
  for (const LedgerRow& row : view.ledger()) {
    for (std::size_t i = 0; i < kBuckets; ++i) {
      if (kBucketNames[i] == row.bucket) sums.buckets[i] += row.records;
    }
  }
  return sums;
}

CurrencyRow choose_currency(HistoryView& view, const DataClock& data, std::string_view code,
                            std::vector<std::string>& codes) {
  struct Seen {
    CurrencyRow row;
    std::int64_t today = INT64_MIN;
    std::int64_t ever = 0;
  };
  std::map<StoredId, Seen> seen;
  const Window days{Tier::kDay, data.today_us - kCurrencyDays * kDayUs, data.today_us + 2 * kDayUs};
  for (const TotalPane& row : view.total_panes(days)) {
    Seen& currency = seen[row.currency];
    // By lines sold: amounts of two currencies cannot be compared, a yen is not a euro.
    currency.ever += row.sales.lines;
    if (row.pane_us == data.today_us) currency.today = row.sales.lines;
  }
  std::vector<Seen> order;
  for (CurrencyRow& row : view.currencies()) {
    const auto found = seen.find(row.id);
    if (found == seen.end()) continue;
    found->second.row = std::move(row);
    order.push_back(found->second);
  }
  std::sort(order.begin(), order.end(), [](const Seen& a, const Seen& b) {
    if (a.today != b.today) return a.today > b.today;
    return a.ever != b.ever ? a.ever > b.ever : a.row.id < b.row.id;
  });
  for (const Seen& currency : order) codes.push_back(currency.row.code);
  for (const Seen& currency : order) {
    if (currency.row.code == code) return currency.row;
  }
  return order.empty() ? CurrencyRow{} : order.front().row;
}

std::vector<LostRange> lost_lately(HistoryView& view) {
  std::vector<LostRange> ranges = view.lost_ranges();
  const std::int64_t since_us = view.clock().wall_us - kLostShown.count();
  std::erase_if(ranges, [since_us](const LostRange& r) { return r.wall_us < since_us; });
  return ranges;
}

std::string lost_text(const std::vector<LostRange>& ranges) {
  if (ranges.empty()) return {};
  const LostRange& newest = ranges.front();
  std::string text = fmt::format("Kafka deleted records before they could be counted: offsets {} to "
                                 "{} of topic '{}', partition {}, noticed {}",
                                 newest.from, newest.to - 1, newest.topic, newest.partition,
                                 utc_text(newest.wall_us));
  if (ranges.size() > 1) text += fmt::format(", and {} more ranges", ranges.size() - 1);
  return text + ". /api/v1/partitions says how many are missing of each.";
}

LiveFacts read_facts(HistoryView& view, const Zone& zone, const Scope& scope) {
  LiveFacts facts;
  facts.clock = view.clock();
  facts.data = data_clock(facts.clock, zone);
  facts.has_events = facts.clock.newest_event_us.has_value();
  facts.currency = choose_currency(view, facts.data, scope.currency, facts.currencies);
  for (const TotalPane& row : view.total_panes(day_window(facts.data))) {
    if (row.currency == facts.currency.id) add_sales(facts.today, row.sales);
  }
  read_before(view, facts);
  read_series(view, span_of(scope.range), facts);
  read_moment(view, facts);
  read_categories(view, facts);
  read_types(view, facts);
  read_products(view, facts);
  read_ratings(view, facts);
  facts.ledger = ledger_sums(view);
  facts.lost = view.lost_sum();
  if (facts.lost.ranges > 0) facts.lost_lately = lost_lately(view);
  return facts;
}

}  // namespace retailpulse
