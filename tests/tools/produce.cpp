// produce: lines of standard input -> records of a topic; and the chores of the tests.
//
//   produce -b HOST:PORT -t TOPIC [-p N] [-z CODEC] [-K] [--ts-field F] [--create N] [-X k=v]
//           [--transaction ID] [--abort] [--each MS] < lines
//   produce -b HOST:PORT -t TOPIC --create N | --add-partitions N | --delete-topic | --offsets
//   produce -b HOST:PORT --delete-records TOPIC:PARTITION:OFFSET
//
// -K: a line is KEY<TAB>VALUE; a line that is only KEY<TAB>\N is a tombstone. --key-field F and
// --timestamp-ms-field F take the key and the record time from that top-level field of a JSON line
// (a string or an integer; found by text, good enough for the tests' own lines). --create N waits
// until the topic can be used. Prints one JSON object on success; a sentence on stderr and exit 1
// otherwise.
#include <librdkafka/rdkafka.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <thread>

#include <fmt/format.h>

#include <retailpulse/kafka.h>

using namespace retailpulse;

namespace {

constexpr Duration kTimeout = std::chrono::seconds{30};
constexpr int kTimeoutMs = 30'000;

struct Arguments {
  KafkaConfig kafka;
  ProducerOptions producer{.codec = "none"};
  std::string topic;
  std::int32_t partition = -1;
  int create = 0;
  int add_partitions = 0;
  int each_ms = 0;
  bool keyed = false;
  bool abort = false;
  bool delete_topic = false;
  bool offsets = false;
  std::string key_field;
  std::string time_field;
  std::string delete_records;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "produce: %s\n", why.c_str());
  std::exit(1);
}
void check(const Status& status) {
  if (!status.ok()) die(status.message());
}

Arguments parse(int argc, char** argv) {
  Arguments a;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&]() -> std::string {
      if (++i == argc) die(flag + " needs a value");
      return argv[i];
    };
    if (flag == "-b") a.kafka.bootstrap = value();
    else if (flag == "-t") a.topic = value();
    else if (flag == "-p") a.partition = std::stoi(value());
    else if (flag == "-z") a.producer.codec = value();
    else if (flag == "-K") a.keyed = true;
    else if (flag == "--key-field") a.key_field = value();
    else if (flag == "--timestamp-ms-field" || flag == "--ts-field") a.time_field = value();
    else if (flag == "--create") a.create = std::stoi(value());
    else if (flag == "--add-partitions") a.add_partitions = std::stoi(value());
    else if (flag == "--transaction") a.producer.transactional_id = value();
    else if (flag == "--abort") a.abort = true;
    else if (flag == "--each") a.each_ms = std::stoi(value());
    else if (flag == "--delete-topic") a.delete_topic = true;
    else if (flag == "--offsets") a.offsets = true;
    else if (flag == "--delete-records") a.delete_records = value();
    else if (flag == "-X") {
      const std::string pair = value();
      const auto equals = pair.find('=');
      if (equals == std::string::npos) die("-X needs NAME=VALUE");
      a.kafka.properties[pair.substr(0, equals)] = pair.substr(equals + 1);
    } else die("unknown argument " + flag);
  }
  if (a.kafka.bootstrap.empty()) die("-b HOST:PORT is needed");
  if (a.abort && a.producer.transactional_id.empty()) a.producer.transactional_id = "produce-abort";
  return a;
}

// --- Administration: only this tool writes to a cluster's structure, so it is not in the seams.
class Chores {
 public:
  explicit Chores(const KafkaConfig& config) {
    rd_kafka_conf_t* conf = rd_kafka_conf_new();
    std::array<char, 512> why{};
    const auto set = [&](const std::string& name, const std::string& value) {
      if (rd_kafka_conf_set(conf, name.c_str(), value.c_str(), why.data(), why.size()) !=
          RD_KAFKA_CONF_OK) die(why.data());
    };
    set("bootstrap.servers", config.bootstrap);
    for (const auto& [name, value] : config.properties) set(name, value);
    rd_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, why.data(), why.size());
    if (rd_ == nullptr) die(why.data());
    queue_ = rd_kafka_queue_new(rd_);
  }
  ~Chores() {
    rd_kafka_queue_destroy(queue_);
    rd_kafka_destroy(rd_);
  }
  Chores(const Chores&) = delete;
  Chores& operator=(const Chores&) = delete;

  void create(const std::string& topic, int partitions) {
    std::array<char, 512> why{};
    rd_kafka_NewTopic_t* wish =
        rd_kafka_NewTopic_new(topic.c_str(), partitions, 1, why.data(), why.size());
    if (wish == nullptr) die(why.data());
    rd_kafka_CreateTopics(rd_, &wish, 1, nullptr, queue_);
    rd_kafka_NewTopic_destroy(wish);
    rd_kafka_event_t* event = wait();
    std::size_t count = 0;
    judge(rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count),
          count);
    rd_kafka_event_destroy(event);
    wait_for_partitions(topic, partitions);
  }
  void add_partitions(const std::string& topic, int total) {
    std::array<char, 512> why{};
    rd_kafka_NewPartitions_t* wish = rd_kafka_NewPartitions_new(
        topic.c_str(), static_cast<std::size_t>(total), why.data(), why.size());
    if (wish == nullptr) die(why.data());
    rd_kafka_CreatePartitions(rd_, &wish, 1, nullptr, queue_);
    rd_kafka_NewPartitions_destroy(wish);
    rd_kafka_event_t* event = wait();
    std::size_t count = 0;
    judge(rd_kafka_CreatePartitions_result_topics(rd_kafka_event_CreatePartitions_result(event),
                                                  &count),
          count);
    rd_kafka_event_destroy(event);
    wait_for_partitions(topic, total);
  }
  void delete_topic(const std::string& topic) {
    rd_kafka_DeleteTopic_t* wish = rd_kafka_DeleteTopic_new(topic.c_str());
    rd_kafka_DeleteTopics(rd_, &wish, 1, nullptr, queue_);
    rd_kafka_DeleteTopic_destroy(wish);
    rd_kafka_event_t* event = wait();
    std::size_t count = 0;
    judge(rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event), &count),
          count);
    rd_kafka_event_destroy(event);
  }
  void delete_records(const std::string& spec) {
    const auto last = spec.rfind(':');
    const auto middle = last == std::string::npos ? last : spec.rfind(':', last - 1);
    if (middle == std::string::npos) die("--delete-records needs TOPIC:PARTITION:OFFSET");
    rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, spec.substr(0, middle).c_str(),
                                      std::stoi(spec.substr(middle + 1)))
        ->offset = std::stoll(spec.substr(last + 1));
    rd_kafka_DeleteRecords_t* wish = rd_kafka_DeleteRecords_new(list);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_DeleteRecords(rd_, &wish, 1, nullptr, queue_);
    rd_kafka_DeleteRecords_destroy(wish);
    rd_kafka_event_t* event = wait();
    const auto* done =
        rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event));
    if (done->elems[0].err != RD_KAFKA_RESP_ERR_NO_ERROR) die(rd_kafka_err2str(done->elems[0].err));
    rd_kafka_event_destroy(event);
  }

 private:
  rd_kafka_event_t* wait() {
    rd_kafka_event_t* event = rd_kafka_queue_poll(queue_, kTimeoutMs);
    if (event == nullptr) die("no broker answers");
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
      die(rd_kafka_event_error_string(event));
    return event;
  }
  static void judge(const rd_kafka_topic_result_t** results, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      if (rd_kafka_topic_result_error(results[i]) == RD_KAFKA_RESP_ERR_NO_ERROR) continue;
      die(fmt::format("topic '{}': {}", rd_kafka_topic_result_name(results[i]),
                      rd_kafka_topic_result_error_string(results[i])));
    }
  }
  void wait_for_partitions(const std::string& topic, int partitions) {
    rd_kafka_topic_t* handle = rd_kafka_topic_new(rd_, topic.c_str(), nullptr);
    for (int tries = 0; tries < 200; ++tries) {
      const struct rd_kafka_metadata* metadata = nullptr;
      if (rd_kafka_metadata(rd_, 0, handle, &metadata, 5000) == RD_KAFKA_RESP_ERR_NO_ERROR) {
        int led = 0;
        for (int p = 0; metadata->topic_cnt == 1 && p < metadata->topics[0].partition_cnt; ++p) {
          if (metadata->topics[0].partitions[p].leader >= 0) ++led;
        }
        rd_kafka_metadata_destroy(metadata);
        if (led >= partitions) {
          rd_kafka_topic_destroy(handle);
          return;
        }
      }
      std::this_thread::sleep_for(std::chrono::milliseconds{50});
    }
    die("topic '" + topic + "' was made but cannot be used");
  }

  rd_kafka_t* rd_ = nullptr;
  rd_kafka_queue_t* queue_ = nullptr;
};

void print_offsets(const Arguments& a) {
  auto admin = open_kafka_admin(a.kafka);
  check(admin.status());
  const std::vector<std::string> names{a.topic};
  const auto topics = admin.value()->topics(names, kTimeout);
  check(topics.status());
  std::vector<TopicPartition> all;
  for (std::int32_t p = 0; p < topics.value()[0].partitions; ++p) all.push_back({a.topic, p});
  const auto ranges = admin.value()->offsets(all, kTimeout);
  check(ranges.status());
  std::string out;
  for (std::size_t p = 0; p < all.size(); ++p) {
    out += fmt::format("{}{{\"partition\":{},\"begin\":{},\"end\":{}}}", p == 0 ? "" : ",", p,
                       ranges.value()[p].begin, ranges.value()[p].end);
  }
  fmt::print("{{\"topic\":\"{}\",\"offsets\":[{}]}}\n", a.topic, out);
}

// The text of a top-level field of a JSON line, without quotes; empty when it is not there.
std::string field_text(const std::string& line, const std::string& field) {
  const std::string mark = "\"" + field + "\":";
  auto at = line.find(mark);
  if (at == std::string::npos) return "";
  at += mark.size();
  while (at < line.size() && (line[at] == ' ' || line[at] == '"')) ++at;
  const auto end = line.find_first_of("\",}", at);
  return line.substr(at, end == std::string::npos ? end : end - at);
}

void produce_line(Producer& producer, const Arguments& a, const std::string& line) {
  Outgoing record{.topic = a.topic, .partition = a.partition, .value = line};
  std::string key;
  if (const auto tab = line.find('\t'); a.keyed && tab != std::string::npos) {
    record.key = std::string_view(line).substr(0, tab);
    record.value = std::string_view(line).substr(tab + 1);
    record.tombstone = record.value == "\\N";
  } else if (!a.key_field.empty()) {
    key = field_text(line, a.key_field);
    record.key = key;
  }
  if (!a.time_field.empty()) {
    record.timestamp_ms = std::strtoll(field_text(line, a.time_field).c_str(), nullptr, 10);
  }
  check(producer.produce(record));
}

std::uint64_t produce_all(const Arguments& a) {
  auto opened = open_producer(a.kafka, a.producer);
  check(opened.status());
  Producer& producer = *opened.value();
  const bool transaction = !a.producer.transactional_id.empty();
  if (transaction) check(producer.begin());
  std::string line;
  std::uint64_t count = 0;
  while (std::getline(std::cin, line)) {
    produce_line(producer, a, line);
    ++count;
    if (a.each_ms > 0) {
      check(producer.flush(std::chrono::minutes{2}));  // a broker may be away
      std::this_thread::sleep_for(std::chrono::milliseconds{a.each_ms});
    }
  }
  check(producer.flush(std::chrono::minutes{5}));
  if (transaction) check(a.abort ? producer.abort() : producer.commit());
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  std::ios::sync_with_stdio(false);
  const Arguments a = parse(argc, argv);
  bool chore = a.offsets;
  if (!a.delete_records.empty() || a.create > 0 || a.add_partitions > 0 || a.delete_topic) {
    Chores chores(a.kafka);
    chore = chore || a.create == 0;  // --create alone or with lines: reads standard input
    if (!a.delete_records.empty()) chores.delete_records(a.delete_records);
    if (a.create > 0) chores.create(a.topic, a.create);
    if (a.add_partitions > 0) chores.add_partitions(a.topic, a.add_partitions);
    if (a.delete_topic) chores.delete_topic(a.topic);
  }
  if (a.offsets) {
    print_offsets(a);
    return 0;
  }
  if (a.topic.empty() && !chore) die("-t TOPIC is needed");
  const std::uint64_t count = chore ? 0 : produce_all(a);
  fmt::print("{{\"produced\":{}}}\n", count);
  return 0;
}
