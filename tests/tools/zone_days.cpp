// zone_days: when each civil day begins, as the product's calendar has it.
//
//   zone_days FIRST_YEAR LAST_YEAR < zone names, one a line
//
// For each zone its first day, and each day that does not begin 24 hours after the one before:
// "Europe/Berlin 2026-03-30 1774821600" (seconds UTC). Each day's first and last microsecond must
// lie in it. Exit 1 and a sentence at the first that does not, or at a zone that is not there.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>

#include <fmt/format.h>

#include "base/zone.h"

using namespace retailpulse;

namespace {

constexpr std::int64_t kDayUs = 86'400'000'000;

bool print_days(const Zone& zone, const std::string& name, int first, int last) {
  using namespace std::chrono;
  const sys_days end = year{last + 1} / January / 1;
  std::int64_t before = 0;
  for (sys_days date = year{first} / January / 1; date < end; date += days{1}) {
    const std::int64_t day = Duration{date.time_since_epoch()}.count();
    const std::int64_t begin = to_us(zone.day_begin(day));
    const std::int64_t next = to_us(zone.day_begin(day + kDayUs));
    const bool skipped = next == begin;  // Samoa went without a day
    if (!skipped && (zone.civil_day(from_us(begin)) != day || zone.civil_day(from_us(next - 1)) != day)) {
      fmt::print(stderr, "{}: the day that begins at {} does not hold its own moments\n", name, begin);
      return false;
    }
    if (begin - before != kDayUs) {
      const year_month_day ymd{date};
      fmt::print("{} {:04}-{:02}-{:02} {}\n", name, static_cast<int>(ymd.year()),
                 static_cast<unsigned>(ymd.month()), static_cast<unsigned>(ymd.day()),
                 begin / 1'000'000);
    }
    before = begin;
  }
  return true;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    fmt::print(stderr, "usage: zone_days FIRST_YEAR LAST_YEAR < zone names\n");
    return 64;
  }
  for (std::string name; std::getline(std::cin, name);) {
    const auto zone = Zone::find(name);
    if (!zone.ok()) {
      fmt::print(stderr, "{}\n", zone.status().message());
      return 1;
    }
    if (!print_days(zone.value(), name, std::atoi(argv[1]), std::atoi(argv[2]))) return 1;
  }
  return 0;
}
