// MockCluster over librdkafka's mock brokers. They live in the threads of a handle of their own.
#include <librdkafka/rdkafka.h>
// The mock's header wants the other one before it.
#include <librdkafka/rdkafka_mock.h>

#include <algorithm>

#include <fmt/format.h>

#include <retailpulse/kafka.h>

#include "kafka/handle.h"

namespace retailpulse {
namespace {

constexpr std::size_t kErrorsAtOnceMax = 1000;

Status status_of(rd_kafka_resp_err_t err, std::string_view what) {
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return {};
  return {Code::kInvalid,
          fmt::format("The mock cluster cannot {}: {}.", what, rd_kafka_err2str(err))};
}

class Mock final : public MockCluster {
 public:
  Mock(std::unique_ptr<KafkaHandle> handle, rd_kafka_mock_cluster_t* cluster, int brokers)
      : handle_(std::move(handle)), cluster_(cluster), brokers_(brokers) {}

  std::string bootstrap() const override { return rd_kafka_mock_cluster_bootstraps(cluster_); }

  Status create_topic(const std::string& topic, std::int32_t partitions) override {
    return status_of(rd_kafka_mock_topic_create(cluster_, topic.c_str(), partitions, brokers_),
                     "create the topic");
  }
  Status delete_records(const TopicPartition& partition, Offset before) override {
    return status_of(rd_kafka_mock_partition_delete_records(cluster_, partition.topic.c_str(),
                                                            partition.partition, before),
                     "delete records");
  }
  void set_down(std::int32_t broker) override { rd_kafka_mock_broker_set_down(cluster_, broker); }
  void set_up(std::int32_t broker) override { rd_kafka_mock_broker_set_up(cluster_, broker); }
  void set_delay(std::int32_t broker, Duration delay) override {
    rd_kafka_mock_broker_set_rtt(cluster_, broker, timeout_ms(delay));
  }
  void fail_requests(std::int16_t api, std::int16_t error, std::size_t count) override {
    const std::vector<rd_kafka_resp_err_t> errors(std::min(count, kErrorsAtOnceMax),
                                                  static_cast<rd_kafka_resp_err_t>(error));
    rd_kafka_mock_push_request_errors_array(cluster_, api, errors.size(), errors.data());
  }

 private:
  std::unique_ptr<KafkaHandle> handle_;
  rd_kafka_mock_cluster_t* cluster_;  // belongs to the handle
  int brokers_;
};

}  // namespace

Result<std::unique_ptr<MockCluster>> start_mock_cluster(int brokers) {
  KafkaConfig config;
  config.bootstrap = "127.0.0.1:1";  // replaced by the mock brokers' own addresses
  auto handle = KafkaHandle::open(RD_KAFKA_PRODUCER, config, {},
                                  {{"test.mock.num.brokers", std::to_string(brokers)}});
  if (!handle.ok()) return handle.status();
  rd_kafka_mock_cluster_t* cluster = rd_kafka_handle_mock_cluster(handle.value()->rd());
  if (cluster == nullptr) {
    return Status(Code::kUnavailable, "The mock cluster cannot start: no free local port?");
  }
  return std::unique_ptr<MockCluster>(
      std::make_unique<Mock>(std::move(handle).value(), cluster, brokers));
}

}  // namespace retailpulse
