#include "verify/panes.h"

#include <string_view>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr std::array<std::string_view, 5> kTables{"totals", "categories", "products", "types",
                                                  "ratings"};
constexpr std::array<std::string_view, 5> kSales{"orders", "lines", "units_milli", "gross_micros",
                                                 "refunds_micros"};
constexpr std::array<std::string_view, 7> kRatings{"ratings", "sum_milli", "one", "two",
                                                   "three",   "four",      "five"};

std::string_view measure_name(PaneTable table, std::size_t i) {
  if (table == PaneTable::kTypes) return "events";
  return table == PaneTable::kRatings ? kRatings[i] : kSales.at(i);
}

std::string pane_text(const PaneKey& key) {
  const auto at = std::chrono::floor<std::chrono::seconds>(from_us(key.pane_us));
  return key.tier == Tier::kDay ? fmt::format("{:%Y-%m-%d}", at)
                                : fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", at);
}

std::string sentence(const PaneKey& key, const PaneSums& stored, const PaneSums& recounted) {
  std::string text = fmt::format(
      "{} {} of {}", kTables[static_cast<std::size_t>(key.table)],
      kTierNames[static_cast<std::size_t>(key.tier)], pane_text(key));
  if (!key.name.empty()) text += fmt::format(", \"{}\"", key.name);
  if (!key.currency.empty()) text += ", " + key.currency;
  for (std::size_t i = 0; i < stored.size(); ++i) {
    if (stored[i] == recounted[i]) continue;
    text += fmt::format(": {} is {} in the store and {} in Kafka", measure_name(key.table, i),
                        stored[i], recounted[i]);
  }
  return text;
}

}  // namespace

std::optional<std::string> first_difference(const Panes& stored, const Panes& recounted) {
  constexpr PaneSums kNothing{};
  auto a = stored.begin();
  auto b = recounted.begin();
  while (a != stored.end() || b != recounted.end()) {
    const bool take_a = b == recounted.end() || (a != stored.end() && a->first <= b->first);
    const bool take_b = a == stored.end() || (b != recounted.end() && b->first <= a->first);
    const PaneKey& key = take_a ? a->first : b->first;
    const PaneSums& left = take_a ? a->second : kNothing;
    const PaneSums& right = take_b ? b->second : kNothing;
    if (left != right) return sentence(key, left, right);
    if (take_a) ++a;
    if (take_b) ++b;
  }
  return std::nullopt;
}

}  // namespace retailpulse
