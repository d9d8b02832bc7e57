#include "app/config_values.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>
#include <vector>

namespace retailpulse {
namespace {

using namespace std::chrono;

struct Unit {
  std::string_view name;
  std::int64_t us;
};
// Greatest first, as duration_text wants them.
constexpr std::array<Unit, 5> kUnits{{{"d", 86'400'000'000},
                                      {"h", 3'600'000'000},
                                      {"m", 60'000'000},
                                      {"s", 1'000'000},
                                      {"ms", 1'000}}};

bool digits(std::string_view text, std::size_t begin, std::size_t count, int& out) {
  if (text.size() < begin + count) return false;
  const char* first = text.data() + begin;
  for (std::size_t i = 0; i < count; ++i) {
    if (first[i] < '0' || first[i] > '9') return false;
  }
  return std::from_chars(first, first + count, out).ec == std::errc{};
}

// "", "Z", "+01:00": the offset from UTC in minutes.
std::optional<int> parse_offset(std::string_view text) {
  if (text == "Z" || text == "z") return 0;
  int hours = 0;
  int mins = 0;
  const bool whole = text.size() == 6 && (text[0] == '+' || text[0] == '-') && text[3] == ':' &&
                     digits(text, 1, 2, hours) && digits(text, 4, 2, mins);
  if (!whole || hours > 23 || mins > 59) return std::nullopt;
  return (text[0] == '-' ? -1 : 1) * (hours * 60 + mins);
}

// ".123456" at the front of `text` is taken off; more digits than micros are cut.
std::optional<microseconds> take_fraction(std::string_view& text) {
  if (text.empty() || text[0] != '.') return microseconds{0};
  std::size_t at = 1;
  std::int64_t us = 0;
  std::int64_t unit = 100'000;
  for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
    us += (text[at] - '0') * unit;
  if (at == 1) return std::nullopt;
  text.remove_prefix(at);
  return microseconds{us};
}

std::size_t edit_distance(std::string_view a, std::string_view b) {
  // Optimal string alignment: a swap of neighbours is one slip, as it is for fingers.
  std::vector<std::vector<std::size_t>> d(a.size() + 1, std::vector<std::size_t>(b.size() + 1));
  for (std::size_t i = 0; i <= a.size(); ++i) d[i][0] = i;
  for (std::size_t j = 0; j <= b.size(); ++j) d[0][j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = d[i - 1][j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, replace});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
      }
    }
  }
  return d[a.size()][b.size()];
}

}  // namespace

std::optional<Duration> parse_duration(std::string_view text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  if (error != std::errc{} || text[0] == '-') return std::nullopt;
  const std::string_view unit(end, static_cast<std::size_t>(text.data() + text.size() - end));
  for (const Unit& known : kUnits) {
    if (unit != known.name) continue;
    if (count > INT64_MAX / known.us) return std::nullopt;
    return Duration{count * known.us};
  }
  return std::nullopt;
}

std::string duration_text(Duration duration) {
  const std::int64_t us = duration.count();
  if (us == 0) return "0s";
  for (const Unit& unit : kUnits) {
    if (us % unit.us == 0) return fmt::format("{}{}", us / unit.us, unit.name);
  }
  return fmt::format("{}us", us);
}

std::optional<EventTime> parse_moment(std::string_view text) {
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0;
  const bool shape = digits(text, 0, 4, y) && digits(text, 5, 2, mo) && digits(text, 8, 2, d) &&
                     digits(text, 11, 2, h) && digits(text, 14, 2, mi) && digits(text, 17, 2, s) &&
                     text[4] == '-' && text[7] == '-' && (text[10] == 'T' || text[10] == ' ') &&
                     text[13] == ':' && text[16] == ':';
  if (!shape || h > 23 || mi > 59 || s > 59) return std::nullopt;
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)},
                            day{static_cast<unsigned>(d)}};
  if (!date.ok()) return std::nullopt;
  text.remove_prefix(19);
  const auto fraction = take_fraction(text);
  const auto offset = parse_offset(text);
  if (!fraction || !offset) return std::nullopt;
  return EventTime{sys_days{date}} + hours{h} + minutes{mi - *offset} + seconds{s} + *fraction;
}

std::string moment_text(EventTime time) {
  const auto second = floor<seconds>(time);
  std::string text = fmt::format("{:%Y-%m-%dT%H:%M:%S}", second);
  if (const auto rest = (time - second).count(); rest != 0) text += fmt::format(".{:06}", rest);
  return text + "Z";
}

std::optional<StartPoint> parse_start(std::string_view text) {
  StartPoint start;
  if (text == "earliest") {
    start.kind = StartPoint::Kind::kEarliest;
  } else if (text == "latest") {
    start.kind = StartPoint::Kind::kLatest;
  } else if (text.starts_with("last:")) {
    const auto ago = parse_duration(text.substr(5));
    if (!ago) return std::nullopt;
    start.kind = StartPoint::Kind::kAgo;
    start.ago = *ago;
  } else {
    const auto time = parse_moment(text);
    if (!time) return std::nullopt;
    start.kind = StartPoint::Kind::kTime;
    start.time = *time;
  }
  return start;
}

std::string start_text(const StartPoint& start) {
  switch (start.kind) {
    case StartPoint::Kind::kEarliest:
      return "earliest";
    case StartPoint::Kind::kLatest:
      return "latest";
    case StartPoint::Kind::kTime:
      return moment_text(start.time);
    case StartPoint::Kind::kAgo:
      break;
  }
  return "last:" + duration_text(start.ago);
}

std::string nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr std::size_t kWordMax = 100;  // nobody mistypes more than that
  if (word.size() > kWordMax) return {};
  std::string best;
  std::size_t least = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const std::size_t distance = edit_distance(word, candidate);
    if (distance >= least || distance >= candidate.size()) continue;
    least = distance;
    best = candidate;
  }
  return best;
}

}  // namespace retailpulse
