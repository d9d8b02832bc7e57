#include "serve/range.h"

#include <algorithm>
#include <chrono>
#include <optional>

#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr std::int64_t kDayUs = kTierUs[static_cast<std::size_t>(Tier::kDay)];
constexpr std::int64_t kMomentMinUs = -62'135'596'800 * kSecondUs;  // year 1
constexpr std::int64_t kMomentMaxUs = 253'402'300'800 * kSecondUs;  // year 10000
constexpr std::size_t kOffsetDigitsMax = 7;  // with kShiftsMax: never beyond int64
constexpr int kShiftsMax = 8;

std::int64_t width_of(Tier tier) { return kTierUs[static_cast<std::size_t>(tier)]; }

std::int64_t begin_of(const Zone& zone, std::int64_t civil_day_us) {
  return to_us(zone.day_begin(civil_day_us));
}

// Takes exactly `count` digits off the front.
std::optional<std::int64_t> take_digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  std::int64_t value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool take(std::string_view& text, std::string_view expected) {
  if (text.substr(0, expected.size()) != expected) return false;
  text.remove_prefix(expected.size());
  return true;
}

// "YYYY-MM-DD" as if in UTC.
std::optional<std::int64_t> take_date(std::string_view& text) {
  const auto year = take_digits(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_digits(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_digits(text, 2);
  if (!day) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{static_cast<unsigned>(*month)},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days{date}.time_since_epoch().count() * kDayUs;
}

// "HH:MM:SS[.fraction]" since midnight; a fraction finer than a microsecond is cut.
std::optional<std::int64_t> take_time_of_day(std::string_view& text) {
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59 || !take(text, ":")) return std::nullopt;
  const auto second = take_digits(text, 2);
  if (!second || *second > 60) return std::nullopt;  // 60: a leap second
  std::int64_t us = ((*hour * 60 + *minute) * 60 + *second) * kSecondUs;
  if (!take(text, ".")) return us;
  std::int64_t unit = kSecondUs / 10;
  if (text.empty() || text[0] < '0' || text[0] > '9') return std::nullopt;
  for (; !text.empty() && text[0] >= '0' && text[0] <= '9'; text.remove_prefix(1), unit /= 10) {
    us += (text[0] - '0') * unit;
  }
  return us;
}

// "Z" or "+HH:MM"; a '+' in a query may have become a blank.
std::optional<std::int64_t> take_offset(std::string_view& text) {
  if (take(text, "Z") || take(text, "z")) return 0;
  const bool east = take(text, "+") || take(text, " ");
  if (!east && !take(text, "-")) return std::nullopt;
  const auto hour = take_digits(text, 2);
  if (!hour || *hour > 23 || !take(text, ":")) return std::nullopt;
  const auto minute = take_digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  const std::int64_t us = (*hour * 60 + *minute) * 60 * kSecondUs;
  return east ? us : -us;
}

std::optional<std::int64_t> parse_absolute(std::string_view text, const Zone& zone) {
  const auto day = take_date(text);
  if (!day) return std::nullopt;
  if (text.empty()) return begin_of(zone, *day);
  if (!take(text, "T") && !take(text, "t") && !take(text, " ")) return std::nullopt;
  const auto time = take_time_of_day(text);
  if (!time) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return *day + *time - *offset;
}

std::optional<std::int64_t> unit_us(char unit) {
  switch (unit) {
    case 's': return kSecondUs;
    case 'm': return 60 * kSecondUs;
    case 'h': return 3600 * kSecondUs;
    case 'd': return kDayUs;
    default: return std::nullopt;
  }
}

// Any number of +N or -N with a unit; days of `civil` move the date, so that a day of 23 or 25
// hours is a day.
bool take_shift(std::string_view& text, std::int64_t& civil, std::int64_t& us) {
  const bool back = text[0] == '-';
  if (!back && text[0] != '+' && text[0] != ' ') return false;
  text.remove_prefix(1);
  std::size_t digits = 0;
  while (digits < text.size() && text[digits] >= '0' && text[digits] <= '9') ++digits;
  if (digits == 0 || digits > kOffsetDigitsMax || digits == text.size()) return false;
  const std::int64_t count = *take_digits(text, digits) * (back ? -1 : 1);
  const auto unit = unit_us(text[0]);
  if (!unit) return false;
  (text[0] == 'd' ? civil : us) += count * *unit;
  text.remove_prefix(1);
  return true;
}

std::optional<std::int64_t> parse_relative(std::string_view text, const DataClock& clock,
                                           const Zone& zone) {
  const bool from_now = take(text, "now");
  const bool yesterday = !from_now && take(text, "yesterday");
  if (!from_now && !yesterday && !take(text, "today")) return std::nullopt;
  std::int64_t days_us = yesterday ? -kDayUs : 0;
  std::int64_t us = 0;
  for (int shifts = 0; !text.empty(); ++shifts) {
    if (shifts == kShiftsMax || !take_shift(text, days_us, us)) return std::nullopt;
  }
  if (from_now) return clock.now_us + days_us + us;
  const std::int64_t day = clock.today_us + days_us;
  if (day < kMomentMinUs || day > kMomentMaxUs) return std::nullopt;
  return begin_of(zone, day) + us;
}

std::int64_t ceil_to(std::int64_t us, std::int64_t width) {
  const std::int64_t floor = pane_of(us, width);
  return floor == us ? us : floor + width;
}

bool is_day_begin(std::int64_t us, const Zone& zone) {
  return begin_of(zone, zone.civil_day(from_us(us))) == us;
}

// Whether the panes of `tier` hold this range and nothing else. An end at or past the edge of the
// data is met by any pane: there is nothing behind it.
bool fits(const TimeRange& range, Tier tier, const DataClock& clock, const Zone& zone) {
  const bool open = range.to_us >= clock.edge_us;
  if (tier == Tier::kDay) {
    return is_day_begin(range.from_us, zone) && (open || is_day_begin(range.to_us, zone));
  }
  const std::int64_t width = width_of(tier);
  return pane_of(range.from_us, width) == range.from_us &&
         (open || pane_of(range.to_us, width) == range.to_us);
}

bool holds(const Window& window, const HistoryClock& history) {
  return window.from_us >= history.sealed_us[static_cast<std::size_t>(window.tier)];
}

}  // namespace

DataClock data_clock(const HistoryClock& history, const Zone& zone) {
  DataClock clock;
  clock.now_us = history.watermark_us.value_or(history.newest_event_us.value_or(history.wall_us));
  clock.today_us = zone.civil_day(from_us(clock.now_us));
  clock.day_from_us = begin_of(zone, clock.today_us);
  clock.day_to_us = begin_of(zone, clock.today_us + kDayUs);
  clock.before_from_us = begin_of(zone, clock.today_us - kDayUs);
  const std::int64_t newest = history.newest_event_us.value_or(clock.now_us - 1) + 1;
  clock.edge_us = std::clamp(newest, clock.now_us, std::max(clock.now_us, clock.day_to_us));
  return clock;
}

Result<std::int64_t> parse_moment(std::string_view text, const DataClock& clock,
                                  const Zone& zone) {
  auto moment = parse_relative(text, clock, zone);
  if (!moment) moment = parse_absolute(text, zone);
  if (moment && *moment >= kMomentMinUs && *moment < kMomentMaxUs) return *moment;
  return Status(Code::kInvalid,
                fmt::format("\"{}\" is not a time; write RFC 3339 (2026-11-22T14:00:00Z), a date, "
                            "now, today or yesterday, or one of them with -N or +N of s, m, h or d "
                            "(now-15m)",
                            text.substr(0, 64)));
}

Result<TimeRange> parse_range(std::string_view from, std::string_view to, const DataClock& clock,
                              const Zone& zone) {
  TimeRange range{clock.day_from_us, clock.edge_us};
  if (!from.empty()) {
    auto moment = parse_moment(from, clock, zone);
    if (!moment.ok()) return moment.status();
    range.from_us = moment.value();
  }
  if (!to.empty()) {
    auto moment = parse_moment(to, clock, zone);
    if (!moment.ok()) return moment.status();
    range.to_us = moment.value();
  }
  if (to.empty() && range.to_us < range.from_us) range.to_us = range.from_us;
  if (range.to_us < range.from_us) {
    return Status(Code::kInvalid, fmt::format("the range ends ({}) before it begins ({})",
                                              utc_text(range.to_us), utc_text(range.from_us)));
  }
  return range;
}

Cut cut_range(const TimeRange& range, Tier tier, const Zone& zone) {
  const std::int64_t last = std::max(range.from_us, range.to_us - 1);
  if (tier == Tier::kDay) {
    const std::int64_t first_day = zone.civil_day(from_us(range.from_us));
    const std::int64_t end_day = zone.civil_day(from_us(last)) + kDayUs;
    return {{tier, first_day, end_day}, {begin_of(zone, first_day), begin_of(zone, end_day)}};
  }
  const std::int64_t width = width_of(tier);
  const std::int64_t from = pane_of(range.from_us, width);
  const std::int64_t to = std::max(ceil_to(range.to_us, width), from);
  return {{tier, from, to}, {from, to}};
}

Cut cut_range(const TimeRange& range, const TierChoice& choice, const HistoryClock& history,
              const DataClock& clock, const Zone& zone) {
  const int finest = static_cast<int>(choice.finest);
  const auto cut_at = [&](int tier) { return cut_range(range, static_cast<Tier>(tier), zone); };
  const auto bearable = [&](const Cut& cut) {
    return holds(cut.window, history) &&
           (cut.window.to_us - cut.window.from_us) / width_of(cut.window.tier) <= choice.panes_max;
  };
  for (int tier = static_cast<int>(Tier::kDay); tier >= finest; --tier) {
    const Cut cut = cut_at(tier);
    if (fits(range, cut.window.tier, clock, zone) && bearable(cut)) return cut;
  }
  for (int tier = finest; tier < static_cast<int>(Tier::kDay); ++tier) {
    const Cut cut = cut_at(tier);
    if (bearable(cut)) return cut;
  }
  return cut_at(static_cast<int>(Tier::kDay));
}

TimeRange pane_range(Tier tier, std::int64_t pane_us, const Zone& zone) {
  if (tier == Tier::kDay) return {begin_of(zone, pane_us), begin_of(zone, pane_us + kDayUs)};
  return {pane_us, pane_us + width_of(tier)};
}

std::string day_text(std::int64_t civil_day_us) {
  const std::chrono::year_month_day date{
      std::chrono::floor<std::chrono::days>(from_us(civil_day_us))};
  return fmt::format("{:04}-{:02}-{:02}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
}

std::string utc_text(std::int64_t us) {
  const std::int64_t in_day = us - pane_of(us, kDayUs);
  const std::int64_t seconds = in_day / kSecondUs;
  std::string text = fmt::format("{}T{:02}:{:02}:{:02}", day_text(us), seconds / 3600,
                                 seconds / 60 % 60, seconds % 60);
  if (in_day % kSecondUs != 0) {
    std::string fraction = fmt::format(".{:06}", in_day % kSecondUs);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    text += fraction;
  }
  return text + "Z";
}

}  // namespace retailpulse
