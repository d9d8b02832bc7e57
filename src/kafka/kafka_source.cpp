// The way of a record: queue -> deliver() -> sink. What goes wrong is in kafka_source_faults.cpp,
// whether it is still the same log in kafka_source_log.cpp.
#include "kafka/kafka_source.h"

#include <algorithm>

#include <fmt/format.h>

#include <retailpulse/kafka.h>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/hash.h"
#include "base/log.h"
#include "kafka/reader_settings.h"

namespace retailpulse {
namespace {

constexpr Duration kMetadataTimeout = std::chrono::milliseconds{500};  // a stop waits for it
constexpr Duration kLastCommitWait = std::chrono::milliseconds{500};
constexpr Duration kLastCommitPause = std::chrono::seconds{2};  // more than GroupCommit's own
constexpr Duration kTroubleWait =
    std::chrono::milliseconds{200};  // longest nap while not all is well

// Producers may write any number there, nanoseconds for instance. What is after the year 9999 is
// its last moment: beyond any range of times that is taken, far from an overflow, and a date to SQLite.
constexpr std::int64_t kRecordTimeMsMax = 253'402'300'799'999;

EventTime record_time(const rd_kafka_message_t& message) {
  rd_kafka_timestamp_type_t type{};
  const std::int64_t ms = rd_kafka_message_timestamp(&message, &type);
  return from_us(std::clamp<std::int64_t>(ms, 0, kRecordTimeMsMax) * 1000);
}

std::string_view bytes_of(const void* data, std::size_t size) {
  return data == nullptr ? std::string_view()
                         : std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

Message borrowed(const rd_kafka_message_t& message, PartitionSlot slot) {
  const std::string_view key = bytes_of(message.key, message.key_len);
  const std::string_view value = bytes_of(message.payload, message.len);
  const std::uint64_t value_hash = hash64(value);
  return {.slot = slot,
          .offset = message.offset,
          .record_time = record_time(message),
          .has_value = message.payload != nullptr,
          .key = key,
          .value = value,
          .value_hash = value_hash,
          .hash = hash64(key, value_hash),
          .leader_epoch = rd_kafka_message_leader_epoch(&message)};
}

Result<std::unique_ptr<KafkaSource>> KafkaSource::open(const KafkaConfig& config, LaneId lane,
                                                       ConsumerMetrics& metrics) {
  auto handle =
      KafkaHandle::open(RD_KAFKA_CONSUMER, config, reader_defaults(config), reader_laws(config));
  if (!handle.ok()) return handle.status();
  return std::unique_ptr<KafkaSource>(
      new KafkaSource(std::move(handle).value(), config, lane, metrics));
}

KafkaSource::KafkaSource(std::unique_ptr<KafkaHandle> handle, const KafkaConfig& config,
                         LaneId lane, ConsumerMetrics& metrics)
    : handle_(std::move(handle)),
      queue_(rd_kafka_queue_get_consumer(handle_->rd())),
      clock_(system_clock()),
      topic_changed_(handle_->context().topic_changed),
      lane_(lane),
      metrics_(metrics),
      probe_(*handle_),
      commit_(config) {
  RP_CHECK(queue_ != nullptr, "a consumer with a group.id has a queue");
  KafkaContext& context = handle_->context();
  context.on_error = [this](auto err, const std::string& text) { client_failed(err, text); };
  rd_kafka_queue_cb_event_enable(queue_.get(), on_queue_event, &wake_);
}

KafkaSource::~KafkaSource() {
  rd_kafka_queue_cb_event_enable(queue_.get(), nullptr, nullptr);
  // Best effort: what was acknowledged last, unless nobody answers anyway.
  const Duration deadline = clock_.monotonic() + kLastCommitWait;
  while (!told_unreachable_ && clock_.monotonic() < deadline) {
    serve_commit(clock_.monotonic() + kLastCommitPause);
    if (!commit_.busy()) break;
    wake_.wait(wake_.epoch(), std::chrono::milliseconds{5});
  }
}

// Called by librdkafka with the queue's lock held: only wakes.
void KafkaSource::on_queue_event(rd_kafka_t* rk, void* opaque) {
  (void)rk;  // the callback's signature
  static_cast<Signal*>(opaque)->raise();
}

void KafkaSource::add(std::vector<PartitionStart> partitions) {
  for (PartitionStart& start : partitions) pending_.push_back(std::move(start));
}

// Looked at for each message, so the flag is taken only when it is up.
inline void KafkaSource::heed_topic_change() {
  if (!topic_changed_.load(std::memory_order_relaxed)) [[likely]] return;
  if (topic_changed_.exchange(false, std::memory_order_acq_rel)) doubt_all();
}

Status KafkaSource::poll(MessageSink& sink, Duration timeout) {
  const Duration now = clock_.monotonic();
  if (!pending_.empty()) start_pending();
  handle_->serve_callbacks();
  heed_topic_change();
  if (!halted_.empty()) drop_halted();
  if (!broken_.empty()) serve_broken(now);
  if (probe_.active()) serve_probe(now);
  if (oversized_until_ != Duration{}) serve_oversized(now);
  serve_commit(now);

  if (fault("redelivery")) {
    for (const Partition& p : partitions_) TEST_refetch(p.slot, std::max<Offset>(0, p.next - 20));
  }
  const std::uint32_t seen = wake_.epoch();
  if (drain(sink) == 0 && timeout > Duration::zero()) {
    const bool well = broken_.empty() && !probe_.active();
    wake_.wait(seen, well ? timeout : std::min(timeout, kTroubleWait));
    drain(sink);
  }
  account();
  char why[256];
  if (rd_kafka_fatal_error(handle_->rd(), why, sizeof why) != RD_KAFKA_RESP_ERR_NO_ERROR) {
    return {Code::kUnavailable,
            fmt::format("The Kafka client of lane {} cannot go on: {}.", index_of(lane_),
                        handle_->clean(why))};
  }
  return {};
}

// Gives what waits to the sink, until it is full. Returns how many things waited.
std::size_t KafkaSource::drain(MessageSink& sink) {
  sink_ = &sink;
  sink_full_ = false;
  if (batch_.rest().empty()) batch_.take(queue_.get());
  const std::size_t count = batch_.rest().size();
  while (!sink_full_ && !batch_.rest().empty()) {
    const rd_kafka_message_t& message = batch_.pop_front();
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]] {
      deliver(message);
    } else {
      failed(message);
    }
  }
  sink_ = nullptr;
  return count;
}

void KafkaSource::deliver(const rd_kafka_message_t& message) {
  Partition* const partition = find(message);
  if (partition == nullptr) return;
  heed_topic_change();
  if (!partition->quiet) [[unlikely]] {
    if (partition->state != State::kReading) return;
    if (partition->compare) return compare(*partition, message);
    works_again(*partition);
  }
  if (message.offset < partition->next && !planted(Plant::kNoRedeliveryGuard)) [[unlikely]] {
    ++redelivered_;
    return;
  }
  const Message out = borrowed(message, partition->slot);
  // Within a log the epoch of its leader never goes back.
  if (out.leader_epoch < partition->last.leader_epoch && out.leader_epoch >= 0) [[unlikely]] {
    return doubt(*partition);
  }
  partition->next = message.offset + 1;
  partition->last = out.fingerprint();
  ++messages_;
  bytes_ += message.len + message.key_len;
  if (!sink_->on_message(out)) sink_full_ = true;
}

KafkaSource::Partition* KafkaSource::find(const rd_kafka_message_t& message) {
  if (message.rkt == last_route_.first && message.partition == last_route_.second) [[likely]] {
    return last_;
  }
  return find_slowly(message);
}

KafkaSource::Partition* KafkaSource::find_slowly(const rd_kafka_message_t& message) {
  if (message.rkt == nullptr) return nullptr;
  const Route route{message.rkt, message.partition};
  auto it = routes_.find(route);
  if (it == routes_.end()) {
    const std::string_view topic = rd_kafka_topic_name(message.rkt);
    const auto own = std::find_if(partitions_.begin(), partitions_.end(), [&](const Partition& p) {
      return p.number == message.partition && p.topic == topic;
    });
    if (own == partitions_.end()) return nullptr;
    it = routes_.emplace(route, &*own).first;
  }
  last_route_ = route;
  last_ = it->second;
  return last_;
}

void KafkaSource::forget_routes() {
  routes_.clear();
  last_route_ = {nullptr, -1};
  last_ = nullptr;
}

void KafkaSource::reached_end(Partition& partition, Offset position) {
  if (partition.state != State::kReading) return;
  if (partition.compare || position < partition.next) return not_seen(partition, position);
  if (!partition.quiet) works_again(partition);
  partition.next = position;
  sink_->on_end(partition.slot, partition.next);
}

void KafkaSource::start_pending() {
  std::vector<Partition*> added;
  for (const PartitionStart& start : pending_) {
    const bool fresh =
        std::none_of(partitions_.begin(), partitions_.end(), [&](const Partition& p) {
          return p.slot == start.slot || (p.number == start.partition && p.topic == start.topic);
        });
    RP_CHECK(fresh, "a partition is added to a source once");
    RP_CHECK(start.offset >= 0, "a start offset is absolute");
    RP_CHECK(start.last.offset < start.offset, "the last record lies before what is next");
    partitions_.push_back({.slot = start.slot,
                           .topic = start.topic,
                           .number = start.partition,
                           .next = start.offset,
                           .last = start.last});
    compare_again(partitions_.back());
    added.push_back(&partitions_.back());
    const MutexLock lock(mailbox_);
    acks_[start.slot] = {start.topic, start.partition, -1};
  }
  pending_.clear();
  change_assignment(added, true);
  refresh_metadata();
}

// The client asks for topics that it learns of while it connects, and for later ones and for new
// partitions a second or more after; so it is told to ask now. An answer that comes after the wait
// is taken by the client all the same.
void KafkaSource::refresh_metadata() {
  const struct rd_kafka_metadata* metadata = nullptr;
  const auto err = rd_kafka_metadata(handle_->rd(), 0, nullptr, &metadata,
                                     timeout_ms(kMetadataTimeout));
  if (err == RD_KAFKA_RESP_ERR_NO_ERROR) rd_kafka_metadata_destroy(metadata);
}

void KafkaSource::change_assignment(std::span<Partition* const> partitions, bool add) {
  if (partitions.empty()) return;
  const PartitionList list = make_partition_list(partitions.size());
  for (const Partition* partition : partitions) {
    auto* const one = rd_kafka_topic_partition_list_add(list.get(), partition->topic.c_str(),
                                                        partition->number);
    one->offset = fetch_from(*partition);
    // The client then asks the leader, at every change of leader, where that epoch ended.
    rd_kafka_topic_partition_set_leader_epoch(one, partition->last.leader_epoch);
  }
  const KafkaPtr<rd_kafka_error_t> error(
      add ? rd_kafka_incremental_assign(handle_->rd(), list.get())
          : rd_kafka_incremental_unassign(handle_->rd(), list.get()));
  if (error) {
    log(LogLevel::kError, "kafka", "the client refuses to change its partitions",
        {{"why", handle_->clean(rd_kafka_error_string(error.get()))}});
  }
  // What was fetched before is fetched again.
  batch_.drop_if([&](const rd_kafka_message_t& message) {
    return std::find(partitions.begin(), partitions.end(), find(message)) != partitions.end();
  });
  forget_routes();
}

void KafkaSource::ack(std::span<const std::pair<PartitionSlot, Offset>> committed) {
  const MutexLock lock(mailbox_);
  for (const auto& [slot, offset] : committed) {
    const auto it = acks_.find(slot);
    if (it != acks_.end()) it->second.offset = std::max(it->second.offset, offset);
  }
  acks_waiting_.store(true, std::memory_order_release);  // pairs with serve_commit()'s acquire
}

std::vector<SourceNotice> KafkaSource::take_notices() {
  const MutexLock lock(mailbox_);
  return std::exchange(notices_, {});
}

void KafkaSource::account() {
  if (messages_ != 0) metrics_.messages.add(std::exchange(messages_, 0));
  if (bytes_ != 0) metrics_.bytes.add(std::exchange(bytes_, 0));
  if (redelivered_ != 0) metrics_.redelivered.add(std::exchange(redelivered_, 0));
}

void KafkaSource::TEST_refetch(PartitionSlot slot, Offset offset) {
  for (Partition& partition : partitions_) {
    if (partition.slot != slot) continue;
    const PartitionList list = make_partition_list(1);
    rd_kafka_topic_partition_list_add(list.get(), partition.topic.c_str(), partition.number)
        ->offset = offset;
    KafkaPtr<rd_kafka_error_t>(rd_kafka_seek_partitions(handle_->rd(), list.get(), 200));
  }
}

Result<std::unique_ptr<Source>> open_kafka_source(const KafkaConfig& config, LaneId lane,
                                                  ConsumerMetrics& metrics) {
  auto source = KafkaSource::open(config, lane, metrics);
  if (!source.ok()) return source.status();
  return std::unique_ptr<Source>(std::move(source).value());
}

}  // namespace retailpulse
