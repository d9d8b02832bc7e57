// What the cluster has, the sentences when it does not answer, and the producer.
#include "kafka_fixture.h"

namespace retailpulse {
namespace {

std::unique_ptr<KafkaAdmin> admin_of(const KafkaConfig& config) {
  auto opened = open_kafka_admin(config);
  REQUIRE(opened.ok());
  return std::move(opened).value();
}

TEST_CASE("topics, partitions, offsets, cluster and brokers are told") {
  MockFixture kafka(2);
  kafka.create("orders", 3);
  kafka.create("views", 1);
  kafka.fill("orders", 1, 42);
  auto admin = admin_of(kafka.config);

  const std::vector<std::string> names{"views", "orders"};
  const auto topics = admin->topics(names, kCallTimeout);
  REQUIRE(topics.ok());
  REQUIRE(topics.value().size() == 2);
  CHECK(topics.value()[0].topic == "views");
  CHECK(topics.value()[0].partitions == 1);
  CHECK(topics.value()[1].partitions == 3);
  const auto all = admin->topics({}, kCallTimeout);
  REQUIRE(all.ok());
  CHECK(all.value().size() == 2);

  const std::vector<TopicPartition> partitions{{"orders", 1}, {"views", 0}, {"orders", 2}};
  const auto offsets = admin->offsets(partitions, kCallTimeout);
  INFO(offsets.status().message());
  REQUIRE(offsets.ok());
  CHECK(offsets.value()[0].begin == 0);
  CHECK(offsets.value()[0].end == 42);
  CHECK(offsets.value()[1].end == 0);
  CHECK(offsets.value()[2].end == 0);
  REQUIRE(kafka.cluster().delete_records({"orders", 1}, 42).ok());
  CHECK(admin->offsets(partitions, kCallTimeout).value()[0].begin == 42);

  const auto id = admin->cluster_id(kCallTimeout);
  REQUIRE(id.ok());
  CHECK_FALSE(id.value().empty());
  const auto brokers = admin->brokers(kCallTimeout);
  REQUIRE(brokers.ok());
  CHECK(brokers.value().find("1 at 127.0.0.1:") != std::string::npos);
  CHECK(brokers.value().find("2 at 127.0.0.1:") != std::string::npos);
}

TEST_CASE("a topic that is not there is answered with the nearest name") {
  MockFixture kafka;
  kafka.config.properties["socket.timeout.ms"] = "5000";
  kafka.create("orders", 1);
  auto admin = admin_of(kafka.config);
  const std::vector<std::string> wrong{"order"};
  const auto result = admin->topics(wrong, kCallTimeout);
  REQUIRE_FALSE(result.ok());
  CHECK(result.status().code() == Code::kNotFound);
  CHECK(result.status().message() ==
        "Topic 'order' does not exist in the cluster. Did you mean 'orders'?");
  const std::vector<std::string> far{"xyzzy-quux"};
  CHECK(admin->topics(far, kCallTimeout).status().message() ==
        "Topic 'xyzzy-quux' does not exist in the cluster. Topics there: orders.");
  const std::vector<TopicPartition> gone{{"orders", 17}};
  CHECK_FALSE(admin->offsets(gone, std::chrono::seconds{3}).ok());
}

TEST_CASE("a cluster that does not answer is told with its cause, before the timeout") {
  KafkaConfig config;
  std::string expected;
  SECTION("refused") {
    config.bootstrap = "127.0.0.1:1";
    expected = "refused";
  }
  SECTION("unknown host") {
    config.bootstrap = "no-such-host.invalid:9092";
    expected = "no-such-host.invalid";
  }
  auto admin = admin_of(config);
  const Duration before = system_clock().monotonic();
  const auto result = admin->topics({}, std::chrono::seconds{20});
  REQUIRE_FALSE(result.ok());
  CHECK(result.status().code() == Code::kUnavailable);
  INFO(result.status().message());
  CHECK(result.status().message().find("Cannot list the topics: no broker answers at ") == 0);
  CHECK(result.status().message().find(expected) != std::string::npos);
  CHECK(system_clock().monotonic() - before < std::chrono::seconds{10});
}

TEST_CASE("a broker that is there but silent costs the timeout and not more") {
  MockFixture kafka;
  kafka.create("orders", 1);
  auto admin = admin_of(kafka.config);
  REQUIRE(admin->brokers(kCallTimeout).ok());
  kafka.cluster().set_delay(-1, std::chrono::seconds{30});
  const Duration before = system_clock().monotonic();
  const auto result = admin->topics({}, std::chrono::seconds{1});
  CHECK_FALSE(result.ok());
  CHECK(system_clock().monotonic() - before < std::chrono::seconds{3});
}

TEST_CASE("offsets of a broker that went away are an error and not a number") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 10);
  auto admin = admin_of(kafka.config);
  const std::vector<TopicPartition> partitions{{"orders", 0}, {"orders", 1}};
  REQUIRE(admin->offsets(partitions, kCallTimeout).ok());
  kafka.cluster().set_down(-1);
  const auto result = admin->offsets(partitions, std::chrono::seconds{2});
  CHECK(result.status().code() == Code::kUnavailable);
  CHECK_FALSE(admin->offsets_for_time(partitions, from_us(0), std::chrono::seconds{2}).ok());
  kafka.cluster().set_up(-1);
  const auto again = admin->offsets(partitions, kTestPatience);
  INFO(again.status().message());
  REQUIRE(again.ok());
  CHECK(again.value()[0].end == 10);
}

TEST_CASE("no broker named, or a refused property, is a configuration error") {
  KafkaConfig config;
  CHECK(open_kafka_admin(config).status().code() == Code::kConfig);
  config.bootstrap = "127.0.0.1:9092";
  config.properties["plugin.library.paths"] = "/tmp/evil.so";
  const auto refused = open_kafka_admin(config);
  CHECK(refused.status().code() == Code::kConfig);
  CHECK(refused.status().message().find("foreign code") != std::string::npos);
}

TEST_CASE("the producer waits when its queue is full and loses nothing") {
  MockFixture kafka;
  kafka.create("orders", 8);
  const std::string value(1000, 'v');
  kafka.cluster().set_delay(-1, std::chrono::milliseconds{20});
  auto producer = open_producer(kafka.config, {.codec = "none"});
  REQUIRE(producer.ok());
  constexpr int kRecords = 40'000;  // 40 MB through a queue of 32
  for (int i = 0; i < kRecords; ++i) {
    REQUIRE(
        producer.value()->produce({.topic = "orders", .partition = i % 8, .value = value}).ok());
  }
  const Status flushed = producer.value()->flush(std::chrono::seconds{60});
  INFO(flushed.message());
  REQUIRE(flushed.ok());
  CHECK(producer.value()->delivered() == kRecords);
  CHECK(producer.value()->failed() == 0);
}

TEST_CASE("a record that Kafka does not take is counted and told by flush") {
  MockFixture kafka;
  kafka.create("orders", 1);
  auto producer = open_producer(kafka.config, {});
  REQUIRE(producer.ok());
  REQUIRE(producer.value()->produce({.topic = "orders", .partition = 0, .value = "ok"}).ok());
  REQUIRE(producer.value()->flush(kCallTimeout).ok());
  // Partition 9 does not exist; the client learns it at once or when it sends.
  const Status at_once =
      producer.value()->produce({.topic = "orders", .partition = 9, .value = "x"});
  const Status later = producer.value()->flush(kCallTimeout);
  CHECK((!at_once.ok() || !later.ok()));
  CHECK(producer.value()->delivered() == 1);
}

TEST_CASE("transactions can be begun, committed and aborted") {
  MockFixture kafka(3);
  kafka.create("orders", 1);
  auto producer = open_producer(kafka.config, {.transactional_id = "tx-1"});
  INFO(producer.status().message());
  REQUIRE(producer.ok());
  REQUIRE(producer.value()->begin().ok());
  REQUIRE(producer.value()->produce({.topic = "orders", .partition = 0, .value = "a"}).ok());
  REQUIRE(producer.value()->commit().ok());
  REQUIRE(producer.value()->begin().ok());
  REQUIRE(producer.value()->produce({.topic = "orders", .partition = 0, .value = "b"}).ok());
  REQUIRE(producer.value()->abort().ok());
  CHECK_FALSE(producer.value()->commit().ok());
}

}  // namespace
}  // namespace retailpulse
