// OnePartition: one partition of transactions, from bytes to the file: decoder, batches, aggregator,
// store.
//
// Thread: one.
#pragma once

#include <unistd.h>

#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>

#include <retailpulse/decoder.h>
#include <retailpulse/store.h>

#include "app/batch_builder.h"
#include "store/sqlite.h"
#include "support/catch.h"
#include "window/aggregator.h"

namespace retailpulse::testing {

using Ledger = std::map<std::string, std::int64_t>;  // "rejected bad_json" -> records

class OnePartition {
 public:
  OnePartition() : aggregator_(LaneId{0}, time(), metrics_) {
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
  OnePartition(const OnePartition&) = delete;
  OnePartition& operator=(const OnePartition&) = delete;
  ~OnePartition() {
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
    if (!builder_.on_message(message)) fold();
  }

  void commit() {
    fold();
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
  void fold() {
    aggregator_.adopt();
    aggregator_.fold(batch_);
    if (aggregator_.epoch_due()) commit_epoch();
    batch_.clear();
    builder_.begin(batch_);
  }

  std::string folder_;
  StreamConfig stream_;
  AggregatorMetrics metrics_;
  Aggregator aggregator_;
  std::unique_ptr<RollupStore> store_;
  std::unique_ptr<Decoder> decoder_ = make_json_decoder(time(), nullptr);
  EventBatch batch_;
  BatchBuilder builder_{*decoder_};
  Offset next_ = 0;
};

}  // namespace retailpulse::testing
