// Dirt: turns a good record into one that must be rejected, and says for which reason.
//
// At least one way for each reject reason, so that every row of the ledger is exercised.
//
// Thread: frozen; the dice are the caller's.
// Test:   tests/simulate/simulator_test.cpp
#pragma once

#include <retailpulse/types.h>

#include <string>
#include <string_view>

#include "simulate/random.h"

namespace retailpulse::simulate {

// Spoils `value`. May set `has_value` to false (a null value).
[[nodiscard]] Reason spoil(Role role, std::uint32_t big_bytes, Random& random, std::string& value,
                           bool& has_value);

// One entry for each way, for tests that want them all.
struct DirtClass {
  std::string_view name;
  Reason reason;
  unsigned roles;  // bit for each Role it can happen to
  unsigned weight;
};
[[nodiscard]] std::size_t dirt_class_count();
[[nodiscard]] const DirtClass& dirt_class(std::size_t index);
void apply_dirt(std::size_t index, std::uint32_t big_bytes, Random& random, std::string& value,
                bool& has_value);

}  // namespace retailpulse::simulate
