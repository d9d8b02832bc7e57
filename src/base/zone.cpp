#include "base/zone.h"

#include <stdexcept>

#include <date/tz.h>

#include "base/check.h"

namespace retailpulse {
namespace {

const date::time_zone& zone_of(const void* zone) {
  return *static_cast<const date::time_zone*>(zone);
}

date::local_time<Duration> local_of(std::int64_t as_if_utc_us) {
  return date::local_time<Duration>{Duration{as_if_utc_us}};
}

// The table is asked for two days longer: no reading is then on both sides of the border.
constexpr std::int64_t kBorderS = 2 * 86'400;

std::int64_t floor_s(std::int64_t us) {
  return date::floor<std::chrono::seconds>(Duration{us}).count();
}

}  // namespace

Zone::Zone(const void* zone, std::string name) : zone_(zone), name_(std::move(name)) {
  // The table's own name; for UTC any.
  if (auto rule = ZoneRule::of_zone(zone_of(zone).name())) {
    rule_ = std::make_shared<const ZoneRule>(*rule);
  }
}

Result<Zone> Zone::find(const std::string& name) {
  try {
    const auto* zone = name.empty() ? date::current_zone() : date::locate_zone(name);
    const bool utc = zone->name() == "Etc/UTC";  // what containers call it
    return Zone(zone, utc ? "UTC" : zone->name());
  } catch (const std::exception&) {
    if (name.empty()) return find("UTC");  // a container without /etc/localtime
    return Status(Code::kConfig, "zone \"" + name +
                                     "\" is not in the time zone database; give an IANA name such "
                                     "as \"Europe/Berlin\" or \"UTC\"");
  }
}

std::int64_t Zone::civil_day(EventTime t) const {
  constexpr std::int64_t kDayUs = 86'400'000'000;
  const auto local = local_of(to_us(t) + offset_us(t));
  const std::int64_t day = Duration{date::floor<date::days>(local).time_since_epoch()}.count();
  // Clocks put back over midnight (Newfoundland until 2011: 00:01 to 23:01) would enter a day
  // twice. It has begun and goes on: days tile time.
  return day_begin(day + kDayUs) <= t ? day + kDayUs : day;
}

EventTime Zone::day_begin(std::int64_t civil_day_us) const { return from_local(civil_day_us); }

std::int64_t Zone::offset_us(EventTime t) const {
  const std::int64_t s = floor_s(to_us(t));
  if (rule_ != nullptr && rule_->from_s() <= s - kBorderS) {
    return Duration{std::chrono::seconds{rule_->offset_s(s)}}.count();
  }
  return Duration{zone_of(zone_).get_info(t).offset}.count();
}

EventTime Zone::from_local(std::int64_t local_us) const {
  const std::int64_t s = floor_s(local_us);
  if (rule_ != nullptr && rule_->from_s() <= s - kBorderS) {
    const std::int64_t utc_s = rule_->from_local_s(s);
    const bool in_gap = utc_s + rule_->offset_s(utc_s) != s;  // then all readings are its end
    const std::int64_t rest_us = in_gap ? 0 : local_us - Duration{std::chrono::seconds{s}}.count();
    return EventTime{Duration{std::chrono::seconds{utc_s}} + Duration{rest_us}};
  }
  const auto info = zone_of(zone_).get_info(local_of(local_us));
  if (info.result == date::local_info::nonexistent) return EventTime{info.second.begin};
  return EventTime{Duration{local_us} - info.first.offset};
}

void DayCache::load(EventTime t) {
  constexpr std::int64_t kDayUs = 86'400'000'000;
  day_us_ = zone_.civil_day(t);
  begin_ = zone_.day_begin(day_us_);
  end_ = zone_.day_begin(day_us_ + kDayUs);
  RP_CHECK(begin_ <= t && t < end_, "a moment lies within its civil day");
}

}  // namespace retailpulse
