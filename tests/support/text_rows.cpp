#include "support/text_rows.h"

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <iterator>

#include <fmt/format.h>

#include "base/check.h"
#include "base/decimal.h"
#include "base/hash.h"
#include "support/event_builder.h"

namespace retailpulse::testing {

EventTime utc(std::string_view text) {
  const bool dated = text.size() >= 10 && text[4] == '-';
  const std::string full = dated ? std::string(text) : fmt::format("{} {}", kTestDay, text);
  int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, used = 0;
  const int n = std::sscanf(full.c_str(), "%4d-%2d-%2d%*1[ T]%2d:%2d:%2d%n", &year, &month, &day,
                            &hour, &minute, &second, &used);
  RP_CHECK(n >= 5, "a time in a test is [YYYY-MM-DD ]HH:MM[:SS[.fraction]]");
  std::int64_t us = 0;
  std::string fraction = n == 6 ? full.substr(static_cast<std::size_t>(used)) : "";
  if (!fraction.empty() && fraction.back() == 'Z') fraction.pop_back();
  if (!fraction.empty()) us = scaled("0" + fraction, 6);
  using namespace std::chrono;
  const sys_days date{std::chrono::year{year} / month / day};
  return date + hours{hour} + minutes{minute} + seconds{second} + Duration{us};
}

std::string time_text(std::int64_t us) {
  if (us == INT64_MIN) return "never";
  const std::int64_t second = pane_of(us, kSecondUs);
  const std::time_t t = second / kSecondUs;
  std::tm tm{};
  gmtime_r(&t, &tm);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
  return us == second ? fmt::format("{}Z", text) : fmt::format("{}.{:06}Z", text, us - second);
}

std::string pane_text(Tier tier, std::int64_t pane_us) {
  const std::string text = time_text(pane_us);
  return tier == Tier::kDay ? text.substr(0, 10) : text;
}

std::string shown(std::string_view text, std::string_view absent) {
  return std::string(text.empty() ? absent : text);
}

std::string sales_text(const Sales& s) {
  return fmt::format("orders={}|lines={}|units={}.{:03}|gross={}|refunds={}", s.orders, s.lines,
                     s.units_milli / 1000, s.units_milli % 1000, format_micros(s.gross_micros, 2),
                     format_micros(s.refunds_micros, 2));
}

std::string rating_text(const RatingSum& r) {
  return fmt::format("ratings={}|sum={}.{:03}|stars={},{},{},{},{}", r.ratings, r.sum_milli / 1000,
                     r.sum_milli % 1000, r.stars[0], r.stars[1], r.stars[2], r.stars[3],
                     r.stars[4]);
}

std::string visitors_text(const Hll& hll) {
  return fmt::format("estimate={:.3f}|registers={:016x}", hll.estimate(), hash64(hll.encode()));
}

void append_ledger(Rows& rows, std::uint32_t partition, const PartitionCounts& c) {
  std::string row = fmt::format("ledger|{}|records={}", partition, c.records);
  for (std::size_t b = 0; b < kBuckets; ++b) {
    row += fmt::format("|{}={}", kBucketNames[b], c.counts[b]);
  }
  rows.push_back(row);
  for (std::size_t r = 0; r < kReasons; ++r) {
    if (c.rejected[r] == 0) continue;
    rows.push_back(
        fmt::format("reason|{}|{}|records={}", partition, kReasonNames[r], c.rejected[r]));
  }
  rows.push_back(fmt::format("partition|{}|late={}|future={}|newest={}", partition, c.late,
                             c.future, time_text(c.max_event_us)));
}

Zone zone_named(const std::string& name) {
  auto zone = Zone::find(name.empty() ? "UTC" : name);
  RP_CHECK(zone.ok(), "a test names a zone that exists");
  return zone.value();
}

std::int64_t pane_in(Tier tier, std::int64_t t_us, const Zone& zone) {
  return tier == Tier::kDay ? zone.civil_day(from_us(t_us)) : pane_of(from_us(t_us), tier);
}

Rows only(const Rows& rows, std::string_view prefix) {
  Rows out;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(out),
               [&](const std::string& row) { return row.rfind(prefix, 0) == 0; });
  return out;
}

std::string difference(const Rows& expected, const Rows& actual) {
  constexpr std::size_t kShown = 8;
  std::string text;
  const auto append = [&text](const Rows& a, const Rows& b, const char* sign) {
    Rows gone;
    std::set_difference(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(gone));
    for (std::size_t i = 0; i < gone.size() && i < kShown; ++i) text += sign + gone[i] + "\n";
    if (gone.size() > kShown) text += fmt::format("{} ... {} in all\n", sign, gone.size());
  };
  append(expected, actual, "missing: ");
  append(actual, expected, "surplus: ");
  return text;
}

}  // namespace retailpulse::testing
