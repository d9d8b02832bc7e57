// RollupStore over SQLite: opens the file, and makes one transaction of a commit.
#include <sys/stat.h>
#include <sys/vfs.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

#include <fmt/format.h>

#include <retailpulse/clock.h>
#include <retailpulse/store.h>

#include "base/failpoint.h"
#include "base/zone.h"
#include "store/catalog.h"
#include "store/names.h"
#include "store/order_marks.h"
#include "store/partition_book.h"
#include "store/process_lock.h"
#include "store/recategorise.h"
#include "store/retention.h"
#include "store/rollup_rows.h"
#include "store/row_writer.h"
#include "store/schema.h"
#include "store/sqlite.h"

namespace retailpulse {
namespace {

constexpr int kWalPagesMax = 1000;  // 4 MB: then the WAL is moved into the file
constexpr std::size_t kTenSeconds = 0, kMinute = 1, kQuarter = 2, kDay = 3;

class SqliteRollupStore final : public RollupStore {
 public:
  SqliteRollupStore(ProcessLock lock, Database db, Zone zone, StoreOptions options, std::string path)
      : lock_(std::move(lock)), db_(std::move(db)), zone_(std::move(zone)),
        options_(std::move(options)), path_(std::move(path)), rows_(names_, catalog_, zone_) {}

  Status load();

  const std::string& path() const override { return path_; }
  const std::string& zone() const override { return zone_.name(); }
  std::int64_t watermark_us() const override { return watermark_us_; }
  Result<std::vector<StoredPartition>> partitions() override { return book_.partitions(db_); }
  Status bind(PartitionSlot slot, const std::string& topic, std::int32_t partition,
              Offset start) override {
    return book_.bind(slot, topic, partition, start);
  }
  Result<CommitReport> commit(std::span<const Epoch* const> epochs, std::span<const GapRow> gaps,
                              const CommitContext& context) override;
  Status maintain() override;
  Status close() override;

 private:
  Status load_clock();
  Result<std::int64_t> write_all(std::span<const Epoch* const> epochs, std::span<const GapRow> gaps,
                                 const CommitContext& context, const Seals& seals);
  Status write_partitions(std::span<const Epoch* const> epochs, const CommitContext& context);
  Status take_listings(const Epoch& epoch, const Seals& seals);
  Status take_listing(const ListingRow& row, const Seals& seals);
  Status write_clock(const CommitContext& context, const Seals& seals);
  // Ends a failed transaction; what is in memory becomes what is in the file again.
  Status rolled_back(Status cause);

  ProcessLock lock_;
  Database db_;
  Zone zone_;
  StoreOptions options_;
  std::string path_;
  Names names_;
  Catalog catalog_;
  OrderMarks orders_;
  PartitionBook book_;
  Recategoriser recategoriser_;
  RollupRows rows_;
  RowWriter writer_;
  Retention retention_;
  Statement clock_;
  Seals seals_;
  std::uint64_t frame_ = 0;
  std::int64_t watermark_us_ = INT64_MIN;
  std::int64_t newest_event_us_ = INT64_MIN;
  int order_part_ = 0;
};

Status SqliteRollupStore::load() {
  const std::string pragmas = fmt::format(
      "PRAGMA journal_mode=WAL;PRAGMA synchronous={};PRAGMA wal_autocheckpoint=0;"
      "PRAGMA journal_size_limit=67108864;PRAGMA cell_size_check=ON;PRAGMA mmap_size=0;"
      "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-16384;PRAGMA secure_delete=OFF;",
      options_.config.durability == Durability::kFull ? "FULL" : "NORMAL");
  if (Status s = db_.exec(pragmas); !s.ok()) return s;
  db_.count_wal_pages();
  const auto wall_us = to_us(system_clock().wall());
  if (Status s = ensure_schema(db_, path_, zone_.name(), wall_us); !s.ok()) return s;
  auto zone = db_.prepare("SELECT value FROM meta WHERE key='zone'");
  if (!zone.ok()) return zone.status();
  auto row = zone.value().step();
  if (!row.ok()) return row.status();
  if (!row.value() || zone.value().text(0) != zone_.name()) {
    return Status(Code::kConfig,
                  fmt::format("{} keeps its days in zone {}, but zone {} is asked for; give --zone {} "
                              "or another folder with --data",
                              path_, zone.value().text(0), zone_.name(), zone.value().text(0)));
  }
  zone.value().reset();
  if (options_.throw_away) {
    if (Status s = db_.exec("INSERT INTO meta VALUES('demo','1')"); !s.ok()) return s;
  }
  return load_clock();
}

// Everything in memory, from the file; also after a rollback.
Status SqliteRollupStore::load_clock() {
  if (Status s = names_.load(db_); !s.ok()) return s;
  if (Status s = catalog_.load(db_); !s.ok()) return s;
  if (Status s = orders_.load(db_); !s.ok()) return s;
  if (Status s = book_.load(db_, options_.config.retention.rejects); !s.ok()) return s;
  if (Status s = recategoriser_.load(db_); !s.ok()) return s;
  if (Status s = writer_.load(db_); !s.ok()) return s;
  if (Status s = retention_.load(db_); !s.ok()) return s;
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

Status SqliteRollupStore::rolled_back(Status cause) {
  if (Status s = db_.exec("ROLLBACK"); !s.ok()) return cause;  // it may have rolled back by itself
  if (Status s = load_clock(); !s.ok()) return s;
  return cause;
}

Result<CommitReport> SqliteRollupStore::commit(std::span<const Epoch* const> epochs,
                                               std::span<const GapRow> gaps,
                                               const CommitContext& context) {
  const Duration begun = system_clock().monotonic();
  if (Status s = db_.exec("BEGIN IMMEDIATE"); !s.ok() && !planted(Plant::kRetryTwice)) return s;
  const Seals seals =
      seals_at(context.watermark_us, options_.config.retention, zone_, seals_);
  auto written = write_all(epochs, gaps, context, seals);
  if (!written.ok()) {
    return planted(Plant::kRetryTwice) ? written.status() : rolled_back(written.status());
  }
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
  for (const Epoch* epoch : epochs) {
    if (Status s = take_listings(*epoch, seals); !s.ok()) return s;
  }
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

Status SqliteRollupStore::take_listings(const Epoch& epoch, const Seals& seals) {
  for (const Listing& l : epoch.listings) {
    ListingRow row;
    row.product = names_.id(epoch.lane, Dimension::kProduct, l.product);
    row.from_us = to_us(l.from);
    row.offset = l.offset;
    row.name = l.name;
    row.category = names_.id(epoch.lane, Dimension::kCategory, l.category);
    row.currency = names_.id(epoch.lane, Dimension::kCurrency, l.currency);
    if (l.has_price) row.price_micros = l.price_micros;
    row.deleted = l.deleted;
    if (row.product == kOtherId) continue;  // beyond the cap: the key "(other)" has no listing
    if (Status s = take_listing(row, seals); !s.ok()) return s;
  }
  return {};
}

Status SqliteRollupStore::take_listing(const ListingRow& row, const Seals& seals) {
  const auto changes = catalog_.changes(row);
  if (changes.empty()) {
    if (Status s = catalog_.apply(row); !s.ok()) return s;
    return catalog_.drop_surplus(row.product);
  }
  // Minutes to come have no sales yet: then nothing booked changes.
  const bool was_listed = changes.front().before != kUnknownId;
  const bool booked = changes.front().from_us <= orders_.newest_us();
  std::vector<std::int64_t> shared;
  if (booked) {
    auto orders = orders_.orders_of(row.product, was_listed ? OrderMarks::Which::kAll
                                                            : OrderMarks::Which::kUnlisted);
    if (!orders.ok()) return orders.status();
    shared = std::move(orders).value();
  }
  if (Status s = orders_.recount(shared, names_, catalog_, rows_, -1); !s.ok()) return s;
  for (const Recategorised& change : changes) {
    if (Status s = recategoriser_.move(change, seals, rows_); !s.ok()) return s;
  }
  if (Status s = catalog_.apply(row); !s.ok()) return s;
  if (Status s = orders_.recount(shared, names_, catalog_, rows_, +1); !s.ok()) return s;
  if (Status s = catalog_.drop_surplus(row.product); !s.ok()) return s;
  return was_listed ? Status() : orders_.listed(row.product);
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

Status SqliteRollupStore::maintain() {
  auto gone = retention_.prune_some(seals_);
  if (!gone.ok()) return gone.status();
  if (watermark_us_ != INT64_MIN) {
    const std::int64_t before = watermark_us_ - options_.config.retention.orders.count();
    if (Status s = orders_.prune(before, order_part_); !s.ok()) return s;
    order_part_ = (order_part_ + 1) % OrderMarks::kParts;
  }
  if (db_.wal_pages() < kWalPagesMax) return {};
  return db_.wal_checkpoint(Database::Checkpoint::kPassive);
}

Status SqliteRollupStore::close() {
  if (Status s = db_.exec("PRAGMA optimize"); !s.ok()) return s;
  return db_.wal_checkpoint(Database::Checkpoint::kTruncate);
}

Status prepare_directory(const StoreOptions& options, const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(options.config.directory, error);
  if (error) {
    return Status(Code::kStorage, fmt::format("cannot create the folder {}: {}",
                                              options.config.directory, error.message()));
  }
  if (!options.throw_away || !std::filesystem::exists(path)) return {};
  auto db = Database::open(path, Database::Mode::kReadOnly);
  if (!db.ok()) return db.status();
  auto demo = db.value().integer("SELECT count(*) FROM meta WHERE key='demo'");
  if (!demo.ok() || demo.value().value_or(0) == 0) {
    return Status(Code::kStorage, path + " holds the numbers of a real shop; the demo begins with an "
                                         "empty store, so give it another folder with --data");
  }
  for (const char* suffix : {"", "-wal", "-shm"}) std::filesystem::remove(path + suffix, error);
  return {};
}

// WAL needs shared memory and honest locks: not on a network file system.
Status refuse_network_disk(const std::string& directory) {
  constexpr long kNfs = 0x6969, kSmb = 0x517b, kCifs = 0xff534d42, kSmb2 = 0xfe534d42;
  struct statfs fs {};
  if (statfs(directory.c_str(), &fs) != 0) {
    return Status(Code::kStorage, "cannot read " + directory + ": " + std::strerror(errno));
  }
  const auto type = static_cast<long>(fs.f_type) & 0xffffffffL;
  if (type == kNfs || type == kSmb || type == kCifs || type == kSmb2) {
    return Status(Code::kStorage, directory + " is on a network file system, where SQLite's locks "
                                              "cannot be trusted; give a local folder with --data");
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<RollupStore>> open_store(const StoreOptions& options) {
  const std::string path = options.config.directory + "/retailpulse.db";
  umask(0077);  // the numbers of a shop are its owner's
  std::error_code error;
  std::filesystem::create_directories(options.config.directory, error);
  if (error) return prepare_directory(options, path);
  if (Status s = refuse_network_disk(options.config.directory); !s.ok()) return s;
  auto lock = ProcessLock::take(options.config.directory + "/retailpulse.lock");
  if (!lock.ok()) return lock.status();
  if (Status s = prepare_directory(options, path); !s.ok()) return s;
  auto zone = Zone::find(options.zone);
  if (!zone.ok()) return zone.status();
  auto db = Database::open(path, Database::Mode::kReadWriteCreate);
  if (!db.ok()) return db.status();
  auto store = std::make_unique<SqliteRollupStore>(std::move(lock).value(), std::move(db).value(),
                                                   std::move(zone).value(), options, path);
  if (Status s = store->load(); !s.ok()) return s;
  return std::unique_ptr<RollupStore>(std::move(store));
}

}  // namespace retailpulse
