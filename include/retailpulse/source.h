// Message and the Source seam: where records come from.
//
// Thread: role consumer, for everything but ack(), which any thread may call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <retailpulse/status.h>
#include <retailpulse/types.h>

namespace retailpulse {

struct Message {                     // borrowed: valid only during MessageSink::on_message
  PartitionSlot slot{};
  Offset offset = 0;
  EventTime record_time{};           // the Kafka timestamp, whoever set it
  bool has_value = true;             // false: a tombstone (null value)
  std::string_view key;
  std::string_view value;
  std::uint64_t value_hash = 0;      // 0: not worked out
  std::uint64_t hash = 0;            // of key and value
  std::int32_t leader_epoch = -1;    // -1: not told by the broker

  [[nodiscard]] Fingerprint fingerprint() const {
    return {offset, to_us(record_time), hash, leader_epoch};
  }
};

class MessageSink {
 public:
  virtual ~MessageSink() = default;
  // Returns false to be given no more in this poll; this message was taken all the same.
  virtual bool on_message(const Message& message) = 0;
  // The partition's position equals its end (the last stable offset).
  virtual void on_end(PartitionSlot slot, Offset position) = 0;
};

struct PartitionStart {
  PartitionSlot slot{};
  std::string topic;
  std::int32_t partition = 0;
  Offset offset = 0;                 // absolute: the supervisor has resolved earliest and latest
  Fingerprint last = {};             // the last record read below `offset`: it must still be there
};

// What went wrong or was noticed at the source, for the log, /status and the gap table.
struct SourceNotice {
  // kError: something of this source does not work. kRecovered: all of it works again, and it did
  // not before. kHalted: the slot's log is not the one that was read; nothing more is read from it
  // in this process. kInfo: worth telling, changes nothing.
  enum class Kind : std::uint8_t { kError, kRecovered, kGap, kHalted, kInfo };
  Kind kind{};
  PartitionSlot slot{};              // kGap and kHalted only
  Offset from = 0;                   // kGap: first offset that is gone
  Offset to = 0;                     // kGap: first offset that is there again
  std::string text;                  // a sentence
};

class Source {
 public:
  virtual ~Source() = default;
  // Adds partitions to read; each slot once. Takes effect at the next poll.
  virtual void add(std::vector<PartitionStart> partitions) = 0;
  // Gives waiting records to `sink`; waits at most `timeout` for the first one. A record whose
  // offset is below the slot's next offset (a redelivery) is not given twice: it is counted.
  virtual Status poll(MessageSink& sink, Duration timeout) = 0;
  // Tells Kafka how far the store is; advisory, asynchronous, best effort. Thread: any.
  virtual void ack(std::span<const std::pair<PartitionSlot, Offset>> committed) = 0;
  // Notices since the last call. Thread: any.
  [[nodiscard]] virtual std::vector<SourceNotice> take_notices() = 0;
};

}  // namespace retailpulse
