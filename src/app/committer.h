// Committer: asks every lane for its epoch, commits them together, then publishes, then acks.
//
// The order commit -> publish -> ack is the whole exactly-once story: no page shows what the disk
// does not hold, and Kafka is never told before the disk.
//
// Pace: the next commit begins max(commit_interval, kCostFactor times the cost) after this one, so
// that writing keeps to its share of a core; a lane whose deltas pile up asks earlier. The cost is what
// the cheaper of the last two took: a single slow one delays nothing.
// Deltas are never queued: a lane that waits goes on folding into the ones it has.
//
// A store that is locked, full or read-only pauses us: the same commit is tried until it succeeds,
// and meanwhile full rings stop the reading. What else fails is tried kTransientTries times if that
// can help; then the store has failed for good.
//
// Thread:     role committer (start(), add() and join() are role main's).
// Invariants: an epoch is committed once or the process serves read-only from then on.
// Limits:     kRetryPause between two tries.
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
  // Whose records are committed; before start().
  void of_cluster(std::string id) { cluster_id_ = std::move(id); }
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
  // Does it until it succeeds, fails for good or the process is asked to end.
  template <class Step>
  [[nodiscard]] Status insist(Step step);
  void pause(const Status& why);
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
  Duration cost_{};
  Duration behind_{};              // age of the newest record in the last commit
  Duration last_commit_{};
  std::int64_t committed_watermark_us_ = INT64_MIN;
  std::size_t idle_count_ = 0;
  std::string cluster_id_;
  std::vector<std::pair<PartitionSlot, std::string>> halted_;  // by this process's sources
  std::size_t halted_committed_ = 0;        // so many of them are in the store
  bool failed_already_ = false;
  bool paused_ = false;                     // the last try did not succeed

  Mutex inbox_mutex_;
  std::vector<NewPartition> inbox_ RP_GUARDED_BY(inbox_mutex_);
  std::thread thread_;
};

}  // namespace retailpulse
