// Is it still the log that was read? A source that begins where another one stopped.
#include "kafka_fixture.h"

#include "kafka/kafka_source.h"

namespace retailpulse {
namespace {

using Kind = SourceNotice::Kind;

// What a run leaves behind: where it stopped and by what its log is known.
struct Mark final : MessageSink {
  bool on_message(const Message& message) override {
    last = message.fingerprint();
    next = message.offset + 1;
    return true;
  }
  void on_end(PartitionSlot slot, Offset position) override {
    (void)slot;  // there is one partition
    next = position;
    ended = true;
  }
  [[nodiscard]] PartitionStart start() const {
    return {.slot = PartitionSlot{0}, .topic = "orders", .partition = 0, .offset = next,
            .last = last};
  }
  Offset next = 0;
  Fingerprint last;
  bool ended = false;
};

Mark read_all(MockFixture& kafka) {
  auto source = kafka.source();
  source->add({{.slot = PartitionSlot{0}, .topic = "orders", .partition = 0, .offset = 0}});
  Mark mark;
  REQUIRE(poll_until(*source, mark, [&] { return mark.ended; }));
  CHECK(source->take_notices().empty());
  return mark;
}

// Polls until something is found out or `records` were given. Troubles that pass are not told.
std::vector<SourceNotice> resume(MockFixture& kafka, const PartitionStart& start,
                                 RememberingSink& sink, std::size_t records) {
  auto source = kafka.source();
  source->add({start});
  std::vector<SourceNotice> notices;
  REQUIRE(poll_until(*source, sink, [&] {
    for (SourceNotice& notice : source->take_notices()) {
      const bool passes = notice.kind == Kind::kError || notice.kind == Kind::kRecovered;
      if (!passes) notices.push_back(std::move(notice));
    }
    return !notices.empty() || (sink.count >= records && !sink.at_end.empty());
  }));
  return notices;
}

TEST_CASE("the same log goes on behind its last record, which is not given again") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 100);
  const Mark mark = read_all(kafka);
  CHECK(mark.last.offset == 99);
  CHECK(mark.last.hash != 0);
  kafka.fill("orders", 0, 50, 100);
  RememberingSink sink;
  CHECK(resume(kafka, mark.start(), sink, 50).empty());
  CHECK(sink.offsets[0] == range(100, 150));
  CHECK(kafka.metrics.redelivered.get() == 0);
}

TEST_CASE("a log without anything new is known again and at its end") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 100);
  const Mark mark = read_all(kafka);
  RememberingSink sink;
  CHECK(resume(kafka, mark.start(), sink, 0).empty());
  CHECK(sink.count == 0);
  CHECK(sink.at_end[0] == 100);
}

// The mock cluster cannot recreate a topic: a second cluster has one of the same name.
TEST_CASE("another log is noticed and named, however long it is, and nothing of it is given") {
  MockFixture old;
  old.create("orders", 1);
  old.fill("orders", 0, 100);
  const Mark mark = read_all(old);
  const int length = GENERATE(0, 1, 50, 99, 100, 101, 250);
  INFO("the new log has " << length << " records");
  MockFixture kafka;
  kafka.create("orders", 1);
  if (length > 0) kafka.fill("orders", 0, length, 1000);
  RememberingSink sink;
  const auto notices = resume(kafka, mark.start(), sink, 1);
  REQUIRE(notices.size() == 1);
  INFO(notices[0].text);
  CHECK(notices[0].kind == Kind::kHalted);
  CHECK(notices[0].slot == PartitionSlot{0});
  CHECK(notices[0].text.find("topic 'orders', partition 0") == 0);
  CHECK(notices[0].text.find(length > 99 ? "offset 99" : "before 100") != std::string::npos);
  CHECK(sink.count == 0);
  CHECK(sink.at_end.empty());
}

TEST_CASE("each part of the fingerprint counts") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 100);
  PartitionStart start = read_all(kafka).start();
  if (GENERATE(true, false)) ++start.last.hash;
  else start.last.time_us += 1000;
  RememberingSink sink;
  const auto notices = resume(kafka, start, sink, 1);
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].kind == Kind::kHalted);
}

TEST_CASE("a halted partition stays halted, and the others go on") {
  MockFixture kafka;
  kafka.create("orders", 2);
  kafka.fill("orders", 0, 100);
  kafka.fill("orders", 1, 10);
  PartitionStart start = read_all(kafka).start();
  ++start.last.hash;
  auto source = kafka.source();
  source->add({start, {.slot = PartitionSlot{1}, .topic = "orders", .partition = 1}});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.size() == 1; }));
  kafka.fill("orders", 0, 100, 100);
  kafka.fill("orders", 1, 10, 10);
  REQUIRE(poll_until(*source, sink, [&] { return sink.offsets[1].size() == 20; }));
  CHECK(sink.offsets.count(0) == 0);
  const auto notices = source->take_notices();
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].kind == Kind::kHalted);
}

TEST_CASE("retention that took the last record but nothing unread is no alarm") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 100);
  kafka.fill("orders", 0, 50, 100);
  const Mark mark = read_all(kafka);
  kafka.fill("orders", 0, 50, 150);
  REQUIRE(kafka.cluster().delete_records({"orders", 0}, 150).ok());
  RememberingSink sink;
  CHECK(resume(kafka, mark.start(), sink, 50).empty());
  CHECK(sink.offsets[0] == range(150, 200));
}

TEST_CASE("retention that took unread records is a gap from the first unread one") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 100);
  const Mark mark = read_all(kafka);
  kafka.fill("orders", 0, 100, 100);
  kafka.fill("orders", 0, 100, 200);
  REQUIRE(kafka.cluster().delete_records({"orders", 0}, 200).ok());
  RememberingSink sink;
  const auto notices = resume(kafka, mark.start(), sink, 100);
  REQUIRE(notices.size() == 1);
  CHECK(notices[0].kind == Kind::kGap);
  CHECK(notices[0].from == 100);
  CHECK(notices[0].to == 200);
}

TEST_CASE("after every trouble the log is looked at again, and reading goes on") {
  MockFixture kafka;
  kafka.create("orders", 1);
  kafka.fill("orders", 0, 100);
  auto source = kafka.source();
  source->add({{.slot = PartitionSlot{0}, .topic = "orders", .partition = 0, .offset = 0}});
  RememberingSink sink;
  REQUIRE(poll_until(*source, sink, [&] { return sink.at_end.count(0) == 1; }));
  kafka.cluster().fail_requests(1 /* Fetch */, 29 /* TOPIC_AUTHORIZATION_FAILED */, 1);
  std::vector<SourceNotice> notices;
  REQUIRE(poll_until(*source, sink, [&] {
    for (SourceNotice& notice : source->take_notices()) notices.push_back(std::move(notice));
    return notices.size() >= 2;
  }));
  CHECK(notices[0].kind == Kind::kError);
  CHECK(notices[1].kind == Kind::kRecovered);
  kafka.fill("orders", 0, 100, 100);
  REQUIRE(poll_until(*source, sink, [&] { return sink.count == 200; }));
  CHECK(sink.offsets[0] == range(0, 200));
  CHECK(kafka.metrics.redelivered.get() == 0);
}

}  // namespace
}  // namespace retailpulse
