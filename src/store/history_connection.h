// HistoryConnection: one read-only connection with its prepared statements and its deadline.
//
// Queries fail into `failure()`, which stays until the next begin(): the many small queries of an
// answer are then written without an if after each, and the answer is thrown away as a whole.
//
// Thread: one at a time (the pool hands it over).
// Limits: a transaction ends with kTimeout at its deadline, looked at every kStepsPerLook steps.
// Test:   tests/store/history_test.cpp
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <retailpulse/clock.h>
#include <retailpulse/status.h>

#include "store/sqlite.h"

namespace retailpulse {

class HistoryConnection {
 public:
  [[nodiscard]] static Result<std::unique_ptr<HistoryConnection>> open(const std::string& path,
                                                                       const Clock& clock);

  // Starts a read transaction that may last `allowed`.
  Status begin(Duration allowed);
  void end();
  [[nodiscard]] const Status& failure() const { return failure_; }
  void fail(Status status);

  // Calls on_row(const Statement&) for each row of `sql`, a literal, with parameters ?1, ?2, ...
  template <class OnRow>
  void each(const char* sql, std::initializer_list<std::int64_t> parameters, OnRow on_row) {
    if (Statement* statement = start(sql, parameters)) drain(*statement, on_row);
  }
  // The same with texts as ?1, ?2, ... before the numbers.
  template <class OnRow>
  void each(const char* sql, std::initializer_list<std::string_view> texts,
            std::initializer_list<std::int64_t> parameters, OnRow on_row) {
    Statement* statement = start(sql, parameters, static_cast<int>(texts.size()) + 1);
    if (statement == nullptr) return;
    int index = 1;
    for (const std::string_view text : texts) statement->bind(index++, text);
    drain(*statement, on_row);
  }
  template <class OnRow>
  void each(const char* sql, std::string_view text, std::initializer_list<std::int64_t> parameters,
            OnRow on_row) {
    each(sql, std::initializer_list<std::string_view>{text}, parameters, on_row);
  }

 private:
  static constexpr int kStepsPerLook = 2000;

  HistoryConnection(Database db, const Clock& clock) : db_(std::move(db)), clock_(clock) {}
  void watch_deadline();
  // The statement ready to step, or null after a failure.
  Statement* start(const char* sql, std::initializer_list<std::int64_t> parameters, int first = 1);
  bool step(Statement& statement);

  template <class OnRow>
  void drain(Statement& statement, OnRow& on_row) {
    while (step(statement)) on_row(static_cast<const Statement&>(statement));
  }

  Database db_;
  const Clock& clock_;
  Duration deadline_{};
  Status failure_;
  std::unordered_map<std::string_view, Statement> statements_;  // finalized before db_ closes
};

}  // namespace retailpulse
