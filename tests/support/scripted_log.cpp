#include "support/scripted_log.h"

#include <algorithm>

#include "base/check.h"

namespace retailpulse::testing {

Offset ScriptedLog::append(const BatchSpec& spec, std::int32_t epoch, Offset base) {
  const Offset first = std::max(end_, base);
  Batch batch{.first = first,
              .last = first + offsets_of(spec) - 1,
              .epoch = epoch,
              .producer_id = spec.producer_id,
              .kind = spec.kind,
              .bytes = encode_batch(spec, first, epoch)};
  for (const ScriptedRecord& r : spec.records) {
    batch.time_ms = std::max(batch.time_ms, r.timestamp_ms);
  }
  add(std::move(batch));
  return first;
}

Offset ScriptedLog::append_bytes(std::string bytes, std::int32_t count, std::int32_t epoch) {
  const Offset first = end_;
  add({.first = first, .last = first + count - 1, .epoch = epoch, .bytes = std::move(bytes)});
  return first;
}

Offset ScriptedLog::end_transaction(std::int64_t producer_id, BatchKind how, std::int32_t epoch) {
  return append({.kind = how, .producer_id = producer_id}, epoch);
}

void ScriptedLog::add(Batch batch) {
  RP_CHECK(batch.last >= batch.first, "a batch has offsets");
  note_transaction(batch);
  end_ = batch.last + 1;
  batches_.push_back(std::move(batch));
}

void ScriptedLog::note_transaction(const Batch& batch) {
  if (batch.kind == BatchKind::kPlain) return;
  const auto mine = std::find_if(open_.begin(), open_.end(), [&](const Open& open) {
    return open.producer_id == batch.producer_id;
  });
  if (batch.kind == BatchKind::kTransactional) {
    if (mine == open_.end()) open_.push_back({batch.producer_id, batch.first});
    return;
  }
  if (batch.kind == BatchKind::kAbort && (mine != open_.end() || empty_aborts_)) {
    const Offset first = mine == open_.end() ? batch.first : mine->first;
    aborted_.push_back({batch.producer_id, first, batch.first});
  }
  if (mine != open_.end()) open_.erase(mine);
}

void ScriptedLog::cut_back(Offset end) {
  std::vector<Batch> kept;
  for (Batch& batch : batches_) {
    if (batch.last < end) kept.push_back(std::move(batch));
  }
  batches_.clear();
  open_.clear();
  aborted_.clear();
  for (Batch& batch : kept) add(std::move(batch));
  end_ = end;
}

void ScriptedLog::delete_below(Offset begin) {
  begin_ = std::max(begin_, begin);
  end_ = std::max(end_, begin_);
  std::erase_if(batches_, [&](const Batch& batch) { return batch.last < begin_; });
  std::erase_if(aborted_, [&](const Aborted& one) { return one.marker < begin_; });
}

Offset ScriptedLog::stable() const {
  Offset stable = held_.value_or(end_);
  for (const Open& open : open_) stable = std::min(stable, open.first);
  return std::clamp(stable, begin_, end_);
}

Offset ScriptedLog::at_time(std::int64_t ms) const {
  const auto it = std::find_if(batches_.begin(), batches_.end(),
                               [&](const Batch& batch) { return batch.time_ms >= ms; });
  return it == batches_.end() ? -1 : std::max(begin_, it->first);
}

std::int32_t ScriptedLog::last_epoch() const {
  return batches_.empty() ? -1 : batches_.back().epoch;
}

// As a leader answers: the greatest epoch that is not above the asked one, and where it ended.
ScriptedLog::EpochEnd ScriptedLog::end_of_epoch(std::int32_t epoch) const {
  if (epoch >= last_epoch()) return {last_epoch(), end_};
  EpochEnd found;
  for (const Batch& batch : batches_) {
    if (batch.epoch > epoch) {
      found.end = batch.first;
      break;
    }
    found.epoch = batch.epoch;
  }
  return found;
}

ScriptedLog::Slice ScriptedLog::read(Offset from, Offset to, std::size_t bytes_max,
                                     bool one_at_least) const {
  Slice out{.end = from};
  auto it = std::lower_bound(batches_.begin(), batches_.end(), from,
                             [](const Batch& batch, Offset o) { return batch.last < o; });
  for (; it != batches_.end() && it->first < to; ++it) {
    const bool forced = one_at_least && out.bytes.empty();
    if (!forced && out.bytes.size() + it->bytes.size() > bytes_max) break;
    out.bytes += it->bytes;
    out.end = it->last + 1;
  }
  return out;
}

std::vector<ScriptedLog::Aborted> ScriptedLog::aborted_between(Offset from, Offset to) const {
  std::vector<Aborted> out;
  std::copy_if(aborted_.begin(), aborted_.end(), std::back_inserter(out),
               [&](const Aborted& one) { return one.marker >= from && one.first < to; });
  return out;
}

}  // namespace retailpulse::testing
