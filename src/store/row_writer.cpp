#include "store/row_writer.h"

#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr const char* kSalesColumns = "orders,lines,units_milli,gross_micros,refunds_micros";
constexpr const char* kRevise = "revision=revision+excluded.revision";

// `rest`: the columns after the sums, `merge`: what becomes of them in a row that is there.
std::string upsert_sales(const char* table, const char* keys, const char* rest, const char* merge,
                         int columns) {
  std::string parameters;
  for (int i = 1; i <= columns; ++i) parameters += fmt::format("{}?{}", i > 1 ? "," : "", i);
  return fmt::format(
      "INSERT INTO {0}({1},{2},{3}) VALUES({4}) ON CONFLICT DO UPDATE SET orders=orders+excluded.orders,"
      "lines=lines+excluded.lines,units_milli=units_milli+excluded.units_milli,"
      "gross_micros=gross_micros+excluded.gross_micros,"
      "refunds_micros=refunds_micros+excluded.refunds_micros,{5}",
      table, keys, kSalesColumns, rest, parameters, merge);
}

}  // namespace

Status RowWriter::load(Database& db) {
  const std::initializer_list<std::pair<Statement*, std::string>> statements = {
      {&totals_, upsert_sales("totals", "tier,pane_us,currency", "revision", kRevise, 9)},
      {&categories_,
       upsert_sales("categories", "tier,pane_us,category,currency", "revision", kRevise, 10)},
      {&products_,
       upsert_sales("products", "tier,pane_us,product,category,currency", "shared_orders,sold",
                    "shared_orders=shared_orders+excluded.shared_orders,sold=sold|excluded.sold",
                    12)},
      {&empty_category_,
       "DELETE FROM categories WHERE tier=?1 AND pane_us=?2 AND category=?3 AND currency=?4 AND "
       "orders=0 AND lines=0 AND units_milli=0 AND gross_micros=0 AND refunds_micros=0"},
      {&ratings_,
       "INSERT INTO ratings VALUES(?1,?2,?3,?4,?5,?6,?7,?8,?9,?10) ON CONFLICT DO UPDATE SET "
       "ratings=ratings+excluded.ratings,sum_milli=sum_milli+excluded.sum_milli,"
       "one=one+excluded.one,two=two+excluded.two,three=three+excluded.three,"
       "four=four+excluded.four,five=five+excluded.five"},
      {&types_,
       "INSERT INTO types VALUES(?1,?2,?3,?4) ON CONFLICT DO UPDATE SET "
       "events=events+excluded.events"},
      {&visitors_read_, "SELECT registers FROM visitors WHERE tier=?1 AND pane_us=?2"},
      {&visitors_write_, "INSERT OR REPLACE INTO visitors VALUES(?1,?2,?3)"},
      {&first_sold_,
       "INSERT INTO product_first VALUES(?1,?2) ON CONFLICT DO UPDATE SET "
       "first_us=excluded.first_us WHERE excluded.first_us<first_us"}};
  for (const auto& [into, sql] : statements) {
    auto statement = db.prepare(sql);
    if (!statement.ok()) return statement.status();
    *into = std::move(statement).value();
  }
  return {};
}

std::int64_t RowWriter::revised(const RowKey& key) const {
  if (watermark_us_ == INT64_MIN) return 0;
  const auto tier = static_cast<std::size_t>(key.tier);
  const bool was_final = tier == static_cast<std::size_t>(Tier::kDay)
                             ? key.pane_us < final_day_us_
                             : key.pane_us + kTierUs[tier] <= watermark_us_;
  return was_final ? 1 : 0;
}

Status RowWriter::write_sales(Statement& upsert, int keys, Fold<SalesRow>& fold, bool has_shared) {
  for (const auto& [key, row] : fold.sorted()) {
    const Sales& s = row.sales;
    if (s == Sales{} && row.sold == 0) continue;  // moved out and in again: nothing to say
    upsert.bind(1, key.tier).bind(2, key.pane_us).bind(3, key.a);
    if (keys > 3) upsert.bind(4, key.b);
    if (keys > 4) upsert.bind(5, key.c);
    upsert.bind(keys + 1, s.orders).bind(keys + 2, s.lines).bind(keys + 3, s.units_milli)
        .bind(keys + 4, s.gross_micros).bind(keys + 5, s.refunds_micros)
        .bind(keys + 6, has_shared ? row.shared_orders : revised(key));
    if (has_shared) upsert.bind(keys + 7, row.sold);
    auto done = upsert.run();
    if (!done.ok()) return done.status();
    ++rows_;
    // What moved to another category leaves no empty row behind.
    if (keys == 4 && (s.lines < 0 || s.gross_micros < 0 || s.refunds_micros < 0 || s.orders < 0)) {
      auto gone = empty_category_.bind(1, key.tier).bind(2, key.pane_us).bind(3, key.a)
                      .bind(4, key.b).run();
      if (!gone.ok()) return gone.status();
    }
  }
  return {};
}

Status RowWriter::write_visitors(Fold<Hll>& fold) {
  for (auto& [key, hll] : fold.sorted()) {
    auto row = visitors_read_.bind(1, key.tier).bind(2, key.pane_us).step();
    if (!row.ok()) return row.status();
    if (row.value()) {
      auto known = Hll::decode(visitors_read_.blob(0));
      visitors_read_.reset();
      if (!known.ok()) return known.status();
      hll.merge(known.value());
    }
    auto done = visitors_write_.bind(1, key.tier).bind(2, key.pane_us)
                    .bind_blob(3, hll.encode()).run();
    if (!done.ok()) return done.status();
    ++rows_;
  }
  return {};
}

Result<std::int64_t> RowWriter::write(RollupRows& rows, std::int64_t watermark_us,
                                      const Zone& zone) {
  rows_ = 0;
  watermark_us_ = watermark_us;
  final_day_us_ = watermark_us == INT64_MIN ? INT64_MIN : zone.civil_day(from_us(watermark_us));
  if (Status s = write_sales(totals_, 3, rows.totals, false); !s.ok()) return s;
  if (Status s = write_sales(categories_, 4, rows.categories, false); !s.ok()) return s;
  if (Status s = write_sales(products_, 5, rows.products, true); !s.ok()) return s;
  for (const auto& [key, r] : rows.ratings.sorted()) {
    ratings_.bind(1, key.tier).bind(2, key.pane_us).bind(3, key.a).bind(4, r.ratings)
        .bind(5, r.sum_milli);
    for (int star = 0; star < 5; ++star) {
      ratings_.bind(6 + star, r.stars[static_cast<std::size_t>(star)]);
    }
    if (auto done = ratings_.run(); !done.ok()) return done.status();
    ++rows_;
  }
  for (const auto& [key, events] : rows.types.sorted()) {
    auto done = types_.bind(1, key.tier).bind(2, key.pane_us).bind(3, key.a).bind(4, events).run();
    if (!done.ok()) return done.status();
    ++rows_;
  }
  for (const auto& [key, first_us] : rows.first_sold.sorted()) {
    if (auto done = first_sold_.bind(1, key.a).bind(2, first_us).run(); !done.ok()) {
      return done.status();
    }
  }
  if (Status s = write_visitors(rows.visitors); !s.ok()) return s;
  return rows_;
}

}  // namespace retailpulse
