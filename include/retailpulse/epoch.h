// Epoch: everything a lane learnt since its last hand-over; the unit that is committed.
//
// Every part is mergeable: adding two deltas of the same key in any order gives the same row.
// Name ids are the lane's own; the store translates them with the NewNames that came before.
//
// Thread:     moved (aggregator -> committer through the lane's epoch ring).
// Invariants: (1) consecutive epochs of a partition touch: next.begin == previous.next;
//             (2) all deltas of records below `next` are in this epoch or an earlier one;
//             (3) records == sum of counts, for each advance.
// Limits:     kEpochRowsMax rows of sales; the lane stops reading until the epoch is taken.
#pragma once

#include <array>
#include <vector>

#include <retailpulse/event.h>
#include <retailpulse/types.h>

namespace retailpulse {

inline constexpr std::size_t kEpochRowsMax = 1U << 17;

struct Sales {
  std::int64_t orders = 0;          // orders of one line; orders with shared lines: OrderLine
  std::int64_t lines = 0;           // sale lines
  std::int64_t units_milli = 0;     // of sales
  std::int64_t gross_micros = 0;    // sales
  std::int64_t refunds_micros = 0;  // refunds and cancels, as a positive number

  friend bool operator==(const Sales&, const Sales&) = default;
};

struct TotalDelta {                 // key: (10 s pane, currency)
  std::int64_t pane_us = 0;
  NameId currency = kNoName;
  Sales sales;
};

struct ProductDelta {               // key: (minute, product, own category or kNoName, currency)
  std::int64_t pane_us = 0;
  NameId product = kNoName;
  NameId category = kNoName;        // kNoName: the listing in effect decides (store)
  NameId currency = kNoName;
  Sales sales;
};

struct RatingDelta {                // key: (minute, product)
  std::int64_t pane_us = 0;
  NameId product = kNoName;
  std::int64_t ratings = 0;
  std::int64_t sum_milli = 0;
  std::array<std::int64_t, 5> stars{};  // rounded half up to 1..5
};

struct TypeDelta {                  // key: (minute, type)
  std::int64_t pane_us = 0;
  NameId type = kNoName;
  std::int64_t events = 0;
};

struct VisitorMark {                // key: (10 s pane, HyperLogLog register); merge: greater rank
  std::int64_t pane_us = 0;
  std::uint16_t reg = 0;
  std::uint8_t rank = 0;
};

struct OrderLine {                  // a sale line of an order that other lines may share
  std::uint64_t order = 0;
  EventTime time{};
  NameId product = kNoName;
  NameId category = kNoName;
  NameId currency = kNoName;
};

struct PartitionAdvance {
  PartitionSlot slot{};
  Offset begin = 0;                 // next offset before this epoch
  Offset next = 0;
  std::uint64_t records = 0;        // read
  std::array<std::uint64_t, kBuckets> counts{};
  std::array<std::uint64_t, kReasons> rejected{};  // splits counts[kRejected]
  std::uint64_t late = 0;           // counted, but behind this partition's own watermark
  std::uint64_t future = 0;         // counted, stamped beyond future_skew
  std::int64_t max_event_us = INT64_MIN;  // greatest accepted time; INT64_MIN: none yet
  std::int64_t min_event_us = INT64_MAX;  // smallest accepted time of this epoch
  bool at_end = false;
  Fingerprint last;                 // of the last record read; its offset is -1 if none was
  std::vector<std::uint64_t> recent_ids;  // record ids first seen in this epoch, in order
};

struct Epoch {
  LaneId lane{};
  std::uint64_t number = 0;         // counts up from 1 within a run
  bool last = false;                // the lane has stopped
  std::vector<NewName> names;
  std::vector<TotalDelta> totals;
  std::vector<ProductDelta> products;
  std::vector<RatingDelta> ratings;
  std::vector<TypeDelta> types;
  std::vector<VisitorMark> visitors;
  std::vector<OrderLine> order_lines;
  std::vector<Listing> listings;
  std::vector<Reject> rejects;
  std::vector<Replayed> replays;    // their partitions have an advance, if only by nothing
  std::vector<PartitionAdvance> advances;
  std::int64_t newest_record_us = 0;  // greatest Kafka timestamp in it, for the delay metric
};

}  // namespace retailpulse
