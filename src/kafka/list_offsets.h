// list_offsets: asks the leaders of many partitions for an offset each, in one request per leader.
//
// Why not rd_kafka_query_watermark_offsets: that is two requests for each partition, in turn. This
// one also sees only committed records (the end is the last stable offset), unless all are asked for.
//
// Thread: one at a time for a queue; the handle may be used by others meanwhile.
// Test:   tests/kafka/admin_test.cpp
#pragma once

#include <span>
#include <vector>

#include <retailpulse/kafka.h>

#include "kafka/handle.h"

namespace retailpulse {

// `spec`: RD_KAFKA_OFFSET_SPEC_EARLIEST, _LATEST, or milliseconds since 1970.
[[nodiscard]] PartitionList partitions_with(std::span<const TopicPartition> partitions,
                                            std::int64_t spec);

enum class EndOf : unsigned char { kCommitted, kAll };

// Asks; one RD_KAFKA_EVENT_LISTOFFSETS_RESULT will arrive at `queue` within about `timeout`.
void ask_offsets(KafkaHandle& handle, rd_kafka_topic_partition_list_t* partitions, Duration timeout,
                 rd_kafka_queue_t* queue, EndOf what = EndOf::kCommitted);

// kOk when all `asked` partitions were answered without error; else the first fault. (A request
// that reached nobody is no error to the client: its partitions have no offset.)
[[nodiscard]] Status offsets_fault(const KafkaHandle& handle, rd_kafka_event_t* event,
                                   std::size_t asked);

// Asks and waits. In the order of `partitions`; -1 where there is no such offset (a time after the
// last record).
[[nodiscard]] Result<std::vector<Offset>> list_offsets(KafkaHandle& handle,
                                                       std::span<const TopicPartition> partitions,
                                                       std::int64_t spec, Duration timeout,
                                                       EndOf what = EndOf::kCommitted);

}  // namespace retailpulse
