#include "app/source_health.h"

#include <algorithm>

namespace retailpulse {

void SourceHealth::heard(Moment now) {
  ever_ = true;
  heard_ = now;
}

void SourceHealth::lane(LaneId lane, const std::string& why, Moment now) {
  if (lanes_.size() <= index_of(lane)) lanes_.resize(index_of(lane) + 1);
  Trouble& trouble = lanes_[index_of(lane)];
  if (trouble.why.empty()) trouble.since = now;
  trouble.why = why;
}

void SourceHealth::ends(PartitionSlot slot, Offset stable, Offset high, Moment now) {
  if (ends_.size() <= index_of(slot)) ends_.resize(index_of(slot) + 1);
  End& end = ends_[index_of(slot)];
  if (stable != end.stable || end.high <= end.stable) end.since = now;
  end.stable = stable;
  end.high = high;
}

bool SourceHealth::silent(Duration now) const {
  if (!ever_) return false;  // who says so is the one who tried
  if (now - heard_.at >= kSilentAfter) return true;
  return std::any_of(lanes_.begin(), lanes_.end(), [&](const Trouble& trouble) {
    return !trouble.why.empty() && heard_.at < trouble.since.at;
  });
}

std::string SourceHealth::trouble() const {
  const auto it = std::find_if(lanes_.begin(), lanes_.end(),
                               [](const Trouble& trouble) { return !trouble.why.empty(); });
  return it == lanes_.end() ? std::string() : it->why;
}

std::int64_t SourceHealth::stale_since_us(Duration now) const {
  std::int64_t since = INT64_MAX;
  if (ever_ && silent(now)) since = heard_.wall_us;
  for (const Trouble& trouble : lanes_) {
    if (!trouble.why.empty()) since = std::min(since, trouble.since.wall_us);
  }
  return since == INT64_MAX ? 0 : since;
}

std::vector<PartitionSlot> SourceHealth::held_back() const {
  std::vector<PartitionSlot> out;
  for (std::size_t i = 0; i < ends_.size(); ++i) {
    if (ends_[i].high > ends_[i].stable) out.push_back(static_cast<PartitionSlot>(i));
  }
  return out;
}

std::vector<SourceHealth::Blocked> SourceHealth::blocked(Duration now) const {
  std::vector<Blocked> out;
  for (const PartitionSlot slot : held_back()) {
    const End& end = ends_[index_of(slot)];
    if (now - end.since.at < kBlockedAfter) continue;
    out.push_back({slot, end.since.wall_us, end.high - end.stable});
  }
  return out;
}

}  // namespace retailpulse
