// RecentIds: the last kRecentIds record ids of one partition, for telling duplicates.
//
// Producers without idempotence, mirrors and replays write a record twice, nearly always close
// together. What counts as a duplicate depends on the partition's own records alone (exact
// first-in, first-out), so lanes, batches and restarts cannot change it.
//
// Thread:     role aggregator.
// Invariants: the set has exactly one place for each id of the ring; 0 is never an id.
// Limits:     kRecentIds ids; grows by doubling, 1 MiB at most for each partition whose records
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
  // Where in the ring an id is. Four bytes, so that twice as many places fit into the cache as ids
  // would; tag and distance tell nearly always what else only the ring could.
  struct Place {
    std::uint16_t at = 0;
    std::uint8_t tag = 0;       // of the id
    std::uint8_t distance = 0;  // from the id's home, plus one; 0: free; 255: 254 or more
  };
  static constexpr std::size_t kFar = 255;

  [[nodiscard]] std::size_t home(std::uint64_t id) const;
  [[nodiscard]] std::size_t from_home(std::size_t i) const;
  void grow();
  void evict_oldest();
  void insert(std::size_t at);

  std::vector<std::uint64_t> ring_;  // capacity is a power of two, <= kRecentIds
  std::vector<Place> set_;           // open addressing, twice the ring
  std::size_t begin_ = 0;            // ring position of the oldest id
  std::size_t count_ = 0;
  std::size_t fresh_ = 0;            // of them, the newest that take_fresh() has not given
};

}  // namespace retailpulse
