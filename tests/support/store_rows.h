// Store rows: what a store's file holds, in the words of text_rows.h but money in micros.
//
// Thread: any. They throw std::runtime_error when the file cannot be read.
#pragma once

#include <string>

#include "store/sqlite.h"
#include "support/text_rows.h"

namespace retailpulse::testing {

// All texts of the first column of a query.
[[nodiscard]] Rows texts_of(Database& db, const std::string& query);
// Rollups, reasons and rejects, sorted. `slot` is an SQL expression over partition_state p.
[[nodiscard]] Rows store_rows(Database& db, const std::string& slot = "p.partition");
// A twin's rows of those tables, its money texts as micros, sorted.
[[nodiscard]] Rows as_store_rows(const Rows& rows);
// The SQL of "orders=..|lines=..|units=..|gross=..|refunds=.." over the columns of `r`.
[[nodiscard]] std::string sales_sql();

}  // namespace retailpulse::testing
