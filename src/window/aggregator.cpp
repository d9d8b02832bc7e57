#include "window/aggregator.h"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "base/check.h"
#include "base/failpoint.h"
#include "base/hll.h"
#include "window/sales.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kTenSecondsUs = kTierUs[static_cast<std::size_t>(Tier::kTenSeconds)];
// Texts weigh more than rows of numbers: an epoch of nothing but rejects stays near 4 MiB.
constexpr std::size_t kRowsOfReject = 64;
constexpr std::size_t kRowsOfListing = 4;
// How many events ahead the places that an event will touch are asked for: first the slot that
// says where its row is, then the row.
constexpr std::size_t kSlotAhead = 16;
constexpr std::size_t kRowAhead = 8;

template <class T>
void append_moved(std::vector<T>& into, std::vector<T>& from) {
  into.insert(into.end(), std::make_move_iterator(from.begin()),
              std::make_move_iterator(from.end()));
}

template <class Key>
void add_sales(DeltaMap<Key>& map, const Key& key, const Sales& sales) {
  if (!add_checked(map.at(key).sales, sales)) map.again(key).sales = sales;
}

std::uint64_t& count_of(PartitionAdvance& advance, Bucket bucket) {
  return advance.counts[static_cast<std::size_t>(bucket)];
}

// Thousandths of a star to 1..5, half up.
std::size_t star_of(std::int32_t rating_milli) {
  return static_cast<std::size_t>(std::clamp((rating_milli + 500) / 1000, 1, 5));
}

}  // namespace

Aggregator::Aggregator(LaneId lane, const TimeConfig& time, AggregatorMetrics& metrics)
    : lane_(lane), out_of_order_us_(time.out_of_order.count()), metrics_(metrics) {}

void Aggregator::restore(PartitionSlot slot, Offset next, std::int64_t max_event_us,
                         const std::vector<std::uint64_t>& recent_ids) {
  const std::size_t index = index_of(slot);
  if (index >= partitions_.size()) partitions_.resize(index + 1);
  Partition& p = partitions_[index];
  RP_CHECK(!p.known, "a partition is restored once");
  p.known = true;
  p.max_event_us = max_event_us;
  p.advance.slot = slot;
  p.advance.begin = next;
  p.advance.next = next;
  if (!planted(Plant::kIdsForgotten)) p.recent.restore(recent_ids);
}

void Aggregator::refuse_before(std::int64_t floor_us) {
  RP_CHECK(floor_us >= floor_us_, "a sealed day is never opened again");
  floor_us_ = floor_us;
}

Aggregator::Partition& Aggregator::partition(PartitionSlot slot) {
  const std::size_t index = index_of(slot);
  RP_CHECK(index < partitions_.size() && partitions_[index].known,
           "a partition is restored before its first batch");
  return partitions_[index];
}

void Aggregator::fold(EventBatch& batch) {
  if (batch.replays.empty()) {
    fold_records(batch);
  } else {
    fold_replays(batch);
  }
  take_texts(batch);
  metrics_.events.add(batch.events.size());
  metrics_.batches.add();
}

void Aggregator::fold_records(EventBatch& batch) {
  for (const Advance& advance : batch.advances) begin_advance(advance);
  for (const Reject& reject : batch.rejects) {
    PartitionAdvance& advance = partition(reject.slot).advance;
    ++count_of(advance, Bucket::kRejected);
    ++advance.rejected[static_cast<std::size_t>(reject.reason)];
  }
  bool counted = false;
  const std::vector<Event>& events = batch.events;
  for (std::size_t i = 0; i < events.size(); ++i) {
    if (i + kSlotAhead < events.size()) fetch_slots(events[i + kSlotAhead]);
    if (i + kRowAhead < events.size()) fetch_row(events[i + kRowAhead]);
    if ((events[i].flags & kFirstOfRecord) != 0) counted = begin_record(events[i]);
    if (counted) fold_event(events[i], batch.listings);
  }
}

// The ledger has these records already, as rejected: the store moves them. They are not late: it
// was we who did not understand them in time. When their day is gone they are too late all the same.
void Aggregator::fold_replays(EventBatch& batch) {
  RP_CHECK(batch.advances.empty() && batch.rejects.empty(), "replays come in batches of their own");
  for (Replayed& replayed : batch.replays) {
    Partition& p = partition(replayed.slot);
    touch(p, replayed.slot);
    if (replayed.bucket == Bucket::kCounted) {
      RP_CHECK(replayed.events > 0, "a counted record has events");
      const Event* const events = batch.events.data() + replayed.first_event;
      const std::uint64_t id = events->record_id;
      if (id != 0 && !p.recent.first_seen(id)) {
        replayed.bucket = Bucket::kDuplicate;
      } else if (too_late(*events)) {
        replayed.bucket = Bucket::kTooLate;
      } else {
        begin_counted(p, *events);
        for (std::uint32_t i = 0; i < replayed.events; ++i) fold_event(events[i], batch.listings);
      }
    }
    open_.replays.push_back(std::move(replayed));
  }
}

void Aggregator::touch(Partition& p, PartitionSlot slot) {
  if (!p.touched) touched_.push_back(slot);
  p.touched = true;
  p.advance.at_end = p.at_end;
}

void Aggregator::fetch_slots(const Event& event) {
  partition(event.slot).recent.prefetch(event.record_id);
  if (event.kind <= EventKind::kCancel) products_.prefetch_slot(product_key(event));
}

void Aggregator::fetch_row(const Event& event) {
  if (event.kind <= EventKind::kCancel) products_.prefetch_row(product_key(event));
}

ProductKey Aggregator::product_key(const Event& event) {
  return {minute_.pane(to_us(event.time)), event.product, event.category, event.currency};
}

void Aggregator::begin_advance(const Advance& advance) {
  Partition& p = partition(advance.slot);
  RP_CHECK(advance.next >= p.advance.next, "offsets of a partition only grow");
  p.at_end = advance.at_end;
  touch(p, advance.slot);
  p.advance.next = advance.next;
  if (advance.last.offset >= 0) p.advance.last = advance.last;
  p.advance.records += advance.records;
  count_of(p.advance, Bucket::kFiltered) += advance.filtered;
}

bool Aggregator::too_late(const Event& event) const {
  return to_us(event.time) < floor_us_ && event.kind != EventKind::kListing;
}

// Puts a record into its bucket; false: it is a duplicate or too late, and gives nothing.
bool Aggregator::begin_record(const Event& event) {
  Partition& p = partition(event.slot);
  RP_CHECK(p.touched, "a record's events and its advance are in one batch");
  if (event.record_id != 0 && !p.recent.first_seen(event.record_id)) {
    ++count_of(p.advance, planted(Plant::kWrongBucket) ? Bucket::kFiltered : Bucket::kDuplicate);
    return false;
  }
  if (too_late(event)) {
    ++count_of(p.advance, Bucket::kTooLate);
    return false;
  }
  const std::int64_t t = to_us(event.time);
  if (planted(Plant::kWatermarkDrop) && t < open_.newest_record_us - out_of_order_us_) {
    ++count_of(p.advance, Bucket::kTooLate);
    return false;
  }
  ++count_of(p.advance, Bucket::kCounted);
  // Late is judged by the watermark as the partition's earlier records left it.
  if (p.max_event_us != INT64_MIN &&
      ten_seconds_.pane(t) + kTenSecondsUs <= p.max_event_us - out_of_order_us_) {
    ++p.advance.late;
    if (planted(Plant::kLateDropped)) return false;
  }
  begin_counted(p, event);
  return true;
}

void Aggregator::begin_counted(Partition& p, const Event& event) {
  if ((event.flags & kFutureStamp) != 0) ++p.advance.future;
  if (event.type != kNoName) ++types_.at({minute_.pane(to_us(event.time)), event.type}).events;
}

void Aggregator::fold_event(const Event& event, std::vector<Listing>& listings) {
  Partition& p = partition(event.slot);
  const std::int64_t t = to_us(event.time);
  p.advance.min_event_us = std::min(p.advance.min_event_us, t);
  if ((event.flags & kFutureStamp) == 0) p.max_event_us = std::max(p.max_event_us, t);
  switch (event.kind) {
    case EventKind::kSale:
    case EventKind::kRefund:
    case EventKind::kCancel: fold_sales(event); break;
    case EventKind::kFeedback: fold_rating(event); break;
    case EventKind::kInteraction: break;
    case EventKind::kListing:
      RP_CHECK(event.listing < listings.size(), "a listing event names a listing of its batch");
      open_.listings.push_back(std::move(listings[event.listing]));
      return;
  }
  if (event.visitor != 0) mark_visitor(event);
}

void Aggregator::fold_sales(const Event& event) {
  const std::int64_t t = to_us(event.time);
  const Sales sales = sales_of(event);
  add_sales(totals_, TotalKey{ten_seconds_.pane(t), event.currency}, sales);
  add_sales(products_, product_key(event), sales);
  if (event.kind == EventKind::kSale && event.order != 0) {
    open_.order_lines.push_back(
        {event.order, event.time, event.product, event.category, event.currency});
  }
}

void Aggregator::fold_rating(const Event& event) {
  RatingDelta& row = ratings_.at({minute_.pane(to_us(event.time)), event.product});
  ++row.ratings;
  row.sum_milli += event.rating_milli;
  ++row.stars[star_of(event.rating_milli) - 1];
}

void Aggregator::mark_visitor(const Event& event) {
  const std::int64_t pane = ten_seconds_.pane(to_us(event.time));
  if (event.visitor == last_visitor_ && pane == last_pane_us_) return;
  last_visitor_ = event.visitor;
  last_pane_us_ = pane;
  visitors_.mark(pane, hll_mark(event.visitor));
}

void Aggregator::take_texts(EventBatch& batch) {
  append_moved(open_.names, batch.names);
  append_moved(open_.rejects, batch.rejects);
  open_.newest_record_us = std::max(open_.newest_record_us, batch.newest_record_us);
}

bool Aggregator::epoch_due() const {
  const std::size_t rows = totals_.size() + products_.size() + ratings_.size() + types_.size() +
                           visitors_.size() + open_.order_lines.size() +
                           open_.listings.size() * kRowsOfListing +
                           open_.rejects.size() * kRowsOfReject;
  return rows >= kEpochRowsMax;
}

bool Aggregator::empty() const { return touched_.empty() && open_.names.empty(); }

std::unique_ptr<Epoch> Aggregator::cut_epoch() {
  auto epoch = std::make_unique<Epoch>(std::exchange(open_, Epoch{}));
  epoch->lane = lane_;
  epoch->number = ++epochs_;
  epoch->totals = totals_.take();
  epoch->products = products_.take();
  epoch->ratings = ratings_.take();
  epoch->types = types_.take();
  epoch->visitors = visitors_.take();
  last_visitor_ = 0;  // its mark left with the epoch
  for (const PartitionSlot slot : touched_) {
    Partition& p = partition(slot);
    const auto& counts = p.advance.counts;
    RP_CHECK(p.advance.records == std::accumulate(counts.begin(), counts.end(), std::uint64_t{0}),
             "every record read is in exactly one bucket of the ledger");
    p.advance.max_event_us = p.max_event_us;
    p.advance.recent_ids = p.recent.take_fresh();
    const Offset next = p.advance.next;
    epoch->advances.push_back(std::move(p.advance));
    p.advance = PartitionAdvance{};
    p.advance.slot = slot;
    p.advance.begin = next;
    p.advance.next = next;
    p.touched = false;
  }
  touched_.clear();
  return epoch;
}

}  // namespace retailpulse
