// run_sql: one read-only SQL statement over a store, for the `sql` command.
//
// It opens the file by itself, so it works while the pipeline runs and after a crash. SQLite's
// authorizer, not a look at the text, refuses whatever is not reading.
//
// Thread: any.
// Limits: SqlLimits; reaching rows_max or bytes_max ends the result and is reported, never silent.
// Test:   tests/store/history_sql_test.cpp
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/status.h>

namespace retailpulse {

enum class SqlFormat : std::uint8_t { kTable, kCsv, kJson };

struct SqlLimits {
  std::uint64_t rows_max = 1'000'000;
  std::uint64_t bytes_max = std::uint64_t{256} << 20;
  Duration deadline = std::chrono::seconds{60};
};

struct SqlOutcome {
  std::uint64_t rows = 0;
  bool truncated = false;  // there were more rows than the limits allow
};

// kStorage without the file, kInvalid when the statement is wrong or not allowed, kTimeout after
// the deadline. Rows that came before a failure have been written.
[[nodiscard]] Result<SqlOutcome> run_sql(const std::string& path, const std::string& sql,
                                         const SqlLimits& limits, SqlFormat format,
                                         const Clock& clock, std::ostream& out);

}  // namespace retailpulse
