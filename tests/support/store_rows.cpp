#include "support/store_rows.h"

#include <algorithm>
#include <stdexcept>

#include <fmt/format.h>

#include "support/event_builder.h"

namespace retailpulse::testing {

std::string sales_sql() {
  return "'orders='||r.orders||'|lines='||r.lines||'|units='||printf('%d.%03d',r.units_milli/1000,"
         "r.units_milli%1000)||'|gross='||r.gross_micros||'|refunds='||r.refunds_micros";
}

Rows texts_of(Database& db, const std::string& query) {
  const auto must = [&query](const Status& status) {
    if (!status.ok()) throw std::runtime_error(query + ": " + status.message());
  };
  auto statement = db.prepare(query);
  must(statement.status());
  Rows rows;
  for (;;) {
    auto more = statement.value().step();
    must(more.status());
    if (!more.value()) return rows;
    rows.emplace_back(statement.value().text(0));
  }
}

Rows store_rows(Database& db, const std::string& slot) {
  const std::string pane =
      "CASE r.tier WHEN 0 THEN '10s' WHEN 1 THEN '1m' WHEN 2 THEN '15m' ELSE '1d' END||'|'||"
      "CASE r.tier WHEN 3 THEN date(r.pane_us/1000000,'unixepoch') ELSE "
      "strftime('%Y-%m-%dT%H:%M:%SZ',r.pane_us/1000000,'unixepoch') END||'|'||";
  const auto name = [](int dimension, const char* column) {
    return fmt::format("(SELECT text FROM names WHERE dimension={} AND id=r.{})", dimension, column);
  };
  const std::string sales = sales_sql();
  const std::vector<std::string> queries = {
      fmt::format("SELECT 'totals|'||{}{}||'|'||{} FROM totals r", pane, name(2, "currency"), sales),
      fmt::format("SELECT 'categories|'||{}{}||'|'||{}||'|'||{} FROM categories r", pane,
                  name(1, "category"), name(2, "currency"), sales),
      fmt::format("SELECT 'products|'||{}{}||'|'||{}||'|'||{}||'|'||{} FROM products r", pane,
                  name(0, "product"), name(1, "category"), name(2, "currency"), sales),
      fmt::format("SELECT 'ratings|'||{}{}||'|ratings='||ratings||'|sum='||printf('%d.%03d',"
                  "sum_milli/1000,sum_milli%1000)||'|stars='||one||','||two||','||three||','||four"
                  "||','||five FROM ratings r", pane, name(0, "product")),
      fmt::format("SELECT 'types|'||{}{}||'|events='||events FROM types r", pane, name(3, "type")),
      fmt::format("SELECT 'reason|'||{}||'|'||l.reason||'|records='||l.records FROM ledger_counts l "
                  "JOIN partition_state p USING(slot_id) WHERE l.bucket='rejected'", slot),
      fmt::format("SELECT 'reject|'||{}||'|'||r.offset||'|'||r.reason FROM reject_rows r "
                  "JOIN partition_state p USING(slot_id)", slot)};
  Rows rows;
  for (const std::string& query : queries) {
    for (std::string& text : texts_of(db, query)) rows.push_back(std::move(text));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

Rows as_store_rows(const Rows& rows) {
  Rows out;
  for (const char* table : {"totals|", "categories|", "products|", "ratings|", "types|", "reason|",
                            "reject|"}) {
    for (std::string row : only(rows, table)) {
      for (const char* field : {"gross=", "refunds="}) {
        const auto at = row.find(field);
        if (at == std::string::npos) continue;
        const auto begin = at + std::string_view(field).size();
        const auto end = std::min(row.find('|', begin), row.size());
        row.replace(begin, end - begin, std::to_string(scaled(row.substr(begin, end - begin), 6)));
      }
      out.push_back(std::move(row));
    }
  }
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace retailpulse::testing
