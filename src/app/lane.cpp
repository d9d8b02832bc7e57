#include "app/lane.h"

#include <pthread.h>

#include <algorithm>
#include <exception>
#include <string>

#include <fmt/format.h>

#include "app/batch_builder.h"
#include "base/check.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace retailpulse {
namespace {

constexpr Duration kPoll = std::chrono::milliseconds{20};   // so that a stop is seen
constexpr Duration kWait = std::chrono::milliseconds{100};  // a missed wake-up costs no more

void name_thread(const char* role, LaneId lane) {
  pthread_setname_np(pthread_self(), fmt::format("rp-{}-{}", role, index_of(lane)).c_str());
}

// A thread's root: an exception would be a bug; it ends the process with a name.
template <class Loop>
void run_root(const char* role, LaneId lane, Loop loop) {
  name_thread(role, lane);
  try {
    loop();
  } catch (const std::exception& e) {
    RP_CHECK(false, e.what());
  }
}

}  // namespace

Lane::Lane(LaneId id, const TimeConfig& time, std::unique_ptr<Source> source,
           std::unique_ptr<Decoder> decoder, Metrics& metrics, Signal& committer)
    : id_(id), time_(time), source_(std::move(source)), decoder_(std::move(decoder)),
      consumer_metrics_(metrics.consumers.at(index_of(id))),
      aggregator_metrics_(metrics.aggregators.at(index_of(id))), committer_(committer) {
  for (std::size_t i = 0; i < kBatches; ++i) {
    auto batch = std::make_unique<EventBatch>();
    RP_CHECK(free_.try_push(batch), "the free ring holds every batch");
  }
}

Lane::~Lane() {
  stop_reading();
  join();
}

void Lane::add(std::vector<LanePartition> partitions) {
  const MutexLock lock(inbox_mutex_);
  std::move(partitions.begin(), partitions.end(), std::back_inserter(inbox_));
}

void Lane::start(std::int64_t floor_us, std::function<void(const Status&)> failed) {
  failed_ = std::move(failed);
  floor_us_.store(floor_us, std::memory_order_relaxed);
  consumer_thread_ = std::thread([this] { run_root("src", id_, [this] { consume(); }); });
  aggregator_thread_ = std::thread([this] { run_root("agg", id_, [this] { aggregate(); }); });
}

void Lane::stop_reading() { stop_.store(true, std::memory_order_relaxed); }

void Lane::join() {
  if (consumer_thread_.joinable()) consumer_thread_.join();
  if (aggregator_thread_.joinable()) aggregator_thread_.join();
}

void Lane::request_epoch(std::int64_t floor_us) {
  floor_us_.store(floor_us, std::memory_order_relaxed);
  wanted_.fetch_add(1, std::memory_order_release);
  work_.raise();
}

bool Lane::take_epoch(std::unique_ptr<Epoch>& epoch) { return epochs_.try_pop(epoch); }

// --- consumer -----------------------------------------------------------------------------------

void Lane::consume() {
  BatchPtr batch;
  BatchBuilder builder(*decoder_);
  while (!stop_.load(std::memory_order_relaxed)) {
    consumer_metrics_.turns.add();
    if (batch == nullptr && (batch = free_batch()) == nullptr) break;  // stopping
    take_inbox(*batch);
    if (take_replays(*batch)) {
      push(batch);
      continue;
    }
    builder.begin(*batch);
    failpoint("poll");
    const Status status = source_->poll(builder, kPoll);
    if (!batch->starts.empty() || !batch->advances.empty()) push(batch);
    if (!status.ok()) {
      failed_(status);
      break;
    }
  }
  consumer_metrics_.turns.set(kEnded);
  consumed_.store(true, std::memory_order_release);
  work_.raise();
}

void Lane::take_inbox(EventBatch& batch) {
  std::vector<LanePartition> added;
  {
    const MutexLock lock(inbox_mutex_);
    added.swap(inbox_);
  }
  std::vector<PartitionStart> starts;
  for (LanePartition& partition : added) {
    decoder_->bind(partition.start.slot, *partition.stream);
    batch.starts.push_back(std::move(partition.restored));
    starts.push_back(std::move(partition.start));
  }
  if (!starts.empty()) source_->add(std::move(starts));
}

void Lane::replay(std::vector<ReplayOrder> orders) {
  const MutexLock lock(inbox_mutex_);
  std::move(orders.begin(), orders.end(), std::back_inserter(replays_));
}

bool Lane::take_replays(EventBatch& batch) {
  std::vector<ReplayOrder> orders;
  {
    const MutexLock lock(inbox_mutex_);
    orders.swap(replays_);
  }
  std::size_t done = 0;
  while (done < orders.size() && batch.events.size() < kLaneBatchEvents) {
    replay_into(*decoder_, orders[done++], batch);
  }
  if (done < orders.size()) {  // the rest goes into the next batch
    orders.erase(orders.begin(), orders.begin() + static_cast<std::ptrdiff_t>(done));
    replay(std::move(orders));
  }
  return !batch.replays.empty();
}

Lane::BatchPtr Lane::free_batch() {
  BatchPtr batch;
  for (;;) {
    const auto seen = space_.epoch();
    if (free_.try_pop(batch)) return batch;
    if (stop_.load(std::memory_order_relaxed)) return nullptr;
    consumer_metrics_.turns.add();
    consumer_metrics_.ring_full_waits.add();
    space_.wait(seen, kWait);
  }
}

// There is always room: batches in the ring and free ones together are kBatches.
void Lane::push(BatchPtr& batch) {
  failpoint("push");
  RP_CHECK(batches_.try_push(batch), "the batch ring holds every batch");
  failpoint("after push");
  work_.raise();
}

// --- aggregator ---------------------------------------------------------------------------------

void Lane::aggregate() {
  Aggregator aggregator(id_, time_, aggregator_metrics_);
  aggregator.adopt();
  aggregator.refuse_before(floor_us_.load(std::memory_order_relaxed));
  std::uint64_t answered = 0;
  for (;;) {
    aggregator_metrics_.turns.add();
    const auto seen = work_.epoch();
    const bool drained = consumed_.load(std::memory_order_acquire);  // read before looking for work
    const std::uint64_t wanted = wanted_.load(std::memory_order_acquire);
    if (wanted != answered && !drained) {
      answered = wanted;
      hand_over(aggregator, false);
      continue;
    }
    due_.store(aggregator.epoch_due(), std::memory_order_release);
    if (aggregator.epoch_due() && !(drained && wanted != answered)) {
      committer_.raise();
      work_.wait(seen, kWait);
      continue;
    }
    if (!aggregator.epoch_due() && fold_next(aggregator)) continue;
    if (drained && wanted != answered) {
      // Something may be left when the epoch was due: then this one is not the last.
      answered = wanted;
      if (!hand_over(aggregator, batches_.size_guess() == 0)) continue;
      aggregator_metrics_.turns.set(kEnded);
      return;
    }
    work_.wait(seen, kWait);
  }
}

bool Lane::fold_next(Aggregator& aggregator) {
  aggregator.adopt();
  BatchPtr batch;
  if (!batches_.try_pop(batch)) return false;
  aggregator_metrics_.ring_depth.set(batches_.size_guess());
  for (const SlotStart& start : batch->starts) {
    aggregator.restore(start.slot, start.next, start.max_event_us, start.recent_ids);
  }
  for (const Advance& advance : batch->advances) {
    const std::size_t slot = index_of(advance.slot);
    if (at_end_.size() <= slot) at_end_.resize(slot + 1, true);  // others' slots do not hold us
    at_end_[slot] = advance.at_end;
  }
  const bool caught_up = std::find(at_end_.begin(), at_end_.end(), false) == at_end_.end();
  if (caught_up_.exchange(caught_up, std::memory_order_acq_rel) != caught_up && caught_up) {
    committer_.raise();  // it may be waiting for just that
  }
  failpoint("fold");
  if (planted(Plant::kBatchTwice)) aggregator.fold(*batch);
  aggregator.fold(*batch);
  batch->clear();
  RP_CHECK(free_.try_push(batch), "the free ring holds every batch");
  space_.raise();
  return true;
}

// True when the lane has nothing more to give.
bool Lane::hand_over(Aggregator& aggregator, bool last) {
  aggregator.adopt();
  failpoint("cut");
  auto epoch = aggregator.cut_epoch();
  aggregator.refuse_before(floor_us_.load(std::memory_order_relaxed));  // of this epoch's request
  epoch->last = last;
  failpoint("after cut");
  RP_CHECK(epochs_.try_push(epoch), "the committer asks for one epoch at a time");
  committer_.raise();
  return last;
}

}  // namespace retailpulse
