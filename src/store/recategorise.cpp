#include "store/recategorise.h"

#include <algorithm>

namespace retailpulse {
namespace {

Sales negated(const Sales& s) {
  return {-s.orders, -s.lines, -s.units_milli, -s.gross_micros, -s.refunds_micros};
}

}  // namespace

Status Recategoriser::load(Database& db) {
  const std::initializer_list<std::pair<Statement*, const char*>> statements = {
      {&first_, "SELECT first_us FROM product_first WHERE product=?1"},
      {&panes_,
       "SELECT DISTINCT pane_us FROM totals WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3"},
      {&rows_,
       "SELECT currency,orders-shared_orders,lines,units_milli,gross_micros,refunds_micros "
       "FROM products WHERE tier=?1 AND pane_us=?2 AND product=?3 AND category=0"}};
  for (const auto& [into, sql] : statements) {
    auto statement = db.prepare(sql);
    if (!statement.ok()) return statement.status();
    *into = std::move(statement).value();
  }
  return {};
}

Status Recategoriser::move(const Recategorised& change, const Seals& seals, RollupRows& rows) {
  auto sold = first_.bind(1, change.product).step();
  if (!sold.ok()) return sold.status();
  if (!sold.value()) return {};  // never sold under its listing: nothing to move
  const std::int64_t first_us = first_.integer(0);
  first_.reset();
  const std::int64_t minutes = seals.pane_us[static_cast<std::size_t>(Tier::kMinute)];
  const std::int64_t quarters = seals.pane_us[static_cast<std::size_t>(Tier::kQuarter)];
  // [.., quarters) from days, [quarters, minutes) from quarters, the rest from minutes.
  if (std::max(change.from_us, first_us) < quarters) {
    const std::int64_t end_day = change.to_us >= quarters ? seals.quarter_day_us
                                                          : rows.pane(change.to_us, Tier::kDay);
    const std::int64_t begin = first_pane(Tier::kDay, change, first_us, rows);
    if (Status s = move_tier(Tier::kDay, begin, end_day, change, rows); !s.ok()) return s;
  }
  const std::int64_t begin = first_pane(Tier::kQuarter, change, first_us, rows);
  const std::int64_t end =
      change.to_us >= minutes ? minutes : rows.pane(change.to_us, Tier::kQuarter);
  if (Status s = move_tier(Tier::kQuarter, std::max(begin, quarters), end, change, rows); !s.ok()) {
    return s;
  }
  return move_tier(Tier::kMinute, std::max({change.from_us, first_us, minutes}), change.to_us,
                   change, rows);
}

// The first pane with sales that lies in the change as a whole. One that a change cuts in two stays
// where it is: its sum does not say how much of it is meant, and moving it for either part would
// take away what was never booked there.
std::int64_t Recategoriser::first_pane(Tier tier, const Recategorised& change,
                                       std::int64_t first_us, RollupRows& rows) {
  const std::int64_t sold = rows.pane(first_us, tier);
  if (change.from_us == INT64_MIN) return sold;
  const std::int64_t width = kTierUs[static_cast<std::size_t>(tier)];
  return std::max(sold, rows.pane(change.from_us - 1, tier) + width);
}

Status Recategoriser::move_tier(Tier tier, std::int64_t from_us, std::int64_t to_us,
                                const Recategorised& change, RollupRows& rows) {
  if (from_us >= to_us) return {};
  panes_.bind(1, static_cast<std::int64_t>(tier)).bind(2, from_us).bind(3, to_us);
  for (;;) {
    auto more = panes_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return {};
    const std::int64_t pane = panes_.integer(0);
    if (Status s = move_pane(tier, pane, change, rows); !s.ok()) {
      panes_.reset();
      return s;
    }
  }
}

Status Recategoriser::move_pane(Tier tier, std::int64_t pane_us, const Recategorised& change,
                                RollupRows& rows) {
  rows_.bind(1, static_cast<std::int64_t>(tier)).bind(2, pane_us).bind(3, change.product);
  for (;;) {
    auto more = rows_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return {};
    const std::int64_t currency = rows_.integer(0);
    const Sales sales{rows_.integer(1), rows_.integer(2), rows_.integer(3), rows_.integer(4),
                      rows_.integer(5)};
    rows.add_category(tier, pane_us, change.before, currency, negated(sales));
    rows.add_category(tier, pane_us, change.after, currency, sales);
  }
}

}  // namespace retailpulse
