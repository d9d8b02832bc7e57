#include "support/prefix_oracle.h"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <stdexcept>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/hll.h"
#include "support/store_rows.h"

namespace retailpulse::testing {
namespace {

constexpr std::size_t kRemembered = 65'536;  // ids of a partition
constexpr int kListingsKept = 32;  // of a product, as the store promises
constexpr std::int64_t kMinuteUs = 60 * kSecondUs;

std::uint64_t not_zero(std::uint64_t hash) { return hash == 0 ? 1 : hash; }

std::string field(const std::string& row, int number) {
  std::size_t begin = 0;
  for (; number > 0; --number) begin = row.find('|', begin) + 1;
  return row.substr(begin, row.find('|', begin) - begin);
}

// The pane from which on a tier still promises its rows.
std::map<std::string, std::string> seals_of(Database& db) {
  std::map<std::string, std::string> seals;
  for (const char* tier : {"10s", "1m", "15m"}) {
    seals[tier] = texts_of(db, fmt::format("SELECT coalesce(strftime('%Y-%m-%dT%H:%M:%SZ',"
                                           "sealed_{}_us/1000000,'unixepoch'),'') FROM clock",
                                           tier)).at(0);
  }
  return seals;
}

// Drops the rollup rows below their tier's seal: those are gone, or will be.
Rows unsealed(const Rows& rows, const std::map<std::string, std::string>& seals) {
  Rows out;
  for (const std::string& row : rows) {
    const auto seal = seals.find(field(row, 1));
    if (seal == seals.end() || field(row, 2) >= seal->second) out.push_back(row);
  }
  return out;
}

std::int64_t lines_of(const std::string& row) {
  const auto at = row.find("|lines=");
  return at == std::string::npos ? 0 : std::stoll(row.substr(at + 7));
}

// Sale lines of day totals that one has and the other has not, by row.
void count_lines(const Rows& expected, const Rows& found, Verdict& verdict) {
  std::map<std::string, std::int64_t> surplus;
  const auto key = [](const std::string& row) { return row.substr(0, row.find("|orders=")); };
  for (const std::string& row : only(found, "totals|1d|")) surplus[key(row)] += lines_of(row);
  for (const std::string& row : only(expected, "totals|1d|")) surplus[key(row)] -= lines_of(row);
  for (const auto& [row, lines] : surplus) {
    (lines > 0 ? verdict.doubled : verdict.lost) += std::abs(lines);
  }
}

void compare(const char* what, const Rows& expected, const Rows& found, Verdict& verdict) {
  if (expected == found) return;
  verdict.faults.push_back(fmt::format("{}:\n{}", what, difference(expected, found)));
}

std::string listing_row(const std::string& product, std::int64_t from_us, Offset offset,
                        const std::string& rest) {
  return fmt::format("listing|{}|{}|{}|{}", product, from_us, offset, rest);
}

}  // namespace

PrefixOracle::PrefixOracle(const PrfShop& shop, std::vector<std::string> topics,
                           const TimeConfig& time)
    : shop_(shop), topics_(std::move(topics)), model_(time), next_(shop.slots(), 0),
      slots_(shop.slots()) {
  slot_sql_ = "(CASE p.topic";
  for (std::size_t role = 0; role < topics_.size(); ++role) {
    slot_sql_ += fmt::format(" WHEN '{}' THEN {}", topics_[role], role * shop.partitions());
  }
  slot_sql_ += " END+p.partition)";
}

Verdict PrefixOracle::check(const std::string& path, const std::vector<Offset>& ends) {
  Verdict verdict;
  const bool begun = std::any_of(next_.begin(), next_.end(), [](Offset next) { return next > 0; });
  const auto nothing = [&](const char* what) {
    if (begun) verdict.faults.emplace_back(what);
    return verdict;
  };
  try {
    if (!std::filesystem::exists(path)) return nothing("the store is gone");
    auto opened = Database::open(path, Database::Mode::kReadOnly);
    if (!opened.ok()) throw std::runtime_error(opened.status().message());
    Database& db = opened.value();
    for (const std::string& text : texts_of(db, "PRAGMA integrity_check")) {
      if (text != "ok") verdict.faults.push_back("integrity: " + text);
    }
    if (texts_of(db, "SELECT name FROM sqlite_schema").empty()) return nothing("no tables");
    if (!db.exec("BEGIN").ok()) throw std::runtime_error("no read transaction");
    take_offsets(db, ends, verdict);
    const Rows wanted = expected(db);
    const Rows shown = found(db);
    compare("tables", wanted, shown, verdict);
    count_lines(wanted, shown, verdict);
    check_bytes(db, verdict);
    check_views(db, wanted, verdict);
  } catch (const std::exception& error) {
    // While a file is made it may need a journal rolled back, which only a writer can do: the next
    // start does it, or is refused and says so.
    if (begun) verdict.faults.emplace_back(error.what());
  }
  for (const Offset next : next_) verdict.records += static_cast<std::uint64_t>(next);
  return verdict;
}

void PrefixOracle::take_offsets(Database& db, const std::vector<Offset>& ends, Verdict& verdict) {
  for (const std::string& row : texts_of(
           db, fmt::format("SELECT {}||'|'||next_offset||'|'||consumed||'|'||first_offset||'|'||"
                           "(SELECT ifnull(sum(records),0) FROM ledger_counts l WHERE "
                           "l.slot_id=p.slot_id) FROM partition_state p", slot_sql_))) {
    const auto slot = static_cast<std::uint32_t>(std::stoul(field(row, 0)));
    const Offset next = std::stoll(field(row, 1));
    const auto fault = [&](const std::string& text) {
      verdict.faults.push_back(fmt::format("slot {}: {} ({})", slot, text, row));
    };
    if (field(row, 1) != field(row, 2)) fault("next offset and consumed differ");
    if (field(row, 2) != field(row, 4)) fault("the ledger does not balance");
    if (field(row, 3) != "0") fault("it did not begin at offset 0");
    if (next > ends.at(slot)) {
      fault("next is beyond the end");
    } else if (next < next_.at(slot)) {
      fault(fmt::format("next was {} before", next_[slot]));
    } else {
      advance(slot, next);
    }
  }
  if (!texts_of(db, "SELECT id FROM gaps").empty()) verdict.faults.emplace_back("gaps were noted");
}

void PrefixOracle::advance(std::uint32_t slot, Offset to) {
  for (; next_[slot] < to; ++next_[slot]) add(shop_.record(slot, next_[slot]));
}

void PrefixOracle::add(const PrfRecord& record) {
  const Fact& fact = record.fact;
  Slot& slot = slots_.at(fact.partition);
  model_.add(fact);
  if (fact.bucket != Bucket::kCounted) return;
  if (!fact.id.empty()) {
    const std::uint64_t id = not_zero(hash64(fact.id, hash64(record.value)));
    if (std::find(slot.recent.begin(), slot.recent.end(), id) != slot.recent.end()) return;
    slot.recent.push_back(id);
    if (slot.recent.size() > kRemembered) slot.recent.erase(slot.recent.begin());
  }
  const std::int64_t t = to_us(fact.time);
  slot.min_event_us = std::min(slot.min_event_us, t);
  if (fact.kind == EventKind::kListing) {
    auto& known = listings_[{fact.product, t}];
    const auto text = fmt::format("{}|{}|{}|{}", fact.name, fact.category,
                                  fact.price_micros ? fmt::to_string(*fact.price_micros) : "-",
                                  int{fact.deleted});
    known = std::max(known, {fact.offset, text});
  }
  for (const FactLine& line : fact.lines) {
    if (!line.category.empty()) continue;
    const auto [it, fresh] = first_sold_.try_emplace(line.product, pane_of(t, kMinuteUs));
    it->second = std::min(it->second, pane_of(t, kMinuteUs));
  }
}

Rows PrefixOracle::expected(Database& db) const {
  const Rows twin = model_.rows();
  Rows rows = unsealed(as_store_rows(twin), seals_of(db));
  for (const std::string& row : unsealed(only(twin, "visitors|"), seals_of(db))) {
    const std::string tier = field(row, 1);
    if (tier == "10s" || tier == "1d") rows.push_back(row);
  }
  for (const std::string& row : only(twin, "ledger|")) {
    if (field(row, 2) != "records=0") rows.push_back(row);
  }
  for (const std::string& row : only(twin, "partition|")) {
    const auto slot = std::stoul(field(row, 1));
    const std::int64_t least = slots_.at(slot).min_event_us;
    rows.push_back(row + "|oldest=" + time_text(least == INT64_MAX ? INT64_MIN : least));
  }
  // Of a product with as many listings as are kept, any but the newest may be gone.
  const std::string of_products = "FROM listings JOIN names ON dimension=0 AND id=product";
  const Rows full = texts_of(db, fmt::format("SELECT text {} GROUP BY product HAVING count(*)={} "
                                             "ORDER BY text", of_products, kListingsKept));
  const Rows kept = texts_of(db, "SELECT text||'|'||from_us " + of_products + " ORDER BY 1");
  for (auto it = listings_.begin(); it != listings_.end(); ++it) {
    const auto& [product, from_us] = it->first;
    const auto next = std::next(it);
    const bool newest = next == listings_.end() || next->first.first != product;
    const bool may_be_gone = !newest && std::binary_search(full.begin(), full.end(), product);
    const std::string name = fmt::format("{}|{}", product, from_us);
    if (may_be_gone && !std::binary_search(kept.begin(), kept.end(), name)) continue;
    rows.push_back(listing_row(product, from_us, it->second.first, it->second.second));
  }
  for (const auto& [product, first_us] : first_sold_) {
    rows.push_back(fmt::format("first|{}|{}", product, first_us));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

Rows PrefixOracle::found(Database& db) const {
  const auto seals = seals_of(db);
  Rows rows = unsealed(store_rows(db, slot_sql_), seals);
  auto visitors = db.prepare("SELECT tier,pane_us,registers FROM visitors");
  if (!visitors.ok()) throw std::runtime_error(visitors.status().message());
  Rows sketches;
  for (Statement& row = visitors.value(); row.step().value();) {
    const Tier tier{static_cast<std::uint8_t>(row.integer(0))};
    const auto hll = Hll::decode(row.blob(2));
    if (!hll.ok()) throw std::runtime_error(hll.status().message());
    sketches.push_back(fmt::format("visitors|{}|{}|all|{}",
                                   kTierNames.at(static_cast<std::size_t>(tier)),
                                   pane_text(tier, row.integer(1)), visitors_text(hll.value())));
  }
  std::string buckets;
  for (const std::string_view bucket : kBucketNames) {
    buckets += fmt::format("||'|{0}='||(SELECT ifnull(sum(records),0) FROM ledger_counts l WHERE "
                           "l.slot_id=p.slot_id AND l.bucket='{0}')", bucket);
  }
  for (const Rows& more :
       {unsealed(sketches, seals),
        texts_of(db, fmt::format("SELECT 'ledger|'||{}||'|records='||consumed{} "
                                 "FROM partition_state p WHERE consumed>0", slot_sql_, buckets)),
        texts_of(db, "SELECT 'first|'||text||'|'||first_us FROM product_first JOIN names ON "
                     "dimension=0 AND id=product"),
        texts_of(db, "SELECT 'listing|'||n.text||'|'||from_us||'|'||offset||'|'||l.name||'|'||"
                     "iif(category=0,'',(SELECT text FROM names WHERE dimension=1 AND id=category))"
                     "||'|'||ifnull(price_micros,'-')||'|'||deleted FROM listings l JOIN names n ON "
                     "dimension=0 AND id=product")}) {
    rows.insert(rows.end(), more.begin(), more.end());
  }
  auto partitions = db.prepare(fmt::format(
      "SELECT {},late,future,max_event_us,min_event_us FROM partition_state p WHERE consumed>0",
      slot_sql_));
  if (!partitions.ok()) throw std::runtime_error(partitions.status().message());
  for (Statement& row = partitions.value(); row.step().value();) {
    const auto time = [&row](int column) {
      return time_text(row.is_null(column) ? INT64_MIN : row.integer(column));
    };
    rows.push_back(fmt::format("partition|{}|late={}|future={}|newest={}|oldest={}", row.integer(0),
                               row.integer(1), row.integer(2), time(3), time(4)));
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

// Recent ids and the bytes of rejects.
void PrefixOracle::check_bytes(Database& db, Verdict& verdict) const {
  std::vector<std::string> ids(slots_.size());
  auto recent = db.prepare(fmt::format(
      "SELECT {},ids FROM recent_ids r JOIN partition_state p USING(slot_id) ORDER BY slot_id,upto",
      slot_sql_));
  if (!recent.ok()) throw std::runtime_error(recent.status().message());
  for (Statement& row = recent.value(); row.step().value();) {
    ids.at(static_cast<std::size_t>(row.integer(0))) += row.blob(1);
  }
  for (std::size_t slot = 0; slot < slots_.size(); ++slot) {
    const auto& wanted = slots_[slot].recent;
    const std::string bytes(reinterpret_cast<const char*>(wanted.data()),
                            wanted.size() * sizeof(std::uint64_t));
    if (ids[slot] == bytes) continue;
    verdict.faults.push_back(fmt::format("slot {}: {} recent ids, not the {} there were", slot,
                                         ids[slot].size() / sizeof(std::uint64_t), wanted.size()));
  }
  auto rejects = db.prepare(fmt::format(
      "SELECT {},offset,raw FROM reject_rows r JOIN partition_state p USING(slot_id)", slot_sql_));
  if (!rejects.ok()) throw std::runtime_error(rejects.status().message());
  for (Statement& row = rejects.value(); row.step().value();) {
    const auto record = shop_.record(static_cast<std::uint32_t>(row.integer(0)), row.integer(1));
    if (record.value == row.blob(2)) continue;
    verdict.faults.push_back(
        fmt::format("slot {}: the reject at {} has other bytes", row.integer(0), row.integer(1)));
  }
}

// Through the views a person sees the same sums as in the tables.
void PrefixOracle::check_views(Database& db, const Rows& expected, Verdict& verdict) const {
  const std::string sales = sales_sql();
  Rows days = texts_of(db, fmt::format("SELECT 'totals|1d|'||day||'|'||currency||'|'||{} "
                                       "FROM totals_by_day r", sales));
  const Rows categories = texts_of(
      db, fmt::format("SELECT 'categories|1d|'||day||'|'||category||'|'||currency||'|'||{} "
                      "FROM categories_by_day r", sales));
  days.insert(days.end(), categories.begin(), categories.end());
  std::sort(days.begin(), days.end());
  Rows wanted = only(expected, "categories|1d|");
  const Rows totals = only(expected, "totals|1d|");
  wanted.insert(wanted.end(), totals.begin(), totals.end());
  std::sort(wanted.begin(), wanted.end());
  compare("views by day", wanted, days, verdict);

  const auto sums = [&db](const std::string& view) {
    return texts_of(
        db, fmt::format("SELECT currency||'|'||sum(lines)||'|'||sum(units_milli)||'|'||"
                        "sum(gross_micros)||'|'||sum(refunds_micros) FROM {} GROUP BY currency "
                        "HAVING sum(lines) OR sum(refunds_micros) ORDER BY currency", view));
  };
  const Rows by_day = sums("totals_by_day");
  for (const char* view : {"totals_by_minute", "categories_by_minute", "categories_by_day",
                           "products_by_day"}) {
    compare(view, by_day, sums(view), verdict);
  }
  compare("events_by_minute",
          texts_of(db, "SELECT text||'|'||sum(events) FROM types JOIN names ON dimension=3 AND "
                       "id=type WHERE tier=3 GROUP BY text ORDER BY text"),
          texts_of(db, "SELECT type||'|'||sum(events) FROM events_by_minute GROUP BY type "
                       "ORDER BY type"), verdict);
  compare("ratings_by_day",
          texts_of(db, "SELECT sum(ratings)||'|'||sum(sum_milli) FROM ratings WHERE tier=3"),
          texts_of(db, "SELECT sum(ratings)||'|'||sum(sum_milli) FROM ratings_by_day"), verdict);
}

}  // namespace retailpulse::testing
