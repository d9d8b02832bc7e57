#include "app/sql_child.h"

#include <unistd.h>

#include <array>
#include <new>
#include <sstream>
#include <string>

#include <fmt/format.h>

#include "app/confinement.h"

namespace retailpulse {
namespace {

// Until the end of the input; nothing when it is longer than it may be.
bool read_statement(std::string& sql) {
  std::array<char, 4096> bytes{};
  for (;;) {
    const ssize_t n = read(STDIN_FILENO, bytes.data(), bytes.size());
    if (n <= 0) return n == 0;
    sql.append(bytes.data(), static_cast<std::size_t>(n));
    if (sql.size() > kConsoleSqlBytesMax) return false;
  }
}

int say(std::string_view word, std::string_view text) {
  const std::string answer = fmt::format("{}\n{}", word, text);
  std::string_view left = answer;
  while (!left.empty()) {
    const ssize_t n = write(STDOUT_FILENO, left.data(), left.size());
    if (n <= 0) return 1;
    left.remove_prefix(static_cast<std::size_t>(n));
  }
  return 0;
}

int say(const Status& status) {
  switch (status.code()) {
    case Code::kInvalid: return say(kChildInvalid, status.message());
    case Code::kTimeout: return say(kChildTimeout, status.message());
    default: return say(kChildFailed, status.message());
  }
}

int answer(const char* store_path, const std::string& sql, const Clock& clock) {
  SqlLimits limits = console_limits();
  limits.opened = confine_system_calls;
  const Duration begun = clock.monotonic();
  std::ostringstream rows;
  const auto outcome = run_sql(store_path, sql, limits, SqlFormat::kMembers, clock, rows);
  if (!outcome.ok()) return say(outcome.status());
  const std::chrono::duration<double, std::milli> took = clock.monotonic() - begun;
  return say(kChildDone,
             fmt::format("{{\"frame\":{},\"truncated\":{},\"elapsed_ms\":{:.1f},{}}}",
                         outcome.value().frame, outcome.value().truncated, took.count(),
                         std::move(rows).str()));
}

}  // namespace

SqlLimits console_limits() {
  SqlLimits limits;
  limits.rows_max = 1000;
  limits.bytes_max = 1 << 20;
  limits.deadline = std::chrono::milliseconds{1700};
  limits.trust = SqlTrust::kStranger;
  return limits;
}

int sql_child(const char* store_path, const Clock& clock) {
  if (Status s = confine_resources(); !s.ok()) return say(s);
  std::string sql;
  if (!read_statement(sql)) {
    return say(kChildInvalid, fmt::format("a statement has at most {} bytes", kConsoleSqlBytesMax));
  }
  try {
    return answer(store_path, sql, clock);
  } catch (const std::bad_alloc&) {
    return say(kChildInvalid, "the answer needs more memory than a statement here may have");
  }
}

}  // namespace retailpulse
