// Panes: the sums of every window, by what they are of, so that two sources can be compared.
//
// Thread: one at a time.
// Limits: kPanesMax sums on each side; a caller that reaches it says so and stops.
// Test:   tests/verify/recount_test.cpp
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include <retailpulse/types.h>
#include <retailpulse/window.h>

namespace retailpulse {

inline constexpr std::size_t kPanesMax = 20'000'000;

enum class PaneTable : std::uint8_t { kTotals, kCategories, kProducts, kTypes, kRatings };

struct PaneKey {
  PaneTable table{};
  Tier tier{};
  std::int64_t pane_us = 0;
  std::string name;      // category, product or type; empty in totals and ratings
  std::string currency;  // empty in types and ratings

  friend auto operator<=>(const PaneKey&, const PaneKey&) = default;
};

// Sales: orders, lines, units_milli, gross_micros, refunds_micros. Types: events. Ratings: ratings,
// sum_milli, one to five stars. The rest is 0.
using PaneSums = std::array<std::int64_t, 7>;
using Panes = std::map<PaneKey, PaneSums>;

// Panes with from <= start < to are looked at, for each tier. Minutes and days are compared.
struct PaneRange {
  std::array<std::int64_t, kTiers> from_us{};
  std::array<std::int64_t, kTiers> to_us{};

  [[nodiscard]] bool has(Tier tier, std::int64_t pane_us) const {
    const auto t = static_cast<std::size_t>(tier);
    return pane_us >= from_us[t] && pane_us < to_us[t];
  }
};

// The first pane, in order of key, in which the two differ, as a sentence; nothing when none does.
// A pane of nothing but zeros is the same as no pane.
[[nodiscard]] std::optional<std::string> first_difference(const Panes& stored,
                                                          const Panes& recounted);

}  // namespace retailpulse
