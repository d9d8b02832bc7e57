#include "store/schema.h"

#include <fmt/format.h>

#include "store/views.h"

namespace retailpulse {
namespace {

constexpr const char* kTables = R"sql(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE setting_rows(id INTEGER PRIMARY KEY, name TEXT NOT NULL, value TEXT NOT NULL,
  since_us INTEGER NOT NULL, since_frame INTEGER NOT NULL) STRICT;

CREATE TABLE clock(
  one INTEGER PRIMARY KEY CHECK(one = 1),
  frame INTEGER NOT NULL, watermark_us INTEGER, wall_us INTEGER NOT NULL,
  closed_by_wall INTEGER NOT NULL, newest_event_us INTEGER,
  sealed_10s_us INTEGER NOT NULL, sealed_1m_us INTEGER NOT NULL, sealed_15m_us INTEGER NOT NULL,
  sealed_15m_day_us INTEGER NOT NULL, sealed_day_us INTEGER NOT NULL,
  watermark_day_us INTEGER) STRICT;

CREATE TABLE names(dimension INTEGER NOT NULL, id INTEGER NOT NULL, text TEXT NOT NULL,
  PRIMARY KEY(dimension, id)) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX names_by_text ON names(dimension, text);
CREATE TABLE currencies(currency INTEGER PRIMARY KEY, digits INTEGER NOT NULL) STRICT;

CREATE TABLE partition_state(
  slot_id INTEGER PRIMARY KEY, topic TEXT NOT NULL, partition INTEGER NOT NULL,
  first_offset INTEGER NOT NULL, next_offset INTEGER NOT NULL, end_offset INTEGER,
  max_event_us INTEGER, min_event_us INTEGER, watermark_us INTEGER, idle INTEGER NOT NULL,
  consumed INTEGER NOT NULL, late INTEGER NOT NULL, future INTEGER NOT NULL,
  last_offset INTEGER, last_time_us INTEGER, last_hash INTEGER, leader_epoch INTEGER,
  incarnation INTEGER NOT NULL DEFAULT 1, halted TEXT,
  UNIQUE(topic, partition)) STRICT;
CREATE TABLE log_changes(id INTEGER PRIMARY KEY, slot_id INTEGER NOT NULL,
  incarnation INTEGER NOT NULL, old_first INTEGER NOT NULL, old_next INTEGER NOT NULL,
  new_first INTEGER NOT NULL, why TEXT NOT NULL, wall_us INTEGER NOT NULL) STRICT;
CREATE TABLE ledger_counts(slot_id INTEGER NOT NULL, bucket TEXT NOT NULL, reason TEXT NOT NULL,
  records INTEGER NOT NULL, PRIMARY KEY(slot_id, bucket, reason)) STRICT, WITHOUT ROWID;
CREATE TABLE reject_rows(id INTEGER PRIMARY KEY, slot_id INTEGER NOT NULL, offset INTEGER NOT NULL,
  reason TEXT NOT NULL, field TEXT NOT NULL, record_us INTEGER NOT NULL, raw BLOB NOT NULL) STRICT;
CREATE TABLE gaps(id INTEGER PRIMARY KEY, slot_id INTEGER NOT NULL, from_offset INTEGER NOT NULL,
  to_offset INTEGER NOT NULL, wall_us INTEGER NOT NULL) STRICT;
CREATE TABLE recent_ids(slot_id INTEGER NOT NULL, upto INTEGER NOT NULL, ids BLOB NOT NULL,
  PRIMARY KEY(slot_id, upto)) STRICT, WITHOUT ROWID;

CREATE TABLE totals(tier INTEGER NOT NULL, pane_us INTEGER NOT NULL, currency INTEGER NOT NULL,
  orders INTEGER NOT NULL, lines INTEGER NOT NULL, units_milli INTEGER NOT NULL,
  gross_micros INTEGER NOT NULL, refunds_micros INTEGER NOT NULL, revision INTEGER NOT NULL,
  PRIMARY KEY(tier, pane_us, currency)) STRICT, WITHOUT ROWID;
CREATE TABLE categories(tier INTEGER NOT NULL, pane_us INTEGER NOT NULL, category INTEGER NOT NULL,
  currency INTEGER NOT NULL,
  orders INTEGER NOT NULL, lines INTEGER NOT NULL, units_milli INTEGER NOT NULL,
  gross_micros INTEGER NOT NULL, refunds_micros INTEGER NOT NULL, revision INTEGER NOT NULL,
  PRIMARY KEY(tier, pane_us, category, currency)) STRICT, WITHOUT ROWID;
CREATE TABLE products(tier INTEGER NOT NULL, pane_us INTEGER NOT NULL, product INTEGER NOT NULL,
  category INTEGER NOT NULL, currency INTEGER NOT NULL,
  orders INTEGER NOT NULL, lines INTEGER NOT NULL, units_milli INTEGER NOT NULL,
  gross_micros INTEGER NOT NULL, refunds_micros INTEGER NOT NULL, shared_orders INTEGER NOT NULL,
  sold INTEGER NOT NULL,
  PRIMARY KEY(tier, pane_us, product, category, currency)) STRICT, WITHOUT ROWID;
CREATE TABLE ratings(tier INTEGER NOT NULL, pane_us INTEGER NOT NULL, product INTEGER NOT NULL,
  ratings INTEGER NOT NULL, sum_milli INTEGER NOT NULL, one INTEGER NOT NULL, two INTEGER NOT NULL,
  three INTEGER NOT NULL, four INTEGER NOT NULL, five INTEGER NOT NULL,
  PRIMARY KEY(tier, pane_us, product)) STRICT, WITHOUT ROWID;
CREATE TABLE types(tier INTEGER NOT NULL, pane_us INTEGER NOT NULL, type INTEGER NOT NULL,
  events INTEGER NOT NULL, PRIMARY KEY(tier, pane_us, type)) STRICT, WITHOUT ROWID;
CREATE TABLE visitors(tier INTEGER NOT NULL, pane_us INTEGER NOT NULL, registers BLOB NOT NULL,
  PRIMARY KEY(tier, pane_us)) STRICT, WITHOUT ROWID;

CREATE TABLE listings(product INTEGER NOT NULL, from_us INTEGER NOT NULL, offset INTEGER NOT NULL,
  name TEXT NOT NULL, category INTEGER NOT NULL, currency INTEGER NOT NULL, price_micros INTEGER,
  deleted INTEGER NOT NULL, PRIMARY KEY(product, from_us)) STRICT, WITHOUT ROWID;
CREATE TABLE catalog(product INTEGER PRIMARY KEY, name TEXT NOT NULL, category INTEGER NOT NULL,
  currency INTEGER NOT NULL, price_micros INTEGER, deleted INTEGER NOT NULL) STRICT;
CREATE TABLE product_first(product INTEGER PRIMARY KEY, first_us INTEGER NOT NULL) STRICT;
CREATE TABLE shared_orders(order_key INTEGER PRIMARY KEY, first_us INTEGER NOT NULL,
  marks BLOB NOT NULL) STRICT;
CREATE TABLE unlisted_orders(product INTEGER NOT NULL, order_key INTEGER NOT NULL,
  PRIMARY KEY(product, order_key)) STRICT, WITHOUT ROWID;

INSERT INTO names VALUES(0,0,'(none)'),(0,1,'(other)'),(1,0,'(unknown)'),(1,1,'(other)'),
  (2,0,'(none)'),(2,1,'(other)'),(3,0,'(none)'),(3,1,'(other)');
INSERT INTO currencies VALUES(0,2),(1,2);
)sql";

// The least time: nothing is sealed yet.
constexpr std::int64_t kNever = INT64_MIN;

Status create_in_transaction(Database& db, const std::string& zone, std::int64_t wall_us) {
  const std::string sql = fmt::format(
      "{}{}"
      "INSERT INTO clock VALUES(1,0,NULL,{},0,NULL,{},{},{},{},{},NULL);"
      "PRAGMA application_id={};PRAGMA user_version={};",
      kTables, views_sql(), wall_us, kNever, kNever, kNever, kNever, kNever, kApplicationId,
      kSchemaVersion);
  if (Status status = db.exec(sql); !status.ok()) return status;
  auto meta = db.prepare("INSERT INTO meta VALUES('zone',?1),('created_us',?2)");
  if (!meta.ok()) return meta.status();
  auto done = meta.value().bind(1, zone).bind(2, std::to_string(wall_us)).run();
  return done.ok() ? Status() : done.status();
}

// All of it or nothing: a process may end at any statement.
Status create(Database& db, const std::string& zone, std::int64_t wall_us) {
  if (Status status = db.exec("BEGIN IMMEDIATE"); !status.ok()) return status;
  Status status = create_in_transaction(db, zone, wall_us);
  if (status.ok()) status = db.exec("COMMIT");
  if (!status.ok()) static_cast<void>(db.exec("ROLLBACK"));  // the first failure is what is told
  return status;
}

}  // namespace

Status ensure_schema(Database& db, const std::string& path, const std::string& zone,
                     std::int64_t wall_us) {
  auto application = db.integer("PRAGMA application_id");
  if (!application.ok()) return application.status();
  auto version = db.integer("PRAGMA user_version");
  if (!version.ok()) return version.status();
  auto tables = db.integer("SELECT count(*) FROM sqlite_schema");
  if (!tables.ok()) return tables.status();
  if (tables.value().value_or(0) == 0) return create(db, zone, wall_us);
  if (application.value().value_or(0) != kApplicationId) {
    return Status(Code::kStorage, path + " is an SQLite file of another application; give an empty "
                                         "folder with --data");
  }
  if (version.value().value_or(0) != kSchemaVersion) {
    return Status(Code::kStorage,
                  fmt::format("{} has schema version {}, this build knows {}; use the release that "
                              "wrote it or give another folder with --data",
                              path, version.value().value_or(0), kSchemaVersion));
  }
  return {};
}

Result<std::string> read_meta(Database& db, std::string_view key) {
  auto query = db.prepare("SELECT value FROM meta WHERE key=?1");
  if (!query.ok()) return query.status();
  auto row = query.value().bind(1, key).step();
  if (!row.ok()) return row.status();
  if (!row.value()) return std::string();
  std::string value(query.value().text(0));
  if (auto end = query.value().step(); !end.ok()) return end.status();  // no memory for the text
  return value;
}

Status write_meta(Database& db, std::string_view key, std::string_view value) {
  auto set = db.prepare("INSERT OR REPLACE INTO meta VALUES(?1,?2)");
  if (!set.ok()) return set.status();
  auto done = set.value().bind(1, key).bind(2, value).run();
  return done.ok() ? Status() : done.status();
}

}  // namespace retailpulse
