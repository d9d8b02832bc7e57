#include "app/replay_desk.h"

#include <algorithm>

#include <fmt/format.h>

#include "app/lane.h"
#include "base/check.h"

namespace retailpulse {
namespace {

constexpr Duration kWait = std::chrono::milliseconds{100};

// kNone: a reason that another release wrote.
Reason reason_of(std::string_view name) {
  const auto* found = std::find(kReasonNames.begin(), kReasonNames.end(), name);
  return found == kReasonNames.end() ? Reason::kNone
                                     : static_cast<Reason>(found - kReasonNames.begin());
}

ReplayOutcome outcome_of(Bucket bucket) {
  switch (bucket) {
    case Bucket::kDuplicate: return ReplayOutcome::kDuplicate;
    case Bucket::kFiltered: return ReplayOutcome::kFiltered;
    case Bucket::kRejected: return ReplayOutcome::kStillRejected;
    default: return ReplayOutcome::kCounted;
  }
}

ReplayOrder order_of(const RejectRow& row, PartitionSlot slot) {
  return {row.id, slot, row.offset, reason_of(row.reason), from_us(row.record_us), row.raw};
}

}  // namespace

Result<std::unique_ptr<ReplayDesk>> ReplayDesk::open(const std::string& store_path,
                                                     const Clock& clock) {
  auto history = open_history(store_path, clock);
  if (!history.ok()) return history.status();
  return std::make_unique<ReplayDesk>(std::move(history).value(), clock);
}

ReplayDesk::ReplayDesk(std::unique_ptr<HistoryReader> history, const Clock& clock)
    : clock_(clock), history_(std::move(history)) {}

void ReplayDesk::add(const PartitionStart& start, Lane& lane) {
  add(start, [&lane](std::vector<ReplayOrder> orders) { lane.replay(std::move(orders)); });
}

void ReplayDesk::add(const PartitionStart& start, Take take) {
  const MutexLock lock(mutex_);
  readers_[{start.topic, start.partition}] = {start.slot, std::move(take)};
}

void ReplayDesk::stop() {
  const MutexLock lock(mutex_);
  stopped_ = true;
  changed_.raise();
}

Result<ReplayReport> ReplayDesk::replay(const ReplayQuery& query) {
  {
    const MutexLock lock(mutex_);
    if (stopped_) return Status(Code::kUnavailable, "the program is ending");
    if (busy_ || missing_ > 0) {
      return Status(Code::kBusy, "a replay is under way already; try again in a moment");
    }
    busy_ = true;
  }
  // What the replay before committed is gone from the table that is read now.
  std::vector<RejectRow> rows;
  auto report = read(query, rows);
  if (report.ok()) {
    {
      const MutexLock lock(mutex_);
      report_ = std::move(report).value();
      give(rows);
    }
    const bool done = wait();
    const MutexLock lock(mutex_);
    if (done) report = report_;
    else report = Status(Code::kTimeout, "the pipeline has not come to the records yet; what is "
                                         "good of them will be counted, once");
  }
  const MutexLock lock(mutex_);
  busy_ = false;
  return report;
}

// The report with every record as if no partition were read.
Result<ReplayReport> ReplayDesk::read(const ReplayQuery& query, std::vector<RejectRow>& rows) {
  ReplayReport report;
  const std::size_t limit = std::min(query.limit, kReplayMax);
  const Status status = history_->read([&](HistoryView& view) {
    rows = view.rejects({query.before, limit, query.topic, query.reason});
    report.frame = view.clock().frame;
  });
  if (!status.ok()) return status;
  if (!rows.empty() && rows.size() == limit) report.next = rows.back().id;
  std::reverse(rows.begin(), rows.end());  // ids ascend, and with them a partition's offsets
  for (const RejectRow& row : rows) {
    report.records.push_back({row.id, row.topic, row.partition, row.offset,
                              row.raw.size() >= kRejectRawBytes ? ReplayOutcome::kCut
                                                                : ReplayOutcome::kNotRead,
                              {}, {}});
  }
  return report;
}

void ReplayDesk::give(const std::vector<RejectRow>& rows) {
  std::map<const Reader*, std::vector<ReplayOrder>> orders;
  for (const RejectRow& row : rows) {
    if (row.raw.size() >= kRejectRawBytes || reason_of(row.reason) == Reason::kNone) continue;
    const auto reader = readers_.find({row.topic, row.partition});
    if (reader == readers_.end()) continue;
    orders[&reader->second].push_back(order_of(row, reader->second.slot));
    ++missing_;
  }
  for (auto& [reader, of_lane] : orders) reader->take(std::move(of_lane));
}

void ReplayDesk::committed(std::uint64_t frame, const std::vector<Replayed>& replays) {
  if (replays.empty()) return;
  const MutexLock lock(mutex_);
  RP_CHECK(missing_ >= replays.size(), "a record is committed once for each time it was given");
  missing_ -= replays.size();
  report_.frame = frame;
  for (const Replayed& replayed : replays) {
    const auto record = std::lower_bound(
        report_.records.begin(), report_.records.end(), replayed.reject,
        [](const ReplayedRecord& r, std::int64_t id) { return r.id < id; });
    RP_CHECK(record != report_.records.end() && record->id == replayed.reject,
             "only records of the present replay come back");
    record->outcome = outcome_of(replayed.bucket);
    if (record->outcome != ReplayOutcome::kStillRejected) continue;
    record->reason = kReasonNames[static_cast<std::size_t>(replayed.now)];
    record->field = replayed.field;
  }
  changed_.raise();
}

bool ReplayDesk::wait() {
  const Duration until = clock_.monotonic() + kReplayWait;
  for (;;) {
    const auto seen = changed_.epoch();
    {
      const MutexLock lock(mutex_);
      if (missing_ == 0) return true;
      if (stopped_) return false;
    }
    if (clock_.monotonic() >= until) return false;
    changed_.wait(seen, kWait);
  }
}

}  // namespace retailpulse
