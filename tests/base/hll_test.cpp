#include "base/hll.h"

#include <cmath>
#include <random>
#include <string>

#include "base/hash.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

std::uint64_t visitor_hash(std::uint64_t n, std::uint64_t seed) {
  return hash64("visitor " + std::to_string(n), seed);
}

Hll of(std::uint64_t from, std::uint64_t to, std::uint64_t seed) {
  Hll hll;
  for (std::uint64_t n = from; n < to; ++n) hll.add(hll_mark(visitor_hash(n, seed)));
  return hll;
}

Hll merged(Hll a, const Hll& b) {
  a.merge(b);
  return a;
}

TEST_CASE("sketches merge as sets do", "[hll]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  const Hll a = of(0, 3'000, seed), b = of(2'000, 9'000, seed), c = of(8'000, 8'500, seed);
  CHECK((merged(a, b) == merged(b, a)));
  CHECK((merged(merged(a, b), c) == merged(a, merged(b, c))));
  CHECK((merged(a, Hll()) == a));
  CHECK((merged(a, a) == a));
  CHECK((merged(a, b) == of(0, 9'000, seed)));  // as if one had seen everything
}

TEST_CASE("the estimate is within its error, from one visitor to a million", "[hll]") {
  CHECK(Hll().estimate() == 0.0);
  CHECK(std::lround(of(0, 1, 0).estimate()) == 1);
  CHECK(std::lround(of(0, 2, 0).estimate()) == 2);
  for (const std::uint64_t n :
       {10, 100, 1'000, 5'000, 10'000, 12'000, 20'000, 50'000, 200'000, 1'000'000}) {
    double squares = 0;
    const int runs = n > 100'000 ? 3 : 20;
    for (int run = 0; run < runs; ++run) {
      const double error =
          of(0, n, static_cast<std::uint64_t>(run)).estimate() / static_cast<double>(n) - 1.0;
      INFO("n " << n << " run " << run << " error " << error);
      CHECK(std::abs(error) < 4 * kHllError);
      squares += error * error;
    }
    INFO("n " << n);
    if (runs == 20) CHECK(std::sqrt(squares / runs) < 1.6 * kHllError);
  }
}

TEST_CASE("marks stay in range for every hash", "[hll]") {
  CHECK(hll_mark(0).reg == 0);
  CHECK(hll_mark(0).rank == 53);
  CHECK(hll_mark(~std::uint64_t{0}).reg == kHllRegisters - 1);
  CHECK(hll_mark(~std::uint64_t{0}).rank == 1);
  CHECK(hll_mark(1).rank == 52);
}

TEST_CASE("a sketch survives being stored, sparse and dense", "[hll]") {
  for (const std::uint64_t n : {0, 1, 100, 1'365, 2'000, 100'000}) {
    const Hll hll = of(0, n, 5);
    const std::string bytes = hll.encode();
    INFO("n " << n << ", bytes " << bytes.size());
    CHECK(bytes.size() <= kHllRegisters + 1);
    const auto back = Hll::decode(bytes);
    REQUIRE(back.ok());
    CHECK((back.value() == hll));
  }
  CHECK(of(0, 100, 5).encode().size() <= 301);
}

TEST_CASE("bytes that are no sketch are refused", "[hll]") {
  const std::string dense = of(0, 100'000, 5).encode();
  const std::string sparse = of(0, 10, 5).encode();
  std::vector<std::string> bad{"", "\x03", dense.substr(1), dense.substr(0, dense.size() - 1),
                               sparse.substr(0, sparse.size() - 1), sparse + "x"};
  bad.push_back(dense);
  bad.back()[1] = 54;                                 // a rank that cannot be
  bad.push_back(std::string("\x01\x00\x10\x01", 4));  // register 4096
  bad.push_back(std::string("\x01\x00\x00\x00", 4));  // rank 0
  bad.push_back(std::string("\x01\x00\x00\x36", 4));  // rank 54
  for (const std::string& bytes : bad) CHECK_FALSE(Hll::decode(bytes).ok());
}

}  // namespace
}  // namespace retailpulse
