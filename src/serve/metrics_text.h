// metrics_text: the process in the Prometheus text format, and the routes for operators.
//
// Counters of the running process come from Metrics and PipelineStatus; what only the store knows
// (the ledger, the watermark, file sizes) comes from a function that the application gives.
//
// Thread:     any.
// Test:       tests/serve/metrics_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <retailpulse/clock.h>
#include <retailpulse/pipeline.h>
#include <retailpulse/types.h>

#include "serve/router.h"

namespace retailpulse {

struct BuildInfo {
  std::string version;
  std::string commit;
  std::string compiler;
};

// Since the store was made, over all partitions.
struct StoreFigures {
  std::optional<std::int64_t> watermark_us;
  std::array<std::uint64_t, kBuckets> buckets{};   // records by where they ended
  std::array<std::uint64_t, kReasons> rejected{};  // splits buckets[kRejected]
  std::uint64_t late = 0;
  std::uint64_t lost_ranges = 0;                   // that Kafka deleted before they were read
  std::uint64_t lost_offsets = 0;
  std::uint64_t db_bytes = 0;
  std::uint64_t wal_bytes = 0;
};
using FiguresFunction = std::function<std::optional<StoreFigures>()>;  // any thread

enum class MetricsFormat { kPrometheus, kOpenMetrics };
inline constexpr std::string_view kPrometheusType = "text/plain; version=0.0.4; charset=utf-8";
inline constexpr std::string_view kOpenMetricsType =
    "application/openmetrics-text; version=1.0.0; charset=utf-8";

struct MetricsInput {
  const PipelineView& view;
  const BuildInfo& build;
  std::optional<StoreFigures> figures;
};
[[nodiscard]] std::string metrics_text(const MetricsInput& input, MetricsFormat format);
[[nodiscard]] MetricsFormat metrics_format(std::string_view accept);

// /metrics; /healthz (alias /-/healthy): 503 while a stage stands still; /readyz (alias /-/ready):
// 503 with the reason while it cannot do its work. `view` outlives the router; `figures` may be
// empty.
void add_operator_routes(Router& router, const PipelineView& view, BuildInfo build,
                         FiguresFunction figures);

}  // namespace retailpulse
