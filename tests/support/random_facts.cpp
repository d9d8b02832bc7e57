#include "support/random_facts.h"

#include <random>
#include <string>

namespace retailpulse::testing {
namespace {

class Maker {
 public:
  Maker(std::uint64_t seed, const RandomShop& shop) : shop_(shop), random_(seed) {}

  Fact next(std::size_t index) {
    Fact fact;
    fact.partition = static_cast<std::uint32_t>(below(shop_.partitions));
    fact.time = moment(index);
    if (chance(60)) fact.visitor = text("visitor", 200);
    if (chance(70)) fact.id = text("id", shop_.records * 3);  // some meet by chance: duplicates
    fill(fact);
    if (fact.kind == EventKind::kListing && shop_.listed) fact.time = *shop_.listed;
    if (chance(2)) {
      fact.future = true;
      fact.time += std::chrono::hours{2 + static_cast<int>(below(50))};
    }
    return fact;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }
  bool chance(std::uint64_t percent) { return below(100) < percent; }
  std::string text(const char* stem, std::uint64_t n) { return stem + std::to_string(below(n)); }

  // Most in order, some a little late, few very late; now and then exactly on a pane's edge.
  EventTime moment(std::size_t index) {
    const auto step = shop_.span.count() / static_cast<std::int64_t>(shop_.records);
    std::int64_t us = step * static_cast<std::int64_t>(index);
    if (chance(20)) us -= static_cast<std::int64_t>(below(30'000'000));
    const Duration late_by = shop_.late_by == Duration{} ? shop_.span : shop_.late_by;
    if (chance(shop_.very_late)) {
      us -= static_cast<std::int64_t>(below(static_cast<std::uint64_t>(late_by.count())));
    }
    if (chance(10)) us -= us % 60'000'000;
    if (chance(1)) us -= us % 60'000'000 + 1;
    return shop_.begin + Duration{us};
  }

  void fill(Fact& fact) {
    const std::uint64_t dice = below(100);
    if (dice < 45) return transaction(fact, EventKind::kSale, "sale");
    if (dice < 50) return transaction(fact, EventKind::kRefund, "refund");
    if (dice < 53) return transaction(fact, EventKind::kCancel, "cancel");
    fact.product = text("product", shop_.products);
    if (dice < 60) return listing(fact);
    if (dice < 70) {
      fact.kind = EventKind::kFeedback;
      fact.type = "rating";
      fact.rating_milli = 1000 + static_cast<std::int32_t>(below(4001));
    } else if (dice < 94) {
      fact.type = text("action", 6);
    } else if (dice < 97) {
      fact.bucket = Bucket::kRejected;
      fact.reason = Reason{static_cast<std::uint8_t>(1 + below(kReasons - 1))};
    } else {
      fact.bucket = Bucket::kFiltered;
    }
  }

  void transaction(Fact& fact, EventKind kind, const char* type) {
    fact.kind = kind;
    fact.type = type;
    const bool many = chance(25);
    if (many || chance(20)) fact.order = text("order", shop_.records / 4 + 1);
    const std::uint64_t lines = many ? 1 + below(4) : 1;
    for (std::uint64_t i = 0; i < lines; ++i) {
      FactLine line;
      line.product = chance(2) ? "" : text("product", shop_.products);
      if (chance(30)) line.category = text("category", 5);
      line.currency = chance(85) ? "EUR" : text("C", 3);
      line.amount_micros = static_cast<std::int64_t>(below(500'000'000));
      line.quantity_milli = static_cast<std::int64_t>(below(5'000));
      fact.lines.push_back(line);
    }
  }

  // Few versions for each product: the store keeps a limited history.
  void listing(Fact& fact) {
    fact.kind = EventKind::kListing;
    fact.type = "listing";
    fact.deleted = chance(10);
    if (!fact.deleted && chance(80)) fact.category = text("category", 5);
    if (chance(80)) fact.name = text("name", 1000);
    if (chance(80)) {
      fact.price_micros = static_cast<std::int64_t>(below(100'000'000));
      fact.currency = "EUR";
    }
  }

  const RandomShop& shop_;
  std::mt19937_64 random_;
};

}  // namespace

std::vector<std::vector<Fact>> random_facts(std::uint64_t seed, const RandomShop& shop) {
  Maker maker(seed, shop);
  std::vector<std::vector<Fact>> out(shop.partitions);
  for (std::size_t i = 0; i < shop.records; ++i) {
    Fact fact = maker.next(i);
    auto& partition = out[fact.partition];
    fact.offset = static_cast<Offset>(partition.size());
    partition.push_back(std::move(fact));
  }
  return out;
}

}  // namespace retailpulse::testing
