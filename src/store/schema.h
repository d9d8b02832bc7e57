// Schema: the tables of a store, their version, and opening a file with it.
//
// See src/store/README.md for what each table means. The views for people are in views.h.
//
// Thread: role committer (it creates and migrates).
#pragma once

#include <string>
#include <string_view>

#include <retailpulse/status.h>

#include "store/sqlite.h"

namespace retailpulse {

inline constexpr std::int64_t kApplicationId = 0x52505331;  // "RPS1"
inline constexpr std::int64_t kSchemaVersion = 1;

// Ids that every dimension has from the start.
inline constexpr std::int64_t kUnknownId = 0;  // "(unknown)" category, "(none)" elsewhere
inline constexpr std::int64_t kOtherId = 1;    // "(other)": beyond the cap
inline constexpr std::int64_t kFirstNameId = 2;

// Creates the tables in an empty file or checks the version of an existing one. A file of a newer
// version, or of another application, is refused and left as it is.
Status ensure_schema(Database& db, const std::string& path, const std::string& zone,
                     std::int64_t wall_us);

// What the table `meta` says of the store; "" when it says nothing.
[[nodiscard]] Result<std::string> read_meta(Database& db, std::string_view key);
Status write_meta(Database& db, std::string_view key, std::string_view value);

}  // namespace retailpulse
