// Where to read: stored offsets, else the configured start point; and where the end was.
//
// Thread: role main.
#pragma once

#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/kafka.h>
#include <retailpulse/status.h>
#include <retailpulse/store.h>

namespace retailpulse {

struct PlannedPartition {
  TopicPartition id;
  const StreamConfig* stream = nullptr;
  OffsetRange range;                    // what the cluster has now
  Offset start = 0;                     // absolute
  std::int64_t max_event_us = INT64_MIN;
  std::vector<std::uint64_t> recent_ids;
  Fingerprint last;                     // by which the log is known again
  std::string halted;                   // why it was not read to the end before
  bool stored = false;                  // goes on where the store left it
  bool new_log = false;                 // goes on in another log, at `start`: a person said so
};

// Every partition of the streams' topics that is not in `known`, in a stable order. New partitions
// of a topic that is already being read (`known` is not empty) start at their beginning: whatever
// they hold was written after we had begun.
[[nodiscard]] Result<std::vector<PlannedPartition>> plan_partitions(
    KafkaAdmin& admin, const Config& config, const std::vector<StoredPartition>& stored,
    const std::vector<TopicPartition>& known, EventTime wall, Duration timeout);

// Gives the halted partitions of the topics of config.new_logs their starts in the logs that are
// there now. kConfig when a topic has none that waits for this.
[[nodiscard]] Status begin_new_logs(KafkaAdmin& admin, const Config& config,
                                    std::vector<PlannedPartition>& planned, EventTime wall,
                                    Duration timeout);

}  // namespace retailpulse
