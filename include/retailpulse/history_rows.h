// The rows that a HistoryView gives, as plain values.
//
// Ids are those of the store (table `names`), not a lane's. Money and quantities stay scaled
// integers up to the text that a person reads.
//
// Thread: moved.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/epoch.h>
#include <retailpulse/types.h>
#include <retailpulse/window.h>

namespace retailpulse {

using StoredId = std::uint32_t;
inline constexpr StoredId kStoredNone = 0;   // "(unknown)" category, "(none)" elsewhere
inline constexpr StoredId kStoredOther = 1;  // "(other)": beyond the dimension's cap

// Panes of a tier with from <= pane start < to. The day tier counts in civil days of the store's
// zone, written as their midnight as if in UTC.
struct Window {
  Tier tier = Tier::kMinute;
  std::int64_t from_us = 0;
  std::int64_t to_us = 0;
};

// The commit that a view shows.
struct HistoryClock {
  std::uint64_t frame = 0;
  std::optional<std::int64_t> watermark_us;
  std::optional<std::int64_t> newest_event_us;
  std::int64_t wall_us = 0;
  bool closed_by_wall = false;
  std::array<std::int64_t, kTiers> sealed_us{};  // panes of the tier below it are gone
};

struct CurrencyRow {
  StoredId id = kStoredNone;
  std::string code;
  int digits = 2;
};

struct TotalPane {
  std::int64_t pane_us = 0;
  StoredId currency = kStoredNone;
  Sales sales;
  std::int64_t revision = 0;  // times that it changed after it was final
};

struct GroupPane {
  std::int64_t pane_us = 0;
  StoredId id = kStoredNone;  // category or product
  StoredId currency = kStoredNone;
  Sales sales;
  StoredId category = kStoredNone;  // of a product: one that its sales named themselves, if any
};

struct GroupSum {
  StoredId id = kStoredNone;
  StoredId currency = kStoredNone;
  Sales sales;
  StoredId category = kStoredNone;  // as above
};

struct TypePane {
  std::int64_t pane_us = 0;
  StoredId type = kStoredNone;
  std::int64_t events = 0;
};

struct TypeSum {
  StoredId type = kStoredNone;
  std::int64_t events = 0;
};

struct RatingPane {
  std::int64_t pane_us = 0;
  std::int64_t ratings = 0;
  std::int64_t sum_milli = 0;
  std::array<std::int64_t, 5> stars{};
};

struct RatingSum {
  StoredId product = kStoredNone;
  std::int64_t ratings = 0;
  std::int64_t sum_milli = 0;
  std::array<std::int64_t, 5> stars{};
};

struct ProductRow {
  std::string product_id;
  std::string name;      // display name of its latest listing; the id when there is none
  std::string category;  // of its latest listing, "(unknown)" when there is none
  std::string currency;  // of the price
  std::optional<std::int64_t> price_micros;
  bool listed = false;
  bool deleted = false;
};

struct PartitionRow {
  std::string topic;
  std::int32_t partition = 0;
  Offset first_offset = 0;
  Offset next_offset = 0;
  std::optional<Offset> end_offset;
  std::optional<std::int64_t> max_event_us;
  std::optional<std::int64_t> watermark_us;
  bool idle = false;
  std::int64_t consumed = 0;
  std::int64_t late = 0;
  std::int64_t future = 0;
  std::int64_t incarnation = 1;         // counts the logs that its records came from
  std::optional<Offset> last_offset;    // of the last record read
  std::string halted;                   // why nothing more is read from it; "" while it is
};

struct LostRange {                      // records that Kafka no longer had when we came
  std::string topic;
  std::int32_t partition = 0;
  Offset from = 0;
  Offset to = 0;                        // the first that was there again
  std::int64_t wall_us = 0;             // when it was noticed
};

inline constexpr std::size_t kLostRangesMax = 1000;

struct LostSum {
  std::int64_t ranges = 0;
  std::int64_t records = 0;             // offsets; some may never have been records
};

struct LedgerRow {
  std::string topic;
  std::int32_t partition = 0;
  std::string bucket;
  std::string reason;
  std::int64_t records = 0;
};

struct RejectRow {
  std::int64_t id = 0;
  std::string topic;
  std::int32_t partition = 0;
  Offset offset = 0;
  std::string reason;
  std::string field;
  std::int64_t record_us = 0;
  std::string raw;  // hostile bytes, not always UTF-8
};

struct RejectQuery {
  std::int64_t before = 0;  // newest first; 0 begins at the newest, else only ids below it
  std::size_t limit = 100;
  std::string topic{};      // empty: all
  std::string reason{};     // empty: all
};

struct StoreSize {
  std::string path;
  std::uint64_t db_bytes = 0;
  std::uint64_t wal_bytes = 0;
};

}  // namespace retailpulse
