// K8: behind the address is another cluster than the one whose records the store has.
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include <retailpulse/kafka.h>

#include "app/commands.h"
#include "app/supervisor.h"
#include "base/hash.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

constexpr int kTries = 10;

// A cluster with one topic of ten sales.
std::unique_ptr<MockCluster> cluster_with_sales(const KafkaConfig& base, KafkaConfig& config) {
  auto started = start_mock_cluster(1);
  REQUIRE(started.ok());
  config = base;
  config.bootstrap = started.value()->bootstrap();
  REQUIRE(started.value()->create_topic("orders", 1).ok());
  auto producer = open_producer(config, {});
  REQUIRE(producer.ok());
  for (int i = 0; i < 10; ++i) {
    const std::string sale = fmt::format(R"({{"transaction_id":"{}","product_id":"p","amount":1}})", i);
    REQUIRE(producer.value()->produce({.topic = "orders", .partition = 0, .value = sale}).ok());
  }
  REQUIRE(producer.value()->flush(std::chrono::seconds{10}).ok());
  return std::move(started).value();
}

std::uint64_t hash_of(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  REQUIRE(file);
  return hash64(std::string(std::istreambuf_iterator<char>(file), {}));
}

Status run_to_end(const Config& config) {
  Supervisor supervisor(config, system_clock(), false);
  Status status = supervisor.start();
  const std::atomic<bool> stop{false};
  if (status.ok()) status = supervisor.run(stop);
  CHECK(supervisor.shut_down());
  return status;
}

TEST_CASE("another cluster: refused before anything is written, 10 of 10, until the shop moves") {
  const std::string folder =
      fmt::format("{}/rp-cluster-{}", std::filesystem::temp_directory_path().string(), getpid());
  Config config;
  config.kafka.properties["fetch.wait.max.ms"] = "10";
  config.streams.push_back({.topic = "orders", .role = Role::kTransactions, .fields = {}});
  config.time.zone = "UTC";
  config.store.directory = folder;
  config.http.port = 0;
  config.start.kind = StartPoint::Kind::kEarliest;
  config.exit_at_end = true;
  const KafkaConfig base = config.kafka;
  KafkaConfig there;
  const auto other = cluster_with_sales(base, there);
  const auto own = cluster_with_sales(base, config.kafka);
  const KafkaConfig here = config.kafka;
  const Status counted = run_to_end(config);
  INFO(counted.message());
  REQUIRE(counted.ok());
  const std::string path = folder + "/retailpulse.db";
  const std::uint64_t before = hash_of(path);

  config.kafka = there;
  for (int i = 0; i < kTries; ++i) {
    config.exit_at_end = i % 2 == 0;  // else it would try to connect again, for ever
    const Status refused = run_to_end(config);
    CHECK(exit_code_of(refused) == 78);
    CHECK(refused.message().find(there.bootstrap + " is cluster mockCluster") == 0);
    CHECK(refused.message().find("are of cluster mockCluster") != std::string::npos);
    CHECK(hash_of(path) == before);
  }
  config.exit_at_end = true;
  const Status refused = run_to_end(config);
  const auto flag = refused.message().find("--new-cluster ");
  REQUIRE(flag != std::string::npos);
  config.new_cluster = refused.message().substr(flag + 14);
  config.new_cluster.pop_back();  // the full stop
  // The topic there is another one: that is said too, and nothing of it is counted unasked.
  CHECK(exit_code_of(run_to_end(config)) == 78);
  config.new_logs.push_back({"orders", {StartPoint::Kind::kEarliest, {}, {}}});
  CHECK(run_to_end(config).ok());
  config.new_cluster.clear();
  config.new_logs.clear();
  CHECK(run_to_end(config).ok());
  config.kafka = here;
  CHECK(exit_code_of(run_to_end(config)) == 78);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace retailpulse
