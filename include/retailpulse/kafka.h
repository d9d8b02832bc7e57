// Kafka: the seams behind which librdkafka lives: source, admin, producer, mock, properties.
//
// Everything here answers with sentences that name the failing thing (host, login, topic); none of
// them, and no log line, ever holds a secret of the configuration.
//
// Thread: said at each class. The free functions: any.
// Limits: every call that talks to a broker takes its timeout; a queue of a source holds at most
//         16 MiB of messages (property queued.max.messages.kbytes).
// Test:   tests/kafka/*_test.cpp
#pragma once

#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/metrics.h>
#include <retailpulse/source.h>
#include <retailpulse/status.h>
#include <retailpulse/types.h>

namespace retailpulse {

// --- Reading ------------------------------------------------------------------------------------
// One consumer handle over the partitions it is given. Never joins a group, never resets an offset
// by itself. `metrics` outlives the source. kConfig when a property is wrong; brokers that do not
// answer are no error here but a notice later.
[[nodiscard]] Result<std::unique_ptr<Source>> open_kafka_source(const KafkaConfig& config,
                                                                LaneId lane,
                                                                ConsumerMetrics& metrics);

// --- What the cluster has -----------------------------------------------------------------------
struct TopicInfo {
  std::string topic;
  std::int32_t partitions = 0;
};
struct TopicPartition {
  std::string topic;
  std::int32_t partition = 0;
  friend auto operator<=>(const TopicPartition&, const TopicPartition&) = default;
};
struct OffsetRange {
  Offset begin = 0;                  // first offset that is still there
  Offset end = 0;                    // one after the last that may be read (last stable offset)
};

struct EndOffsets {
  Offset stable = 0;                 // one after the last that may be read
  Offset high = 0;                   // of the log; beyond `stable` while a transaction is open
};

// Thread: one at a time. A call returns before its timeout when the reason is already certain
// (host unknown, connection refused, login refused), with kUnavailable.
class KafkaAdmin {
 public:
  virtual ~KafkaAdmin() = default;
  // The named topics in the order given. A topic that is not there: kNotFound with the nearest
  // names of the cluster. No topic named: all of the cluster, sorted, internal ones left out.
  [[nodiscard]] virtual Result<std::vector<TopicInfo>> topics(std::span<const std::string> names,
                                                              Duration timeout) = 0;
  [[nodiscard]] virtual Result<std::vector<OffsetRange>> offsets(
      std::span<const TopicPartition> partitions, Duration timeout) = 0;
  [[nodiscard]] virtual Result<std::vector<EndOffsets>> ends(
      std::span<const TopicPartition> partitions, Duration timeout) = 0;
  // First offset whose record time is not before `time`; the end offset when there is none.
  [[nodiscard]] virtual Result<std::vector<Offset>> offsets_for_time(
      std::span<const TopicPartition> partitions, EventTime time, Duration timeout) = 0;
  // Empty for a broker too old to have one.
  [[nodiscard]] virtual Result<std::string> cluster_id(Duration timeout) = 0;
  // "1 at host:9092, 2 at host:9093"
  [[nodiscard]] virtual Result<std::string> brokers(Duration timeout) = 0;
};
[[nodiscard]] Result<std::unique_ptr<KafkaAdmin>> open_kafka_admin(const KafkaConfig& config);

// --- Writing (simulate, demo, tests) ------------------------------------------------------------
struct ProducerOptions {
  std::string codec = "lz4";         // none, gzip, snappy, lz4, zstd
  Duration linger = std::chrono::milliseconds{5};
  std::string transactional_id = {}; // not empty: begin/commit/abort may be used
};
struct Outgoing {                    // borrowed: copied by produce()
  std::string_view topic = {};
  std::int32_t partition = -1;       // -1: by the hash of the key (Java's murmur2)
  std::string_view key = {};         // empty: no key
  std::string_view value = {};
  bool tombstone = false;            // null value
  std::int64_t timestamp_ms = 0;     // 0: now
};

// Thread: one at a time.
class Producer {
 public:
  virtual ~Producer() = default;
  // Waits while the send queue is full: nothing is dropped, memory stays bounded. kTimeout after a
  // minute without progress.
  virtual Status produce(const Outgoing& record) = 0;
  // Waits until everything was delivered; the first delivery failure is the status.
  virtual Status flush(Duration timeout) = 0;
  [[nodiscard]] virtual std::uint64_t delivered() const = 0;
  [[nodiscard]] virtual std::uint64_t failed() const = 0;
  virtual Status begin() = 0;
  virtual Status commit() = 0;
  virtual Status abort() = 0;
};
[[nodiscard]] Result<std::unique_ptr<Producer>> open_producer(const KafkaConfig& config,
                                                              const ProducerOptions& options);

// --- A cluster in this process (demo, tests) ----------------------------------------------------
// librdkafka's mock brokers on 127.0.0.1. In memory; keeps 5 MiB of a partition; no look-up by
// time (offsets_for_time answers the end), no login. It answers an empty fetch only when
// fetch.wait.max.ms is over, so its clients set that property to 10.
//
// Thread: any (synchronised inside).
class MockCluster {
 public:
  virtual ~MockCluster() = default;
  [[nodiscard]] virtual std::string bootstrap() const = 0;
  virtual Status create_topic(const std::string& topic, std::int32_t partitions) = 0;
  virtual Status delete_records(const TopicPartition& partition, Offset before) = 0;
  virtual void set_down(std::int32_t broker) = 0;  // ids count from 1; -1: all
  virtual void set_up(std::int32_t broker) = 0;
  virtual void set_delay(std::int32_t broker, Duration delay) = 0;
  // The next `count` requests of Kafka protocol request type `api` fail with protocol error
  // `error`.
  virtual void fail_requests(std::int16_t api, std::int16_t error, std::size_t count) = 0;
};
[[nodiscard]] Result<std::unique_ptr<MockCluster>> start_mock_cluster(int brokers);

// --- Properties ---------------------------------------------------------------------------------
// kOk when a user may set it; else a sentence that says why not (loads code, belongs to us, unknown
// with the nearest name, bad value). Never repeats the value of a secret.
[[nodiscard]] Status check_kafka_property(const std::string& name, const std::string& value);
// Secret: its value is never shown. Also true for names nobody knows that sound like one.
[[nodiscard]] bool kafka_property_is_secret(std::string_view name);

struct ClientProperties {
  std::map<std::string, std::string> properties;  // librdkafka's names, each passes the check
  std::vector<std::string> notices;               // what was ignored or translated, as sentences
};
// Reads a Java client.properties file and says it in librdkafka's words. All faults at once.
[[nodiscard]] Result<ClientProperties> read_client_properties(const std::string& path);

// "librdkafka 2.15.1 (gzip,snappy,ssl,...)"
[[nodiscard]] std::string kafka_library_version();

}  // namespace retailpulse
