#include "store/order_marks.h"

#include <algorithm>
#include <cstring>
#include <map>
#include <tuple>
#include <type_traits>
#include <utility>

#include "base/failpoint.h"
#include "store/schema.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kMinuteUs = kTierUs[static_cast<std::size_t>(Tier::kMinute)];

// Keeps the smallest time for a key.
template <class Map, class Key>
void keep_first(Map& map, const Key& key, std::int64_t t_us) {
  const auto [it, fresh] = map.try_emplace(key, t_us);
  if (!fresh) it->second = std::min(it->second, t_us);
}

// What the listing says of a mark's minute, or what the line itself said.
std::int64_t category_of(const Catalog& catalog, std::int64_t own, std::int64_t product,
                         std::int64_t first_us) {
  return own != kUnknownId ? own : catalog.category(product, pane_of(first_us, kMinuteUs));
}

}  // namespace

Status OrderMarks::load(Database& db) {
  const std::initializer_list<std::pair<Statement*, const char*>> statements = {
      {&select_, "SELECT marks FROM shared_orders WHERE order_key=?1"},
      {&upsert_,
       "INSERT INTO shared_orders VALUES(?1,?2,?3) ON CONFLICT DO UPDATE SET "
       "first_us=excluded.first_us,marks=excluded.marks"},
      {&unlisted_, "INSERT INTO unlisted_orders VALUES(?1,?2) ON CONFLICT DO NOTHING"},
      {&select_unlisted_, "SELECT order_key FROM unlisted_orders WHERE product=?1"},
      {&listed_, "DELETE FROM unlisted_orders WHERE product=?1"},
      {&all_, "SELECT order_key,marks FROM shared_orders"},
      {&prune_,
       "DELETE FROM shared_orders WHERE order_key>=?1 AND order_key<=?2 AND first_us<?3"}};
  for (const auto& [into, sql] : statements) {
    auto statement = db.prepare(sql);
    if (!statement.ok()) return statement.status();
    *into = std::move(statement).value();
  }
  Statement& row = all_;
  for (newest_us_ = INT64_MIN;;) {
    auto more = row.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return {};
    for (const Mark& mark : unpack(row.blob(1))) newest_us_ = std::max(newest_us_, mark.first_us);
  }
}

OrderMarks::Marks OrderMarks::unpack(std::string_view bytes) {
  static_assert(sizeof(Mark) == 32 && std::is_trivially_copyable_v<Mark>);
  Marks marks(bytes.size() / sizeof(Mark));
  std::memcpy(marks.data(), bytes.data(), marks.size() * sizeof(Mark));
  return marks;
}

Result<OrderMarks::Marks> OrderMarks::read(std::int64_t order) {
  auto row = select_.bind(1, order).step();
  if (!row.ok()) return row.status();
  if (!row.value()) return Marks{};
  Marks marks = unpack(select_.blob(0));
  select_.reset();
  return marks;
}

Status OrderMarks::write(std::int64_t order, const Marks& marks, const Catalog& catalog) {
  std::int64_t first_us = INT64_MAX;
  for (const Mark& mark : marks) {
    first_us = std::min(first_us, mark.first_us);
    newest_us_ = std::max(newest_us_, mark.first_us);
    if (category_of(catalog, mark.category, mark.product, mark.first_us) != kUnknownId) continue;
    auto done = unlisted_.bind(1, mark.product).bind(2, order).run();
    if (!done.ok()) return done.status();
  }
  const std::string_view bytes(reinterpret_cast<const char*>(marks.data()),
                               marks.size() * sizeof(Mark));
  auto done = upsert_.bind(1, order).bind(2, first_us).bind_blob(3, bytes).run();
  return done.ok() ? Status() : done.status();
}

void OrderMarks::count(const Marks& marks, const Names& names, const Catalog& catalog,
                       RollupRows& rows, std::int64_t sign, Count what) {
  std::map<std::int64_t, std::int64_t> totals;                              // currency -> first
  std::map<std::pair<std::int64_t, std::int64_t>, std::int64_t> categories; // (category, currency)
  std::map<std::pair<std::int64_t, std::int64_t>, const Mark*> products;    // (product, currency)
  for (const Mark& mark : marks) {
    const std::int64_t category =
        category_of(catalog, mark.category, mark.product, mark.first_us);
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
  auto known = planted(Plant::kOrdersForgotten) ? Result<Marks>(Marks{}) : read(order);
  if (!known.ok()) return known.status();
  Marks marks = known.value();
  bool changed = false;
  for (const Mark& line : lines) {
    const auto it = std::find_if(marks.begin(), marks.end(), [&](const Mark& m) {
      return m.product == line.product && m.category == line.category && m.currency == line.currency;
    });
    if (it != marks.end() && it->first_us <= line.first_us) continue;
    changed = true;
    if (it == marks.end()) {
      marks.push_back(line);
    } else {
      it->first_us = line.first_us;
    }
  }
  if (!changed) return {};
  count(known.value(), names, catalog, rows, -1, Count::kAll);
  count(marks, names, catalog, rows, +1, Count::kAll);
  return write(order, marks, catalog);
}

Status OrderMarks::look(ListedLines& lines) {
  for (;;) {
    auto more = all_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) break;
    for (const Mark& mark : unpack(all_.blob(1))) {
      if (mark.category != kUnknownId) continue;
      const auto listed = lines.by_product.find(mark.product);
      if (listed == lines.by_product.end()) continue;
      listed->second.push_back({all_.integer(0), mark.first_us});
    }
  }
  lines.looked = true;
  return {};
}

Result<std::vector<std::int64_t>> OrderMarks::orders_of(std::int64_t product, std::int64_t from_us,
                                                        std::int64_t to_us, ListedLines& lines) {
  if (!lines.looked) {
    if (Status s = look(lines); !s.ok()) return s;
  }
  std::vector<std::int64_t> orders;
  for (const Line& line : lines.by_product.at(product)) {
    if (line.first_us < from_us || line.first_us >= to_us) continue;
    // An order's lines follow each other: in two currencies it has two of a product.
    if (orders.empty() || orders.back() != line.order) orders.push_back(line.order);
  }
  return orders;
}

Result<std::vector<std::int64_t>> OrderMarks::unlisted_orders_of(std::int64_t product) {
  std::vector<std::int64_t> orders;
  select_unlisted_.bind(1, product);
  for (;;) {
    auto more = select_unlisted_.step();
    if (!more.ok()) return more.status();
    if (!more.value()) return orders;
    orders.push_back(select_unlisted_.integer(0));
  }
}

Status OrderMarks::listed(std::int64_t product) {
  auto done = listed_.bind(1, product).run();
  return done.ok() ? Status() : done.status();
}

Status OrderMarks::unlisted(std::int64_t product, const std::vector<std::int64_t>& orders) {
  for (const std::int64_t order : orders) {
    auto done = unlisted_.bind(1, product).bind(2, order).run();
    if (!done.ok()) return done.status();
  }
  return {};
}

Status OrderMarks::recount(const std::vector<std::int64_t>& orders, const Names& names,
                           const Catalog& catalog, RollupRows& rows, std::int64_t sign) {
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
