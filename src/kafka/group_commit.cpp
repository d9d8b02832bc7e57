#include "kafka/group_commit.h"

#include <utility>

#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr Duration kEvery = std::chrono::seconds{1};
constexpr Duration kTimeout = std::chrono::seconds{5};

// The first error: of the request, of the group, of a partition.
rd_kafka_resp_err_t error_of(rd_kafka_event_t* event) {
  if (const auto err = rd_kafka_event_error(event); err != RD_KAFKA_RESP_ERR_NO_ERROR) return err;
  const auto* result = rd_kafka_event_AlterConsumerGroupOffsets_result(event);
  if (result == nullptr) return RD_KAFKA_RESP_ERR__FAIL;
  std::size_t count = 0;
  const auto** groups = rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &count);
  for (std::size_t i = 0; i < count; ++i) {
    if (const auto* error = rd_kafka_group_result_error(groups[i])) return rd_kafka_error_code(error);
    const auto* partitions = rd_kafka_group_result_partitions(groups[i]);
    for (int p = 0; partitions != nullptr && p < partitions->cnt; ++p) {
      if (partitions->elems[p].err != RD_KAFKA_RESP_ERR_NO_ERROR) return partitions->elems[p].err;
    }
  }
  return RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace

bool is_refused_right(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

GroupCommit::GroupCommit(KafkaHandle& handle, std::string group)
    : handle_(handle), group_(std::move(group)), queue_(rd_kafka_queue_new(handle.rd())) {}

void GroupCommit::send(const rd_kafka_topic_partition_list_t* offsets, Duration now) {
  const KafkaPtr<rd_kafka_AdminOptions_t> options(
      rd_kafka_AdminOptions_new(handle_.rd(), RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS));
  char why[128];
  rd_kafka_AdminOptions_set_request_timeout(options.get(), timeout_ms(kTimeout), why, sizeof why);
  rd_kafka_AlterConsumerGroupOffsets_t* request =
      rd_kafka_AlterConsumerGroupOffsets_new(group_.c_str(), offsets);
  rd_kafka_AlterConsumerGroupOffsets(handle_.rd(), &request, 1, options.get(), queue_.get());
  rd_kafka_AlterConsumerGroupOffsets_destroy(request);
  waiting_ = true;
  next_ = now + kEvery;
}

Status GroupCommit::answer(Duration patience) {
  if (!waiting_) return {};
  const KafkaPtr<rd_kafka_event_t> event(rd_kafka_queue_poll(queue_.get(), timeout_ms(patience)));
  if (!event) return {};
  waiting_ = false;
  return judge(error_of(event.get()));
}

Status GroupCommit::refuse() {
  if (std::exchange(refused_, true)) return {};
  return {Code::kUnavailable,
          fmt::format("No right to commit offsets of consumer group '{}': other tools will not see "
                      "how far RetailPulse is. Its own numbers do not need that.", group_)};
}

Status GroupCommit::judge(rd_kafka_resp_err_t err) {
  if (is_refused_right(err)) return refuse();
  const bool members = err == RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID ||
                       err == RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION ||
                       err == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS ||
                       err == RD_KAFKA_RESP_ERR_NON_EMPTY_GROUP;
  if (!members || std::exchange(told_of_members_, true)) return {};
  return {Code::kBusy,
          fmt::format("Another program is a member of consumer group '{}', so Kafka does not take our "
                      "offsets. Reading is not affected; set group.id to tell them apart.", group_)};
}

}  // namespace retailpulse
