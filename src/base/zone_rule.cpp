#include "base/zone_rule.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>

namespace retailpulse {
namespace {

constexpr std::int64_t kDayS = 86'400;
constexpr const char* kFolder = "/usr/share/zoneinfo/";

std::int64_t big_endian(std::string_view bytes) {
  std::uint64_t n = 0;
  for (const char c : bytes) n = (n << 8) | static_cast<std::uint8_t>(c);
  return static_cast<std::int64_t>(n);
}

// The six counts of a TZif header: two indicators, leap seconds, transitions, types, characters.
struct Counts {
  std::int64_t ut, standard, leap, times, types, characters;

  [[nodiscard]] std::int64_t body(std::int64_t time_bytes) const {
    return times * time_bytes + times + types * 6 + characters + leap * (time_bytes + 4) +
           standard + ut;
  }
};
constexpr std::size_t kHeader = 44;

std::optional<Counts> counts_at(std::string_view file, std::size_t at) {
  if (at > file.size() || file.size() - at < kHeader) return std::nullopt;
  if (file.substr(at, 4) != "TZif" || file[at + 4] < '2') return std::nullopt;
  const auto count = [&](std::size_t i) { return big_endian(file.substr(at + 20 + 4 * i, 4)); };
  return Counts{count(0), count(1), count(2), count(3), count(4), count(5)};
}

std::string read_zone_file(const std::string& name) {
  if (name.empty() || name.front() == '/' || name.find("..") != std::string::npos) return {};
  std::ifstream in(kFolder + name, std::ios::binary);
  std::string bytes(kZoneFileBytesMax, '\0');
  in.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<std::size_t>(in.gcount()));
  return bytes.size() < kZoneFileBytesMax ? bytes : std::string();
}

}  // namespace

// Reads a rule from the left; ok() turns false for good at what is none.
class ZoneRule::Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  [[nodiscard]] bool ok() const { return ok_; }
  [[nodiscard]] bool at_end() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (peek() != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) { ok_ = take(c) && ok_; }
  // "CEST" or "<+0530>".
  void name() {
    const bool quoted = take('<');
    const std::size_t begin = at_;
    const auto part = [&](char c) {
      const bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
      return letter || (quoted && ((c >= '0' && c <= '9') || c == '+' || c == '-'));
    };
    while (part(peek())) ++at_;
    ok_ = ok_ && at_ - begin >= 3;
    if (quoted) expect('>');
  }
  // "[+-]h[h[h]][:mm[:ss]]" in seconds.
  std::int64_t time() {
    const std::int64_t sign = take('-') ? -1 : 1;
    if (sign == 1) take('+');
    std::int64_t s = number(167) * 3600;
    if (take(':')) s += number(59) * 60;
    if (take(':')) s += number(59);
    return sign * s;
  }
  Day day() {
    Day day;
    if (take('M')) {
      day.kind = Day::Kind::kWeekday;
      day.month = number(12);
      expect('.');
      day.week = number(5);
      expect('.');
      day.day = number(6);
      ok_ = ok_ && day.month >= 1 && day.week >= 1;
    } else {
      day.kind = take('J') ? Day::Kind::kJulian : Day::Kind::kCounted;
      day.day = number(365);
      ok_ = ok_ && (day.kind == Day::Kind::kCounted || day.day >= 1);
    }
    if (take('/')) day.time_s = time();
    return day;
  }

 private:
  int number(int most) {
    const std::size_t begin = at_;
    int n = 0;
    while (peek() >= '0' && peek() <= '9' && at_ - begin < 3) n = n * 10 + (text_[at_++] - '0');
    ok_ = ok_ && at_ > begin && n <= most;
    return n;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

std::optional<ZoneRule> ZoneRule::parse(std::string_view text) {
  Reader reader(text);
  ZoneRule rule;
  reader.name();
  rule.standard_s_ = -reader.time();  // POSIX counts westward
  if (!reader.at_end()) {
    rule.has_summer_ = true;
    reader.name();
    rule.summer_s_ = reader.peek() == ',' ? rule.standard_s_ + 3600 : -reader.time();
    reader.expect(',');
    rule.begin_ = reader.day();
    reader.expect(',');
    rule.end_ = reader.day();
  }
  if (!reader.ok() || !reader.at_end()) return std::nullopt;
  return rule;
}

std::optional<ZoneRule> ZoneRule::of_zone(const std::string& name) {
  const std::string file = read_zone_file(name);
  const auto first = counts_at(file, 0);
  if (!first) return std::nullopt;
  const std::size_t second = kHeader + static_cast<std::size_t>(first->body(4));
  const auto counts = counts_at(file, second);
  if (!counts) return std::nullopt;
  const std::size_t times = second + kHeader;
  const std::size_t footer = times + static_cast<std::size_t>(counts->body(8));
  if (footer + 2 > file.size() || file[footer] != '\n' || file.back() != '\n') return std::nullopt;
  auto rule = parse(std::string_view(file).substr(footer + 1, file.size() - footer - 2));
  if (rule && counts->times > 0) {
    const auto last = static_cast<std::size_t>(counts->times - 1);
    rule->from_s_ = big_endian(std::string_view(file).substr(times + 8 * last, 8));
  }
  return rule;
}

std::int64_t ZoneRule::local_s(const Day& day, int year) {
  using namespace std::chrono;
  const std::chrono::year y{year};
  sys_days date = sys_days{y / January / 1} + days{day.day};
  if (day.kind == Day::Kind::kJulian) {
    date -= days{1};
    if (y.is_leap() && day.day >= 60) date += days{1};
  } else if (day.kind == Day::Kind::kWeekday) {
    const auto month = y / std::chrono::month{static_cast<unsigned>(day.month)};
    const weekday wanted{static_cast<unsigned>(day.day)};
    date = day.week == 5 ? sys_days{month / wanted[last]}
                         : sys_days{month / wanted[static_cast<unsigned>(day.week)]};
  }
  return date.time_since_epoch().count() * kDayS + day.time_s;
}

std::vector<ZoneRule::Change> ZoneRule::changes_around(std::int64_t utc_s) const {
  std::vector<Change> changes;
  if (!has_summer_) return changes;
  using namespace std::chrono;
  const year_month_day date{floor<days>(sys_seconds{seconds{utc_s}})};
  const int year = static_cast<int>(date.year());
  for (int y = year - 1; y <= year + 1; ++y) {
    changes.push_back({local_s(begin_, y) - standard_s_, standard_s_, summer_s_});
    changes.push_back({local_s(end_, y) - summer_s_, summer_s_, standard_s_});
  }
  std::sort(changes.begin(), changes.end(),
            [](const Change& a, const Change& b) { return a.at_s < b.at_s; });
  return changes;
}

std::int64_t ZoneRule::offset_s(std::int64_t utc_s) const {
  const auto changes = changes_around(utc_s);
  std::int64_t offset = changes.empty() ? standard_s_ : changes.front().before_s;
  for (const Change& change : changes) {
    if (change.at_s <= utc_s) offset = change.after_s;
  }
  return offset;
}

std::int64_t ZoneRule::from_local_s(std::int64_t local_s) const {
  const auto changes = changes_around(local_s);
  std::int64_t offset = changes.empty() ? standard_s_ : changes.front().before_s;
  for (const Change& change : changes) {
    if (local_s - offset < change.at_s) return local_s - offset;
    if (local_s - change.after_s < change.at_s) return change.at_s;  // in the gap
    offset = change.after_s;
  }
  return local_s - offset;
}

std::string tz_database_version() {
  std::string line;
  std::ifstream zi(std::string(kFolder) + "tzdata.zi");
  constexpr std::string_view kBefore = "# version ";
  if (std::getline(zi, line) && line.rfind(kBefore, 0) == 0) return line.substr(kBefore.size());
  std::ifstream version(std::string(kFolder) + "+VERSION");
  return std::getline(version, line) && !line.empty() ? line : "unknown";
}

}  // namespace retailpulse
