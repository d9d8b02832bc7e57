// ScriptedCluster: what a scripted broker knows, as plain data, and how it answers a request.
//
// Thread: none of its own; ScriptedBroker::edit() is the lock.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/kafka_wire.h"
#include "support/scripted_log.h"

namespace retailpulse::testing {

// Numbers of the protocol that tests need.
inline constexpr std::int16_t kApiFetch = 1;
inline constexpr std::int16_t kApiListOffsets = 2;
inline constexpr std::int16_t kApiMetadata = 3;
inline constexpr std::int16_t kApiOffsetCommit = 8;
inline constexpr std::int16_t kApiFindCoordinator = 10;
inline constexpr std::int16_t kApiVersions = 18;
inline constexpr std::int16_t kApiOffsetForLeaderEpoch = 23;
inline constexpr std::int16_t kErrNone = 0;
inline constexpr std::int16_t kErrOffsetOutOfRange = 1;
inline constexpr std::int16_t kErrUnknownTopicOrPartition = 3;
inline constexpr std::int16_t kErrLeaderNotAvailable = 5;
inline constexpr std::int16_t kErrNotLeader = 6;
inline constexpr std::int16_t kErrTopicAuthorization = 29;
inline constexpr std::int16_t kErrGroupAuthorization = 30;
inline constexpr std::int16_t kErrUnsupportedVersion = 35;
inline constexpr std::int16_t kErrKafkaStorage = 56;
inline constexpr std::int16_t kErrFencedLeaderEpoch = 74;
inline constexpr std::int16_t kErrUnknownLeaderEpoch = 75;

struct ScriptedPartition {
  ScriptedLog log;
  std::int32_t leader = 1;           // node number
  std::int32_t epoch = 0;            // of its leader; a new leader needs a greater one
  // Error for each of the next requests: {api, how often, code}; -1 times: until taken away.
  struct Refusal {
    std::int16_t api = 0;
    int times = 0;
    std::int16_t error = 0;
  };
  std::vector<Refusal> refusals = {};
  // Each next fetch that finds records gets one of these bits flipped; modulo the bits that are
  // under the checksum of the first batch, and the checksum itself.
  std::deque<std::uint64_t> flips = {};
  // The next fetch is answered from here, whatever was asked for.
  std::deque<Offset> answer_from = {};
};

struct ScriptedTopic {
  std::string id;                    // 16 bytes
  std::vector<ScriptedPartition> partitions;
  std::int16_t error = 0;            // in Metadata
};

struct ScriptedNode {
  bool up = true;                    // false: connections are refused, those that are there reset
  bool silent = false;               // takes requests and answers none
  Duration delay{};                  // before each answer
  std::int64_t cut_after = -1;       // the next fetched records are cut after so many bytes: reset
  int advertised_port = 0;           // 0: its own
};

struct ScriptedCluster {
  std::string id = "scripted";
  std::vector<ScriptedNode> nodes;   // number - 1
  std::map<std::string, ScriptedTopic> topics;
  bool knows_no_node = false;        // Metadata lists no broker, as of one that is stopping
  std::int16_t group_error = 0;      // what FindCoordinator and OffsetCommit answer
  std::map<std::pair<std::string, std::int32_t>, Offset> group_offsets;  // committed
  std::map<std::int16_t, std::uint64_t> requests;                        // by api, answered or not
  std::uint64_t connections = 0;     // taken so far

  // A new topic of this name, also when there is one already: then with another topic id.
  void add_topic(const std::string& name, int partitions);
  ScriptedPartition& at(const std::string& topic, std::int32_t partition);
  void refuse(const std::string& topic, std::int32_t partition, std::int16_t api,
              std::int16_t error, int times = 1);
  void move_leader(const std::string& topic, std::int32_t partition, std::int32_t node);

 private:
  std::uint64_t topics_made_ = 0;
};

// One request without its header.
struct ScriptedRequest {
  std::int16_t api = 0;
  std::int16_t version = 0;
  std::int32_t correlation = 0;
  std::int32_t node = 1;             // that was asked
  std::string_view body = {};
};

struct ScriptedAnswer {
  std::string body = {};
  std::int32_t wait_ms = 0;          // a fetch that found nothing: ask again within this time
  bool with_records = false;         // a fetch that found some
};

// nullopt: nothing that this broker knows how to answer. `ports`: of the nodes, their own.
[[nodiscard]] std::optional<ScriptedAnswer> answer_to(const ScriptedRequest& request,
                                                      ScriptedCluster& cluster,
                                                      const std::vector<int>& ports);

}  // namespace retailpulse::testing
