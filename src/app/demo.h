// Demo: a Kafka cluster and a busy shop inside this process, for a first look without anything.
//
// librdkafka's mock brokers hold the topics, the simulator fills them from its own thread, and the
// pipeline reads them like any cluster: the code path of `run` to the last line. The shop has been
// open for kHistory when the page opens, so that its charts have something to show.
//
// Thread: role main; the shop's thread is its own.
// Limits: the mock keeps 5 MiB of each partition; the store is new each time.
#pragma once

#include <atomic>
#include <memory>
#include <thread>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/kafka.h>
#include <retailpulse/status.h>

#include "app/command_line.h"
#include "simulate/run.h"

namespace retailpulse {

class Demo {
 public:
  static constexpr Duration kHistory = std::chrono::minutes{65};

  ~Demo();
  // Starts the cluster and opens the shop; `config` is pointed at it, and at a store folder that is
  // removed at the end unless the user named one.
  Status start(const DemoOptions& options, SimulateOptions shop, Config& config, const Clock& clock);

 private:
  void keep_shop(const SimulateOptions& options, const Clock& clock);

  std::unique_ptr<MockCluster> cluster_;
  std::unique_ptr<Producer> producer_;
  std::atomic<bool> stop_{false};         // main -> shop; relaxed, polled
  std::thread shop_;
  std::string folder_;                    // to be removed; empty: the user's
};

}  // namespace retailpulse
