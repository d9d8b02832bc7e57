#include "app/demo.h"

#include <pthread.h>

#include <array>
#include <cstdlib>
#include <filesystem>

#include "base/log.h"
#include "simulate/run.h"

namespace retailpulse {
namespace {

constexpr std::int32_t kPartitions = 4;
constexpr double kCatchUpRate = 60'000;  // records per second while the history is written

Result<std::string> make_folder() {
  std::error_code error;
  const auto base = std::filesystem::temp_directory_path(error);
  std::string name = (error ? std::filesystem::path("/tmp") : base) / "retailpulse-demo-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) {
    return Status(Code::kStorage, "cannot make a folder for the demo's store in " + base.string() +
                                      "; give one with --data");
  }
  return name;
}

}  // namespace

Demo::~Demo() {
  stop_.store(true, std::memory_order_relaxed);
  if (shop_.joinable()) shop_.join();
  producer_.reset();
  cluster_.reset();
  std::error_code ignored;  // a folder that stays behind in /tmp harms nobody
  if (!folder_.empty()) std::filesystem::remove_all(folder_, ignored);
}

Status Demo::start(const DemoOptions& options, SimulateOptions shop, Config& config,
                   const Clock& clock) {
  auto cluster = start_mock_cluster(1);
  if (!cluster.ok()) return cluster.status();
  cluster_ = std::move(cluster).value();
  config.kafka.bootstrap = cluster_->bootstrap();
  config.kafka.properties["fetch.wait.max.ms"] = "10";  // the mock wakes nobody earlier
  for (const StreamConfig& stream : config.streams) {
    if (Status s = cluster_->create_topic(stream.topic, kPartitions); !s.ok()) return s;
  }
  if (options.throw_away) {
    auto folder = make_folder();
    if (!folder.ok()) return folder.status();
    folder_ = folder.value();
    config.store.directory = folder_;
  }
  auto producer = open_producer(config.kafka, ProducerOptions{});
  if (!producer.ok()) return producer.status();
  producer_ = std::move(producer).value();
  shop.shop.partitions = kPartitions;
  shop.shop.start = clock.wall() - kHistory;
  shop.rate_max = kCatchUpRate;
  shop_ = std::thread([this, shop, &clock] { keep_shop(shop, clock); });
  return {};
}

void Demo::keep_shop(const SimulateOptions& options, const Clock& clock) {
  pthread_setname_np(pthread_self(), "rp-shop");
  const auto sink = make_kafka_sink(*producer_);
  const auto report = run_simulate(options, *sink, clock, stop_);
  if (!report.ok()) {
    log(LogLevel::kError, "demo", "the shop closed", {{"cause", report.status().message()}});
  }
}

}  // namespace retailpulse
