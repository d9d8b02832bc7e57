// BatchBuilder: fills EventBatches from messages, keeping each partition's advance.
//
// Thread:     role consumer.
// Invariants: a record's events or reject and its advance are in the same batch.
#pragma once

#include <retailpulse/decoder.h>
#include <retailpulse/event.h>
#include <retailpulse/source.h>

namespace retailpulse {

// Smaller than a batch may be: the batches of a lane go round, and together they should stay in the
// cache of the two threads that hand them to each other.
inline constexpr std::size_t kLaneBatchEvents = 1024;
static_assert(kLaneBatchEvents <= kBatchEvents);

class BatchBuilder final : public MessageSink {
 public:
  explicit BatchBuilder(Decoder& decoder) : decoder_(decoder) {}

  // Before the first message of each batch.
  void begin(EventBatch& batch) {
    batch_ = &batch;
    last_ = 0;
  }

  // False: the batch is full.
  bool on_message(const Message& message) override {
    Advance& advance = advance_of(message.slot);
    const auto outcome = decoder_.decode(message, *batch_);
    advance.next = message.offset + 1;
    advance.at_end = false;
    advance.last = message.fingerprint();
    ++advance.records;
    if (outcome == Decoder::Outcome::kFiltered) ++advance.filtered;
    const std::int64_t record_us = to_us(message.record_time);
    if (record_us > batch_->newest_record_us) batch_->newest_record_us = record_us;
    return batch_->events.size() < kLaneBatchEvents && batch_->rejects.size() < kLaneBatchEvents;
  }

  void on_end(PartitionSlot slot, Offset position) override {
    Advance& advance = advance_of(slot);
    if (position > advance.next) advance.next = position;
    advance.at_end = true;
  }

 private:
  Advance& advance_of(PartitionSlot slot) {
    if (last_ < batch_->advances.size() && batch_->advances[last_].slot == slot) {
      return batch_->advances[last_];
    }
    for (last_ = 0; last_ < batch_->advances.size(); ++last_) {
      if (batch_->advances[last_].slot == slot) return batch_->advances[last_];
    }
    return batch_->advances.emplace_back(Advance{slot});
  }

  Decoder& decoder_;
  EventBatch* batch_ = nullptr;
  std::size_t last_ = 0;  // index of the advance that was changed last
};

}  // namespace retailpulse
