// Decoder: turns a message into events, or into one reject that says why.
//
// Thread:     role consumer. A decoder belongs to one lane and owns the lane's name table.
// Invariants: decode() appends either events (and names, listings) or exactly one reject, and never
//             throws or aborts whatever the bytes are; a check never depends on message content.
#pragma once

#include <memory>

#include <retailpulse/config.h>
#include <retailpulse/event.h>
#include <retailpulse/source.h>

namespace retailpulse {

struct ConsumerMetrics;

class Decoder {
 public:
  virtual ~Decoder() = default;
  // Says which stream a slot belongs to, before its first message. `stream` outlives the decoder.
  virtual void bind(PartitionSlot slot, const StreamConfig& stream) = 0;
  // Appends to `out`: events | one reject | nothing (then the caller counts it as filtered).
  enum class Outcome : std::uint8_t { kEvents, kRejected, kFiltered };
  virtual Outcome decode(const Message& message, EventBatch& out) = 0;
};

// `time` gives the accepted range, skew and zone for naive times; its zone must exist. `metrics`
// receives the counts of rounded amounts and capped names; it may be null and outlives the decoder.
[[nodiscard]] std::unique_ptr<Decoder> make_json_decoder(const TimeConfig& time,
                                                         ConsumerMetrics* metrics = nullptr);

}  // namespace retailpulse
