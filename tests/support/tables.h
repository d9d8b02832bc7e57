// Tables: the shop's rows of every tier, kept in std::maps by their text, slow and plain.
//
// Rules that the store must follow too:
//  - a minute's sales belong to their own category, else to the listing in effect at the minute's
//    start; before the first listing to the first; a listing without a category changes nothing;
//    of two listings for a moment the greater (offset, name, category) stands; none at all:
//    "(unknown)";
//  - an order whose lines share an id counts once in each currency's total, each product and each
//    category, in the pane of its first line there; a product's category is its first line's.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include <retailpulse/epoch.h>

#include "base/hll.h"
#include "base/zone.h"
#include "support/text_rows.h"

namespace retailpulse::testing {

struct ListingText {
  std::string product;
  std::string category;
  std::string currency;
  std::string name;
  std::int64_t from_us = 0;
  Offset offset = 0;
  std::int64_t price_micros = 0;
  bool has_price = false;
  bool deleted = false;
};

// One sale line of an order that others may share.
struct SharedLine {
  std::string order;  // any text that tells orders apart
  std::string product;
  std::string category;
  std::string currency;
  std::int64_t time_us = 0;
};

class Tables {
 public:
  // All listings come first: what is in effect depends on the whole set.
  Tables(const Zone& zone, const std::vector<ListingText>& listings);

  void add_total(std::int64_t t_us, const std::string& currency, const Sales& sales);
  void add_product(std::int64_t t_us, const std::string& product, const std::string& category,
                   const std::string& currency, const Sales& sales);
  void add_rating(std::int64_t t_us, const std::string& product, const RatingSum& sum);
  void add_type(std::int64_t t_us, const std::string& type, std::int64_t events);
  void add_visitor(std::int64_t t_us, HllMark mark);
  void add_orders(const std::vector<SharedLine>& lines);
  // Unsorted.
  [[nodiscard]] Rows rows() const;

 private:
  template <class Change>
  void each_tier(const char* table, Tier from, std::int64_t t_us, const std::string& key,
                 Change change);
  [[nodiscard]] std::string category_of(const std::string& product, const std::string& own,
                                        std::int64_t t_us) const;
  void add_sales(const char* table, Tier from, std::int64_t t_us, const std::string& key,
                 const Sales& sales);

  const Zone& zone_;
  std::map<std::string, std::map<std::int64_t, ListingText>> listings_;  // product, from
  std::map<std::string, Sales> sales_;
  std::map<std::string, RatingSum> ratings_;
  std::map<std::string, std::int64_t> types_;
  std::map<std::string, Hll> visitors_;
  Rows listing_rows_;
};

}  // namespace retailpulse::testing
