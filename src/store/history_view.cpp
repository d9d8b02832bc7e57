#include "store/history_view.h"

#include <algorithm>
#include <map>

#include "base/hll.h"

namespace retailpulse {
namespace {

Sales sales_at(const Statement& row, int column) {
  return {row.integer(column), row.integer(column + 1), row.integer(column + 2),
          row.integer(column + 3), row.integer(column + 4)};
}

void add(Sales& to, const Sales& more) {
  to.orders += more.orders;
  to.lines += more.lines;
  to.units_milli += more.units_milli;
  to.gross_micros += more.gross_micros;
  to.refunds_micros += more.refunds_micros;
}

StoredId id_at(const Statement& row, int column) {
  return static_cast<StoredId>(row.integer(column));
}

std::optional<std::int64_t> optional_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return row.integer(column);
}

std::int64_t number(Tier tier) { return static_cast<std::int64_t>(tier); }

template <class Row>
void read_ratings(const Statement& row, int column, Row& into) {
  into.ratings += row.integer(column);
  into.sum_milli += row.integer(column + 1);
  for (int star = 0; star < 5; ++star) {
    into.stars[static_cast<std::size_t>(star)] += row.integer(column + 2 + star);
  }
}

// Ids of a sound file count up; one far away would make RowIndex huge.
bool is_dense(StoredId id) { return id < (StoredId{1} << 22); }
Status wrong_id() { return Status(Code::kCorrupt, "the store has a row with an impossible id"); }

// Finds the row of (id, currency) in a vector and makes it when new. Ids are dense (they count up
// from 0, kDimensionCap at most), so a table by id beats a hash; the currencies of one id are a
// short chain.
template <class Row>
class RowIndex {
 public:
  Row& at(std::vector<Row>& rows, StoredId id, StoredId currency, const Row& fresh) {
    if (id >= newest_.size()) newest_.resize(std::max<std::size_t>(id + 1, 2 * newest_.size()), 0);
    for (std::uint32_t i = newest_[id]; i != 0; i = links_[i - 1].before) {
      if (links_[i - 1].currency == currency) return rows[i - 1];
    }
    links_.push_back({currency, newest_[id]});
    rows.push_back(fresh);
    newest_[id] = static_cast<std::uint32_t>(rows.size());
    return rows.back();
  }

 private:
  struct Link {
    StoredId currency;
    std::uint32_t before;  // 0: none; else row number + 1
  };
  std::vector<std::uint32_t> newest_;
  std::vector<Link> links_;
};

// A row of group_sql().
template <class Group>
void add(Group& to, const Statement& row) {
  add(to.sales, sales_at(row, 3));
  if (id_at(row, 8) != kStoredNone) to.category = id_at(row, 8);
}

constexpr const char* kGroupPanes[] = {
    "SELECT pane_us,product,currency,orders,lines,units_milli,gross_micros,refunds_micros,category"
    " FROM products WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3",
    "SELECT pane_us,category,currency,orders,lines,units_milli,gross_micros,refunds_micros,0"
    " FROM categories WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3"};

const char* group_sql(Dimension by) { return kGroupPanes[by == Dimension::kProduct ? 0 : 1]; }

}  // namespace

StoreView::StoreView(HistoryConnection& connection) : db_(connection) {
  db_.each(
      "SELECT frame,watermark_us,newest_event_us,wall_us,closed_by_wall,sealed_10s_us,sealed_1m_us,"
      "sealed_15m_us,sealed_day_us FROM clock",
      {}, [this](const Statement& row) {
        clock_.frame = static_cast<std::uint64_t>(row.integer(0));
        clock_.watermark_us = optional_at(row, 1);
        clock_.newest_event_us = optional_at(row, 2);
        clock_.wall_us = row.integer(3);
        clock_.closed_by_wall = row.integer(4) != 0;
        for (std::size_t tier = 0; tier < kTiers; ++tier) {
          clock_.sealed_us[tier] = row.integer(5 + static_cast<int>(tier));
        }
      });
}

std::int64_t StoreView::from(const Window& window) const {
  return std::max(window.from_us, clock_.sealed_us[static_cast<std::size_t>(window.tier)]);
}

std::string StoreView::meta(std::string_view key) {
  std::string value;
  db_.each("SELECT value FROM meta WHERE key=?1", key, {},
           [&](const Statement& row) { value = row.text(0); });
  return value;
}

std::vector<CurrencyRow> StoreView::currencies() {
  std::vector<CurrencyRow> rows;
  db_.each(
      "SELECT c.currency,n.text,c.digits FROM currencies c JOIN names n ON n.dimension=2 AND "
      "n.id=c.currency",
      {}, [&](const Statement& row) {
        rows.push_back({id_at(row, 0), std::string(row.text(1)), static_cast<int>(row.integer(2))});
      });
  return rows;
}

std::vector<TotalPane> StoreView::total_panes(const Window& window) {
  std::vector<TotalPane> rows;
  db_.each(
      "SELECT pane_us,currency,orders,lines,units_milli,gross_micros,refunds_micros,revision"
      " FROM totals WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3",
      {number(window.tier), from(window), window.to_us}, [&](const Statement& row) {
        rows.push_back({row.integer(0), id_at(row, 1), sales_at(row, 2), row.integer(7)});
      });
  return rows;
}

void StoreView::each_group_pane(Dimension by, const Window& window,
                                const std::function<void(const GroupPane&)>& on_row) {
  db_.each(group_sql(by), {number(window.tier), from(window), window.to_us},
           [&](const Statement& row) {
             on_row({row.integer(0), id_at(row, 1), id_at(row, 2), sales_at(row, 3), id_at(row, 8)});
           });
}

std::vector<GroupSum> StoreView::group_sums(Dimension by, const Window& window) {
  std::vector<GroupSum> rows;
  RowIndex<GroupSum> index;
  db_.each(group_sql(by), {number(window.tier), from(window), window.to_us},
           [&](const Statement& row) {
             const StoredId id = id_at(row, 1);
             const StoredId currency = id_at(row, 2);
             if (!is_dense(id)) return db_.fail(wrong_id());
             add(index.at(rows, id, currency, {id, currency, {}, kStoredNone}), row);
           });
  return rows;
}

std::vector<TypePane> StoreView::type_panes(const Window& window) {
  std::vector<TypePane> rows;
  db_.each("SELECT pane_us,type,events FROM types WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3",
           {number(window.tier), from(window), window.to_us}, [&](const Statement& row) {
             rows.push_back({row.integer(0), id_at(row, 1), row.integer(2)});
           });
  return rows;
}

std::vector<TypeSum> StoreView::type_sums(const Window& window) {
  std::map<StoredId, std::int64_t> sums;  // kDimensionCap types at most
  for (const TypePane& pane : type_panes(window)) sums[pane.type] += pane.events;
  std::vector<TypeSum> rows;
  for (const auto& [type, events] : sums) rows.push_back({type, events});
  return rows;
}

std::vector<RatingPane> StoreView::rating_panes(const Window& window) {
  std::vector<RatingPane> rows;
  db_.each(
      "SELECT pane_us,sum(ratings),sum(sum_milli),sum(one),sum(two),sum(three),sum(four),sum(five)"
      " FROM ratings WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3 GROUP BY pane_us",
      {number(window.tier), from(window), window.to_us}, [&](const Statement& row) {
        rows.push_back({row.integer(0), 0, 0, {}});
        read_ratings(row, 1, rows.back());
      });
  return rows;
}

std::vector<RatingSum> StoreView::rating_sums(const Window& window) {
  std::vector<RatingSum> rows;
  RowIndex<RatingSum> index;
  db_.each(
      "SELECT product,ratings,sum_milli,one,two,three,four,five FROM ratings"
      " WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3",
      {number(window.tier), from(window), window.to_us}, [&](const Statement& row) {
        const StoredId id = id_at(row, 0);
        if (!is_dense(id)) return db_.fail(wrong_id());
        read_ratings(row, 1, index.at(rows, id, kStoredNone, {id, 0, 0, {}}));
      });
  return rows;
}

std::optional<double> StoreView::visitors(const Window& window) {
  std::optional<Hll> merged;
  db_.each("SELECT registers FROM visitors WHERE tier=?1 AND pane_us>=?2 AND pane_us<?3",
           {number(window.tier), from(window), window.to_us}, [&](const Statement& row) {
             auto pane = Hll::decode(row.blob(0));
             if (!pane.ok()) {
               db_.fail(pane.status());
             } else if (merged) {
               merged->merge(pane.value());
             } else {
               merged = pane.value();
             }
           });
  if (!merged) return std::nullopt;
  return merged->estimate();
}

std::vector<GroupPane> StoreView::product_panes(StoredId product, const Window& window) {
  std::vector<GroupPane> rows;
  const std::int64_t width = kTierUs[static_cast<std::size_t>(window.tier)];
  // The key begins with (tier, pane): one seek for each pane instead of a scan over all products.
  for (std::int64_t pane = pane_of(from(window), width);
       pane < window.to_us; pane += width) {
    db_.each(
        "SELECT currency,sum(orders),sum(lines),sum(units_milli),sum(gross_micros),"
        "sum(refunds_micros),max(category) FROM products WHERE tier=?1 AND pane_us=?2 AND product=?3"
        " GROUP BY currency",
        {number(window.tier), pane, std::int64_t{product}}, [&](const Statement& row) {
          rows.push_back({pane, product, id_at(row, 0), sales_at(row, 1), id_at(row, 6)});
        });
  }
  return rows;
}

std::vector<RatingPane> StoreView::product_rating_panes(StoredId product, const Window& window) {
  std::vector<RatingPane> rows;
  const std::int64_t width = kTierUs[static_cast<std::size_t>(window.tier)];
  for (std::int64_t pane = pane_of(from(window), width); pane < window.to_us; pane += width) {
    db_.each(
        "SELECT ratings,sum_milli,one,two,three,four,five FROM ratings"
        " WHERE tier=?1 AND pane_us=?2 AND product=?3",
        {number(window.tier), pane, std::int64_t{product}}, [&](const Statement& row) {
          rows.push_back({pane, 0, 0, {}});
          read_ratings(row, 0, rows.back());
        });
  }
  return rows;
}

}  // namespace retailpulse
