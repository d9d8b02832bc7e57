#include "kafka/broker_probe.h"

#include "kafka/list_offsets.h"

namespace retailpulse {

BrokerProbe::BrokerProbe(KafkaHandle& handle)
    : handle_(handle), queue_(rd_kafka_queue_new(handle.rd())) {}

void BrokerProbe::ask(rd_kafka_topic_partition_list_t* partitions, Duration now) {
  ask_offsets(handle_, partitions, kProbeTimeout, queue_.get());
  waiting_ = true;
  asked_ = static_cast<std::size_t>(partitions->cnt);
  next_ = now + kProbeEvery;
}

BrokerProbe::Answer BrokerProbe::answer(Status& why) {
  if (!waiting_) return Answer::kNone;
  const KafkaPtr<rd_kafka_event_t> event(rd_kafka_queue_poll(queue_.get(), 0));
  if (!event) return Answer::kNone;
  waiting_ = false;
  why = offsets_fault(handle_, event.get(), asked_);
  if (!why.ok()) return Answer::kFails;
  active_ = false;
  return Answer::kWorks;
}

}  // namespace retailpulse
