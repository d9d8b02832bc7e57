// VisitorPanes: the visitor sketches of an epoch, as registers by pane.
//
// Events near each other in the log fall into few panes, and every one of them marks a register. So
// a few panes keep all their registers side by side, four KiB each and warm; what has no place
// there, because its neighbour in the table came first, becomes a row in a map.
//
// Thread:     role aggregator.
// Invariants: a pane that has a place in this epoch keeps it until the next one.
// Limits:     kPlaces panes of 4 KiB, and the rows of the others.
// Test:       tests/window/visitor_panes_test.cpp
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include <retailpulse/epoch.h>

#include "base/hll.h"
#include "window/delta_keys.h"
#include "window/delta_map.h"

namespace retailpulse {

class VisitorPanes {
 public:
  static constexpr std::size_t kPlaces = 32;

  explicit VisitorPanes(std::int64_t pane_width_us) : width_us_(pane_width_us) {}

  void mark(std::int64_t pane_us, HllMark mark) {
    Place& place = places_[static_cast<std::uint64_t>(pane_us / width_us_) % kPlaces];
    if (place.pane_us != pane_us || place.set == 0) [[unlikely]] {
      if (place.set != 0) {
        VisitorMark& row = others_.at({pane_us, mark.reg});
        row.rank = std::max(row.rank, mark.rank);
        return;
      }
      claim(place, pane_us);
    }
    std::uint8_t& rank = (*place.ranks)[mark.reg];
    if (mark.rank <= rank) return;
    if (rank == 0) {
      ++place.set;
      ++size_;
    }
    rank = mark.rank;
  }

  [[nodiscard]] std::size_t size() const { return size_ + others_.size(); }

  // Moves all marks out, those of a pane together, and begins anew.
  [[nodiscard]] std::vector<VisitorMark> take();

 private:
  using Ranks = std::array<std::uint8_t, kHllRegisters>;
  struct Place {
    std::int64_t pane_us = 0;
    std::uint32_t set = 0;         // registers that are not 0; 0: the place is free
    std::unique_ptr<Ranks> ranks;  // all 0 while it is free
  };

  static void claim(Place& place, std::int64_t pane_us);

  std::int64_t width_us_;
  std::array<Place, kPlaces> places_;
  std::size_t size_ = 0;           // marks in places
  DeltaMap<VisitorKey> others_;
};

}  // namespace retailpulse
