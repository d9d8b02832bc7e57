// GroupCommit: tells a consumer group how far we are, so that lag tools of others work.
//
// It has a client of its own. A consumer that commits while its group's coordinator is away holds
// back new partitions until the commit is done; if the group has other members it gives up its
// partitions; and it cannot end. The administrator's way to alter offsets aborts the process in
// librdkafka 2.15.1 when the coordinator goes away. What is only advice may do none of that.
//
// Thread: role consumer.
// Limits: one request under way, one a second; what comes meanwhile is told with the next one.
// Test:   tests/kafka/source_test.cpp, source_faults_test.cpp
#pragma once

#include <map>
#include <memory>
#include <string>

#include <retailpulse/config.h>
#include <retailpulse/kafka.h>
#include <retailpulse/types.h>

#include "kafka/handle.h"

namespace retailpulse {

class GroupCommit {
 public:
  explicit GroupCommit(const KafkaConfig& config);

  // The newest offset of a partition that is to be told.
  void note(const std::string& topic, std::int32_t partition, Offset offset);
  // Takes the answer to the last request, sends the next one when it is due. Returns what a person
  // should know, once; mostly kOk.
  [[nodiscard]] Status serve(Duration now);
  // Something is still to be told or to be answered.
  [[nodiscard]] bool busy() const { return !refused_ && (waiting_ || !noted_.empty()); }
  // The group's coordinator already said no.
  [[nodiscard]] Status refuse();

 private:
  void send();
  void answered(rd_kafka_resp_err_t err, const rd_kafka_topic_partition_list_t* offsets);
  Status judge(rd_kafka_resp_err_t err);

  std::string group_;
  std::unique_ptr<KafkaHandle> handle_;  // null: this cannot work, and that was said
  std::map<TopicPartition, Offset> noted_;
  std::map<TopicPartition, Offset> sent_;
  rd_kafka_resp_err_t result_ = RD_KAFKA_RESP_ERR_NO_ERROR;
  bool waiting_ = false;
  bool refused_ = false;
  bool told_of_members_ = false;
  Duration next_{};
};

[[nodiscard]] bool is_refused_right(rd_kafka_resp_err_t err);

}  // namespace retailpulse
