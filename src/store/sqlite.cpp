#include "store/sqlite.h"

#include <sqlite3.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include <retailpulse/store.h>

#include "base/check.h"
#include "base/failpoint.h"

namespace retailpulse {
namespace {

// No room, or none that may be written: it passes when somebody makes some.
bool is_room(int system_error) {
  return system_error == ENOSPC || system_error == EDQUOT || system_error == EROFS;
}

Code code_of_io(int extended, int system_error) {
  switch (extended) {
    case SQLITE_IOERR_FSYNC:
    case SQLITE_IOERR_DIR_FSYNC: return Code::kStorage;
    case SQLITE_IOERR_CORRUPTFS: return Code::kCorrupt;
    case SQLITE_IOERR_NOMEM: return Code::kUnavailable;
    default: return is_room(system_error) ? Code::kBusy : Code::kUnavailable;
  }
}

Code code_of(int extended, int system_error) {
  switch (extended & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL:
    case SQLITE_FULL: return Code::kBusy;  // somebody else may end it
    case SQLITE_IOERR: return code_of_io(extended, system_error);
    case SQLITE_NOMEM: return Code::kUnavailable;
    case SQLITE_INTERRUPT: return Code::kTimeout;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return Code::kCorrupt;
    default: return Code::kStorage;
  }
}

std::string immutable_uri(const std::string& path) {
  std::string uri = "file:";
  for (const char c : path) {
    if (c == '%' || c == '?' || c == '#') {
      uri += fmt::format("%{:02x}", static_cast<unsigned char>(c));
    } else {
      uri.push_back(c);
    }
  }
  return uri + "?immutable=1";
}

int remember_wal_pages(void* pages, sqlite3*, const char*, int count) {
  *static_cast<int*>(pages) = count;
  return SQLITE_OK;
}

// Each statement of the writer is a failpoint that bears its text.
int reach_statement(unsigned, void*, void*, void* sql) {
  failpoint("sql");
  failpoint(static_cast<const char*>(sql));
  return 0;
}

}  // namespace

std::string store_library_version() { return std::string("SQLite ") + sqlite3_libversion(); }

Status sqlite_status(sqlite3* db, std::string_view what) {
  const int extended = sqlite3_extended_errcode(db);
  const int cause = sqlite3_system_errno(db);  // of I/O errors alone
  Code code = code_of(extended, cause);
  // Who only reads has nothing to try again.
  if (code == Code::kUnavailable && sqlite3_db_readonly(db, "main") == 1) code = Code::kStorage;
  std::string text = fmt::format("{}: {} (SQLite code {})", what, sqlite3_errmsg(db), extended);
  if ((extended & 0xff) == SQLITE_IOERR && cause != 0) text += fmt::format(": {}", std::strerror(cause));
  if (code == Code::kCorrupt) {
    text += fmt::format(". The store is damaged. {}", kDamagedAdvice);
  }
  return Status(code, std::move(text));
}

void Statement::Finalize::operator()(sqlite3_stmt* stmt) const { sqlite3_finalize(stmt); }

Statement& Statement::bound(int result) {
  RP_CHECK(result == SQLITE_OK || result == SQLITE_NOMEM, "a parameter is bound");
  if (unbound_ == SQLITE_OK) unbound_ = result;
  return *this;
}

Statement& Statement::bind(int index, std::int64_t value) {
  return bound(sqlite3_bind_int64(stmt_.get(), index, value));
}

Statement& Statement::bind(int index, std::string_view text) {
  return bound(sqlite3_bind_text64(stmt_.get(), index, text.data() == nullptr ? "" : text.data(),
                                   text.size(), SQLITE_TRANSIENT, SQLITE_UTF8));
}

Statement& Statement::bind_blob(int index, std::string_view bytes) {
  return bound(sqlite3_bind_blob64(stmt_.get(), index, bytes.data() == nullptr ? "" : bytes.data(),
                                   bytes.size(), SQLITE_TRANSIENT));
}

Statement& Statement::bind_null(int index) { return bound(sqlite3_bind_null(stmt_.get(), index)); }

Statement& Statement::bind_optional(int index, std::optional<std::int64_t> value) {
  return value ? bind(index, *value) : bind_null(index);
}

Result<bool> Statement::step() {
  if (std::exchange(unbound_, SQLITE_OK) != SQLITE_OK) {
    return Status(Code::kUnavailable, std::string("no memory for ") + sqlite3_sql(stmt_.get()));
  }
  const int result = sqlite3_step(stmt_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) {
    sqlite3_reset(stmt_.get());
    return false;
  }
  Status status = sqlite_status(sqlite3_db_handle(stmt_.get()), sqlite3_sql(stmt_.get()));
  sqlite3_reset(stmt_.get());
  return status;
}

Result<std::int64_t> Statement::run() {
  for (;;) {
    auto row = step();
    if (!row.ok()) return row.status();
    if (!row.value()) return std::int64_t{sqlite3_changes64(sqlite3_db_handle(stmt_.get()))};
  }
}

void Statement::reset() { sqlite3_reset(stmt_.get()); }

bool Statement::is_null(int column) const {
  return sqlite3_column_type(stmt_.get(), column) == SQLITE_NULL;
}
std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(stmt_.get(), column);
}
double Statement::real(int column) const { return sqlite3_column_double(stmt_.get(), column); }

std::string_view Statement::text(int column) const {
  const auto* data = reinterpret_cast<const char*>(sqlite3_column_text(stmt_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(stmt_.get(), column))};
}

std::string_view Statement::blob(int column) const {
  const auto* data = static_cast<const char*>(sqlite3_column_blob(stmt_.get(), column));
  if (data == nullptr) return {};
  return {data, static_cast<std::size_t>(sqlite3_column_bytes(stmt_.get(), column))};
}

void Database::Close::operator()(sqlite3* db) const { sqlite3_close_v2(db); }

Database::Database(sqlite3* db) : db_(db) {}

void Database::count_wal_pages() {
  sqlite3_wal_hook(db_.get(), remember_wal_pages, wal_pages_.get());
}

Result<Database> Database::open(const std::string& path, Mode mode) {
  const int flags = SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE |
                    (mode == Mode::kReadWriteCreate ? SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
                                                    : SQLITE_OPEN_READONLY) |
                    (mode == Mode::kImmutable ? SQLITE_OPEN_URI : 0);
  const std::string file = mode == Mode::kImmutable ? immutable_uri(path) : path;
  sqlite3* raw = nullptr;
  const int result = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  if (raw == nullptr) return Status(Code::kStorage, "no memory to open " + path);
  Database db(raw);
  if (result != SQLITE_OK) return sqlite_status(raw, "cannot open " + path);
  sqlite3_busy_timeout(raw, kBusyTimeoutMs);
  if (kFailpoints && mode == Mode::kReadWriteCreate) {
    sqlite3_trace_v2(raw, SQLITE_TRACE_STMT, reach_statement, nullptr);
  }
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  return db;
}

Status Database::exec(const std::string& sql) {
  if (sqlite3_exec(db_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return sqlite_status(db_.get(), sql.substr(0, 120));
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* stmt = nullptr;
  const int result = sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &stmt, nullptr);
  if (result != SQLITE_OK) return sqlite_status(db_.get(), sql);
  return Statement(stmt);
}

Result<std::optional<std::int64_t>> Database::integer(std::string_view sql) {
  auto statement = prepare(sql);
  if (!statement.ok()) return statement.status();
  auto row = statement.value().step();
  if (!row.ok()) return row.status();
  if (!row.value() || statement.value().is_null(0)) return std::optional<std::int64_t>{};
  return std::optional<std::int64_t>{statement.value().integer(0)};
}

Result<bool> Database::wal_checkpoint(Checkpoint how) {
  const int mode = how == Checkpoint::kPassive ? SQLITE_CHECKPOINT_PASSIVE
                                               : SQLITE_CHECKPOINT_TRUNCATE;
  failpoint("checkpoint");
  int in_wal = 0;
  int moved = 0;
  const int result = sqlite3_wal_checkpoint_v2(db_.get(), nullptr, mode, &in_wal, &moved);
  failpoint("after checkpoint");
  if ((result & 0xff) == SQLITE_BUSY) return false;
  if (result != SQLITE_OK) return sqlite_status(db_.get(), "checkpoint of the WAL");
  return moved == in_wal;
}

void Database::set_patience(int milliseconds) { sqlite3_busy_timeout(db_.get(), milliseconds); }

Status Database::roll_back() {
  for (sqlite3_stmt* s = nullptr; (s = sqlite3_next_stmt(db_.get(), s)) != nullptr;) {
    if (sqlite3_stmt_busy(s) != 0) sqlite3_reset(s);
  }
  return sqlite3_get_autocommit(db_.get()) != 0 ? Status() : exec("ROLLBACK");
}

void Database::abandon() { sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr); }

}  // namespace retailpulse
