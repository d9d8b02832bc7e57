// SlowStore: sums epochs as the real store must, in memory and with std::map.
//
// It lets the aggregator be compared with the slow twin without a database, and plays the store's
// part at a restart: it knows the offset, newest event and recent ids of each partition.
//
// Thread: one at a time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/epoch.h>

#include "base/zone.h"
#include "support/tables.h"
#include "support/text_rows.h"

namespace retailpulse::testing {

class SlowStore {
 public:
  explicit SlowStore(const TimeConfig& time);

  // Commits one epoch; dies when it does not touch what was committed before (compare-and-set).
  void commit(const Epoch& epoch);
  // The lane starts again with an empty name table.
  void forget_names(LaneId lane) { names_.erase(lane); }

  struct Stored {
    Offset next = 0;
    std::int64_t max_event_us = INT64_MIN;
    std::vector<std::uint64_t> recent_ids;  // oldest first
  };
  [[nodiscard]] Stored stored(PartitionSlot slot) const;

  // As NaiveModel::rows().
  [[nodiscard]] Rows rows() const;

 private:
  struct Partition {
    PartitionCounts counts;
    Offset next = 0;
    std::vector<std::uint64_t> recent_ids;
  };
  using NameTable = std::array<std::vector<std::string>, kDimensions>;

  [[nodiscard]] std::string text(const NameTable& names, Dimension dimension, NameId id) const;
  void take_names(NameTable& names, const std::vector<NewName>& fresh);
  void take_sales(const NameTable& names, const Epoch& epoch);
  void take_listings(const NameTable& names, const Epoch& epoch);
  void take_advance(const PartitionAdvance& advance);

  Zone zone_;
  std::map<LaneId, NameTable> names_;
  std::map<PartitionSlot, Partition> partitions_;
  std::map<std::tuple<std::int64_t, std::string>, Sales> totals_;
  std::map<std::tuple<std::int64_t, std::string, std::string, std::string>, Sales> products_;
  std::map<std::tuple<std::int64_t, std::string>, RatingSum> ratings_;
  std::map<std::tuple<std::int64_t, std::string>, std::int64_t> types_;
  std::map<std::tuple<std::int64_t, std::uint16_t>, std::uint8_t> visitors_;
  std::vector<SharedLine> order_lines_;
  std::vector<ListingText> listings_;
  Rows rejects_;
};

}  // namespace retailpulse::testing
