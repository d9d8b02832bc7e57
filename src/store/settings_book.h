// SettingsBook: which settings stood when the numbers were made, and since when.
//
// A setting that decides what a record counts as may change (a corrected mapping), but not without
// a trace: every value stays with the time and commit from which it holds. One that would mix two
// meanings in the same rows (another role for a topic) is refused once numbers are stored.
//
// Thread: role committer, while the store is being opened.
// Test:   tests/store/settings_book_test.cpp, tests/app/meaning_test.cpp
#pragma once

#include <span>
#include <string>
#include <vector>

#include <retailpulse/status.h>
#include <retailpulse/store.h>

#include "store/sqlite.h"

namespace retailpulse {

// Compares `settings` with the ones that held last, in one transaction; a sentence for each that
// is another one. kConfig: one may not change; nothing is stored then.
[[nodiscard]] Result<std::vector<std::string>> record_settings(
    Database& db, std::span<const Setting> settings, const std::string& path, std::int64_t wall_us);

}  // namespace retailpulse
