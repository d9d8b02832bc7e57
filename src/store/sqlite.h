// Database and Statement: RAII over SQLite's C API. The one door to sqlite3 (with sqlite.cpp).
//
// Errors are values: a Status says what was tried, SQLite's own words and its extended code.
//
// Thread: one at a time for each connection (the library is built multi-thread, not serialised).
// Limits: kBusyTimeoutMs of waiting for another tool's lock, unless set_patience() says otherwise;
//         then kBusy. No room, no right to write (a disk turned read-only): kBusy too. A failed
//         fsync is kStorage: the kernel may have thrown away what it could not write, so that the
//         next one would lie. Any other I/O error, and no memory, is kUnavailable.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <retailpulse/status.h>

struct sqlite3;
struct sqlite3_stmt;

namespace retailpulse {

inline constexpr int kBusyTimeoutMs = 5000;
// What to do with a damaged store.
inline constexpr std::string_view kDamagedAdvice =
    "Nothing of it is deleted: move its folder away and start again, then all that Kafka still has "
    "is counted anew; or put a copy of it back";

// A prepared statement, reused for its whole life. Parameters and columns count from 1 and 0.
class Statement {
 public:
  Statement() = default;
  explicit Statement(sqlite3_stmt* stmt) : stmt_(stmt) {}

  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);   // copied
  Statement& bind_blob(int index, std::string_view bytes);
  Statement& bind_null(int index);
  Statement& bind_optional(int index, std::optional<std::int64_t> value);

  // True: a row is there. False: done (the statement is then reset).
  [[nodiscard]] Result<bool> step();
  // Steps to the end and resets; the number of rows it changed.
  [[nodiscard]] Result<std::int64_t> run();
  void reset();

  // What cannot be bound (no memory) is told by the next step().
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] double real(int column) const;
  [[nodiscard]] std::string_view text(int column) const;  // until the next step
  [[nodiscard]] std::string_view blob(int column) const;  // until the next step
  [[nodiscard]] sqlite3_stmt* raw() const { return stmt_.get(); }

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* stmt) const;
  };
  Statement& bound(int result);
  std::unique_ptr<sqlite3_stmt, Finalize> stmt_;
  int unbound_ = 0;  // the first failure since the last step
};

class Database {
 public:
  // kImmutable: nobody writes the file and its WAL is empty; no lock and no -shm are needed.
  enum class Mode { kReadOnly, kImmutable, kReadWriteCreate };
  [[nodiscard]] static Result<Database> open(const std::string& path, Mode mode);

  Status exec(const std::string& sql);
  [[nodiscard]] Result<Statement> prepare(std::string_view sql);
  // First column of the first row; nullopt when there is no row or it is NULL.
  [[nodiscard]] Result<std::optional<std::int64_t>> integer(std::string_view sql);
  // Moves WAL pages into the file. kPassive waits for nobody; kTruncate waits as long as patience
  // is for readers of older states and then empties the WAL. False: a reader holds it.
  enum class Checkpoint { kPassive, kTruncate };
  [[nodiscard]] Result<bool> wal_checkpoint(Checkpoint how);
  // How long a lock of others is waited for.
  void set_patience(int milliseconds);
  // Ends every statement and the transaction, if SQLite has not done so by itself.
  Status roll_back();
  // Nothing more is written, not even when the connection closes.
  void abandon();
  // From now on wal_pages() is the number of pages in the WAL after the last commit. After the
  // pragmas: setting wal_autocheckpoint takes the library's only hook away.
  void count_wal_pages();
  [[nodiscard]] int wal_pages() const { return *wal_pages_; }
  [[nodiscard]] sqlite3* raw() const { return db_.get(); }

 private:
  struct Close {
    void operator()(sqlite3* db) const;
  };
  explicit Database(sqlite3* db);
  std::unique_ptr<int> wal_pages_ = std::make_unique<int>(0);  // the hook keeps its address
  std::unique_ptr<sqlite3, Close> db_;
};

// The Status of the connection's last failure, prefixed by what was tried, with what to do if the
// file is damaged.
[[nodiscard]] Status sqlite_status(sqlite3* db, std::string_view what);

}  // namespace retailpulse
