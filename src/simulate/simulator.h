// Simulator: the records a shop would write to Kafka, with all that goes wrong on the way.
//
// The Shop says what happened; here it becomes bytes, gets late, comes twice, breaks. The
// partition is chosen here too, so that copies meet their originals and the truth is exact.
//
// Thread:     one; moved.
// Invariants: (1) the same configuration gives the same records in the same order, on any machine;
//             (2) a copy has the bytes and the partition of its original and follows it within
//             kDuplicateWithin records of that partition.
// Limits:     kHeldMax records are held back at a time; beyond it a record is sent at once.
// Test:       tests/simulate/simulator_test.cpp
#pragma once

#include <retailpulse/types.h>

#include <cstdint>
#include <memory>
#include <string>

#include "simulate/catalogue.h"
#include "simulate/fact.h"
#include "simulate/simulator_config.h"

namespace retailpulse {

struct SimRecord {
  Role topic{};
  std::int32_t partition = 0;
  bool has_value = true;
  EventTime time{};  // when it happened
  EventTime sent{};  // when the shop sent it: never decreases; the record's time
  std::string key;
  std::string value;
  // What the pipeline must make of it.
  Bucket bucket = Bucket::kCounted;
  Reason reason = Reason::kNone;
  simulate::Fact fact;  // kCounted only
};

class Simulator {
 public:
  explicit Simulator(const SimulatorConfig& config);
  ~Simulator();
  Simulator(Simulator&&) noexcept;
  Simulator& operator=(Simulator&&) noexcept;

  // The next record; there is always one. `out`'s strings are reused.
  void next(SimRecord& out);
  // Names of products, for who reads facts.
  [[nodiscard]] const simulate::Catalogue& catalogue() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace retailpulse
