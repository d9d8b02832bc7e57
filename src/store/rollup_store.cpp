// SqliteRollupStore: makes one transaction of a commit. How it is opened is in rollup_store_open.cpp.
#include "store/rollup_store.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include <retailpulse/clock.h>

#include "base/failpoint.h"
#include "base/log.h"
#include "store/schema.h"

namespace retailpulse {
namespace {

constexpr int kWalPagesMax = 4000;   // 16 MB: then the WAL is moved into the file
constexpr int kWalPagesFull = 15'000;  // 61 MB: then readers are waited for, so that it begins anew
constexpr int kReadersEndMs = 2500;  // ours end within 2 s
constexpr Duration kNextWait = std::chrono::seconds{30};  // after readers of others did not end
constexpr std::string_view kClusterKey = "cluster_id";
constexpr std::size_t kTenSeconds = 0, kMinute = 1, kQuarter = 2, kDay = 3;

}  // namespace

// Everything in memory, from the file; also after a rollback.
Status SqliteRollupStore::load_clock() {
  if (Status s = names_.load(db_); !s.ok()) return s;
  if (Status s = catalog_.load(db_); !s.ok()) return s;
  if (Status s = orders_.load(db_); !s.ok()) return s;
  if (Status s = book_.load(db_, options_.config.retention.rejects); !s.ok()) return s;
  if (Status s = recategoriser_.load(db_); !s.ok()) return s;
  if (Status s = writer_.load(db_); !s.ok()) return s;
  if (Status s = retention_.load(db_); !s.ok()) return s;
  auto cluster = read_meta(db_, kClusterKey);
  if (!cluster.ok()) return cluster.status();
  cluster_id_ = std::move(cluster).value();
  auto update = db_.prepare(
      "UPDATE clock SET frame=?1,watermark_us=?2,wall_us=?3,closed_by_wall=?4,newest_event_us=?5,"
      "sealed_10s_us=?6,sealed_1m_us=?7,sealed_15m_us=?8,sealed_15m_day_us=?9,sealed_day_us=?10,"
      "watermark_day_us=?11");
  if (!update.ok()) return update.status();
  clock_ = std::move(update).value();
  auto select = db_.prepare(
      "SELECT frame,watermark_us,newest_event_us,sealed_10s_us,sealed_1m_us,sealed_15m_us,"
      "sealed_15m_day_us,sealed_day_us FROM clock");
  if (!select.ok()) return select.status();
  Statement& row = select.value();
  auto found = row.step();
  if (!found.ok()) return found.status();
  if (!found.value()) return Status(Code::kCorrupt, path_ + " has no clock row");
  frame_ = static_cast<std::uint64_t>(row.integer(0));
  watermark_us_ = row.is_null(1) ? INT64_MIN : row.integer(1);
  newest_event_us_ = row.is_null(2) ? INT64_MIN : row.integer(2);
  seals_.pane_us = {row.integer(3), row.integer(4), row.integer(5), row.integer(7)};
  seals_.quarter_day_us = row.integer(6);
  return {};
}

Status SqliteRollupStore::get_ready() {
  if (!final_.ok()) return final_;
  if (Status s = watch_.check(); !s.ok()) return noted(s);
  if (!stale_) return {};
  if (Status s = db_.roll_back(); !s.ok()) return noted(s);
  if (waits_) {  // on a full disk the WAL can begin anew in the room that it has, once it is moved
    auto moved = db_.wal_checkpoint(Database::Checkpoint::kPassive);
    if (!moved.ok() && moved.status().code() == Code::kStorage) return noted(moved.status());
  }
  if (Status s = load_clock(); !s.ok()) return noted(s);
  stale_ = false;
  return {};
}

Status SqliteRollupStore::noted(Status failure) {
  const bool is_final = failure.code() == Code::kStorage || failure.code() == Code::kCorrupt;
  if (is_final && final_.ok()) {
    final_ = failure;
    db_.abandon();
  }
  return failure;
}

Status SqliteRollupStore::rolled_back(Status cause) {
  stale_ = true;
  waits_ = cause.code() == Code::kBusy;
  static_cast<void>(db_.roll_back());  // else before the next transaction
  return noted(std::move(cause));
}

Status SqliteRollupStore::bind(PartitionSlot slot, const std::string& topic,
                               std::int32_t partition, Offset start) {
  if (Status s = get_ready(); !s.ok()) return s;
  return noted(book_.bind(slot, topic, partition, start));
}

Result<CommitReport> SqliteRollupStore::commit(std::span<const Epoch* const> epochs,
                                               std::span<const GapRow> gaps,
                                               const CommitContext& context) {
  const Duration begun = system_clock().monotonic();
  if (Status s = get_ready(); !s.ok()) return s;
  if (Status s = db_.exec("BEGIN IMMEDIATE"); !s.ok() && !planted(Plant::kRetryTwice)) {
    return noted(s);
  }
  const Seals seals = seals_at({watermark_us_, context.watermark_us},
                               options_.config.retention, zone_, seals_);
  auto written = write_all(epochs, gaps, context, seals);
  if (!written.ok()) {
    return planted(Plant::kRetryTwice) ? written.status() : rolled_back(written.status());
  }
  if (Status s = watch_.check(); !s.ok()) return rolled_back(s);
  if (Status s = db_.exec("COMMIT"); !s.ok()) return rolled_back(s);
  failpoint("after COMMIT");
  ++frame_;
  seals_ = seals;
  watermark_us_ = std::max(watermark_us_, context.watermark_us);
  return CommitReport{frame_, static_cast<std::uint64_t>(written.value()),
                      system_clock().monotonic() - begun};
}

Result<std::int64_t> SqliteRollupStore::write_all(std::span<const Epoch* const> epochs,
                                                  std::span<const GapRow> gaps,
                                                  const CommitContext& context,
                                                  const Seals& seals) {
  for (const Epoch* epoch : epochs) {
    if (Status s = names_.learn(epoch->lane, epoch->names); !s.ok()) return s;
  }
  if (planted(Plant::kOffsetFirst)) {
    if (Status s = write_partitions(epochs, context); !s.ok()) return s;
    if (Status s = db_.exec("COMMIT;BEGIN IMMEDIATE"); !s.ok()) return s;
  }
  rows_.begin(seals);
  // What this commit seals is still there: its listings change the past as exactly as before.
  if (Status s = take_listings(epochs); !s.ok()) return s;
  for (const Epoch* epoch : planted(Plant::kEpochLost) ? epochs.first(1) : epochs) {
    rows_.add(*epoch);
  }
  if (Status s = orders_.add(epochs, names_, catalog_, rows_); !s.ok()) return s;
  if (rows_.overflowed()) {
    return Status(Code::kStorage, "a sum of one pane would leave 64 bits (more than 9.2 million "
                                  "million currency units); nothing of this commit was written");
  }
  auto written = writer_.write(rows_, watermark_us_, zone_);
  if (!written.ok()) return written;
  if (fault("busy")) return Status(Code::kBusy, "a failpoint holds the file");
  if (!planted(Plant::kOffsetFirst)) {
    if (Status s = write_partitions(epochs, context); !s.ok()) return s;
  }
  if (Status s = book_.write_gaps(gaps, context.wall_us); !s.ok()) return s;
  if (Status s = book_.write_context(context); !s.ok()) return s;
  if (cluster_id_.empty() && !context.cluster_id.empty()) {
    if (Status s = move_to_cluster(context.cluster_id); !s.ok()) return s;
  }
  if (Status s = write_clock(context, seals); !s.ok()) return s;
  return written;
}

Status SqliteRollupStore::write_partitions(std::span<const Epoch* const> epochs,
                                           const CommitContext& context) {
  for (const Epoch* epoch : epochs) {
    if (Status s = book_.write(*epoch, context.out_of_order); !s.ok()) return s;
    for (const PartitionAdvance& a : epoch->advances) {
      if (a.max_event_us != INT64_MIN) newest_event_us_ = std::max(newest_event_us_, a.max_event_us);
    }
  }
  return {};
}

Status SqliteRollupStore::take_listings(std::span<const Epoch* const> epochs) {
  std::vector<ListingRow> rows;
  OrderMarks::ListedLines lines;
  for (const Epoch* epoch : epochs) {
    for (const Listing& l : epoch->listings) {
      ListingRow row = listing_row(epoch->lane, l);
      if (row.product == kOtherId) continue;  // beyond the cap: the key "(other)" has no listing
      lines.by_product.try_emplace(row.product);
      rows.push_back(std::move(row));
    }
  }
  for (const ListingRow& row : rows) {
    if (Status s = take_listing(row, lines); !s.ok()) return s;
  }
  return {};
}

ListingRow SqliteRollupStore::listing_row(LaneId lane, const Listing& l) const {
  ListingRow row;
  row.product = names_.id(lane, Dimension::kProduct, l.product);
  row.from_us = to_us(l.from);
  row.offset = l.offset;
  row.name = l.name;
  row.category = names_.id(lane, Dimension::kCategory, l.category);
  row.currency = names_.id(lane, Dimension::kCurrency, l.currency);
  if (l.has_price) row.price_micros = l.price_micros;
  row.deleted = l.deleted;
  return row;
}

Status SqliteRollupStore::take_listing(const ListingRow& row, OrderMarks::ListedLines& lines) {
  Catalog::Plan plan = catalog_.plan(row, seals_, zone_, names_);
  const auto changes = plan.changes;
  if (changes.empty()) {
    if (Status s = catalog_.apply(row.product, std::move(plan)); !s.ok()) return s;
    return catalog_.drop_surplus(row.product);
  }
  // Minutes to come have no sales yet: then nothing booked changes.
  const bool was_listed = changes.front().before != kUnknownId;
  const bool booked = changes.front().from_us <= orders_.newest_us();
  std::vector<std::int64_t> shared;
  if (booked) {
    auto orders = was_listed ? orders_.orders_of(row.product, changes.front().from_us,
                                                 changes.back().to_us, lines)
                             : orders_.unlisted_orders_of(row.product);
    if (!orders.ok()) return orders.status();
    shared = std::move(orders).value();
  }
  if (Status s = orders_.recount(shared, names_, catalog_, rows_, -1); !s.ok()) return s;
  for (const Recategorised& change : changes) {
    if (Status s = recategoriser_.move(change, seals_, rows_); !s.ok()) return s;
  }
  if (Status s = catalog_.apply(row.product, std::move(plan)); !s.ok()) return s;
  if (Status s = orders_.recount(shared, names_, catalog_, rows_, +1); !s.ok()) return s;
  if (Status s = catalog_.drop_surplus(row.product); !s.ok()) return s;
  if (!was_listed) return orders_.listed(row.product);
  // A listing of the same moment that names no category has taken its place.
  const bool is_listed = changes.front().after != kUnknownId;
  return is_listed ? Status() : orders_.unlisted(row.product, shared);
}

Status SqliteRollupStore::write_clock(const CommitContext& context, const Seals& seals) {
  const auto known = [](std::int64_t t) {
    return t == INT64_MIN ? std::nullopt : std::optional(t);
  };
  const auto watermark = known(std::max(watermark_us_, context.watermark_us));
  std::optional<std::int64_t> watermark_day;
  if (watermark) watermark_day = zone_.civil_day(from_us(*watermark));
  auto done = clock_.bind(1, static_cast<std::int64_t>(frame_ + 1))
                  .bind_optional(2, watermark)
                  .bind(3, context.wall_us).bind(4, std::int64_t{context.closed_by_wall})
                  .bind_optional(5, known(newest_event_us_)).bind(6, seals.pane_us[kTenSeconds])
                  .bind(7, seals.pane_us[kMinute]).bind(8, seals.pane_us[kQuarter])
                  .bind(9, seals.quarter_day_us).bind(10, seals.pane_us[kDay])
                  .bind_optional(11, watermark_day).run();
  return done.ok() ? Status() : done.status();
}

Status SqliteRollupStore::move_to_cluster(const std::string& id) {
  if (Status s = write_meta(db_, kClusterKey, id); !s.ok()) return s;
  cluster_id_ = id;  // a rollback reads it again
  return {};
}

Status SqliteRollupStore::begin_logs(std::span<const NewLog> logs) {
  if (Status s = db_.exec("BEGIN IMMEDIATE"); !s.ok()) return s;
  for (const NewLog& log : logs) {
    if (Status s = book_.begin_log(db_, log, to_us(system_clock().wall())); !s.ok()) {
      return rolled_back(s);
    }
  }
  if (Status s = db_.exec("COMMIT"); !s.ok()) return rolled_back(s);
  return {};
}

Status SqliteRollupStore::maintain() {
  if (Status s = get_ready(); !s.ok()) return s;
  auto gone = retention_.prune_some(seals_);
  if (!gone.ok()) return noted(gone.status());
  if (watermark_us_ != INT64_MIN) {
    const std::int64_t before = watermark_us_ - options_.config.retention.orders.count();
    if (Status s = orders_.prune(before, order_part_); !s.ok()) return noted(s);
    order_part_ = (order_part_ + 1) % OrderMarks::kParts;
  }
  // While readers keep the log from beginning anew, only what was added to it is worth a move.
  const int pages = db_.wal_pages();
  if (pages < moved_pages_) moved_pages_ = 0;
  if (pages - moved_pages_ < kWalPagesMax && pages < kWalPagesFull) return {};
  auto moved = db_.wal_checkpoint(Database::Checkpoint::kPassive);
  if (!moved.ok()) return noted(moved.status());
  moved_pages_ = pages;
  return moved.value() || pages < kWalPagesFull ? Status() : noted(empty_wal());
}

// Readers that overlap would keep the WAL from ever beginning anew: nobody reads on while the last
// of them is waited for.
Status SqliteRollupStore::empty_wal() {
  const Duration now = system_clock().monotonic();
  if (now < next_wait_) return {};
  db_.set_patience(kReadersEndMs);
  auto emptied = db_.wal_checkpoint(Database::Checkpoint::kTruncate);
  db_.set_patience(kPatienceMs);
  if (!emptied.ok()) return emptied.status();
  if (emptied.value()) return {};
  next_wait_ = now + kNextWait;
  log(LogLevel::kWarning, "store",
      "another program keeps reading an old state of the store, so its -wal file grows",
      {{"file", path_}, {"wal_pages", std::to_string(db_.wal_pages())}});
  return {};
}

Status SqliteRollupStore::close() {
  if (Status s = get_ready(); !s.ok()) return s;
  db_.set_patience(0);
  if (Status s = db_.exec("PRAGMA optimize"); !s.ok()) return noted(s);
  auto emptied = db_.wal_checkpoint(Database::Checkpoint::kTruncate);
  return emptied.ok() ? Status() : noted(emptied.status());
}

}  // namespace retailpulse
