// ScriptedBroker: speaks just enough of Kafka's protocol to be read from, and does what a real
// broker cannot be asked for: the log is what the test writes, also while it is read.
//
//   ScriptedBroker broker;
//   broker.edit([](ScriptedCluster& c) {
//     c.add_topic("orders", 2);
//     c.at("orders", 0).log.append(numbered_batch("v", 0, 100));
//   });
//   config.bootstrap = broker.bootstrap();  // all else as in production
//   broker.edit([](ScriptedCluster& c) { c.at("orders", 0).log.cut_back(50); });
//
// Answered: ApiVersions 0, Metadata 12, ListOffsets 5, Fetch 11, OffsetForLeaderEpoch 2,
// FindCoordinator 2, OffsetCommit 7. Any other request closes the connection.
//
// Thread:     any. A thread for each connection answers its requests in order, as brokers do.
// Invariants: nothing of the cluster is read or written outside of edit() and its lock.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support/scripted_cluster.h"

namespace retailpulse::testing {

class ScriptedBroker {
 public:
  explicit ScriptedBroker(int nodes = 1);
  ~ScriptedBroker();
  ScriptedBroker(const ScriptedBroker&) = delete;
  ScriptedBroker& operator=(const ScriptedBroker&) = delete;

  [[nodiscard]] std::string bootstrap() const;   // of all nodes
  [[nodiscard]] int port(int node = 1) const { return ports_.at(static_cast<std::size_t>(node) - 1); }
  // Changes or reads the cluster; waiting fetches look again afterwards.
  void edit(const std::function<void(ScriptedCluster&)>& change);
  // Resets every connection that stands.
  void drop_connections();

 private:
  [[nodiscard]] ScriptedNode& this_node(std::int32_t node);
  void accept_loop(std::int32_t node, int listener);
  void take(int fd, std::int32_t node);
  void serve(int fd, std::int32_t node);
  // False: say nothing more on this connection.
  bool answer(int fd, std::int32_t node, const std::string& bytes);

  std::vector<int> ports_;
  std::mutex mutex_;                 // the cluster and the connections
  std::condition_variable changed_;
  ScriptedCluster cluster_;
  std::vector<std::pair<int, std::int32_t>> open_;  // connections and their nodes
  std::size_t serving_ = 0;          // threads
  std::atomic<bool> stop_{false};
  std::vector<std::thread> acceptors_;
};

}  // namespace retailpulse::testing
