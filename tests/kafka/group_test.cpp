// Others who use our group.id: whatever they do, our partitions stay ours.
#include <librdkafka/rdkafka.h>

#include <cstdlib>
#include <random>

#include "kafka/kafka_source.h"
#include "kafka_fixture.h"

namespace retailpulse {
namespace {

// An ordinary consumer, with subscribe(), as another laptop would run it.
class ForeignMember {
 public:
  explicit ForeignMember(const KafkaConfig& config) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    char why[256];
    for (const auto& [name, value] : std::map<std::string, std::string>{
             {"bootstrap.servers", config.bootstrap}, {"group.id", config.group},
             {"session.timeout.ms", "6000"}, {"fetch.wait.max.ms", "10"}}) {
      REQUIRE(rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why, sizeof why) ==
              RD_KAFKA_CONF_OK);
    }
    rd_ = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    REQUIRE(rd_ != nullptr);
    rd_kafka_topic_partition_list_t* topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, "orders", RD_KAFKA_PARTITION_UA);
    REQUIRE(rd_kafka_subscribe(rd_, topics) == RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(topics);
  }
  ~ForeignMember() {
    rd_kafka_consumer_close(rd_);
    rd_kafka_destroy(rd_);
  }
  ForeignMember(const ForeignMember&) = delete;
  ForeignMember& operator=(const ForeignMember&) = delete;

  void poll() {
    if (rd_kafka_message_t* message = rd_kafka_consumer_poll(rd_, 0)) {
      rd_kafka_message_destroy(message);
    }
    rd_kafka_topic_partition_list_t* mine = nullptr;
    if (rd_kafka_assignment(rd_, &mine) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    had_partitions = had_partitions || mine->cnt > 0;
    rd_kafka_topic_partition_list_destroy(mine);
  }

  bool had_partitions = false;

 private:
  rd_kafka_t* rd_ = nullptr;
};

int assigned(rd_kafka_t* rd) {
  rd_kafka_topic_partition_list_t* mine = nullptr;
  REQUIRE(rd_kafka_assignment(rd, &mine) == RD_KAFKA_RESP_ERR_NO_ERROR);
  const int count = mine->cnt;
  rd_kafka_topic_partition_list_destroy(mine);
  return count;
}

TEST_CASE("foreign members of our group join and leave, and nothing of ours moves") {
  const int rounds = std::getenv("RETAILPULSE_LONG") != nullptr ? 60 : 5;  // a second each
  MockFixture kafka;
  constexpr std::uint32_t kPartitions = 4;
  kafka.create("orders", kPartitions);
  auto opened = KafkaSource::open(kafka.config, LaneId{0}, kafka.metrics);
  REQUIRE(opened.ok());
  KafkaSource& source = *opened.value();
  std::vector<PartitionStart> starts;
  for (std::uint32_t p = 0; p < kPartitions; ++p) {
    starts.push_back({.slot = PartitionSlot{p}, .topic = "orders",
                      .partition = static_cast<std::int32_t>(p), .offset = 0});
  }
  source.add(std::move(starts));
  RememberingSink sink;
  std::vector<std::unique_ptr<ForeignMember>> members;
  int changes = 0;
  bool others_had_some = false;
  REQUIRE(source.poll(sink, Duration{}).ok());
  constexpr int kRoundsMost = 60;  // a busy machine takes longer until the group has settled
  int round = 1;
  for (; round <= rounds || (!others_had_some && round <= kRoundsMost); ++round) {
    if (round % 3 == 0) members.erase(members.begin(), members.begin() + 2);
    while (members.size() < 5 && round % 3 != 0) {
      members.push_back(std::make_unique<ForeignMember>(kafka.config));
    }
    for (std::int32_t p = 0; p < static_cast<std::int32_t>(kPartitions); ++p) {
      kafka.fill("orders", p, 25, 25 * (round - 1));
    }
    const std::vector<std::pair<PartitionSlot, Offset>> ack{{PartitionSlot{0}, 25 * round}};
    source.ack(ack);
    const Duration until = system_clock().monotonic() + std::chrono::seconds{1};
    const std::size_t all = 25 * kPartitions * static_cast<std::size_t>(round);
    REQUIRE(poll_until(source, sink, [&] {
      for (auto& member : members) {
        member->poll();
        others_had_some = others_had_some || member->had_partitions;
      }
      changes += assigned(source.TEST_handle()) != static_cast<int>(kPartitions);
      return sink.count >= all && system_clock().monotonic() > until;
    }));
  }
  CHECK(others_had_some);  // they were real members: the group did give them partitions
  CHECK(changes == 0);
  CHECK(sink.in_order);
  for (std::uint32_t p = 0; p < kPartitions; ++p) CHECK(sink.offsets[p] == range(0, 25 * (round - 1)));
}

}  // namespace
}  // namespace retailpulse
