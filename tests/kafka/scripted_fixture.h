// A source that reads from a scripted broker, with the settings of production.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "kafka_fixture.h"
#include "support/scripted_broker.h"

namespace retailpulse {

struct ScriptedFixture {
  explicit ScriptedFixture(int nodes = 1) : broker(nodes) { config.bootstrap = broker.bootstrap(); }

  std::unique_ptr<Source> source() {
    auto opened = open_kafka_source(config, LaneId{0}, metrics);
    REQUIRE(opened.ok());
    return std::move(opened).value();
  }
  // Adds partitions 0, 1, ... of `topic` to `source`, each from its offset; slot = partition.
  static void add(Source& source, const std::string& topic, const std::vector<Offset>& from) {
    std::vector<PartitionStart> starts;
    for (std::uint32_t p = 0; p < from.size(); ++p) {
      starts.push_back({.slot = PartitionSlot{p},
                        .topic = topic,
                        .partition = static_cast<std::int32_t>(p),
                        .offset = from[p]});
    }
    source.add(std::move(starts));
  }

  testing::ScriptedBroker broker;
  KafkaConfig config;
  ConsumerMetrics metrics;
};

}  // namespace retailpulse
