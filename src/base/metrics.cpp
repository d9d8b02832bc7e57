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

}  // namespace retailpulse
