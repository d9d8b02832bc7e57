// What the Kafka tests share: a mock cluster with filled topics, and a sink that remembers.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/clock.h>
#include <retailpulse/kafka.h>

#include "support/catch.h"

namespace retailpulse {

inline constexpr Duration kTestPatience = std::chrono::seconds{30};
inline constexpr Duration kCallTimeout = std::chrono::seconds{10};

struct RememberingSink final : MessageSink {
  bool on_message(const Message& message) override {
    std::vector<Offset>& seen = offsets[index_of(message.slot)];
    if (!seen.empty() && message.offset <= seen.back()) in_order = false;
    seen.push_back(message.offset);
    values[index_of(message.slot)].emplace_back(message.value);
    if (!message.has_value) ++tombstones;
    last_key = std::string(message.key);
    last_time = message.record_time;
    ++count;
    at_end.erase(index_of(message.slot));
    return --accept != 0;
  }
  void on_end(PartitionSlot slot, Offset position) override { at_end[index_of(slot)] = position; }

  std::map<std::uint32_t, std::vector<Offset>> offsets;
  std::map<std::uint32_t, std::vector<std::string>> values;
  std::map<std::uint32_t, Offset> at_end;
  std::string last_key;
  EventTime last_time{};
  std::size_t count = 0;
  std::size_t tombstones = 0;
  long accept = -1;  // messages until on_message says "no more"; negative: all
  bool in_order = true;
};

class MockFixture {
 public:
  explicit MockFixture(int brokers = 1) : cluster_(start(brokers)) {
    config.bootstrap = cluster_->bootstrap();
    config.properties["fetch.wait.max.ms"] = "10";
  }

  MockCluster& cluster() { return *cluster_; }

  void create(const std::string& topic, std::int32_t partitions) {
    REQUIRE(cluster_->create_topic(topic, partitions).ok());
  }
  // Writes "TOPIC/PARTITION/N" values, N counting from `first`.
  void fill(const std::string& topic, std::int32_t partition, int count, int first = 0,
            const std::string& codec = "none") {
    ProducerOptions options;
    options.codec = codec;
    auto producer = open_producer(config, options);
    REQUIRE(producer.ok());
    for (int i = first; i < first + count; ++i) {
      const std::string value = fmt::format("{}/{}/{}", topic, partition, i);
      REQUIRE(
          producer.value()->produce({.topic = topic, .partition = partition, .value = value}).ok());
    }
    const Status flushed = producer.value()->flush(kCallTimeout);
    INFO(flushed.message());
    REQUIRE(flushed.ok());
    REQUIRE(producer.value()->delivered() == static_cast<std::uint64_t>(count));
  }

  std::unique_ptr<Source> source() {
    auto opened = open_kafka_source(config, LaneId{0}, metrics);
    REQUIRE(opened.ok());
    return std::move(opened).value();
  }

  KafkaConfig config;
  ConsumerMetrics metrics;

 private:
  static std::unique_ptr<MockCluster> start(int brokers) {
    auto started = start_mock_cluster(brokers);
    REQUIRE(started.ok());
    return std::move(started).value();
  }
  std::unique_ptr<MockCluster> cluster_;
};

// Polls until `done`; false when that took longer than a patient person waits.
inline bool poll_until(Source& source, MessageSink& sink, const std::function<bool()>& done,
                       Duration patience = kTestPatience) {
  const Duration deadline = system_clock().monotonic() + patience;
  while (!done()) {
    if (system_clock().monotonic() > deadline) return false;
    REQUIRE(source.poll(sink, std::chrono::milliseconds{50}).ok());
  }
  return true;
}

inline std::vector<Offset> range(Offset from, Offset to) {
  std::vector<Offset> out;
  for (Offset o = from; o < to; ++o) out.push_back(o);
  return out;
}

}  // namespace retailpulse
