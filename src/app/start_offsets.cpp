#include "app/start_offsets.h"

#include <algorithm>

#include <fmt/format.h>

namespace retailpulse {
namespace {

const StreamConfig* stream_of(const Config& config, const std::string& topic) {
  const auto it = std::find_if(config.streams.begin(), config.streams.end(),
                               [&](const StreamConfig& s) { return s.topic == topic; });
  return it == config.streams.end() ? nullptr : &*it;
}

const StoredPartition* stored_of(const std::vector<StoredPartition>& stored,
                                 const TopicPartition& id) {
  const auto it = std::find_if(stored.begin(), stored.end(), [&](const StoredPartition& p) {
    return p.topic == id.topic && p.partition == id.partition;
  });
  return it == stored.end() ? nullptr : &*it;
}

Result<std::vector<Offset>> start_points(KafkaAdmin& admin, const StartPoint& start,
                                         const std::vector<TopicPartition>& ids,
                                         const std::vector<OffsetRange>& ranges, EventTime wall,
                                         Duration timeout) {
  std::vector<Offset> offsets;
  switch (start.kind) {
    case StartPoint::Kind::kEarliest:
      for (const OffsetRange& range : ranges) offsets.push_back(range.begin);
      return offsets;
    case StartPoint::Kind::kLatest:
      for (const OffsetRange& range : ranges) offsets.push_back(range.end);
      return offsets;
    case StartPoint::Kind::kTime: return admin.offsets_for_time(ids, start.time, timeout);
    case StartPoint::Kind::kAgo: return admin.offsets_for_time(ids, wall - start.ago, timeout);
  }
  return Status(Code::kInvalid, "unknown start point");
}

Result<std::vector<TopicPartition>> all_partitions(KafkaAdmin& admin, const Config& config,
                                                   Duration timeout) {
  std::vector<std::string> names;
  for (const StreamConfig& stream : config.streams) names.push_back(stream.topic);
  auto topics = admin.topics(names, timeout);
  if (!topics.ok()) return topics.status();
  std::vector<TopicPartition> ids;
  for (const TopicInfo& topic : topics.value()) {
    for (std::int32_t p = 0; p < topic.partitions; ++p) ids.push_back({topic.topic, p});
  }
  return ids;
}

}  // namespace

Result<std::vector<PlannedPartition>> plan_partitions(
    KafkaAdmin& admin, const Config& config, const std::vector<StoredPartition>& stored,
    const std::vector<TopicPartition>& known, EventTime wall, Duration timeout) {
  auto all = all_partitions(admin, config, timeout);
  if (!all.ok()) return all.status();
  std::vector<TopicPartition> ids;
  std::copy_if(all.value().begin(), all.value().end(), std::back_inserter(ids),
               [&](const TopicPartition& id) {
                 return std::find(known.begin(), known.end(), id) == known.end();
               });
  if (ids.empty()) return std::vector<PlannedPartition>{};
  auto ranges = admin.offsets(ids, timeout);
  if (!ranges.ok()) return ranges.status();
  auto starts = start_points(admin, config.start, ids, ranges.value(), wall, timeout);
  if (!starts.ok()) return starts.status();
  std::vector<PlannedPartition> planned;
  for (std::size_t i = 0; i < ids.size(); ++i) {
    PlannedPartition p;
    p.id = ids[i];
    p.stream = stream_of(config, ids[i].topic);
    p.range = ranges.value()[i];
    p.start = starts.value()[i];
    const bool topic_known = std::any_of(known.begin(), known.end(), [&](const TopicPartition& id) {
      return id.topic == p.id.topic;
    }) || std::any_of(stored.begin(), stored.end(), [&](const StoredPartition& s) {
      return s.topic == p.id.topic;
    });
    if (const StoredPartition* s = stored_of(stored, p.id)) {
      p.start = s->next;
      p.max_event_us = s->max_event_us;
      p.recent_ids = s->recent_ids;
      p.last = s->last;
      p.halted = s->halted;
      p.stored = true;
    } else if (topic_known) {
      p.start = p.range.begin;
    }
    planned.push_back(std::move(p));
  }
  return planned;
}

Status begin_new_logs(KafkaAdmin& admin, const Config& config,
                      std::vector<PlannedPartition>& planned, EventTime wall, Duration timeout) {
  for (const NewLogStart& log : config.new_logs) {
    std::vector<PlannedPartition*> waiting;
    std::vector<TopicPartition> ids;
    std::vector<OffsetRange> ranges;
    for (PlannedPartition& p : planned) {
      if (p.id.topic != log.topic || p.halted.empty()) continue;
      waiting.push_back(&p);
      ids.push_back(p.id);
      ranges.push_back(p.range);
    }
    if (waiting.empty()) {
      return {Code::kConfig,
              fmt::format("--new-log {}: no partition of this topic waits for a decision. Start "
                          "without it; should the log be another one, it is said then.",
                          log.topic)};
    }
    const auto starts = start_points(admin, log.start, ids, ranges, wall, timeout);
    if (!starts.ok()) return starts.status();
    for (std::size_t i = 0; i < waiting.size(); ++i) {
      waiting[i]->start = starts.value()[i];
      waiting[i]->last = {};
      waiting[i]->halted.clear();
      waiting[i]->new_log = true;
    }
  }
  return {};
}

}  // namespace retailpulse
