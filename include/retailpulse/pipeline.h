// PipelineView: what the pages and the API may ask the running pipeline.
//
// Numbers of the shop come from the store; this is about the machine that makes them.
//
// Thread: any (synchronised inside).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/metrics.h>
#include <retailpulse/types.h>

namespace retailpulse {

// The state chip; exactly one at a time. The order is the precedence: the first that applies.
enum class PipelineState : std::uint8_t {
  kReadOnly,      // the store failed; numbers stand still, reason says why
  kStorePaused,   // the store cannot be written at the moment; goes on by itself when it can
  kReconnecting,  // no broker answers
  kDegraded,      // a stage of the pipeline stands still
  kBackfill,      // behind the end offsets seen at start
  kStale,         // numbers are older than they should be
  kLive,
};
inline constexpr std::array<std::string_view, 7> kPipelineStateNames{
    "read_only", "store_paused", "reconnecting", "degraded", "backfill", "stale", "live"};

struct PartitionStatus {
  std::string topic;
  std::int32_t partition = 0;
  Offset committed = 0;
  Offset end = -1;                   // -1: not known yet
  bool at_end = false;
  bool idle = false;
  std::int64_t blocked_since_us = 0; // wall; an open transaction holds its end back. 0: none does
  std::string halted = {};           // why nothing is read from it any more; "" while it is
};

struct PipelineStatus {
  PipelineState state = PipelineState::kLive;
  std::string reason;                // a sentence, empty when live
  std::int64_t stale_since_us = 0;   // wall; since then records may be missing. 0: none is
  bool demo = false;
  std::int64_t started_wall_us = 0;
  double uptime_s = 0;               // monotonic: a step of the wall clock does not change it
  double records_per_s = 0;          // over the last ~5 s
  double backfill_done = 1;          // 0..1
  double backfill_eta_s = 0;
  std::uint64_t lag_records = 0;
  double lag_seconds = 0;            // wall - record time of the newest committed, while behind
  std::string brokers;
  std::vector<std::string> topics;   // "orders=transactions"
  std::vector<PartitionStatus> partitions;
  std::vector<std::string> notices;  // newest last, bounded
  std::vector<std::string> still;    // stages that stand still, by the names of their threads
};

class PipelineView {
 public:
  virtual ~PipelineView() = default;
  [[nodiscard]] virtual PipelineStatus status() const = 0;
  [[nodiscard]] virtual const Metrics& metrics() const = 0;
  // Number of the last commit; wait_frame blocks until it exceeds `after`, the timeout passes or
  // the process stops, and returns the number then.
  [[nodiscard]] virtual std::uint64_t frame() const = 0;
  [[nodiscard]] virtual std::uint64_t wait_frame(std::uint64_t after, Duration timeout) const = 0;
  [[nodiscard]] virtual bool stopping() const = 0;
};

}  // namespace retailpulse
