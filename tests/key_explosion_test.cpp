// More keys than anybody has a place for, and records that come twice: from bytes to the file.
// tests/long/key_explosion does it with ten million.
#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <random>
#include <string>
#include <unordered_map>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/types.h>

#include "base/sanitizer.h"
#include "support/catch.h"
#include "support/one_partition.h"

namespace retailpulse {
namespace {

using testing::Ledger;
using testing::OnePartition;

constexpr int kFewKeys = 230'000;    // more than kDimensionCap
constexpr int kSettled = 220'000;    // from here on no table may grow
constexpr long kGrowthMaxKb = 48L * 1024;  // one epoch of rows, however many keys come
constexpr long kResidentMaxKb = 512L * 1024;

long resident_kb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("VmRSS:", 0) == 0) return std::stol(line.substr(6));
  }
  return 0;
}

int keys_wanted() {
  const char* text = std::getenv("EXPLOSION_KEYS");
  return text == nullptr ? kFewKeys : std::stoi(text);
}

}  // namespace

TEST_CASE("key explosion: every record another product, category and customer") {
  const int keys = keys_wanted();
  const long before = resident_kb();
  long settled = 0;
  OnePartition pipeline;
  for (int i = 0; i < keys; ++i) {
    if (i == kSettled) settled = resident_kb();
    pipeline.read(fmt::format(R"({{"transaction_id":"t{0}","user_id":"u{0}","product_id":"p{0}",)"
                              R"("category":"c{0}","amount":0.01}})", i));
  }
  pipeline.commit();
  const long after = resident_kb();
  if (keys != kFewKeys) {
    fmt::print("{} keys: resident {} kB before, {} after {} keys, {} at the end\n", keys, before,
               settled, kSettled, after);
  }
  CHECK(pipeline.ledger() == Ledger{{"counted", keys}});
  CHECK(pipeline.number("SELECT sum(gross_micros) FROM totals WHERE tier=3") == 10'000LL * keys);
  for (const char* table : {"products", "categories"}) {
    CAPTURE(table);
    const int dimension = table[0] == 'p' ? 0 : 1;
    const auto cap = static_cast<std::int64_t>(kDimensionCap[static_cast<std::size_t>(dimension)]);
    const std::string of = fmt::format(" FROM {} WHERE tier=3", table);
    const std::string column = table[0] == 'p' ? "product" : "category";
    // What has no place is in "(other)": it closes the sum.
    CHECK(pipeline.number(("SELECT sum(gross_micros)" + of).c_str()) == 10'000LL * keys);
    const auto named = pipeline.number(
        ("SELECT count(DISTINCT " + column + ")" + of + " AND " + column + ">1").c_str());
    CHECK(named <= cap);
    CHECK(named >= cap - 2);
    CHECK(pipeline.number(("SELECT sum(lines)" + of + " AND " + column + "=1").c_str()) ==
          keys - named);
  }
  if (kSanitized) return;  // keeps what was freed
  CHECK(after - settled <= kGrowthMaxKb);
  CHECK(after - before <= kResidentMaxKb);
}

TEST_CASE("duplicates: within the last 65,536 ids all are dropped, beyond all are counted") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  constexpr std::int64_t kHorizon = 65'536;
  OnePartition pipeline;
  std::vector<int> seen;                        // records by when their id was first seen last
  std::unordered_map<int, std::int64_t> last;   // record -> its place there
  std::int64_t within = 0, beyond = 0, read = 0;
  const auto send = [&](int record) {
    ++read;
    pipeline.read(fmt::format(
        R"({{"transaction_id":"t{0}","product_id":"p","amount":1}})", record));
  };
  for (int fresh = 0; fresh < 150'000; ++fresh) {
    if (fresh > 100'000 && random() % 20 == 0) {
      // At the edge or anywhere.
      const std::int64_t back = random() % 3 == 0
                                    ? kHorizon - 2 + static_cast<std::int64_t>(random() % 5)
                                    : 1 + static_cast<std::int64_t>(random() % 90'000);
      const auto size = static_cast<std::int64_t>(seen.size());
      const int copy = seen[static_cast<std::size_t>(size - back)];
      send(copy);
      if (size - last.at(copy) <= kHorizon) {
        ++within;
      } else {
        ++beyond;
        last[copy] = size;
        seen.push_back(copy);
      }
    }
    send(fresh);
    last[fresh] = static_cast<std::int64_t>(seen.size());
    seen.push_back(fresh);
  }
  pipeline.commit();
  REQUIRE(within > 500);
  REQUIRE(beyond > 200);
  CHECK(pipeline.ledger() == Ledger{{"counted", read - within}, {"duplicate", within}});
  CHECK(pipeline.number("SELECT sum(gross_micros) FROM totals WHERE tier=3") ==
        1'000'000 * (read - within));
}

}  // namespace retailpulse
