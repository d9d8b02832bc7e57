// KafkaSource: gives the records of its partitions, each once, from the offsets it was told.
//
// assign(), never subscribe(): no group, no rebalance, no second laptop halving our data. Nothing
// is reset or skipped in silence: any error of a partition stops that partition, and it is read
// again from our own next offset. (Left alone, librdkafka delivers what comes after a batch with a
// bad checksum.) Nothing that was fetched before a restart of its
// partition is given after it: the client's ops carry a version, and those that were taken out of
// its queue are dropped.
//
// Is it still the log that was read? Reading begins, and begins again after every trouble, at the
// last record that was given: it must come once more, as it was, before anything behind it is
// given. Else the log was cut back, written anew or recreated: the partition is halted.
//
// Thread:     role consumer; ack() and take_notices(): any (one mutex inside).
// Invariants: (1) per slot, offsets given to the sink strictly increase;
//             (2) a slot's `next` moves only by a record that was given, an end, or a noted gap;
//             (3) nothing is given of a log in which the last record is another one.
// Limits:     kNoticesMax notices wait; librdkafka's queue is bounded in KiB; one commit a second.
// Test:       tests/kafka/source_test.cpp, source_faults_test.cpp, source_log_test.cpp
#pragma once

#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/metrics.h>
#include <retailpulse/source.h>

#include "base/signal.h"
#include "base/thread_safety.h"
#include "kafka/broker_probe.h"
#include "kafka/group_commit.h"
#include "kafka/handle.h"
#include "kafka/message_batch.h"

namespace retailpulse {

// What a sink is given, valid as long as `message` is.
[[nodiscard]] Message borrowed(const rd_kafka_message_t& message, PartitionSlot slot);

class KafkaSource final : public Source {
 public:
  static Result<std::unique_ptr<KafkaSource>> open(const KafkaConfig& config, LaneId lane,
                                                   ConsumerMetrics& metrics);
  ~KafkaSource() override;

  void add(std::vector<PartitionStart> partitions) override;
  Status poll(MessageSink& sink, Duration timeout) override;
  void ack(std::span<const std::pair<PartitionSlot, Offset>> committed) override;
  [[nodiscard]] std::vector<SourceNotice> take_notices() override;

  // Makes the client fetch from `offset` again although `next` is beyond it, as a broken
  // connection can.
  void TEST_refetch(PartitionSlot slot, Offset offset);
  // As after a sign that the log may be another one.
  void TEST_doubt_all() { doubt_all(); }
  [[nodiscard]] rd_kafka_t* TEST_handle() { return handle_->rd(); }

 private:
  enum class State : unsigned char {
    kReading,
    kBroken,      // nothing is taken from it; retried at retry_at
    kHalted,      // the log is not the one we read before; a person must decide
  };
  struct Partition {
    PartitionSlot slot{};
    std::string topic;
    std::int32_t number = 0;
    Offset next = 0;               // smallest offset the sink may still be given
    Fingerprint last;              // the last record that was given, now or before the start
    bool compare = false;          // `last` is to be seen again before anything is given
    bool passed = false;           // compare: what lies behind `last` came, but not `last`
    State state = State::kReading;
    bool quiet = true;             // kReading, nothing to take back or compare: the fast path
    bool ask_range = false;        // kBroken: what the log holds must be asked for first
    unsigned failures = 0;         // restarts since the last record or end
    unsigned beyond_end = 0;       // times in a row that `next` was beyond the end
    Duration retry_at{};
    rd_kafka_resp_err_t noted = RD_KAFKA_RESP_ERR_NO_ERROR;  // error the user was told of
  };
  // What a message carries. The pointer is only compared; all routes are forgotten whenever the
  // assignment changes, because the client may then reuse the address for another topic.
  using Route = std::pair<const rd_kafka_topic_t*, std::int32_t>;
  struct AckTarget {
    std::string topic;
    std::int32_t number = 0;
    Offset offset = -1;            // newest committed; -1: told to Kafka already
  };

  KafkaSource(std::unique_ptr<KafkaHandle> handle, const KafkaConfig& config, LaneId lane,
              ConsumerMetrics& metrics);
  static void on_queue_event(rd_kafka_t* rk, void* opaque);

  std::size_t drain(MessageSink& sink);
  void deliver(const rd_kafka_message_t& message);
  Partition* find(const rd_kafka_message_t& message);
  Partition* find_slowly(const rd_kafka_message_t& message);
  void reached_end(Partition& partition, Offset position);
  void works_again(Partition& partition);
  static std::string name_of(const Partition& partition);
  void failed(const rd_kafka_message_t& message);
  void set_aside(Partition& partition, bool ask_range, Duration retry_at);
  void break_off(Partition& partition, rd_kafka_resp_err_t err, const std::string& why);
  void group_failed(rd_kafka_resp_err_t err, std::string_view why);

  [[nodiscard]] static Offset fetch_from(const Partition& partition) {
    return partition.compare ? partition.last.offset : partition.next;
  }
  static void compare_again(Partition& partition);
  void compare(Partition& partition, const rd_kafka_message_t& message);
  void not_seen(Partition& partition, Offset position);
  void doubt(Partition& partition);
  void doubt_all();
  void heed_topic_change();
  void settle_missing(Partition& partition, Offset low);
  void drop_halted();

  void start_pending();
  void change_assignment(std::span<Partition* const> partitions, bool add);
  void forget_routes();
  void refresh_metadata();
  void serve_broken(Duration now);
  bool settle_range(Partition& partition, Duration now);
  bool range_unknown(Partition& partition, const Status& why);
  void halt(Partition& partition, const std::string& why);
  void client_failed(rd_kafka_resp_err_t err, const std::string& text);
  void oversized(const std::string& text);
  void serve_oversized(Duration now);
  void serve_probe(Duration now);
  void serve_commit(Duration now);
  void note_commit(const Status& answer);
  void notice(SourceNotice notice);
  void in_trouble(std::string text);
  void out_of_trouble(std::string text);
  void account();

  std::unique_ptr<KafkaHandle> handle_;
  KafkaPtr<rd_kafka_queue_t> queue_;
  const Clock& clock_;
  std::atomic<bool>& topic_changed_;  // set by the client, see KafkaContext
  const LaneId lane_;
  ConsumerMetrics& metrics_;
  Signal wake_;                    // raised by librdkafka when the queue is no longer empty

  std::deque<Partition> partitions_;  // addresses stay
  std::vector<PartitionStart> pending_;
  Route last_route_{nullptr, -1};
  Partition* last_ = nullptr;
  std::map<Route, Partition*> routes_;
  std::vector<Partition*> broken_;
  std::vector<Partition*> halted_;    // still fetched by the client

  MessageBatch batch_;
  MessageSink* sink_ = nullptr;    // during drain()
  bool sink_full_ = false;
  std::uint64_t messages_ = 0;     // since account()
  std::uint64_t bytes_ = 0;
  std::uint64_t redelivered_ = 0;

  BrokerProbe probe_;
  bool told_unreachable_ = false;
  Duration oversized_until_{};     // zero: no record is too large for the client
  unsigned troubles_ = 0;          // partitions with a noted error, and the connection
  GroupCommit commit_;

  std::atomic<bool> acks_waiting_{false};  // release in ack() pairs with acquire in serve_commit()
  Mutex mailbox_;                  // acks and notices come and go on other threads
  std::map<PartitionSlot, AckTarget> acks_ RP_GUARDED_BY(mailbox_);
  std::vector<SourceNotice> notices_ RP_GUARDED_BY(mailbox_);
};

}  // namespace retailpulse
