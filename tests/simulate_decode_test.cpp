// Two writers of one contract: what the simulator says of its records is what the decoder finds.
#include <retailpulse/decoder.h>

#include <map>
#include <string>

#include "simulate/native_shape.h"
#include "simulate/simulator.h"
#include "support/catch.h"

using namespace retailpulse;

namespace {

std::int64_t amount_of(const simulate::Fact& fact) {
  std::int64_t sum = 0;
  for (std::size_t i = 0; i < fact.line_count; ++i) sum += fact.lines[i].amount_micros;
  return sum;
}

}  // namespace

TEST_CASE("the decoder counts and rejects what the simulator says it must, for its reason") {
  SimulatorConfig config;
  config.dirt = 0.2;
  config.feedback = 0.5;
  config.feedback_after = std::chrono::seconds{1};
  config.future = 0.01;
  config.mix = GENERATE(SimulatorConfig::Mix::kShop, SimulatorConfig::Mix::kSales);
  Simulator simulator(config);

  TimeConfig time;
  time.zone = "UTC";
  const auto decoder = make_json_decoder(time, nullptr);
  std::array<StreamConfig, 4> streams;
  for (std::size_t i = 0; i < streams.size(); ++i) {
    streams[i].topic = kRoleNames[i];
    streams[i].role = static_cast<Role>(i);
    decoder->bind(PartitionSlot{static_cast<std::uint32_t>(i)}, streams[i]);
  }

  SimRecord record;
  EventBatch batch;
  for (int i = 0; i < 60'000; ++i) {
    simulator.next(record);
    Message message;
    message.slot = PartitionSlot{static_cast<std::uint32_t>(record.topic)};
    message.offset = i;
    message.record_time = record.sent;
    message.has_value = record.has_value;
    message.key = record.key;
    message.value = record.value;
    batch.clear();
    const Decoder::Outcome outcome = decoder->decode(message, batch);
    INFO(record.value.substr(0, 500));
    if (record.bucket == Bucket::kRejected) {
      REQUIRE(outcome == Decoder::Outcome::kRejected);
      REQUIRE(kReasonNames[static_cast<std::size_t>(batch.rejects.at(0).reason)] ==
              kReasonNames[static_cast<std::size_t>(record.reason)]);
      continue;
    }
    REQUIRE(outcome == Decoder::Outcome::kEvents);
    const Event& first = batch.events.at(0);
    REQUIRE(first.time == record.time);
    REQUIRE((first.record_id != 0) == simulate::has_id(record.fact.kind));
    REQUIRE(first.kind == record.fact.kind);
    REQUIRE(((first.flags & kFutureStamp) != 0) ==
            (record.time - record.sent > std::chrono::hours{1}));
    if (record.topic == Role::kTransactions) {
      REQUIRE(batch.events.size() == record.fact.line_count);
      std::int64_t sum = 0;
      for (const Event& event : batch.events) sum += event.amount_micros;
      REQUIRE(sum == amount_of(record.fact));
      REQUIRE((first.order != 0) == (record.fact.order != 0));
    }
    if (record.topic == Role::kFeedback) REQUIRE(first.rating_milli == record.fact.rating_milli);
  }
}
