// Wrong stamps, from bytes to panes and watermark: T1 and T2 of tests/faults.md.
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/decoder.h>
#include <retailpulse/window.h>

#include "app/batch_builder.h"
#include "base/sanitizer.h"
#include "support/catch.h"
#include "support/event_builder.h"
#include "support/text_rows.h"
#include "window/aggregator.h"
#include "window/watermark.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;

constexpr int kRecords = kSanitized ? 50'000 : 1'000'000;

// One partition of interactions and the watermark behind it.
class OnePartition {
 public:
  OnePartition() {
    stream_.topic = "t";
    stream_.role = Role::kInteractions;
    decoder_->bind(PartitionSlot{0}, stream_);
    aggregator_.adopt();
    aggregator_.restore(PartitionSlot{0}, 0, INT64_MIN, {});
    watermark_.adopt();
    watermark_.add(PartitionSlot{0}, INT64_MIN);
    builder_.begin(batch_);
  }

  // `stamp` as JSON has it.
  void read(EventTime record_time, const std::string& stamp) {
    Message message;
    message.offset = next_++;
    message.record_time = record_time;
    message.has_value = true;
    const std::string value = fmt::format(R"({{"type":"view","timestamp":{}}})", stamp);
    message.value = value;
    if (!builder_.on_message(message)) fold();
  }
  void finish() {
    fold();
    take(*aggregator_cut());
  }

  [[nodiscard]] const std::map<std::int64_t, std::int64_t>& minutes() const { return minutes_; }
  [[nodiscard]] const PartitionAdvance& sums() const { return sums_; }
  [[nodiscard]] std::uint64_t in(Bucket bucket) const {
    return sums_.counts[static_cast<std::size_t>(bucket)];
  }
  [[nodiscard]] std::uint64_t rejected(Reason reason) const {
    return sums_.rejected[static_cast<std::size_t>(reason)];
  }
  std::int64_t watermark_us() {
    watermark_.adopt();
    return watermark_.value();
  }

 private:
  static TimeConfig time() {
    TimeConfig time;
    time.zone = "UTC";
    return time;
  }
  void fold() {
    aggregator_.adopt();
    aggregator_.fold(batch_);
    if (aggregator_.epoch_due()) take(*aggregator_cut());
    batch_.clear();
    builder_.begin(batch_);
  }
  std::unique_ptr<Epoch> aggregator_cut() {
    aggregator_.adopt();
    return aggregator_.cut_epoch();
  }
  void take(const Epoch& epoch) {
    for (const TypeDelta& type : epoch.types) minutes_[type.pane_us] += type.events;
    watermark_.adopt();
    for (const PartitionAdvance& a : epoch.advances) {
      watermark_.advance(a, Duration{0});
      for (std::size_t b = 0; b < kBuckets; ++b) sums_.counts[b] += a.counts[b];
      for (std::size_t r = 0; r < kReasons; ++r) sums_.rejected[r] += a.rejected[r];
      sums_.late += a.late;
      sums_.future += a.future;
    }
    watermark_.refresh(Duration{0}, EventTime{});
  }

  StreamConfig stream_;
  AggregatorMetrics metrics_;
  Aggregator aggregator_{LaneId{0}, time(), metrics_};
  GlobalWatermark watermark_{time(), INT64_MIN};
  std::unique_ptr<Decoder> decoder_ = make_json_decoder(time(), nullptr);
  EventBatch batch_;
  BatchBuilder builder_{*decoder_};
  Offset next_ = 0;
  PartitionAdvance sums_;
  std::map<std::int64_t, std::int64_t> minutes_;
};

// A stamp of seconds, milli-, micro- or nanoseconds is the moment that it means.
std::string in_unit(EventTime t, int unit) {
  const std::int64_t us = to_us(t);
  switch (unit) {
    case 0: return fmt::format("{}.{:06}", us / kSecondUs, us % kSecondUs);
    case 1: return fmt::format("{}.{:03}", us / 1000, us % 1000);
    case 2: return fmt::format("{}", us);
    default: return fmt::format("{}000", us);
  }
}

TEST_CASE("T1: far-future stamps and unit slips in a million records harm no other record") {
  const EventTime begin = utc("2026-11-22 10:00:00");
  OnePartition partition;
  std::map<std::int64_t, std::int64_t> expected;
  std::uint64_t slips = 0, wrong = 0;
  EventTime newest{};
  for (int i = 0; i < kRecords; ++i) {
    const EventTime t = begin + std::chrono::milliseconds{i};
    if (i == kRecords / 2) {  // the far future: its own pane, flagged
      partition.read(t, "\"2099-07-01T00:00:00Z\"");
      ++expected[to_us(utc("2099-07-01 00:00:00"))];
      continue;
    }
    if (i % 1000 == 999 && slips++ % 8 >= 4) {  // a unit that nobody has
      constexpr std::int64_t kDivisors[] = {60'000'000, 86'400'000'000, 100, 10};
      const auto divisor = kDivisors[slips % 4];
      partition.read(t, divisor < 1000 ? fmt::format("{}", to_us(t) / 1000 * divisor)
                                       : fmt::format("{}", to_us(t) / divisor));
      ++wrong;
      continue;
    }
    partition.read(t, i % 1000 == 999 ? in_unit(t, static_cast<int>(slips % 4)) : in_unit(t, 1));
    ++expected[pane_of(t, Tier::kMinute)];
    newest = t;
  }
  partition.finish();
  CHECK(slips == kRecords / 1000);
  CHECK(partition.in(Bucket::kCounted) == kRecords - wrong);
  CHECK(partition.rejected(Reason::kTimeOutOfRange) == wrong);
  CHECK(partition.sums().future == 1);
  CHECK(partition.sums().late == 0);  // nobody is late because of them
  CHECK((partition.minutes() == expected));
  CHECK(time_text(partition.watermark_us()) == time_text(to_us(newest) - 5 * kSecondUs));
}

TEST_CASE("T2: epoch 0, negative stamps, year 1 and 9999: one bucket, and exactly where it ends") {
  const EventTime now = utc("2026-11-22 10:00:00");
  for (const char* stamp :
       {"0", "-1", "-0.5", "1", "-62135596800", "-62135596800000", "253402300799", "253402300799999",
        "9223372036854775807", "-9223372036854775808", "1e300", "\"1970-01-01T00:00:00Z\"",
        "\"1969-12-31T23:59:59.999999Z\"", "\"0001-01-01T00:00:00Z\"",
        "\"0001-01-01T00:00:00+14:00\"", "\"9999-12-31T23:59:59.999999Z\"",
        "\"9999-12-31T23:59:59-14:00\"", "\"1999-12-31T23:59:59.999999Z\"",
        "\"2000-01-01T00:59:59+01:00\"", "\"2100-01-01T00:00:00Z\""}) {
    CAPTURE(stamp);
    OnePartition partition;
    partition.read(now, stamp);
    partition.finish();
    CHECK(partition.rejected(Reason::kTimeOutOfRange) == 1);
    CHECK(partition.minutes().empty());
    CHECK(partition.watermark_us() == INT64_MIN);
  }
  OnePartition edges;
  edges.read(now, "\"2000-01-01T00:00:00Z\"");
  edges.read(now, "\"2099-12-31T23:59:59.999999Z\"");
  edges.finish();
  CHECK(edges.in(Bucket::kCounted) == 2);
  CHECK((edges.minutes() == std::map<std::int64_t, std::int64_t>{
                                {to_us(utc("2000-01-01 00:00:00")), 1},
                                {to_us(utc("2099-12-31 23:59:00")), 1}}));
  CHECK(edges.sums().future == 1);
}

TEST_CASE("T10: a leap second is the last moment before, in the right pane") {
  OnePartition partition;
  const EventTime at = utc("2017-01-01 00:00:00");
  for (const char* stamp : {"\"2016-12-31T23:59:60Z\"", "\"2016-12-31T23:59:60.999Z\"",
                            "\"2017-01-01T08:59:60+09:00\"", "\"2016-12-31 18:59:60-05\"",
                            "\"2016-12-31T23:59:60\""}) {
    partition.read(at, stamp);
  }
  partition.read(at, "1483228800");  // a smeared or repeated second has no name in an epoch
  partition.finish();
  CHECK(partition.in(Bucket::kCounted) == 6);
  CHECK((partition.minutes() == std::map<std::int64_t, std::int64_t>{
                                    {to_us(utc("2016-12-31 23:59:00")), 5},
                                    {to_us(utc("2017-01-01 00:00:00")), 1}}));
}

}  // namespace
}  // namespace retailpulse
