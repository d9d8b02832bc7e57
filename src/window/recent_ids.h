// RecentIds: the last kRecentIds record ids of one partition, for telling duplicates.
//
// Producers without idempotence, mirrors and replays write a record twice, nearly always close
// together. What counts as a duplicate depends on the partition's own records alone (exact
// first-in, first-out), so lanes, batches and restarts cannot change it.
//
// Thread:     role aggregator.
// Invariants: the set has a place for each id of the ring; 0 is never an id. A place whose id left
//             the ring stays until the set is half full and filled anew: it names a position where
//             another id stands by then, so it is never taken for one.
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
  // Where in the ring an id is. Four bytes, so that the set stays in the cache; the tag tells
  // nearly always what else only the ring could.
  struct Place {
    std::uint16_t at = 0;
    std::uint16_t tag = 0;  // of the id, never 0; 0: free
  };
  static constexpr std::size_t kPlacesPerId = 4;

  // Where `id` is, or the free place where it would be.
  [[nodiscard]] Place& find(std::uint64_t id);
  [[nodiscard]] std::size_t home(std::uint64_t id) const;
  void grow();
  void fill_set();

  std::vector<std::uint64_t> ring_;  // capacity is a power of two, <= kRecentIds
  std::vector<Place> set_;           // open addressing, kPlacesPerId for each of the ring
  std::size_t used_ = 0;             // places of the set
  std::size_t begin_ = 0;            // ring position of the oldest id
  std::size_t count_ = 0;
  std::size_t fresh_ = 0;            // of them, the newest that take_fresh() has not given
};

}  // namespace retailpulse
