// Recount: the slow twin. Decoded records of one decoder -> the sums of every pane, from scratch.
//
// It shares no code with the aggregator or the store: plain maps, every rule written down once
// more, all listings and orders known before a category is decided. So a wrong number of the
// pipeline has to be made twice, in two ways, to stay unseen.
//
// Thread:     one at a time.
// Invariants: records of a partition come in offset order; the order between partitions is free.
// Limits:     kPanesMax minutes of products; full() then. Names beyond a dimension's cap are
//             "(other)" by the order in which they came, which a second reading need not repeat.
// Test:       tests/verify/recount_test.cpp, tests/integration/verify_test.py
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <tuple>
#include <unordered_set>
#include <utility>
#include <vector>

#include <retailpulse/epoch.h>
#include <retailpulse/event.h>

#include "base/zone.h"
#include "verify/panes.h"

namespace retailpulse {

class Recount {
 public:
  Recount(const Zone& zone, const PaneRange& range) : zone_(zone), range_(range) {}

  void add(const EventBatch& batch);
  // After the last record: which listing decides a category is known only then.
  [[nodiscard]] Panes panes() const;
  [[nodiscard]] std::uint64_t duplicates(PartitionSlot slot) const;
  [[nodiscard]] bool full() const { return sales_.size() > kPanesMax; }

 private:
  struct Ids {  // of one partition, the last that were seen first
    std::deque<std::uint64_t> order;
    std::unordered_set<std::uint64_t> set;
    std::uint64_t duplicates = 0;
  };
  struct Listed {
    NameId category = kNoName;
    Offset offset = 0;
    std::string name;
  };
  using Line = std::tuple<NameId, NameId, NameId>;  // product, own category, currency
  using SalesKey = std::tuple<std::int64_t, NameId, NameId, NameId>;  // minute, then a Line

  [[nodiscard]] bool is_duplicate(const Event& event);
  void add_event(const Event& event);
  void add_listing(const Listing& listing);
  [[nodiscard]] bool wanted(std::int64_t minute_us) const;
  [[nodiscard]] std::string text(Dimension dimension, NameId id) const;
  [[nodiscard]] std::string category_of(NameId product, NameId own, std::int64_t minute_us) const;
  void put(Panes& out, PaneTable table, std::int64_t minute_us, const std::string& name,
           const std::string& currency, const PaneSums& sums) const;
  void put_orders(Panes& out) const;

  const Zone& zone_;
  const PaneRange range_;
  std::array<std::vector<std::string>, kDimensions> names_;
  std::map<PartitionSlot, Ids> ids_;
  std::map<NameId, std::map<std::int64_t, Listed>> listings_;  // product, from
  std::map<SalesKey, PaneSums> sales_;
  std::map<std::pair<std::int64_t, NameId>, std::int64_t> types_;
  std::map<std::int64_t, PaneSums> ratings_;
  std::map<std::uint64_t, std::map<Line, std::int64_t>> orders_;  // first line of each, µs
};

}  // namespace retailpulse
