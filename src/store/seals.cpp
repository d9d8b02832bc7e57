#include "store/seals.h"

namespace retailpulse {
namespace {

constexpr auto kMinutes = static_cast<std::size_t>(Tier::kMinute);
constexpr auto kQuarters = static_cast<std::size_t>(Tier::kQuarter);

bool is_exact(std::int64_t minute_us, const Seals& seals) {
  return minute_us == INT64_MIN || minute_us >= seals.pane_us[kMinutes];
}

}  // namespace

std::int64_t last_kept(std::int64_t minute_us, const Seals& seals, const Zone& zone) {
  if (is_exact(minute_us, seals)) return minute_us;
  if (minute_us >= seals.pane_us[kQuarters]) return pane_of(minute_us, kTierUs[kQuarters]);
  return to_us(zone.day_begin(zone.civil_day(from_us(minute_us))));
}

std::int64_t next_kept(std::int64_t minute_us, const Seals& seals, const Zone& zone) {
  const std::int64_t last = last_kept(minute_us, seals, zone);
  if (last == minute_us) return minute_us;
  if (minute_us >= seals.pane_us[kQuarters]) return last + kTierUs[kQuarters];
  constexpr std::int64_t kDayUs = kTierUs[static_cast<std::size_t>(Tier::kDay)];
  return to_us(zone.day_begin(zone.civil_day(from_us(minute_us)) + kDayUs));
}

}  // namespace retailpulse
