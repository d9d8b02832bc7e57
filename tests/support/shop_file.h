// ShopFile: a store made by plain SQL, with numbers that a test knows, in a folder of its own.
//
// It books into every tier as the writer does, but through other code: what the readers say of it
// can be compared with what was booked.
#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include <retailpulse/window.h>

#include "base/decimal.h"
#include "base/hll.h"
#include "base/zone.h"
#include "store/schema.h"
#include "store/sqlite.h"

namespace retailpulse::testing {

struct Booking {
  std::int64_t us = 0;
  std::string product = "p1";
  std::string category{};  // own; empty: the listing decides
  std::string currency = "EUR";
  std::int64_t gross_micros = 0;
  std::int64_t refunds_micros = 0;
  std::int64_t orders = 1;
  std::int64_t units_milli = 1000;
};

class ShopFile {
 public:
  explicit ShopFile(const std::string& zone = "Europe/Berlin") : zone_(find_zone(zone)) {
    char folder[] = "/tmp/rp-shop-XXXXXX";
    if (mkdtemp(folder) == nullptr) throw std::runtime_error("no folder for a test");
    folder_ = folder;
    auto db = Database::open(path(), Database::Mode::kReadWriteCreate);
    must(db.status());
    db_ = std::make_unique<Database>(std::move(db).value());
    sql("PRAGMA journal_mode=WAL");
    must(ensure_schema(*db_, path(), zone_.name(), 0));
  }
  ~ShopFile() {
    db_.reset();
    std::filesystem::remove_all(folder_);
  }
  ShopFile(const ShopFile&) = delete;
  ShopFile& operator=(const ShopFile&) = delete;

  [[nodiscard]] const std::string& folder() const { return folder_; }
  [[nodiscard]] std::string path() const { return folder_ + "/retailpulse.db"; }
  [[nodiscard]] const Zone& zone() const { return zone_; }
  void close() { db_.reset(); }

  void sql(const std::string& text) { must(db_->exec(text)); }
  std::int64_t integer(const std::string& text) {
    auto value = db_->integer(text);
    must(value.status());
    return value.value().value_or(0);
  }
  // All rows of a query, cells with '|' between, rows with '\n'.
  std::string rows(const std::string& text);

  std::int64_t name(int dimension, const std::string& text) {
    auto [found, fresh] = names_.try_emplace({dimension, text}, 0);
    if (!fresh) return found->second;
    auto id = db_->prepare(
        "INSERT INTO names SELECT ?1,max(max(id)+1,2),?2 FROM names WHERE dimension=?1 RETURNING id");
    must(id.status());
    must(id.value().bind(1, std::int64_t{dimension}).bind(2, std::string_view(text)).step().status());
    found->second = id.value().integer(0);
    if (dimension == 2) {
      sql(fmt::format("INSERT INTO currencies VALUES({},{})", found->second, currency_digits(text)));
    }
    return found->second;
  }

  [[nodiscard]] std::int64_t pane(std::int64_t us, int tier) const {
    return tier == 3 ? zone_.civil_day(from_us(us))
                     : pane_of(us, kTierUs[static_cast<std::size_t>(tier)]);
  }

  // A product's listed category is looked up in the catalogue now.
  void book(const Booking& b) {
    const auto product = name(0, b.product);
    const auto currency = name(2, b.currency);
    const auto own = b.category.empty() ? 0 : name(1, b.category);
    const auto listed = integer(fmt::format("SELECT category FROM catalog WHERE product={}", product));
    const auto measures = fmt::format("{},1,{},{},{}", b.orders, b.units_milli, b.gross_micros,
                                      b.refunds_micros);
    constexpr const char* kAdd =
        "ON CONFLICT DO UPDATE SET orders=orders+excluded.orders,lines=lines+excluded.lines,"
        "units_milli=units_milli+excluded.units_milli,gross_micros=gross_micros+excluded.gross_micros,"
        "refunds_micros=refunds_micros+excluded.refunds_micros";
    for (int tier = 0; tier < 4; ++tier) {
      const auto at = pane(b.us, tier);
      sql(fmt::format("INSERT INTO totals VALUES({},{},{},{},0) {}", tier, at, currency, measures, kAdd));
      if (tier == 0) continue;
      sql(fmt::format("INSERT INTO categories VALUES({},{},{},{},{},0) {}", tier, at,
                      own != 0 ? own : listed, currency, measures, kAdd));
      sql(fmt::format("INSERT INTO products VALUES({},{},{},{},{},{},0,0) {}", tier, at, product, own,
                      currency, measures, kAdd));
    }
  }

  void list(const std::string& product, const std::string& display, const std::string& category) {
    auto row = db_->prepare("INSERT OR REPLACE INTO catalog VALUES(?1,?2,?3,0,NULL,0)");
    must(row.status());
    must(row.value().bind(1, name(0, product)).bind(2, std::string_view(display))
             .bind(3, name(1, category)).run().status());
  }

  void events(std::int64_t us, const std::string& type, std::int64_t count) {
    for (int tier = 1; tier < 4; ++tier) {
      sql(fmt::format("INSERT INTO types VALUES({},{},{},{}) ON CONFLICT DO UPDATE SET "
                      "events=events+excluded.events",
                      tier, pane(us, tier), name(3, type), count));
    }
  }

  void rate(std::int64_t us, const std::string& product, int stars) {
    const auto is = [&](int n) { return stars == n ? 1 : 0; };
    for (int tier = 1; tier < 4; ++tier) {
      sql(fmt::format(
          "INSERT INTO ratings VALUES({},{},{},1,{},{},{},{},{},{}) ON CONFLICT DO UPDATE SET "
          "ratings=ratings+1,sum_milli=sum_milli+excluded.sum_milli,one=one+excluded.one,"
          "two=two+excluded.two,three=three+excluded.three,four=four+excluded.four,"
          "five=five+excluded.five",
          tier, pane(us, tier), name(0, product), stars * 1000, is(1), is(2), is(3), is(4), is(5)));
    }
  }

  void visit(std::int64_t us, const Hll& hll) {
    for (const int tier : {0, 3}) {
      auto row = db_->prepare("INSERT OR REPLACE INTO visitors VALUES(?1,?2,?3)");
      must(row.status());
      must(row.value().bind(1, std::int64_t{tier}).bind(2, pane(us, tier))
               .bind_blob(3, hll.encode()).run().status());
    }
  }

  // The data clock stands at `us`, the newest event likewise.
  void watermark(std::int64_t us, std::int64_t frame = 1) {
    sql(fmt::format("UPDATE clock SET frame={},watermark_us={},newest_event_us={},wall_us={},"
                    "watermark_day_us={}",
                    frame, us, us, us, zone_.civil_day(from_us(us))));
  }

  // As retention does: minutes below `minutes_us` and quarters below the civil day are gone.
  void seal(std::int64_t minutes_us, std::int64_t quarter_day_us) {
    const auto quarters_us = to_us(zone_.day_begin(quarter_day_us));
    sql(fmt::format("UPDATE clock SET sealed_10s_us={},sealed_1m_us={},sealed_15m_us={},"
                    "sealed_15m_day_us={}",
                    minutes_us, minutes_us, quarters_us, quarter_day_us));
  }

 private:
  static Zone find_zone(const std::string& zone) {
    auto found = Zone::find(zone);
    must(found.status());
    return std::move(found).value();
  }
  static void must(const Status& status) {
    if (!status.ok()) throw std::runtime_error(status.message());
  }

  Zone zone_;
  std::string folder_;
  std::unique_ptr<Database> db_;
  std::map<std::pair<int, std::string>, std::int64_t> names_;
};

// 2026-11-22T10:00:00Z, a Sunday; 11:00 in Berlin.
inline constexpr std::int64_t kTenOClock = 1'795'341'600'000'000;

}  // namespace retailpulse::testing
