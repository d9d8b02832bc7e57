// KafkaAdmin over one client handle that neither consumes nor produces.
#include <algorithm>
#include <map>

#include <fmt/format.h>

#include <retailpulse/clock.h>
#include <retailpulse/kafka.h>

#include "kafka/handle.h"
#include "kafka/list_offsets.h"
#include "kafka/property_table.h"

namespace retailpulse {
namespace {

using Metadata = KafkaPtr<const struct rd_kafka_metadata>;

constexpr Duration kSlice = std::chrono::milliseconds{500};  // how soon a certain cause is noticed
constexpr std::size_t kNamesShown = 20;

std::string join_some(const std::vector<std::string>& names) {
  if (names.empty()) return "none";
  const std::size_t count = std::min(names.size(), kNamesShown);
  const std::vector<std::string> some(names.begin(),
                                      names.begin() + static_cast<std::ptrdiff_t>(count));
  std::string out = fmt::format("{}", fmt::join(some, ", "));
  if (count < names.size()) out += fmt::format(" and {} more", names.size() - count);
  return out;
}

std::vector<std::string> visible_topics(const struct rd_kafka_metadata& metadata) {
  std::vector<std::string> names;
  for (int i = 0; i < metadata.topic_cnt; ++i) {
    const std::string_view name = metadata.topics[i].topic;
    if (!name.starts_with("__")) names.emplace_back(name);
  }
  std::sort(names.begin(), names.end());
  return names;
}

Status missing_topic(const std::string& name, const std::vector<std::string>& known) {
  const std::string near = did_you_mean(name, known);
  return {Code::kNotFound,
          fmt::format("Topic '{}' does not exist in the cluster.{}{}", name, near,
                      near.empty() ? fmt::format(" Topics there: {}.", join_some(known)) : "")};
}

class Admin final : public KafkaAdmin {
 public:
  explicit Admin(std::unique_ptr<KafkaHandle> handle) : handle_(std::move(handle)) {}

  Result<std::vector<TopicInfo>> topics(std::span<const std::string> names,
                                        Duration timeout) override {
    auto metadata = ask("list the topics", timeout);
    if (!metadata.ok()) return metadata.status();
    const struct rd_kafka_metadata& all = *metadata.value();
    const std::vector<std::string> known = visible_topics(all);
    std::map<std::string_view, const struct rd_kafka_metadata_topic*> by_name;
    for (int i = 0; i < all.topic_cnt; ++i) by_name[all.topics[i].topic] = &all.topics[i];

    std::vector<TopicInfo> out;
    for (const std::string& name : names.empty() ? std::span<const std::string>(known) : names) {
      const auto it = by_name.find(name);
      if (it == by_name.end()) {
        if (Status status = why_absent(name, known, timeout); !status.ok()) return status;
        continue;
      }
      if (it->second->err != RD_KAFKA_RESP_ERR_NO_ERROR && !names.empty()) {
        return topic_error(name, it->second->err, known);
      }
      out.push_back({name, it->second->partition_cnt});
    }
    return out;
  }

  Result<std::vector<OffsetRange>> offsets(std::span<const TopicPartition> partitions,
                                           Duration timeout) override {
    const auto begin = list_offsets(*handle_, partitions, RD_KAFKA_OFFSET_SPEC_EARLIEST, timeout);
    if (!begin.ok()) return begin.status();
    const auto end = list_offsets(*handle_, partitions, RD_KAFKA_OFFSET_SPEC_LATEST, timeout);
    if (!end.ok()) return end.status();
    std::vector<OffsetRange> out;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      out.push_back({begin.value()[i], end.value()[i]});
    }
    return out;
  }

  // The log's end first: what is appended in between must not look held back.
  Result<std::vector<EndOffsets>> ends(std::span<const TopicPartition> partitions,
                                       Duration timeout) override {
    constexpr auto kLatest = RD_KAFKA_OFFSET_SPEC_LATEST;
    const auto high = list_offsets(*handle_, partitions, kLatest, timeout, EndOf::kAll);
    if (!high.ok()) return high.status();
    const auto stable = list_offsets(*handle_, partitions, kLatest, timeout);
    if (!stable.ok()) return stable.status();
    std::vector<EndOffsets> out;
    for (std::size_t i = 0; i < partitions.size(); ++i) {
      out.push_back({stable.value()[i], std::max(stable.value()[i], high.value()[i])});
    }
    return out;
  }

  Result<std::vector<Offset>> offsets_for_time(std::span<const TopicPartition> partitions,
                                               EventTime time, Duration timeout) override {
    // Kafka counts milliseconds; rounding up keeps "not before".
    const std::int64_t ms = std::max<std::int64_t>(0, (to_us(time) + 999) / 1000);
    auto found = list_offsets(*handle_, partitions, ms, timeout);
    if (!found.ok()) return found.status();
    const auto end = list_offsets(*handle_, partitions, RD_KAFKA_OFFSET_SPEC_LATEST, timeout);
    if (!end.ok()) return end.status();
    std::vector<Offset> out = std::move(found).value();
    for (std::size_t i = 0; i < out.size(); ++i) {
      if (out[i] < 0) out[i] = end.value()[i];
    }
    return out;
  }

  Result<std::string> cluster_id(Duration timeout) override {
    // Also makes sure that somebody answered: the id is then known without another wait.
    const auto metadata = ask("ask for the cluster", timeout);
    if (!metadata.ok()) return metadata.status();
    char* id = rd_kafka_clusterid(handle_->rd(), timeout_ms(timeout));
    if (id == nullptr) return std::string();
    std::string out(id);
    rd_kafka_mem_free(handle_->rd(), id);
    return out;
  }

  Result<std::string> brokers(Duration timeout) override {
    const auto metadata = ask("ask for the brokers", timeout);
    if (!metadata.ok()) return metadata.status();
    std::vector<std::string> parts;
    for (int i = 0; i < metadata.value()->broker_cnt; ++i) {
      const auto& broker = metadata.value()->brokers[i];
      parts.push_back(fmt::format("{} at {}:{}", broker.id, broker.host, broker.port));
    }
    std::sort(parts.begin(), parts.end());
    return fmt::format("{}", fmt::join(parts, ", "));
  }

 private:
  // Metadata of all topics. Asked for in slices, so that a cause that waiting cannot cure (host
  // unknown, refused) is told at once and not after the timeout.
  Result<Metadata> ask(std::string_view what, Duration timeout) {
    const Duration deadline = system_clock().monotonic() + timeout;
    handle_->forget_errors();
    for (;;) {
      const Duration left = deadline - system_clock().monotonic();
      const struct rd_kafka_metadata* metadata = nullptr;
      const auto err = rd_kafka_metadata(handle_->rd(), 1, nullptr, &metadata,
                                         std::max(1, timeout_ms(std::min(left, kSlice))));
      if (err == RD_KAFKA_RESP_ERR_NO_ERROR) return Metadata(metadata);
      handle_->serve_callbacks();
      if (left <= kSlice || handle_->cause_is_certain()) return handle_->unavailable(what);
    }
  }

  // A full listing leaves out what we may not even describe: ask for the topic by name.
  Status why_absent(const std::string& name, const std::vector<std::string>& known,
                    Duration timeout) {
    const KafkaPtr<rd_kafka_topic_t> topic(
        rd_kafka_topic_new(handle_->rd(), name.c_str(), nullptr));
    if (!topic) return missing_topic(name, known);
    const struct rd_kafka_metadata* raw = nullptr;
    const auto err = rd_kafka_metadata(handle_->rd(), 0, topic.get(), &raw, timeout_ms(timeout));
    if (err != RD_KAFKA_RESP_ERR_NO_ERROR) return handle_->unavailable("list the topics");
    const Metadata metadata(raw);
    if (metadata->topic_cnt != 1) return missing_topic(name, known);
    const auto why = metadata->topics[0].err;
    return why == RD_KAFKA_RESP_ERR_NO_ERROR ? missing_topic(name, known)
                                             : topic_error(name, why, known);
  }

  static Status topic_error(const std::string& name, rd_kafka_resp_err_t err,
                            const std::vector<std::string>& known) {
    switch (err) {
      case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
      case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        return missing_topic(name, known);
      case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
        return {Code::kUnavailable,
                fmt::format("No right to see topic '{}': it needs READ and DESCRIBE.", name)};
      case RD_KAFKA_RESP_ERR_TOPIC_EXCEPTION:
        return {Code::kConfig,
                fmt::format("'{}' is not a name that a Kafka topic can have.", name)};
      default:
        return {Code::kUnavailable,
                fmt::format("Topic '{}' cannot be used: {}.", name, rd_kafka_err2str(err))};
    }
  }

  std::unique_ptr<KafkaHandle> handle_;
};

}  // namespace

Result<std::unique_ptr<KafkaAdmin>> open_kafka_admin(const KafkaConfig& config) {
  // Its answers are small: a connection that gives none for so long is dead. It is asked with a
  // second's patience each time, so a new connection must not be waited for longer than that.
  auto handle = KafkaHandle::open(RD_KAFKA_CONSUMER, config,
                                  {{"socket.timeout.ms", "4000"}, {"reconnect.backoff.max.ms", "500"}},
                                  {{"isolation.level", "read_committed"},
                                   {"enable.auto.commit", "false"},
                                   {"allow.auto.create.topics", "false"}});
  if (!handle.ok()) return handle.status();
  return std::unique_ptr<KafkaAdmin>(std::make_unique<Admin>(std::move(handle).value()));
}

}  // namespace retailpulse
