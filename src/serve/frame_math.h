// The arithmetic of the KPIs: exact, on scaled integers, rounding half to even where it must.
//
// Thread: any (pure functions).
// Test:   tests/serve/frame_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <retailpulse/epoch.h>

namespace retailpulse {

[[nodiscard]] constexpr std::int64_t net_of(const Sales& s) {
  return s.gross_micros - s.refunds_micros;
}

// a / b rounded half to even; b > 0.
[[nodiscard]] std::int64_t divide_half_even(std::int64_t a, std::int64_t b);

// Gross per order in micros, rounded to the currency's decimals; nothing without an order.
[[nodiscard]] std::optional<std::int64_t> average_order_micros(const Sales& sales, int digits);

// Mean in thousandths of a star; nothing without a rating.
[[nodiscard]] std::optional<std::int64_t> mean_milli(std::int64_t sum_milli, std::int64_t ratings);

// (C * shop mean + sum) / (C + n) in thousandths of a star, C = 10: one vote of five stars does
// not lead. `shop` has at least one rating.
struct RatingCount {
  std::int64_t sum_milli = 0;
  std::int64_t ratings = 0;
};
[[nodiscard]] std::int64_t bayes_milli(const RatingCount& product, const RatingCount& shop);

[[nodiscard]] std::string units_text(std::int64_t milli);   // 2500 -> "2.5"
[[nodiscard]] std::string stars_text(std::int64_t milli);   // 4800 -> "4.8", 5000 -> "5.0"

void add_sales(Sales& to, const Sales& more);

// Peaks: final panes with r > m + 3 * 1.4826 * MAD and r >= 1.25 m, at least three of them, gaps of
// at most two panes merged; m and MAD are the median and the median absolute deviation of the 60
// panes before (at least 20 must be there). Panes are consecutive; a missing one has no value.
struct PeakPane {
  std::optional<std::int64_t> micros;
  bool closed = false;
};
struct Peak {
  std::size_t begin = 0;  // pane numbers, half-open
  std::size_t end = 0;
  std::int64_t excess_micros = 0;  // sum of r - m over its high panes
  bool provisional = false;        // the next final pane may still belong to it
};
inline constexpr std::size_t kPeakBaselinePanes = 60;
[[nodiscard]] std::vector<Peak> find_peaks(std::span<const PeakPane> panes);

}  // namespace retailpulse
