// DeltaMap: rows by integer key, kept in one dense vector so that cutting an epoch is a move.
//
// The product map is nearly the whole cost of aggregation, so it is made for this one use: keys
// of a few integers that live in the row itself, no deletion, no allocation for a row, and a slot
// of eight bytes (32 bits of hash, row number) that a probe almost never has to look behind.
//
// A Key names its row type, and has hash(), is(row) and row(), the empty row.
//
// Thread:     role aggregator.
// Invariants: each slot in use points to the newest row of its key; rows_ holds all others too.
// Limits:     2^31 rows; at most half of the slots are used. After an epoch that used less than a
//             sixteenth of them the slots shrink, so that clearing costs no more than was done.
// Test:       tests/window/delta_map_test.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace retailpulse {

// Mixes two words; the upper half is good enough to index with any power of two.
[[nodiscard]] inline std::uint32_t mix_key(std::uint64_t a, std::uint64_t b) {
  std::uint64_t h = (a * 0x9e3779b97f4a7c15ULL) ^ ((b * 0xc2b2ae3d27d4eb4fULL) >> 7);
  h += b;
  h ^= h >> 32;
  h *= 0xd6e8feb86659fd93ULL;
  return static_cast<std::uint32_t>(h >> 32);
}

template <class Key>
class DeltaMap {
 public:
  using Row = typename Key::Row;

  // The newest row of `key`, made when there is none. Valid until the next at() or again().
  [[nodiscard]] Row& at(const Key& key) {
    if (last_ < rows_.size() && key.is(rows_[last_])) return rows_[last_];
    if ((rows_.size() + 1) * 2 > slots_.size()) grow();
    Slot& slot = find(key);
    if (slot.row == kFree) start_row(slot, key);
    last_ = slot.row;
    return rows_[last_];
  }

  // Starts another row of a key that has one, for a sum that would leave its type.
  [[nodiscard]] Row& again(const Key& key) {
    if ((rows_.size() + 1) * 2 > slots_.size()) grow();
    Slot& slot = find(key);
    start_row(slot, key);
    last_ = slot.row;
    return rows_[last_];
  }

  [[nodiscard]] std::size_t size() const { return rows_.size(); }

  // Start loading what at() will read: first the slot, some time later the row. Only hints.
  void prefetch_slot(const Key& key) const {
    if (!slots_.empty()) __builtin_prefetch(&slots_[key.hash() & (slots_.size() - 1)]);
  }
  void prefetch_row(const Key& key) const {
    if (slots_.empty()) return;
    const Slot& slot = slots_[key.hash() & (slots_.size() - 1)];
    if (slot.row != kFree) __builtin_prefetch(&rows_[slot.row], 1);
  }

  // Moves all rows out, in order of first appearance, and begins anew.
  [[nodiscard]] std::vector<Row> take() {
    const std::size_t used = rows_.size();
    std::vector<Row> out = std::exchange(rows_, {});
    rows_.reserve(used);
    if (slots_.size() > kSlotsMin && used * 16 < slots_.size()) {
      slots_ = std::vector<Slot>(slots_.size() / 4);
    } else if (used > 0) {
      std::fill(slots_.begin(), slots_.end(), Slot{});
    }
    last_ = 0;
    return out;
  }

 private:
  static constexpr std::uint32_t kFree = 0xffffffffU;
  static constexpr std::size_t kSlotsMin = 64;

  struct Slot {
    std::uint32_t hash = 0;
    std::uint32_t row = kFree;
  };

  [[nodiscard]] Slot& find(const Key& key) {
    const std::uint32_t hash = key.hash();
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t i = hash & mask;; i = (i + 1) & mask) {
      Slot& slot = slots_[i];
      if (slot.row == kFree) {
        slot.hash = hash;
        return slot;
      }
      if (slot.hash == hash && key.is(rows_[slot.row])) return slot;
    }
  }

  void start_row(Slot& slot, const Key& key) {
    slot.row = static_cast<std::uint32_t>(rows_.size());
    rows_.push_back(key.row());
  }

  // Slots carry their hash, so growing never looks at the rows.
  void grow() {
    const std::vector<Slot> old =
        std::exchange(slots_, std::vector<Slot>(std::max(kSlotsMin, slots_.size() * 2)));
    const std::size_t mask = slots_.size() - 1;
    for (const Slot& slot : old) {
      if (slot.row == kFree) continue;
      std::size_t i = slot.hash & mask;
      while (slots_[i].row != kFree) i = (i + 1) & mask;
      slots_[i] = slot;
    }
  }

  std::vector<Row> rows_;
  std::vector<Slot> slots_;
  std::size_t last_ = 0;  // row of the last answer: most events follow one of the same key
};

}  // namespace retailpulse
