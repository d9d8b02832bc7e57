// The source when things break: brokers, rights, ranges. Nothing lost, nothing doubled, all said.
#include "kafka_fixture.h"

#include "kafka/kafka_source.h"

namespace retailpulse {
namespace {

using Kind = SourceNotice::Kind;

constexpr std::int16_t kFetch = 1;              // Kafka protocol request types
constexpr std::int16_t kFindCoordinator = 10;
constexpr std::int16_t kOffsetCommit = 8;

PartitionStart start(std::uint32_t slot, std::int32_t partition, Offset offset) {
  return {.slot = PartitionSlot{slot}, .topic = "orders", .partition = partition, .offset = offset};
}

struct Notices {
  void take(Source& source) {
    for (SourceNotice& notice : source.take_notices()) all.push_back(std::move(notice));
  }
  [[nodiscard]] std::size_t count(Kind kind) const {
    return static_cast<std::size_t>(std::count_if(
        all.begin(), all.end(), [&](const SourceNotice& n) { return n.kind == kind; }));
  }
  [[nodiscard]] std::string text() const {
    std::string out;
    for (const SourceNotice& n : all) out += n.text + "\n";
    return out;
  }
  std::vector<SourceNotice> all;
};

TEST_CASE("records deleted before they were read are a noted gap, and reading goes on behind it") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 500);
  kafka.fill("orders", 0, 500, 500);
  kafka.fill("orders", 1, 10);
  REQUIRE(kafka.cluster().delete_records({"orders", 0}, 500).ok());
  auto source = kafka.source();
  source->add({start(4, 0, 123), start(5, 1, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.size() == 2; }));
  CHECK(sink.offsets[4] == range(500, 1000));
  CHECK(sink.offsets[5] == range(0, 10));
  Notices notices;
  notices.take(*source);
  INFO(notices.text());
  REQUIRE(notices.all.size() == 1);
  CHECK(notices.all[0].kind == Kind::kGap);
  CHECK(notices.all[0].slot == PartitionSlot{4});
  CHECK(notices.all[0].from == 123);
  CHECK(notices.all[0].to == 500);
}

TEST_CASE("a topic that ends before our offset is not reset in silence") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 100);
  kafka.fill("orders", 1, 10);
  auto source = kafka.source();
  source->add({start(0, 0, 5000), start(1, 1, 0)});
  RememberingSink sink;
  Notices notices;
  REQUIRE(poll_until(*source, sink, [&] {
    notices.take(*source);
    return !notices.all.empty();
  }));
  CHECK(notices.all[0].kind == Kind::kHalted);
  CHECK(notices.all[0].text.find("topic 'orders', partition 0") != std::string::npos);
  CHECK(notices.all[0].text.find("created anew or its log was cut back") != std::string::npos);
  kafka.fill("orders", 0, 100, 100);
  kafka.fill("orders", 1, 5, 10);
  REQUIRE(poll_until(*source, sink, [&] { return sink.offsets[1].size() == 15; }));
  CHECK(sink.offsets.count(0) == 0);
}

TEST_CASE("brokers that go and come back are noticed, and no record is lost or doubled") {
  MockFixture kafka(2);
  kafka.create("orders", 4);
  for (int p = 0; p < 4; ++p) kafka.fill("orders", p, 100);
  auto source = kafka.source();
  source->add({start(0, 0, 0), start(1, 1, 0), start(2, 2, 0), start(3, 3, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.size() == 4; }));
  Notices notices;
  const std::vector<std::pair<PartitionSlot, Offset>> ack{{PartitionSlot{0}, 1},
                                                          {PartitionSlot{1}, 1}};
  for (int round = 1; round <= 2; ++round) {
    source->ack(ack);  // a commit under way must not hinder anything
    INFO("round " << round);
    const auto want = static_cast<std::size_t>(round);
    kafka.cluster().set_down(-1);
    REQUIRE(poll_until(*source, sink, [&] {
      notices.take(*source);
      return notices.count(Kind::kError) >= want;
    }));
    INFO(notices.text());
    // Down is down: the probe's own failures must not look like an answer.
    const Duration down = system_clock().monotonic() + std::chrono::seconds{5};
    REQUIRE(poll_until(*source, sink, [&] { return system_clock().monotonic() > down; }));
    notices.take(*source);
    REQUIRE(notices.count(Kind::kRecovered) == want - 1);
    kafka.cluster().set_up(-1);
    const Duration up = system_clock().monotonic();
    REQUIRE(poll_until(*source, sink, [&] {
      notices.take(*source);
      return notices.count(Kind::kRecovered) >= want;
    }));
    CHECK(system_clock().monotonic() - up < std::chrono::seconds{10});
    for (int p = 0; p < 4; ++p) kafka.fill("orders", p, 50, 100 + 50 * (round - 1));
    REQUIRE(poll_until(*source, sink, [&] {
      return sink.count == 4 * (100 + 50 * static_cast<std::size_t>(round));
    }));
  }
  for (std::uint32_t p = 0; p < 4; ++p) CHECK(sink.offsets[p] == range(0, 200));
  CHECK(notices.count(Kind::kError) == 2);
  CHECK(notices.count(Kind::kRecovered) == 2);
}

TEST_CASE("a right that was taken away is said, and reading goes on when it is given back") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 10);
  auto source = kafka.source();
  source->add({start(0, 0, 0)});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.count(0) == 1; }));
  kafka.cluster().fail_requests(kFetch, 29 /* TOPIC_AUTHORIZATION_FAILED */, 3);
  Notices notices;
  REQUIRE(poll_until(*source, sink, [&] {
    notices.take(*source);
    return !notices.all.empty();
  }));
  CHECK(notices.all[0].kind == Kind::kError);
  CHECK(notices.all[0].text.find("No right to read topic 'orders'") != std::string::npos);
  kafka.fill("orders", 0, 10, 10);
  REQUIRE(poll_until(*source, sink, [&] {
    notices.take(*source);
    return sink.count == 20 && notices.count(Kind::kRecovered) == 1;
  }));
  CHECK(sink.offsets[0] == range(0, 20));
}

TEST_CASE("after any error of a partition it is fetched again from our own offset") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 200);
  kafka.fill("orders", 1, 200);
  auto source = kafka.source();
  kafka.cluster().fail_requests(kFetch, 2 /* CORRUPT_MESSAGE */, 2);
  source->add({start(0, 0, 0), start(1, 1, 0)});
  RememberingSink sink;
  Notices notices;
  REQUIRE(poll_until(*source, sink, [&] {
    notices.take(*source);
    return sink.at_end.size() == 2 && notices.count(Kind::kRecovered) >= 1;
  }));
  CHECK(sink.in_order);
  CHECK(sink.offsets[0] == range(0, 200));
  CHECK(sink.offsets[1] == range(0, 200));
  CHECK(notices.count(Kind::kError) >= 1);
}

TEST_CASE("without the right to commit, reading works and it is said once") {
  MockFixture kafka;
  const std::int16_t request = GENERATE(kFindCoordinator, kOffsetCommit);
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 10);
  kafka.cluster().fail_requests(request, 30 /* GROUP_AUTHORIZATION_FAILED */, 100);
  auto source = kafka.source();
  source->add({start(0, 0, 0)});
  RememberingSink sink;
  Notices notices;
  const Duration stop = system_clock().monotonic() + std::chrono::seconds{4};
  Offset acked = 0;
  REQUIRE(poll_until(*source, sink, [&] {
    notices.take(*source);
    const std::vector<std::pair<PartitionSlot, Offset>> ack{{PartitionSlot{0}, ++acked}};
    source->ack(ack);
    return system_clock().monotonic() > stop;
  }));
  CHECK(sink.offsets[0] == range(0, 10));
  INFO(notices.text());
  REQUIRE(notices.all.size() == 1);
  CHECK(notices.all[0].kind == Kind::kInfo);
  CHECK(notices.all[0].text.find("No right to commit") != std::string::npos);
}

TEST_CASE("a cluster that was never there is told with its cause") {
  KafkaConfig config;
  config.bootstrap = "127.0.0.1:1";
  ConsumerMetrics metrics;
  auto source = open_kafka_source(config, LaneId{0}, metrics);
  REQUIRE(source.ok());
  source.value()->add({start(0, 0, 0)});
  RememberingSink sink;
  Notices notices;
  REQUIRE(poll_until(*source.value(), sink, [&] {
    notices.take(*source.value());
    return notices.count(Kind::kError) > 0;
  }));
  INFO(notices.text());
  CHECK(notices.all[0].text.find("127.0.0.1:1") != std::string::npos);
  CHECK(notices.all[0].text.find("refused") != std::string::npos);
}

}  // namespace
}  // namespace retailpulse
