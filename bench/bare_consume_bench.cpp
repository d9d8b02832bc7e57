// bare_consume_bench: reads all of some topics as fast as librdkafka can and throws it away.
//
// The reference of bench/ingest.py, as a process of its own so that its CPU can be told.
// Usage: bare_consume_bench HOST:PORT TOPIC...   Prints one JSON object.
#include <sys/resource.h>

#include <cstdio>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/clock.h>
#include <retailpulse/kafka.h>

#include "kafka/bare_consume.h"

namespace {

using namespace retailpulse;

constexpr Duration kTimeout = std::chrono::seconds{10};
constexpr Duration kLimit = std::chrono::minutes{5};

int fail(const Status& status) {
  fmt::print(stderr, "bare_consume_bench: {}\n", status.message());
  return 1;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    fmt::print(stderr, "usage: bare_consume_bench HOST:PORT TOPIC...\n");
    return 64;
  }
  const Duration begun = system_clock().monotonic();
  KafkaConfig config;
  config.bootstrap = argv[1];
  auto admin = open_kafka_admin(config);
  if (!admin.ok()) return fail(admin.status());
  const std::vector<std::string> names(argv + 2, argv + argc);
  auto topics = admin.value()->topics(names, kTimeout);
  if (!topics.ok()) return fail(topics.status());
  std::vector<TopicPartition> partitions;
  for (const TopicInfo& topic : topics.value()) {
    for (std::int32_t p = 0; p < topic.partitions; ++p) partitions.push_back({topic.topic, p});
  }
  auto offsets = admin.value()->offsets(partitions, kTimeout);
  if (!offsets.ok()) return fail(offsets.status());
  std::vector<BareRange> ranges;
  for (std::size_t i = 0; i < partitions.size(); ++i) {
    ranges.push_back({partitions[i], offsets.value()[i].begin, offsets.value()[i].end});
  }
  auto done = bare_consume(config, ranges, kLimit);
  if (!done.ok()) return fail(done.status());
  const double elapsed =
      std::chrono::duration<double>(system_clock().monotonic() - begun).count();
  fmt::print("{{\"consumed\":{},\"elapsed_s\":{:.3f},\"cpu_s\":{:.3f}}}\n", done.value().messages,
             elapsed, cpu_seconds());
  return 0;
}
