// RollupRows: the rows that one commit adds, folded from epochs into every tier.
//
// A delta goes to each tier whose pane is not sealed; below a seal the coarser tiers, which hold
// everything, answer. Adding is checked: money that leaves int64 is an error, never a wrong sum.
//
// Thread:     role committer.
// Invariants: category rows are the product rows grouped by the category of their minute.
// Test:       tests/store_twin_test.cpp (against the slow twin)
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include <retailpulse/epoch.h>
#include <retailpulse/window.h>

#include "base/hll.h"
#include "base/zone.h"
#include "store/catalog.h"
#include "store/fold.h"
#include "store/names.h"
#include "store/seals.h"

namespace retailpulse {

struct SalesRow {
  Sales sales;
  std::int64_t shared_orders = 0;  // of sales.orders: those counted through order marks (products)
  std::int64_t sold = 0;           // products whose listing decides: see RollupRows::part_us
};

struct RatingRow {
  std::int64_t ratings = 0;
  std::int64_t sum_milli = 0;
  std::array<std::int64_t, 5> stars{};
};

class RollupRows {
 public:
  RollupRows(const Names& names, const Catalog& catalog, const Zone& zone)
      : names_(names), catalog_(catalog), zone_(zone), day_(zone) {}

  void begin(const Seals& seals);
  void add(const Epoch& epoch);

  // One more (or less) order in a total, product or category row of every tier; `first_us` is the
  // time of the order's first line there.
  void add_total_order(std::int64_t first_us, std::int64_t currency, std::int64_t n);
  void add_product_order(std::int64_t first_us, std::int64_t product, std::int64_t category,
                         std::int64_t currency, std::int64_t n);
  void add_category_order(std::int64_t first_us, std::int64_t category, std::int64_t currency,
                          std::int64_t n);
  // Category rows alone, from `tier` on to coarser ones; for a product that changes category.
  void add_category(Tier tier, std::int64_t pane_us, std::int64_t category, std::int64_t currency,
                    const Sales& sales);

  // A product's row says in which of its parts there were sales, a bit for each: a quarter's row the
  // minutes, a day's row the half hours (51 at most: a day of 25 hours that begins within one).
  // So a listing finds the minutes of a product without looking at all there are.
  [[nodiscard]] static constexpr std::int64_t part_us(Tier tier) {
    return (tier == Tier::kDay ? 30 : 1) * kTierUs[static_cast<std::size_t>(Tier::kMinute)];
  }
  // Where the first part of a quarter's or day's pane begins.
  [[nodiscard]] std::int64_t parts_begin(Tier tier, std::int64_t pane_us) const;
  // The pane of a moment in a tier.
  [[nodiscard]] std::int64_t pane(std::int64_t t_us, Tier tier);
  [[nodiscard]] bool overflowed() const { return overflowed_; }

  Fold<SalesRow> totals;       // a = currency
  Fold<SalesRow> categories;   // a = category, b = currency
  Fold<SalesRow> products;     // a = product, b = own category, c = currency
  Fold<RatingRow> ratings;     // a = product
  Fold<std::int64_t> types;    // a = type
  Fold<Hll> visitors;
  Fold<std::int64_t> first_sold;  // a = product: earliest minute with a sale whose listing decides

 private:
  template <class Add>
  void each_tier(std::int64_t t_us, Tier from, Add add_row);
  void add_sales(SalesRow& row, const Sales& sales);
  void add_checked(std::int64_t& sum, std::int64_t n);
  [[nodiscard]] std::int64_t part_bit(Tier tier, std::int64_t pane_us, std::int64_t minute_us) const;
  void add_products(const Epoch& epoch);
  void add_visitors(const Epoch& epoch);

  const Names& names_;
  const Catalog& catalog_;
  const Zone& zone_;
  DayCache day_;
  Seals seals_;
  bool overflowed_ = false;
};

}  // namespace retailpulse
