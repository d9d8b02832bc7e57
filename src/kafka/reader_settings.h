// reader_settings: how a librdkafka consumer of ours is set up.
//
// Thread: any (constant).
// Test:   tests/kafka/source_test.cpp
#pragma once

#include <vector>

#include <retailpulse/config.h>

#include "kafka/handle.h"

namespace retailpulse {

// May be overridden with -X. An idle fetch returns after 50 ms: a partition that the client had set
// aside because the queue was full joins the next fetch, so this is also how long it can wait.
// Small fetches keep a batch in the cache between the client's thread and ours.
inline std::vector<Setting> reader_defaults(const KafkaConfig& config) {
  return {{"group.id", config.group},
          {"fetch.wait.max.ms", "50"},
          {"fetch.queue.backoff.ms", "10"},
          {"fetch.error.backoff.ms", "100"},
          {"fetch.message.max.bytes", "1048576"},
          {"fetch.max.bytes", "8388608"},
          {"receive.message.max.bytes", "104857600"},
          {"queued.min.messages", "1000000"},
          {"queued.max.messages.kbytes", "16384"}};
}

// What correctness rests on; check_kafka_property refuses each of them.
inline std::vector<Setting> reader_laws() {
  return {{"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "error"},
          {"isolation.level", "read_committed"},
          {"check.crcs", "true"},
          {"enable.partition.eof", "true"},
          {"allow.auto.create.topics", "false"},
          {"max.poll.interval.ms", "86400000"},
          {"statistics.interval.ms", "0"}};
}

}  // namespace retailpulse
