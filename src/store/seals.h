// Seals: up to when the panes of each tier are gone, and what can still be told apart below that.
//
// Where minutes are gone a quarter is the least that can be moved to another category, where quarters
// are gone a day.
//
// Thread: frozen.
// Test:   tests/store/recategorise_test.cpp
#pragma once

#include <array>
#include <cstdint>

#include <retailpulse/window.h>

#include "base/zone.h"

namespace retailpulse {

// Panes that start before these are gone (INT64_MIN: none). Each but the last is aligned to the
// next coarser tier, so that a view can switch tiers without a gap or an overlap.
struct Seals {
  std::array<std::int64_t, kTiers> pane_us{INT64_MIN, INT64_MIN, INT64_MIN, INT64_MIN};
  std::int64_t quarter_day_us = INT64_MIN;  // the civil day at whose begin the quarters are sealed
};

// What is left of [from_us, to_us) when only whole panes of the finest tier that is still there
// count: from the next begin of one to the last. Bounds are minutes; INT64_MIN and INT64_MAX stay.
[[nodiscard]] std::int64_t next_kept(std::int64_t minute_us, const Seals& seals, const Zone& zone);
[[nodiscard]] std::int64_t last_kept(std::int64_t minute_us, const Seals& seals, const Zone& zone);

}  // namespace retailpulse
