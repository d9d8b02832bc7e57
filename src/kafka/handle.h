// KafkaHandle: owns one librdkafka instance with its configuration, log and error callbacks.
//
// Why: source, admin, producer and mock all need the same four things done right: allow-listed
// properties, our logging, no secret in any text, and the last error as a sentence.
//
// Thread:     any for rd(); the error functions: the thread that polls.
// Invariants: (1) `context_` outlives the instance (its callbacks point to it);
//             (2) no text that leaves this class holds the value of a secret property.
// Test:       tests/kafka/properties_test.cpp, admin_test.cpp
#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <librdkafka/rdkafka.h>

#include <retailpulse/config.h>
#include <retailpulse/status.h>

namespace retailpulse {

struct KafkaDeleter {
  void operator()(rd_kafka_t* p) const { rd_kafka_destroy(p); }
  void operator()(rd_kafka_conf_t* p) const { rd_kafka_conf_destroy(p); }
  void operator()(rd_kafka_error_t* p) const { rd_kafka_error_destroy(p); }
  void operator()(rd_kafka_queue_t* p) const { rd_kafka_queue_destroy(p); }
  void operator()(rd_kafka_event_t* p) const { rd_kafka_event_destroy(p); }
  void operator()(rd_kafka_topic_t* p) const { rd_kafka_topic_destroy(p); }
  void operator()(rd_kafka_topic_partition_list_t* p) const {
    rd_kafka_topic_partition_list_destroy(p);
  }
  void operator()(rd_kafka_AdminOptions_t* p) const { rd_kafka_AdminOptions_destroy(p); }
  void operator()(const struct rd_kafka_metadata* p) const { rd_kafka_metadata_destroy(p); }
};
template <class T>
using KafkaPtr = std::unique_ptr<T, KafkaDeleter>;
using PartitionList = KafkaPtr<rd_kafka_topic_partition_list_t>;

[[nodiscard]] inline PartitionList make_partition_list(std::size_t size) {
  return PartitionList(rd_kafka_topic_partition_list_new(static_cast<int>(size)));
}

// Milliseconds for librdkafka, at least 1 when `d` is positive.
[[nodiscard]] int timeout_ms(Duration d);

// Replaces the values of secrets in a text by "***".
class SecretFilter {
 public:
  void add(const std::string& secret);
  [[nodiscard]] std::string clean(std::string_view text) const;

 private:
  std::vector<std::string> secrets_;
};

// What the callbacks of one instance write to.
struct KafkaContext {
  SecretFilter secrets;
  rd_kafka_resp_err_t last_error = RD_KAFKA_RESP_ERR_NO_ERROR;  // of the instance, not of a record
  std::string cause;                // why a connection failed; empty: nobody said
  std::function<void(rd_kafka_resp_err_t, const std::string&)> on_error;
  std::function<void(rd_kafka_resp_err_t, const rd_kafka_topic_partition_list_t*)> on_commit;
  std::function<void(const rd_kafka_message_t&)> on_delivery;
  bool details_wanted = false;      // the user set `debug`
  // A topic has another id than before: it was created anew. Set on the client's own thread before
  // it asks for records of the new one. Release in on_log() pairs with acquire in the source.
  std::atomic<bool> topic_changed{false};
};

using Setting = std::pair<std::string, std::string>;

class KafkaHandle {
 public:
  // `defaults` may be overridden by the user's properties, `fixed` may not.
  [[nodiscard]] static Result<std::unique_ptr<KafkaHandle>> open(
      rd_kafka_type_t type, const KafkaConfig& config, const std::vector<Setting>& defaults,
      const std::vector<Setting>& fixed);
  ~KafkaHandle();
  KafkaHandle(const KafkaHandle&) = delete;
  KafkaHandle& operator=(const KafkaHandle&) = delete;

  [[nodiscard]] rd_kafka_t* rd() const { return rd_; }
  [[nodiscard]] KafkaContext& context() { return *context_; }
  [[nodiscard]] std::string clean(std::string_view text) const {
    return context_->secrets.clean(text);
  }
  // Runs the callbacks that wait.
  void serve_callbacks() { rd_kafka_poll(rd_, 0); }
  // What was said before does not explain what comes.
  void forget_errors();
  // Why no broker answered `what`, from what the callbacks said; kUnavailable.
  [[nodiscard]] Status unavailable(std::string_view what) const;
  // True when waiting longer cannot help: host unknown, refused, login refused, TLS refused.
  [[nodiscard]] bool cause_is_certain() const;

 private:
  KafkaHandle(std::unique_ptr<KafkaContext> context, std::string bootstrap)
      : context_(std::move(context)), bootstrap_(std::move(bootstrap)) {}

  std::unique_ptr<KafkaContext> context_;
  std::string bootstrap_;
  rd_kafka_t* rd_ = nullptr;
};

}  // namespace retailpulse
