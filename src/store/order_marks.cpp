#include "store/order_marks.h"

#include <algorithm>
#include <tuple>
#include <utility>

#include "store/schema.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kMinuteUs = kTierUs[static_cast<std::size_t>(Tier::kMinute)];

Status prepare(Database& db, Statement& into, const char* sql) {
  auto statement = db.prepare(sql);
  if (!statement.ok()) return statement.status();
  into = std::move(statement).value();
  return {};
}

// Keeps the smallest time for a key.
template <class Map, class Key>
void keep_first(Map& map, const Key& key, std::int64_t t_us) {
  const auto [it, fresh] = map.try_emplace(key, t_us);
  if (!fresh) it->second = std::min(it->second, t_us);
}

}  // namespace

Status OrderMarks::load(Database& db) {
  if (Status s = prepare(db, select_,
                         "SELECT product,category,currency,first_us FROM order_lines "
                         "WHERE order_key=?1");
      !s.ok()) return s;
  if (Status s = prepare(db, upsert_,
                         "INSERT INTO order_lines(order_key,product,category,currency,first_us) "
                         "VALUES(?1,?2,?3,?4,?5) ON CONFLICT DO UPDATE SET first_us=excluded.first_us");
      !s.ok()) return s;
  if (Status s = prepare(db, by_product_,
                         "SELECT DISTINCT order_key FROM order_lines WHERE product=?1 AND category=0");
      !s.ok()) return s;
  return prepare(db, prune_,
                 "DELETE FROM order_lines WHERE order_key>=?1 AND order_key<=?2 AND first_us<?3");
}

Result<OrderMarks::Marks> OrderMarks::read(std::int64_t order) {
  Marks marks;
  select_.bind(1, order);
  for (;;) {
    auto more = select_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return marks;
    marks.push_back({select_.integer(0), select_.integer(1), select_.integer(2), select_.integer(3)});
  }
}

void OrderMarks::count(const Marks& marks, const Names& names, const Catalog& catalog,
                       RollupRows& rows, std::int64_t sign, Count what) {
  std::map<std::int64_t, std::int64_t> totals;                              // currency -> first
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> categories; // (category, currency)
  std::map<std::pair<std::int64_t, std::int64_t>, const Mark*> products;    // (product, currency)
  for (const Mark& mark : marks) {
    const std::int64_t category =
        mark.category != kUnknownId
            ? mark.category
            : catalog.category(mark.product, pane_of(mark.first_us, kMinuteUs));
    keep_first(totals, mark.currency, mark.first_us);
    keep_first(categories, std::pair(category, mark.currency), mark.first_us);
    const Mark*& first = products[std::pair(mark.product, mark.currency)];
    // Of two at one moment the smaller category text: ids depend on who came first.
    if (first == nullptr || std::tie(mark.first_us, names.category_text(mark.category)) <
                                std::tie(first->first_us, names.category_text(first->category))) {
      first = &mark;
    }
  }
  for (const auto& [key, first_us] : categories) {
    rows.add_category_order(first_us, key.first, key.second, sign);
  }
  if (what == Count::kCategories) return;
  for (const auto& [key, mark] : products) {
    rows.add_product_order(mark->first_us, mark->product, mark->category, mark->currency, sign);
  }
  for (const auto& [currency, first_us] : totals) rows.add_total_order(first_us, currency, sign);
}

Status OrderMarks::add(std::span<const Epoch* const> epochs, const Names& names,
                       const Catalog& catalog, RollupRows& rows) {
  std::map<std::int64_t, Marks> orders;  // ordered: neighbours in the B-tree follow each other
  for (const Epoch* epoch : epochs) {
    for (const OrderLine& line : epoch->order_lines) {
      orders[static_cast<std::int64_t>(line.order)].push_back(
          {names.id(epoch->lane, Dimension::kProduct, line.product),
           names.id(epoch->lane, Dimension::kCategory, line.category),
           names.id(epoch->lane, Dimension::kCurrency, line.currency), to_us(line.time)});
    }
  }
  for (const auto& [order, lines] : orders) {
    if (Status status = merge(order, lines, names, catalog, rows); !status.ok()) return status;
  }
  return {};
}

Status OrderMarks::merge(std::int64_t order, const Marks& lines, const Names& names,
                         const Catalog& catalog, RollupRows& rows) {
  auto known = read(order);
  if (!known.ok()) return known.status();
  Marks marks = known.value();
  std::vector<std::size_t> changed;
  for (const Mark& line : lines) {
    const auto it = std::find_if(marks.begin(), marks.end(), [&](const Mark& m) {
      return m.product == line.product && m.category == line.category && m.currency == line.currency;
    });
    if (it != marks.end() && it->first_us <= line.first_us) continue;
    changed.push_back(static_cast<std::size_t>(it - marks.begin()));
    if (it == marks.end()) {
      marks.push_back(line);
    } else {
      it->first_us = line.first_us;
    }
  }
  if (changed.empty()) return {};
  count(known.value(), names, catalog, rows, -1, Count::kAll);
  count(marks, names, catalog, rows, +1, Count::kAll);
  for (const std::size_t i : changed) {
    const Mark& m = marks[i];
    auto done = upsert_.bind(1, order).bind(2, m.product).bind(3, m.category).bind(4, m.currency)
                    .bind(5, m.first_us).run();
    if (!done.ok()) return done.status();
  }
  return {};
}

Status OrderMarks::recount(std::int64_t product, const Names& names, const Catalog& catalog,
                           RollupRows& rows, std::int64_t sign) {
  std::vector<std::int64_t> orders;
  by_product_.bind(1, product);
  for (;;) {
    auto more = by_product_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) break;
    orders.push_back(by_product_.integer(0));
  }
  for (const std::int64_t order : orders) {
    auto marks = read(order);
    if (!marks.ok()) return marks.status();
    count(marks.value(), names, catalog, rows, sign, Count::kCategories);
  }
  return {};
}

Status OrderMarks::prune(std::int64_t before_us, int part) {
  constexpr auto kWidth = std::uint64_t{1} << 56;  // 2^64 / kParts
  const std::uint64_t low = static_cast<std::uint64_t>(part) * kWidth;
  // Keys are hashes kept as signed numbers: the part of the unsigned space, seen as signed.
  auto done = prune_.bind(1, static_cast<std::int64_t>(low))
                  .bind(2, static_cast<std::int64_t>(low + (kWidth - 1))).bind(3, before_us).run();
  return done.ok() ? Status() : done.status();
}

}  // namespace retailpulse
