// RecordSink: where simulated records go: Kafka or a file.
//
// Thread: one at a time.
// Test:   tests/simulate/run_test.cpp
#pragma once

#include <memory>
#include <string>

#include <retailpulse/config.h>
#include <retailpulse/kafka.h>
#include <retailpulse/status.h>

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

// The four native topics, which must exist with at least the simulated partitions. `producer`
// outlives the sink. Record times are the shop's times of sending.
[[nodiscard]] std::unique_ptr<RecordSink> make_kafka_sink(Producer& producer);

}  // namespace retailpulse
