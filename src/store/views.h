// Views: the stable names under which any SQLite tool reads the store.
//
// Plain SQL only, no functions of ours, so that sqlite3, Python or a spreadsheet see what the page
// sees. Money and units are exact decimal text beside their integer column, which sums exactly.
// A tier's panes below its seal are answered from the next coarser tier, so that the sum over a
// view is complete and no pane is counted twice; `tier` says which one a row came from.
//
// Thread: any (constant data).
// Test:   tests/store/views_test.cpp
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace retailpulse {

inline constexpr std::array<std::string_view, 13> kViewNames{
    "totals_by_minute", "totals_by_day",    "categories_by_minute", "categories_by_day",
    "products_by_day",  "ratings_by_day",   "events_by_minute",     "ledger",
    "partitions",       "lost_ranges",      "log_history",          "rejects",
    "settings"};

// DROP and CREATE of every view, one statement after the other; run after the tables exist.
[[nodiscard]] std::string views_sql();

}  // namespace retailpulse
