// StageWatch: which of the pipeline's stages stands still.
//
// Every stage counts its turns (metrics.h); one that waits for work turns at least each 100 ms. So
// no stage reads a clock for this: whoever looks sees which count has not moved, and for how long.
// The operators' page looks by itself, so that a supervisor that stands still is seen as well.
//
// Thread: one at a time (StatusBoard's mutex).
// Limits: kStillAfter without a turn. A single commit that takes longer looks the same.
// Test:   tests/app/stage_watch_test.cpp, tests/integration/health_test.py
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <retailpulse/metrics.h>
#include <retailpulse/types.h>

namespace retailpulse {

class StageWatch {
 public:
  static constexpr Duration kStillAfter = std::chrono::seconds{8};

  // `metrics` outlives it.
  explicit StageWatch(const Metrics& metrics);
  // Names of the stages that have begun, have not ended and stand still; "rp-agg-0".
  [[nodiscard]] std::vector<std::string> look(Duration now);

 private:
  struct Watched {
    Metrics::Stage stage;
    std::uint64_t seen = 0;  // 0: has not begun
    Duration since{};        // when `seen` was first seen
  };
  std::vector<Watched> stages_;
};

}  // namespace retailpulse
