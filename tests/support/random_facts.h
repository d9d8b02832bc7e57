// random_facts: a shop's records from a seed: everything the pipeline may meet, mixed.
//
// Thread: any. Pure function of its arguments.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "support/fact.h"

namespace retailpulse::testing {

struct RandomShop {
  std::uint32_t partitions = 3;
  std::size_t records = 1'000;       // of all partitions together
  EventTime begin{};                 // time of the first records
  Duration span = std::chrono::hours{30};
  std::uint32_t products = 30;
  std::uint64_t very_late = 5;       // percent of the records, by up to `late_by`
  Duration late_by{};                // zero: the whole span
  // Every listing of a product is as old as this. Unset: they are spread over the span.
  std::optional<EventTime> listed{};
};

// By partition, in offset order. Sales of one and more lines, orders that share lines over
// records and partitions, refunds, listings that come before and after their sales, ratings,
// visits, duplicates, rejects, filtered records, late events and stamps from the future.
[[nodiscard]] std::vector<std::vector<Fact>> random_facts(std::uint64_t seed,
                                                          const RandomShop& shop);

}  // namespace retailpulse::testing
