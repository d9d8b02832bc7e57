// The handlers behind the endpoints, one for each question; api.cpp names them.
//
// Thread: any.
// Test:   tests/serve/api_test.cpp
#pragma once

#include "serve/api.h"

namespace retailpulse {

// Measures of sales, in the order of the columns.
enum class Measure : std::uint8_t { kNet, kGross, kRefunds, kOrders, kLines, kUnits, kTransactions,
                                    kRatings, kEvents };
inline constexpr std::string_view kMeasureNames[] = {
    "net", "gross", "refunds", "orders", "lines", "units", "transactions", "ratings", "events"};
[[nodiscard]] Measure measure_of(std::string_view name);
[[nodiscard]] std::int64_t measured(const Sales& sales, Measure measure);

[[nodiscard]] Reply get_frame(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_status(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_kpis(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_series(const ApiContext& context, const Request& request);
// top and breakdown: the same ranking, the second with every row and its share.
[[nodiscard]] Reply get_top(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_breakdown(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_product(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_partitions(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_ledger(const ApiContext& context, const Request& request);
[[nodiscard]] Reply get_rejects(const ApiContext& context, const Request& request);
[[nodiscard]] Reply post_replay(const ApiContext& context, const Request& request);
[[nodiscard]] Reply post_sql(const ApiContext& context, const Request& request);

}  // namespace retailpulse
