#include "window/watermark.h"

#include <algorithm>

#include <retailpulse/window.h>

#include "base/check.h"

namespace retailpulse {

GlobalWatermark::GlobalWatermark(const TimeConfig& time, std::int64_t stored_us)
    : out_of_order_(time.out_of_order), idle_after_(time.idle_after), value_us_(stored_us) {}

void GlobalWatermark::add(PartitionSlot slot, std::int64_t max_event_us) {
  const std::size_t index = index_of(slot);
  if (index >= partitions_.size()) partitions_.resize(index + 1);
  RP_CHECK(!partitions_[index].known, "a partition is added once");
  partitions_[index].known = true;
  partitions_[index].max_event_us = max_event_us;
}

GlobalWatermark::Partition& GlobalWatermark::partition(PartitionSlot slot) {
  const std::size_t index = index_of(slot);
  RP_CHECK(index < partitions_.size() && partitions_[index].known,
           "a partition is added before its first epoch");
  return partitions_[index];
}

void GlobalWatermark::advance(const PartitionAdvance& advance, Duration now) {
  Partition& p = partition(advance.slot);
  p.max_event_us = std::max(p.max_event_us, advance.max_event_us);
  const bool moved = advance.next != advance.begin;
  if (advance.at_end && (moved || !p.at_end)) p.quiet_since = now;
  p.at_end = advance.at_end;
}

// One that is not known here yet has not vouched for anything.
void GlobalWatermark::doubt(PartitionSlot slot) {
  if (index_of(slot) < partitions_.size()) partitions_[index_of(slot)].at_end = false;
}

void GlobalWatermark::reconnected(Duration now) {
  for (Partition& p : partitions_) p.quiet_since = now;
}

std::int64_t GlobalWatermark::behind(std::int64_t max_event_us) const {
  return max_event_us == INT64_MIN ? INT64_MIN : max_event_us - out_of_order_.count();
}

std::int64_t GlobalWatermark::of(PartitionSlot slot) const {
  const std::size_t index = index_of(slot);
  return index < partitions_.size() ? behind(partitions_[index].max_event_us) : INT64_MIN;
}

void GlobalWatermark::raise(std::int64_t to_us) { value_us_ = std::max(value_us_, to_us); }

void GlobalWatermark::refresh(Duration now, EventTime wall) {
  idle_.clear();
  bool any_live = false;
  std::int64_t least_live = INT64_MAX;
  std::int64_t newest = INT64_MIN;
  for (std::size_t i = 0; i < partitions_.size(); ++i) {
    const Partition& p = partitions_[i];
    if (!p.known) continue;
    newest = std::max(newest, p.max_event_us);
    if (p.at_end && now - p.quiet_since >= idle_after_) {
      idle_.push_back(PartitionSlot{static_cast<std::uint32_t>(i)});
    } else {
      any_live = true;
      least_live = std::min(least_live, p.max_event_us);
    }
  }
  closed_by_wall_ = !any_live && newest != INT64_MIN;
  if (any_live) {
    raise(behind(least_live));
  } else if (newest != INT64_MIN) {
    raise(std::max(behind(newest), closed_until(newest, wall)));
  }
}

// How far the wall clock may close panes while all partitions are idle.
std::int64_t GlobalWatermark::closed_until(std::int64_t newest_us, EventTime wall) const {
  const std::int64_t since_newest = to_us(wall) - newest_us;
  const bool live = since_newest >= -kLiveWithin.count() && since_newest <= kLiveWithin.count();
  if (live) return to_us(wall) - out_of_order_.count() - idle_after_.count();
  constexpr auto kWidth = kTierUs[static_cast<std::size_t>(Tier::kTenSeconds)];
  return pane_of(newest_us, kWidth) + kWidth;
}

}  // namespace retailpulse
