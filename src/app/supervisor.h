// Supervisor: builds the pipeline, starts its actors in order, watches them, stops them in order.
//
// Start: store -> cluster -> lanes and committer -> pages. The port is bound first, so that a taken
// one costs nothing. Stop: sources, aggregators (last epoch), committer (last commit), pages; at
// most kStopWithin in all.
//
// Thread:     role main.
// Limits:     kBrokerTimeout for a question to the cluster.
#pragma once

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/history.h>
#include <retailpulse/kafka.h>
#include <retailpulse/metrics.h>
#include <retailpulse/status.h>
#include <retailpulse/store.h>

#include "app/committer.h"
#include "app/lane.h"
#include "app/pages.h"
#include "app/replay_desk.h"
#include "app/start_offsets.h"
#include "app/status_board.h"

namespace retailpulse {

class Supervisor {
 public:
  Supervisor(const Config& config, const Clock& clock, bool demo);
  ~Supervisor();

  // Everything up to the first poll; prints where the page is and what is read.
  Status start();
  // Watches until `stop`, the end (-e) or a failure of the store; with a failed store it goes on
  // serving until `stop`. Returns the failure, or ok.
  Status run(const std::atomic<bool>& stop);
  // Drains, commits, ends; false when it took longer than it may.
  bool shut_down();
  [[nodiscard]] std::string url() const { return pages_->url(); }
  // What -e prints: one JSON object.
  [[nodiscard]] std::string summary();

 private:
  Status open_store_and_pages();
  Status open_lanes();
  // Asks the cluster for the partitions that are not read yet and gives them to lanes.
  Status discover(Duration timeout);
  // Before the first commit: is this the cluster whose records the store has? kConfig if not.
  Status check_cluster(Duration timeout);
  Status take_new_logs(std::vector<PlannedPartition>& planned, Duration timeout);
  void add(PlannedPartition&& planned);
  void refresh_ends();
  void begin_reading();
  [[nodiscard]] bool done(const std::atomic<bool>& stop) const;

  const Config& config_;
  const Clock& clock_;
  const bool demo_;
  const Duration started_;
  std::unique_ptr<Metrics> metrics_;
  std::unique_ptr<RollupStore> store_;
  std::unique_ptr<KafkaAdmin> admin_;
  std::unique_ptr<StatusBoard> board_;
  std::unique_ptr<ReplayDesk> replays_;
  std::unique_ptr<Committer> committer_;
  std::vector<std::unique_ptr<Lane>> lanes_;
  std::unique_ptr<Pages> pages_;
  std::vector<StoredPartition> stored_;
  std::vector<TopicPartition> known_;       // by slot
  bool reading_ = false;                    // lanes and committer run
  Status refused_;                          // the cluster or a word on the command line is wrong
  Duration next_discovery_{};
  Duration next_ends_{};
  std::atomic<bool> store_failed_{false};   // set by the committer; relaxed, polled
};

}  // namespace retailpulse
