#include "base/hll.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace retailpulse {
namespace {

constexpr int kRankBits = 64 - kHllBits;           // hash bits left for the rank
constexpr std::uint8_t kRankMax = kRankBits + 1;   // all of them zero
constexpr char kSparse = 1;
constexpr char kDense = 2;

// Ertl's sigma and tau: the corrections for registers at 0 and at the greatest rank.
double sigma(double x) {
  if (x == 1.0) return std::numeric_limits<double>::infinity();
  double y = 1.0;
  double z = x;
  for (double before = -1; z != before;) {
    x *= x;
    before = z;
    z += x * y;
    y += y;
  }
  return z;
}

double tau(double x) {
  if (x == 0.0 || x == 1.0) return 0.0;
  double y = 1.0;
  double z = 1.0 - x;
  for (double before = -1; z != before;) {
    x = std::sqrt(x);
    before = z;
    y *= 0.5;
    z -= (1.0 - x) * (1.0 - x) * y;
  }
  return z / 3.0;
}

}  // namespace

HllMark hll_mark(std::uint64_t hash) {
  const auto reg = static_cast<std::uint16_t>(hash >> kRankBits);
  const std::uint64_t rest = hash << kHllBits;
  const int zeros = rest == 0 ? kRankBits : std::countl_zero(rest);
  return {reg, static_cast<std::uint8_t>(zeros + 1)};
}

void Hll::merge(const Hll& other) {
  for (std::size_t i = 0; i < kHllRegisters; ++i) ranks_[i] = std::max(ranks_[i], other.ranks_[i]);
}

double Hll::estimate() const {
  std::array<int, kRankMax + 1> count{};
  for (const auto rank : ranks_) ++count[rank];
  const double m = kHllRegisters;
  double z = m * tau(1.0 - count[kRankMax] / m);
  for (int k = kRankMax - 1; k >= 1; --k) z = 0.5 * (z + count[static_cast<std::size_t>(k)]);
  z += m * sigma(count[0] / m);
  const double alpha_infinity = 0.5 / std::log(2.0);
  return alpha_infinity * m * m / z;
}

std::string Hll::encode() const {
  const auto set = static_cast<std::size_t>(
      std::count_if(ranks_.begin(), ranks_.end(), [](std::uint8_t r) { return r != 0; }));
  std::string out;
  if (set * 3 >= kHllRegisters) {
    out.push_back(kDense);
    out.append(ranks_.begin(), ranks_.end());
    return out;
  }
  out.push_back(kSparse);
  for (std::size_t i = 0; i < kHllRegisters; ++i) {
    if (ranks_[i] == 0) continue;
    out.push_back(static_cast<char>(i & 0xff));
    out.push_back(static_cast<char>(i >> 8));
    out.push_back(static_cast<char>(ranks_[i]));
  }
  return out;
}

Result<Hll> Hll::decode(std::string_view bytes) {
  const Status corrupt(Code::kCorrupt, "a visitor sketch in the store has an unknown form");
  if (bytes.empty()) return corrupt;
  const char form = bytes[0];
  bytes.remove_prefix(1);
  Hll hll;
  if (form == kDense && bytes.size() == kHllRegisters) {
    for (std::size_t i = 0; i < kHllRegisters; ++i) {
      hll.ranks_[i] = static_cast<std::uint8_t>(bytes[i]);
      if (hll.ranks_[i] > kRankMax) return corrupt;
    }
    return hll;
  }
  if (form != kSparse || bytes.size() % 3 != 0) return corrupt;
  for (; !bytes.empty(); bytes.remove_prefix(3)) {
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(bytes[i]); };
    const auto reg = static_cast<std::uint16_t>(byte(0) | (byte(1) << 8));
    if (reg >= kHllRegisters || byte(2) == 0 || byte(2) > kRankMax) return corrupt;
    hll.add({reg, byte(2)});
  }
  return hll;
}

}  // namespace retailpulse
