// RecordSink: where simulated records go: Kafka or a file.
//
// Thread: one at a time.
// Test:   tests/simulate/run_test.cpp
#pragma once

#include <retailpulse/config.h>
#include <retailpulse/kafka.h>
#include <retailpulse/status.h>

#include <memory>
#include <string>

#include "simulate/simulator.h"

namespace retailpulse {

class RecordSink {
 public:
  virtual ~RecordSink() = default;
  virtual Status write(const SimRecord& record) = 0;
  // Everything written so far has arrived.
  virtual Status flush() = 0;
};

// One line for each record: topic, partition, key and value, separated by tabs; a null value is
// "\N". Simulated bytes never hold a tab or a line feed, so nothing is escaped. "-": stdout.
[[nodiscard]] Result<std::unique_ptr<RecordSink>> open_file_sink(const std::string& path);

// The four native topics, which must exist. Record times are the shop's times of sending.
// `shop.partitions` 0 becomes what the topics have; more than they have is kConfig.
[[nodiscard]] Result<std::unique_ptr<RecordSink>> open_kafka_sink(const KafkaConfig& config,
                                                                  SimulatorConfig& shop);
// The same over a producer that exists and outlives the sink; it must take records of
// shop.big_record_bytes (property message.max.bytes).
[[nodiscard]] std::unique_ptr<RecordSink> make_kafka_sink(Producer& producer);

}  // namespace retailpulse
