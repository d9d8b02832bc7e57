// OrderMarks: orders whose lines come in several pieces, counted once each.
//
// An order is counted, for the total and once for each product and category, in the pane of its first
// (earliest) sale line there. A line that arrives later may be earlier: the count then moves. So
// the numbers are a function of the set of lines. One mark for each (order, product, own category,
// currency) is kept in the store; orders of one line need none and pay nothing.
//
// Thread:     role committer.
// Limits:     marks older than retention.orders are forgotten: a still later line is a new order.
// Test:       tests/store/order_marks_test.cpp
#pragma once

#include <cstdint>
#include <map>
#include <span>
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
  // Takes the category counts of a product's orders out (sign -1, before its category changes) and
  // puts them in again (+1, after it).
  Status recount(std::int64_t product, const Names& names, const Catalog& catalog, RollupRows& rows,
                 std::int64_t sign);
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
  Status merge(std::int64_t order, const Marks& lines, const Names& names, const Catalog& catalog,
               RollupRows& rows);
  enum class Count { kAll, kCategories };
  static void count(const Marks& marks, const Names& names, const Catalog& catalog,
                    RollupRows& rows, std::int64_t sign, Count what);

  Statement select_;
  Statement upsert_;
  Statement by_product_;
  Statement prune_;
};

}  // namespace retailpulse
