#include "window/sales.h"

#include "support/catch.h"

namespace retailpulse {
namespace {

Event line(EventKind kind, std::int64_t amount, std::uint64_t order) {
  Event event;
  event.kind = kind;
  event.amount_micros = amount;
  event.quantity_milli = 2'000;
  event.order = order;
  return event;
}

TEST_CASE("a sale counts its line, units, amount, and an order that nobody shares", "[sales]") {
  CHECK(sales_of(line(EventKind::kSale, 5, 0)) == Sales{1, 1, 2'000, 5, 0});
  CHECK(sales_of(line(EventKind::kSale, 5, 77)) == Sales{0, 1, 2'000, 5, 0});
}

TEST_CASE("refunds and cancels touch nothing but refunds", "[sales]") {
  CHECK(sales_of(line(EventKind::kRefund, 5, 0)) == Sales{0, 0, 0, 0, 5});
  CHECK(sales_of(line(EventKind::kCancel, 5, 77)) == Sales{0, 0, 0, 0, 5});
}

TEST_CASE("a sum that would leave int64 changes nothing", "[sales]") {
  const Sales full{1, 1, 1, INT64_MAX - 1, 1};
  Sales sum = full;
  CHECK_FALSE(add_checked(sum, Sales{1, 1, 1, 2, 1}));
  CHECK(sum == full);
  CHECK(add_checked(sum, Sales{1, 1, 1, 1, 1}));
  CHECK(sum == Sales{2, 2, 2, INT64_MAX, 2});
  sum = Sales{0, 0, 0, 0, INT64_MAX};
  CHECK_FALSE(add_checked(sum, Sales{0, 0, 0, 0, 1}));
  sum = Sales{0, 0, INT64_MAX, 0, 0};
  CHECK_FALSE(add_checked(sum, Sales{0, 0, 1, 0, 0}));
}

}  // namespace
}  // namespace retailpulse
