#include "support/tables.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/decimal.h"

namespace retailpulse::testing {
namespace {

constexpr std::int64_t kMinuteUs = kTierUs[static_cast<std::size_t>(Tier::kMinute)];

std::string listing_text(const ListingText& l) {
  return fmt::format("listing|{}|{}|offset={}|category={}|price={} {}|deleted={}|name={}",
                     l.product, time_text(l.from_us), l.offset, l.category,
                     l.has_price ? format_micros(l.price_micros, 2) : "-", l.currency, l.deleted,
                     l.name);
}

void keep_first(std::map<std::string, std::int64_t>& first, const std::string& key,
                std::int64_t t_us) {
  const auto [it, fresh] = first.try_emplace(key, t_us);
  if (!fresh) it->second = std::min(it->second, t_us);
}

}  // namespace

Tables::Tables(const Zone& zone, const std::vector<ListingText>& listings) : zone_(zone) {
  for (const ListingText& l : listings) {
    listing_rows_.push_back(listing_text(l));
    auto [it, fresh] = listings_[l.product].try_emplace(l.from_us, l);
    const ListingText& known = it->second;
    if (!fresh && std::tie(known.offset, known.name, known.category) <
                     std::tie(l.offset, l.name, l.category)) it->second = l;
  }
}

std::string Tables::category_of(const std::string& product, const std::string& own,
                                std::int64_t t_us) const {
  if (!own.empty()) return own;
  const std::int64_t minute = pane_of(t_us, kMinuteUs);
  std::string found;
  const auto it = listings_.find(product);
  if (it == listings_.end()) return "(unknown)";
  for (const auto& [from_us, listing] : it->second) {
    if (listing.category.empty()) continue;
    if (found.empty() || from_us <= minute) found = listing.category;
  }
  return shown(found, "(unknown)");
}

template <class Change>
void Tables::each_tier(const char* table, Tier from, std::int64_t t_us, const std::string& key,
                       Change change) {
  for (std::size_t i = static_cast<std::size_t>(from); i < kTiers; ++i) {
    const Tier tier{static_cast<std::uint8_t>(i)};
    change(fmt::format("{}|{}|{}|{}", table, kTierNames[i],
                       pane_text(tier, pane_in(tier, t_us, zone_)), key));
  }
}

void Tables::add_sales(const char* table, Tier from, std::int64_t t_us, const std::string& key,
                       const Sales& s) {
  each_tier(table, from, t_us, key, [&](const std::string& row) {
    Sales& sum = sales_[row];
    sum.orders += s.orders;
    sum.lines += s.lines;
    sum.units_milli += s.units_milli;
    sum.gross_micros += s.gross_micros;
    sum.refunds_micros += s.refunds_micros;
  });
}

void Tables::add_total(std::int64_t t_us, const std::string& currency, const Sales& sales) {
  add_sales("totals", Tier::kTenSeconds, t_us, currency, sales);
}

void Tables::add_product(std::int64_t t_us, const std::string& product, const std::string& own,
                         const std::string& currency, const Sales& sales) {
  add_sales("products", Tier::kMinute, t_us,
            fmt::format("{}|{}|{}", shown(product, "(none)"), shown(own, "(unknown)"), currency),
            sales);
  add_sales("categories", Tier::kMinute, t_us,
            fmt::format("{}|{}", category_of(product, own, t_us), currency), sales);
}

void Tables::add_rating(std::int64_t t_us, const std::string& product, const RatingSum& r) {
  each_tier("ratings", Tier::kMinute, t_us, shown(product, "(none)"), [&](const std::string& row) {
    RatingSum& sum = ratings_[row];
    sum.ratings += r.ratings;
    sum.sum_milli += r.sum_milli;
    for (std::size_t i = 0; i < r.stars.size(); ++i) sum.stars[i] += r.stars[i];
  });
}

void Tables::add_type(std::int64_t t_us, const std::string& type, std::int64_t events) {
  each_tier("types", Tier::kMinute, t_us, type,
            [&](const std::string& row) { types_[row] += events; });
}

void Tables::add_visitor(std::int64_t t_us, HllMark mark) {
  each_tier("visitors", Tier::kTenSeconds, t_us, "all",
            [&](const std::string& row) { visitors_[row].add(mark); });
}

void Tables::add_orders(const std::vector<SharedLine>& lines) {
  // Product, own category, currency.
  using Mark = std::tuple<std::string, std::string, std::string>;
  std::map<std::string, std::map<Mark, std::int64_t>> orders;
  for (const SharedLine& line : lines) {
    auto& marks = orders[line.order];
    const auto [it, fresh] =
        marks.try_emplace(Mark{line.product, line.category, line.currency}, line.time_us);
    if (!fresh) it->second = std::min(it->second, line.time_us);
  }
  const Sales one{1, 0, 0, 0, 0};
  for (const auto& order : orders) {
    std::map<std::string, std::int64_t> totals, categories;
    std::map<std::pair<std::string, std::string>, std::pair<std::int64_t, std::string>> products;
    for (const auto& [mark, first_us] : order.second) {
      const auto& [product, own, currency] = mark;
      keep_first(totals, currency, first_us);
      keep_first(categories, category_of(product, own, first_us) + "|" + currency, first_us);
      // Once for a product, in the row of its first line; of two at one moment the listing's.
      const auto line = std::pair(first_us, own);
      const auto [it, fresh] = products.try_emplace(std::pair(product, currency), line);
      if (!fresh) it->second = std::min(it->second, line);
    }
    for (const auto& [key, line] : products) {
      add_sales("products", Tier::kMinute, line.first,
                fmt::format("{}|{}|{}", shown(key.first, "(none)"), shown(line.second, "(unknown)"),
                            key.second),
                one);
    }
    for (const auto& [key, first_us] : totals) {
      add_sales("totals", Tier::kTenSeconds, first_us, key, one);
    }
    for (const auto& [key, first_us] : categories) {
      add_sales("categories", Tier::kMinute, first_us, key, one);
    }
  }
}

Rows Tables::rows() const {
  Rows out = listing_rows_;
  for (const auto& [key, sales] : sales_) out.push_back(key + "|" + sales_text(sales));
  for (const auto& [key, sum] : ratings_) out.push_back(key + "|" + rating_text(sum));
  for (const auto& [key, events] : types_) out.push_back(fmt::format("{}|events={}", key, events));
  for (const auto& [key, hll] : visitors_) out.push_back(key + "|" + visitors_text(hll));
  return out;
}

}  // namespace retailpulse::testing
