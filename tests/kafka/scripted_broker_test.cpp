// The scripted broker itself: it is read like a broker, and its faults reach the client.
#include "scripted_fixture.h"

namespace retailpulse {
namespace {

using namespace testing;

TEST_CASE("a scripted broker is read to its end, and on when more is appended") {
  ScriptedFixture kafka;
  kafka.broker.edit([](ScriptedCluster& c) {
    c.add_topic("orders", 2);
    c.at("orders", 0).log.append(numbered_batch("a", 0, 100));
    BatchSpec zipped = numbered_batch("b", 0, 50);
    zipped.gzip = true;
    c.at("orders", 1).log.append(zipped);
  });
  auto source = kafka.source();
  kafka.add(*source, "orders", {0, 20});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.size() == 2; }));
  CHECK(sink.offsets[0] == range(0, 100));
  CHECK(sink.offsets[1] == range(20, 50));
  CHECK(sink.values[1].back() == "b49");
  kafka.broker.edit([](ScriptedCluster& c) {
    c.at("orders", 0).log.append(numbered_batch("a", 100, 10));
  });
  REQUIRE(poll_until(*source, sink, [&] { return sink.offsets[0].size() == 110; }));
  CHECK(sink.values[0].back() == "a109");
}

TEST_CASE("a scripted broker says what an administrator asks for") {
  ScriptedFixture kafka;
  kafka.broker.edit([](ScriptedCluster& c) {
    c.id = "shop-cluster";
    c.add_topic("orders", 2);
    c.at("orders", 0).log.append(numbered_batch("a", 0, 100));
    c.at("orders", 0).log.delete_below(30);
    BatchSpec open = numbered_batch("b", 0, 5);
    open.kind = BatchKind::kTransactional;
    open.producer_id = 7;
    c.at("orders", 1).log.append(numbered_batch("b", 0, 5));
    c.at("orders", 1).log.append(open);
  });
  auto opened = open_kafka_admin(kafka.config);
  REQUIRE(opened.ok());
  KafkaAdmin& admin = *opened.value();
  CHECK(admin.cluster_id(kCallTimeout).value() == "shop-cluster");
  const std::vector<std::string> names{"orders"};
  const auto topics = admin.topics(names, kCallTimeout);
  REQUIRE(topics.ok());
  CHECK(topics.value()[0].partitions == 2);
  const std::vector<TopicPartition> both{{"orders", 0}, {"orders", 1}};
  const auto offsets = admin.offsets(both, kCallTimeout);
  INFO(offsets.status().message());
  REQUIRE(offsets.ok());
  CHECK(offsets.value()[0].begin == 30);
  CHECK(offsets.value()[0].end == 100);
  CHECK(offsets.value()[1].end == 5);  // a transaction is open behind it
}

// A source that has read the ten records of 'orders' to their end.
std::unique_ptr<Source> read_ten(ScriptedFixture& kafka, RememberingSink& sink) {
  kafka.broker.edit([](ScriptedCluster& c) {
    c.add_topic("orders", 1);
    c.at("orders", 0).log.append(numbered_batch("a", 0, 10));
  });
  auto source = kafka.source();
  kafka.add(*source, "orders", {0});
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.size() == 1; }));
  return source;
}

TEST_CASE("nodes go down and come back, and partitions move between them") {
  ScriptedFixture kafka(2);
  RememberingSink sink;
  auto source = read_ten(kafka, sink);
  kafka.broker.edit([](ScriptedCluster& c) {
    c.nodes[0].up = false;
    c.move_leader("orders", 0, 2);
    c.at("orders", 0).log.append(numbered_batch("a", 10, 10), 1);
  });
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 20; }));
  kafka.broker.edit([](ScriptedCluster& c) {
    c.nodes[0].up = true;
    c.nodes[1].up = false;
    c.move_leader("orders", 0, 1);
    c.at("orders", 0).log.append(numbered_batch("a", 20, 10), 2);
  });
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 30; }));
  CHECK(sink.offsets[0] == range(0, 30));
}

// A lone broker that is stopping, or has just started, is not in the cluster it describes.
TEST_CASE("K13: a broker that says there is no broker is asked again, and reading goes on") {
  ScriptedFixture kafka;
  RememberingSink sink;
  auto source = read_ten(kafka, sink);
  std::uint64_t asked = 0;
  const auto asks = [&](ScriptedCluster& c) { asked = c.requests[testing::kApiMetadata]; };
  kafka.broker.edit(asks);
  const std::uint64_t before = asked;
  kafka.broker.edit([](ScriptedCluster& c) {
    c.knows_no_node = true;
    c.move_leader("orders", 0, -1);
  });
  REQUIRE(poll_until(*source, sink, [&] {
    kafka.broker.edit(asks);
    return asked > before;
  }));
  const auto poll_for = [&](Duration span) {
    const Duration until = system_clock().monotonic() + span;
    REQUIRE(poll_until(*source, sink, [&] { return system_clock().monotonic() > until; }));
  };
  poll_for(std::chrono::milliseconds{300});  // it has taken the answer
  kafka.broker.edit([](ScriptedCluster& c) { c.nodes[0].up = false; });
  poll_for(std::chrono::seconds{1});
  kafka.broker.edit([](ScriptedCluster& c) {
    c.nodes[0].up = true;
    c.knows_no_node = false;
    c.move_leader("orders", 0, 1);
    c.at("orders", 0).log.append(numbered_batch("a", 10, 10), 2);
  });
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 20; }));
  CHECK(sink.offsets[0] == range(0, 20));
}

TEST_CASE("what the scripted broker cuts short or damages arrives whole in the end") {
  ScriptedFixture kafka;
  kafka.broker.edit([](ScriptedCluster& c) {
    c.add_topic("orders", 1);
    c.at("orders", 0).log.append(numbered_batch("a", 0, 1000));
    c.nodes[0].cut_after = 700;
    c.at("orders", 0).flips = {12345};
  });
  auto source = kafka.source();
  kafka.add(*source, "orders", {0});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 1000; }));
  CHECK(sink.offsets[0] == range(0, 1000));
  CHECK(sink.values[0][777] == "a777");
  kafka.broker.edit([](ScriptedCluster& c) {
    CHECK(c.at("orders", 0).flips.empty());
    CHECK(c.nodes[0].cut_after == -1);
    CHECK(c.connections >= 2);
  });
}

}  // namespace
}  // namespace retailpulse
