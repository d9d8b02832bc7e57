// ReplayDesk: takes rejected records to their lanes again and waits until they are committed.
//
// Only the lane that reads a partition knows its recent ids, and only the committer writes; so a
// replay is one more way into the lane, and whoever asked waits here for the commit.
//
// Thread:     replay: any. add, stop: role main. committed: role committer. (One mutex inside.)
// Invariants: one replay is under way at a time, until its last record is committed: a record is
//             never given to a lane twice.
// Limits:     kReplayMax records at once; kReplayWait for an answer.
// Test:       tests/app/replay_desk_test.cpp, tests/integration/replay_test.py
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/event.h>
#include <retailpulse/history.h>
#include <retailpulse/replay.h>
#include <retailpulse/source.h>

#include "app/replay_builder.h"
#include "base/signal.h"
#include "base/thread_safety.h"

namespace retailpulse {

class Lane;

inline constexpr Duration kReplayWait = std::chrono::seconds{20};

class ReplayDesk final : public Replayer {
 public:
  [[nodiscard]] static Result<std::unique_ptr<ReplayDesk>> open(const std::string& store_path,
                                                                const Clock& clock);
  // `take` gives orders to the lane that reads a partition.
  using Take = std::function<void(std::vector<ReplayOrder>)>;
  ReplayDesk(std::unique_ptr<HistoryReader> history, const Clock& clock);

  // A partition that is read from now on; after its lane has learnt of it.
  void add(const PartitionStart& start, Lane& lane);
  void add(const PartitionStart& start, Take take) RP_EXCLUDES(mutex_);
  void committed(std::uint64_t frame, const std::vector<Replayed>& replays) RP_EXCLUDES(mutex_);
  // Whoever waits is told that it is over.
  void stop() RP_EXCLUDES(mutex_);

  Result<ReplayReport> replay(const ReplayQuery& query) override RP_EXCLUDES(mutex_);

 private:
  struct Reader {
    PartitionSlot slot{};
    Take take;
  };

  Result<ReplayReport> read(const ReplayQuery& query, std::vector<RejectRow>& rows);
  void give(const std::vector<RejectRow>& rows) RP_REQUIRES(mutex_);
  // True when every record has been committed.
  bool wait();

  const Clock& clock_;
  const std::unique_ptr<HistoryReader> history_;
  Signal changed_;
  Mutex mutex_;
  std::map<std::pair<std::string, std::int32_t>, Reader> readers_ RP_GUARDED_BY(mutex_);
  bool busy_ RP_GUARDED_BY(mutex_) = false;      // somebody is in replay()
  bool stopped_ RP_GUARDED_BY(mutex_) = false;
  std::size_t missing_ RP_GUARDED_BY(mutex_) = 0;  // given to lanes, not committed yet
  ReplayReport report_ RP_GUARDED_BY(mutex_);      // of the present replay; records by id
};

}  // namespace retailpulse
