// Ranked rows: the greatest of a dimension, and "(other)", so that the rows sum to the total.
#include <algorithm>

#include "base/decimal.h"
#include "serve/api_answer.h"
#include "serve/api_handlers.h"
#include "serve/frame_facts.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kRankPanesMax = 400;
constexpr std::size_t kRankRowsMax = 1000;
constexpr int kShareDecimals = 6;

struct Ranked {
  GroupSum sum;
  std::int64_t value = 0;
};

struct Ranking {
  std::vector<Ranked> rows;  // greatest first
  Ranked other;              // the sum of the rest
  std::int64_t others = 0;   // how many they are
  std::int64_t total = 0;
};

Ranking rank(std::vector<Ranked> rows, std::size_t n) {
  Ranking ranking;
  for (const Ranked& row : rows) ranking.total += row.value;
  keep_greatest(rows, n, [](const Ranked& a, const Ranked& b) {
    return a.value != b.value ? a.value > b.value : a.sum.id < b.sum.id;
  });
  for (std::size_t i = n; i < rows.size(); ++i) {
    add_sales(ranking.other.sum.sales, rows[i].sum.sales);
    ranking.other.value += rows[i].value;
    ++ranking.others;
  }
  rows.resize(std::min(n, rows.size()));
  ranking.rows = std::move(rows);
  return ranking;
}

std::string share_text(std::int64_t part, std::int64_t total) {
  const double share = total > 0 ? static_cast<double>(part) / static_cast<double>(total) : 0;
  return JsonWriter().real(share, kShareDecimals).take();
}

std::vector<Cell> sales_cells(const Sales& sales, int digits) {
  return {format_micros(net_of(sales), digits),
          format_micros(sales.gross_micros, digits),
          format_micros(sales.refunds_micros, digits),
          sales.orders,
          sales.lines,
          units_text(sales.units_milli)};
}

struct Question {
  Dimension dimension = Dimension::kProduct;
  Measure measure = Measure::kNet;
  std::size_t n = 10;
};

// Sums of the sales dimensions; of one currency, but for the currencies themselves.
std::vector<Ranked> sales_rows(const View& view, const Window& window, const Question& question) {
  std::vector<Ranked> rows;
  const auto take = [&](const GroupSum& sum) {
    rows.push_back({sum, measured(sum.sales, question.measure)});
  };
  if (question.dimension == Dimension::kCurrency) {
    std::vector<GroupSum> sums;
    for (const TotalPane& pane : view.history.total_panes(window)) {
      auto found = std::find_if(sums.begin(), sums.end(), [&](const GroupSum& sum) {
        return sum.currency == pane.currency;
      });
      if (found == sums.end()) {
        found = sums.insert(sums.end(), {pane.currency, pane.currency, {}, kStoredNone});
      }
      add_sales(found->sales, pane.sales);
    }
    for (const GroupSum& sum : sums) take(sum);
    return rows;
  }
  for (const GroupSum& sum : view.history.group_sums(question.dimension, window)) {
    if (sum.currency == view.currency.id && sum.sales != Sales{}) take(sum);
  }
  return rows;
}

int digits_of(const View& view, StoredId currency) {
  for (const CurrencyRow& row : view.history.currencies()) {
    if (row.id == currency) return row.digits;
  }
  return 2;
}

RowSet sales_table(const View& view, const Ranking& ranking, const Question& question) {
  const bool products = question.dimension == Dimension::kProduct;
  RowSet set;
  if (products) set.columns = {"id", "name", "category"};
  else set.columns = {"name"};
  set.columns.insert(set.columns.end(),
                     {"net", "gross", "refunds", "orders", "lines", "units", "share"});
  const auto add = [&](std::vector<Cell> cells, const Ranked& row, int digits) {
    for (Cell& cell : sales_cells(row.sum.sales, digits)) cells.push_back(std::move(cell));
    cells.push_back(Cell::json(share_text(row.value, ranking.total)));
    set.rows.push_back(std::move(cells));
  };
  for (const Ranked& row : ranking.rows) {
    if (products) {
      const ProductRow product = view.history.product(row.sum.id);
      add({product.product_id, product.name,
           row.sum.category == kStoredNone
               ? product.category
               : view.history.name(Dimension::kCategory, row.sum.category)},
          row, view.currency.digits);
    } else if (question.dimension == Dimension::kCurrency) {
      add({view.history.name(Dimension::kCurrency, row.sum.id)}, row,
          digits_of(view, row.sum.id));
    } else {
      add({view.history.name(question.dimension, row.sum.id)}, row, view.currency.digits);
    }
  }
  if (ranking.others > 0) {
    std::vector<Cell> name{"(other)"};
    if (products) name = {"(other)", "(other)", Cell()};
    add(std::move(name), ranking.other, view.currency.digits);
  }
  return set;
}

RowSet type_table(const View& view, const Window& window, std::size_t n, Ranking& ranking) {
  std::vector<Ranked> rows;
  for (const TypeSum& sum : view.history.type_sums(window)) {
    if (sum.events != 0) rows.push_back({{sum.type, kStoredNone, {}, kStoredNone}, sum.events});
  }
  ranking = rank(std::move(rows), n);
  RowSet set{{"name", "events", "share"}, {}};
  const auto add = [&](Cell name, std::int64_t events) {
    set.rows.push_back({std::move(name), events, Cell::json(share_text(events, ranking.total))});
  };
  for (const Ranked& row : ranking.rows) {
    add(view.history.name(Dimension::kType, row.sum.id), row.value);
  }
  if (ranking.others > 0) add("(other)", ranking.other.value);
  return set;
}

Dimension dimension_of(std::string_view name, Dimension otherwise) {
  for (std::size_t i = 0; i < kDimensions; ++i) {
    if (kDimensionNames[i] == name) return static_cast<Dimension>(i);
  }
  return otherwise;
}

Result<Reply> ranked(HistoryView& history, const ApiContext& context, const Request& request,
                     const Question& question) {
  const View view = open_view(history, context, request);
  const auto range = parse_range(query_value(request, "from"), query_value(request, "to"),
                                 view.clock, context.zone);
  if (!range.ok()) return range.status();
  const Cut cut = cut_range(range.value(), {Tier::kMinute, kRankPanesMax}, history.clock(),
                            view.clock, context.zone);
  Ranking ranking;
  RowSet rows;
  if (question.dimension == Dimension::kType) {
    rows = type_table(view, cut.window, question.n, ranking);
  } else {
    ranking = rank(sales_rows(view, cut.window, question), question.n);
    rows = sales_table(view, ranking, question);
  }
  JsonWriter json;
  begin_answer(json, view);
  write_range(json, cut);
  json.field("dimension", kDimensionNames[static_cast<std::size_t>(question.dimension)])
      .field("measure", kMeasureNames[static_cast<std::size_t>(question.measure)]);
  if (question.dimension != Dimension::kType && question.dimension != Dimension::kCurrency) {
    json.field("currency", view.currency.code);
  }
  json.field("others", ranking.others);
  return rows_reply(request, history.clock().frame, json.take(), rows);
}

Reply get_ranked(const ApiContext& context, const Request& request, Question question,
                 Dimension otherwise) {
  const auto n = number_parameter(request, "n", static_cast<std::int64_t>(question.n), 1,
                                  static_cast<std::int64_t>(kRankRowsMax));
  if (!n.ok()) return status_reply(n.status());
  question.n = static_cast<std::size_t>(n.value());
  question.dimension = dimension_of(query_value(request, "dimension"), otherwise);
  question.measure = question.dimension == Dimension::kType
                         ? Measure::kEvents
                         : measure_of(query_value(request, "measure"));
  if (question.dimension == Dimension::kCurrency) {
    // Money of different currencies is neither compared nor summed: all rows, ranked by orders.
    if (question.measure <= Measure::kRefunds) question.measure = Measure::kOrders;
    question.n = kRankRowsMax;
  }
  return answer(context, [&](HistoryView& view) { return ranked(view, context, request, question); });
}

}  // namespace

Measure measure_of(std::string_view name) {
  for (std::size_t i = 0; i < std::size(kMeasureNames); ++i) {
    if (kMeasureNames[i] == name) return static_cast<Measure>(i);
  }
  return Measure::kNet;
}

std::int64_t measured(const Sales& sales, Measure measure) {
  switch (measure) {
    case Measure::kGross: return sales.gross_micros;
    case Measure::kRefunds: return sales.refunds_micros;
    case Measure::kOrders: return sales.orders;
    case Measure::kTransactions:
    case Measure::kLines: return sales.lines;
    case Measure::kUnits: return sales.units_milli;
    default: return net_of(sales);
  }
}

Reply get_top(const ApiContext& context, const Request& request) {
  return get_ranked(context, request, {Dimension::kProduct, Measure::kNet, 10}, Dimension::kProduct);
}

Reply get_breakdown(const ApiContext& context, const Request& request) {
  return get_ranked(context, request, {Dimension::kCategory, Measure::kNet, kRankRowsMax},
                    Dimension::kCategory);
}

}  // namespace retailpulse
