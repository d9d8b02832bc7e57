// Event: one decoded retail fact, and EventBatch: what a consumer thread hands to its aggregator.
//
// One Kafka message gives zero or more events (an order's lines). All events of a record follow
// each other and the first bears kFirstOfRecord, so that the ledger counts records, not lines.
// An event is trivially copyable and two cache lines; texts are lane-local name ids.
//
// Thread:     moved (through the rings of a lane).
// Invariants: (1) a record's outcome (events, reject or filtered) and its advance are in one batch;
//             (2) for a partition, records appear in offset order.
// Limits:     kBatchEvents events before a record is begun; one record adds at most kItemsMax.
#pragma once

#include <string>
#include <type_traits>
#include <vector>

#include <retailpulse/types.h>

namespace retailpulse {

enum class EventKind : std::uint8_t { kSale, kRefund, kCancel, kListing, kFeedback, kInteraction };

enum EventFlag : std::uint8_t {
  kFirstOfRecord = 1,   // begins a record
  kFutureStamp = 2,     // stamped beyond future_skew of its own record time: never moves the watermark
  kRecordTime = 4,      // event time is the Kafka record time
};

inline constexpr std::size_t kBatchEvents = 4096;
inline constexpr std::size_t kItemsMax = 1000;       // lines of one record; more is too_many_items
inline constexpr std::size_t kRejectRawBytes = 2048; // how much of a rejected record is kept

struct Event {
  EventTime time{};
  Offset offset = 0;
  std::uint64_t record_id = 0;    // hash of (id, bytes) of the record; 0 = it has no id to compare
  std::uint64_t visitor = 0;      // hash of user id, else session id; 0 = unknown
  std::uint64_t order = 0;        // hash of the order that lines share; 0 = this line is an order
  std::int64_t amount_micros = 0; // sale, refund, cancel: the line's total, never negative
  std::int64_t quantity_milli = 0;
  PartitionSlot slot{};
  NameId product = kNoName;
  NameId category = kNoName;      // the record's own; absent = the listing decides
  NameId currency = kNoName;
  NameId type = kNoName;          // its name in the event distribution
  std::int32_t rating_milli = 0;  // thousandths of a star, 1000..5000
  std::uint32_t listing = 0;      // kListing: index into EventBatch::listings
  EventKind kind = EventKind::kInteraction;
  std::uint8_t flags = 0;
};
static_assert(std::is_trivially_copyable_v<Event>);
static_assert(sizeof(Event) <= 2 * kCacheLineBytes);

// The catalogue's word on a product from `from` on. Of two for the same product and moment the one
// with the greater (offset, name, category) wins: an order that does not depend on which lane read it.
struct Listing {
  NameId product = kNoName;
  NameId category = kNoName;
  NameId currency = kNoName;
  bool deleted = false;
  bool has_price = false;
  EventTime from{};
  Offset offset = 0;
  std::int64_t price_micros = 0;
  std::string name;               // display name, <= kNameBytesMax; may be empty
};

// A record that could not be understood, with enough to find, show and replay it.
struct Reject {
  PartitionSlot slot{};
  Offset offset = 0;
  Reason reason = Reason::kNone;
  EventTime record_time{};
  std::string field;              // dotted path, or empty when the record as a whole is at fault
  std::string raw;                // first kRejectRawBytes of the value
};

// A rejected record that was decoded again. Its events are those of its batch from `first_event`.
struct Replayed {
  std::int64_t reject = 0;            // its row in the store
  PartitionSlot slot{};
  Offset offset = 0;
  Reason was = Reason::kNone;         // under which it stands in the ledger
  Bucket bucket = Bucket::kRejected;  // where it belongs now
  Reason now = Reason::kNone;         // kRejected: why still
  std::string field;                  // likewise
  std::uint32_t first_event = 0;
  std::uint32_t events = 0;
};

// A text that the lane met for the first time. Ids count up from 0 for each dimension.
struct NewName {
  Dimension dimension{};
  NameId id{};
  std::string text;
};

// Where a partition stands after this batch. `next` also moves over records that are never
// delivered (aborted transactions, compacted offsets).
struct Advance {
  PartitionSlot slot{};
  Offset next = 0;
  std::uint32_t records = 0;      // records read, counted where they were read
  std::uint32_t filtered = 0;     // of them, those that gave no event on purpose
  bool at_end = false;            // position equalled the end offset when the batch was cut
  Fingerprint last = {};          // of the last record read, if any was
};

// A partition that the lane begins to read: what its aggregator must know before its first record.
// It travels through the same ring as the records, so it cannot come too late.
struct SlotStart {
  PartitionSlot slot{};
  Offset next = 0;
  std::int64_t max_event_us = INT64_MIN;      // as stored; INT64_MIN: none yet
  std::vector<std::uint64_t> recent_ids;      // oldest first
};

struct EventBatch {
  std::vector<SlotStart> starts;
  std::vector<Event> events;
  std::vector<Listing> listings;
  std::vector<Reject> rejects;
  std::vector<NewName> names;
  std::vector<Advance> advances;  // at most one for each slot, in order of first appearance
  std::vector<Replayed> replays;  // then there are no advances: every event is theirs
  std::int64_t newest_record_us = 0;  // greatest Kafka timestamp of the records read

  void clear() {
    starts.clear();
    events.clear();
    listings.clear();
    rejects.clear();
    names.clear();
    advances.clear();
    replays.clear();
    newest_record_us = 0;
  }
};

}  // namespace retailpulse
