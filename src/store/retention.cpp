#include "store/retention.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

namespace retailpulse {

Seals seals_at(std::int64_t watermark_us, const RetentionConfig& retention, const Zone& zone,
               const Seals& old) {
  if (watermark_us == INT64_MIN) return old;
  const auto back = [&](Duration d) { return watermark_us - d.count(); };
  const std::int64_t quarter_day = zone.civil_day(from_us(back(retention.quarter)));
  Seals seals;
  seals.pane_us = {pane_of(from_us(back(retention.ten_seconds)), Tier::kMinute),
                   pane_of(from_us(back(retention.minute)), Tier::kQuarter),
                   to_us(zone.day_begin(quarter_day)), zone.civil_day(from_us(back(retention.day)))};
  seals.quarter_day_us = std::max(quarter_day, old.quarter_day_us);
  for (std::size_t t = 0; t < kTiers; ++t) {
    seals.pane_us[t] = std::max(seals.pane_us[t], old.pane_us[t]);
  }
  return seals;
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
