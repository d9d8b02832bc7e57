#include "store/history_connection.h"

#include <sqlite3.h>

namespace retailpulse {
namespace {

// 2 MiB of cache each; sorts stay in memory; a reader that would write is a bug.
constexpr const char* kSettings =
    "PRAGMA query_only=1;PRAGMA cache_size=-2048;PRAGMA temp_store=MEMORY";

}  // namespace

Result<std::unique_ptr<HistoryConnection>> HistoryConnection::open(const std::string& path,
                                                                   const Clock& clock) {
  auto db = Database::open(path, Database::Mode::kReadOnly);
  if (!db.ok()) return db.status();
  if (Status status = db.value().exec(kSettings); !status.ok()) return status;
  auto connection = std::unique_ptr<HistoryConnection>(
      new HistoryConnection(std::move(db).value(), clock));
  connection->watch_deadline();
  return connection;
}

void HistoryConnection::watch_deadline() {
  const auto late = [](void* self) -> int {
    const auto& connection = *static_cast<const HistoryConnection*>(self);
    return connection.clock_.monotonic() > connection.deadline_ ? 1 : 0;
  };
  sqlite3_progress_handler(db_.raw(), kStepsPerLook, late, this);
}

Status HistoryConnection::begin(Duration allowed) {
  failure_ = Status();
  deadline_ = clock_.monotonic() + allowed;
  return db_.exec("BEGIN");
}

void HistoryConnection::end() {
  deadline_ = Duration::max();  // ending must not be interrupted
  if (Status status = db_.exec("COMMIT"); !status.ok()) fail(std::move(status));
}

void HistoryConnection::fail(Status status) {
  if (!failure_.ok()) return;
  if (status.code() == Code::kTimeout) {
    status = Status(Code::kTimeout,
                    "the question takes too long to answer; ask for a shorter time range");
  }
  failure_ = std::move(status);
}

Statement* HistoryConnection::start(const char* sql, std::initializer_list<std::int64_t> parameters,
                                    int first) {
  if (!failure_.ok()) return nullptr;
  auto found = statements_.find(sql);
  if (found == statements_.end()) {
    auto prepared = db_.prepare(sql);
    if (!prepared.ok()) {
      fail(prepared.status());
      return nullptr;
    }
    found = statements_.emplace(sql, std::move(prepared).value()).first;
  }
  int index = first;
  for (const std::int64_t parameter : parameters) found->second.bind(index++, parameter);
  return &found->second;
}

bool HistoryConnection::step(Statement& statement) {
  auto row = statement.step();
  if (!row.ok()) {
    fail(row.status());
    return false;
  }
  return row.value();
}

}  // namespace retailpulse
