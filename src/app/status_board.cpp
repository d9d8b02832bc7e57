#include "app/status_board.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "serve/range.h"

namespace retailpulse {
namespace {

constexpr Duration kRateWindow = std::chrono::seconds{5};
constexpr double kStaleAfterSeconds = 30;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

StatusBoard::StatusBoard(const Clock& clock, const Metrics& metrics, bool demo)
    : clock_(clock), metrics_(metrics), demo_(demo), started_wall_us_(to_us(clock.wall())),
      started_(clock.monotonic()), stages_(metrics) {}

std::uint64_t StatusBoard::wait_frame(std::uint64_t after, Duration timeout) const {
  const Duration deadline = clock_.monotonic() + timeout;
  for (;;) {
    const auto seen = changed_.epoch();
    if (frame() > after || stopping()) return frame();
    const Duration left = deadline - clock_.monotonic();
    if (left <= Duration::zero()) return frame();
    changed_.wait(seen, left);
  }
}

void StatusBoard::set_cluster(std::string brokers, std::vector<std::string> topics) {
  const MutexLock lock(mutex_);
  brokers_ = std::move(brokers);
  topics_ = std::move(topics);
}

void StatusBoard::add_partition(PartitionSlot slot, const TopicPartition& id, Offset position,
                                Offset target, const std::string& halted) {
  const MutexLock lock(mutex_);
  const auto i = index_of(slot);
  if (partitions_.size() <= i) {
    partitions_.resize(i + 1);
    targets_.resize(i + 1, 0);
    origins_.resize(i + 1, 0);
    logs_.resize(i + 1, Log::kUnknown);
  }
  partitions_[i] = {id.topic, id.partition, position, target, false, false, 0, halted};
  targets_[i] = target;
  origins_[i] = position;
}

SourceHealth::Moment StatusBoard::moment() const {
  return {clock_.monotonic(), to_us(clock_.wall())};
}

void StatusBoard::set_ends(const std::vector<EndOffsets>& ends) {
  const MutexLock lock(mutex_);
  health_.heard(moment());
  reachable_ = true;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    partitions_.at(i).end = ends[i].stable;
    health_.ends(static_cast<PartitionSlot>(i), ends[i].stable, ends[i].high, moment());
  }
}

void StatusBoard::set_trouble(LaneId lane, const std::string& why) {
  const MutexLock lock(mutex_);
  if (why.empty()) health_.heard(moment());  // it recovers when the leaders answered it
  health_.lane(lane, why, moment());
}

bool StatusBoard::in_trouble() const {
  const MutexLock lock(mutex_);
  return !health_.trouble().empty();
}

std::vector<PartitionSlot> StatusBoard::held_back() const {
  const MutexLock lock(mutex_);
  return health_.held_back();
}

void StatusBoard::set_reachable(bool reachable, const std::string& reason) {
  const MutexLock lock(mutex_);
  // The first attempt says why; the next ones, of the same fault, often only that.
  const bool told_more = !reachable && !reachable_ && unreachable_reason_.rfind(reason, 0) == 0;
  reachable_ = reachable;
  if (!told_more) unreachable_reason_ = reason;
  if (reachable) health_.met(moment());
}

void StatusBoard::notice(std::string text) {
  log(LogLevel::kWarning, "source", text);
  const MutexLock lock(mutex_);
  if (!notices_.empty() && notices_.back() == text) return;
  notices_.push_back(std::move(text));
  if (notices_.size() > kNoticesMax) notices_.pop_front();
}

void StatusBoard::set_stopping() {
  stopping_.store(true, std::memory_order_release);
  changed_.raise();
}

void StatusBoard::watch_stages() {
  std::string still;
  {
    const MutexLock lock(mutex_);
    still = fmt::format("{}", fmt::join(stages_.look(clock_.monotonic()), ", "));
    if (still == still_) return;
    still_ = still;
  }
  notice(still.empty() ? "every stage moves again" : "standing still: " + still);
}

bool StatusBoard::targets_reached() const {
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    if (logs_[i] == Log::kHalted) continue;
    if (logs_[i] == Log::kUnknown || partitions_[i].committed < targets_[i]) return false;
  }
  return true;
}

std::string StatusBoard::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

StatusBoard::Counts StatusBoard::counts() const {
  const MutexLock lock(mutex_);
  return counts_;
}

void StatusBoard::committed(std::uint64_t frame, const std::vector<std::unique_ptr<Epoch>>& epochs,
                            const std::vector<PartitionSlot>& idle) {
  {
    const MutexLock lock(mutex_);
    for (PartitionStatus& partition : partitions_) partition.idle = false;
    for (const PartitionSlot slot : idle) partitions_.at(index_of(slot)).idle = true;
    for (const auto& epoch : epochs) {
      newest_record_us_ = std::max(newest_record_us_, epoch->newest_record_us);
      for (const PartitionAdvance& advance : epoch->advances) {
        PartitionStatus& partition = partitions_.at(index_of(advance.slot));
        partition.committed = advance.next;
        partition.at_end = advance.at_end;
        Log& log = logs_.at(index_of(advance.slot));
        if (log == Log::kUnknown) log = Log::kRead;
        if (log == Log::kRead) partition.halted.clear();
        partition.end = std::max(partition.end, advance.next);
        records_ += advance.records;
        for (std::size_t b = 0; b < kBuckets; ++b) counts_[b] += advance.counts[b];
      }
    }
    samples_.push_back({clock_.monotonic(), records_});
    while (samples_.size() > 2 && (samples_.size() > kRateSamplesMax ||
                                   samples_.back().at - samples_[1].at > kRateWindow)) {
      samples_.pop_front();
    }
  }
  frame_.store(frame, std::memory_order_release);
  changed_.raise();
}

std::vector<std::pair<PartitionSlot, Offset>> StatusBoard::end_offsets() const {
  const MutexLock lock(mutex_);
  std::vector<std::pair<PartitionSlot, Offset>> ends;
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    if (partitions_[i].end >= 0) ends.emplace_back(static_cast<PartitionSlot>(i), partitions_[i].end);
  }
  return ends;
}

void StatusBoard::halt(PartitionSlot slot, const std::string& why) {
  const MutexLock lock(mutex_);
  PartitionStatus& partition = partitions_.at(index_of(slot));
  partition.halted = why;
  logs_.at(index_of(slot)) = Log::kHalted;
  partition.idle = partition.at_end = false;
}

std::string StatusBoard::halted() const {
  const MutexLock lock(mutex_);
  return halted_locked();
}

std::string StatusBoard::halted_locked() const {
  std::size_t count = 0;
  const PartitionStatus* first = nullptr;
  for (const PartitionStatus& p : partitions_) {
    if (p.halted.empty()) continue;
    ++count;
    if (first == nullptr) first = &p;
  }
  if (first == nullptr) return {};
  return fmt::format("{}.{} Nothing more is read there until somebody decides: end the program and "
                     "start it once with --new-log {} to count the new log after the old one.",
                     first->halted,
                     count == 1 ? "" : fmt::format(" So are {} more partitions.", count - 1),
                     first->topic);
}

void StatusBoard::set_failed(const std::string& reason) {
  const MutexLock lock(mutex_);
  if (!failure_.empty()) return;  // the first cause stays
  failure_ = reason;
  failed_us_ = moment().wall_us;
}

bool StatusBoard::set_paused(const std::string& reason) {
  const MutexLock lock(mutex_);
  if (paused_ == reason) return false;
  if (paused_.empty()) paused_us_ = moment().wall_us;
  paused_ = reason;
  return true;
}

double StatusBoard::rate() const {
  if (samples_.size() < 2) return 0;
  const Sample& from = samples_.front();
  const Duration span = std::max(samples_.back().at, clock_.monotonic()) - from.at;
  if (span <= Duration::zero()) return 0;
  return static_cast<double>(samples_.back().records - from.records) / seconds(span);
}

void StatusBoard::fill_lag(PipelineStatus& status) const {
  for (const PartitionStatus& p : partitions_) {
    if (p.end > p.committed) status.lag_records += static_cast<std::uint64_t>(p.end - p.committed);
  }
  if (status.lag_records > 0 && newest_record_us_ > 0) {
    status.lag_seconds = std::max(0.0, seconds(clock_.wall() - from_us(newest_record_us_)));
  }
}

void StatusBoard::fill_backfill(PipelineStatus& status) const {
  Offset done = 0;
  Offset all = 0;
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    if (targets_[i] <= origins_[i]) continue;
    all += targets_[i] - origins_[i];
    done += std::min(partitions_[i].committed, targets_[i]) - origins_[i];
  }
  status.backfill_done = all == 0 ? 1 : static_cast<double>(done) / static_cast<double>(all);
  const double spent = seconds(clock_.monotonic() - started_);
  if (done > 0 && done < all) {
    status.backfill_eta_s = spent * (1 / status.backfill_done - 1);
  }
}

// A partition that nobody can vouch for is not idle, whatever was the case before.
void StatusBoard::fill_doubts(PipelineStatus& status) const {
  if (!reachable_ || health_.stale_since_us(clock_.monotonic()) != 0) {
    for (PartitionStatus& partition : status.partitions) partition.idle = partition.at_end = false;
  }
  for (const PartitionSlot slot : health_.held_back()) {
    status.partitions.at(index_of(slot)).idle = false;
  }
  for (const SourceHealth::Blocked& one : health_.blocked(clock_.monotonic())) {
    status.partitions.at(index_of(one.slot)).blocked_since_us = one.since_us;
  }
}

// What stands between the records and us, the worst first; false: nothing does.
bool StatusBoard::fill_source_state(PipelineStatus& status) const {
  const Duration now = clock_.monotonic();
  status.stale_since_us = health_.stale_since_us(now);
  const std::string trouble = health_.trouble();
  if (!reachable_ || health_.silent(now)) {
    status.state = PipelineState::kReconnecting;
    status.reason = !reachable_ ? unreachable_reason_ : trouble;
    if (status.reason.empty()) status.reason = "the brokers do not answer";
    if (status.stale_since_us == 0) status.stale_since_us = started_wall_us_;
    return true;
  }
  if (std::string why = halted_locked(); !why.empty()) {
    status.state = PipelineState::kDegraded;
    status.reason = std::move(why);
    return true;
  }
  const auto blocked = health_.blocked(now);
  if (trouble.empty() && blocked.empty()) return false;
  status.state = PipelineState::kDegraded;
  status.reason = trouble;
  if (!trouble.empty()) return true;
  const SourceHealth::Blocked& first = blocked.front();
  const PartitionStatus& partition = partitions_.at(index_of(first.slot));
  status.reason = fmt::format(
      "topic '{}', partition {} is blocked by an open transaction since {}: what was written behind "
      "it ({} offsets) can be read by nobody until its producer ends it{}",
      partition.topic, partition.partition, utc_text(first.since_us), first.waiting,
      blocked.size() == 1 ? "" : fmt::format("; so are {} more partitions", blocked.size() - 1));
  return true;
}

void StatusBoard::fill_state(PipelineStatus& status) const {
  if (!failure_.empty()) {
    status.state = PipelineState::kReadOnly;
    status.reason = failure_;
    status.stale_since_us = failed_us_;
  } else if (!paused_.empty()) {
    status.state = PipelineState::kStorePaused;
    status.reason = paused_;
    status.stale_since_us = paused_us_;
  } else if (!status.still.empty()) {
    status.state = PipelineState::kDegraded;
    status.reason = fmt::format("{} stands still for more than {:.0f} s; a restart loses nothing",
                                fmt::join(status.still, ", "), seconds(StageWatch::kStillAfter));
  } else if (fill_source_state(status)) {
    return;
  } else if (status.backfill_done < 1) {
    status.state = PipelineState::kBackfill;
    status.reason = fmt::format("{:.0f} % of the records that were waiting at the start are counted",
                                100 * status.backfill_done);
  } else if (status.lag_seconds > kStaleAfterSeconds) {
    status.state = PipelineState::kStale;
    status.stale_since_us = newest_record_us_;
    status.reason = fmt::format("{} records wait to be counted, the newest counted one is {:.0f} s old",
                                status.lag_records, status.lag_seconds);
  } else {
    status.state = PipelineState::kLive;
  }
}

PipelineStatus StatusBoard::status() const {
  const MutexLock lock(mutex_);
  PipelineStatus status;
  status.demo = demo_;
  status.started_wall_us = started_wall_us_;
  status.uptime_s = seconds(clock_.monotonic() - started_);
  status.records_per_s = rate();
  status.brokers = brokers_;
  status.topics = topics_;
  status.partitions = partitions_;
  status.notices.assign(notices_.begin(), notices_.end());
  status.still = stages_.look(clock_.monotonic());
  fill_lag(status);
  fill_backfill(status);
  fill_doubts(status);
  fill_state(status);
  return status;
}

}  // namespace retailpulse
