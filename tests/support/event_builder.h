// Builders that let a test say a record in one readable line:
//
//   at("10:00:03").sale("mug", "12.50").line("cup", "3").in_order("A7").by("ann")
//
// Times are of kTestDay unless a date stands before them ("2026-03-29 01:59:59"), UTC.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <utility>

#include "base/check.h"
#include "base/decimal.h"
#include "support/fact.h"

namespace retailpulse::testing {

inline constexpr std::string_view kTestDay = "2026-01-01";

// "10:00:03", "10:00:03.25", "2026-01-01 10:00:03", "2026-01-01T10:00:03Z"
[[nodiscard]] EventTime utc(std::string_view text);

[[nodiscard]] inline std::int64_t scaled(std::string_view text, int scale) {
  std::int64_t value = 0;
  RP_CHECK(parse_decimal(text, scale, value) == DecimalResult::kExact, "a number in a test");
  return value;
}

class FactBuilder {
 public:
  explicit FactBuilder(EventTime time) { fact_.time = time; }
  operator Fact() const { return fact_; }  // NOLINT: a builder is a fact in the making

  FactBuilder& sale(std::string product, std::string_view amount) {
    return transaction(EventKind::kSale, "sale", std::move(product), amount);
  }
  FactBuilder& refund(std::string product, std::string_view amount) {
    return transaction(EventKind::kRefund, "refund", std::move(product), amount);
  }
  FactBuilder& cancel(std::string product, std::string_view amount) {
    return transaction(EventKind::kCancel, "cancel", std::move(product), amount);
  }
  FactBuilder& line(std::string product, std::string_view amount) {
    fact_.lines.push_back({std::move(product), "", "EUR", scaled(amount, 6), 1000});
    return *this;
  }
  FactBuilder& listing(std::string product, std::string category) {
    fact_.category = std::move(category);
    return kind(EventKind::kListing, "listing", std::move(product));
  }
  FactBuilder& delisting(std::string product) {
    fact_.deleted = true;
    return kind(EventKind::kListing, "listing", std::move(product));
  }
  FactBuilder& rating(std::string product, std::string_view stars) {
    fact_.rating_milli = static_cast<std::int32_t>(scaled(stars, 3));
    return kind(EventKind::kFeedback, "rating", std::move(product));
  }
  FactBuilder& action(std::string type, std::string product = "") {
    return kind(EventKind::kInteraction, std::move(type), std::move(product));
  }
  FactBuilder& rejected(Reason reason) {
    fact_.bucket = Bucket::kRejected;
    fact_.reason = reason;
    return *this;
  }
  FactBuilder& filtered() {
    fact_.bucket = Bucket::kFiltered;
    return *this;
  }

  FactBuilder& on(std::uint32_t partition) { return set(fact_.partition, partition); }
  FactBuilder& with_id(std::string id) { return set(fact_.id, std::move(id)); }
  FactBuilder& by(std::string visitor) { return set(fact_.visitor, std::move(visitor)); }
  FactBuilder& in_order(std::string order) { return set(fact_.order, std::move(order)); }
  FactBuilder& from_the_future() { return set(fact_.future, true); }
  // Of the line said last.
  FactBuilder& pieces(std::string_view n) {
    return set(fact_.lines.back().quantity_milli, scaled(n, 3));
  }
  FactBuilder& currency(std::string c) { return set(fact_.lines.back().currency, std::move(c)); }
  FactBuilder& category(std::string c) { return set(fact_.lines.back().category, std::move(c)); }

 private:
  template <class T>
  FactBuilder& set(T& member, T value) {
    member = std::move(value);
    return *this;
  }
  FactBuilder& kind(EventKind kind, std::string type, std::string product) {
    fact_.kind = kind;
    fact_.type = std::move(type);
    return set(fact_.product, std::move(product));
  }
  FactBuilder& transaction(EventKind kind, std::string type, std::string product,
                           std::string_view amount) {
    fact_.kind = kind;
    fact_.type = std::move(type);
    return line(std::move(product), amount);
  }

  Fact fact_;
};

[[nodiscard]] inline FactBuilder at(std::string_view time) { return FactBuilder(utc(time)); }

}  // namespace retailpulse::testing
