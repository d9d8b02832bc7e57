// NaiveModel: the slow twin. What the numbers must be, from plain facts and std::map.
//
// It shares no code with the aggregator or the store beyond the fixed hash and the calendar, keeps
// every fact, and works out everything again when asked.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <retailpulse/config.h>

#include "base/zone.h"
#include "support/fact.h"
#include "support/text_rows.h"

namespace retailpulse::testing {

class NaiveModel {
 public:
  explicit NaiveModel(const TimeConfig& time);

  // Facts of one partition in offset order; the order between partitions makes no difference.
  // `floor_us`: when the fact was judged, all older panes were sealed in every tier.
  void add(const Fact& fact, std::int64_t floor_us = INT64_MIN);
  // All tables of all tiers, the listings, the rejects and the ledger, sorted. See text_rows.h.
  [[nodiscard]] Rows rows() const;

 private:
  struct Partition {
    PartitionCounts counts;
    std::deque<std::string> recent;   // ids first seen, oldest first
    std::set<std::string> recent_set;
  };

  static bool is_duplicate(Partition& partition, const std::string& id);

  Zone zone_;
  std::int64_t out_of_order_us_;
  std::map<std::uint32_t, Partition> partitions_;
  std::vector<Fact> counted_;
  Rows rejects_;
};

}  // namespace retailpulse::testing
