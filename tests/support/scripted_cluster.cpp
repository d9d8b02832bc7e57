#include "support/scripted_cluster.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/check.h"

namespace retailpulse::testing {
namespace {

struct Api {
  std::int16_t key, low, high;
};
// The rest is only said to be there: the client derives from it what a broker can do.
constexpr std::array<Api, 15> kApis{{{0, 3, 7}, {kApiFetch, 11, 11}, {kApiListOffsets, 5, 5},
                                     {kApiMetadata, 12, 12}, {kApiOffsetCommit, 7, 7}, {9, 1, 5},
                                     {kApiFindCoordinator, 2, 2}, {11, 0, 5}, {12, 0, 3},
                                     {13, 0, 1}, {14, 0, 3}, {17, 0, 1}, {kApiVersions, 0, 0},
                                     {22, 0, 1}, {kApiOffsetForLeaderEpoch, 2, 2}}};
constexpr char kHost[] = "127.0.0.1";
constexpr std::int8_t kReadCommitted = 1;
constexpr std::int64_t kLatest = -1;
constexpr std::int64_t kEarliest = -2;

ScriptedPartition* find(ScriptedCluster& cluster, const std::string& topic,
                        std::int32_t partition) {
  const auto it = cluster.topics.find(topic);
  if (it == cluster.topics.end() || partition < 0) return nullptr;
  auto& all = it->second.partitions;
  const auto i = static_cast<std::size_t>(partition);
  return i < all.size() ? &all[i] : nullptr;
}

// What stands against answering at all; takes one of the scripted refusals.
std::int16_t refusal(ScriptedPartition* partition, const ScriptedRequest& request,
                     std::int32_t client_epoch) {
  if (partition == nullptr) return kErrUnknownTopicOrPartition;
  for (auto& one : partition->refusals) {
    if (one.api != request.api || one.times == 0) continue;
    if (one.times > 0) --one.times;
    return one.error;
  }
  if (partition->leader != request.node) return kErrNotLeader;
  if (client_epoch >= 0 && client_epoch < partition->epoch) return kErrFencedLeaderEpoch;
  return client_epoch > partition->epoch ? kErrUnknownLeaderEpoch : kErrNone;
}

// Calls `each` for every partition of an array of topics, and frames its answers alike.
template <class Each>
void for_partitions(WireReader& in, WireWriter& out, Each each) {
  const std::int32_t topics = in.i32();
  out.i32(topics);
  for (std::int32_t t = 0; t < topics && in.ok(); ++t) {
    const std::string topic = in.text();
    out.text(topic);
    const std::int32_t partitions = in.i32();
    out.i32(partitions);
    for (std::int32_t p = 0; p < partitions && in.ok(); ++p) each(topic, in.i32());
  }
}

std::string api_versions(const ScriptedRequest& request) {
  WireWriter out;
  out.i16(request.version == 0 ? kErrNone : kErrUnsupportedVersion);
  out.i32(kApis.size());
  for (const Api& api : kApis) {
    out.i16(api.key);
    out.i16(api.low);
    out.i16(api.high);
  }
  return out.bytes();
}

void put_topic(WireWriter& out, const std::string& name, const ScriptedTopic* topic) {
  out.i16(topic == nullptr ? kErrUnknownTopicOrPartition : topic->error);
  out.compact_text(name);
  out.raw(topic == nullptr ? std::string(16, '\0') : topic->id);
  out.i8(0);  // not internal
  const std::size_t count = topic == nullptr || topic->error != 0 ? 0 : topic->partitions.size();
  out.compact_count(count);
  for (std::size_t p = 0; p < count; ++p) {
    const ScriptedPartition& partition = topic->partitions[p];
    out.i16(partition.leader > 0 ? kErrNone : kErrLeaderNotAvailable);
    out.i32(static_cast<std::int64_t>(p));
    out.i32(partition.leader);
    out.i32(partition.epoch);
    for (int list = 0; list < 2; ++list) {  // replicas and those in sync
      out.compact_count(1);
      out.i32(partition.leader);
    }
    out.compact_count(0);
    out.no_tags();
  }
  out.i32(INT32_MIN);
  out.no_tags();
}

std::vector<std::string> asked_topics(const ScriptedRequest& request,
                                      const ScriptedCluster& cluster) {
  std::vector<std::string> names;
  WireReader in(request.body);
  in.uvarint();  // tags of the header
  const std::uint64_t count = in.uvarint();
  for (std::uint64_t i = 1; i < count && in.ok(); ++i) {
    const std::string id(in.raw(16));
    auto name = in.compact_text();
    in.uvarint();
    for (const auto& [known, topic] : cluster.topics) {
      if (!name && topic.id == id) name = known;
    }
    names.push_back(name.value_or(""));
  }
  if (count == 0) {
    for (const auto& [known, topic] : cluster.topics) names.push_back(known);
  }
  return names;
}

std::string metadata(const ScriptedRequest& request, ScriptedCluster& cluster,
                     const std::vector<int>& ports) {
  WireWriter out;
  out.no_tags();  // of the header
  out.i32(0);
  const std::size_t nodes = cluster.knows_no_node ? 0 : ports.size();
  out.compact_count(nodes);
  for (std::size_t n = 0; n < nodes; ++n) {
    const int told = cluster.nodes[n].advertised_port;
    out.i32(static_cast<std::int64_t>(n) + 1);
    out.compact_text(kHost);
    out.i32(told != 0 ? told : ports[n]);
    out.uvarint(0);  // no rack
    out.no_tags();
  }
  out.compact_text(cluster.id);
  out.i32(1);  // controller
  const auto names = asked_topics(request, cluster);
  out.compact_count(names.size());
  for (const std::string& name : names) {
    const auto it = cluster.topics.find(name);
    put_topic(out, name, it == cluster.topics.end() ? nullptr : &it->second);
  }
  out.no_tags();
  return out.bytes();
}

Offset offset_for(const ScriptedLog& log, std::int64_t time, std::int8_t isolation) {
  if (time == kLatest) return isolation == kReadCommitted ? log.stable() : log.end();
  return time == kEarliest ? log.begin() : log.at_time(time);
}

std::string list_offsets(const ScriptedRequest& request, ScriptedCluster& cluster) {
  WireReader in(request.body);
  in.i32();  // replica
  const std::int8_t isolation = in.i8();
  WireWriter out;
  out.i32(0);
  for_partitions(in, out, [&](const std::string& topic, std::int32_t number) {
    const std::int32_t epoch = in.i32();
    const std::int64_t time = in.i64();
    ScriptedPartition* const partition = find(cluster, topic, number);
    const std::int16_t error = refusal(partition, request, epoch);
    out.i32(number);
    out.i16(error);
    out.i64(-1);
    out.i64(error != 0 ? -1 : offset_for(partition->log, time, isolation));
    out.i32(error != 0 ? -1 : partition->epoch);
  });
  return out.bytes();
}

std::string offset_for_leader_epoch(const ScriptedRequest& request, ScriptedCluster& cluster) {
  WireReader in(request.body);
  WireWriter out;
  out.i32(0);
  for_partitions(in, out, [&](const std::string& topic, std::int32_t number) {
    const std::int32_t client_epoch = in.i32();
    const std::int32_t asked = in.i32();
    ScriptedPartition* const partition = find(cluster, topic, number);
    const std::int16_t error = refusal(partition, request, client_epoch);
    const auto found =
        error != 0 ? ScriptedLog::EpochEnd{} : partition->log.end_of_epoch(asked);
    out.i16(error);
    out.i32(number);
    out.i32(found.epoch);
    out.i64(found.end);
  });
  return out.bytes();
}

std::string find_coordinator(const ScriptedCluster& cluster, const std::vector<int>& ports) {
  const int told = cluster.nodes[0].advertised_port;
  WireWriter out;
  out.i32(0);
  out.i16(cluster.group_error);
  out.i16(-1);  // no message
  out.i32(1);
  out.text(kHost);
  out.i32(told != 0 ? told : ports[0]);
  return out.bytes();
}

std::string offset_commit(const ScriptedRequest& request, ScriptedCluster& cluster) {
  WireReader in(request.body);
  in.text();  // group
  in.i32();   // generation
  in.text();  // member
  in.text();  // instance
  WireWriter out;
  out.i32(0);
  for_partitions(in, out, [&](const std::string& topic, std::int32_t number) {
    const Offset offset = in.i64();
    in.i32();   // epoch
    in.text();  // metadata
    if (cluster.group_error == 0) cluster.group_offsets[{topic, number}] = offset;
    out.i32(number);
    out.i16(cluster.group_error);
  });
  return out.bytes();
}

void flip_bit(std::string& records, std::uint64_t bit) {
  WireReader header(records);
  header.i64();
  const auto batch_end = static_cast<std::uint64_t>(header.i32()) + 12;
  const std::uint64_t at = kChecksumAt * 8 + bit % ((batch_end - kChecksumAt) * 8);
  records[at / 8] = static_cast<char>(records[at / 8] ^ (1 << (at % 8)));
}

template <class T>
std::optional<T> take_first(std::deque<T>& list) {
  if (list.empty()) return std::nullopt;
  const T first = list.front();
  list.pop_front();
  return first;
}

struct FetchWish {
  Offset offset = 0;
  std::int8_t isolation = 0;
  std::size_t bytes_max = 0;
  bool first = true;                 // nothing was found in the partitions before
};

void put_aborted(WireWriter& out, const std::vector<ScriptedLog::Aborted>& aborted) {
  out.i32(static_cast<std::int64_t>(aborted.size()));
  for (const auto& one : aborted) {
    out.i64(one.producer_id);
    out.i64(one.first);
  }
}

// One partition's part of a Fetch answer. Returns the bytes of its records.
std::size_t put_fetched(WireWriter& out, ScriptedPartition* partition, std::int16_t error,
                        const FetchWish& wish) {
  const ScriptedLog none;
  const ScriptedLog& log = partition == nullptr ? none : partition->log;
  if (error == 0 && (wish.offset < log.begin() || wish.offset > log.end())) {
    error = kErrOffsetOutOfRange;
  }
  const bool committed = wish.isolation == kReadCommitted;
  const Offset to = committed ? log.stable() : log.end();
  ScriptedLog::Slice slice{.end = wish.offset};
  if (error == 0 && wish.offset < to) {
    const Offset from = take_first(partition->answer_from).value_or(wish.offset);
    slice = log.read(from, to, wish.bytes_max, wish.first);
    const bool flip = !slice.bytes.empty() && !partition->flips.empty();
    if (flip) flip_bit(slice.bytes, *take_first(partition->flips));
  }
  out.i16(error);
  out.i64(partition == nullptr ? -1 : log.end());
  out.i64(log.stable());
  out.i64(log.begin());
  if (committed) {
    put_aborted(out, log.aborted_between(wish.offset, slice.end));
  } else {
    out.i32(-1);
  }
  out.i32(-1);  // read from the leader
  out.i32(static_cast<std::int64_t>(slice.bytes.size()));
  out.raw(slice.bytes);
  return slice.bytes.size();
}

ScriptedAnswer fetch(const ScriptedRequest& request, ScriptedCluster& cluster) {
  WireReader in(request.body);
  in.i32();  // replica
  ScriptedAnswer answer{.wait_ms = in.i32()};
  in.i32();  // bytes at least
  auto bytes_left = static_cast<std::int64_t>(in.i32());
  const std::int8_t isolation = in.i8();
  in.i32();  // session
  in.i32();
  WireWriter out;
  out.i32(0);
  out.i16(0);
  out.i32(0);
  bool worth = false;
  for_partitions(in, out, [&](const std::string& topic, std::int32_t number) {
    const std::int32_t epoch = in.i32();
    FetchWish wish{.offset = in.i64(), .isolation = isolation, .first = !answer.with_records};
    in.i64();  // begin, for followers
    const auto partition_max = static_cast<std::int64_t>(in.i32());
    ScriptedPartition* const partition = find(cluster, topic, number);
    const std::int16_t error = refusal(partition, request, epoch);
    out.i32(number);
    wish.bytes_max = static_cast<std::size_t>(std::clamp<std::int64_t>(bytes_left, 0, partition_max));
    const std::size_t bytes = put_fetched(out, partition, error, wish);
    bytes_left -= static_cast<std::int64_t>(bytes);
    answer.with_records = answer.with_records || bytes > 0;
    worth = worth || bytes > 0 || error != 0;
  });
  if (worth) answer.wait_ms = 0;
  answer.body = out.bytes();
  return answer;
}

}  // namespace

void ScriptedCluster::add_topic(const std::string& name, int partitions) {
  ScriptedTopic topic;
  topic.id = fmt::format("topic-{:010}", ++topics_made_);
  topic.partitions.resize(static_cast<std::size_t>(partitions));
  topics[name] = std::move(topic);
}

ScriptedPartition& ScriptedCluster::at(const std::string& topic, std::int32_t partition) {
  ScriptedPartition* const found = find(*this, topic, partition);
  RP_CHECK(found != nullptr, "the test names a partition that is there");
  return *found;
}

void ScriptedCluster::refuse(const std::string& topic, std::int32_t partition, std::int16_t api,
                             std::int16_t error, int times) {
  auto& all = at(topic, partition).refusals;
  std::erase_if(all, [&](const auto& one) { return one.times == 0; });
  all.push_back({api, times, error});
}

void ScriptedCluster::move_leader(const std::string& topic, std::int32_t partition,
                                  std::int32_t node) {
  ScriptedPartition& moved = at(topic, partition);
  moved.leader = node;
  ++moved.epoch;
}

std::optional<ScriptedAnswer> answer_to(const ScriptedRequest& request, ScriptedCluster& cluster,
                                        const std::vector<int>& ports) {
  switch (request.api) {
    case kApiVersions: return ScriptedAnswer{.body = api_versions(request)};
    case kApiMetadata: return ScriptedAnswer{.body = metadata(request, cluster, ports)};
    case kApiListOffsets: return ScriptedAnswer{.body = list_offsets(request, cluster)};
    case kApiFetch: return fetch(request, cluster);
    case kApiOffsetForLeaderEpoch:
      return ScriptedAnswer{.body = offset_for_leader_epoch(request, cluster)};
    case kApiFindCoordinator: return ScriptedAnswer{.body = find_coordinator(cluster, ports)};
    case kApiOffsetCommit: return ScriptedAnswer{.body = offset_commit(request, cluster)};
    default: return std::nullopt;
  }
}

}  // namespace retailpulse::testing
