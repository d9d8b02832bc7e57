// RecentIds: the last kRecentIds record ids of one partition, for telling duplicates.
//
// Producers without idempotence, mirrors and replays write a record twice, nearly always close
// together. What counts as a duplicate depends on the partition's own records alone (exact
// first-in, first-out), so lanes, batches and restarts cannot change it.
//
// Thread:     role aggregator.
// Invariants: the set holds exactly the ids of the ring; 0 is never an id.
// Limits:     kRecentIds ids; grows by doubling, 1.5 MiB at most for each partition whose records
//             carry ids, nothing for one whose records do not.
// Test:       tests/window/recent_ids_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace retailpulse {

inline constexpr std::size_t kRecentIds = std::size_t{1} << 16;

class RecentIds {
 public:
  // True, and remembered, when `id` is not among the last kRecentIds first-seen ids.
  [[nodiscard]] bool first_seen(std::uint64_t id);
  // Puts back what an earlier run remembered, oldest first. Only while empty.
  void restore(std::span<const std::uint64_t> oldest_first);
  // Ids first seen since the last call that are still remembered, oldest first.
  [[nodiscard]] std::vector<std::uint64_t> take_fresh();
  // Starts loading the place where `id` is or will be; only a hint.
  void prefetch(std::uint64_t id) const {
    if (!set_.empty()) __builtin_prefetch(&set_[home(id)], 1);
  }
  [[nodiscard]] std::size_t size() const { return count_; }

 private:
  [[nodiscard]] std::size_t home(std::uint64_t id) const;
  void grow();
  void evict_oldest();
  void insert(std::uint64_t id);

  std::vector<std::uint64_t> ring_;  // capacity is a power of two, <= kRecentIds
  std::vector<std::uint64_t> set_;   // open addressing, twice the ring; 0: free
  std::size_t begin_ = 0;            // ring position of the oldest id
  std::size_t count_ = 0;
  std::size_t fresh_ = 0;            // of them, the newest that take_fresh() has not given
};

}  // namespace retailpulse
