#include "decode/time_text.h"

#include <bit>
#include <cstring>
#include <limits>

#include "base/decimal.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kMinute = 60 * kSecond;
constexpr std::int64_t kHour = 60 * kMinute;
constexpr std::int64_t kDay = 24 * kHour;

constexpr int kDateBytes = 10;

constexpr std::int64_t kSecondsBelow = 100'000'000'000;            // 1e11
constexpr std::int64_t kMillisBelow = 100'000'000'000'000;         // 1e14
constexpr std::int64_t kMicrosBelow = 100'000'000'000'000'000;     // 1e17

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Howard Hinnant, "chrono-compatible low-level date algorithms": days_from_civil.
constexpr std::int64_t days_from_civil(int year, int month, int day) {
  const int y = year - (month <= 2 ? 1 : 0);
  const int era = (y >= 0 ? y : y - 399) / 400;
  const int yoe = y - era * 400;
  const int doy = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
  const int doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
  return std::int64_t{era} * 146'097 + doe - 719'468;
}
static_assert(days_from_civil(1970, 1, 1) == 0 && days_from_civil(2000, 3, 1) == 11'017);

constexpr int days_in_month(int year, int month) {
  constexpr std::array<int, 13> kDays{0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[static_cast<std::size_t>(month)];
}

// Reads a text from left to right; every step says whether it fitted.
class Reader {
 public:
  explicit Reader(std::string_view text) : at_(text.data()), end_(text.data() + text.size()) {}
  [[nodiscard]] bool done() const { return at_ == end_; }
  [[nodiscard]] char peek() const { return done() ? '\0' : *at_; }
  [[nodiscard]] bool take(char c) {
    if (peek() != c || done()) return false;
    ++at_;
    return true;
  }
  [[nodiscard]] bool take_word(std::string_view word) {
    if (std::string_view(at_, left()).substr(0, word.size()) != word) return false;
    at_ += word.size();
    return true;
  }
  template <int kCount>
  [[nodiscard]] bool digits(int& out) {
    if (left() < kCount) return false;
    int value = 0;
    for (int i = 0; i < kCount; ++i) {
      if (!is_digit(at_[i])) return false;
      value = value * 10 + (at_[i] - '0');
    }
    at_ += kCount;
    out = value;
    return true;
  }
  void skip_date() { at_ += kDateBytes; }
  // 1 to 9 digits of a fraction of a second, cut to microseconds.
  [[nodiscard]] bool fraction(std::int64_t& out_us) {
    std::int64_t unit = kSecond / 10;
    int count = 0;
    for (; !done() && is_digit(*at_); ++at_, ++count, unit /= 10) out_us += (*at_ - '0') * unit;
    return count >= 1 && count <= 9;
  }

 private:
  [[nodiscard]] std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  const char* at_;
  const char* end_;
};

bool read_date(Reader& in, std::int64_t& out_us) {
  int year = 0;
  int month = 0;
  int day = 0;
  if (!in.digits<4>(year) || !in.take('-') || !in.digits<2>(month) || !in.take('-') ||
      !in.digits<2>(day)) {
    return false;
  }
  if (month < 1 || month > 12 || day < 1 || day > days_in_month(year, month)) return false;
  out_us = days_from_civil(year, month, day) * kDay;
  return true;
}

bool read_clock(Reader& in, std::int64_t& out_us) {
  int hour = 0;
  int minute = 0;
  int second = 0;
  std::int64_t fraction_us = 0;
  if (!in.digits<2>(hour) || !in.take(':') || !in.digits<2>(minute)) return false;
  if (in.take(':')) {
    if (!in.digits<2>(second)) return false;
    if ((in.take('.') || in.take(',')) && !in.fraction(fraction_us)) return false;
  }
  if (hour > 23 || minute > 59 || second > 60) return false;
  // A leap second has no place of its own in UTC microseconds: it is the last moment before.
  const std::int64_t in_minute = second == 60 ? kMinute - 1 : second * kSecond + fraction_us;
  out_us = hour * kHour + minute * kMinute + in_minute;
  return true;
}

// What follows the clock: nothing (naive), a name of UTC or an offset.
bool read_offset(Reader& in, bool& naive, std::int64_t& offset_us) {
  naive = in.done();
  if (naive || in.take('Z') || in.take('z')) return in.done();
  (void)in.take(' ');  // optional
  if (in.take_word("UTC") || in.take_word("GMT")) return in.done();
  const bool minus = in.peek() == '-';
  if (!in.take('+') && !in.take('-')) return false;
  int hours = 0;
  int minutes = 0;
  if (!in.digits<2>(hours)) return false;
  if (in.take(':') || (!in.done() && is_digit(in.peek()))) {
    if (!in.digits<2>(minutes)) return false;
  }
  if (hours > 23 || minutes > 59) return false;
  offset_us = (hours * kHour + minutes * kMinute) * (minus ? -1 : 1);
  // "+00:00Z" is what isoformat() + "Z" writes in Python; any other pair contradicts itself.
  if (!in.done() && (offset_us != 0 || !in.take('Z'))) return false;
  return in.done();
}

TimeResult from_nanos(std::int64_t nanos, EventTime& out) {
  const std::int64_t rest = nanos % 1000;
  out = from_us(nanos / 1000 - (rest < 0 ? 1 : 0));  // cut like a fraction of ten digits: downwards
  return TimeResult::kOk;
}

std::int64_t magnitude(std::int64_t n) {
  return n == std::numeric_limits<std::int64_t>::min() ? std::numeric_limits<std::int64_t>::max()
                                                       : (n < 0 ? -n : n);
}

TimeResult from_integer(std::int64_t n, EventTime& out) {
  const std::int64_t size = magnitude(n);
  if (size >= kMicrosBelow) return from_nanos(n, out);
  out = from_us(size < kSecondsBelow ? n * kSecond : size < kMillisBelow ? n * 1000 : n);
  return TimeResult::kOk;
}

// The value of the first eight characters, if they are digits; all at once: each digit is added to
// ten times its left neighbour, then each pair, then each four.
bool eight_digits(std::string_view text, std::int64_t& out) {
  if (std::endian::native != std::endian::little || text.size() < 8) return false;
  std::uint64_t word = 0;
  std::memcpy(&word, text.data(), sizeof(word));
  word ^= 0x3030303030303030ULL;
  if (((word | (word + 0x7676767676767676ULL)) & 0x8080808080808080ULL) != 0) return false;
  word = (word * 10 + (word >> 8)) & 0x00ff00ff00ff00ffULL;
  word = (word * 100 + (word >> 16)) & 0x0000ffff0000ffffULL;
  out = static_cast<std::int64_t>((word * 10'000 + (word >> 32)) & 0xffffffffULL);
  return true;
}

// The usual case, without a call: up to 18 digits and nothing else.
bool read_plain_integer(std::string_view text, std::int64_t& out) {
  const bool minus = !text.empty() && text.front() == '-';
  if (minus) text.remove_prefix(1);
  if (text.empty() || text.size() > 18) return false;
  std::int64_t value = 0;
  if (eight_digits(text, value)) text.remove_prefix(8);
  for (const char c : text) {
    if (!is_digit(c)) return false;
    value = value * 10 + (c - '0');
  }
  out = minus ? -value : value;
  return true;
}

bool is_epoch_text(std::string_view text) {
  if (!text.empty() && text.front() == '-') text.remove_prefix(1);
  if (text.empty() || !is_digit(text.front())) return false;
  return text.size() < 5 || text[4] != '-';  // "2024-..." is a date
}

}  // namespace

EventTime LocalTime::from_local(std::int64_t local_us) {
  const std::int64_t rest = local_us % kHour;
  const std::int64_t begin = local_us - (rest < 0 ? rest + kHour : rest);
  Hour& hour = hours_[static_cast<std::size_t>(begin / kHour) % hours_.size()];
  if (hour.begin_us == begin) return from_us(local_us - hour.offset_us);
  const std::int64_t first = begin - to_us(zone_.from_local(begin));
  const std::int64_t last = begin + kHour - 1 - to_us(zone_.from_local(begin + kHour - 1));
  if (first != last) return zone_.from_local(local_us);  // the clock is changed within this hour
  hour = {begin, first};
  return from_us(local_us - first);
}

TimeResult parse_epoch(std::string_view number, EventTime& out) {
  std::int64_t n = 0;
  if (read_plain_integer(number, n)) return from_integer(n, out);
  // Seconds and milliseconds may have a fraction that matters; each unit is tried at the scale
  // that makes it microseconds, and taken when the magnitude says so.
  for (const int scale : {6, 3, 0}) {
    const DecimalResult result = parse_decimal(number, scale, n);
    if (result == DecimalResult::kNotANumber) return TimeResult::kNotATime;
    if (result == DecimalResult::kOutOfRange || magnitude(n) >= kMicrosBelow) continue;
    out = from_us(n);
    return TimeResult::kOk;
  }
  if (parse_decimal(number, 0, n) == DecimalResult::kOutOfRange) return TimeResult::kTooFar;
  return from_nanos(n, out);
}

TimeResult parse_time(std::string_view text, LocalTime& local, EventTime& out) {
  if (is_epoch_text(text)) return parse_epoch(text, out);
  Reader in(text);
  std::int64_t date_us = 0;
  std::int64_t clock_us = 0;
  std::int64_t offset_us = 0;
  bool naive = true;
  if (local.same_date(text, date_us)) {
    in.skip_date();
  } else {
    if (!read_date(in, date_us)) return TimeResult::kNotATime;
    local.note_date(text, date_us);
  }
  if (!in.done()) {
    if (!in.take('T') && !in.take(' ') && !in.take('t')) return TimeResult::kNotATime;
    if (!read_clock(in, clock_us) || !read_offset(in, naive, offset_us)) {
      return TimeResult::kNotATime;
    }
  }
  const std::int64_t written_us = date_us + clock_us;
  out = naive ? local.from_local(written_us) : from_us(written_us - offset_us);
  return TimeResult::kOk;
}

}  // namespace retailpulse
