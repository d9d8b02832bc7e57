#include "app/status_board.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"

namespace retailpulse {
namespace {

constexpr Duration kRateWindow = std::chrono::seconds{5};
constexpr double kStaleAfterSeconds = 30;

double seconds(Duration d) { return std::chrono::duration<double>(d).count(); }

}  // namespace

StatusBoard::StatusBoard(const Clock& clock, const Metrics& metrics, bool demo)
    : clock_(clock), metrics_(metrics), demo_(demo), started_wall_us_(to_us(clock.wall())),
      started_(clock.monotonic()) {}

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

void StatusBoard::add_partition(PartitionSlot slot, const std::string& topic,
                                std::int32_t partition, Offset position, Offset target) {
  const MutexLock lock(mutex_);
  const auto i = index_of(slot);
  if (partitions_.size() <= i) {
    partitions_.resize(i + 1);
    targets_.resize(i + 1, 0);
    origins_.resize(i + 1, 0);
  }
  partitions_[i] = {topic, partition, position, target, false, false};
  targets_[i] = target;
  origins_[i] = position;
}

void StatusBoard::set_end(PartitionSlot slot, Offset end) {
  const MutexLock lock(mutex_);
  partitions_.at(index_of(slot)).end = end;
}

void StatusBoard::set_reachable(bool reachable, const std::string& reason) {
  const MutexLock lock(mutex_);
  reachable_ = reachable;
  unreachable_reason_ = reason;
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

bool StatusBoard::targets_reached() const {
  const MutexLock lock(mutex_);
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    if (partitions_[i].committed < targets_[i]) return false;
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

void StatusBoard::set_failed(const std::string& reason) {
  const MutexLock lock(mutex_);
  if (failure_.empty()) failure_ = reason;  // the first cause stays
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

void StatusBoard::fill_state(PipelineStatus& status) const {
  if (!failure_.empty()) {
    status.state = PipelineState::kReadOnly;
    status.reason = failure_;
  } else if (!reachable_) {
    status.state = PipelineState::kReconnecting;
    status.reason = unreachable_reason_;
  } else if (status.backfill_done < 1) {
    status.state = PipelineState::kBackfill;
    status.reason = fmt::format("{:.0f} % of the records that were waiting at the start are counted",
                                100 * status.backfill_done);
  } else if (status.lag_seconds > kStaleAfterSeconds) {
    status.state = PipelineState::kStale;
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
  status.records_per_s = rate();
  status.brokers = brokers_;
  status.topics = topics_;
  status.partitions = partitions_;
  status.notices.assign(notices_.begin(), notices_.end());
  fill_lag(status);
  fill_backfill(status);
  fill_state(status);
  return status;
}

}  // namespace retailpulse
