// StatusBoard: what the pipeline's threads say about themselves, for pages and for the supervisor.
//
// Thread:     any (one mutex inside); the frame number is an atomic of its own, because every
//             connected page waits on it.
// Limits:     kNoticesMax notices, the newest.
#pragma once

#include <array>
#include <atomic>
#include <deque>
#include <string>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/epoch.h>
#include <retailpulse/kafka.h>
#include <retailpulse/pipeline.h>

#include "app/source_health.h"
#include "app/stage_watch.h"
#include "base/signal.h"
#include "base/thread_safety.h"

namespace retailpulse {

class StatusBoard final : public PipelineView {
 public:
  StatusBoard(const Clock& clock, const Metrics& metrics, bool demo);

  // --- pages
  PipelineStatus status() const override RP_EXCLUDES(mutex_);
  const Metrics& metrics() const override { return metrics_; }
  std::uint64_t frame() const override { return frame_.load(std::memory_order_acquire); }
  std::uint64_t wait_frame(std::uint64_t after, Duration timeout) const override;
  bool stopping() const override { return stopping_.load(std::memory_order_acquire); }

  // --- supervisor
  void set_cluster(std::string brokers, std::vector<std::string> topics) RP_EXCLUDES(mutex_);
  // A partition that is read from `position`; it is behind while below `target`. `halted`: why it
  // was not read to the end before; empty if it was.
  void add_partition(PartitionSlot slot, const TopicPartition& id, Offset position, Offset target,
                     const std::string& halted) RP_EXCLUDES(mutex_);
  // The brokers answered: where each partition, by slot, ends now.
  void set_ends(const std::vector<EndOffsets>& ends) RP_EXCLUDES(mutex_);
  void set_reachable(bool reachable, const std::string& reason) RP_EXCLUDES(mutex_);
  void notice(std::string text) RP_EXCLUDES(mutex_);
  void set_stopping();
  // Notices a stage that stands still or moves again.
  void watch_stages() RP_EXCLUDES(mutex_);
  // Every partition is halted, or known to be the one that was read and committed up to the end
  // that it had at the start.
  [[nodiscard]] bool targets_reached() const RP_EXCLUDES(mutex_);
  [[nodiscard]] std::string failure() const RP_EXCLUDES(mutex_);
  // Why a partition is not read any more; empty when all are.
  [[nodiscard]] std::string halted() const RP_EXCLUDES(mutex_);
  // Where the records of this run ended, by bucket.
  using Counts = std::array<std::uint64_t, kBuckets>;
  [[nodiscard]] Counts counts() const RP_EXCLUDES(mutex_);

  // --- committer
  void committed(std::uint64_t frame, const std::vector<std::unique_ptr<Epoch>>& epochs,
                 const std::vector<PartitionSlot>& idle) RP_EXCLUDES(mutex_);
  [[nodiscard]] std::vector<std::pair<PartitionSlot, Offset>> end_offsets() const
      RP_EXCLUDES(mutex_);
  void halt(PartitionSlot slot, const std::string& why) RP_EXCLUDES(mutex_);
  void set_failed(const std::string& reason) RP_EXCLUDES(mutex_);
  // Why a lane's source does not work; empty: it does.
  void set_trouble(LaneId lane, const std::string& why) RP_EXCLUDES(mutex_);
  // Some lane's source does not work.
  [[nodiscard]] bool in_trouble() const RP_EXCLUDES(mutex_);
  // Partitions of which something is written that cannot be read yet: they are not idle.
  [[nodiscard]] std::vector<PartitionSlot> held_back() const RP_EXCLUDES(mutex_);
  // The store cannot be written at the moment, or (empty) it can again. True: that is news.
  bool set_paused(const std::string& reason) RP_EXCLUDES(mutex_);

 private:
  static constexpr std::size_t kNoticesMax = 50;
  static constexpr std::size_t kRateSamplesMax = 64;

  struct Sample {
    Duration at{};
    std::uint64_t records = 0;
  };

  void fill_lag(PipelineStatus& status) const RP_REQUIRES(mutex_);
  void fill_backfill(PipelineStatus& status) const RP_REQUIRES(mutex_);
  void fill_state(PipelineStatus& status) const RP_REQUIRES(mutex_);
  void fill_doubts(PipelineStatus& status) const RP_REQUIRES(mutex_);
  bool fill_source_state(PipelineStatus& status) const RP_REQUIRES(mutex_);
  [[nodiscard]] SourceHealth::Moment moment() const;
  [[nodiscard]] std::string halted_locked() const RP_REQUIRES(mutex_);
  [[nodiscard]] double rate() const RP_REQUIRES(mutex_);

  const Clock& clock_;
  const Metrics& metrics_;
  const bool demo_;
  const std::int64_t started_wall_us_;
  const Duration started_;
  std::atomic<std::uint64_t> frame_{0};   // release in committed() pairs with acquire in frame()
  std::atomic<bool> stopping_{false};     // release/acquire
  mutable Signal changed_;                // a new frame, or the end

  mutable Mutex mutex_;
  std::string brokers_ RP_GUARDED_BY(mutex_);
  std::vector<std::string> topics_ RP_GUARDED_BY(mutex_);
  std::vector<PartitionStatus> partitions_ RP_GUARDED_BY(mutex_);  // by slot
  std::vector<Offset> targets_ RP_GUARDED_BY(mutex_);              // by slot
  std::vector<Offset> origins_ RP_GUARDED_BY(mutex_);              // by slot
  // By slot: what this process has found out of its log.
  enum class Log : std::uint8_t { kUnknown, kRead, kHalted };
  std::vector<Log> logs_ RP_GUARDED_BY(mutex_);
  std::deque<std::string> notices_ RP_GUARDED_BY(mutex_);
  std::deque<Sample> samples_ RP_GUARDED_BY(mutex_);
  std::uint64_t records_ RP_GUARDED_BY(mutex_) = 0;
  Counts counts_ RP_GUARDED_BY(mutex_){};
  std::int64_t newest_record_us_ RP_GUARDED_BY(mutex_) = 0;
  bool reachable_ RP_GUARDED_BY(mutex_) = true;
  std::string unreachable_reason_ RP_GUARDED_BY(mutex_);
  SourceHealth health_ RP_GUARDED_BY(mutex_);
  std::int64_t failed_us_ RP_GUARDED_BY(mutex_) = 0;  // wall, when `failure_` came
  std::string failure_ RP_GUARDED_BY(mutex_);
  std::string paused_ RP_GUARDED_BY(mutex_);       // why; empty: it is not
  std::int64_t paused_us_ RP_GUARDED_BY(mutex_) = 0;  // wall, when it began
  mutable StageWatch stages_ RP_GUARDED_BY(mutex_);
  std::string still_ RP_GUARDED_BY(mutex_);  // as last noticed
};

}  // namespace retailpulse
