// Fold: rows by key while a commit is being prepared; handed out sorted by key.
//
// Rows are written in key order, because SQLite's B-tree then touches each leaf once. The index is
// open addressing over a dense vector: no allocation for a row.
//
// Thread:     role committer.
// Invariants: one row for each key; sorted() leaves the fold empty.
// Limits:     2^31 rows.
#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <utility>
#include <vector>

#include <retailpulse/epoch.h>

namespace retailpulse {

// The key of any rollup row; unused parts are 0. Its order is the primary key's.
struct RowKey {
  std::int64_t tier = 0;
  std::int64_t pane_us = 0;
  std::int64_t a = 0;
  std::int64_t b = 0;
  std::int64_t c = 0;

  friend auto operator<=>(const RowKey&, const RowKey&) = default;
};

template <class Value>
class Fold {
 public:
  struct Row {
    RowKey key;
    Value value;
  };

  // The row of `key`, made empty when new. Valid until the next call.
  Value& at(const RowKey& key) {
    if ((rows_.size() + 1) * 2 > index_.size()) grow();
    std::size_t i = slot_of(key);
    if (index_[i] == 0) {
      rows_.push_back({key, Value{}});
      index_[i] = static_cast<std::uint32_t>(rows_.size());
    }
    return rows_[index_[i] - 1].value;
  }

  [[nodiscard]] bool empty() const { return rows_.empty(); }

  [[nodiscard]] std::vector<Row> sorted() {
    std::sort(rows_.begin(), rows_.end(),
              [](const Row& x, const Row& y) { return x.key < y.key; });
    index_.assign(index_.size(), 0);
    return std::exchange(rows_, {});
  }

  void clear() { static_cast<void>(sorted()); }  // the rows are not wanted

 private:
  static std::uint64_t hash(const RowKey& k) {
    constexpr std::uint64_t kOdd = 0x9e3779b97f4a7c15ULL;
    std::uint64_t h = static_cast<std::uint64_t>(k.pane_us) * kOdd;
    h = (h ^ static_cast<std::uint64_t>(k.tier) ^ (h >> 29)) * kOdd;
    h = (h ^ static_cast<std::uint64_t>(k.a) ^ (h >> 29)) * kOdd;
    h = (h ^ static_cast<std::uint64_t>(k.b) ^ (h >> 29)) * kOdd;
    h = (h ^ static_cast<std::uint64_t>(k.c) ^ (h >> 29)) * kOdd;
    return h ^ (h >> 32);
  }

  std::size_t slot_of(const RowKey& key) const {
    std::size_t i = hash(key) & (index_.size() - 1);
    while (index_[i] != 0 && rows_[index_[i] - 1].key != key) i = (i + 1) & (index_.size() - 1);
    return i;
  }

  void grow() {
    index_.assign(std::max<std::size_t>(64, index_.size() * 2), 0);
    for (std::size_t r = 0; r < rows_.size(); ++r) {
      index_[slot_of(rows_[r].key)] = static_cast<std::uint32_t>(r + 1);
    }
  }

  std::vector<Row> rows_;
  std::vector<std::uint32_t> index_;  // 0: free; else row number + 1
};

}  // namespace retailpulse
