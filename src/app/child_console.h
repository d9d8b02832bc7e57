// ChildConsole: the SqlConsole that gives every statement a process of its own.
//
// SQLite's heap limit is for the whole process, and nothing stops one long call of a function: in
// our own process a stranger's statement could starve the committer. A child can be killed.
//
// Thread: any (a counter inside).
// Limits: kConsolesMax children at once; each is killed kConsoleWall after it was asked for.
// Test:   tests/app/child_console_test.cpp, tests/integration/sql_console_test.py
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/sql.h>

namespace retailpulse {

inline constexpr int kConsolesMax = 2;
inline constexpr Duration kConsoleWall = std::chrono::seconds{2};

// `program` answers to kSqlChildWord; it is this program's own file, except in tests.
[[nodiscard]] std::unique_ptr<SqlConsole> make_child_console(
    std::string store_path, const Clock& clock, std::string program = "/proc/self/exe");

}  // namespace retailpulse
