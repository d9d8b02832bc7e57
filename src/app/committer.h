// Committer: asks every lane for its epoch, commits them together, then publishes, then acks.
//
// The order commit -> publish -> ack is the whole exactly-once story: no page shows what the disk
// does not hold, and Kafka is never told before the disk.
//
// Pace: the next commit begins after max(commit_interval, kCostFactor times what the last one
// took), so that writing keeps to its share of a core; a lane whose deltas pile up asks earlier.
// Deltas are never queued: a lane that waits goes on folding into the ones it has.
//
// Thread:     role committer (start(), add() and join() are role main's).
// Invariants: an epoch is committed once or the process serves read-only from then on.
// Limits:     kRetries tries of a commit that is busy, kRetryPause apart; then it is a failure.
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/metrics.h>
#include <retailpulse/store.h>

#include "app/lane.h"
#include "app/replay_desk.h"
#include "app/status_board.h"
#include "base/signal.h"
#include "base/thread_safety.h"
#include "window/watermark.h"

namespace retailpulse {

class Committer {
 public:
  Committer(const Config& config, const Clock& clock, RollupStore& store, StatusBoard& board,
            Metrics& metrics, ReplayDesk& replays);
  ~Committer();

  // A partition that some lane will read; before that lane learns of it.
  void add(const PartitionStart& start, std::int64_t max_event_us) RP_EXCLUDES(inbox_mutex_);
  // `lanes` outlive the committer's thread. `failed` is called once when the store fails for good.
  void start(std::vector<Lane*> lanes, std::function<void()> failed);
  void join();

  [[nodiscard]] Signal& signal() { return signal_; }

 private:
  struct NewPartition {
    PartitionStart start;
    std::int64_t max_event_us = INT64_MIN;
  };
  using Epochs = std::vector<std::unique_ptr<Epoch>>;

  void run();
  void wait_until_due(Duration begun, Duration due);
  void collect(Epochs& epochs);
  Status take_inbox() RP_EXCLUDES(inbox_mutex_);
  std::vector<GapRow> take_notices();
  [[nodiscard]] bool worth_a_commit(const Epochs& epochs, const std::vector<GapRow>& gaps) const;
  Status commit(const Epochs& epochs, const std::vector<GapRow>& gaps);
  void ack(const Epochs& epochs);
  void give_up(const Status& status);

  const Config& config_;
  const Clock& clock_;
  RollupStore& store_;
  StatusBoard& board_;
  CommitMetrics& metrics_;
  ReplayDesk& replays_;
  Signal signal_;
  std::vector<Lane*> lanes_;
  std::vector<bool> ended_;                 // by lane: its last epoch was taken
  std::function<void()> failed_;
  GlobalWatermark watermark_;
  Duration last_took_{};
  Duration last_commit_{};
  std::int64_t committed_watermark_us_ = INT64_MIN;
  std::size_t idle_count_ = 0;
  bool reachable_ = true;                   // some broker answers
  bool failed_already_ = false;

  Mutex inbox_mutex_;
  std::vector<NewPartition> inbox_ RP_GUARDED_BY(inbox_mutex_);
  std::thread thread_;
};

}  // namespace retailpulse
