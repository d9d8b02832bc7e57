// The source while all is well: each record once, in order, from where it was told, to the end.
#include "kafka_fixture.h"

#include "kafka/bare_consume.h"
#include "kafka/kafka_source.h"

namespace retailpulse {
namespace {

PartitionStart start(std::uint32_t slot, const std::string& topic, std::int32_t partition,
                     Offset offset) {
  return {.slot = PartitionSlot{slot}, .topic = topic, .partition = partition, .offset = offset};
}

TEST_CASE("all partitions are read exactly once from the offsets given, and their ends are seen") {
  const std::string codec = GENERATE(as<std::string>{}, "none", "lz4", "zstd", "gzip", "snappy");
  INFO("codec " << codec);
  MockFixture kafka;
  kafka.create("orders", 3);
  kafka.create("views", 2);
  for (int p = 0; p < 3; ++p) kafka.fill("orders", p, 500 + p, 0, codec);
  kafka.fill("views", 0, 200, 0, codec);

  auto source = kafka.source();
  source->add({start(7, "orders", 0, 0), start(3, "orders", 1, 100), start(9, "orders", 2, 502),
               start(0, "views", 0, 199), start(1, "views", 1, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.size() == 5; }));

  CHECK(sink.in_order);
  CHECK(sink.offsets[7] == range(0, 500));
  CHECK(sink.offsets[3] == range(100, 501));
  CHECK(sink.offsets[9].empty());
  CHECK(sink.offsets[0] == range(199, 200));
  CHECK(sink.values[3].front() == "orders/1/100");
  CHECK(sink.at_end ==
        std::map<std::uint32_t, Offset>{{7, 500}, {3, 501}, {9, 502}, {0, 200}, {1, 0}});
  CHECK(kafka.metrics.messages.get() == 500 + 401 + 1);
  CHECK(kafka.metrics.redelivered.get() == 0);
  CHECK(source->take_notices().empty());
}

TEST_CASE("a record arrives soon after it was written, and the end is seen again") {
  MockFixture kafka;
  kafka.create("orders", 1);
  auto source = kafka.source();
  source->add({start(0, "orders", 0, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.count(0) == 1; }));
  for (int i = 0; i < 5; ++i) {
    kafka.fill("orders", 0, 1, i);
    const Duration before = system_clock().monotonic();
    REQUIRE(poll_until(*source, sink,
                       [&] { return sink.at_end.count(0) == 1 && sink.at_end[0] == i + 1; }));
    CHECK(system_clock().monotonic() - before < std::chrono::seconds{2});
  }
  CHECK(sink.offsets[0] == range(0, 5));
}

TEST_CASE("a poll without records waits for its timeout and not longer") {
  MockFixture kafka;
  kafka.create("orders", 1);
  auto source = kafka.source();
  source->add({start(0, "orders", 0, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.count(0) == 1; }));
  const Duration before = system_clock().monotonic();
  REQUIRE(source->poll(sink, std::chrono::milliseconds{120}).ok());
  const Duration took = system_clock().monotonic() - before;
  CHECK(took >= std::chrono::milliseconds{100});
  CHECK(took < std::chrono::milliseconds{1000});
}

TEST_CASE("partitions may be added while others are being read") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.create("late", 1);
  kafka.fill("orders", 0, 100);
  kafka.fill("orders", 1, 50);
  auto source = kafka.source();
  RememberingSink sink;
  REQUIRE(source->poll(sink, Duration::zero()).ok());  // nothing assigned yet
  source->add({start(0, "orders", 0, 0)});
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.count(0) == 1; }));
  source->add({start(1, "orders", 1, 10)});
  kafka.fill("late", 0, 20);
  source->add({start(2, "late", 0, 0)});
  kafka.fill("orders", 0, 100, 100);
  REQUIRE(poll_until(*source, sink, [&] {
    return sink.at_end.count(1) == 1 && sink.at_end.count(2) == 1 && sink.at_end[0] == 200;
  }));
  CHECK(sink.offsets[0] == range(0, 200));
  CHECK(sink.offsets[1] == range(10, 50));
  CHECK(sink.offsets[2] == range(0, 20));
}

TEST_CASE("a full sink is given no more in that poll, and nothing is lost or doubled") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 1000);
  auto source = kafka.source();
  source->add({start(0, "orders", 0, 0)});
  RememberingSink sink;
  sink.accept = 7;
  REQUIRE(poll_until(*source, sink, [&] { return sink.count > 0; }));
  CHECK(sink.count == 7);
  for (std::size_t polls = 1; sink.count < 1000; ++polls) {
    sink.accept = 7;
    const std::size_t before = sink.count;
    REQUIRE(source->poll(sink, std::chrono::seconds{5}).ok());
    CHECK(sink.count - before <= 7);
    REQUIRE(polls < 1000);
  }
  CHECK(sink.offsets[0] == range(0, 1000));
  sink.accept = -1;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.count(0) == 1; }));
}

TEST_CASE("what a full sink left waiting is not given after its partition began again") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 500);
  kafka.fill("orders", 1, 500);
  auto opened = KafkaSource::open(kafka.config, LaneId{0}, kafka.metrics);
  REQUIRE(opened.ok());
  KafkaSource& source = *opened.value();
  source.add({start(0, "orders", 0, 0), start(1, "orders", 1, 0)});
  RememberingSink sink;
  for (int round = 0; round < 5; ++round) {
    sink.accept = 7;
    const std::size_t before = sink.count;
    REQUIRE(poll_until(source, sink, [&] { return sink.count > before; }));
    source.TEST_doubt_all();
  }
  sink.accept = -1;
  REQUIRE(poll_until(source, sink, [&] { return sink.at_end.size() == 2; }));
  CHECK(sink.offsets[0] == range(0, 500));
  CHECK(sink.offsets[1] == range(0, 500));
  // A record behind the last one that was counted would look like a log without it.
  for (const SourceNotice& notice : source.take_notices()) FAIL_CHECK(notice.text);
}

TEST_CASE("keys, tombstones, empty values and record times come through") {
  MockFixture kafka;
  kafka.create("orders", 1);
  auto producer = open_producer(kafka.config, {});
  REQUIRE(producer.ok());
  Producer& out = *producer.value();
  REQUIRE(out.produce({.topic = "orders", .partition = 0, .key = "k1", .value = "v",
                       .timestamp_ms = 1'600'000'000'123}).ok());
  REQUIRE(out.produce({.topic = "orders", .partition = 0, .value = ""}).ok());
  REQUIRE(out.produce({.topic = "orders", .partition = 0, .key = "gone", .tombstone = true,
                       .timestamp_ms = 1'700'000'000'000}).ok());
  REQUIRE(out.flush(kCallTimeout).ok());

  auto source = kafka.source();
  source->add({start(0, "orders", 0, 0)});
  RememberingSink sink;
  sink.accept = 1;
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 1; }));
  CHECK(sink.last_key == "k1");
  CHECK(sink.last_time == from_us(1'600'000'000'123'000));
  sink.accept = 1;
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 2; }));
  CHECK(sink.tombstones == 0);
  CHECK(sink.values[0].back().empty());
  sink.accept = -1;
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 3; }));
  CHECK(sink.tombstones == 1);
  CHECK(sink.last_key == "gone");
  CHECK(sink.last_time == from_us(1'700'000'000'000'000));
}

TEST_CASE("a record that the client delivers again is dropped and counted") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 300);
  kafka.fill("orders", 1, 10);
  auto opened = KafkaSource::open(kafka.config, LaneId{0}, kafka.metrics);
  REQUIRE(opened.ok());
  KafkaSource& source = *opened.value();
  source.add({start(0, "orders", 0, 0), start(1, "orders", 1, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(source, sink, [&] { return sink.at_end.size() == 2; }));
  source.TEST_refetch(PartitionSlot{0}, 100);
  kafka.fill("orders", 0, 50, 300);
  REQUIRE(poll_until(source, sink, [&] { return sink.offsets[0].size() >= 350; }));
  CHECK(sink.in_order);
  CHECK(sink.offsets[0] == range(0, 350));
  CHECK(kafka.metrics.redelivered.get() == 200);
  CHECK(kafka.metrics.messages.get() == 360);
}

TEST_CASE("memory stays bounded while nobody polls") {
  MockFixture kafka;
  kafka.create("orders", 16);
  kafka.config.properties["queued.max.messages.kbytes"] = "1024";
  const std::string big(10'000, 'x');
  auto producer = open_producer(kafka.config, {.codec = "none"});
  REQUIRE(producer.ok());
  for (int i = 0; i < 16 * 400; ++i) {  // 64 MB, within the mock's 5 MiB a partition
    REQUIRE(producer.value()->produce({.topic = "orders", .partition = i % 16, .value = big}).ok());
  }
  REQUIRE(producer.value()->flush(std::chrono::seconds{60}).ok());
  auto opened = KafkaSource::open(kafka.config, LaneId{0}, kafka.metrics);
  REQUIRE(opened.ok());
  KafkaSource& source = *opened.value();
  std::vector<PartitionStart> starts;
  for (int p = 0; p < 16; ++p)
    starts.push_back(start(static_cast<std::uint32_t>(p), "orders", p, 0));
  source.add(starts);
  RememberingSink sink;
  sink.accept = 1;
  REQUIRE(poll_until(source, sink, [&] { return sink.count == 1; }));

  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(source.TEST_handle());
  const Duration until = system_clock().monotonic() + std::chrono::milliseconds{1500};
  std::size_t most = 0;
  while (system_clock().monotonic() < until) most = std::max(most, rd_kafka_queue_length(queue));
  rd_kafka_queue_destroy(queue);
  CHECK(most > 0);
  CHECK(most * big.size() < 24U << 20);  // the limit, plus one fetch of each kind under way

  sink.accept = -1;
  REQUIRE(poll_until(source, sink, [&] { return sink.count == 16 * 400; }));
  CHECK(sink.in_order);
}

TEST_CASE("the committed offsets reach the consumer group, newest last, at most once a second") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 100);
  auto opened = KafkaSource::open(kafka.config, LaneId{0}, kafka.metrics);
  REQUIRE(opened.ok());
  KafkaSource& source = *opened.value();
  source.add({start(0, "orders", 0, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(source, sink, [&] { return sink.at_end.count(0) == 1; }));
  const auto committed = [&] {
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "orders", 0);
    rd_kafka_committed(source.TEST_handle(), list, 5000);
    const Offset offset = list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    return offset;
  };
  const std::vector<std::pair<PartitionSlot, Offset>> first{{PartitionSlot{0}, 40},
                                                            {PartitionSlot{5}, 1}};
  const std::vector<std::pair<PartitionSlot, Offset>> second{{PartitionSlot{0}, 90}};
  source.ack(first);
  source.ack(second);
  REQUIRE(poll_until(source, sink, [&] { return committed() == 90; }));
  CHECK(source.take_notices().empty());
}

TEST_CASE("the bare loop reads as much as the source, to the ends given") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 300);
  kafka.fill("orders", 1, 100);
  const std::vector<BareRange> ranges{{{"orders", 0}, 50, 300}, {{"orders", 1}, 0, 100}};
  const auto report = bare_consume(kafka.config, ranges, kTestPatience);
  INFO(report.status().message());
  REQUIRE(report.ok());
  CHECK(report.value().messages == 350);
  auto source = kafka.source();
  source->add({start(0, "orders", 0, 50), start(1, "orders", 1, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.size() == 2; }));
  CHECK(kafka.metrics.messages.get() == report.value().messages);
  CHECK(kafka.metrics.bytes.get() == report.value().bytes);
  const std::vector<BareRange> beyond{{{"orders", 0}, 0, 301}};
  CHECK(bare_consume(kafka.config, beyond, std::chrono::seconds{1}).status().code() ==
        Code::kTimeout);
}

}  // namespace
}  // namespace retailpulse
