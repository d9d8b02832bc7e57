#include "window/recent_ids.h"

#include <algorithm>
#include <utility>

#include "base/check.h"

namespace retailpulse {
namespace {

constexpr std::size_t kRingMin = 64;

std::uint16_t tag_of(std::uint64_t id) { return static_cast<std::uint16_t>((id >> 48) | 1); }

}  // namespace

// Ids are hashes; the multiplication guards against a source whose hashes share their low bits.
std::size_t RecentIds::home(std::uint64_t id) const {
  return static_cast<std::size_t>((id * 0x9e3779b97f4a7c15ULL) >> 32) & (set_.size() - 1);
}

RecentIds::Place& RecentIds::find(std::uint64_t id) {
  const std::size_t mask = set_.size() - 1;
  std::size_t i = home(id);
  while (set_[i].tag != 0 && (set_[i].tag != tag_of(id) || ring_[set_[i].at] != id)) {
    i = (i + 1) & mask;
  }
  return set_[i];
}

bool RecentIds::first_seen(std::uint64_t id) {
  RP_CHECK(id != 0, "0 means that a record has no id");
  if (count_ == ring_.size() && ring_.size() < kRecentIds) grow();
  if (used_ == set_.size() / 2) fill_set();
  Place& place = find(id);
  if (place.tag != 0) return false;
  const std::size_t at = (begin_ + count_) & (ring_.size() - 1);
  if (count_ == kRecentIds) {
    begin_ = (begin_ + 1) & (ring_.size() - 1);  // the oldest makes room
  } else {
    ++count_;
  }
  ring_[at] = id;
  fresh_ = std::min(fresh_ + 1, count_);
  place = {static_cast<std::uint16_t>(at), tag_of(id)};
  ++used_;
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
  set_.resize(ring_.size() * kPlacesPerId);
  fill_set();
}

void RecentIds::fill_set() {
  std::fill(set_.begin(), set_.end(), Place{});
  for (std::size_t i = 0; i < count_; ++i) {
    const std::size_t at = (begin_ + i) & (ring_.size() - 1);
    find(ring_[at]) = {static_cast<std::uint16_t>(at), tag_of(ring_[at])};
  }
  used_ = count_;
}

}  // namespace retailpulse
