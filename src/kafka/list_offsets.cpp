#include "kafka/list_offsets.h"

#include <algorithm>
#include <array>
#include <map>

#include <fmt/format.h>

#include <retailpulse/clock.h>

namespace retailpulse {
namespace {

constexpr Duration kGrace = std::chrono::seconds{1};  // for the answer that says "timed out"
constexpr int kRetryPauseMs = 100;

// While leadership moves, as after a broker's restart.
bool passes_by_itself(rd_kafka_resp_err_t err) {
  static constexpr std::array kErrors{
      RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH,  RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH,
      RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE,  RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE,
      RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR};
  return std::find(kErrors.begin(), kErrors.end(), err) != kErrors.end();
}

std::span<const rd_kafka_ListOffsetsResultInfo_t* const> infos_of(rd_kafka_event_t* event) {
  const rd_kafka_ListOffsets_result_t* result = rd_kafka_event_ListOffsets_result(event);
  std::size_t count = 0;
  const auto* infos =
      result == nullptr ? nullptr : rd_kafka_ListOffsets_result_infos(result, &count);
  return {infos, count};
}

}  // namespace

PartitionList partitions_with(std::span<const TopicPartition> partitions, std::int64_t spec) {
  PartitionList list = make_partition_list(partitions.size());
  for (const TopicPartition& one : partitions) {
    rd_kafka_topic_partition_list_add(list.get(), one.topic.c_str(), one.partition)->offset = spec;
  }
  return list;
}

void ask_offsets(KafkaHandle& handle, rd_kafka_topic_partition_list_t* partitions, Duration timeout,
                 rd_kafka_queue_t* queue, EndOf what) {
  const KafkaPtr<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(handle.rd(), RD_KAFKA_ADMIN_OP_LISTOFFSETS));
  char why[128];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms(timeout), why, sizeof why);
  KafkaPtr<rd_kafka_error_t>(rd_kafka_AdminOptions_set_isolation_level(
      options.get(), what == EndOf::kAll ? RD_KAFKA_ISOLATION_LEVEL_READ_UNCOMMITTED
                                         : RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED));
  rd_kafka_ListOffsets(handle.rd(), partitions, options.get(), queue);
}

Status offsets_fault(const KafkaHandle& handle, rd_kafka_event_t* event, std::size_t asked) {
  if (const auto err = rd_kafka_event_error(event); err != RD_KAFKA_RESP_ERR_NO_ERROR) {
    const bool silent = err == RD_KAFKA_RESP_ERR__TIMED_OUT || err == RD_KAFKA_RESP_ERR__TRANSPORT;
    if (silent) return handle.unavailable("ask for offsets");
    const char* text = rd_kafka_event_error_string(event);
    return {Code::kUnavailable, fmt::format("Cannot ask for offsets: {}.",
                                            handle.clean(text == nullptr ? "" : text))};
  }
  for (const auto* info : infos_of(event)) {
    const auto* one = rd_kafka_ListOffsetsResultInfo_topic_partition(info);
    if (one->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      // A request that got no answer leaves its partitions like this, without an error.
      if (one->offset == RD_KAFKA_OFFSET_INVALID) return handle.unavailable("ask for offsets");
      continue;
    }
    const bool gone = one->err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART ||
                      one->err == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
                      one->err == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC;
    const Code passing = passes_by_itself(one->err) ? Code::kBusy : Code::kUnavailable;
    return {gone ? Code::kNotFound : passing,
            fmt::format("Cannot ask for the offsets of topic '{}', partition {}: {}.", one->topic,
                        one->partition, rd_kafka_err2str(one->err))};
  }
  if (infos_of(event).size() < asked) return handle.unavailable("ask for offsets");
  return {};
}

namespace {

Result<std::vector<Offset>> try_offsets(KafkaHandle& handle,
                                        std::span<const TopicPartition> partitions,
                                        std::int64_t spec, Duration timeout,
                                        rd_kafka_queue_t* queue, EndOf what) {
  const PartitionList list = partitions_with(partitions, spec);
  ask_offsets(handle, list.get(), timeout, queue, what);
  const KafkaPtr<rd_kafka_event_t> event(rd_kafka_queue_poll(queue, timeout_ms(timeout + kGrace)));
  handle.serve_callbacks();
  if (!event) return handle.unavailable("ask for offsets");
  if (Status fault = offsets_fault(handle, event.get(), partitions.size()); !fault.ok())
    return fault;

  std::map<TopicPartition, Offset> answers;
  for (const auto* info : infos_of(event.get())) {
    const auto* one = rd_kafka_ListOffsetsResultInfo_topic_partition(info);
    answers[{one->topic, one->partition}] = one->offset;
  }
  std::vector<Offset> offsets;
  for (const TopicPartition& one : partitions) {
    const auto it = answers.find(one);
    const bool absent = it == answers.end() || (spec < 0 && it->second < 0);
    if (absent) return handle.unavailable("ask for offsets");
    offsets.push_back(it->second);
  }
  return offsets;
}

}  // namespace

Result<std::vector<Offset>> list_offsets(KafkaHandle& handle,
                                         std::span<const TopicPartition> partitions,
                                         std::int64_t spec, Duration timeout, EndOf what) {
  if (partitions.empty()) return std::vector<Offset>{};
  const Duration deadline = system_clock().monotonic() + timeout;
  const KafkaPtr<rd_kafka_queue_t> queue(rd_kafka_queue_new(handle.rd()));
  for (;;) {
    const Duration left = deadline - system_clock().monotonic();
    auto offsets = try_offsets(handle, partitions, spec, left, queue.get(), what);
    const Duration pause = std::chrono::milliseconds{kRetryPauseMs};
    if (offsets.ok() || offsets.status().code() != Code::kBusy || left <= pause) return offsets;
    KafkaPtr<rd_kafka_event_t>(rd_kafka_queue_poll(queue.get(), kRetryPauseMs));  // only a pause
  }
}

}  // namespace retailpulse
