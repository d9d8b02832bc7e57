// PrfWriter: writes the records of a PrfShop to its topics, and knows how far each slot has come.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <retailpulse/kafka.h>

#include "support/prf_shop.h"

namespace retailpulse::testing {

class PrfWriter {
 public:
  // `topics` by role.
  PrfWriter(PrfShop shop, std::vector<std::string> topics)
      : shop_(shop), topics_(std::move(topics)), ends_(shop.slots(), 0) {}

  // Gives the next `n` records of the shop to the producer.
  Status give(std::uint64_t n, Producer& producer);

  [[nodiscard]] const PrfShop& shop() const { return shop_; }
  [[nodiscard]] const std::vector<std::string>& topics() const { return topics_; }
  [[nodiscard]] const std::vector<Offset>& ends() const { return ends_; }  // by slot

 private:
  PrfShop shop_;
  std::vector<std::string> topics_;
  std::vector<Offset> ends_;
  std::uint64_t total_ = 0;
};

}  // namespace retailpulse::testing
