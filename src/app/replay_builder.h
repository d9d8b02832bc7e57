// ReplayOrder and replay_into: a rejected record decoded again, into a batch of replays.
//
// Thread:     ReplayOrder: moved. replay_into: role consumer.
// Invariants: a batch of replays holds no reject of its own: what is still rejected says so itself.
// Test:       tests/app/replay_desk_test.cpp
#pragma once

#include <string>
#include <utility>

#include <retailpulse/decoder.h>
#include <retailpulse/event.h>

namespace retailpulse {

struct ReplayOrder {
  std::int64_t reject = 0;
  PartitionSlot slot{};
  Offset offset = 0;
  Reason was = Reason::kNone;
  EventTime record_time{};
  std::string raw;       // all of the value
};

inline void replay_into(Decoder& decoder, const ReplayOrder& order, EventBatch& batch) {
  Replayed replayed;
  replayed.reject = order.reject;
  replayed.slot = order.slot;
  replayed.offset = order.offset;
  replayed.was = order.was;
  replayed.first_event = static_cast<std::uint32_t>(batch.events.size());
  Message message;
  message.slot = order.slot;
  message.offset = order.offset;
  message.record_time = order.record_time;
  message.has_value = order.was != Reason::kNullValue;
  message.value = order.raw;
  switch (decoder.decode(message, batch)) {
    case Decoder::Outcome::kEvents: replayed.bucket = Bucket::kCounted; break;
    case Decoder::Outcome::kFiltered: replayed.bucket = Bucket::kFiltered; break;
    case Decoder::Outcome::kRejected:
      replayed.now = batch.rejects.back().reason;
      replayed.field = std::move(batch.rejects.back().field);
      batch.rejects.pop_back();
      break;
  }
  replayed.events = static_cast<std::uint32_t>(batch.events.size()) - replayed.first_event;
  batch.replays.push_back(std::move(replayed));
}

}  // namespace retailpulse
