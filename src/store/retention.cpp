#include "store/retention.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr auto kTenSeconds = static_cast<std::size_t>(Tier::kTenSeconds);
constexpr auto kMinute = static_cast<std::size_t>(Tier::kMinute);
constexpr auto kQuarter = static_cast<std::size_t>(Tier::kQuarter);
constexpr auto kDay = static_cast<std::size_t>(Tier::kDay);

}  // namespace

Seals seals_at(const Watermarks& at, const RetentionConfig& retention, const Zone& zone,
               const Seals& old) {
  Seals seals;
  if (at.committed_us != INT64_MIN) {
    seals.pane_us[kDay] = zone.civil_day(from_us(at.committed_us - retention.day.count()));
  }
  if (at.now_us != INT64_MIN) {
    const auto back = [&](Duration d) { return from_us(at.now_us - d.count()); };
    seals.quarter_day_us = zone.civil_day(back(retention.quarter));
    seals.pane_us[kTenSeconds] = pane_of(back(retention.ten_seconds), Tier::kMinute);
    seals.pane_us[kMinute] = pane_of(back(retention.minute), Tier::kQuarter);
    seals.pane_us[kQuarter] = to_us(zone.day_begin(seals.quarter_day_us));
  }
  seals.quarter_day_us = std::max(seals.quarter_day_us, old.quarter_day_us);
  for (std::size_t t = 0; t < kTiers; ++t) {
    seals.pane_us[t] = std::max(seals.pane_us[t], old.pane_us[t]);
  }
  return seals;
}

std::int64_t floor_of(const Seals& seals, const Zone& zone) {
  const std::int64_t day = seals.pane_us[kDay];
  return day == INT64_MIN ? INT64_MIN : to_us(zone.day_begin(day));
}

Status Retention::load(Database& db) {
  tables_.clear();
  for (const char* table : {"totals", "categories", "products", "ratings", "types", "visitors"}) {
    for (std::size_t tier = 0; tier < kTiers; ++tier) {
      auto oldest = db.prepare(fmt::format("SELECT min(pane_us) FROM {} WHERE tier={}", table, tier));
      if (!oldest.ok()) return oldest.status();
      auto remove =
          db.prepare(fmt::format("DELETE FROM {} WHERE tier={} AND pane_us=?1", table, tier));
      if (!remove.ok()) return remove.status();
      tables_.push_back({tier, std::move(oldest).value(), std::move(remove).value()});
    }
  }
  return {};
}

Result<std::int64_t> Retention::prune_some(const Seals& seals) {
  std::int64_t gone = 0;
  for (Table& table : tables_) {
    auto row = table.oldest.step();
    if (!row.ok()) return row.status();
    const bool sealed = row.value() && !table.oldest.is_null(0) &&
                        table.oldest.integer(0) < seals.pane_us[table.tier];
    const std::int64_t pane = sealed ? table.oldest.integer(0) : 0;
    table.oldest.reset();
    if (!sealed) continue;
    auto removed = table.remove.bind(1, pane).run();
    if (!removed.ok()) return removed.status();
    gone += removed.value();
  }
  return gone;
}

}  // namespace retailpulse
