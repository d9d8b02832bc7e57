#include "support/store_shop.h"

#include <algorithm>

#include "app/batch_builder.h"
#include "base/check.h"

namespace retailpulse::testing {

StoreShop::StoreShop(std::uint64_t seed, std::string folder, Durability durability)
    : shop_(seed, 1), at_(shop_.slots(), 0), ends_(shop_.slots(), 0), committed_(shop_.slots(), 0) {
  time_.zone = "Europe/Berlin";
  for (std::size_t role = 0; role < kRoleNames.size(); ++role) {
    topics_.emplace_back(kRoleNames[role]);
    StreamConfig stream;
    stream.topic = topics_.back();
    stream.role = Role{static_cast<std::uint8_t>(role)};
    streams_.push_back(std::move(stream));
  }
  options_.config.directory = std::move(folder);
  options_.config.durability = durability;
  options_.zone = time_.zone;
}

Status StoreShop::start() {
  epoch_.reset();
  store_.reset();
  auto opened = open_store(options_);
  if (!opened.ok()) return opened.status();
  store_ = std::move(opened).value();
  auto stored = store_->partitions();
  if (!stored.ok()) return stored.status();
  decoder_ = make_json_decoder(time_, &consumer_metrics_);
  aggregator_ = std::make_unique<Aggregator>(LaneId{0}, time_, metrics_);
  watermark_us_ = store_->watermark_us();
  for (std::uint32_t s = 0; s < shop_.slots(); ++s) {
    const PartitionSlot slot{s};
    if (Status bound = store_->bind(slot, topics_[s], 0, 0); !bound.ok()) return bound;
    decoder_->bind(slot, streams_[s]);
    restore(slot, stored.value());
  }
  return {};
}

void StoreShop::restore(PartitionSlot slot, const std::vector<StoredPartition>& stored) {
  const std::size_t s = index_of(slot);
  const auto it = std::find_if(stored.begin(), stored.end(), [&](const StoredPartition& p) {
    return p.topic == topics_[s];
  });
  aggregator_->adopt();
  at_[s] = it == stored.end() ? 0 : it->next;
  committed_[s] = at_[s];
  ends_[s] = std::max(ends_[s], at_[s]);
  if (it == stored.end()) {
    aggregator_->restore(slot, 0, INT64_MIN, {});
  } else {
    aggregator_->restore(slot, it->next, it->max_event_us, it->recent_ids);
  }
}

void StoreShop::read(std::uint64_t records) {
  total_ += records;
  aggregator_->adopt();
  EventBatch batch;
  BatchBuilder builder(*decoder_);
  builder.begin(batch);
  for (std::uint32_t s = 0; s < shop_.slots(); ++s) {
    const auto end = static_cast<Offset>(shop_.share(s, total_));
    for (; at_[s] < end; ++at_[s]) {
      const PrfRecord record = shop_.record(s, at_[s]);
      if (builder.on_message({PartitionSlot{s}, at_[s], from_us(record.record_ms * 1000),
                              !record.tombstone, {}, record.value})) {
        continue;
      }
      aggregator_->fold(batch);
      batch.clear();
      builder.begin(batch);
    }
    ends_[s] = std::max(ends_[s], end);
  }
  aggregator_->fold(batch);
  epoch_ = aggregator_->cut_epoch();
}

Status StoreShop::commit() {
  RP_CHECK(epoch_ != nullptr, "something was read");
  CommitContext context;
  context.out_of_order = time_.out_of_order;
  context.watermark_us = watermark_us_;
  for (const PartitionAdvance& a : epoch_->advances) {
    context.watermark_us = std::max(context.watermark_us, a.max_event_us);
  }
  const Epoch* const parts[] = {epoch_.get()};
  auto report = store_->commit(parts, {}, context);
  if (!report.ok()) return report.status();
  watermark_us_ = context.watermark_us;
  committed_ = at_;
  return {};
}

}  // namespace retailpulse::testing
