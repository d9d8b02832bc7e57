// The simulator's way into Kafka, with the cluster that lives in this process.
#include <retailpulse/kafka.h>

#include <atomic>

#include "simulate/run.h"
#include "support/catch.h"

using namespace retailpulse;

TEST_CASE("the Kafka sink fits the topics, and every record arrives, the too large one too") {
  auto cluster = start_mock_cluster(1);
  REQUIRE(cluster.ok());
  KafkaConfig config;
  config.bootstrap = cluster.value()->bootstrap();
  config.properties["message.max.bytes"] = "2000000";

  SimulateOptions options;
  options.shop.partitions = 0;
  const auto missing = open_kafka_sink(config, options.shop);
  REQUIRE(!missing.ok());
  CHECK(missing.status().code() == Code::kNotFound);
  CHECK(missing.status().message().find("--create") != std::string::npos);

  for (const std::string_view topic : kRoleNames) {
    REQUIRE(cluster.value()->create_topic(std::string(topic), topic == "feedback" ? 2 : 3).ok());
  }
  options.shop.partitions = 3;
  CHECK(open_kafka_sink(config, options.shop).status().code() == Code::kConfig);
  options.shop.partitions = 0;
  options.shop.dirt = 0.5;
  options.shop.mix = SimulatorConfig::Mix::kSales;
  options.shop.products = 10;
  options.count = 20'000;  // half of them dirty, one in 2,000 of these too large
  const auto sink = open_kafka_sink(config, options.shop);
  REQUIRE(sink.ok());
  CHECK(options.shop.partitions == 2);
  std::atomic<bool> stop{false};
  const auto report = run_simulate(options, *sink.value(), system_clock(), stop);
  INFO(report.status().message());
  REQUIRE(report.ok());
  CHECK(report.value().bytes > 3'000'000 + options.shop.big_record_bytes);

  // Compressed far below what the mock keeps of a partition, so nothing is gone.
  auto admin = open_kafka_admin(config);
  REQUIRE(admin.ok());
  std::vector<TopicPartition> partitions;
  for (const std::string_view topic : kRoleNames) {
    for (std::int32_t p = 0; p < 2; ++p) partitions.push_back({std::string(topic), p});
  }
  const auto offsets = admin.value()->offsets(partitions, std::chrono::seconds{10});
  REQUIRE(offsets.ok());
  Offset records = 0;
  for (const OffsetRange& range : offsets.value()) records += range.end;
  CHECK(records == 20'000);
}
