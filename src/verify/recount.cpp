#include "verify/recount.h"

#include <algorithm>

namespace retailpulse {
namespace {

constexpr std::size_t kRemembered = 65'536;  // ids of a partition, as the promise says

std::int64_t minute_of(EventTime time) { return pane_of(time, Tier::kMinute); }

void add_sums(PaneSums& into, const PaneSums& sums) {
  for (std::size_t i = 0; i < sums.size(); ++i) into[i] += sums[i];
}

template <class Key>
void keep_first(std::map<Key, std::int64_t>& first, const Key& key, std::int64_t t_us) {
  const auto [it, fresh] = first.try_emplace(key, t_us);
  if (!fresh) it->second = std::min(it->second, t_us);
}

PaneSums sums_of(const Event& event) {
  if (event.kind != EventKind::kSale) return {0, 0, 0, 0, event.amount_micros};
  return {event.order == 0 ? 1 : 0, 1, event.quantity_milli, event.amount_micros, 0};
}

PaneSums rating_of(const Event& event) {
  PaneSums sums{1, event.rating_milli};
  std::size_t star = 1;  // half up: 4499 is four stars, 4500 is five
  while (star < 5 && event.rating_milli >= static_cast<std::int32_t>(star + 1) * 1000 - 500) ++star;
  sums[star + 1] = 1;
  return sums;
}

}  // namespace

void Recount::add(const EventBatch& batch) {
  for (const NewName& name : batch.names) {
    names_[static_cast<std::size_t>(name.dimension)].push_back(name.text);
  }
  bool counted = false;
  for (const Event& event : batch.events) {
    if ((event.flags & kFirstOfRecord) != 0) {
      counted = !is_duplicate(event);
      const std::int64_t minute = minute_of(event.time);
      if (counted && event.type != kNoName && wanted(minute)) ++types_[{minute, event.type}];
    }
    if (!counted) continue;
    if (event.kind == EventKind::kListing) {
      add_listing(batch.listings[event.listing]);
    } else {
      add_event(event);
    }
  }
}

bool Recount::is_duplicate(const Event& event) {
  if (event.record_id == 0) return false;
  Ids& ids = ids_[event.slot];
  if (!ids.set.insert(event.record_id).second) {
    ++ids.duplicates;
    return true;
  }
  ids.order.push_back(event.record_id);
  if (ids.order.size() > kRemembered) {
    ids.set.erase(ids.order.front());
    ids.order.pop_front();
  }
  return false;
}

void Recount::add_event(const Event& event) {
  const std::int64_t minute = minute_of(event.time);
  const bool sale = event.kind == EventKind::kSale;
  if (sale || event.kind == EventKind::kRefund || event.kind == EventKind::kCancel) {
    if (wanted(minute)) {
      add_sums(sales_[{minute, event.product, event.category, event.currency}], sums_of(event));
    }
    // An order is counted where its first line is, which may be outside of the range.
    if (sale && event.order != 0) {
      keep_first(orders_[event.order], Line{event.product, event.category, event.currency},
                 to_us(event.time));
    }
  } else if (event.kind == EventKind::kFeedback && wanted(minute)) {
    add_sums(ratings_[minute], rating_of(event));
  }
}

void Recount::add_listing(const Listing& listing) {
  const Listed now{listing.category, listing.offset, listing.name};
  auto [it, fresh] = listings_[listing.product].try_emplace(to_us(listing.from), now);
  const auto rank = [this](const Listed& l) {
    const bool said = l.category != kNoName;
    return std::tuple(l.offset, l.name, said ? text(Dimension::kCategory, l.category) : "");
  };
  if (!fresh && rank(it->second) < rank(now)) it->second = now;
}

bool Recount::wanted(std::int64_t minute_us) const {
  return range_.has(Tier::kMinute, minute_us) ||
         range_.has(Tier::kDay, zone_.civil_day(from_us(minute_us)));
}

std::string Recount::text(Dimension dimension, NameId id) const {
  if (id == kOtherName) return "(other)";
  if (id == kNoName) return dimension == Dimension::kCategory ? "(unknown)" : "(none)";
  return names_[static_cast<std::size_t>(dimension)].at(index_of(id));
}

// The category at the start of the minute; before the first listing that one's. A listing without
// a category changes nothing.
std::string Recount::category_of(NameId product, NameId own, std::int64_t minute_us) const {
  NameId found = own;
  const auto known = listings_.find(product);
  if (own == kNoName && known != listings_.end()) {
    for (const auto& [from, listing] : known->second) {
      if (listing.category == kNoName) continue;
      if (found == kNoName || from <= minute_us) found = listing.category;
    }
  }
  return text(Dimension::kCategory, found);
}

void Recount::put(Panes& out, PaneTable table, std::int64_t minute_us, const std::string& name,
                  const std::string& currency, const PaneSums& sums) const {
  const std::int64_t day = zone_.civil_day(from_us(minute_us));
  if (range_.has(Tier::kMinute, minute_us) && table != PaneTable::kProducts) {
    add_sums(out[{table, Tier::kMinute, minute_us, name, currency}], sums);
  }
  if (range_.has(Tier::kDay, day)) {
    add_sums(out[{table, Tier::kDay, day, name, currency}], sums);
  }
}

// An order of several lines counts once for each currency, product and category that it has.
void Recount::put_orders(Panes& out) const {
  constexpr PaneSums kOne{1};
  using Named = std::pair<std::string, std::string>;
  for (const auto& [order, lines] : orders_) {
    std::map<std::string, std::int64_t> totals;
    std::map<Named, std::int64_t> products;
    std::map<Named, std::int64_t> categories;
    for (const auto& [line, first] : lines) {
      const auto& [product, own, currency_id] = line;
      const std::string currency = text(Dimension::kCurrency, currency_id);
      const std::int64_t minute = minute_of(from_us(first));
      keep_first(totals, currency, first);
      keep_first(products, Named{text(Dimension::kProduct, product), currency}, first);
      keep_first(categories, Named{category_of(product, own, minute), currency}, first);
    }
    const auto minute = [](std::int64_t t_us) { return minute_of(from_us(t_us)); };
    for (const auto& [currency, first] : totals) {
      put(out, PaneTable::kTotals, minute(first), "", currency, kOne);
    }
    for (const auto& [key, first] : products) {
      put(out, PaneTable::kProducts, minute(first), key.first, key.second, kOne);
    }
    for (const auto& [key, first] : categories) {
      put(out, PaneTable::kCategories, minute(first), key.first, key.second, kOne);
    }
  }
}

Panes Recount::panes() const {
  Panes out;
  for (const auto& [key, sums] : sales_) {
    const auto& [minute, product, own, currency_id] = key;
    const std::string currency = text(Dimension::kCurrency, currency_id);
    put(out, PaneTable::kTotals, minute, "", currency, sums);
    put(out, PaneTable::kProducts, minute, text(Dimension::kProduct, product), currency, sums);
    put(out, PaneTable::kCategories, minute, category_of(product, own, minute), currency, sums);
  }
  put_orders(out);
  for (const auto& [key, events] : types_) {
    put(out, PaneTable::kTypes, key.first, text(Dimension::kType, key.second), "", {events});
  }
  for (const auto& [minute, sums] : ratings_) put(out, PaneTable::kRatings, minute, "", "", sums);
  return out;
}

std::uint64_t Recount::duplicates(PartitionSlot slot) const {
  const auto it = ids_.find(slot);
  return it == ids_.end() ? 0 : it->second.duplicates;
}

}  // namespace retailpulse
