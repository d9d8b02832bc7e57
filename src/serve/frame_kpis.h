// The tiles: every KPI of the live page with its unit, formula and quality.
//
// Thread: any (pure functions).
// Test:   tests/serve/frame_test.cpp
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "serve/frame_facts.h"
#include "serve/frame_json.h"

namespace retailpulse {

// Writes the value of "kpis": an object.
void write_kpis(JsonWriter& json, const LiveFacts& facts);

// One KPI; what is not given is left out.
struct Kpi {
  std::string_view name{};              // also its formula's id
  std::string_view unit{};              // money | count | stars | per_second
  std::optional<std::string> text{};    // money and stars: decimal text
  std::optional<std::string> number{};  // counts: a JSON number
  std::string_view why_null{};          // when there is no value
  std::string_view state = "provisional";
  std::optional<double> error{};        // relative, one sigma: a sketch
  std::optional<std::int64_t> n{};      // ratings behind a mean
  std::vector<std::string> spark{};     // JSON numbers
  std::optional<std::string> previous{};  // JSON: the value at the same time of the day before
};
void write_kpi(JsonWriter& json, const Kpi& kpi, std::string_view currency);

// The KPIs that are sums over any window: of sales and of ratings.
[[nodiscard]] std::vector<Kpi> sales_kpis(const Sales& sales, int digits, bool known,
                                          std::string_view state);
[[nodiscard]] Kpi rating_kpi(const RatingSum& ratings, std::string_view state);

}  // namespace retailpulse
