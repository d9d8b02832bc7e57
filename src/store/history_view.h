// StoreView: the queries of a HistoryView over the store's tables.
//
// Sums are folded here and not by GROUP BY: rows come in key order anyway, and SQLite would sort
// them a second time.
//
// Thread:     the one inside HistoryReader::read().
// Invariants: no row below the seal of its tier is read.
// Test:       tests/store/history_test.cpp
#pragma once

#include <string>
#include <vector>

#include <retailpulse/history.h>

#include "store/history_connection.h"

namespace retailpulse {

class StoreView final : public HistoryView {
 public:
  explicit StoreView(HistoryConnection& connection);

  [[nodiscard]] const HistoryClock& clock() const override { return clock_; }
  [[nodiscard]] std::string meta(std::string_view key) override;
  [[nodiscard]] std::vector<CurrencyRow> currencies() override;
  [[nodiscard]] std::vector<TotalPane> total_panes(const Window& window) override;
  void each_group_pane(Dimension by, const Window& window,
                       const std::function<void(const GroupPane&)>& on_row) override;
  [[nodiscard]] std::vector<GroupSum> group_sums(Dimension by, const Window& window) override;
  [[nodiscard]] std::vector<TypePane> type_panes(const Window& window) override;
  [[nodiscard]] std::vector<TypeSum> type_sums(const Window& window) override;
  [[nodiscard]] std::vector<RatingPane> rating_panes(const Window& window) override;
  [[nodiscard]] std::vector<RatingSum> rating_sums(const Window& window) override;
  [[nodiscard]] std::optional<double> visitors(const Window& window) override;
  [[nodiscard]] std::vector<GroupPane> product_panes(StoredId product,
                                                     const Window& window) override;
  [[nodiscard]] std::vector<RatingPane> product_rating_panes(StoredId product,
                                                             const Window& window) override;
  [[nodiscard]] std::optional<StoredId> find_name(Dimension dimension,
                                                  std::string_view text) override;
  [[nodiscard]] std::string name(Dimension dimension, StoredId id) override;
  [[nodiscard]] ProductRow product(StoredId id) override;
  [[nodiscard]] std::vector<PartitionRow> partitions() override;
  [[nodiscard]] std::vector<LedgerRow> ledger() override;
  [[nodiscard]] std::vector<LostRange> lost_ranges() override;
  [[nodiscard]] LostSum lost_sum() override;
  [[nodiscard]] std::vector<RejectRow> rejects(const RejectQuery& query) override;

 private:
  // First pane of the window that the tier still holds.
  [[nodiscard]] std::int64_t from(const Window& window) const;

  HistoryConnection& db_;
  HistoryClock clock_;
};

}  // namespace retailpulse
