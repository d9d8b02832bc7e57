// decode_bench: time from the bytes of a transaction to its event, against a DOM parser.
//
// Both decode the same 20,000 different records (about 240 bytes, 5,000 products, shuffled keys in
// a twentieth of them), laid out back to back as a fetch gives them. Before anything is timed the
// two must agree on every count and every exact sum, or the program fails.
#include <algorithm>
#include <chrono>
#include <cinttypes>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <retailpulse/decoder.h>

#include "base/decimal.h"

namespace retailpulse {
namespace {

constexpr std::size_t kRecords = 20'000;
constexpr std::int64_t kFirstUs = 1'750'000'000'000'000;

struct Sums {
  std::uint64_t events = 0;
  std::int64_t amount_micros = 0;
  std::int64_t quantity_milli = 0;
  std::int64_t time_us = 0;  // wraps; only compared
  std::uint64_t products = 0;
  friend bool operator==(const Sums&, const Sums&) = default;
};

std::string iso(std::int64_t us) {
  const auto days = std::chrono::floor<std::chrono::days>(from_us(us));
  const std::chrono::year_month_day date(days);
  const auto in_day = (from_us(us) - days).count();
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     in_day / 3'600'000'000, in_day / 60'000'000 % 60, in_day / 1'000'000 % 60,
                     in_day / 1'000 % 1'000);
}

std::string transaction(std::mt19937_64& random, std::size_t i) {
  const auto number = [&random](std::uint64_t below) { return random() % below; };
  std::vector<std::string> members{
      fmt::format("\"transaction_id\":\"tx-{:016x}\"", random()),
      fmt::format("\"user_id\":\"user-{:06}\"", number(1'000'000)),
      fmt::format("\"session_id\":\"sess-{:08x}\"", number(1U << 31)),
      fmt::format("\"product_id\":\"SKU-{:05}\"", std::min(number(5'000), number(5'000))),
      fmt::format("\"category\":\"Category {:02}\"", number(40)),
      fmt::format("\"amount\":{}.{:02}", number(500), number(100)),
      fmt::format("\"quantity\":{}", 1 + number(4)),
      fmt::format("\"currency\":\"{}\"", number(10) < 7 ? "USD" : "EUR"),
      fmt::format("\"timestamp\":\"{}\"", iso(kFirstUs + static_cast<std::int64_t>(i) * 1'000)),
  };
  if (i % 20 == 0) std::shuffle(members.begin(), members.end(), random);
  std::string record = "{";
  for (const std::string& member : members) record += (record.size() > 1 ? "," : "") + member;
  return record + "}";
}

struct Fetch {
  std::string bytes;
  std::vector<std::string_view> values;
};

const Fetch& fetch() {
  static const Fetch kFetch = [] {
    Fetch made;
    std::mt19937_64 random(20'260);
    std::vector<std::size_t> ends;
    for (std::size_t i = 0; i < kRecords; ++i) {
      made.bytes += transaction(random, i);
      ends.push_back(made.bytes.size());
    }
    std::size_t begin = 0;
    for (const std::size_t end : ends) {
      made.values.push_back(std::string_view(made.bytes).substr(begin, end - begin));
      begin = end;
    }
    return made;
  }();
  return kFetch;
}

class Ours {
 public:
  Ours() {
    time_.zone = "UTC";
    stream_.topic = "orders";
    decoder_ = make_json_decoder(time_);
    decoder_->bind(PartitionSlot{0}, stream_);
  }
  Sums pass() {
    Sums sums;
    Offset offset = 0;
    for (const std::string_view value : fetch().values) {
      const Message message{PartitionSlot{0}, offset++, from_us(kFirstUs), true, {}, value};
      if (batch_.events.size() >= kBatchEvents) batch_.clear();
      if (decoder_->decode(message, batch_) != Decoder::Outcome::kEvents) continue;
      const Event& event = batch_.events.back();
      ++sums.events;
      sums.amount_micros += event.amount_micros;
      sums.quantity_milli += event.quantity_milli;
      sums.time_us += to_us(event.time) - kFirstUs;
      sums.products = std::max<std::uint64_t>(sums.products, index_of(event.product) + 1);
    }
    batch_.clear();
    return sums;
  }

 private:
  TimeConfig time_;
  StreamConfig stream_;
  std::unique_ptr<Decoder> decoder_;
  EventBatch batch_;
};

// The obvious way: a document tree for each record, texts looked up by name.
class Dom {
 public:
  Sums pass() {
    Sums sums;
    for (const std::string_view value : fetch().values) {
      const auto record = nlohmann::json::parse(value);
      const auto product = record["product_id"].get<std::string>();
      ids_.try_emplace(product, ids_.size());
      texts_.try_emplace(record["category"].get<std::string>(), texts_.size());
      texts_.try_emplace(record["currency"].get<std::string>(), texts_.size());
      visitor_ ^= std::hash<std::string>{}(record["user_id"].get<std::string>());
      ++sums.events;
      sums.amount_micros += std::llround(record["amount"].get<double>() * 1e6);
      sums.quantity_milli += record["quantity"].get<std::int64_t>() * 1'000;
      sums.time_us += time_of(record["timestamp"].get<std::string>()) - kFirstUs;
    }
    benchmark::DoNotOptimize(visitor_);
    sums.products = ids_.size();
    return sums;
  }

 private:
  static std::int64_t time_of(const std::string& text) {
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, ms = 0;
    const int read =
        std::sscanf(text.c_str(), "%d-%d-%dT%d:%d:%d.%dZ", &y, &mo, &d, &h, &mi, &s, &ms);
    if (read != 7) return 0;
    const std::chrono::sys_days days{std::chrono::year{y} / mo / d};
    return to_us(EventTime{days}) + ((h * 60LL + mi) * 60 + s) * 1'000'000 + ms * 1'000LL;
  }
  std::unordered_map<std::string, std::size_t> ids_;
  std::unordered_map<std::string, std::size_t> texts_;
  std::size_t visitor_ = 0;
};

template <class Decoding>
void decode_transactions(benchmark::State& state) {
  Decoding decoding;
  for (auto _ : state) benchmark::DoNotOptimize(decoding.pass());
  const auto passes = static_cast<std::int64_t>(state.iterations());
  state.SetItemsProcessed(passes * static_cast<std::int64_t>(kRecords));
  state.SetBytesProcessed(passes * static_cast<std::int64_t>(fetch().bytes.size()));
  using Counter = benchmark::Counter;
  state.counters["per_event"] = Counter(static_cast<double>(kRecords),
                                        Counter::kIsIterationInvariantRate | Counter::kInvert);
}
BENCHMARK_TEMPLATE(decode_transactions, Ours)
    ->Name("decode/transactions")
    ->Unit(benchmark::kMillisecond);
BENCHMARK_TEMPLATE(decode_transactions, Dom)
    ->Name("decode/nlohmann_dom")
    ->Unit(benchmark::kMillisecond);

bool agree() {
  const Sums ours = Ours().pass();
  const Sums reference = Dom().pass();
  const bool same = ours == reference && ours.events == kRecords;
  std::printf("%zu records of %zu bytes on average: %s; amount %s, %" PRIu64 " products\n",
      kRecords,
              fetch().bytes.size() / kRecords, same ? "results agree" : "RESULTS DIFFER",
              format_micros(ours.amount_micros, 2).c_str(), ours.products);
  return same;
}

}  // namespace
}  // namespace retailpulse

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 64;
  if (!retailpulse::agree()) return 1;
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
