#include "store/settings_book.h"

#include <map>

#include <fmt/format.h>

namespace retailpulse {
namespace {

Result<std::map<std::string, std::string>> last_settings(Database& db) {
  auto rows = db.prepare("SELECT name,value FROM setting_rows ORDER BY id");
  if (!rows.ok()) return rows.status();
  std::map<std::string, std::string> last;
  for (;;) {
    auto more = rows.value().step();
    if (!more.ok()) return more.status();
    if (!more.value()) return last;
    last[std::string(rows.value().text(0))] = rows.value().text(1);
  }
}

// Whether a record of the topic is in the ledger.
Result<bool> has_numbers(Database& db, const std::string& topic) {
  auto row = db.prepare("SELECT 1 FROM partition_state WHERE topic=?1 AND consumed>0");
  if (!row.ok()) return row.status();
  return row.value().bind(1, topic).step();
}

Result<std::vector<std::string>> record(Database& db, std::span<const Setting> settings,
                                        const std::string& path, std::int64_t wall_us) {
  auto last = last_settings(db);
  if (!last.ok()) return last.status();
  auto insert = db.prepare(
      "INSERT INTO setting_rows(name,value,since_us,since_frame) SELECT ?1,?2,?3,frame FROM clock");
  if (!insert.ok()) return insert.status();
  std::vector<std::string> changes;
  for (const Setting& setting : settings) {
    const auto was = last.value().find(setting.name);
    const bool is_new = was == last.value().end();
    if (!is_new && was->second == setting.value) continue;
    if (!is_new && setting.fixed) {
      auto numbers = has_numbers(db, setting.topic);
      if (!numbers.ok()) return numbers.status();
      if (numbers.value()) {
        return Status(Code::kConfig,
                      fmt::format("{} holds numbers that were counted with {} = {}, and {} is asked "
                                  "for: they would be added up with something else; give another "
                                  "folder with --data",
                                  path, setting.name, was->second, setting.value));
      }
    }
    auto done = insert.value().bind(1, setting.name).bind(2, setting.value).bind(3, wall_us).run();
    if (!done.ok()) return done.status();
    if (is_new) continue;
    changes.push_back(fmt::format("{} was {} and is {} from here on; what was counted before stays "
                                  "as it is (view settings)",
                                  setting.name, was->second, setting.value));
  }
  return changes;
}

}  // namespace

Result<std::vector<std::string>> record_settings(Database& db, std::span<const Setting> settings,
                                                 const std::string& path, std::int64_t wall_us) {
  if (Status s = db.exec("BEGIN IMMEDIATE"); !s.ok()) return s;
  auto changes = record(db, settings, path, wall_us);
  if (changes.ok()) {
    Status s = db.exec("COMMIT");
    if (s.ok()) return changes;
    changes = std::move(s);
  }
  static_cast<void>(db.roll_back());  // the first failure is what is told
  return changes;
}

}  // namespace retailpulse
