#include "app/committer.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace retailpulse {
namespace {

constexpr int kCostFactor = 3;         // committing takes at most a third of the committer's time
constexpr int kCostFactorBehind = 15;  // or a fifteenth: what is old need not be shown at once
constexpr Duration kFarBehind = std::chrono::seconds{10};
constexpr Duration kLongCommit = std::chrono::milliseconds{20};  // shorter ones cost little anyway
constexpr Duration kIntervalMax = std::chrono::seconds{2};
constexpr Duration kQuietCommit = std::chrono::seconds{1};  // for a watermark that moves alone
constexpr Duration kWait = std::chrono::milliseconds{100};
constexpr int kTransientTries = 3;
constexpr Duration kRetryPause = std::chrono::seconds{1};

bool has_content(const Epoch& epoch) { return !epoch.advances.empty(); }

}  // namespace

Committer::Committer(const Config& config, const Clock& clock, RollupStore& store,
                     StatusBoard& board, Metrics& metrics, ReplayDesk& replays)
    : config_(config), clock_(clock), store_(store), board_(board), metrics_(metrics.commit),
      replays_(replays),
      watermark_(config.time, store.watermark_us()),
      committed_watermark_us_(store.watermark_us()) {}

Committer::~Committer() { join(); }

void Committer::add(const PartitionStart& start, std::int64_t max_event_us) {
  const MutexLock lock(inbox_mutex_);
  inbox_.push_back({start, max_event_us});
}

void Committer::start(std::vector<Lane*> lanes, std::function<void()> failed) {
  lanes_ = std::move(lanes);
  ended_.assign(lanes_.size(), false);
  failed_ = std::move(failed);
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "rp-commit");
    try {
      run();
    } catch (const std::exception& e) {
      RP_CHECK(false, e.what());
    }
  });
}

void Committer::join() {
  if (thread_.joinable()) thread_.join();
}

void Committer::run() {
  watermark_.adopt();
  Duration begun = clock_.monotonic();
  Duration due = begun;
  while (std::find(ended_.begin(), ended_.end(), false) != ended_.end()) {
    wait_until_due(begun, due);
    begun = clock_.monotonic();
    Epochs epochs;
    collect(epochs);
    Status status = take_inbox();
    const auto gaps = take_notices();
    if (status.ok() && !failed_already_) status = commit(epochs, gaps);
    if (!status.ok()) give_up(status);
    const bool rarely = behind_ > kFarBehind && cost_ > kLongCommit;
    const int factor = rarely ? kCostFactorBehind : kCostFactor;
    due = begun + std::clamp(factor * cost_, config_.pipeline.commit_interval,
                             std::max(kIntervalMax, config_.pipeline.commit_interval));
  }
  metrics_.turns.set(kEnded);
}

template <class Step>
Status Committer::insist(Step step) {
  for (int tries = 1;; ++tries) {
    const Status status = step();
    if (status.ok()) {
      if (std::exchange(paused_, false)) {
        board_.set_paused("");
        board_.notice("the store can be written again; counting goes on");
      }
      return status;
    }
    const bool waits = status.code() == Code::kBusy;
    const bool tries_again = status.code() == Code::kUnavailable && tries < kTransientTries;
    if ((!waits && !tries_again) || board_.stopping()) return status;
    pause(status);
    if (board_.stopping()) return status;
  }
}

void Committer::pause(const Status& why) {
  paused_ = true;
  const std::string reason = "the store cannot be written at the moment: " + why.message();
  if (board_.set_paused(reason)) board_.notice(reason + "; nothing is lost, it is tried each second");
  const Duration until = clock_.monotonic() + kRetryPause;
  while (clock_.monotonic() < until && !board_.stopping()) {
    metrics_.turns.add();
    const auto seen = signal_.epoch();
    signal_.wait(seen, std::min(until - clock_.monotonic(), kWait));
  }
}

void Committer::wait_until_due(Duration begun, Duration due) {
  for (;;) {
    metrics_.turns.add();
    const auto seen = signal_.epoch();
    const Duration left = due - clock_.monotonic();
    // With -e nobody waits for numbers that are complete.
    const bool complete = config_.exit_at_end &&
                          clock_.monotonic() - begun >= config_.pipeline.commit_interval &&
                          std::all_of(lanes_.begin(), lanes_.end(),
                                      [](Lane* lane) { return lane->caught_up(); });
    const bool asked = complete || board_.stopping() || std::any_of(lanes_.begin(), lanes_.end(), [](Lane* lane) {
      return lane->epoch_due();
    });
    if (left <= Duration::zero() || asked) return;
    signal_.wait(seen, std::min(left, kWait));
  }
}

// One epoch from each lane that still runs; they answer after the batch they are at, and judge what
// they read afterwards by the days that the commit of these epochs will have sealed.
void Committer::collect(Epochs& epochs) {
  const std::int64_t floor_us = store_.next_floor_us();
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    if (!ended_[i]) lanes_[i]->request_epoch(floor_us);
  }
  for (std::size_t i = 0; i < lanes_.size(); ++i) {
    std::unique_ptr<Epoch> epoch;
    while (!ended_[i]) {
      metrics_.turns.add();
      const auto seen = signal_.epoch();
      if (lanes_[i]->take_epoch(epoch)) break;
      signal_.wait(seen, kWait);
    }
    if (epoch == nullptr) continue;
    ended_[i] = epoch->last;
    epochs.push_back(std::move(epoch));
  }
}

// After collect(): a lane learns of a partition after we do, so no epoch can be ahead of us.
Status Committer::take_inbox() {
  watermark_.adopt();
  std::vector<NewPartition> added;
  {
    const MutexLock lock(inbox_mutex_);
    added.swap(inbox_);
  }
  for (const NewPartition& p : added) {
    const PartitionStart& start = p.start;
    const Status bound = insist(
        [&] { return store_.bind(start.slot, start.topic, start.partition, start.offset); });
    if (!bound.ok()) return bound;
    watermark_.add(p.start.slot, p.max_event_us);
  }
  return {};
}

std::vector<GapRow> Committer::take_notices() {
  watermark_.adopt();
  std::vector<GapRow> gaps;
  for (Lane* lane : lanes_) {
    for (SourceNotice& notice : lane->source().take_notices()) {
      using Kind = SourceNotice::Kind;
      if (notice.kind == Kind::kGap) gaps.push_back({notice.slot, notice.from, notice.to});
      if (notice.kind == Kind::kHalted) {
        halted_.emplace_back(notice.slot, notice.text);
        board_.halt(notice.slot, notice.text);
      }
      if (notice.kind == Kind::kError || notice.kind == Kind::kRecovered) {
        const bool well = notice.kind == Kind::kRecovered;
        if (well) watermark_.reconnected(clock_.monotonic());
        board_.set_trouble(lane->id(), well ? std::string() : notice.text);
      }
      board_.notice(std::move(notice.text));
    }
  }
  return gaps;
}

bool Committer::worth_a_commit(const Epochs& epochs, const std::vector<GapRow>& gaps) const {
  watermark_.adopt();
  const bool halted = halted_.size() != halted_committed_;
  if (!gaps.empty() || halted || std::any_of(epochs.begin(), epochs.end(),
                                   [](const auto& epoch) { return has_content(*epoch); })) {
    return true;
  }
  const bool moved = watermark_.value() != committed_watermark_us_ ||
                     watermark_.idle().size() != idle_count_;
  return moved && (clock_.monotonic() - last_commit_ >= kQuietCommit || board_.stopping());
}

Status Committer::commit(const Epochs& epochs, const std::vector<GapRow>& gaps) {
  watermark_.adopt();
  for (const auto& epoch : epochs) {
    for (const PartitionAdvance& a : epoch->advances) watermark_.advance(a, clock_.monotonic());
  }
  // What waits behind an open transaction may be older than all that was counted.
  for (const PartitionSlot slot : board_.held_back()) watermark_.doubt(slot);
  for (const auto& halted : halted_) watermark_.doubt(halted.first);  // nobody knows its end
  // Without a broker nobody can say that a partition is at its end: time stands still.
  if (!board_.in_trouble()) watermark_.refresh(clock_.monotonic(), clock_.wall());
  if (!worth_a_commit(epochs, gaps)) return {};
  CommitContext context;
  context.watermark_us = watermark_.value();
  context.wall_us = to_us(clock_.wall());
  context.out_of_order = config_.time.out_of_order;
  context.closed_by_wall = watermark_.closed_by_wall();
  context.idle = watermark_.idle();
  context.end_offsets = board_.end_offsets();
  context.halted = halted_;
  context.cluster_id = cluster_id_;
  std::vector<const Epoch*> parts;
  for (const auto& epoch : epochs) parts.push_back(epoch.get());
  CommitReport report;
  const Status committed = insist([&] {
    auto done = store_.commit(parts, gaps, context);
    if (done.ok()) report = done.value();
    return done.status();
  });
  if (!committed.ok()) return committed;
  metrics_.commits.add();
  metrics_.rows.add(report.rows_written);
  metrics_.commit_took.record(report.took);
  behind_ = {};
  for (const auto& epoch : epochs) {
    if (epoch->newest_record_us <= 0) continue;
    const Duration age = clock_.wall() - from_us(epoch->newest_record_us);
    metrics_.event_to_commit.record(age);
    behind_ = std::max(behind_, age);
  }
  cost_ = std::min(report.took, std::exchange(last_took_, report.took));
  last_commit_ = clock_.monotonic();
  committed_watermark_us_ = context.watermark_us;
  idle_count_ = context.idle.size();
  halted_committed_ = halted_.size();
  failpoint("publish");
  board_.committed(report.frame, epochs, context.idle);
  for (const auto& epoch : epochs) replays_.committed(report.frame, epoch->replays);
  failpoint("ack");
  ack(epochs);
  failpoint("after ack");
  const Status kept = insist([&] { return store_.maintain(); });
  return board_.stopping() && kept.code() == Code::kBusy ? Status() : kept;
}

void Committer::ack(const Epochs& epochs) {
  for (const auto& epoch : epochs) {
    std::vector<std::pair<PartitionSlot, Offset>> committed;
    for (const PartitionAdvance& a : epoch->advances) committed.emplace_back(a.slot, a.next);
    if (!committed.empty()) lanes_[index_of(epoch->lane)]->source().ack(committed);
  }
}

// Sticky: lanes are emptied so that they can end, nothing more is written, pages keep serving.
void Committer::give_up(const Status& status) {
  if (failed_already_) return;
  failed_already_ = true;
  if (board_.stopping() && status.code() == Code::kBusy) {
    log(LogLevel::kWarning, "store", "ends without its last commit; the next start reads it again",
        {{"cause", status.message()}});
    return;
  }
  log(LogLevel::kError, "store", "cannot commit; numbers stand still from here on",
      {{"cause", status.message()}});
  board_.set_failed(status.message());
  failed_();
}

}  // namespace retailpulse
