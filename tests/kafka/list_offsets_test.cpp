// Asking where partitions end, while what the client knows of their leaders changes.
#include "kafka/list_offsets.h"

#include <array>
#include <atomic>
#include <chrono>
#include <thread>

#include "kafka/handle.h"
#include "scripted_fixture.h"

namespace retailpulse {
namespace {

using testing::ScriptedCluster;

// With the client as it comes most runs crash or stand still: a leader that is learned of
// while the question is being asked frees the question under the hands of who asks.
TEST_CASE("K13: offsets are asked for while leaders come and go, and the process lives") {
  ScriptedFixture kafka;
  kafka.broker.edit([](ScriptedCluster& c) { c.add_topic("orders", 1); });
  auto opened = KafkaHandle::open(RD_KAFKA_CONSUMER, kafka.config, {}, {{"group.id", "g"}});
  REQUIRE(opened.ok());
  KafkaHandle& handle = *opened.value();
  std::atomic<bool> stop{false};
  std::thread leaders([&] {
    for (std::int32_t node = -1; !stop; node = -node) {
      kafka.broker.edit([&](ScriptedCluster& c) { c.move_leader("orders", 0, node); });
      std::this_thread::sleep_for(std::chrono::microseconds{300});
    }
  });
  const auto learn = [&] {
    const struct rd_kafka_metadata* found = nullptr;
    const auto err = rd_kafka_metadata(handle.rd(), 1, nullptr, &found, timeout_ms(kCallTimeout));
    if (err == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(found);
  };
  std::thread learner([&] {
    while (!stop) learn();
  });
  const std::array<TopicPartition, 1> one{{{"orders", 0}}};
  const PartitionList list = partitions_with(one, RD_KAFKA_OFFSET_SPEC_LATEST);
  const KafkaPtr<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle.rd()));
  const Duration end = system_clock().monotonic() + std::chrono::seconds{3};
  int answers = 0;
  for (int asks = 0; system_clock().monotonic() < end; ++asks) {
    // Some questions are over before they have begun.
    const std::chrono::milliseconds patience{asks % 4 == 0 ? 1 : 100};
    ask_offsets(handle, list.get(), patience, queue.get());
    const KafkaPtr<rd_kafka_event_t> event(rd_kafka_queue_poll(queue.get(), 1000));
    if (event && offsets_fault(handle, event.get(), 1).ok()) ++answers;
  }
  stop = true;
  leaders.join();
  learner.join();
  CHECK(answers > 0);
  kafka.broker.edit([](ScriptedCluster& c) { c.move_leader("orders", 0, 1); });
  learn();
  const auto last = list_offsets(handle, one, RD_KAFKA_OFFSET_SPEC_LATEST, kCallTimeout);
  INFO(last.status().message());
  CHECK(last.ok());
}

}  // namespace
}  // namespace retailpulse
