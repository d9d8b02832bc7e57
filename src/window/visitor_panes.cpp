#include "window/visitor_panes.h"

#include <utility>

namespace retailpulse {

void VisitorPanes::claim(Place& place, std::int64_t pane_us) {
  place.pane_us = pane_us;
  if (place.ranks == nullptr) place.ranks = std::make_unique<Ranks>();
}

std::vector<VisitorMark> VisitorPanes::take() {
  std::vector<VisitorMark> out;
  out.reserve(size());
  for (Place& place : places_) {
    if (place.set == 0) continue;
    for (std::size_t reg = 0; reg < kHllRegisters; ++reg) {
      const std::uint8_t rank = std::exchange((*place.ranks)[reg], std::uint8_t{0});
      if (rank != 0) out.push_back({place.pane_us, static_cast<std::uint16_t>(reg), rank});
    }
    place.set = 0;
  }
  size_ = 0;
  const std::vector<VisitorMark> others = others_.take();
  out.insert(out.end(), others.begin(), others.end());
  return out;
}

}  // namespace retailpulse
