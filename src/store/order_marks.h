// OrderMarks: orders whose lines come in several pieces, counted once each.
//
// An order is counted, for the total and once for each product and category, in the pane of its first
// (earliest) sale line there. A line that arrives later may be earlier: the count then moves. So
// the numbers are a function of the set of lines. One mark for each (order, product, own category,
// currency) is kept in the store; orders of one line need none and pay nothing.
//
// A row holds all marks of an order, packed: an order costs one look-up and one write for each
// commit that brings lines of it, and most orders come in one.
//
// Thread:     role committer.
// Limits:     marks older than retention.orders are forgotten: a still later line is a new order.
//             A commit with a category change of products that were listed before, if it reaches
//             back over booked minutes, reads all orders once (about 0.3 s for a million) and holds
//             16 bytes for each line of the products it lists.
// Test:       tests/store_twin_test.cpp (against the slow twin)
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <retailpulse/epoch.h>
#include <retailpulse/status.h>

#include "store/catalog.h"
#include "store/names.h"
#include "store/rollup_rows.h"
#include "store/sqlite.h"

namespace retailpulse {

class OrderMarks {
 public:
  Status load(Database& db);
  // Adds the sale lines of the epochs, given the catalogue as it is now.
  Status add(std::span<const Epoch* const> epochs, const Names& names, const Catalog& catalog,
             RollupRows& rows);
  // Lines whose category the listing decides, of the products that a commit lists: these are its
  // keys. One look at all orders, made when the first of them is asked for, finds them all.
  struct Line {
    std::int64_t order = 0;
    std::int64_t first_us = 0;
  };
  struct ListedLines {
    std::unordered_map<std::int64_t, std::vector<Line>> by_product;
    bool looked = false;
  };
  // The orders with such a line of `product` in [from_us, to_us). Lines are added after all
  // listings of a commit: so what one look has found holds for them all.
  [[nodiscard]] Result<std::vector<std::int64_t>> orders_of(std::int64_t product,
                                                            std::int64_t from_us,
                                                            std::int64_t to_us, ListedLines& lines);
  // The orders in which a line of `product` was counted without a category.
  [[nodiscard]] Result<std::vector<std::int64_t>> unlisted_orders_of(std::int64_t product);
  // Takes the category counts of these orders out (sign -1, before a category changes) or puts them
  // in again (+1, after it).
  Status recount(const std::vector<std::int64_t>& orders, const Names& names,
                 const Catalog& catalog, RollupRows& rows, std::int64_t sign);
  // No mark is later than this.
  [[nodiscard]] std::int64_t newest_us() const { return newest_us_; }
  // The product has a category now; or these of its orders are counted without one again.
  Status listed(std::int64_t product);
  Status unlisted(std::int64_t product, const std::vector<std::int64_t>& orders);
  // Forgets marks older than `before_us` in the `part`-th of kParts of the key space.
  static constexpr int kParts = 256;
  Status prune(std::int64_t before_us, int part);

 private:
  struct Mark {
    std::int64_t product = 0;
    std::int64_t category = 0;  // the line's own
    std::int64_t currency = 0;
    std::int64_t first_us = 0;
  };
  using Marks = std::vector<Mark>;

  Result<Marks> read(std::int64_t order);
  Status look(ListedLines& lines);
  static Marks unpack(std::string_view bytes);
  Status write(std::int64_t order, const Marks& marks, const Catalog& catalog);
  Status merge(std::int64_t order, const Marks& lines, const Names& names, const Catalog& catalog,
               RollupRows& rows);
  enum class Count { kAll, kCategories };
  static void count(const Marks& marks, const Names& names, const Catalog& catalog,
                    RollupRows& rows, std::int64_t sign, Count what);

  Statement select_;
  Statement upsert_;
  Statement unlisted_;
  Statement select_unlisted_;
  Statement listed_;
  Statement all_;
  Statement prune_;
  std::int64_t newest_us_ = INT64_MIN;
};

}  // namespace retailpulse
