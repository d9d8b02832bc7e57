// BrokerProbe: finds out whether the leaders of our partitions answer again.
//
// A silent topic looks the same whether its brokers are up or down: no record comes. After a
// connection error the probe asks for the end offsets of all partitions once a second, without
// waiting for the answer, until they come. While all is well it does nothing.
//
// Thread: role consumer.
// Limits: one request under way; kProbeEvery between two.
// Test:   tests/kafka/source_faults_test.cpp
#pragma once

#include <retailpulse/types.h>

#include "kafka/handle.h"

namespace retailpulse {

inline constexpr Duration kProbeEvery = std::chrono::seconds{1};
inline constexpr Duration kProbeTimeout = std::chrono::seconds{3};

class BrokerProbe {
 public:
  enum class Answer : unsigned char { kNone, kWorks, kFails };

  explicit BrokerProbe(KafkaHandle& handle);
  // Something looked broken: ask until it works.
  void suspect() { active_ = true; }
  [[nodiscard]] bool active() const { return active_; }
  [[nodiscard]] bool due(Duration now) const { return active_ && !waiting_ && now >= next_; }
  // When due(): asks for `partitions`, whose offsets are RD_KAFKA_OFFSET_SPEC_LATEST.
  void ask(rd_kafka_topic_partition_list_t* partitions, Duration now);
  // kWorks ends the probe. `why` says what failed.
  [[nodiscard]] Answer answer(Status& why);

 private:
  KafkaHandle& handle_;
  KafkaPtr<rd_kafka_queue_t> queue_;
  bool active_ = false;
  bool waiting_ = false;
  std::size_t asked_ = 0;
  Duration next_{};
};

}  // namespace retailpulse
