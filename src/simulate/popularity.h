// Popularity: which rank is asked for next when demand follows Zipf's law. O(1) for each draw.
//
// Vose's alias method: n columns of equal width, each split between two ranks.
//
// Thread: frozen after construction; draw() changes only the dice given to it.
// Test:   tests/simulate/random_test.cpp
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/random.h"

namespace retailpulse::simulate {

class Popularity {
 public:
  // Rank r (from 0) has weight (r+1)^-exponent. n > 0.
  Popularity(std::uint32_t n, double exponent);
  [[nodiscard]] std::uint32_t draw(Random& random) const {
    const auto column = static_cast<std::uint32_t>(random.below(keep_.size()));
    return random.unit() < keep_[column] ? column : alias_[column];
  }

 private:
  std::vector<double> keep_;
  std::vector<std::uint32_t> alias_;
};

}  // namespace retailpulse::simulate
