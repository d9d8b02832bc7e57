#include "store/sql_permit.h"

#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr const char* kReadOnly = "only reading is allowed: one SELECT (or WITH ... SELECT)";

// Sorted. Not here: what builds a long text out of nothing (printf, zeroblob, randomblob, replace),
// looks at files or the library (load_extension, readfile, sqlite_*), or is not the same twice.
constexpr std::array<std::string_view, 63> kFunctions{
    "abs",         "avg",          "ceil",        "ceiling",  "coalesce",     "concat",
    "concat_ws",   "count",        "cume_dist",   "date",     "datetime",     "dense_rank",
    "exp",         "first_value",  "floor",       "glob",     "group_concat", "hex",
    "ifnull",      "iif",          "instr",       "julianday", "lag",         "last_value",
    "lead",        "length",       "like",        "ln",       "log",          "log10",
    "lower",       "ltrim",        "max",         "min",      "mod",          "nth_value",
    "ntile",       "nullif",       "octet_length", "percent_rank", "pow",     "power",
    "quote",       "rank",         "round",       "row_number", "rtrim",      "sign",
    "sqrt",        "strftime",     "string_agg",  "substr",   "substring",    "sum",
    "time",        "timediff",     "total",       "trim",     "trunc",        "typeof",
    "unicode",     "unixepoch",    "upper"};
static_assert(std::is_sorted(kFunctions.begin(), kFunctions.end()));

// The manual's limits for untrusted SQL, as wide as the views need: {limit, owner, stranger}.
void set_limits(sqlite3* db, SqlTrust trust) {
  struct Row {
    int limit;
    int owner;
    int stranger;
  };
  constexpr Row kLimits[] = {
      {SQLITE_LIMIT_LENGTH, 16 << 20, 1'000'000},
      {SQLITE_LIMIT_SQL_LENGTH, 100'000, 64 * 1024},
      {SQLITE_LIMIT_COLUMN, 200, 100},
      {SQLITE_LIMIT_EXPR_DEPTH, 200, 100},
      {SQLITE_LIMIT_COMPOUND_SELECT, 20, 10},
      {SQLITE_LIMIT_VDBE_OP, 100'000, 25'000},
      {SQLITE_LIMIT_FUNCTION_ARG, 16, 8},
      {SQLITE_LIMIT_ATTACHED, 0, 0},
      {SQLITE_LIMIT_LIKE_PATTERN_LENGTH, 100, 50},
      {SQLITE_LIMIT_VARIABLE_NUMBER, 0, 0},
      {SQLITE_LIMIT_WORKER_THREADS, 0, 0},
      {SQLITE_LIMIT_TRIGGER_DEPTH, 0, 0}};
  for (const Row& row : kLimits) {
    sqlite3_limit(db, row.limit, trust == SqlTrust::kOwner ? row.owner : row.stranger);
  }
}

std::string_view text_of(const char* text) { return text == nullptr ? "" : text; }

}  // namespace

Status SqlPermit::install(Database& db, SqlTrust trust) {
  trust_ = trust;
  auto names = db.prepare("SELECT name,type FROM sqlite_schema WHERE type IN ('table','view') AND"
                          " name NOT LIKE 'sqlite\\_%' ESCAPE '\\'");
  if (!names.ok()) return names.status();
  for (;;) {
    auto more = names.value().step();
    if (!more.ok()) return more.status();
    if (!more.value()) break;
    tables_.emplace(names.value().text(0));
    if (names.value().text(1) == "view") views_.emplace(names.value().text(0));
  }
  set_limits(db.raw(), trust);
  sqlite3_set_authorizer(db.raw(), ask, this);
  return {};
}

int SqlPermit::ask(void* self, int action, const char* first, const char* second, const char*,
                   const char* within) {
  auto& permit = *static_cast<SqlPermit*>(self);
  if (permit.allows(action, text_of(first), text_of(second), text_of(within))) return SQLITE_OK;
  if (permit.refusal_.empty()) permit.refusal_ = kReadOnly;
  return SQLITE_DENY;
}

bool SqlPermit::allows(int action, std::string_view first, std::string_view second,
                       std::string_view within) {
  switch (action) {
    case SQLITE_SELECT:
    case SQLITE_RECURSIVE: return true;
    case SQLITE_READ: return trust_ == SqlTrust::kOwner || allows_table(first);
    case SQLITE_FUNCTION:
      return trust_ == SqlTrust::kOwner ? second != "load_extension"
                                        : allows_function(second, within);
    default: return false;
  }
}

bool SqlPermit::allows_function(std::string_view name, std::string_view within) {
  if (std::binary_search(kFunctions.begin(), kFunctions.end(), name)) return true;
  // Our views write amounts with it. A query of the same name gets no more than a slow function.
  if (name == "printf" && views_.count(within) != 0) return true;
  refusal_ = fmt::format("the function {} cannot be used here", name.substr(0, 40));
  return false;
}

bool SqlPermit::allows_table(std::string_view name) {
  if (tables_.count(name) != 0) return true;
  refusal_ = fmt::format("{} cannot be read here, only the tables and views of the store",
                         name.substr(0, 40));
  return false;
}

}  // namespace retailpulse
