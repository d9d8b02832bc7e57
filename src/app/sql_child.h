// The SQL console's child process: reads one statement from stdin, answers on stdout, ends.
//
// It is our own program under a command word that no help mentions, started by child_console.h
// with an empty environment and no file descriptor but the one it answers on.
//
// Thread: role main.
// Limits: console_limits(); confinement.h.
// Test:   tests/integration/sql_console_test.py
#pragma once

#include <string_view>

#include <retailpulse/clock.h>
#include <retailpulse/sql.h>

namespace retailpulse {

inline constexpr std::string_view kSqlChildWord = "sql-console-child";
inline constexpr std::size_t kConsoleSqlBytesMax = 32 * 1024;
inline constexpr std::size_t kConsoleAnswerBytesMax = std::size_t{4} << 20;

// The answer is one of these words, a line break, and a JSON object or a sentence.
inline constexpr std::string_view kChildDone = "done";
inline constexpr std::string_view kChildInvalid = "invalid";
inline constexpr std::string_view kChildTimeout = "timeout";
inline constexpr std::string_view kChildFailed = "failed";

[[nodiscard]] SqlLimits console_limits();
// The exit code. `store_path` names the file.
int sql_child(const char* store_path, const Clock& clock);

}  // namespace retailpulse
