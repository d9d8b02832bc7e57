#include "window/recent_ids.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace retailpulse {
namespace {

constexpr std::size_t kRingMin = 64;
constexpr std::size_t kEvictAhead = 8;

}  // namespace

// Ids are hashes; the multiplication guards against a source whose hashes share their low bits.
std::size_t RecentIds::home(std::uint64_t id) const {
  return static_cast<std::size_t>((id * 0x9e3779b97f4a7c15ULL) >> 32) & (set_.size() - 1);
}

bool RecentIds::first_seen(std::uint64_t id) {
  RP_CHECK(id != 0, "0 means that a record has no id");
  if (count_ == ring_.size() && ring_.size() < kRecentIds) grow();
  const std::size_t mask = set_.size() - 1;
  for (std::size_t i = home(id); set_[i] != 0; i = (i + 1) & mask) {
    if (set_[i] == id) return false;
  }
  if (count_ == kRecentIds) evict_oldest();
  ring_[(begin_ + count_) & (ring_.size() - 1)] = id;
  ++count_;
  fresh_ = std::min(fresh_ + 1, count_);
  insert(id);
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
  set_.assign(ring_.size() * 2, 0);
  for (std::size_t i = 0; i < count_; ++i) insert(ring_[i]);
}

void RecentIds::insert(std::uint64_t id) {
  std::size_t i = home(id);
  while (set_[i] != 0) i = (i + 1) & (set_.size() - 1);
  set_[i] = id;
}

// Closes the hole by moving later entries of the run back, so that no tombstones pile up.
void RecentIds::evict_oldest() {
  const std::size_t mask = set_.size() - 1;
  std::size_t hole = home(ring_[begin_]);
  while (set_[hole] != ring_[begin_]) hole = (hole + 1) & mask;
  for (std::size_t i = (hole + 1) & mask; set_[i] != 0; i = (i + 1) & mask) {
    const std::size_t from_home = (i - home(set_[i])) & mask;
    const std::size_t from_hole = (i - hole) & mask;
    if (from_home < from_hole) continue;  // it would move before its home
    set_[hole] = set_[i];
    hole = i;
  }
  set_[hole] = 0;
  begin_ = (begin_ + 1) & (ring_.size() - 1);
  prefetch(ring_[(begin_ + kEvictAhead) & (ring_.size() - 1)]);
  --count_;
  fresh_ = std::min(fresh_, count_);
}

}  // namespace retailpulse
