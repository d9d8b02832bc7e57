#include "store/recategorise.h"

#include <algorithm>

#include "store/schema.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kQuarterUs = kTierUs[static_cast<std::size_t>(Tier::kQuarter)];

Sales negated(const Sales& s) {
  return {-s.orders, -s.lines, -s.units_milli, -s.gross_micros, -s.refunds_micros};
}

}  // namespace

Status Recategoriser::load(Database& db) {
  const std::initializer_list<std::pair<Statement*, const char*>> statements = {
      {&first_, "SELECT first_us FROM product_first WHERE product=?1"},
      {&days_, "SELECT DISTINCT pane_us FROM totals WHERE tier=3 AND pane_us>=?1 AND pane_us<?2"},
      {&sold_,
       "SELECT sold FROM products WHERE tier=?1 AND pane_us=?2 AND product=?3 AND category=0"},
      {&rows_,
       "SELECT currency,orders-shared_orders,lines,units_milli,gross_micros,refunds_micros "
       "FROM products WHERE tier=?1 AND pane_us=?2 AND product=?3 AND category=0"}};
  static_assert(kUnknownId == 0);
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
  const std::int64_t from_us = std::max(change.from_us, first_.integer(0));
  first_.reset();
  const std::int64_t minutes = seals.pane_us[static_cast<std::size_t>(Tier::kMinute)];
  const std::int64_t quarters = seals.pane_us[static_cast<std::size_t>(Tier::kQuarter)];
  // [.., quarters) from days, [quarters, minutes) from quarters, the rest from minutes.
  if (from_us < quarters) {
    const std::int64_t end_day = change.to_us >= quarters ? seals.quarter_day_us
                                                          : rows.pane(change.to_us, Tier::kDay);
    const std::int64_t begin = std::max(rows.pane(from_us, Tier::kDay),
                                        seals.pane_us[static_cast<std::size_t>(Tier::kDay)]);
    if (Status s = move_tier(Tier::kDay, begin, end_day, change, rows); !s.ok()) return s;
  }
  if (from_us < minutes) {
    if (Status s = move_tier(Tier::kQuarter, std::max(rows.pane(from_us, Tier::kQuarter), quarters),
                             std::min(change.to_us, minutes), change, rows);
        !s.ok()) {
      return s;
    }
  }
  return move_tier(Tier::kMinute, std::max(from_us, minutes), change.to_us, change, rows);
}

Status Recategoriser::move_tier(Tier tier, std::int64_t from_us, std::int64_t to_us,
                                const Recategorised& change, RollupRows& rows) {
  if (from_us >= to_us) return {};
  auto sold = tier == Tier::kDay ? days(from_us, to_us)
                                 : panes(tier, from_us, to_us, change.product, rows);
  if (!sold.ok()) return sold.status();
  for (const std::int64_t pane : sold.value()) {
    if (Status s = move_pane(tier, pane, change, rows); !s.ok()) return s;
  }
  return {};
}

Result<Recategoriser::Panes> Recategoriser::days(std::int64_t from_us, std::int64_t to_us) {
  Panes found;
  days_.bind(1, from_us).bind(2, to_us);
  for (;;) {
    auto more = days_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return found;
    found.push_back(days_.integer(0));
  }
}

Result<Recategoriser::Panes> Recategoriser::panes(Tier tier, std::int64_t from_us,
                                                  std::int64_t to_us, std::int64_t product,
                                                  RollupRows& rows) {
  auto above = days(rows.pane(from_us, Tier::kDay),
                    to_us == INT64_MAX ? to_us : rows.pane(to_us - 1, Tier::kDay) + 1);
  if (!above.ok()) return above.status();
  Panes found;
  for (const std::int64_t day : above.value()) {
    if (Status s = add_parts(Tier::kDay, day, product, rows, found); !s.ok()) return s;
  }
  // Where a day begins at a quarter past (Kathmandu), two days share half an hour.
  std::sort(found.begin(), found.end());
  found.erase(std::unique(found.begin(), found.end()), found.end());
  if (tier == Tier::kMinute) {
    const Panes quarters = std::exchange(found, {});
    for (const std::int64_t quarter : quarters) {
      if (quarter + kQuarterUs <= from_us || quarter >= to_us) continue;
      if (Status s = add_parts(Tier::kQuarter, quarter, product, rows, found); !s.ok()) return s;
    }
  }
  std::erase_if(found, [&](std::int64_t pane) { return pane < from_us || pane >= to_us; });
  return found;
}

// The quarters of the half hours of a day, or the minutes of a quarter, in which it was sold.
Status Recategoriser::add_parts(Tier tier, std::int64_t pane_us, std::int64_t product,
                                const RollupRows& rows, Panes& panes) {
  ++look_ups_;
  sold_.bind(1, static_cast<std::int64_t>(tier)).bind(2, pane_us).bind(3, product);
  std::uint64_t sold = 0;  // in any currency
  for (;;) {
    auto more = sold_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) break;
    sold |= static_cast<std::uint64_t>(sold_.integer(0));
  }
  std::int64_t part = rows.parts_begin(tier, pane_us);
  for (; sold != 0; sold >>= 1, part += RollupRows::part_us(tier)) {
    if ((sold & 1) == 0) continue;
    panes.push_back(part);
    if (tier == Tier::kDay) panes.push_back(part + kQuarterUs);
  }
  return {};
}

Status Recategoriser::move_pane(Tier tier, std::int64_t pane_us, const Recategorised& change,
                                RollupRows& rows) {
  ++look_ups_;
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
