// Catalog: which category a product had at a minute, and what it is called now.
//
// A listing holds from its event time until the next one; a minute's sales belong to the category
// in effect at the minute's start, and before the first listing to the first one's. So the answer
// is a function of the set of listings, not of the order in which they arrived. When a listing
// changes an answer for minutes that may already have been booked, apply() says which.
// A listing without a category (a price change) leaves the category as it was.
//
// Thread:     role committer.
// Limits:     kVersionsMax listings for each product: the oldest that change nothing go first, then
//             the oldest. The catalogue of kDimensionCap products is in memory (about 100 bytes a
//             listing).
// Test:       tests/store/recategorise_test.cpp, tests/store_twin_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <retailpulse/status.h>

#include "store/sqlite.h"

namespace retailpulse {

struct ListingRow {              // a Listing in the store's ids
  std::int64_t product = 0;
  std::int64_t from_us = 0;
  std::int64_t offset = 0;
  std::string name;              // empty: not said
  std::int64_t category = 0;     // kUnknownId: not said
  std::int64_t currency = 0;
  std::optional<std::int64_t> price_micros;
  bool deleted = false;
};

// Minutes [from_us, to_us) of a product whose category is no longer `before` but `after`.
struct Recategorised {
  std::int64_t product = 0;
  std::int64_t from_us = 0;
  std::int64_t to_us = 0;
  std::int64_t before = 0;
  std::int64_t after = 0;
};

class Catalog {
 public:
  Status load(Database& db);
  // The minutes whose category would change with this listing; usually none (a new price).
  [[nodiscard]] std::vector<Recategorised> changes(const ListingRow& listing) const;
  // Takes and stores a listing.
  Status apply(const ListingRow& listing);
  // Keeps to kVersionsMax. Apart from apply(), because the oldest minutes may change their answer:
  // what is booked there must not be moved for it.
  Status drop_surplus(std::int64_t product);
  // The category of `product` for the minute that starts at `minute_us`.
  [[nodiscard]] std::int64_t category(std::int64_t product, std::int64_t minute_us) const;

 private:
  static constexpr std::size_t kVersionsMax = 32;
  using Versions = std::vector<ListingRow>;  // by (from, offset, name)

  Versions& versions_of(std::int64_t product);
  static Versions with(Versions versions, const ListingRow& listing);
  Status store_version(const ListingRow& listing);
  Status store_latest(const Versions& versions);
  static std::int64_t category_in(const Versions& versions, std::int64_t minute_us);

  std::vector<Versions> products_;  // by product id: ids are dense
  Statement insert_;
  Statement remove_;
  Statement latest_;
};

}  // namespace retailpulse
