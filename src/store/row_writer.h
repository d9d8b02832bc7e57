// RowWriter: merges folded rows into the tables, in key order.
//
// Thread:     role committer, inside a transaction.
// Invariants: STRICT tables refuse a sum beyond int64 instead of turning it into a REAL.
#pragma once

#include <cstdint>

#include <retailpulse/status.h>

#include "store/rollup_rows.h"
#include "store/sqlite.h"

namespace retailpulse {

class RowWriter {
 public:
  Status load(Database& db);
  // Writes and empties `rows`. A pane that was final at `watermark_us` (the last committed one)
  // has its revision raised. Gives the number of rows.
  [[nodiscard]] Result<std::int64_t> write(RollupRows& rows, std::int64_t watermark_us,
                                           const Zone& zone);

 private:
  [[nodiscard]] Status write_sales(Statement& upsert, int keys, Fold<SalesRow>& fold,
                                   bool has_shared);
  [[nodiscard]] Status write_visitors(Fold<Hll>& fold);
  [[nodiscard]] std::int64_t revised(const RowKey& key) const;

  Statement totals_;
  Statement categories_;
  Statement products_;
  Statement empty_category_;
  Statement ratings_;
  Statement types_;
  Statement visitors_read_;
  Statement visitors_write_;
  Statement first_sold_;
  std::int64_t watermark_us_ = INT64_MIN;
  std::int64_t final_day_us_ = INT64_MIN;  // civil days before this one were final
  std::int64_t rows_ = 0;
};

}  // namespace retailpulse
