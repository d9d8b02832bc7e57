// Tiers and panes: how time is cut. Pure functions.
//
// Panes are half-open [start, end) and aligned to the epoch; the day tier's pane is a civil day of
// the store's zone, written as that date's midnight *as if in UTC*, so that any SQLite tool can
// print it as a date. A delta is merged into every tier that is not sealed there; coarser tiers
// are never rebuilt from finer ones, so late events need no second way.
//
// Thread: any.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include <retailpulse/types.h>

namespace retailpulse {

enum class Tier : std::uint8_t { kTenSeconds, kMinute, kQuarter, kDay };
inline constexpr std::size_t kTiers = 4;
inline constexpr std::array<std::string_view, kTiers> kTierNames{"10s", "1m", "15m", "1d"};

inline constexpr std::int64_t kSecondUs = 1'000'000;
// Width of a tier's pane; a civil day has 23 to 25 hours, 24 is what its label is apart.
inline constexpr std::array<std::int64_t, kTiers> kTierUs{10 * kSecondUs, 60 * kSecondUs,
                                                          900 * kSecondUs, 86'400 * kSecondUs};

// floor(t / width) * width, also for times before 1970.
[[nodiscard]] constexpr std::int64_t pane_of(std::int64_t t_us, std::int64_t width_us) {
  const std::int64_t rest = t_us % width_us;
  return t_us - (rest < 0 ? rest + width_us : rest);
}
[[nodiscard]] constexpr std::int64_t pane_of(EventTime t, Tier tier) {
  return pane_of(to_us(t), kTierUs[static_cast<std::size_t>(tier)]);
}

}  // namespace retailpulse
