// KafkaSource, the third part: is it still the log that was read before?
#include <array>

#include <fmt/format.h>

#include "kafka/kafka_source.h"
#include "kafka/list_offsets.h"

namespace retailpulse {
namespace {

constexpr Duration kAskAgain = std::chrono::seconds{1};
constexpr Duration kRangeTimeout = std::chrono::seconds{1};
constexpr unsigned kBeyondEndMax = 3;  // a new leader may lag for a moment

bool same_record(const Fingerprint& a, const Fingerprint& b) {
  return a.offset == b.offset && a.hash == b.hash && a.time_us == b.time_us;
}

}  // namespace

// Before a partition is fetched (again): its last record is to be looked at first.
void KafkaSource::compare_again(Partition& partition) {
  partition.compare = partition.last.offset >= 0;
  partition.passed = false;
  if (partition.compare) partition.quiet = false;
}

// A record while the last one is looked for. It is below `next`, so the sink knows it already.
void KafkaSource::compare(Partition& partition, const rd_kafka_message_t& message) {
  if (message.offset < partition.last.offset) return;
  if (message.offset > partition.last.offset) return not_seen(partition, message.offset);
  const Fingerprint found = borrowed(message, partition.slot).fingerprint();
  if (!same_record(found, partition.last)) {
    return halt(partition,
                fmt::format("{} holds another record at offset {} than the one that was counted "
                            "there: the topic was created anew or its log was cut back and "
                            "written again", name_of(partition), partition.last.offset));
  }
  partition.compare = false;
  works_again(partition);
}

// The client is at `position`: behind the last record without having seen it, or at an end that
// lies before `next`. What the log holds says why.
void KafkaSource::not_seen(Partition& partition, Offset position) {
  partition.passed = position > partition.last.offset;
  set_aside(partition, true, {});
}

// Looks at the partition's last record again before it gives anything more.
void KafkaSource::doubt(Partition& partition) {
  if (partition.state != State::kReading || partition.last.offset < 0) return;
  partition.last.leader_epoch = -1;
  compare_again(partition);
  set_aside(partition, false, {});
}

void KafkaSource::doubt_all() {
  for (Partition& partition : partitions_) doubt(partition);
}

void KafkaSource::halt(Partition& partition, const std::string& why) {
  if (partition.state == State::kHalted) return;
  partition.state = State::kHalted;
  partition.quiet = false;
  std::erase(broken_, &partition);
  halted_.push_back(&partition);
  if (std::exchange(partition.noted, RD_KAFKA_RESP_ERR_NO_ERROR) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    out_of_trouble(fmt::format("{} is not tried any more.", name_of(partition)));
  }
  notice({.kind = SourceNotice::Kind::kHalted, .slot = partition.slot, .text = why});
}

void KafkaSource::drop_halted() {
  change_assignment(halted_, false);
  halted_.clear();
}

bool KafkaSource::range_unknown(Partition& partition, const Status& why) {
  constexpr auto kReset = RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
  if (std::exchange(partition.noted, kReset) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    in_trouble(why.message());
  }
  return false;
}

// The log does not hold what we fetch. True when the partition may be fetched again: from `next`
// after all, or, after a noted gap, from the first record that is still there.
bool KafkaSource::settle_range(Partition& partition, Duration now) {
  partition.retry_at = now + kAskAgain;
  const std::array<TopicPartition, 1> one{{{partition.topic, partition.number}}};
  const auto begin = list_offsets(*handle_, one, RD_KAFKA_OFFSET_SPEC_EARLIEST, kRangeTimeout);
  if (!begin.ok()) return range_unknown(partition, begin.status());
  const auto end = list_offsets(*handle_, one, RD_KAFKA_OFFSET_SPEC_LATEST, kRangeTimeout);
  if (!end.ok()) return range_unknown(partition, end.status());
  const Offset high = end.value()[0];
  if (partition.next > high) {
    if (++partition.beyond_end < kBeyondEndMax) return false;
    halt(partition, fmt::format("{} ends at offset {}, but everything before {} was already "
                                "counted: the topic was created anew or its log was cut back",
                                name_of(partition), high, partition.next));
    return false;
  }
  partition.beyond_end = 0;
  partition.ask_range = false;
  settle_missing(partition, begin.value()[0]);
  return true;
}

// The log reaches as far as we do. What is missing of it, if anything?
void KafkaSource::settle_missing(Partition& partition, Offset low) {
  if (low <= fetch_from(partition)) {
    if (!partition.compare || !partition.passed) return;
    // Compaction takes single records. Nothing else does: a log that was cut back by an election
    // has a newer epoch, which the client notices.
    partition.compare = false;
    notice({.kind = SourceNotice::Kind::kInfo,
            .text = fmt::format("{} has no record at offset {} any more, the last one counted, "
                                "although it begins at {}: it was compacted, or written anew. "
                                "Reading goes on at {}.", name_of(partition),
                                partition.last.offset, low, partition.next)});
    return;
  }
  partition.compare = false;  // retention took the record
  if (low <= partition.next) return;
  notice({.kind = SourceNotice::Kind::kGap,
          .slot = partition.slot,
          .from = partition.next,
          .to = low,
          .text = fmt::format("Kafka deleted the records {} to {} of {} before they were read; "
                              "reading goes on at {}.", partition.next, low - 1,
                              name_of(partition), low)});
  partition.next = low;
}

}  // namespace retailpulse
