// Texts that become values, and texts on their way out. The first byte chooses what reads the rest:
// a decimal, a time, an API moment or range, or the escapers for JSON, CSV and terminals.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "base/check.h"
#include "base/decimal.h"
#include "base/escape.h"
#include "base/zone.h"
#include "decode/json_fault.h"
#include "decode/time_text.h"
#include "serve/range.h"

namespace retailpulse {
namespace {

// The slow way: digit by digit in 128 bits, for texts short enough to fit.
bool slow_decimal(std::string_view text, int scale, __int128& out) {
  const bool minus = !text.empty() && text[0] == '-';
  if (minus) text.remove_prefix(1);
  if (text.size() > 20 || text.find_first_of("eE") != std::string_view::npos) return false;
  const std::size_t point = std::min(text.find('.'), text.size());
  std::string digits(text.substr(0, point));
  std::string fraction(text.substr(std::min(point + 1, text.size())));
  if (fraction.size() > static_cast<std::size_t>(scale)) return false;
  fraction.resize(static_cast<std::size_t>(scale), '0');
  out = 0;
  for (const char c : digits + fraction) out = out * 10 + (c - '0');
  if (minus) out = -out;
  return true;
}

void check_decimal(std::string_view text) {
  for (const int scale : {0, 3, 6, 9}) {
    std::int64_t value = 0;
    const DecimalResult result = parse_decimal(text, scale, value);
    RP_CHECK((result != DecimalResult::kNotANumber) == is_json_number(text), "the grammar of JSON");
    __int128 slow = 0;
    if (result == DecimalResult::kNotANumber || !slow_decimal(text, scale, slow)) continue;
    const bool fits = slow >= INT64_MIN + 1 && slow <= INT64_MAX;
    RP_CHECK(fits == (result == DecimalResult::kExact), "exact whenever it fits");
    RP_CHECK(!fits || value == static_cast<std::int64_t>(slow), "the same value");
    if (!fits || scale != 6) continue;
    std::int64_t again = 0;
    const DecimalResult back = parse_decimal(format_micros(value, 2), 6, again);
    RP_CHECK(back == DecimalResult::kExact, "its own text");
    RP_CHECK(again == value, "there and back");
  }
}

const Zone& berlin() {
  static const Zone zone = [] {
    auto found = Zone::find("Europe/Berlin");
    RP_CHECK(found.ok(), "the zone is there");
    return std::move(found).value();
  }();
  return zone;
}

void check_time(std::string_view text) {
  static LocalTime local(berlin());
  EventTime time{};
  if (parse_time(text, local, time) == TimeResult::kOk) {
    LocalTime fresh(berlin());
    EventTime again{};
    RP_CHECK(parse_time(text, fresh, again) == TimeResult::kOk && again == time, "no memory");
  }
  const TimeResult epoch = parse_epoch(text, time);
  RP_CHECK(epoch != TimeResult::kNotATime || !is_json_number(text), "a number is a time");
}

DataClock clock_of(const Zone& zone) {
  HistoryClock history;
  history.frame = 1;
  history.watermark_us = 1'795'341'600'000'000;
  history.newest_event_us = history.watermark_us;
  return data_clock(history, zone);
}

void check_range(std::string_view text) {
  static const DataClock clock = clock_of(berlin());
  const std::size_t cut = std::min(text.find('\n'), text.size());
  const std::string_view to = text.substr(std::min(cut + 1, text.size()));
  const auto moment = parse_moment(text.substr(0, cut), clock, berlin());
  if (moment.ok()) {
    const auto same = parse_moment(utc_text(moment.value()), clock, berlin());
    RP_CHECK(same.ok() && same.value() == moment.value(), "a moment's own text");
  } else {
    RP_CHECK(moment.status().message().size() < 2'000 + text.size(), "a sentence");
  }
  const auto range = parse_range(text.substr(0, cut), to, clock, berlin());
  if (!range.ok()) return;
  RP_CHECK(range.value().from_us <= range.value().to_us, "a range goes forward");
  HistoryClock history;
  history.watermark_us = clock.now_us;
  const Cut panes = cut_range(range.value(), TierChoice{}, history, clock, berlin());
  RP_CHECK(panes.range.from_us <= range.value().from_us && panes.range.to_us >= range.value().to_us,
           "a range grows outward");
}

std::string valid_utf8(std::string_view bytes) {  // each wrong byte becomes U+FFFD
  return nlohmann::json::parse(nlohmann::json(std::string(bytes)).dump(
      -1, ' ', false, nlohmann::json::error_handler_t::replace)).get<std::string>();
}

bool is_utf8(std::string_view bytes) {
  return valid_utf8(bytes) == bytes;
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
}

void check_escapes(std::string_view bytes) {
  std::string json;
  append_json_string(json, bytes);
  RP_CHECK(!has_control(json) && json.find_first_of("<>&") == std::string::npos, "harmless");
  const nlohmann::json back = nlohmann::json::parse(json, nullptr, false);
  RP_CHECK(back.is_string(), "a JSON string");
  const bool clean = is_utf8(bytes);
  RP_CHECK(!clean || back.get<std::string>() == bytes, "there and back");

  std::string csv;
  append_csv_cell(csv, bytes);
  std::string cell = csv;
  if (!csv.empty() && csv[0] == '"') {  // taken apart as RFC 4180 says
    RP_CHECK(csv.size() >= 2 && csv.back() == '"', "a quoted cell is closed");
    cell.clear();
    for (std::size_t i = 1; i + 1 < csv.size(); ++i) {
      if (csv[i] == '"') RP_CHECK(csv[++i] == '"' && i + 1 < csv.size(), "a quote is doubled");
      cell.push_back(csv[i]);
    }
  } else {
    RP_CHECK(csv.find_first_of(",\"\r\n") == std::string::npos, "one cell");
  }
  std::int64_t number = 0;
  const bool formula = cell.find_first_of("=+-@\t\r\n") == 0;
  RP_CHECK(!formula || parse_decimal(cell, 6, number) != DecimalResult::kNotANumber, "no formula");
  RP_CHECK(!clean || cell == bytes || cell == "'" + std::string(bytes), "there and back");

  const std::string shown = terminal_text(bytes);
  RP_CHECK(!has_control(shown) && is_utf8(shown), "a terminal sees text");
}

}  // namespace
}  // namespace retailpulse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace retailpulse;
  if (size == 0) return 0;
  const std::string_view rest(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 4) {
    case 0: check_decimal(rest); break;
    case 1: check_time(rest); break;
    case 2: check_range(rest); break;
    default: check_escapes(rest); break;
  }
  return 0;
}
