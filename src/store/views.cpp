#include "store/views.h"

#include <fmt/format.h>

namespace retailpulse {
namespace {

// Exact decimal text of the scaled integer in column `x`: the fraction is cut to what the value
// needs, but not below `digits` (an SQL expression).
std::string decimal_text(std::string_view x, std::string_view digits, int scale) {
  const std::string one = "1" + std::string(static_cast<std::size_t>(scale), '0');
  const std::string fraction = fmt::format("printf('%0{1}d',abs({0})%{2})", x, scale, one);
  const std::string cut =
      fmt::format("substr({0},1,max({1},length(rtrim({0},'0'))))", fraction, digits);
  return fmt::format(
      "CASE WHEN {0}<0 THEN '-' ELSE '' END||(abs({0})/{1})||rtrim('.'||{2},'.')", x, one, cut);
}

std::string money_columns(std::string_view name) {
  const std::string micros = fmt::format("{}_micros", name);
  return fmt::format("{} AS {},\n  {}", decimal_text(micros, "coalesce(digits,2)", 6), name, micros);
}

std::string utc_text(std::string_view us) {
  return fmt::format("strftime('%Y-%m-%dT%H:%M:%SZ',{}/1000000,'unixepoch')", us);
}

// What is still open, what is done and what changed after it was done.
constexpr std::string_view kState =
    "CASE WHEN NOT coalesce(closed,0) THEN 'provisional' WHEN revision>0 THEN 'revised' "
    "ELSE 'final' END";

// A civil day has ended when the data clock is in a later one.
constexpr std::string_view kDayClosed =
    "coalesce(r.pane_us<c.watermark_day_us,r.pane_us+136800000000<=c.watermark_us)";

// The rows of `table` for all time: minutes, below their seal quarters of an hour, below theirs
// days. Seals are aligned, so no moment is in two of them.
std::string all_tiers(std::string_view table, std::string_view columns) {
  constexpr std::string_view kPart =
      "SELECT r.pane_us,'{2}' AS tier,{3} AS closed,{1}\n"
      "    FROM clock c CROSS JOIN {0} r WHERE r.tier={4} AND {5}";
  const auto part = [&](std::string_view name, std::string_view closed, int tier,
                        std::string_view where) {
    return fmt::format(kPart, table, columns, name, closed, tier, where);
  };
  return part("1m", "r.pane_us+60000000<=c.watermark_us", 1, "r.pane_us>=c.sealed_1m_us") +
         "\n  UNION ALL " +
         part("15m", "r.pane_us+900000000<=c.watermark_us", 2,
              "r.pane_us>=c.sealed_15m_us AND r.pane_us<c.sealed_1m_us") +
         "\n  UNION ALL " +
         part("1d", kDayClosed, 3,
              "r.pane_us>=c.sealed_day_us AND r.pane_us<c.sealed_15m_day_us");
}

std::string days(std::string_view table, std::string_view columns) {
  return fmt::format(
      "SELECT r.pane_us,'1d' AS tier,{2} AS closed,{1}\n"
      "    FROM clock c CROSS JOIN {0} r WHERE r.tier=3 AND r.pane_us>=c.sealed_day_us",
      table, columns, kDayClosed);
}

// The text of an id; names has a row for every id, `otherwise` is for a damaged file only.
std::string name_of(int dimension, std::string_view id, std::string_view otherwise) {
  return fmt::format(
      "coalesce((SELECT text FROM names WHERE dimension={} AND id={}),'{}')", dimension, id,
      otherwise);
}

constexpr std::string_view kMeasures =
    "orders,lines,units_milli,gross_micros,refunds_micros,gross_micros-refunds_micros AS net_micros";

std::string measure_columns() {
  return "  orders,lines," + decimal_text("units_milli", "0", 3) + " AS units,units_milli,\n  " +
         money_columns("gross") + ",\n  " + money_columns("refunds") + ",\n  " +
         money_columns("net");
}

std::string view(std::string_view name, std::string_view select) {
  return fmt::format("DROP VIEW IF EXISTS {0};\nCREATE VIEW {0} AS\n{1};\n", name, select);
}

// totals_by_* and categories_by_*: `rows` gives panes, `label` names one, `key` what they are of.
// A row of a key from which everything has moved away (a product changed its category) is no row.
std::string sales_view(std::string_view name, std::string_view rows, std::string_view label,
                       std::string_view key) {
  const std::string_view moved =
      key.empty() ? "" : "\nWHERE NOT (orders=0 AND lines=0 AND gross_micros=0 AND refunds_micros=0)";
  return view(name,
              fmt::format("WITH p AS (\n  {0})\n"
                          "SELECT {1},{2}{3} AS currency,\n{4},\n  {5} AS state,\n"
                          "  revision,tier,p.pane_us\n"
                          "FROM p LEFT JOIN (SELECT currency AS currency_id,digits FROM currencies) d"
                          " ON d.currency_id=p.currency{6}",
                          rows, label, key, name_of(2, "p.currency", "(none)"), measure_columns(),
                          kState, moved));
}

std::string minute_label() { return utc_text("p.pane_us") + " AS minute"; }
constexpr std::string_view kDayLabel = "date(p.pane_us/1000000,'unixepoch') AS day";

std::string sales_views() {
  const std::string totals = fmt::format("r.currency,{},r.revision", kMeasures);
  const std::string categories = "r.category," + totals;
  const std::string category = name_of(1, "p.category", "(unknown)") + " AS category,";
  return sales_view("totals_by_minute", all_tiers("totals", totals), minute_label(), "") +
         sales_view("totals_by_day", days("totals", totals), kDayLabel, "") +
         sales_view("categories_by_minute", all_tiers("categories", categories), minute_label(),
                    category) +
         sales_view("categories_by_day", days("categories", categories), kDayLabel, category);
}

// A sale without a category of its own stands under the one its product has now; what it had at
// the time of each sale is in categories_by_*.
std::string products_view() {
  const std::string sums =
      "sum(orders) AS orders,sum(lines) AS lines,sum(units_milli) AS units_milli,\n"
      "    sum(gross_micros) AS gross_micros,sum(refunds_micros) AS refunds_micros,\n"
      "    sum(gross_micros-refunds_micros) AS net_micros";
  const std::string rows = fmt::format(
      "SELECT r.pane_us,r.product,r.currency,\n"
      "    CASE WHEN r.category<>0 THEN r.category ELSE coalesce(k.category,0) END AS category_id,\n"
      "    nullif(k.name,'') AS listed_name,{0}\n"
      "    FROM clock c CROSS JOIN products r LEFT JOIN catalog k ON k.product=r.product\n"
      "    WHERE r.tier=3 AND r.pane_us>=c.sealed_day_us\n"
      "    GROUP BY r.pane_us,r.product,category_id,r.currency",
      sums);
  const std::string id = name_of(0, "p.product", "(none)");
  return view("products_by_day",
              fmt::format("WITH p AS (\n  {0})\n"
                          "SELECT {1},{2} AS product_id,coalesce(listed_name,{2}) AS name,\n"
                          "  {3} AS category,{4} AS currency,\n{5}\n"
                          "FROM p LEFT JOIN (SELECT currency AS currency_id,digits FROM currencies) d"
                          " ON d.currency_id=p.currency",
                          rows, kDayLabel, id, name_of(1, "p.category_id", "(unknown)"),
                          name_of(2, "p.currency", "(none)"), measure_columns()));
}

// The mean in thousandths of a star, half to even.
std::string ratings_view() {
  constexpr std::string_view kMean =
      "sum_milli/ratings+(2*(sum_milli%ratings)>ratings OR (2*(sum_milli%ratings)=ratings AND "
      "sum_milli/ratings%2=1))";
  const std::string id = name_of(0, "p.product", "(none)");
  return view(
      "ratings_by_day",
      fmt::format("WITH p AS (\n"
                  "  SELECT r.*,{0} AS mean_milli\n"
                  "    FROM clock c CROSS JOIN ratings r\n"
                  "    WHERE r.tier=3 AND r.pane_us>=c.sealed_day_us AND r.ratings>0)\n"
                  "SELECT {1},{2} AS product_id,coalesce(nullif(k.name,''),{2}) AS name,ratings,\n"
                  "  printf('%d.%03d',mean_milli/1000,mean_milli%1000) AS mean,\n"
                  "  one,two,three,four,five,sum_milli\n"
                  "FROM p LEFT JOIN catalog k ON k.product=p.product",
                  kMean, kDayLabel, id));
}

std::string events_view() {
  return view("events_by_minute",
              fmt::format("WITH p AS (\n  {})\nSELECT {},{} AS type,events,tier,p.pane_us FROM p",
                          all_tiers("types", "r.type,r.events"), minute_label(),
                          name_of(3, "p.type", "(none)")));
}

std::string pipeline_views() {
  return view("ledger",
              "SELECT topic,partition,bucket,reason,records\n"
              "FROM ledger_counts JOIN partition_state USING(slot_id)") +
         view("partitions",
              fmt::format("SELECT topic,partition,next_offset,end_offset,{} AS watermark,idle,\n"
                          "  watermark_us,first_offset,consumed,late,future,incarnation,\n"
                          "  last_offset,halted\n"
                          "FROM partition_state",
                          utc_text("watermark_us"))) +
         view("lost_ranges",
              fmt::format("SELECT topic,partition,from_offset AS first_offset,\n"
                          "  to_offset-1 AS last_offset,to_offset-from_offset AS offsets,\n"
                          "  {} AS noticed\n"
                          "FROM gaps JOIN partition_state USING(slot_id)",
                          utc_text("wall_us"))) +
         view("log_history",
              fmt::format("SELECT topic,partition,c.incarnation,old_first,old_next,new_first,why,\n"
                          "  {} AS decided\n"
                          "FROM log_changes c JOIN partition_state USING(slot_id)",
                          utc_text("wall_us"))) +
         view("rejects",
              fmt::format("SELECT topic,partition,offset,reason,field,raw,{} AS record_time,id\n"
                          "FROM reject_rows JOIN partition_state USING(slot_id)",
                          utc_text("record_us"))) +
         view("settings",
              fmt::format("SELECT name,value,{} AS since,since_frame,since_us\n"
                          "FROM setting_rows ORDER BY id",
                          utc_text("since_us")));
}

}  // namespace

std::string views_sql() {
  return sales_views() + products_view() + ratings_view() + events_view() + pipeline_views();
}

}  // namespace retailpulse
