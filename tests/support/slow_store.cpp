#include "support/slow_store.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.h"

namespace retailpulse::testing {
namespace {

constexpr std::size_t kRemembered = 65'536;  // ids of a partition

void add(Sales& sum, const Sales& s) {
  sum.orders += s.orders;
  sum.lines += s.lines;
  sum.units_milli += s.units_milli;
  sum.gross_micros += s.gross_micros;
  sum.refunds_micros += s.refunds_micros;
}

}  // namespace

SlowStore::SlowStore(const TimeConfig& time) : zone_(zone_named(time.zone)) {}

std::string SlowStore::text(const NameTable& names, Dimension dimension, NameId id) const {
  if (id == kNoName) return "";
  if (id == kOtherName) return "(other)";
  const auto& table = names[static_cast<std::size_t>(dimension)];
  RP_CHECK(index_of(id) < table.size(), "a name travels before or with its first use");
  return table[index_of(id)];
}

void SlowStore::take_names(NameTable& names, const std::vector<NewName>& fresh) {
  for (const NewName& name : fresh) {
    auto& table = names[static_cast<std::size_t>(name.dimension)];
    RP_CHECK(index_of(name.id) == table.size(), "name ids count up from 0");
    table.push_back(name.text);
  }
}

void SlowStore::commit(const Epoch& epoch) {
  NameTable& names = names_[epoch.lane];
  take_names(names, epoch.names);
  take_sales(names, epoch);
  take_listings(names, epoch);
  for (const RatingDelta& d : epoch.ratings) {
    RatingSum& sum = ratings_[{d.pane_us, text(names, Dimension::kProduct, d.product)}];
    sum.ratings += d.ratings;
    sum.sum_milli += d.sum_milli;
    for (std::size_t i = 0; i < d.stars.size(); ++i) sum.stars[i] += d.stars[i];
  }
  for (const TypeDelta& d : epoch.types) {
    types_[{d.pane_us, text(names, Dimension::kType, d.type)}] += d.events;
  }
  for (const VisitorMark& mark : epoch.visitors) {
    std::uint8_t& rank = visitors_[{mark.pane_us, mark.reg}];
    rank = std::max(rank, mark.rank);
  }
  for (const Reject& r : epoch.rejects) {
    rejects_.push_back(fmt::format("reject|{}|{}|{}", index_of(r.slot), r.offset,
                                   kReasonNames[static_cast<std::size_t>(r.reason)]));
  }
  for (const PartitionAdvance& advance : epoch.advances) take_advance(advance);
}

void SlowStore::take_sales(const NameTable& names, const Epoch& epoch) {
  for (const TotalDelta& d : epoch.totals) {
    add(totals_[{d.pane_us, text(names, Dimension::kCurrency, d.currency)}], d.sales);
  }
  for (const ProductDelta& d : epoch.products) {
    add(products_[{d.pane_us, text(names, Dimension::kProduct, d.product),
                   text(names, Dimension::kCategory, d.category),
                   text(names, Dimension::kCurrency, d.currency)}],
        d.sales);
  }
  for (const OrderLine& line : epoch.order_lines) {
    order_lines_.push_back({fmt::format("{:016x}", line.order),
                            text(names, Dimension::kProduct, line.product),
                            text(names, Dimension::kCategory, line.category),
                            text(names, Dimension::kCurrency, line.currency), to_us(line.time)});
  }
}

void SlowStore::take_listings(const NameTable& names, const Epoch& epoch) {
  for (const Listing& l : epoch.listings) {
    listings_.push_back({text(names, Dimension::kProduct, l.product),
                         text(names, Dimension::kCategory, l.category),
                         text(names, Dimension::kCurrency, l.currency), l.name, to_us(l.from),
                         l.offset, l.price_micros, l.has_price, l.deleted});
  }
}

void SlowStore::take_advance(const PartitionAdvance& a) {
  Partition& p = partitions_[a.slot];
  RP_CHECK(p.next == a.begin, "consecutive epochs of a partition touch");
  RP_CHECK(a.max_event_us >= p.counts.max_event_us, "the newest event time never goes back");
  p.next = a.next;
  PartitionCounts& c = p.counts;
  std::uint64_t sum = 0;
  c.records += a.records;
  for (std::size_t b = 0; b < kBuckets; ++b) {
    c.counts[b] += a.counts[b];
    sum += a.counts[b];
  }
  RP_CHECK(sum == a.records, "every record is in one bucket");
  for (std::size_t r = 0; r < kReasons; ++r) c.rejected[r] += a.rejected[r];
  c.late += a.late;
  c.future += a.future;
  c.max_event_us = a.max_event_us;
  p.recent_ids.insert(p.recent_ids.end(), a.recent_ids.begin(), a.recent_ids.end());
  if (p.recent_ids.size() > kRemembered) {
    p.recent_ids.erase(p.recent_ids.begin(),
                       p.recent_ids.end() - static_cast<std::ptrdiff_t>(kRemembered));
  }
}

SlowStore::Stored SlowStore::stored(PartitionSlot slot) const {
  const auto it = partitions_.find(slot);
  if (it == partitions_.end()) return {};
  return {it->second.next, it->second.counts.max_event_us, it->second.recent_ids};
}

Rows SlowStore::rows() const {
  Tables tables(zone_, listings_);
  for (const auto& [key, sales] : totals_) {
    tables.add_total(std::get<0>(key), std::get<1>(key), sales);
  }
  for (const auto& [key, sales] : products_) {
    tables.add_product(std::get<0>(key), std::get<1>(key), std::get<2>(key), std::get<3>(key),
                       sales);
  }
  for (const auto& [key, sum] : ratings_) {
    tables.add_rating(std::get<0>(key), std::get<1>(key), sum);
  }
  for (const auto& [key, events] : types_) {
    tables.add_type(std::get<0>(key), std::get<1>(key), events);
  }
  for (const auto& [key, rank] : visitors_) {
    tables.add_visitor(std::get<0>(key), HllMark{std::get<1>(key), rank});
  }
  tables.add_orders(order_lines_);
  Rows out = tables.rows();
  out.insert(out.end(), rejects_.begin(), rejects_.end());
  for (const auto& [slot, p] : partitions_) append_ledger(out, index_of(slot), p.counts);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace retailpulse::testing
