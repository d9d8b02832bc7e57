#include "support/fact_encoder.h"

#include <algorithm>

#include "base/hash.h"

namespace retailpulse::testing {
namespace {

Advance& advance_of(EventBatch& batch, std::uint32_t partition) {
  const PartitionSlot slot{partition};
  const auto it = std::find_if(batch.advances.begin(), batch.advances.end(),
                               [slot](const Advance& a) { return a.slot == slot; });
  if (it != batch.advances.end()) return *it;
  batch.advances.push_back(Advance{slot, 0, 0, 0, false});
  return batch.advances.back();
}

std::uint64_t hash_or_none(const std::string& text) { return text.empty() ? 0 : hash64(text); }

}  // namespace

void FactEncoder::append(const Fact& fact, EventBatch& out) {
  Advance& advance = advance_of(out, fact.partition);
  advance.next = fact.offset + 1;
  advance.at_end = false;
  ++advance.records;
  if (fact.bucket == Bucket::kFiltered) {
    ++advance.filtered;
    return;
  }
  const PartitionSlot slot{fact.partition};
  if (fact.bucket == Bucket::kRejected) {
    out.rejects.push_back({slot, fact.offset, fact.reason, fact.time, "", "raw"});
    return;
  }
  Event event;
  event.time = fact.time;
  event.offset = fact.offset;
  event.record_id = hash_or_none(fact.id);
  event.visitor = hash_or_none(fact.visitor);
  event.slot = slot;
  event.type = name(Dimension::kType, fact.type, out);
  event.kind = fact.kind;
  event.flags = static_cast<std::uint8_t>(kFirstOfRecord | (fact.future ? kFutureStamp : 0));
  if (!fact.lines.empty()) return append_lines(fact, event, out);
  event.product = name(Dimension::kProduct, fact.product, out);
  if (fact.kind == EventKind::kListing) return append_listing(fact, event, out);
  event.rating_milli = fact.rating_milli;
  out.events.push_back(event);
}

void FactEncoder::append_lines(const Fact& fact, Event event, EventBatch& out) {
  event.order = hash_or_none(fact.order);
  for (const FactLine& line : fact.lines) {
    event.product = name(Dimension::kProduct, line.product, out);
    event.category = name(Dimension::kCategory, line.category, out);
    event.currency = name(Dimension::kCurrency, line.currency, out);
    event.amount_micros = line.amount_micros;
    event.quantity_milli = line.quantity_milli;
    out.events.push_back(event);
    event.flags = static_cast<std::uint8_t>(event.flags & ~kFirstOfRecord);
  }
}

void FactEncoder::append_listing(const Fact& fact, Event event, EventBatch& out) {
  Listing listing;
  listing.product = event.product;
  listing.category = name(Dimension::kCategory, fact.category, out);
  listing.currency = name(Dimension::kCurrency, fact.currency, out);
  listing.deleted = fact.deleted;
  listing.has_price = fact.price_micros.has_value();
  listing.from = fact.time;
  listing.offset = fact.offset;
  listing.price_micros = fact.price_micros.value_or(0);
  listing.name = fact.name;
  event.listing = static_cast<std::uint32_t>(out.listings.size());
  out.listings.push_back(std::move(listing));
  out.events.push_back(event);
}

void FactEncoder::mark_end(std::uint32_t partition, Offset next, EventBatch& out) {
  Advance& advance = advance_of(out, partition);
  advance.next = std::max(advance.next, next);
  advance.at_end = true;
}

NameId FactEncoder::name(Dimension dimension, const std::string& text, EventBatch& out) {
  if (text.empty()) return kNoName;
  auto& table = names_[static_cast<std::size_t>(dimension)];
  const NameId next{static_cast<std::uint32_t>(table.size())};
  const auto [it, fresh] = table.try_emplace(text, next);
  if (fresh) out.names.push_back({dimension, next, text});
  return it->second;
}

}  // namespace retailpulse::testing
