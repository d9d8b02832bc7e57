#include <retailpulse/metrics.h>

#include <algorithm>
#include <bit>

namespace retailpulse {

void DurationHistogram::record(Duration d) {
  const auto us = static_cast<std::uint64_t>(std::max<std::int64_t>(d.count(), 1));
  const auto bucket = static_cast<std::size_t>(std::bit_width(us) - 1);
  buckets_[std::min(bucket, kBucketCount - 1)].add();
  count_.add();
  sum_us_.add(us);
}

std::vector<Metrics::Stage> Metrics::stages() const {
  std::vector<Stage> found{{"main", &main.turns}};
  for (std::size_t lane = 0; lane < consumers.size(); ++lane) {
    found.push_back({"rp-src-" + std::to_string(lane), &consumers[lane].turns});
    found.push_back({"rp-agg-" + std::to_string(lane), &aggregators[lane].turns});
  }
  found.push_back({"rp-commit", &commit.turns});
  return found;
}

}  // namespace retailpulse
