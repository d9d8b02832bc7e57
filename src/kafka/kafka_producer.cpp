// Producer: writes for the simulator, the demo and the tests. Idempotent, so a retry never doubles.
#include <array>

#include <fmt/format.h>

#include <retailpulse/clock.h>
#include <retailpulse/kafka.h>

#include "kafka/handle.h"

namespace retailpulse {
namespace {

constexpr Duration kFullWaitMax = std::chrono::minutes{1};
constexpr int kFullNapMs = 50;
constexpr int kTransactionTimeoutMs = 30'000;

class KafkaProducer final : public Producer {
 public:
  explicit KafkaProducer(std::unique_ptr<KafkaHandle> handle) : handle_(std::move(handle)) {
    handle_->context().on_delivery = [this](const rd_kafka_message_t& message) {
      reported(message);
    };
  }

  ~KafkaProducer() override {
    // What nobody flushed is not wanted any more; without this the destructor would wait for it.
    rd_kafka_purge(handle_->rd(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(handle_->rd(), 1000);
  }

  Status open_transactions() {
    return status_of(rd_kafka_init_transactions(handle_->rd(), kTransactionTimeoutMs),
                     "begin transactions");
  }

  Status produce(const Outgoing& record) override {
    if (record.topic != topic_name_) topic_name_ = record.topic;  // a C string for librdkafka
    Duration deadline{};
    std::uint64_t progress = delivered_ + failed_;
    for (;;) {
      const auto err = enqueue(record);
      if (err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (++since_poll_ % 256 == 0) rd_kafka_poll(handle_->rd(), 0);  // delivery reports
        return {};
      }
      if (err != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        return {Code::kInvalid, fmt::format("Cannot write to topic '{}': {}.", topic_name_,
                                            rd_kafka_err2str(err))};
      }
      rd_kafka_poll(handle_->rd(), kFullNapMs);
      const Duration now = system_clock().monotonic();
      if (deadline == Duration{} || progress != delivered_ + failed_) {
        progress = delivered_ + failed_;
        deadline = now + kFullWaitMax;
      } else if (now > deadline) {
        return {Code::kTimeout, handle_->unavailable("write").message()};
      }
    }
  }

  Status flush(Duration timeout) override {
    const auto err = rd_kafka_flush(handle_->rd(), timeout_ms(timeout));
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) {
      return {Code::kTimeout, handle_->unavailable("deliver everything in time").message()};
    }
    return std::exchange(first_failure_, Status());
  }

  std::uint64_t delivered() const override { return delivered_; }
  std::uint64_t failed() const override { return failed_; }

  Status begin() override {
    return status_of(rd_kafka_begin_transaction(handle_->rd()), "begin a transaction");
  }
  Status commit() override {
    return status_of(rd_kafka_commit_transaction(handle_->rd(), kTransactionTimeoutMs),
                     "commit a transaction");
  }
  Status abort() override {
    return status_of(rd_kafka_abort_transaction(handle_->rd(), kTransactionTimeoutMs),
                     "abort a transaction");
  }

 private:
  static Status status_of(rd_kafka_error_t* raw, std::string_view what) {
    const KafkaPtr<rd_kafka_error_t> error(raw);
    if (!error) return {};
    return {Code::kUnavailable,
            fmt::format("Cannot {}: {}.", what, rd_kafka_error_string(error.get()))};
  }

  rd_kafka_resp_err_t enqueue(const Outgoing& record) {
    static char nothing[1] = "";  // an empty value is not a null one
    std::array<rd_kafka_vu_t, 6> fields{};
    fields[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    fields[0].u.cstr = topic_name_.c_str();
    fields[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    fields[1].u.i32 = record.partition < 0 ? RD_KAFKA_PARTITION_UA : record.partition;
    fields[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    fields[2].u.i = RD_KAFKA_MSG_F_COPY;
    // The API has no const; with RD_KAFKA_MSG_F_COPY nothing is written to.
    fields[3].vtype = RD_KAFKA_VTYPE_KEY;
    fields[3].u.mem.ptr = record.key.empty() ? nullptr : const_cast<char*>(record.key.data());
    fields[3].u.mem.size = record.key.size();
    fields[4].vtype = RD_KAFKA_VTYPE_VALUE;
    if (!record.tombstone) {
      fields[4].u.mem.ptr = record.value.empty() ? nothing : const_cast<char*>(record.value.data());
      fields[4].u.mem.size = record.value.size();
    }
    fields[5].vtype = RD_KAFKA_VTYPE_TIMESTAMP;
    fields[5].u.i64 = record.timestamp_ms;
    const KafkaPtr<rd_kafka_error_t> error(
        rd_kafka_produceva(handle_->rd(), fields.data(), fields.size()));
    return error ? rd_kafka_error_code(error.get()) : RD_KAFKA_RESP_ERR_NO_ERROR;
  }

  void reported(const rd_kafka_message_t& message) {
    if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) {
      ++delivered_;
      return;
    }
    ++failed_;
    if (!first_failure_.ok()) return;
    first_failure_ = {Code::kUnavailable,
                      fmt::format("Kafka did not take a record of topic '{}': {}.",
                                  rd_kafka_topic_name(message.rkt), rd_kafka_err2str(message.err))};
  }

  std::unique_ptr<KafkaHandle> handle_;
  std::string topic_name_;
  std::uint64_t since_poll_ = 0;
  std::uint64_t delivered_ = 0;
  std::uint64_t failed_ = 0;
  Status first_failure_;
};

}  // namespace

Result<std::unique_ptr<Producer>> open_producer(const KafkaConfig& config,
                                                const ProducerOptions& options) {
  std::vector<Setting> settings{
      {"compression.type", options.codec},
      {"linger.ms", fmt::format("{}.{:03}", options.linger.count() / 1000,
                                options.linger.count() % 1000)},
      {"enable.idempotence", "true"},
      {"queue.buffering.max.kbytes", "32768"},
      {"batch.size", "524288"},
      {"partitioner", "murmur2_random"},
      {"message.max.bytes", "8388608"},  // the broker judges, after compression
      {"message.timeout.ms", "60000"}};
  if (!options.transactional_id.empty()) {
    settings.emplace_back("transactional.id", options.transactional_id);
  }
  auto handle = KafkaHandle::open(RD_KAFKA_PRODUCER, config, {}, settings);
  if (!handle.ok()) return handle.status();
  auto producer = std::make_unique<KafkaProducer>(std::move(handle).value());
  if (!options.transactional_id.empty()) {
    if (Status status = producer->open_transactions(); !status.ok()) return status;
  }
  return std::unique_ptr<Producer>(std::move(producer));
}

}  // namespace retailpulse
