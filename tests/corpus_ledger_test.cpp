// Bad records all the way: decoder, batches, aggregator, store. Whatever comes, every record ends
// in one bucket of the ledger, with its reason, and good money among it stays exact.
#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/sanitizer.h"
#include "support/catch.h"
#include "support/corpus.h"
#include "support/one_partition.h"

namespace retailpulse {
namespace {

constexpr int kPoisoned = kSanitized ? 100'000 : 1'000'000;

using testing::Ledger;
using testing::OnePartition;

// "rejected REASON", or "counted"; what the model leaves open is not asked.
std::string bucket_of(const std::string& expected) {
  if (expected.rfind("reject ", 0) != 0) return "counted";
  return "rejected " + expected.substr(7, expected.find(' ', 7) - 7);
}

// Values of the stream "transactions" without a mapping, with their bucket.
std::vector<std::pair<std::string, std::string>> corpus_values(
    const std::vector<std::string>& categories) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const std::string& category : categories) {
    for (const testing::CorpusLine& line : testing::read_corpus("records.py " + category)) {
      const bool asked = line.at(0) == "transactions" && line.at(1) == "UTC" &&
                         line.at(2) == "1750000000000000" && line.at(4) != "-" &&
                         line.at(5).find(" or ") == std::string::npos;
      if (asked) out.emplace_back(testing::unpack_bytes(line.at(4)), bucket_of(line.at(5)));
    }
  }
  return out;
}

}  // namespace

TEST_CASE("corpus: every bad record is in its bucket of the ledger, with its reason") {
  const auto values = corpus_values({"json", "utf8", "numbers", "money", "structure", "kafka"});
  if (values.empty()) return;
  OnePartition pipeline;
  Ledger expected;
  for (const auto& [value, bucket] : values) {
    pipeline.read(value);
    ++expected[bucket];
  }
  pipeline.commit();
  Ledger found = pipeline.ledger();
  // The same bytes under an id are a duplicate: only what was counted can be.
  found["counted"] += found["duplicate"];
  found.erase("duplicate");
  for (const auto& [bucket, records] : expected) {
    CAPTURE(bucket);
    CHECK(found[bucket] == records);
  }
  CHECK(found.size() == expected.size());
  CHECK(pipeline.number("SELECT consumed FROM partition_state") ==
        static_cast<std::int64_t>(values.size()));
}

TEST_CASE("poison: one record in a hundred is bad, the money of all others is exact") {
  std::vector<std::string> poison;
  for (auto& [value, bucket] : corpus_values({"json", "utf8", "kafka"})) {
    if (bucket != "counted" && value.size() < 10'000) poison.push_back(std::move(value));
  }
  if (poison.empty()) return;
  OnePartition pipeline;
  std::int64_t micros = 0;
  std::int64_t bad = 0;
  for (int i = 0; i < kPoisoned; ++i) {
    if (i % 100 == 99) {
      pipeline.read(poison[static_cast<std::size_t>(bad++) % poison.size()]);
    } else {
      const int cents = i % 9973;
      micros += cents * 10'000;
      pipeline.read(fmt::format(R"({{"product_id":"p{}","amount":{}.{:02}}})", i % 20,
                                cents / 100, cents % 100));
    }
  }
  pipeline.commit();
  std::int64_t rejected = 0;
  for (const auto& [bucket, records] : pipeline.ledger()) {
    if (bucket != "counted") rejected += records;
  }
  CHECK(rejected == bad);
  CHECK(pipeline.number("SELECT sum(gross_micros) FROM totals WHERE tier=3") == micros);
  CHECK(pipeline.number("SELECT next_offset FROM partition_state") == kPoisoned);
  CHECK(pipeline.number("SELECT count(*) FROM reject_rows") == std::min<std::int64_t>(bad, 10'000));
}

TEST_CASE("tombstones, empty values, null keys: each in its bucket, ten thousand times") {
  OnePartition pipeline;
  constexpr int kEach = 10'000;
  for (int i = 0; i < kEach; ++i) {
    pipeline.read({}, false, "k");                                // a tombstone
    pipeline.read({}, true, "k");                                 // an empty value
    pipeline.read(R"({"product_id":"p","amount":1})");            // a null key
    pipeline.read({}, false);                                     // headers only
  }
  pipeline.commit();
  CHECK(pipeline.ledger() == Ledger{{"counted", kEach}, {"rejected empty_value", kEach},
                                    {"rejected null_value", 2 * kEach}});
}

}  // namespace retailpulse
