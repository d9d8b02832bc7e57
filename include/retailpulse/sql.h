// run_sql: one read-only SQL statement over a store; SqlConsole: the same for a page.
//
// run_sql opens the file by itself, so it works while the pipeline runs and after a crash. SQLite's
// authorizer, not a look at the text, refuses whatever is not reading.
//
// Thread: any.
// Limits: SqlLimits; reaching rows_max or bytes_max ends the result and is reported, never silent.
// Test:   tests/store/history_sql_test.cpp, tests/integration/sql_console_test.py
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/status.h>

namespace retailpulse {

// kJson: an array of objects. kMembers: the members "columns" and "rows" (arrays, so that columns
// of one name stay apart) of an object that the caller makes; integers beyond 2^53 are texts.
enum class SqlFormat : std::uint8_t { kTable, kCsv, kJson, kMembers };

// kOwner: whoever sits at the machine. kStranger: a statement that came over HTTP; it sees the
// store's tables and views alone, calls the functions of a list and has the manual's tight limits.
enum class SqlTrust : std::uint8_t { kOwner, kStranger };

struct SqlLimits {
  std::uint64_t rows_max = 1'000'000;
  std::uint64_t bytes_max = std::uint64_t{256} << 20;
  Duration deadline = std::chrono::seconds{60};
  SqlTrust trust = SqlTrust::kOwner;
  // Called when every file is open and the statement has not been looked at.
  std::function<Status()> opened{};
};

struct SqlOutcome {
  std::uint64_t frame = 0;  // the commit whose rows these are
  std::uint64_t rows = 0;
  bool truncated = false;  // there were more rows than the limits allow
};

// kStorage without the file, kInvalid when the statement is wrong or not allowed, kTimeout after
// the deadline. Rows that came before a failure have been written.
[[nodiscard]] Result<SqlOutcome> run_sql(const std::string& path, const std::string& sql,
                                         const SqlLimits& limits, SqlFormat format,
                                         const Clock& clock, std::ostream& out);

// Statements of strangers, each in a process of its own that cannot write and does not live long.
class SqlConsole {
 public:
  virtual ~SqlConsole() = default;
  // A JSON object: frame, truncated, elapsed_ms, columns, rows. kInvalid when the statement is
  // wrong or not allowed, kTimeout when it was stopped, kBusy when all places are taken.
  [[nodiscard]] virtual Result<std::string> ask(const std::string& sql) = 0;
};

}  // namespace retailpulse
