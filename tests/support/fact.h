// Fact: a record as a test writes it down, in plain texts and before any id, hash or pane.
//
// Thread: any. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <retailpulse/event.h>
#include <retailpulse/types.h>

namespace retailpulse::testing {

struct FactLine {                    // of a sale, refund or cancel
  std::string product;
  std::string category;              // the record's own; empty: the listing decides
  std::string currency = "EUR";
  std::int64_t amount_micros = 0;
  std::int64_t quantity_milli = 1000;
};

struct Fact {
  std::uint32_t partition = 0;       // slot
  Offset offset = 0;
  EventTime time{};
  EventKind kind = EventKind::kInteraction;
  Bucket bucket = Bucket::kCounted;  // what the decoder says: kCounted, kFiltered or kRejected
  Reason reason = Reason::kNone;     // kRejected
  bool future = false;               // stamped beyond future_skew
  std::string id;                    // empty: none
  std::string visitor;               // empty: unknown
  std::string type;                  // empty: none
  std::string order;                 // empty: each line is an order of its own
  std::vector<FactLine> lines;
  std::string product;               // listing, feedback, interaction
  std::int32_t rating_milli = 0;     // feedback
  std::string category;              // listing; empty: not said
  std::string name;                  // listing
  std::string currency;              // listing
  std::optional<std::int64_t> price_micros;  // listing
  bool deleted = false;              // listing
};

}  // namespace retailpulse::testing
