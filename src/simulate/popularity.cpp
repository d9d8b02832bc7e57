#include "simulate/popularity.h"

namespace retailpulse::simulate {

Popularity::Popularity(std::uint32_t n, double exponent) : keep_(n), alias_(n) {
  double sum = 0.0;
  for (std::uint32_t r = 0; r < n; ++r) sum += keep_[r] = plain_exp(-exponent * plain_log(r + 1.0));
  std::vector<std::uint32_t> small;
  std::vector<std::uint32_t> large;
  for (std::uint32_t r = 0; r < n; ++r) {
    keep_[r] *= n / sum;
    alias_[r] = r;
    (keep_[r] < 1.0 ? small : large).push_back(r);
  }
  while (!small.empty() && !large.empty()) {
    const std::uint32_t poor = small.back();
    const std::uint32_t rich = large.back();
    small.pop_back();
    alias_[poor] = rich;
    keep_[rich] -= 1.0 - keep_[poor];
    if (keep_[rich] < 1.0) {
      large.pop_back();
      small.push_back(rich);
    }
  }
  // What rounding left over fills its own column.
  for (const std::uint32_t r : small) keep_[r] = 1.0;
  for (const std::uint32_t r : large) keep_[r] = 1.0;
}

}  // namespace retailpulse::simulate
