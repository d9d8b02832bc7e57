#include "support/naive_model.h"

#include <algorithm>

#include <fmt/format.h>

#include <retailpulse/window.h>

#include "base/check.h"
#include "base/hash.h"
#include "support/tables.h"

namespace retailpulse::testing {
namespace {

constexpr std::size_t kRemembered = 65'536;  // ids of a partition

Sales sales_of_line(const Fact& fact, const FactLine& line) {
  Sales s;
  if (fact.kind == EventKind::kSale) {
    s.lines = 1;
    s.orders = fact.order.empty() ? 1 : 0;
    s.units_milli = line.quantity_milli;
    s.gross_micros = line.amount_micros;
  } else {
    s.refunds_micros = line.amount_micros;
  }
  return s;
}

RatingSum rating_of(const Fact& fact) {
  RatingSum r;
  r.ratings = 1;
  r.sum_milli = fact.rating_milli;
  // Half up: 4499 is 4 stars, 4500 is 5.
  std::size_t star = 1;
  for (std::size_t s = 2; s <= 5; ++s) {
    if (fact.rating_milli >= static_cast<std::int32_t>(s) * 1000 - 500) star = s;
  }
  r.stars[star - 1] = 1;
  return r;
}

std::vector<ListingText> listings_of(const std::vector<Fact>& facts) {
  std::vector<ListingText> out;
  for (const Fact& f : facts) {
    if (f.kind != EventKind::kListing) continue;
    out.push_back({f.product, f.category, f.currency, f.name, to_us(f.time), f.offset,
                   f.price_micros.value_or(0), f.price_micros.has_value(), f.deleted});
  }
  return out;
}

}  // namespace

NaiveModel::NaiveModel(const TimeConfig& time)
    : zone_(zone_named(time.zone)), out_of_order_us_(time.out_of_order.count()) {}

bool NaiveModel::is_duplicate(Partition& p, const std::string& id) {
  if (id.empty()) return false;
  if (!p.recent_set.insert(id).second) return true;
  p.recent.push_back(id);
  if (p.recent.size() > kRemembered) {
    p.recent_set.erase(p.recent.front());
    p.recent.pop_front();
  }
  return false;
}

void NaiveModel::add(const Fact& fact, std::int64_t floor_us) {
  Partition& p = partitions_[fact.partition];
  PartitionCounts& c = p.counts;
  ++c.records;
  if (fact.bucket == Bucket::kRejected) {
    ++c.rejected[static_cast<std::size_t>(fact.reason)];
    rejects_.push_back(fmt::format("reject|{}|{}|{}", fact.partition, fact.offset,
                                   kReasonNames[static_cast<std::size_t>(fact.reason)]));
  }
  Bucket bucket = fact.bucket;
  if (bucket == Bucket::kCounted && is_duplicate(p, fact.id)) bucket = Bucket::kDuplicate;
  if (bucket == Bucket::kCounted && to_us(fact.time) < floor_us &&
      fact.kind != EventKind::kListing) {
    bucket = Bucket::kTooLate;
  }
  ++c.counts[static_cast<std::size_t>(bucket)];
  if (bucket != Bucket::kCounted) return;
  const std::int64_t t = to_us(fact.time);
  const std::int64_t pane_end = pane_of(fact.time, Tier::kTenSeconds) + 10 * kSecondUs;
  if (c.max_event_us != INT64_MIN && pane_end <= c.max_event_us - out_of_order_us_) ++c.late;
  if (fact.future) ++c.future;
  if (!fact.future) c.max_event_us = std::max(c.max_event_us, t);
  counted_.push_back(fact);
}

Rows NaiveModel::rows() const {
  Tables tables(zone_, listings_of(counted_));
  std::vector<SharedLine> shared;
  for (const Fact& f : counted_) {
    const std::int64_t t = to_us(f.time);
    if (!f.type.empty()) tables.add_type(t, f.type, 1);
    if (f.kind == EventKind::kListing) continue;
    if (!f.visitor.empty()) tables.add_visitor(t, hll_mark(hash64(f.visitor)));
    if (f.kind == EventKind::kFeedback) tables.add_rating(t, f.product, rating_of(f));
    for (const FactLine& line : f.lines) {
      const Sales sales = sales_of_line(f, line);
      tables.add_total(t, line.currency, sales);
      tables.add_product(t, line.product, line.category, line.currency, sales);
      if (f.kind == EventKind::kSale && !f.order.empty()) {
        shared.push_back({f.order, line.product, line.category, line.currency, t});
      }
    }
  }
  tables.add_orders(shared);
  Rows out = tables.rows();
  out.insert(out.end(), rejects_.begin(), rejects_.end());
  for (const auto& [partition, p] : partitions_) append_ledger(out, partition, p.counts);
  std::sort(out.begin(), out.end());
  return out;
}

}  // namespace retailpulse::testing
