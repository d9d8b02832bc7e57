// Hll: HyperLogLog with 2^12 registers: how many distinct visitors, within 1.6 % (one sigma).
//
// Flajolet et al. 2007; the estimate is Ertl's improved estimator (arXiv 1702.01284, algorithm 6),
// which needs no bias tables and no switch between ranges. Merging takes the greater rank of each
// register: commutative, associative and idempotent, so lanes, panes and replays cannot change it.
//
// Thread: one at a time.
// Limits: 4 KiB; encoded sparsely while few registers are set.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <retailpulse/status.h>

namespace retailpulse {

inline constexpr int kHllBits = 12;
inline constexpr std::size_t kHllRegisters = std::size_t{1} << kHllBits;
inline constexpr double kHllError = 1.04 / 64.0;  // 1.04 / sqrt(registers), relative, one sigma

struct HllMark {
  std::uint16_t reg;
  std::uint8_t rank;  // 1..53
};
[[nodiscard]] HllMark hll_mark(std::uint64_t hash);

class Hll {
 public:
  void add(HllMark mark) {
    if (mark.rank > ranks_[mark.reg]) ranks_[mark.reg] = mark.rank;
  }
  void merge(const Hll& other);
  [[nodiscard]] double estimate() const;
  // Smallest of a sparse (3 bytes for each set register) and a dense form; decode accepts both.
  [[nodiscard]] std::string encode() const;
  [[nodiscard]] static Result<Hll> decode(std::string_view bytes);
  friend bool operator==(const Hll&, const Hll&) = default;

 private:
  std::array<std::uint8_t, kHllRegisters> ranks_{};
};

}  // namespace retailpulse
