#include "store/rollup_rows.h"

#include <algorithm>

#include "base/failpoint.h"
#include "store/schema.h"

namespace retailpulse {

void RollupRows::begin(const Seals& seals) {
  totals.clear();
  categories.clear();
  products.clear();
  ratings.clear();
  types.clear();
  visitors.clear();
  first_sold.clear();
  seals_ = seals;
  overflowed_ = false;
}

std::int64_t RollupRows::pane(std::int64_t t_us, Tier tier) {
  return tier == Tier::kDay ? day_.civil_day(from_us(t_us)) : pane_of(from_us(t_us), tier);
}

std::int64_t RollupRows::parts_begin(Tier tier, std::int64_t pane_us) const {
  if (tier != Tier::kDay) return pane_us;
  return pane_of(to_us(zone_.day_begin(pane_us)), part_us(Tier::kDay));
}

// As parts_begin(), for the day that day_ was asked for last: this is called for each delta.
std::int64_t RollupRows::part_bit(Tier tier, std::int64_t pane_us, std::int64_t minute_us) const {
  if (tier == Tier::kMinute) return 0;
  const std::int64_t begin =
      tier == Tier::kDay ? pane_of(to_us(day_.day_begin()), part_us(tier)) : pane_us;
  return std::int64_t{1} << ((minute_us - begin) / part_us(tier));
}

template <class Add>
void RollupRows::each_tier(std::int64_t t_us, Tier from, Add add_row) {
  for (auto t = static_cast<std::size_t>(from); t < kTiers; ++t) {
    const auto tier = static_cast<Tier>(t);
    const std::int64_t start = pane(t_us, tier);
    if (start >= seals_.pane_us[t]) add_row(static_cast<std::int64_t>(t), start);
  }
}

void RollupRows::add_checked(std::int64_t& sum, std::int64_t n) {
  if (__builtin_add_overflow(sum, n, &sum)) overflowed_ = true;
}

void RollupRows::add_sales(SalesRow& row, const Sales& sales) {
  add_checked(row.sales.orders, sales.orders);
  add_checked(row.sales.lines, sales.lines);
  add_checked(row.sales.units_milli, sales.units_milli);
  add_checked(row.sales.gross_micros, sales.gross_micros);
  add_checked(row.sales.refunds_micros, sales.refunds_micros);
}

void RollupRows::add(const Epoch& epoch) {
  const auto id = [&](Dimension d, NameId name) { return names_.id(epoch.lane, d, name); };
  for (const TotalDelta& delta : epoch.totals) {
    const auto currency = id(Dimension::kCurrency, delta.currency);
    each_tier(delta.pane_us, Tier::kTenSeconds, [&](std::int64_t tier, std::int64_t pane) {
      add_sales(totals.at({tier, pane, currency}), delta.sales);
    });
  }
  add_products(epoch);
  for (const RatingDelta& delta : epoch.ratings) {
    const auto product = id(Dimension::kProduct, delta.product);
    const Tier finest = planted(Plant::kWrongTier) ? Tier::kQuarter : Tier::kMinute;
    each_tier(delta.pane_us, finest, [&](std::int64_t tier, std::int64_t pane) {
      RatingRow& row = ratings.at({tier, pane, product});
      row.ratings += delta.ratings;
      row.sum_milli += delta.sum_milli;
      for (std::size_t i = 0; i < row.stars.size(); ++i) row.stars[i] += delta.stars[i];
    });
  }
  for (const TypeDelta& delta : epoch.types) {
    const auto type = id(Dimension::kType, delta.type);
    each_tier(delta.pane_us, Tier::kMinute, [&](std::int64_t tier, std::int64_t pane) {
      types.at({tier, pane, type}) += delta.events;
    });
  }
  add_visitors(epoch);
}

void RollupRows::add_visitors(const Epoch& epoch) {
  const std::vector<VisitorMark>& marks = epoch.visitors;
  for (std::size_t begin = 0, end = 0; begin < marks.size(); begin = end) {
    const std::int64_t pane_us = marks[begin].pane_us;  // most marks of a pane come together
    while (end < marks.size() && marks[end].pane_us == pane_us) ++end;
    // Active visitors look at the last five minutes, tiles at the day: no tier between is asked.
    for (const Tier tier : {Tier::kTenSeconds, Tier::kDay}) {
      const std::int64_t start = pane(pane_us, tier);
      if (start < seals_.pane_us[static_cast<std::size_t>(tier)]) continue;
      Hll& visitors_of = visitors.at({static_cast<std::int64_t>(tier), start});
      for (std::size_t i = begin; i < end; ++i) visitors_of.add({marks[i].reg, marks[i].rank});
    }
  }
}

void RollupRows::add_products(const Epoch& epoch) {
  for (const ProductDelta& delta : epoch.products) {
    const auto product = names_.id(epoch.lane, Dimension::kProduct, delta.product);
    const auto own = names_.id(epoch.lane, Dimension::kCategory, delta.category);
    const auto currency = names_.id(epoch.lane, Dimension::kCurrency, delta.currency);
    std::int64_t category = own;
    if (own == kUnknownId) {
      const std::int64_t minute = planted(Plant::kWrongMinute) ? INT64_MAX : delta.pane_us;
      category = catalog_.category(product, minute);
      std::int64_t& first = first_sold.at({0, 0, product});
      first = first == 0 ? delta.pane_us : std::min(first, delta.pane_us);
    }
    each_tier(delta.pane_us, Tier::kMinute, [&](std::int64_t tier, std::int64_t pane) {
      SalesRow& row = products.at({tier, pane, product, own, currency});
      add_sales(row, delta.sales);
      if (own == kUnknownId) row.sold |= part_bit(static_cast<Tier>(tier), pane, delta.pane_us);
      add_sales(categories.at({tier, pane, category, currency}), delta.sales);
    });
  }
}

void RollupRows::add_total_order(std::int64_t first_us, std::int64_t currency, std::int64_t n) {
  each_tier(first_us, Tier::kTenSeconds, [&](std::int64_t tier, std::int64_t pane) {
    add_checked(totals.at({tier, pane, currency}).sales.orders, n);
  });
}

void RollupRows::add_product_order(std::int64_t first_us, std::int64_t product,
                                   std::int64_t category, std::int64_t currency, std::int64_t n) {
  each_tier(first_us, Tier::kMinute, [&](std::int64_t tier, std::int64_t pane) {
    SalesRow& row = products.at({tier, pane, product, category, currency});
    add_checked(row.sales.orders, n);
    add_checked(row.shared_orders, n);
  });
}

void RollupRows::add_category_order(std::int64_t first_us, std::int64_t category,
                                    std::int64_t currency, std::int64_t n) {
  each_tier(first_us, Tier::kMinute, [&](std::int64_t tier, std::int64_t pane) {
    add_checked(categories.at({tier, pane, category, currency}).sales.orders, n);
  });
}

void RollupRows::add_category(Tier tier, std::int64_t pane_us, std::int64_t category,
                              std::int64_t currency, const Sales& sales) {
  // A day's pane is a civil date already; finer panes find their own coarser ones.
  if (tier == Tier::kDay) {
    add_sales(categories.at({static_cast<std::int64_t>(tier), pane_us, category, currency}), sales);
    return;
  }
  each_tier(pane_us, tier, [&](std::int64_t t, std::int64_t pane) {
    add_sales(categories.at({t, pane, category, currency}), sales);
  });
}

}  // namespace retailpulse
