#include "kafka/bare_consume.h"

#include <array>
#include <map>

#include <fmt/format.h>

#include <retailpulse/clock.h>

#include "kafka/handle.h"
#include "kafka/reader_settings.h"

namespace retailpulse {
namespace {

constexpr std::size_t kBatch = 1024;
constexpr int kWaitMs = 10;

class BareLoop {
 public:
  BareLoop(KafkaHandle& handle, std::span<const BareRange> ranges)
      : handle_(handle), queue_(rd_kafka_queue_get_consumer(handle.rd())) {
    const PartitionList list = make_partition_list(ranges.size());
    for (const BareRange& range : ranges) {
      if (range.begin >= range.end) continue;
      rd_kafka_topic_partition_list_add(list.get(), range.partition.topic.c_str(),
                                        range.partition.partition)
          ->offset = range.begin;
      ends_[range.partition] = range.end;
    }
    if (list->cnt > 0)
      KafkaPtr<rd_kafka_error_t>(rd_kafka_incremental_assign(handle_.rd(), list.get()));
  }

  Result<BareConsumeReport> run(Duration limit) {
    const Clock& clock = system_clock();
    const Duration start = clock.monotonic();
    Duration first = start;
    while (!ends_.empty()) {
      const auto count =
          rd_kafka_consume_batch_queue(queue_.get(), kWaitMs, messages_.data(), messages_.size());
      if (count > 0 && report_.messages == 0) first = clock.monotonic();
      for (ssize_t i = 0; i < count; ++i) take(messages_[static_cast<std::size_t>(i)]);
      handle_.serve_callbacks();
      if (clock.monotonic() - start > limit) {
        return Status(Code::kTimeout, fmt::format("{} partitions did not reach their end; {}",
                                                  ends_.size(),
                                                  handle_.unavailable("read").message()));
      }
    }
    report_.first_message = first - start;
    report_.took = clock.monotonic() - first;
    return report_;
  }

 private:
  void take(rd_kafka_message_t* message) {
    if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
      reached(*message, message->offset);
    } else if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++report_.messages;
      report_.bytes += message->len + message->key_len;
      if (message->len > 0) {
        report_.checksum += static_cast<const unsigned char*>(message->payload)[message->len - 1];
      }
    }
    rd_kafka_message_destroy(message);
  }

  // Only at the end of the partition, so that the loop pays nothing for knowing when to stop.
  void reached(const rd_kafka_message_t& message, Offset position) {
    const auto it = ends_.find({rd_kafka_topic_name(message.rkt), message.partition});
    if (it != ends_.end() && position >= it->second) ends_.erase(it);
  }

  KafkaHandle& handle_;
  KafkaPtr<rd_kafka_queue_t> queue_;
  std::map<TopicPartition, Offset> ends_;
  std::array<rd_kafka_message_t*, kBatch> messages_{};
  BareConsumeReport report_;
};

}  // namespace

Result<BareConsumeReport> bare_consume(const KafkaConfig& config, std::span<const BareRange> ranges,
                                       Duration limit) {
  auto handle =
      KafkaHandle::open(RD_KAFKA_CONSUMER, config, reader_defaults(config), reader_laws(config));
  if (!handle.ok()) return handle.status();
  return BareLoop(*handle.value(), ranges).run(limit);
}

}  // namespace retailpulse
