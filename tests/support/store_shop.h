// StoreShop: a PrfShop that is read into a store, without brokers or threads: the program's own
// decoder, aggregator and store, one lane, epochs that are kept until they are committed.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/decoder.h>
#include <retailpulse/metrics.h>
#include <retailpulse/store.h>

#include "support/prefix_oracle.h"
#include "support/prf_shop.h"
#include "window/aggregator.h"

namespace retailpulse::testing {

class StoreShop {
 public:
  StoreShop(std::uint64_t seed, std::string folder, Durability durability);

  // A new process: opens the store and goes on where it left off. What was not committed is gone.
  Status start();
  // The next `records` of the shop, cut into an epoch that waits for commit().
  void read(std::uint64_t records);
  Status commit();
  Status maintain() { return store_->maintain(); }
  Status close() { return store_->close(); }
  void end() { store_.reset(); }

  // By slot.
  [[nodiscard]] const std::vector<Offset>& committed() const { return committed_; }
  [[nodiscard]] std::string path() const { return options_.config.directory + "/retailpulse.db"; }
  [[nodiscard]] PrefixOracle oracle() const { return {shop_, topics_, time_}; }
  [[nodiscard]] std::uint64_t total() const { return total_; }
  // How many records were ever read.
  [[nodiscard]] const std::vector<Offset>& ends() const { return ends_; }

 private:
  void restore(PartitionSlot slot, const std::vector<StoredPartition>& stored);

  PrfShop shop_;
  TimeConfig time_;
  std::vector<std::string> topics_;
  std::vector<StreamConfig> streams_;
  StoreOptions options_;
  std::unique_ptr<RollupStore> store_;
  ConsumerMetrics consumer_metrics_;
  AggregatorMetrics metrics_;
  std::unique_ptr<Decoder> decoder_;
  std::unique_ptr<Aggregator> aggregator_;
  std::unique_ptr<Epoch> epoch_;       // cut and not committed
  std::uint64_t total_ = 0;            // records given so far, of all slots
  std::vector<Offset> at_;             // by slot: the next to read
  std::vector<Offset> ends_;
  std::vector<Offset> committed_;
  std::int64_t watermark_us_ = INT64_MIN;
};

}  // namespace retailpulse::testing
