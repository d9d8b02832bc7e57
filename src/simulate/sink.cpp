#include "simulate/sink.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <utility>
#include <vector>

namespace retailpulse {
namespace {

class FileSink final : public RecordSink {
 public:
  FileSink(std::FILE* file, std::string path) : file_(file), path_(std::move(path)) {}
  FileSink(const FileSink&) = delete;
  FileSink& operator=(const FileSink&) = delete;
  ~FileSink() override {
    if (file_ != stdout) std::fclose(file_);
  }

  Status write(const SimRecord& record) override {
    line_.assign(kRoleNames[static_cast<std::size_t>(record.topic)]);
    const fmt::format_int partition(record.partition);
    line_.append(1, '\t').append(partition.data(), partition.size());
    line_.append(1, '\t').append(record.key).append(1, '\t');
    line_.append(record.has_value ? std::string_view(record.value) : "\\N").append(1, '\n');
    if (std::fwrite(line_.data(), 1, line_.size(), file_) != line_.size()) return failed();
    return {};
  }

  Status flush() override { return std::fflush(file_) == 0 ? Status{} : failed(); }

 private:
  [[nodiscard]] Status failed() const {
    return {Code::kInvalid, fmt::format("Cannot write {}: {}.", path_, std::strerror(errno))};
  }

  std::FILE* file_;
  std::string path_;
  std::string line_;
};

class KafkaSink final : public RecordSink {
 public:
  explicit KafkaSink(Producer& producer) : producer_(producer) {}
  explicit KafkaSink(std::unique_ptr<Producer> own) : own_(std::move(own)), producer_(*own_) {}

  Status write(const SimRecord& record) override {
    Outgoing out;
    out.topic = kRoleNames[static_cast<std::size_t>(record.topic)];
    out.partition = record.partition;
    out.key = record.key;
    out.value = record.value;
    out.tombstone = !record.has_value;
    out.timestamp_ms = to_us(record.sent) / 1000;
    return producer_.produce(out);
  }

  Status flush() override { return producer_.flush(std::chrono::seconds{60}); }

 private:
  std::unique_ptr<Producer> own_;  // empty when somebody else's
  Producer& producer_;
};

constexpr Duration kAskTimeout = std::chrono::seconds{10};

// How many partitions all four topics have.
Result<std::uint32_t> common_partitions(const KafkaConfig& config) {
  auto admin = open_kafka_admin(config);
  if (!admin.ok()) return admin.status();
  const std::vector<std::string> names(kRoleNames.begin(), kRoleNames.end());
  const auto topics = admin.value()->topics(names, kAskTimeout);
  if (topics.status().code() == Code::kNotFound) {
    return Status{Code::kNotFound,
                  fmt::format("{} The simulator writes to {}; create them first: kafka-topics.sh "
                              "--bootstrap-server {} --create --partitions 4 --topic NAME",
                              topics.status().message(), fmt::join(names, ", "), config.bootstrap)};
  }
  if (!topics.ok()) return topics.status();
  std::int32_t least = INT32_MAX;
  for (const TopicInfo& topic : topics.value()) least = std::min(least, topic.partitions);
  return static_cast<std::uint32_t>(least);
}

}  // namespace

Result<std::unique_ptr<RecordSink>> open_file_sink(const std::string& path) {
  std::FILE* file = path == "-" ? stdout : std::fopen(path.c_str(), "wb");
  if (file == nullptr) {
    return Status{Code::kInvalid, fmt::format("Cannot write {}: {}.", path, std::strerror(errno))};
  }
  return std::unique_ptr<RecordSink>(std::make_unique<FileSink>(file, path));
}

Result<std::unique_ptr<RecordSink>> open_kafka_sink(const KafkaConfig& config,
                                                    SimulatorConfig& shop) {
  const auto least = common_partitions(config);
  if (!least.ok()) return least.status();
  if (shop.partitions > least.value()) {
    return Status{Code::kConfig,
                  fmt::format("The topics have {} partitions, fewer than the {} asked for.",
                              least.value(), shop.partitions)};
  }
  if (shop.partitions == 0) shop.partitions = least.value();
  auto producer = open_producer(config, ProducerOptions{});
  if (!producer.ok()) return producer.status();
  return std::unique_ptr<RecordSink>(std::make_unique<KafkaSink>(std::move(producer).value()));
}

std::unique_ptr<RecordSink> make_kafka_sink(Producer& producer) {
  return std::make_unique<KafkaSink>(producer);
}

}  // namespace retailpulse
