// SqliteRollupStore, the second part: opens the file, and looks whether it is the right one.
#include <sys/stat.h>

#include <filesystem>

#include <fmt/format.h>

#include <retailpulse/clock.h>

#include "base/log.h"
#include "store/rollup_store.h"
#include "store/schema.h"
#include "store/settings_book.h"

namespace retailpulse {
namespace {

constexpr std::uintmax_t kCheckBytesMax = 64U << 20U;  // 0.2 s; a larger file is not read whole

}  // namespace

Status SqliteRollupStore::load(const std::string& lock_path) {
  std::error_code none;
  const bool crashed = std::filesystem::file_size(path_ + "-wal", none) > 0 && !none;
  // EXTRA while the mode changes: the journal of a new file must be gone for good, or after a power
  // cut it would come back and empty the file.
  const std::string pragmas = fmt::format(
      "PRAGMA synchronous=EXTRA;PRAGMA journal_mode=WAL;PRAGMA synchronous={};PRAGMA wal_autocheckpoint=0;"
      "PRAGMA journal_size_limit=67108864;PRAGMA cell_size_check=ON;PRAGMA mmap_size=0;"
      "PRAGMA temp_store=MEMORY;PRAGMA cache_size=-16384;PRAGMA secure_delete=OFF;",
      options_.config.durability == Durability::kFull ? "FULL" : "NORMAL");
  if (Status s = db_.exec(pragmas); !s.ok()) return s;
  db_.count_wal_pages();
  if (Status s = check_after_crash(crashed); !s.ok()) return s;
  const auto wall_us = to_us(system_clock().wall());
  if (Status s = ensure_schema(db_, path_, zone_.name(), wall_us); !s.ok()) return s;
  if (Status s = load_zone(); !s.ok()) return s;
  if (Status s = note_calendar(); !s.ok()) return s;
  auto changes = record_settings(db_, options_.settings, path_, wall_us);
  if (!changes.ok()) return changes.status();
  setting_changes_ = std::move(changes).value();
  if (options_.throw_away) {
    if (Status s = write_meta(db_, "demo", "1"); !s.ok()) return s;
  }
  if (Status s = load_clock(); !s.ok()) return s;
  for (const std::string& file : {path_, path_ + "-wal", path_ + "-shm", lock_path}) {
    if (Status s = watch_.add(file); !s.ok()) return s;
  }
  db_.set_patience(kPatienceMs);
  return {};
}

// SQLite recovers by itself; what a bad disk did to the file meanwhile, it would not look for.
Status SqliteRollupStore::check_after_crash(bool crashed) {
  std::error_code none;
  if (!crashed || std::filesystem::file_size(path_, none) > kCheckBytesMax) return {};
  auto check = db_.prepare("PRAGMA quick_check(1)");
  if (!check.ok()) return check.status();
  auto row = check.value().step();
  if (!row.ok()) return row.status();
  const std::string found(check.value().text(0));
  if (auto end = check.value().step(); !end.ok()) return end.status();  // no memory for the text
  if (found == "ok") return {};
  return Status(Code::kCorrupt, fmt::format("{} is damaged ({}). {}", path_, found, kDamagedAdvice));
}

Status SqliteRollupStore::load_zone() {
  auto name = read_meta(db_, "zone");
  if (!name.ok()) return name.status();
  if (name.value() == zone_.name()) return {};
  return Status(Code::kConfig,
                fmt::format("{0} keeps its days in zone {1}, but zone {2} is asked for; give --zone "
                            "{1} or another folder with --data", path_, name.value(), zone_.name()));
}

// Days that were booked stay as they were cut; from now on they are cut by the rules of today. Only
// a zone whose rules were changed for days already booked has one that is cut in two ways.
Status SqliteRollupStore::note_calendar() {
  const std::string now = tz_database_version();
  auto before = read_meta(db_, "tzdata");
  if (!before.ok()) return before.status();
  if (before.value() == now) return {};
  if (!before.value().empty()) {
    log(LogLevel::kWarning, "store", "the time zone database has changed; days that are booked stay "
                                     "as they are",
        {{"zone", zone_.name()}, {"before", before.value()}, {"now", now}});
  }
  return write_meta(db_, "tzdata", now);
}

Result<std::unique_ptr<RollupStore>> open_store(const StoreOptions& options) {
  const std::string path = options.config.directory + "/retailpulse.db";
  umask(0077);  // the numbers of a shop are its owner's
  if (Status s = prepare_folder(options.config.directory); !s.ok()) return s;
  const std::string lock_path = options.config.directory + "/retailpulse.lock";
  auto lock = ProcessLock::take(lock_path);
  if (!lock.ok()) return lock.status();
  if (options.throw_away) {
    if (Status s = clear_for_demo(path); !s.ok()) return s;
  }
  auto zone = Zone::find(options.zone);
  if (!zone.ok()) return zone.status();
  auto db = Database::open(path, Database::Mode::kReadWriteCreate);
  if (!db.ok()) return db.status();
  auto store = std::make_unique<SqliteRollupStore>(std::move(lock).value(), std::move(db).value(),
                                                   std::move(zone).value(), options, path);
  if (Status s = store->load(lock_path); !s.ok()) {
    // A start is not tried again.
    return s.code() == Code::kUnavailable ? Status(Code::kStorage, s.message()) : s;
  }
  return std::unique_ptr<RollupStore>(std::move(store));
}

}  // namespace retailpulse
