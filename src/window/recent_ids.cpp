#include "window/recent_ids.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace retailpulse {
namespace {

constexpr std::size_t kRingMin = 64;
constexpr std::size_t kEvictAhead = 8;

std::uint8_t tag_of(std::uint64_t id) { return static_cast<std::uint8_t>(id >> 56); }

}  // namespace

// Ids are hashes; the multiplication guards against a source whose hashes share their low bits.
std::size_t RecentIds::home(std::uint64_t id) const {
  return static_cast<std::size_t>((id * 0x9e3779b97f4a7c15ULL) >> 32) & (set_.size() - 1);
}

bool RecentIds::first_seen(std::uint64_t id) {
  RP_CHECK(id != 0, "0 means that a record has no id");
  if (count_ == ring_.size() && ring_.size() < kRecentIds) grow();
  const std::size_t mask = set_.size() - 1;
  for (std::size_t i = home(id); set_[i].distance != 0; i = (i + 1) & mask) {
    if (set_[i].tag == tag_of(id) && ring_[set_[i].at] == id) return false;
  }
  if (count_ == kRecentIds) evict_oldest();
  const std::size_t at = (begin_ + count_) & (ring_.size() - 1);
  ring_[at] = id;
  ++count_;
  fresh_ = std::min(fresh_ + 1, count_);
  insert(at);
  return true;
}

void RecentIds::restore(std::span<const std::uint64_t> oldest_first) {
  RP_CHECK(count_ == 0, "ids are restored before the first record");
  for (const std::uint64_t id : oldest_first) {
    if (id != 0) static_cast<void>(first_seen(id));  // a repeated id is one id
  }
  fresh_ = 0;
}

std::vector<std::uint64_t> RecentIds::take_fresh() {
  std::vector<std::uint64_t> out;
  out.reserve(fresh_);
  for (std::size_t i = count_ - fresh_; i < count_; ++i) {
    out.push_back(ring_[(begin_ + i) & (ring_.size() - 1)]);
  }
  fresh_ = 0;
  return out;
}

void RecentIds::grow() {
  std::vector<std::uint64_t> bigger(std::max(kRingMin, ring_.size() * 2));
  for (std::size_t i = 0; i < count_; ++i) bigger[i] = ring_[(begin_ + i) & (ring_.size() - 1)];
  ring_ = std::move(bigger);
  begin_ = 0;
  set_.assign(ring_.size() * 2, {});
  for (std::size_t i = 0; i < count_; ++i) insert(i);
}

void RecentIds::insert(std::size_t at) {
  std::size_t i = home(ring_[at]);
  std::size_t distance = 1;
  for (; set_[i].distance != 0; ++distance) i = (i + 1) & (set_.size() - 1);
  set_[i] = {static_cast<std::uint16_t>(at), tag_of(ring_[at]),
             static_cast<std::uint8_t>(std::min(distance, kFar))};
}

// How far the place i is from the home of its id.
std::size_t RecentIds::from_home(std::size_t i) const {
  if (set_[i].distance < kFar) return set_[i].distance - std::size_t{1};
  return (i - home(ring_[set_[i].at])) & (set_.size() - 1);
}

// Closes the hole by moving later entries of the run back, so that no tombstones pile up.
void RecentIds::evict_oldest() {
  const std::size_t mask = set_.size() - 1;
  std::size_t hole = home(ring_[begin_]);
  while (set_[hole].at != begin_) hole = (hole + 1) & mask;
  for (std::size_t i = (hole + 1) & mask; set_[i].distance != 0; i = (i + 1) & mask) {
    const std::size_t distance = from_home(i);
    const std::size_t from_hole = (i - hole) & mask;
    if (distance < from_hole) continue;  // it would move before its home
    set_[hole] = set_[i];
    set_[hole].distance = static_cast<std::uint8_t>(std::min(distance - from_hole + 1, kFar));
    hole = i;
  }
  set_[hole] = {};
  begin_ = (begin_ + 1) & (ring_.size() - 1);
  prefetch(ring_[(begin_ + kEvictAhead) & (ring_.size() - 1)]);
  --count_;
  fresh_ = std::min(fresh_, count_);
}

}  // namespace retailpulse
