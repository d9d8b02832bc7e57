// Random: the simulator's dice: the same seed gives the same shop on every machine.
//
// std::*_distribution and libm differ between libraries in the last bit, and one different bit is
// a different stream. So: xoshiro256** seeded by splitmix64, and logarithm and exponential from
// plain IEEE operations.
//
// Thread: one; each owner has its own.
// Test:   tests/simulate/random_test.cpp
#pragma once

#include <array>
#include <cstdint>

namespace retailpulse::simulate {

class Random {
 public:
  explicit Random(std::uint64_t seed);

  std::uint64_t next();
  // [0, n); n > 0. The bias is below n / 2^64.
  std::uint64_t below(std::uint64_t n);
  double unit();  // [0, 1)
  bool chance(double probability) { return unit() < probability; }
  double exponential();                        // mean 1
  double normal();                             // mean 0, deviation 1, within +-6
  double log_normal(double mu, double sigma);  // its median is e^mu
  // Index into `weights` with that share of their sum.
  template <std::size_t N>
  std::size_t pick(const std::array<int, N>& weights) {
    int sum = 0;
    for (const int weight : weights) sum += weight;
    int at = static_cast<int>(below(static_cast<std::uint64_t>(sum)));
    std::size_t index = 0;
    while (at >= weights[index]) at -= weights[index++];
    return index;
  }

 private:
  std::array<std::uint64_t, 4> state_;
};

// Within 1e-14 relative of the true value for x in (0, 1e300) and |x| < 700; bit-equal everywhere.
double plain_log(double x);
double plain_exp(double x);

}  // namespace retailpulse::simulate
