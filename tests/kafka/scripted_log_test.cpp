// Logs that are cut back, written anew or replaced, on a broker that does what it is told.
//
// One partition is one case; all cases of a test run at once, because the client waits a few
// seconds before it believes that a log really ends earlier.
#include <random>
#include <set>

#include "kafka/kafka_source.h"
#include "scripted_fixture.h"

namespace retailpulse {
namespace {

using testing::BatchKind;
using testing::numbered_batch;
using testing::ScriptedCluster;
using testing::ScriptedLog;
using Kind = SourceNotice::Kind;

constexpr int kCases = 50;
constexpr const char* kTopic = "orders";

// What a run knows of each partition when it ends.
struct Marks final : MessageSink {
  bool on_message(const Message& message) override {
    PartitionStart& start = starts[index_of(message.slot)];
    start.last = message.fingerprint();
    start.offset = message.offset + 1;
    values[index_of(message.slot)].emplace_back(message.value);
    return true;
  }
  void on_end(PartitionSlot slot, Offset position) override {
    starts[index_of(slot)].offset = position;
    ended.insert(index_of(slot));
  }
  explicit Marks(std::uint32_t partitions) : values(partitions) {
    for (std::uint32_t p = 0; p < partitions; ++p) {
      starts.push_back({.slot = PartitionSlot{p}, .topic = kTopic,
                        .partition = static_cast<std::int32_t>(p), .offset = 0});
    }
  }
  std::vector<PartitionStart> starts;
  std::vector<std::vector<std::string>> values;
  std::set<std::uint32_t> ended;
};

// What was noticed, by partition.
struct Noticed {
  void take(Source& source) {
    for (SourceNotice& notice : source.take_notices()) {
      if (notice.kind == Kind::kHalted) halted[index_of(notice.slot)] = notice.text;
      if (notice.kind == Kind::kGap) gaps[index_of(notice.slot)] = {notice.from, notice.to};
      if (notice.kind == Kind::kInfo) infos.push_back(notice.text);
      in_trouble = in_trouble || notice.kind == Kind::kError;
    }
  }
  std::map<std::uint32_t, std::string> halted;
  std::map<std::uint32_t, std::pair<Offset, Offset>> gaps;
  std::vector<std::string> infos;
  bool in_trouble = false;  // was told of an error
};

std::mt19937 seeded() {
  const auto seed = std::random_device{}();
  UNSCOPED_INFO("seed " << seed);
  return std::mt19937(seed);
}

int between(std::mt19937& random, int from, int to) {
  return std::uniform_int_distribution<int>(from, to)(random);
}

void append_some(std::mt19937& random, ScriptedLog& log, const std::string& prefix, int count,
                 std::int32_t epoch) {
  for (int done = 0; done < count;) {
    const int size = std::min(count - done, between(random, 1, 9));
    log.append(numbered_batch(prefix, done, size), epoch);
    done += size;
  }
}

void fill(ScriptedFixture& kafka, std::mt19937& random, int partitions) {
  kafka.broker.edit([&](ScriptedCluster& cluster) {
    cluster.add_topic(kTopic, partitions);
    for (int p = 0; p < partitions; ++p) {
      append_some(random, cluster.at(kTopic, p).log, "old", between(random, 20, 60), 0);
    }
  });
}

void read_all(Source& source, Marks& marks) {
  source.add(marks.starts);
  REQUIRE(poll_until(source, marks, [&] { return marks.ended.size() == marks.starts.size(); }));
  REQUIRE(source.take_notices().empty());
}

Marks read_all(ScriptedFixture& kafka, int partitions) {
  auto source = kafka.source();
  Marks marks(static_cast<std::uint32_t>(partitions));
  read_all(*source, marks);
  return marks;
}

struct Resumed {
  Marks marks;
  Noticed noticed;
};

// Reads on where an earlier run ended, until `done`.
template <class Done>
Resumed resume(ScriptedFixture& kafka, const Marks& before, Done done) {
  Resumed now{Marks(static_cast<std::uint32_t>(before.starts.size())), {}};
  now.marks.starts = before.starts;
  auto source = kafka.source();
  source->add(before.starts);
  REQUIRE(poll_until(*source, now.marks, [&] {
    now.noticed.take(*source);
    return done(now);
  }));
  return now;
}

bool all_ended(const Resumed& now) { return now.marks.ended.size() == now.marks.starts.size(); }

// The tail from a random record on is lost, and something else, or nothing, stands there.
void rewrite_tail(std::mt19937& random, testing::ScriptedPartition& partition, bool new_epoch) {
  const Offset end = partition.log.end();
  partition.log.cut_back(between(random, 0, static_cast<int>(end) - 1));
  if (new_epoch) ++partition.epoch;
  const int more = between(random, 0, 2);  // shorter, equal or longer than before, about as often
  const Offset lost = end - partition.log.end();
  const int count = more == 0   ? between(random, 0, static_cast<int>(lost) - 1)
                    : more == 1 ? static_cast<int>(lost)
                                : static_cast<int>(lost) + between(random, 1, 30);
  append_some(random, partition.log, "new", count, partition.epoch);
}

void check_all_halted(const Noticed& noticed, int cases) {
  CHECK(noticed.halted.size() == static_cast<std::size_t>(cases));
  for (const auto& [partition, text] : noticed.halted) {
    CAPTURE(partition, text);
    CHECK(text.find("topic 'orders', partition " + std::to_string(partition) + " ") == 0);
    CHECK(text.find("offset ") != std::string::npos);
  }
}

TEST_CASE("K7: a log that lost or changed its tail while we were away is noticed, 50 of 50") {
  std::mt19937 random = seeded();
  ScriptedFixture kafka;
  fill(kafka, random, kCases);
  const Marks before = read_all(kafka, kCases);
  const bool new_epoch = GENERATE(true, false);
  kafka.broker.edit([&](ScriptedCluster& cluster) {
    for (int p = 0; p < kCases; ++p) rewrite_tail(random, cluster.at(kTopic, p), new_epoch);
  });
  const auto [after, noticed] = resume(
      kafka, before, [](const Resumed& now) { return now.noticed.halted.size() == kCases; });
  check_all_halted(noticed, kCases);
  for (const auto& values : after.values) CHECK(values.empty());
}

TEST_CASE("K7: a log that only grew raises no alarm, whatever lies between its records") {
  std::mt19937 random = seeded();
  ScriptedFixture kafka;
  fill(kafka, random, kCases);
  kafka.broker.edit([&](ScriptedCluster& cluster) {
    for (int p = 0; p < kCases; ++p) {  // an aborted transaction and its marker behind the last
      ScriptedLog& log = cluster.at(kTopic, p).log;
      testing::BatchSpec aborted = numbered_batch("aborted", 0, 3);
      aborted.kind = BatchKind::kTransactional;
      aborted.producer_id = 7;
      log.append(aborted);
      log.end_transaction(7, BatchKind::kAbort);
    }
  });
  const Marks before = read_all(kafka, kCases);
  CHECK(before.starts[0].offset > before.starts[0].last.offset + 1);
  kafka.broker.edit([&](ScriptedCluster& cluster) {
    for (int p = 0; p < kCases; ++p) {
      testing::ScriptedPartition& partition = cluster.at(kTopic, p);
      partition.epoch += p % 3;
      append_some(random, partition.log, "more", 10, partition.epoch);
      // K5: retention takes what is read, up to the middle of the aborted records or all of it.
      if (p % 4 == 0) partition.log.delete_below(before.starts[static_cast<std::size_t>(p)].offset);
    }
  });
  const auto [after, noticed] = resume(kafka, before, all_ended);
  CHECK(noticed.halted.empty());
  CHECK(noticed.gaps.empty());
  CHECK(noticed.infos.empty());
  for (const auto& values : after.values) {
    CHECK(values.size() == 10);
    CHECK(values.front() == "more0");
  }
}

TEST_CASE("K6: a log that is cut back while it is read is noticed, 50 of 50") {
  std::mt19937 random = seeded();
  ScriptedFixture kafka;
  fill(kafka, random, kCases);
  auto source = kafka.source();
  Marks marks(kCases);
  read_all(*source, marks);
  kafka.broker.edit([&](ScriptedCluster& cluster) {  // an unclean election: a new epoch
    for (int p = 0; p < kCases; ++p) rewrite_tail(random, cluster.at(kTopic, p), true);
  });
  Noticed noticed;
  REQUIRE(poll_until(*source, marks, [&] {
    noticed.take(*source);
    return noticed.halted.size() == kCases;
  }));
  check_all_halted(noticed, kCases);
  for (const auto& values : marks.values) {
    for (const std::string& value : values) CHECK(value.find("new") == std::string::npos);
  }
}

TEST_CASE("K3: a topic created anew is noticed, shorter, equal or longer, away or while reading") {
  const bool away = GENERATE(true, false);
  CAPTURE(away);
  std::mt19937 random = seeded();
  ScriptedFixture kafka;
  kafka.broker.edit([](ScriptedCluster& cluster) {
    cluster.add_topic(kTopic, 3);
    for (int p = 0; p < 3; ++p) cluster.at(kTopic, p).log.append(numbered_batch("old", 0, 40));
  });
  auto source = kafka.source();
  Marks marks(3);
  read_all(*source, marks);
  if (away) source.reset();
  // While it is read: the broker restarts, as slowly as brokers do. Fetches of this age name a topic
  // by its name alone.
  Noticed noticed;
  if (!away) {
    kafka.broker.edit([](ScriptedCluster& cluster) { cluster.nodes[0].up = false; });
    REQUIRE(poll_until(*source, marks, [&] { return noticed.take(*source), noticed.in_trouble; }));
  }
  kafka.broker.edit([&](ScriptedCluster& cluster) {
    cluster.add_topic(kTopic, 3);
    const int lengths[] = {15, 40, 90};
    for (int p = 0; p < 3; ++p) append_some(random, cluster.at(kTopic, p).log, "new", lengths[p], 0);
  });
  if (away) {
    source = kafka.source();
    source->add(marks.starts);
  } else {
    kafka.broker.edit([](ScriptedCluster& cluster) { cluster.nodes[0].up = true; });
  }
  // While it is read, nothing but a topic's id tells a longer log from one that grew.
  const std::size_t told = away ? 3 : 2;
  REQUIRE(poll_until(*source, marks, [&] {
    noticed.take(*source);
    return noticed.halted.size() == told;
  }));
  check_all_halted(noticed, told);
  for (std::size_t p = 0; p < told; ++p) CHECK(marks.values[p].size() == 40);
}

TEST_CASE("K4: what retention took before it was read is a gap, exact 100 of 100") {
  constexpr int kGaps = 100;
  std::mt19937 random = seeded();
  ScriptedFixture kafka;
  fill(kafka, random, kGaps);
  const Marks before = read_all(kafka, kGaps);
  std::map<std::uint32_t, std::pair<Offset, Offset>> expected;
  kafka.broker.edit([&](ScriptedCluster& cluster) {
    for (int p = 0; p < kGaps; ++p) {
      ScriptedLog& log = cluster.at(kTopic, p).log;
      const Offset next = before.starts[static_cast<std::size_t>(p)].offset;
      append_some(random, log, "more", 50, 0);
      const Offset begin = next + between(random, 1, 40);
      log.delete_below(begin);
      expected[static_cast<std::uint32_t>(p)] = {next, begin};
    }
  });
  const auto [after, noticed] = resume(kafka, before, all_ended);
  CHECK(noticed.gaps == expected);
  CHECK(noticed.halted.empty());
}

TEST_CASE("a last record that compaction took is said, and reading goes on") {
  ScriptedFixture kafka;
  kafka.broker.edit([](ScriptedCluster& cluster) {
    cluster.add_topic(kTopic, 1);
    cluster.at(kTopic, 0).log.append(numbered_batch("old", 0, 10));
  });
  const Marks before = read_all(kafka, 1);
  kafka.broker.edit([](ScriptedCluster& cluster) {
    ScriptedLog log;
    log.append(numbered_batch("old", 0, 9));
    log.append(numbered_batch("more", 0, 5), 0, 10);
    cluster.at(kTopic, 0).log = log;
  });
  const auto [after, noticed] = resume(kafka, before, all_ended);
  CHECK(noticed.halted.empty());
  REQUIRE(noticed.infos.size() == 1);
  CHECK(noticed.infos[0].find("no record at offset 9 any more") != std::string::npos);
  CHECK(after.values[0].size() == 5);
}

}  // namespace
}  // namespace retailpulse
