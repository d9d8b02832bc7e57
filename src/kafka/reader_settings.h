// reader_settings: how a librdkafka consumer of ours is set up.
//
// Thread: any (constant).
// Test:   tests/kafka/source_test.cpp
#pragma once

#include <string>
#include <vector>

#include <retailpulse/config.h>

#include "kafka/handle.h"

namespace retailpulse {

// May be overridden with -X. An idle fetch returns after 50 ms: a partition that the client had set
// aside because the queue was full joins the next fetch, so this is also how long it can wait.
// Small fetches keep a batch in the cache between the client's thread and ours. A connection whose
// other end says nothing is given up after 7 s: half open ones, after a laptop slept or a router
// forgot them, would be believed for a minute. A fetch must be through by then: a link of less than
// 10 Mbit/s wants a longer socket.timeout.ms. Leaders are asked for every 30 s, not every five
// minutes, in case that a change of them was missed.
inline std::vector<Setting> reader_defaults(const KafkaConfig& config) {
  return {{"group.id", config.group},
          {"fetch.wait.max.ms", "50"},
          {"fetch.queue.backoff.ms", "10"},
          {"fetch.error.backoff.ms", "100"},
          {"fetch.message.max.bytes", "1048576"},
          {"fetch.max.bytes", "8388608"},
          {"socket.timeout.ms", "7000"},
          {"topic.metadata.refresh.interval.ms", "30000"},
          {"receive.message.max.bytes", "104857600"},
          {"queued.min.messages", "1000000"},
          {"queued.max.messages.kbytes", "16384"}};
}

// That a topic was created anew the client tells only as a detail (handle.cpp); the user's own
// choice of details stays.
inline std::string reader_details(const KafkaConfig& config) {
  const auto wanted = config.properties.find("debug");
  return wanted == config.properties.end() ? "metadata" : wanted->second + ",metadata";
}

// What correctness rests on; check_kafka_property refuses each of them but `debug`.
inline std::vector<Setting> reader_laws(const KafkaConfig& config) {
  return {{"enable.auto.commit", "false"},
          {"enable.auto.offset.store", "false"},
          {"auto.offset.reset", "error"},
          {"isolation.level", "read_committed"},
          {"check.crcs", "true"},
          {"enable.partition.eof", "true"},
          {"allow.auto.create.topics", "false"},
          {"debug", reader_details(config)},
          {"max.poll.interval.ms", "86400000"},
          {"statistics.interval.ms", "0"}};
}

}  // namespace retailpulse
