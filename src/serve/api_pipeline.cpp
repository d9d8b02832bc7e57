// The pipeline's truth: its state, its partitions, where every record went.
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <map>

#include <fmt/format.h>

#include "serve/api_answer.h"
#include "serve/api_handlers.h"
#include "serve/frame_facts.h"
#include "serve/frame_text.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kRejectsDefault = 100;
constexpr std::int64_t kRejectsMax = 1000;

// Resident memory of this process; 0 where /proc does not say.
std::uint64_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::uint64_t pages = 0;
  std::uint64_t resident = 0;
  statm >> pages >> resident;
  return statm ? resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)) : 0;
}

void write_texts(JsonWriter& json, const std::vector<std::string>& texts) {
  json.open_array();
  for (const std::string& text : texts) json.text(text);
  json.close_array();
}

void write_store(JsonWriter& json, HistoryView& history, const StoreSize& size, const Zone& zone) {
  json.key("store")
      .open_object()
      .field("path", size.path)
      .field("bytes", size.db_bytes)
      .field("wal_bytes", size.wal_bytes)
      .field("frame", history.clock().frame)
      .field("zone", zone.name())
      .key("retention")
      .open_array();
  for (std::size_t tier = 0; tier < kTiers; ++tier) {
    const std::int64_t sealed = history.clock().sealed_us[tier];
    json.open_object().field("tier", kTierNames[tier]).key("kept_from");
    if (sealed == INT64_MIN) json.null();
    else if (static_cast<Tier>(tier) == Tier::kDay) json.text(day_text(sealed));
    else json.text(utc_text(sealed));
    json.close_object();
  }
  json.close_array().close_object();
}

Reply status(HistoryView& history, const ApiContext& context) {
  const PipelineStatus status = context.pipeline.status();
  const std::int64_t wall_us = to_us(context.clock.wall());
  const auto& watermark = history.clock().watermark_us;
  JsonWriter json;
  json.open_object().field("frame", history.clock().frame).key("state");
  write_state(json, status);
  json.key("versions").open_object();
  for (const auto& [name, version] : context.versions) json.field(name, version);
  json.close_object();
  write_moment(json, "wall", wall_us);
  write_moment(json, "watermark", watermark);
  json.flag("closed_by_wall", history.clock().closed_by_wall).key("delay_s");
  if (watermark) json.real(static_cast<double>(wall_us - *watermark) / 1e6, 1);
  else json.null();
  json.key("rate").real(status.records_per_s, 1).key("lag");
  write_lag(json, status);
  json.key("ledger");
  write_ledger(json, ledger_sums(history));
  json.key("lost");
  write_lost(json, history.lost_sum(), lost_lately(history));
  write_store(json, history, context.history.size(), context.zone);
  json.key("sources").open_object().field("brokers", status.brokers)
      .field("cluster_id", history.meta("cluster_id")).key("topics");
  write_texts(json, status.topics);
  json.close_object().key("notices");
  write_texts(json, status.notices);
  json.key("process")
      .open_object()
      .field("rss_bytes", resident_bytes())
      .key("uptime_s").real(status.uptime_s, 0)
      .close_object()
      .close_object();
  return json_reply(json.take());
}

Cell yes_no(bool value) { return Cell::json(value ? "true" : "false"); }

Cell moment_cell(const std::optional<std::int64_t>& us) { return us ? Cell(utc_text(*us)) : Cell(); }

// The data clock in the middle of the partitions that are not idle: what a producer's clock that
// is wrong is compared with.
std::optional<std::int64_t> middle_watermark(const std::vector<PartitionRow>& rows) {
  std::vector<std::int64_t> live;
  for (const PartitionRow& row : rows) {
    if (!row.idle && row.watermark_us) live.push_back(*row.watermark_us);
  }
  if (live.empty()) return std::nullopt;
  const auto middle = live.begin() + static_cast<std::ptrdiff_t>((live.size() - 1) / 2);
  std::nth_element(live.begin(), middle, live.end());
  return *middle;
}

// Seconds that a partition is ahead of the middle one; an idle one is behind by its silence.
Cell skew_cell(const PartitionRow& row, const std::optional<std::int64_t>& middle_us) {
  if (row.idle || !row.watermark_us || !middle_us) return {};
  return Cell::json(fmt::format("{:.1f}", static_cast<double>(*row.watermark_us - *middle_us) / 1e6));
}

Reply partitions(HistoryView& history, const ApiContext& context, const Request& request) {
  RowSet set{{"topic", "partition", "first_offset", "next_offset", "end_offset", "lag", "watermark",
              "watermark_us", "skew_s", "idle", "at_end", "consumed", "late", "future",
              "blocked_since", "incarnation", "last_offset", "lost", "halted"},
             {}};
  std::map<std::pair<std::string, std::int32_t>, std::int64_t> lost;
  for (const LostRange& range : history.lost_ranges()) {
    lost[{range.topic, range.partition}] += range.to - range.from;
  }
  std::map<std::pair<std::string, std::int32_t>, PartitionStatus> live;
  for (PartitionStatus& row : context.pipeline.status().partitions) {
    live[{row.topic, row.partition}] = row;
  }
  const auto rows = history.partitions();
  const auto middle_us = middle_watermark(rows);
  for (const PartitionRow& row : rows) {
    const auto found = live.find({row.topic, row.partition});
    std::optional<Offset> end = row.end_offset;
    if (found != live.end() && found->second.end >= 0) end = found->second.end;
    std::optional<std::int64_t> lag;
    if (end) lag = std::max<Offset>(0, *end - row.next_offset);
    Cell blocked;
    if (found != live.end() && found->second.blocked_since_us != 0) {
      blocked = Cell(utc_text(found->second.blocked_since_us));
    }
    set.rows.push_back({row.topic, row.partition, row.first_offset, row.next_offset, end, lag,
                        moment_cell(row.watermark_us), row.watermark_us,
                        skew_cell(row, middle_us),
                        yes_no(found == live.end() ? row.idle : found->second.idle),
                        found == live.end() ? Cell() : yes_no(found->second.at_end), row.consumed,
                        row.late, row.future, blocked, row.incarnation, row.last_offset,
                        lost[{row.topic, row.partition}],
                        row.halted.empty() ? Cell() : Cell(row.halted)});
  }
  JsonWriter json;
  json.open_object().field("frame", history.clock().frame);
  write_moment(json, "watermark", history.clock().watermark_us);
  return rows_reply(request, history.clock().frame, json.take(), set);
}

Reply ledger(HistoryView& history, const Request& request) {
  RowSet set{{"topic", "partition", "bucket", "reason", "records"}, {}};
  for (const LedgerRow& row : history.ledger()) {
    set.rows.push_back({row.topic, row.partition, row.bucket, row.reason, row.records});
  }
  const LedgerSums sums = ledger_sums(history);
  std::int64_t filed = 0;
  for (const std::int64_t n : sums.buckets) filed += n;
  JsonWriter json;
  json.open_object().field("frame", history.clock().frame).key("totals");
  write_ledger(json, sums);
  json.flag("balanced", filed == sums.consumed);
  return rows_reply(request, history.clock().frame, json.take(), set);
}

Reply rejects(HistoryView& history, const Request& request, const RejectQuery& query) {
  RowSet set{{"id", "topic", "partition", "offset", "reason", "field", "record_time", "raw",
              "truncated"},
             {}};
  const auto rows = history.rejects(query);
  for (const RejectRow& row : rows) {
    set.rows.push_back({row.id, row.topic, row.partition, row.offset, row.reason, row.field,
                        utc_text(row.record_us), row.raw,
                        yes_no(row.raw.size() >= kRejectRawBytes)});
  }
  JsonWriter json;
  json.open_object().field("frame", history.clock().frame).key("next");
  if (rows.size() == query.limit) json.number(rows.back().id);
  else json.null();
  return rows_reply(request, history.clock().frame, json.take(), set);
}

}  // namespace

Reply get_status(const ApiContext& context, const Request&) {
  return answer(context, [&](HistoryView& view) { return status(view, context); });
}

Reply get_partitions(const ApiContext& context, const Request& request) {
  return answer(context, [&](HistoryView& view) { return partitions(view, context, request); });
}

Reply get_ledger(const ApiContext& context, const Request& request) {
  return answer(context, [&](HistoryView& view) { return ledger(view, request); });
}

Reply get_rejects(const ApiContext& context, const Request& request) {
  const auto limit = number_parameter(request, "limit", kRejectsDefault, 1, kRejectsMax);
  if (!limit.ok()) return status_reply(limit.status());
  const auto after = number_parameter(request, "after", 0, 0, INT64_MAX);
  if (!after.ok()) return status_reply(after.status());
  const RejectQuery query{after.value(), static_cast<std::size_t>(limit.value()),
                          std::string(query_value(request, "topic")),
                          std::string(query_value(request, "reason"))};
  return answer(context, [&](HistoryView& view) { return rejects(view, request, query); });
}

}  // namespace retailpulse
