// bare_consume: the fastest way to read and throw away: what the source's overhead is measured
// against.
//
// Same client settings as KafkaSource, librdkafka's batch call, no decoding, no guard.
//
// Thread: one at a time.
// Test:   tests/kafka/source_test.cpp
#pragma once

#include <span>

#include <retailpulse/kafka.h>

namespace retailpulse {

struct BareConsumeReport {
  std::uint64_t messages = 0;
  std::uint64_t bytes = 0;      // keys and values
  std::uint64_t checksum = 0;   // of all value bytes' ends, so that nothing is optimised away
  Duration first_message{};     // from the start to the first message
  Duration took{};              // from the first message to the last end
};

struct BareRange {
  TopicPartition partition;
  Offset begin = 0;
  Offset end = 0;
};

// Reads every range to its end, or until `limit`: then kTimeout.
[[nodiscard]] Result<BareConsumeReport> bare_consume(const KafkaConfig& config,
                                                     std::span<const BareRange> ranges,
                                                     Duration limit);

}  // namespace retailpulse
