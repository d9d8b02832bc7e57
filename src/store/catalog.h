// Catalog: which category a product had at a minute, and what it is called now.
//
// A listing holds from its event time until the next one; a minute's sales belong to the category
// in effect at the minute's start, and before the first listing to the first one's. So the answer
// is a function of the set of listings, not of the order in which they arrived. When a listing
// changes an answer for minutes that may already have been booked, plan() says which.
// A listing without a category (a price change) leaves the category as it was.
//
// A listing that comes so late that minutes it is about are gone (seals.h) changes whole panes of
// what is left: in a quarter or day of which it means only a part, the category stays what it was,
// also for sales that are still to come. So what is booked is always what category() says.
//
// Thread:     role committer.
// Limits:     kVersionsMax listings for each product: the oldest that change nothing go first, then
//             the oldest; before the oldest of kVersionsMax nothing changes any more. The
//             catalogue of kDimensionCap products is in memory (about 100 bytes a listing).
// Test:       tests/store/recategorise_test.cpp, tests/store_twin_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <retailpulse/status.h>

#include "base/zone.h"
#include "store/names.h"
#include "store/seals.h"
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

  friend bool operator==(const ListingRow&, const ListingRow&) = default;
};

// Minutes [from_us, to_us) of a product whose category is no longer `before` but `after`.
struct Recategorised {
  std::int64_t product = 0;
  std::int64_t from_us = 0;
  std::int64_t to_us = 0;
  std::int64_t before = 0;
  std::int64_t after = 0;

  friend bool operator==(const Recategorised&, const Recategorised&) = default;
};

class Catalog {
 public:
  Status load(Database& db);
  using Versions = std::vector<ListingRow>;  // of one product, by time; of a moment one
  struct Plan {
    Versions versions;                    // what the product will have been
    std::vector<Recategorised> changes;   // minutes with another category; usually none (a price)
  };
  [[nodiscard]] Plan plan(const ListingRow& listing, const Seals& seals, const Zone& zone,
                          const Names& names) const;
  // Takes and stores a planned listing.
  Status apply(std::int64_t product, Plan plan);
  // Keeps to kVersionsMax. Apart from apply(), because the oldest minutes may change their answer:
  // what is booked there must not be moved for it.
  Status drop_surplus(std::int64_t product);
  // The category of `product` for the minute that starts at `minute_us`.
  [[nodiscard]] std::int64_t category(std::int64_t product, std::int64_t minute_us) const;

 private:
  static constexpr std::size_t kVersionsMax = 32;

  Versions& versions_of(std::int64_t product);
  static Versions with(Versions versions, const ListingRow& listing, const Names& names);
  Status store_version(const ListingRow& listing);
  Status store_latest(const Versions& versions);
  static std::int64_t category_in(const Versions& versions, std::int64_t minute_us);
  static std::int64_t forgotten_before(const Versions& versions);
  static std::vector<Recategorised> difference(const Versions& old, const Versions& now);
  static std::vector<Recategorised> kept(std::vector<Recategorised> changes, const Versions& old,
                                         const Seals& seals, const Zone& zone);
  static void set_category(Versions& versions, std::int64_t from_us, std::int64_t product,
                           std::int64_t category);

  std::vector<Versions> products_;  // by product id: ids are dense
  Statement insert_;
  Statement remove_;
  Statement latest_;
};

}  // namespace retailpulse
