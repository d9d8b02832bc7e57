// RowPrinter: prints the rows of a statement as a table, as CSV or as JSON.
//
// Thread: one at a time.
// Limits: a table's columns are as wide as their first kTableRows rows need.
// Test:   tests/store/history_sql_test.cpp
#pragma once

#include <cstdint>
#include <iosfwd>
#include <memory>

#include <retailpulse/sql.h>

#include "store/sqlite.h"

namespace retailpulse {

class RowPrinter {
 public:
  virtual ~RowPrinter() = default;
  virtual void row() = 0;   // the statement's present row
  virtual void end() = 0;   // once, after the last row
  [[nodiscard]] virtual std::uint64_t bytes() const = 0;
};

// `statement` and `out` outlive the writer.
[[nodiscard]] std::unique_ptr<RowPrinter> make_row_printer(SqlFormat format, Statement& statement,
                                                           std::ostream& out);

}  // namespace retailpulse
