#include "verify/stored_panes.h"

#include <algorithm>
#include <map>
#include <utility>

namespace retailpulse {
namespace {

PaneSums sums_of(const Sales& s) {
  return {s.orders, s.lines, s.units_milli, s.gross_micros, s.refunds_micros};
}

// The texts of ids, each asked for once.
class Texts {
 public:
  explicit Texts(HistoryView& view) : view_(view) {}
  const std::string& of(Dimension dimension, StoredId id) {
    const auto [it, fresh] = texts_.try_emplace({dimension, id});
    if (fresh) it->second = view_.name(dimension, id);
    return it->second;
  }

 private:
  HistoryView& view_;
  std::map<std::pair<Dimension, StoredId>, std::string> texts_;
};

void add(StoredPanes& out, PaneKey key, const PaneSums& sums) {
  if (out.panes.size() >= kPanesMax) {
    out.full = true;
    return;
  }
  PaneSums& into = out.panes[std::move(key)];
  for (std::size_t i = 0; i < sums.size(); ++i) into[i] += sums[i];
}

Window window_of(Tier tier, const PaneRange& range) {
  const auto t = static_cast<std::size_t>(tier);
  return {tier, range.from_us[t], range.to_us[t]};
}

void add_groups(HistoryView& view, Texts& texts, Dimension by, PaneTable table,
                const Window& window, StoredPanes& out) {
  view.each_group_pane(by, window, [&](const GroupPane& row) {
    add(out,
        {table, window.tier, row.pane_us, texts.of(by, row.id),
         texts.of(Dimension::kCurrency, row.currency)},
        sums_of(row.sales));
  });
}

}  // namespace

StoredPanes stored_panes(HistoryView& view, const PaneRange& range) {
  StoredPanes out;
  Texts texts(view);
  for (const Tier tier : {Tier::kMinute, Tier::kDay}) {
    const Window window = window_of(tier, range);
    for (const TotalPane& row : view.total_panes(window)) {
      add(out, {PaneTable::kTotals, tier, row.pane_us, "", texts.of(Dimension::kCurrency, row.currency)},
          sums_of(row.sales));
    }
    add_groups(view, texts, Dimension::kCategory, PaneTable::kCategories, window, out);
    for (const TypePane& row : view.type_panes(window)) {
      add(out, {PaneTable::kTypes, tier, row.pane_us, texts.of(Dimension::kType, row.type), ""},
          {row.events});
    }
    for (const RatingPane& row : view.rating_panes(window)) {
      PaneSums sums{row.ratings, row.sum_milli};
      std::copy(row.stars.begin(), row.stars.end(), sums.begin() + 2);
      add(out, {PaneTable::kRatings, tier, row.pane_us, "", ""}, sums);
    }
  }
  const Window days = window_of(Tier::kDay, range);
  add_groups(view, texts, Dimension::kProduct, PaneTable::kProducts, days, out);
  return out;
}

}  // namespace retailpulse
