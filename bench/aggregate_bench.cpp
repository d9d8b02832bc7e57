// What one event costs the aggregator, after proving that its sums are right.
//
// The stream: one-line sales and visits of a shop at 10,000 events a second of event time, products
// by Zipf's law, each record with an id (remembered for telling duplicates) and a visitor. An epoch
// is cut every 50,000 events, as at 50 ms and a million events a second.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <tuple>
#include <utility>
#include <vector>

#include "window/aggregator.h"

namespace retailpulse {
namespace {

constexpr std::size_t kEvents = 1'000'000;
constexpr std::size_t kBatchesInEpoch = 12;
constexpr std::int64_t kBegin = 1'767'225'600'000'000;  // 2026-01-01
constexpr std::int64_t kStepUs = 100;

struct Stream {
  std::uint32_t products = 5'000;
  std::uint32_t visits_percent = 0;
  bool ids = true;
};

// Index of a product, 0 the most wanted, by Zipf's law with exponent 1.
class Zipf {
 public:
  explicit Zipf(std::uint32_t n) : sums_(n) {
    double sum = 0;
    for (std::uint32_t i = 0; i < n; ++i) sums_[i] = sum += 1.0 / (i + 1);
  }
  template <class Random>
  std::uint32_t operator()(Random& random) const {
    const double x = std::uniform_real_distribution<double>(0, sums_.back())(random);
    const auto it = std::upper_bound(sums_.begin(), sums_.end(), x);
    return static_cast<std::uint32_t>(std::min<std::ptrdiff_t>(
        it - sums_.begin(), static_cast<std::ptrdiff_t>(sums_.size()) - 1));
  }

 private:
  std::vector<double> sums_;
};

std::vector<EventBatch> make_batches(const Stream& stream, std::size_t count) {
  std::mt19937_64 random(42);
  const Zipf zipf(stream.products);
  std::vector<EventBatch> batches((count + kBatchEvents - 1) / kBatchEvents);
  for (std::size_t i = 0; i < count; ++i) {
    EventBatch& batch = batches[i / kBatchEvents];
    const bool visit = random() % 100 < stream.visits_percent;
    Event e;
    e.time = from_us(kBegin + static_cast<std::int64_t>(i) * kStepUs -
                     static_cast<std::int64_t>(random() % 1'000'000));
    e.offset = static_cast<Offset>(i);
    if (stream.ids) e.record_id = random() % 200 == 0 ? 77 : random() | 1;  // few duplicates
    e.visitor = (random() % 20'000 + 1) * 0x9e3779b97f4a7c15ULL;
    e.amount_micros = static_cast<std::int64_t>(random() % 100'000'000);
    e.quantity_milli = 1'000;
    e.product = NameId{zipf(random)};
    e.currency = NameId{0};
    e.type = NameId{visit ? 1U : 0U};
    e.kind = visit ? EventKind::kInteraction : EventKind::kSale;
    e.flags = kFirstOfRecord;
    batch.events.push_back(e);
    if (batch.advances.empty()) batch.advances.push_back({});
    batch.advances[0].next = static_cast<Offset>(i + 1);
    ++batch.advances[0].records;
  }
  return batches;
}

// Folds all batches; gives every epoch to `take`.
template <class Take>
void fold_all(std::vector<EventBatch>& batches, Take take) {
  AggregatorMetrics metrics;
  Aggregator aggregator(LaneId{0}, TimeConfig{}, metrics);
  aggregator.adopt();
  aggregator.restore(PartitionSlot{0}, 0, INT64_MIN, {});
  std::size_t n = 0;
  for (EventBatch& batch : batches) {
    aggregator.fold(batch);
    if (++n % kBatchesInEpoch == 0 || aggregator.epoch_due()) take(aggregator.cut_epoch());
  }
  take(aggregator.cut_epoch());
}

using Sum = std::pair<std::int64_t, std::int64_t>;  // lines, gross
using ProductSums = std::map<std::pair<std::int64_t, std::uint32_t>, Sum>;
using TotalSums = std::map<std::int64_t, Sum>;

void add(Sum& sum, std::int64_t lines, std::int64_t gross) {
  sum.first += lines;
  sum.second += gross;
}

// The same sums with std::map and std::set. Few enough records that no id is ever forgotten.
bool sums_are_right() {
  auto batches = make_batches({300, 20, true}, 60'000);
  ProductSums products, folded_products;
  TotalSums totals, folded_totals;
  std::set<std::uint64_t> ids;
  for (const EventBatch& batch : batches) {
    for (const Event& e : batch.events) {
      if (!ids.insert(e.record_id).second || e.kind != EventKind::kSale) continue;
      add(products[{pane_of(e.time, Tier::kMinute), index_of(e.product)}], 1, e.amount_micros);
      add(totals[pane_of(e.time, Tier::kTenSeconds)], 1, e.amount_micros);
    }
  }
  fold_all(batches, [&](const std::unique_ptr<Epoch>& epoch) {
    for (const ProductDelta& d : epoch->products) {
      add(folded_products[{d.pane_us, index_of(d.product)}], d.sales.lines, d.sales.gross_micros);
    }
    for (const TotalDelta& d : epoch->totals) {
      add(folded_totals[d.pane_us], d.sales.lines, d.sales.gross_micros);
    }
  });
  return !products.empty() && products == folded_products && totals == folded_totals;
}

void fold(benchmark::State& state, const Stream& stream) {
  auto batches = make_batches(stream, kEvents);
  std::size_t rows = 0;
  for (auto _ : state) {
    fold_all(batches, [&rows](std::unique_ptr<Epoch> epoch) { rows += epoch->products.size(); });
  }
  benchmark::DoNotOptimize(rows);
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations() * kEvents));
  state.counters["time/event"] = benchmark::Counter(
      static_cast<double>(state.iterations()) * kEvents,
      benchmark::Counter::kIsRate | benchmark::Counter::kInvert);
}

BENCHMARK_CAPTURE(fold, sales_of_5000_products, Stream{5'000, 0, true})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, sales_without_ids, Stream{5'000, 0, false})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, sales_of_100_products, Stream{100, 0, true})->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, sales_of_100000_products, Stream{100'000, 0, true})
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, nine_visits_to_a_sale, Stream{5'000, 90, true})
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace retailpulse

int main(int argc, char** argv) {
  if (!retailpulse::sums_are_right()) {
    std::fputs("aggregate_bench: sums differ from the slow twin's; nothing was timed\n", stderr);
    return 1;
  }
  benchmark::AddCustomContext("compiler", __VERSION__);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
