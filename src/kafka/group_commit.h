// GroupCommit: tells a consumer group how far we are, so that lag tools of others work.
//
// An administrator's request and not the consumer's own commit: that one keeps the client from
// ending while the group's coordinator cannot be found or does not let us in.
//
// Thread: role consumer.
// Limits: one request under way, one a second; what comes meanwhile is told with the next one.
// Test:   tests/kafka/source_test.cpp, source_faults_test.cpp
#pragma once

#include <string>

#include <retailpulse/types.h>

#include "kafka/handle.h"

namespace retailpulse {

class GroupCommit {
 public:
  GroupCommit(KafkaHandle& handle, std::string group);

  // False also for ever after the right to commit was refused.
  [[nodiscard]] bool ready(Duration now) const { return !refused_ && !waiting_ && now >= next_; }
  [[nodiscard]] bool waiting() const { return waiting_; }
  void send(const rd_kafka_topic_partition_list_t* offsets, Duration now);
  // Takes the answer if it is there within `patience`. kOk: nothing that a person need know.
  [[nodiscard]] Status answer(Duration patience);
  // The group's coordinator already said no.
  [[nodiscard]] Status refuse();

 private:
  Status judge(rd_kafka_resp_err_t err);

  KafkaHandle& handle_;
  std::string group_;
  KafkaPtr<rd_kafka_queue_t> queue_;
  bool waiting_ = false;
  bool refused_ = false;
  bool told_of_members_ = false;
  Duration next_{};
};

[[nodiscard]] bool is_refused_right(rd_kafka_resp_err_t err);

}  // namespace retailpulse
