#include "simulate/run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <thread>

#include "base/zone.h"
#include "simulate/truth.h"

namespace retailpulse {
namespace {

constexpr Duration kNap = std::chrono::milliseconds{20};  // so that a stop is seen soon
constexpr std::uint64_t kLook = 256;                      // records between looks at clock and stop

// Says how long to wait before the next record.
class Pace {
 public:
  Pace(const SimulateOptions& options, const Clock& clock)
      : options_(options), clock_(clock), begin_(clock.monotonic()) {}

  // Zero or less: now.
  [[nodiscard]] Duration wait_for(EventTime sent, std::uint64_t records) const {
    const Duration ran = clock_.monotonic() - begin_;
    Duration wait{0};
    if (options_.live) {
      wait = sent - clock_.wall();
    } else if (options_.speed > 0) {
      const auto due = static_cast<double>((sent - options_.shop.start).count()) / options_.speed;
      wait = Duration{static_cast<std::int64_t>(due)} - ran;
    }
    if (options_.rate_max > 0) {
      const double due = static_cast<double>(records) * 1e6 / options_.rate_max;
      wait = std::max(wait, Duration{static_cast<std::int64_t>(due)} - ran);
    }
    return wait;
  }

  [[nodiscard]] double ran_seconds() const {
    return static_cast<double>((clock_.monotonic() - begin_).count()) / 1e6;
  }

 private:
  const SimulateOptions& options_;
  const Clock& clock_;
  Duration begin_;
};

Status check(const SimulateOptions& options) {
  if (options.live && options.speed != 1) {
    return {Code::kInvalid, "A live simulation runs at speed 1."};
  }
  if (options.shop.partitions == 0 || options.shop.products == 0 || !(options.shop.rate > 0)) {
    return {Code::kInvalid, "A simulation needs at least one partition, one product and a rate."};
  }
  return {};
}

// Sleeps in naps; false when it was told to stop.
bool sleep_until_due(const Pace& pace, const SimRecord& record, std::uint64_t records,
                     const std::atomic<bool>& stop) {
  while (!stop.load(std::memory_order_relaxed)) {  // relaxed: nothing else is read after it
    const Duration wait = pace.wait_for(record.sent, records);
    if (wait <= Duration{0}) return true;
    std::this_thread::sleep_for(std::min(wait, kNap));
  }
  return false;
}

}  // namespace

Result<SimulateReport> run_simulate(const SimulateOptions& options, RecordSink& sink,
                                    const Clock& clock, const std::atomic<bool>& stop) {
  if (Status status = check(options); !status.ok()) return status;
  const Result<Zone> zone = Zone::find(options.zone);
  if (!zone.ok()) return zone.status();
  Simulator simulator(options.shop);
  std::optional<Truth> truth;
  if (!options.truth_file.empty()) truth.emplace(simulator.catalogue(), zone.value());

  const Pace pace(options, clock);
  const bool paced = options.live || options.speed > 0 || options.rate_max > 0;
  SimulateReport report;
  SimRecord record;
  while (options.count == 0 || report.records < options.count) {
    simulator.next(record);
    if (options.duration > Duration{0} && record.sent >= options.shop.start + options.duration)
      break;
    if (paced && pace.wait_for(record.sent, report.records) > Duration{0}) {
      if (!sleep_until_due(pace, record, report.records, stop)) break;
    } else if (report.records % kLook == 0 && stop.load(std::memory_order_relaxed)) {
      break;
    }
    if (Status status = sink.write(record); !status.ok()) return status;
    if (truth) truth->add(record);
    ++report.records;
    report.bytes += record.key.size() + record.value.size();
  }
  if (Status status = sink.flush(); !status.ok()) return status;
  report.seconds = pace.ran_seconds();
  if (truth) {
    if (Status status = truth->write_file(options.truth_file, options.truth_minutes);
        !status.ok()) {
      return status;
    }
  }
  return report;
}

}  // namespace retailpulse
