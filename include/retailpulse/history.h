// HistoryReader: what has been committed, for reading: one consistent view for each answer.
//
// Every page, API answer and frame is made inside one read(), which is one SQLite read
// transaction: two numbers of an answer can never belong to two commits. The body runs at once on
// the calling thread and must not wait for anything, because an open read transaction keeps the
// WAL from being reset.
//
// A query that fails (deadline, damaged file) returns nothing and marks the view; read() then
// returns that status and the caller throws its half answer away.
//
// Thread:     any (a small pool of read-only connections inside).
// Invariants: rows of a tier below its seal are never returned.
// Limits:     a read() longer than its deadline ends with kTimeout; kHistoryConnectionsMax idle
//             connections are kept.
// Test:       tests/store/history_test.cpp
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/history_rows.h>
#include <retailpulse/status.h>

namespace retailpulse {

inline constexpr std::size_t kHistoryConnectionsMax = 8;

class HistoryView {  // Thread: the one inside read()
 public:
  virtual ~HistoryView() = default;

  [[nodiscard]] virtual const HistoryClock& clock() const = 0;
  // "zone", "instance", "created_us"; empty when the file has no such entry.
  [[nodiscard]] virtual std::string meta(std::string_view key) = 0;
  [[nodiscard]] virtual std::vector<CurrencyRow> currencies() = 0;

  // Ordered by (pane, currency).
  [[nodiscard]] virtual std::vector<TotalPane> total_panes(const Window& window) = 0;
  // Rows of (pane, key, currency), by pane; categories and products only, not at tier 10 s. A
  // product that stands under several categories has a row for each. They are many: they are
  // handed over one by one.
  virtual void each_group_pane(Dimension by, const Window& window,
                               const std::function<void(const GroupPane&)>& on_row) = 0;
  // The same, one row for each (key, currency) summed over the window; in no order.
  [[nodiscard]] virtual std::vector<GroupSum> group_sums(Dimension by, const Window& window) = 0;
  [[nodiscard]] virtual std::vector<TypePane> type_panes(const Window& window) = 0;
  [[nodiscard]] virtual std::vector<TypeSum> type_sums(const Window& window) = 0;
  [[nodiscard]] virtual std::vector<RatingPane> rating_panes(const Window& window) = 0;
  [[nodiscard]] virtual std::vector<RatingSum> rating_sums(const Window& window) = 0;
  // Distinct visitors of the window (tiers 10 s and day), within kHllError; empty: no sketch there.
  [[nodiscard]] virtual std::optional<double> visitors(const Window& window) = 0;

  // One product: a point look-up for each pane, so the window should be at most a few hundred.
  [[nodiscard]] virtual std::vector<GroupPane> product_panes(StoredId product,
                                                             const Window& window) = 0;
  [[nodiscard]] virtual std::vector<RatingPane> product_rating_panes(StoredId product,
                                                                     const Window& window) = 0;

  [[nodiscard]] virtual std::optional<StoredId> find_name(Dimension dimension,
                                                          std::string_view text) = 0;
  [[nodiscard]] virtual std::string name(Dimension dimension, StoredId id) = 0;
  [[nodiscard]] virtual ProductRow product(StoredId id) = 0;

  [[nodiscard]] virtual std::vector<PartitionRow> partitions() = 0;
  [[nodiscard]] virtual std::vector<LedgerRow> ledger() = 0;
  // Newest first, at most kLostRangesMax.
  [[nodiscard]] virtual std::vector<LostRange> lost_ranges() = 0;
  [[nodiscard]] virtual LostSum lost_sum() = 0;
  // Newest first.
  [[nodiscard]] virtual std::vector<RejectRow> rejects(const RejectQuery& query) = 0;
};

class HistoryReader {
 public:
  virtual ~HistoryReader() = default;
  // Runs `body` on one consistent view. kTimeout after the deadline, kStorage when the file cannot
  // be read, kCorrupt when it contradicts itself.
  virtual Status read(const std::function<void(HistoryView&)>& body) = 0;
  [[nodiscard]] virtual StoreSize size() const = 0;
};

// Opens an existing store for reading, also while another process writes it. `clock` is asked for
// the deadline and outlives the reader.
[[nodiscard]] Result<std::unique_ptr<HistoryReader>> open_history(
    const std::string& path, const Clock& clock, Duration deadline = std::chrono::seconds{2});

}  // namespace retailpulse
