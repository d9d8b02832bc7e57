#include "app/verify.h"

#include <algorithm>
#include <map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/decoder.h>
#include <retailpulse/history.h>
#include <retailpulse/kafka.h>
#include <retailpulse/metrics.h>

#include "base/zone.h"
#include "verify/recount.h"
#include "verify/stored_panes.h"

namespace retailpulse {
namespace {

constexpr Duration kViewDeadline = std::chrono::minutes{10};
constexpr Duration kBrokerTimeout = std::chrono::seconds{10};
constexpr Duration kPoll = std::chrono::milliseconds{200};
constexpr Duration kStalled = std::chrono::seconds{30};

// One moment of the store.
struct Snapshot {
  std::uint64_t frame = 0;
  std::string zone;
  std::vector<PartitionRow> partitions;
  std::vector<LedgerRow> ledger;
  PaneRange range;
  StoredPanes stored;
};

// What has been read again of one partition.
struct Reread {
  Offset end = 0;
  bool done = false;
  std::uint64_t records = 0;
  std::uint64_t filtered = 0;
  std::uint64_t rejected = 0;
};

PaneRange range_of(const VerifyOptions& options, const Zone& zone, const HistoryClock& clock) {
  PaneRange range;
  range.from_us.fill(INT64_MIN);
  range.to_us.fill(INT64_MAX);
  const auto minute = static_cast<std::size_t>(Tier::kMinute);
  const auto day = static_cast<std::size_t>(Tier::kDay);
  const auto width = kTierUs[minute];
  if (options.from) {  // whole minutes and whole days of the range
    range.from_us[minute] = pane_of(to_us(*options.from) + width - 1, width);
    const std::int64_t first = zone.civil_day(*options.from);
    range.from_us[day] = zone.day_begin(first) < *options.from ? first + kTierUs[day] : first;
  }
  if (options.to) {
    range.to_us[minute] = pane_of(to_us(*options.to), width);
    range.to_us[day] = zone.civil_day(*options.to);
  }
  for (const std::size_t tier : {minute, day}) {
    range.from_us[tier] = std::max(range.from_us[tier], clock.sealed_us[tier]);
  }
  return range;
}

Result<Snapshot> take_snapshot(const Config& config, const VerifyOptions& options,
                               const Clock& clock) {
  auto history = open_history(config.store.directory + "/retailpulse.db", clock, kViewDeadline);
  if (!history.ok()) return history.status();
  Snapshot s;
  Status zone_status;
  const Status status = history.value()->read([&](HistoryView& view) {
    s.frame = view.clock().frame;
    s.zone = view.meta("zone");
    s.partitions = view.partitions();
    s.ledger = view.ledger();
    const auto zone = Zone::find(s.zone);
    zone_status = zone.ok() ? Status() : zone.status();
    if (!zone.ok()) return;
    s.range = range_of(options, zone.value(), view.clock());
    s.stored = stored_panes(view, s.range);
  });
  if (!status.ok()) return status;
  if (!zone_status.ok()) return zone_status;
  return s;
}

const StreamConfig* stream_of(const Config& config, const std::string& topic) {
  for (const StreamConfig& stream : config.streams) {
    if (stream.topic == topic) return &stream;
  }
  return nullptr;
}

// Records that the store counted and Kafka has deleted since; "" when there are none.
Result<std::string> missing_records(const Config& config, const Snapshot& snapshot) {
  std::vector<TopicPartition> ids;
  for (const PartitionRow& p : snapshot.partitions) ids.push_back({p.topic, p.partition});
  auto admin = open_kafka_admin(config.kafka);
  if (!admin.ok()) return admin.status();
  const auto ranges = admin.value()->offsets(ids, kBrokerTimeout);
  if (!ranges.ok()) return ranges.status();
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const PartitionRow& p = snapshot.partitions[i];
    const OffsetRange& there = ranges.value()[i];
    if (p.incarnation > 1) {
      return fmt::format("{}/{} goes on in another log, by somebody's decision; what was counted "
                         "of the one before is not in Kafka", p.topic, p.partition);
    }
    if (there.end < p.next_offset) {
      return Status(Code::kInvalid,
                    fmt::format("{}/{} ends at offset {} in Kafka, but the store has counted up to "
                                "{}: this is not the topic that was counted.",
                                p.topic, p.partition, there.end, p.next_offset));
    }
    if (there.begin > p.first_offset && p.next_offset > p.first_offset) {
      return fmt::format("Kafka no longer has offsets {} to {} of {}/{}", p.first_offset,
                         std::min(there.begin, p.next_offset) - 1, p.topic, p.partition);
    }
  }
  return std::string();
}

// Reads every partition up to where the snapshot stands and hands all of it to the twin.
class Reader final : public MessageSink {
 public:
  Reader(const Config& config, const Snapshot& snapshot, const Clock& clock, Recount& recount)
      : config_(config), snapshot_(snapshot), clock_(clock), recount_(recount) {}

  Status run() {
    Metrics metrics(1);
    auto source = open_kafka_source(config_.kafka, LaneId{0}, metrics.consumers[0]);
    if (!source.ok()) return source.status();
    decoder_ = make_json_decoder(config_.time);
    if (Status s = begin(*source.value()); !s.ok()) return s;
    Duration moved = clock_.monotonic();
    while (left_ > 0) {
      taken_ = 0;
      if (Status s = source.value()->poll(*this, kPoll); !s.ok()) return s;
      hand_over();
      if (recount_.full()) {
        return {Code::kInvalid, "There are too many sums to hold at once; add --from and --to."};
      }
      if (taken_ > 0) moved = clock_.monotonic();
      if (clock_.monotonic() - moved > kStalled) {
        return {Code::kUnavailable, fmt::format("{} gave nothing for {} s while {} partitions were "
                                                "still to be read.", config_.kafka.bootstrap,
                                                kStalled / std::chrono::seconds{1}, left_)};
      }
    }
    return {};
  }

  bool on_message(const Message& message) override {
    Reread& p = reread_[index_of(message.slot)];
    ++taken_;
    if (message.offset < p.end) {
      ++p.records;
      if (decoder_->decode(message, batch_) == Decoder::Outcome::kFiltered) ++p.filtered;
    }
    if (message.offset + 1 >= p.end) finish(p);
    if (batch_.events.size() >= kBatchEvents || batch_.rejects.size() >= kBatchEvents) hand_over();
    return !recount_.full();
  }
  void on_end(PartitionSlot slot, Offset position) override {
    Reread& p = reread_[index_of(slot)];
    if (position >= p.end) finish(p);
  }

  [[nodiscard]] const std::vector<Reread>& reread() const { return reread_; }

 private:
  Status begin(Source& source) {
    std::vector<PartitionStart> starts;
    for (const PartitionRow& p : snapshot_.partitions) {
      const StreamConfig* stream = stream_of(config_, p.topic);
      if (stream == nullptr) {
        return {Code::kUsage, fmt::format("The store has counted the topic {}, which is not named; "
                                          "name every topic as for `run`.", p.topic)};
      }
      const auto slot = static_cast<PartitionSlot>(reread_.size());
      reread_.push_back({p.next_offset});
      if (p.first_offset >= p.next_offset) {
        reread_.back().done = true;
        continue;
      }
      ++left_;
      decoder_->bind(slot, *stream);
      starts.push_back({slot, p.topic, p.partition, p.first_offset});
    }
    source.add(std::move(starts));
    return {};
  }

  void hand_over() {
    recount_.add(batch_);
    for (const Reject& reject : batch_.rejects) ++reread_[index_of(reject.slot)].rejected;
    batch_.clear();
  }

  void finish(Reread& p) {
    if (std::exchange(p.done, true)) return;
    --left_;
  }

  const Config& config_;
  const Snapshot& snapshot_;
  const Clock& clock_;
  Recount& recount_;
  std::unique_ptr<Decoder> decoder_;
  EventBatch batch_;
  std::vector<Reread> reread_;  // by slot, in the order of the snapshot's partitions
  std::size_t left_ = 0;
  std::size_t taken_ = 0;
};

// A record that came too late for every pane is counted nowhere, and the twin sees it as any other.
std::string ledger_difference(const Snapshot& snapshot, const Reader& reader,
                              const Recount& recount) {
  for (std::size_t i = 0; i < snapshot.partitions.size(); ++i) {
    const PartitionRow& p = snapshot.partitions[i];
    std::map<std::string, std::int64_t> stored;
    for (const LedgerRow& row : snapshot.ledger) {
      if (row.topic == p.topic && row.partition == p.partition) stored[row.bucket] += row.records;
    }
    const Reread& read = reader.reread()[i];
    const std::uint64_t duplicates = recount.duplicates(static_cast<PartitionSlot>(i));
    const std::map<std::string, std::uint64_t> counted{
        {"counted", read.records - read.filtered - read.rejected - duplicates},
        {"filtered", read.filtered},
        {"rejected", read.rejected},
        {"duplicate", duplicates}};
    stored["counted"] += stored["too_late"] + stored["superseded"];
    for (const auto& [bucket, records] : counted) {
      if (stored[bucket] == static_cast<std::int64_t>(records)) continue;
      return fmt::format("ledger of {}/{}: {} records {} in the store and {} in Kafka", p.topic,
                         p.partition, stored[bucket], bucket, records);
    }
  }
  return {};
}

std::string agreement(const Snapshot& snapshot, const Reader& reader) {
  std::uint64_t records = 0;
  for (const Reread& p : reader.reread()) records += p.records;
  return fmt::format("OK: {} records of {} partitions counted again; {} sums of minutes and days in "
                     "the store (commit {}) are the same.",
                     records, snapshot.partitions.size(), snapshot.stored.panes.size(),
                     snapshot.frame);
}

}  // namespace

Result<Verdict> verify(const Config& config, const VerifyOptions& options, const Clock& clock) {
  auto snapshot = take_snapshot(config, options, clock);
  if (!snapshot.ok()) return snapshot.status();
  const Snapshot& store = snapshot.value();
  if (store.partitions.empty()) {
    return Status(Code::kInvalid, "The store has read nothing yet, so there is nothing to verify.");
  }
  if (store.stored.full) {
    return Status(Code::kInvalid, "The range has too many sums to hold; add --from and --to.");
  }
  const auto missing = missing_records(config, store);
  if (!missing.ok()) return missing.status();
  if (!missing.value().empty() && !options.from) {
    return Status(Code::kInvalid, missing.value() + ": they cannot be counted again. Give --from "
                                                    "TIME, behind which none of them lies.");
  }
  auto zone = Zone::find(store.zone);
  if (!zone.ok()) return zone.status();
  Recount recount(zone.value(), store.range);
  Reader reader(config, store, clock, recount);
  if (Status s = reader.run(); !s.ok()) return s;
  if (missing.value().empty()) {
    const std::string difference = ledger_difference(store, reader, recount);
    if (!difference.empty()) return Verdict{false, "DIFFERENT: " + difference};
  }
  if (const auto difference = first_difference(store.stored.panes, recount.panes())) {
    return Verdict{false, "DIFFERENT: " + *difference};
  }
  std::string sentence = agreement(store, reader);
  if (!missing.value().empty()) {
    sentence += " " + missing.value() + "; assumed: none of them lies in the range.";
  }
  return Verdict{true, std::move(sentence)};
}

}  // namespace retailpulse
