// KafkaSource, the second part: what happens when a record cannot be had, and the advisory commit.
#include <algorithm>

#include <fmt/format.h>

#include "kafka/kafka_source.h"
#include "kafka/list_offsets.h"

namespace retailpulse {
namespace {

constexpr std::size_t kNoticesMax = 1000;
constexpr Duration kRetryFirst = std::chrono::seconds{1};
constexpr Duration kRetryLongest = std::chrono::seconds{4};  // what ends is seen soon
constexpr Duration kOversizedFor = std::chrono::seconds{100};  // the client repeats it twice by then

// librdkafka goes on by itself after these, with nothing skipped.
bool harmless(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR__TRANSPORT || err == RD_KAFKA_RESP_ERR__TIMED_OUT ||
         err == RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED;
}

bool nobody_answers(rd_kafka_resp_err_t err) {
  return err == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || err == RD_KAFKA_RESP_ERR__RESOLVE ||
         err == RD_KAFKA_RESP_ERR__AUTHENTICATION || err == RD_KAFKA_RESP_ERR__SSL;
}

std::string what_failed(rd_kafka_resp_err_t err, const std::string& name) {
  switch (err) {
    case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
      return fmt::format("No right to read {}", name);
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
    case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      return fmt::format("{} is not there any more", name);
    case RD_KAFKA_RESP_ERR__BAD_MSG:
    case RD_KAFKA_RESP_ERR__BAD_COMPRESSION:
      return fmt::format("{} gave damaged records; they are fetched again, not skipped", name);
    case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
      return fmt::format("{} holds a record larger than receive.message.max.bytes", name);
    default:
      return fmt::format("{} cannot be read", name);
  }
}

}  // namespace

std::string KafkaSource::name_of(const Partition& partition) {
  return fmt::format("topic '{}', partition {}", partition.topic, partition.number);
}

void KafkaSource::notice(SourceNotice notice) {
  const MutexLock lock(mailbox_);
  // Gaps and halts are facts of the store and always kept; only as many as logs lost records.
  const bool fact =
      notice.kind == SourceNotice::Kind::kGap || notice.kind == SourceNotice::Kind::kHalted;
  if (notices_.size() >= kNoticesMax && !fact) return;
  notices_.push_back(std::move(notice));
}

void KafkaSource::in_trouble(std::string text) {
  ++troubles_;
  notice({.kind = SourceNotice::Kind::kError, .text = std::move(text)});
}

void KafkaSource::out_of_trouble(std::string text) {
  const bool all_well = --troubles_ == 0;
  notice({.kind = all_well ? SourceNotice::Kind::kRecovered : SourceNotice::Kind::kInfo,
          .text = std::move(text)});
}

void KafkaSource::failed(const rd_kafka_message_t& message) {
  Partition* const partition = find(message);
  const std::string_view why = rd_kafka_message_errstr(&message);
  if (partition == nullptr) return group_failed(message.err, why);
  switch (message.err) {
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
      return reached_end(*partition, message.offset);
    case RD_KAFKA_RESP_ERR__LOG_TRUNCATION:
      // Of the epoch of our last record the leader has less than we read, or does not know it.
      // The record itself decides, this time without its epoch.
      if (partition->last.offset >= 0) return doubt(*partition);
      return break_off(*partition, message.err, handle_->clean(why));
    default:
      if (!harmless(message.err)) break_off(*partition, message.err, handle_->clean(why));
  }
}

// Stops taking records of the partition; it is fetched again from `next` a little later.
void KafkaSource::break_off(Partition& partition, rd_kafka_resp_err_t err, const std::string& why) {
  if (partition.state != State::kReading) return;  // its later errors follow from the first
  compare_again(partition);
  const bool ask_range = err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
  const Duration wait =
      std::min(kRetryLongest, kRetryFirst * (1U << std::min(partition.failures, 4U)));
  set_aside(partition, ask_range, ask_range ? Duration{} : clock_.monotonic() + wait);
  ++partition.failures;
  if (partition.ask_range || partition.noted == err) return;
  std::string text = fmt::format("{} ({}).", what_failed(err, name_of(partition)), why);
  if (std::exchange(partition.noted, err) == RD_KAFKA_RESP_ERR_NO_ERROR) {
    in_trouble(std::move(text));
  } else {
    notice({.kind = SourceNotice::Kind::kError, .text = std::move(text)});
  }
}

// Nothing is taken from the partition until it is fetched again, at `retry_at`.
void KafkaSource::set_aside(Partition& partition, bool ask_range, Duration retry_at) {
  partition.state = State::kBroken;
  partition.quiet = false;
  partition.ask_range = ask_range;
  partition.retry_at = retry_at;
  broken_.push_back(&partition);
}

void KafkaSource::works_again(Partition& partition) {
  partition.quiet = true;
  partition.failures = 0;
  partition.beyond_end = 0;
  if (partition.noted == RD_KAFKA_RESP_ERR_NO_ERROR) return;
  partition.noted = RD_KAFKA_RESP_ERR_NO_ERROR;
  out_of_trouble(fmt::format("{} is read again.", name_of(partition)));
}

void KafkaSource::serve_broken(Duration now) {
  std::vector<Partition*> ready;
  for (Partition* partition : std::vector<Partition*>(broken_)) {
    if (partition->retry_at > now) continue;
    if (partition->ask_range && !settle_range(*partition, now)) continue;
    ready.push_back(partition);
  }
  if (ready.empty()) return;
  change_assignment(ready, false);
  change_assignment(ready, true);
  for (Partition* partition : ready) {
    partition->state = State::kReading;
    std::erase(broken_, partition);
  }
}

// --- The connection as a whole ------------------------------------------------------------------

void KafkaSource::client_failed(rd_kafka_resp_err_t err, const std::string& text) {
  if (is_refused_right(err)) return group_failed(err, text);
  if (text.find("receive.message.max.bytes") != std::string::npos) return oversized(text);
  probe_.suspect();
  if (!nobody_answers(err) || told_unreachable_) return;
  told_unreachable_ = true;
  in_trouble(handle_->unavailable("read").message());
}

// The client drops the connection and asks again: without a word this would go on for ever.
void KafkaSource::oversized(const std::string& text) {
  if (oversized_until_ == Duration{}) {
    in_trouble(fmt::format("A record is too large to be fetched, and what is behind it waits: {}. "
                           "Start again with a greater -X receive.message.max.bytes.", text));
  }
  oversized_until_ = clock_.monotonic() + kOversizedFor;
}

void KafkaSource::serve_oversized(Duration now) {
  if (now < oversized_until_) return;
  oversized_until_ = {};
  out_of_trouble("No record is too large any more.");
}

void KafkaSource::serve_probe(Duration now) {
  Status why;
  switch (probe_.answer(why)) {
    case BrokerProbe::Answer::kWorks:
      handle_->forget_errors();
      if (!std::exchange(told_unreachable_, false)) return;
      out_of_trouble("The brokers answer again.");
      return doubt_all();  // nobody knows what happened behind the broken connection
    case BrokerProbe::Answer::kFails:
      if (!std::exchange(told_unreachable_, true)) in_trouble(why.message());
      break;
    case BrokerProbe::Answer::kNone: break;
  }
  if (!probe_.due(now) || partitions_.empty()) return;
  std::vector<TopicPartition> all;
  for (const Partition& partition : partitions_) all.push_back({partition.topic, partition.number});
  probe_.ask(partitions_with(all, RD_KAFKA_OFFSET_SPEC_LATEST).get(), now);
}

// --- The advisory commit ------------------------------------------------------------------------

void KafkaSource::group_failed(rd_kafka_resp_err_t err, std::string_view why) {
  if (is_refused_right(err)) return note_commit(commit_.refuse());
  if (harmless(err)) return probe_.suspect();
  notice({.kind = SourceNotice::Kind::kError,
          .text = fmt::format("The Kafka client reports: {}.", handle_->clean(why))});
}

void KafkaSource::note_commit(const Status& answer) {
  if (answer.ok()) return;
  notice({.kind = SourceNotice::Kind::kInfo, .text = answer.message()});
}

void KafkaSource::serve_commit(Duration now) {
  if (acks_waiting_.exchange(false, std::memory_order_acquire)) {  // pairs with ack()'s release
    const MutexLock lock(mailbox_);
    for (auto& [slot, target] : acks_) {
      if (target.offset < 0) continue;
      commit_.note(target.topic, target.number, std::exchange(target.offset, -1));
    }
  }
  note_commit(commit_.serve(now));
}

}  // namespace retailpulse
