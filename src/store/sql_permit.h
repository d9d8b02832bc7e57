// SqlPermit: what a statement may do, asked by SQLite itself while it prepares.
//
// It also decides while stepping (a schema change prepares again, a pragma as a table prepares
// then), so it stays installed as long as the connection lives.
//
// Thread: one at a time.
// Test:   tests/store/history_sql_test.cpp
#pragma once

#include <set>
#include <string>
#include <string_view>

#include <retailpulse/sql.h>

#include "store/sqlite.h"

namespace retailpulse {

class SqlPermit {
 public:
  // Reads the names that a stranger may read from `db`, sets the connection's limits and becomes
  // its authorizer. Outlives the connection.
  Status install(Database& db, SqlTrust trust);
  // A sentence about what was refused; empty when nothing was.
  [[nodiscard]] const std::string& refusal() const { return refusal_; }

 private:
  static int ask(void* self, int action, const char* first, const char* second, const char* schema,
                 const char* within);
  [[nodiscard]] bool allows(int action, std::string_view first, std::string_view second,
                            std::string_view within);
  [[nodiscard]] bool allows_function(std::string_view name, std::string_view within);
  [[nodiscard]] bool allows_table(std::string_view name);

  SqlTrust trust_ = SqlTrust::kOwner;
  std::set<std::string, std::less<>> tables_;
  std::set<std::string, std::less<>> views_;
  std::string refusal_;
};

}  // namespace retailpulse
