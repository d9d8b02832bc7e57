// Sales arithmetic: what one event adds, and merging without leaving the type.
//
// A sum that would leave int64 is never wrapped, cut or clamped: the caller keeps it as a second
// row of the same key, and the store, which owns the total, reports the overflow.
//
// Thread: any. Pure functions.
// Test:   tests/window/sales_test.cpp, tests/laws_test.cpp
#pragma once

#include <retailpulse/epoch.h>
#include <retailpulse/event.h>

namespace retailpulse {

// A sale adds its line, units and amount, and is an order when no other line can share its order.
// A refund or cancel adds to refunds alone: what was sold stays sold, in its own pane.
[[nodiscard]] inline Sales sales_of(const Event& event) {
  if (event.kind != EventKind::kSale) return {0, 0, 0, 0, event.amount_micros};
  return {event.order == 0 ? 1 : 0, 1, event.quantity_milli, event.amount_micros, 0};
}

// into += more; or false and nothing changed when a member would leave int64.
[[nodiscard]] inline bool add_checked(Sales& into, const Sales& more) {
  Sales sum;
  const bool fits =
      !__builtin_add_overflow(into.orders, more.orders, &sum.orders) &&
      !__builtin_add_overflow(into.lines, more.lines, &sum.lines) &&
      !__builtin_add_overflow(into.units_milli, more.units_milli, &sum.units_milli) &&
      !__builtin_add_overflow(into.gross_micros, more.gross_micros, &sum.gross_micros) &&
      !__builtin_add_overflow(into.refunds_micros, more.refunds_micros, &sum.refunds_micros);
  if (fits) into = sum;
  return fits;
}

}  // namespace retailpulse
