#include <sqlite3.h>

#include <filesystem>
#include <system_error>
#include <utility>

#include <retailpulse/sql.h>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "store/history_table.h"
#include "store/sql_permit.h"
#include "store/sqlite.h"
#include "store/views.h"

namespace retailpulse {
namespace {

constexpr int kStepsPerLook = 2000;

Result<Database> open_checked(const std::string& path, Database::Mode mode) {
  auto db = Database::open(path, mode);
  if (!db.ok()) return db;
  Status readable = db.value().exec(
      "PRAGMA query_only=1;PRAGMA temp_store=MEMORY;SELECT count(*) FROM sqlite_schema");
  if (!readable.ok()) return readable;
  return db;
}

// A WAL file needs a -shm beside it. In a folder that cannot be written it can still be read as
// it is, provided that nothing is left in its -wal.
Result<Database> open_for_reading(const std::string& path) {
  std::error_code error;
  if (!std::filesystem::exists(path, error)) {
    return Status(Code::kStorage, "there is no store at " + path +
                                       "; give its folder with --data, or start `run` first");
  }
  auto db = open_checked(path, Database::Mode::kReadOnly);
  if (db.ok() || db.status().code() == Code::kCorrupt || db.status().code() == Code::kBusy) {
    return db;
  }
  const auto wal_bytes = std::filesystem::file_size(path + "-wal", error);
  if (!error && wal_bytes > 0) {
    return Status(Code::kStorage,
                  fmt::format("{}; its -wal file holds commits that can only be read where the "
                              "folder can be written: copy the folder and use the copy",
                              db.status().message()));
  }
  return open_checked(path, Database::Mode::kImmutable);
}

Status invalid(sqlite3* db, const SqlPermit& permit) {
  if (!permit.refusal().empty()) return Status(Code::kInvalid, permit.refusal());
  const std::string fault = sqlite3_errmsg(db);
  const bool lost = fault.compare(0, 13, "no such table") == 0;
  return Status(Code::kInvalid,
                lost ? fmt::format("SQL: {}; there are {}", fault, fmt::join(kViewNames, ", "))
                     : fmt::format("SQL: {}", fault));
}

Result<Statement> prepare_one(sqlite3* db, const std::string& sql, const SqlPermit& permit) {
  // SQLite stops at one, and would be asked for the rest for ever.
  if (sql.find('\0') != std::string::npos) {
    return Status(Code::kInvalid, "the text of the statement has a NUL byte");
  }
  const char* rest = nullptr;
  sqlite3_stmt* raw = nullptr;
  if (sqlite3_prepare_v3(db, sql.data(), static_cast<int>(sql.size()), 0, &raw, &rest) !=
      SQLITE_OK) {
    return invalid(db, permit);
  }
  Statement statement(raw);
  if (raw == nullptr) return Status(Code::kInvalid, "there is no SQL statement in the text");
  // What follows may be blanks, comments and semicolons: text that prepares to nothing.
  const char* const end = sql.data() + sql.size();
  while (rest < end) {
    sqlite3_stmt* more = nullptr;
    const char* from = rest;
    const int result = sqlite3_prepare_v3(db, from, static_cast<int>(end - from), 0, &more, &rest);
    sqlite3_finalize(more);
    if (result != SQLITE_OK || more != nullptr) {
      return Status(Code::kInvalid, "give one SQL statement at a time");
    }
  }
  if (sqlite3_stmt_readonly(raw) == 0) return Status(Code::kInvalid, "only reading is allowed");
  return statement;
}

// The statement and the number of its commit are read in one transaction.
Status begin_reading(Database& db, SqlOutcome& outcome) {
  if (Status s = db.exec("BEGIN"); !s.ok()) return s;
  auto frame = db.integer("SELECT frame FROM clock");
  if (!frame.ok()) return frame.status();
  outcome.frame = static_cast<std::uint64_t>(frame.value().value_or(0));
  return {};
}

struct Deadline {
  const Clock& clock;
  Duration at;
};

int is_late(void* deadline) {
  const auto& d = *static_cast<const Deadline*>(deadline);
  return d.clock.monotonic() > d.at ? 1 : 0;
}

Status step_failure(sqlite3* db, const SqlLimits& limits, const SqlPermit& permit) {
  if (!permit.refusal().empty()) return Status(Code::kInvalid, permit.refusal());
  const int result = sqlite3_errcode(db) & 0xff;
  if (result == SQLITE_NOMEM || result == SQLITE_TOOBIG || result == SQLITE_ERROR) {
    return Status(Code::kInvalid, fmt::format("SQL: {}", sqlite3_errmsg(db)));
  }
  const Status status = sqlite_status(db, "SQL");
  if (status.code() != Code::kTimeout) return status;
  return Status(Code::kTimeout,
                fmt::format("stopped after {} s; ask for less, or filter by time",
                            std::chrono::duration<double>(limits.deadline).count()));
}

}  // namespace

Result<SqlOutcome> run_sql(const std::string& path, const std::string& sql,
                           const SqlLimits& limits, SqlFormat format, const Clock& clock,
                           std::ostream& out) {
  SqlPermit permit;  // before the connection, which it outlives
  auto opened = open_for_reading(path);
  if (!opened.ok()) return opened.status();
  Database db = std::move(opened).value();
  SqlOutcome outcome;
  if (Status s = begin_reading(db, outcome); !s.ok()) return s;
  if (Status s = permit.install(db, limits.trust); !s.ok()) return s;
  if (limits.opened) {
    if (Status s = limits.opened(); !s.ok()) return s;
  }
  Deadline deadline{clock, clock.monotonic() + limits.deadline};
  sqlite3_progress_handler(db.raw(), kStepsPerLook, is_late, &deadline);
  auto prepared = prepare_one(db.raw(), sql, permit);
  if (!prepared.ok()) return prepared.status();
  Statement statement = std::move(prepared).value();
  const auto table = make_row_printer(format, statement, out);
  for (;;) {
    const int result = sqlite3_step(statement.raw());
    if (result == SQLITE_DONE) break;
    if (result != SQLITE_ROW) {
      table->end();
      return step_failure(db.raw(), limits, permit);
    }
    outcome.truncated = outcome.rows == limits.rows_max || table->bytes() >= limits.bytes_max;
    if (outcome.truncated) break;
    table->row();
    ++outcome.rows;
  }
  table->end();
  return outcome;
}

}  // namespace retailpulse
