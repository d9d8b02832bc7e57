// PrfShop: a shop whose record i of a partition follows from (seed, slot, i) alone.
//
// So the records before any offset can be worked out again without having been kept: what a store
// must show that stands at some offsets is a function of the seed and of these offsets.
//
// Of the records 30 % are late (a few, no listings, by weeks), 5 % are copies of an earlier one of their
// partition, 1 % cannot be understood, 0.1 % are stamped in the future. A sale's quantity is its
// record number with three random digits behind the point, its amount 31 random bits of cents with
// four random digits more: a lost or doubled record changes lines, units and money of its panes,
// and one lost for one doubled changes units and money.
//
// Thread: any.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "support/fact.h"

namespace retailpulse::testing {

struct PrfRecord {
  Fact fact;                     // partition is the slot
  std::string value;             // the bytes of the record
  bool tombstone = false;
  std::int64_t record_ms = 0;
};

class PrfShop {
 public:
  // Slot s is partition s % partitions of the topic of role s / partitions.
  PrfShop(std::uint64_t seed, std::uint32_t partitions) : seed_(seed), partitions_(partitions) {}

  [[nodiscard]] std::uint32_t slots() const { return 4 * partitions_; }
  [[nodiscard]] std::uint32_t partitions() const { return partitions_; }
  [[nodiscard]] Role role(std::uint32_t slot) const {
    return Role{static_cast<std::uint8_t>(slot / partitions_)};
  }
  // How many of `n` records are the slot's, so that all slots stay at about one event time.
  [[nodiscard]] std::uint64_t share(std::uint32_t slot, std::uint64_t n) const;
  [[nodiscard]] PrfRecord record(std::uint32_t slot, Offset i) const;

 private:
  std::uint64_t seed_;
  std::uint32_t partitions_;
};

}  // namespace retailpulse::testing
