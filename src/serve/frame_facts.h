// LiveFacts: what the live page shows at one commit, read in one transaction, still as numbers.
//
// read_facts() asks, frame_parts() (frame_text.h) puts it in words; between them stands this plain struct, so
// that both can be tested alone.
//
// Thread: moved.
// Limits: kSeriesPanesMax panes, kCategoryRows, kTopRows, kRatingRows.
// Test:   tests/serve/frame_test.cpp
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <retailpulse/history.h>

#include "base/zone.h"
#include "serve/frame_math.h"
#include "serve/http.h"
#include "serve/range.h"

namespace retailpulse {

inline constexpr std::size_t kSeriesPanesMax = 360;
inline constexpr std::size_t kCategoryRows = 12;
inline constexpr std::size_t kTopRows = 10;
inline constexpr std::size_t kRatingRows = 5;
inline constexpr std::size_t kSparkPanes = 60;
inline constexpr Duration kLostShown = std::chrono::hours{24};

struct SeriesPane {
  std::int64_t start_us = 0;
  Sales sales;
  std::int64_t revision = 0;
  bool closed = false;
  bool present = false;  // events were seen in it, or it has sales: a zero is then a counted zero
};

struct NamedSales {
  std::string name;
  Sales sales;
};

struct ProductSales {
  StoredId id = kStoredNone;
  ProductRow product;
  Sales sales;
};

struct RatedProduct {
  StoredId id = kStoredNone;
  ProductRow product;
  RatingCount count;
  std::int64_t score_milli = 0;
};

struct LedgerSums {
  std::int64_t consumed = 0;
  std::array<std::int64_t, kBuckets> buckets{};
  std::int64_t late = 0;
  std::int64_t future = 0;
};

struct LiveFacts {
  HistoryClock clock;
  DataClock data;
  bool has_events = false;
  CurrencyRow currency;                 // looked at; its code is empty while there is no sale
  std::vector<std::string> currencies;  // with sales, today's greatest first
  Sales today;
  std::optional<Sales> before;          // yesterday's, up to the same time of the day, to the minute
  std::int64_t step_us = 0;
  std::int64_t series_from_us = 0;
  std::int64_t series_to_us = 0;
  std::vector<SeriesPane> series;       // consecutive; the first kPeakBaselinePanes are lead-in
  std::vector<SeriesPane> minutes;      // the last kSparkPanes, consecutive
  std::vector<RatingPane> rating_minutes;
  std::vector<NamedSales> categories;   // today, greatest net first, the last may be "(other)"
  std::vector<std::pair<std::string, std::int64_t>> types;  // today, most frequent first
  std::vector<ProductSales> by_revenue;
  std::vector<ProductSales> by_units;
  std::int64_t other_net_micros = 0;    // all that is not in by_revenue
  std::int64_t other_units_milli = 0;   // all that is not in by_units
  std::int64_t other_products = 0;
  RatingSum ratings;                    // of the whole shop today
  std::vector<RatedProduct> best;
  std::vector<RatedProduct> worst;
  std::optional<double> visitors;       // of the five minutes before the data clock
  std::vector<double> visitors_spark;
  std::vector<std::int64_t> ten_second_lines;  // of the last 60 final panes, oldest first
  LedgerSums ledger;
  LostSum lost;                         // of all time
  std::vector<LostRange> lost_lately;   // noticed within kLostShown, newest first
};

// What Kafka deleted before it was counted, noticed within kLostShown of the last commit.
[[nodiscard]] std::vector<LostRange> lost_lately(HistoryView& view);
// One sentence about them; "" when there are none.
[[nodiscard]] std::string lost_text(const std::vector<LostRange>& ranges);
[[nodiscard]] LiveFacts read_facts(HistoryView& view, const Zone& zone, const Scope& scope);
[[nodiscard]] LedgerSums ledger_sums(HistoryView& view);
// The consecutive panes of a window (not of the day tier) for one currency.
[[nodiscard]] std::vector<SeriesPane> read_panes(HistoryView& view, const Window& window,
                                                 StoredId currency, std::int64_t edge_us);

// The currency of that code; without one the currency with the most lines sold today, then ever.
[[nodiscard]] CurrencyRow choose_currency(HistoryView& view, const DataClock& data,
                                          std::string_view code, std::vector<std::string>& codes);

// Moves the `count` greatest to the front, in order.
template <class Row, class Greater>
void keep_greatest(std::vector<Row>& rows, std::size_t count, Greater greater) {
  const auto middle = rows.begin() + static_cast<std::ptrdiff_t>(std::min(count, rows.size()));
  std::partial_sort(rows.begin(), middle, rows.end(), greater);
}

}  // namespace retailpulse
