#include "kafka/group_commit.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace retailpulse {
namespace {

constexpr Duration kEvery = std::chrono::seconds{1};

// The session timeout is also how long a commit waits for a coordinator, and how long the client
// then takes to end.
const std::vector<Setting>& settings() {
  static const std::vector<Setting> list{{"enable.auto.commit", "false"},
                                         {"allow.auto.create.topics", "false"},
                                         {"session.timeout.ms", "500"},
                                         {"heartbeat.interval.ms", "100"},
                                         {"socket.timeout.ms", "5000"}};
  return list;
}

}  // namespace

bool is_refused_right(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
         err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
         err == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

GroupCommit::GroupCommit(const KafkaConfig& config) {
  const auto group = config.properties.find("group.id");
  group_ = group == config.properties.end() ? config.group : group->second;
  auto handle = KafkaHandle::open(RD_KAFKA_CONSUMER, config, {{"group.id", group_}}, settings());
  refused_ = !handle.ok();
  if (refused_) {  // the source itself was opened with the same properties
    log(LogLevel::kWarning, "kafka", handle.status().message());
    return;
  }
  handle_ = std::move(handle).value();
  handle_->context().on_commit = [this](auto err, const auto* offsets) { answered(err, offsets); };
  rd_kafka_poll_set_consumer(handle_->rd());
}

void GroupCommit::note(const std::string& topic, std::int32_t partition, Offset offset) {
  if (!refused_) noted_[{topic, partition}] = offset;
}

Status GroupCommit::serve(Duration now) {
  if (!busy() || (!waiting_ && now < next_)) return {};
  // Nothing is assigned to this client, so what it gives are errors of the group.
  while (rd_kafka_message_t* message = rd_kafka_consumer_poll(handle_->rd(), 0)) {
    if (is_refused_right(message->err)) result_ = message->err;
    rd_kafka_message_destroy(message);
  }
  if (Status said = judge(std::exchange(result_, RD_KAFKA_RESP_ERR_NO_ERROR)); !said.ok())
    return said;
  if (!waiting_ && !noted_.empty() && now >= next_) {
    next_ = now + kEvery;
    send();
  }
  return {};
}

void GroupCommit::send() {
  const PartitionList list = make_partition_list(noted_.size());
  for (const auto& [partition, offset] : noted_) {
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.partition)
        ->offset = offset;
  }
  sent_ = std::exchange(noted_, {});
  waiting_ = rd_kafka_commit(handle_->rd(), list.get(), 1) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

void GroupCommit::answered(rd_kafka_resp_err_t err,
                           const rd_kafka_topic_partition_list_t* offsets) {
  waiting_ = false;
  result_ = err;
  for (int i = 0; result_ == RD_KAFKA_RESP_ERR_NO_ERROR && offsets != nullptr && i < offsets->cnt;
       ++i) {
    result_ = offsets->elems[i].err;
  }
  if (result_ != RD_KAFKA_RESP_ERR_NO_ERROR) noted_.merge(sent_);  // what is newer stays
  sent_.clear();
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
                       err == RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS;
  if (!members || std::exchange(told_of_members_, true)) return {};
  return {
      Code::kBusy,
      fmt::format("Another program is a member of consumer group '{}', so Kafka does not take our "
                  "offsets. Reading is not affected; set group.id to tell them apart.",
                  group_)};
}

}  // namespace retailpulse
