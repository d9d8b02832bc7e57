// Bad records all the way: decoder, batches, aggregator, store. Whatever comes, every record ends
// in one bucket of the ledger, with its reason, and good money among it stays exact.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/decoder.h>
#include <retailpulse/store.h>

#include "app/batch_builder.h"
#include "store/sqlite.h"
#include "support/catch.h"
#include "support/corpus.h"
#include "window/aggregator.h"

namespace retailpulse {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int kPoisoned = 100'000;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr int kPoisoned = 100'000;
#else
constexpr int kPoisoned = 1'000'000;
#endif
#else
constexpr int kPoisoned = 1'000'000;
#endif

using Ledger = std::map<std::string, std::int64_t>;  // "rejected bad_json" -> records

// One partition of transactions, from bytes to the file.
class Pipeline {
 public:
  Pipeline() : aggregator_(LaneId{0}, time(), metrics_) {
    std::string name = std::filesystem::temp_directory_path() / "retailpulse-ledger-XXXXXX";
    folder_ = mkdtemp(name.data());
    StoreOptions options;
    options.config.directory = folder_;
    options.zone = "UTC";
    store_ = open_store(options).value();
    REQUIRE(store_->bind(PartitionSlot{0}, "t", 0, 0).ok());
    stream_.topic = "t";
    decoder_->bind(PartitionSlot{0}, stream_);
    aggregator_.adopt();
    aggregator_.restore(PartitionSlot{0}, 0, INT64_MIN, {});
    builder_.begin(batch_);
  }
  ~Pipeline() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void read(std::string_view value, bool has_value = true, std::string_view key = {}) {
    Message message;
    message.offset = next_++;
    message.record_time = from_us(1'750'000'000'000'000);
    message.has_value = has_value;
    message.key = key;
    message.value = value;
    builder_.on_message(message);
  }

  void commit() {
    builder_.begin(*fold());
    commit_epoch();
  }

  [[nodiscard]] Ledger ledger() const {
    Ledger out;
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    auto query = db.value().prepare(
        "SELECT bucket,reason,records FROM ledger_counts WHERE records>0");
    REQUIRE(query.ok());
    Statement& row = query.value();
    while (row.step().value()) {
      const std::string reason(row.text(1));
      out[std::string(row.text(0)) + (reason.empty() ? "" : " " + reason)] = row.integer(2);
    }
    return out;
  }
  [[nodiscard]] std::int64_t number(const char* sql) const {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    return db.value().integer(sql).value().value_or(-1);
  }

 private:
  static TimeConfig time() {
    TimeConfig time;
    time.zone = "UTC";
    return time;
  }
  void commit_epoch() {
    aggregator_.adopt();
    const auto epoch = aggregator_.cut_epoch();
    const Epoch* const parts[] = {epoch.get()};
    const auto report = store_->commit(parts, {}, CommitContext{});
    INFO(report.status().message());
    REQUIRE(report.ok());
  }
  EventBatch* fold() {
    aggregator_.adopt();
    aggregator_.fold(batch_);
    if (aggregator_.epoch_due()) commit_epoch();
    batch_.clear();
    return &batch_;
  }

  std::string folder_;
  StreamConfig stream_;
  AggregatorMetrics metrics_;
  Aggregator aggregator_;
  std::unique_ptr<RollupStore> store_;
  std::unique_ptr<Decoder> decoder_ = make_json_decoder(time(), nullptr);
  EventBatch batch_;
  BatchBuilder builder_{*decoder_, [this] { return fold(); }};
  Offset next_ = 0;
};

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
  Pipeline pipeline;
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
  Pipeline pipeline;
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
  Pipeline pipeline;
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
