// run_simulate: gives a simulator's records to a sink, at the shop's own pace or at once.
//
// Pace: a record is due when the shop's clock, which runs `speed` times as fast as ours and stood
// at `shop.start` when we began, reaches its time of sending. With `live` the shop's clock is the
// wall clock instead, so a start in the past is caught up with first.
//
// Thread: the caller's; `stop` may be set by any.
// Test:   tests/simulate/run_test.cpp
#pragma once

#include <retailpulse/clock.h>
#include <retailpulse/status.h>

#include <atomic>
#include <cstdint>
#include <string>

#include "simulate/simulator_config.h"
#include "simulate/sink.h"

namespace retailpulse {

struct SimulateOptions {
  SimulatorConfig shop;
  double speed = 0;            // shop seconds for each of ours; 0: as fast as possible
  bool live = false;           // the shop's clock is the wall clock; needs speed 1
  double rate_max = 0;         // records per second of our time, 0: no bound; for catching up
  std::uint64_t count = 0;     // stop after so many records; 0: no end
  Duration duration{0};        // stop after so much shop time; 0: no end
  std::string truth_file;      // "": none is written
  std::string zone = "UTC";    // of the truth's days
  bool truth_minutes = false;  // also totals of each minute
  std::string out;             // file instead of Kafka (for the caller); "": Kafka
};

struct SimulateReport {
  std::uint64_t records = 0;
  std::uint64_t bytes = 0;  // keys and values
  double seconds = 0;
};

// Returns when an end is reached or `stop` is set; the sink has been flushed then and the truth
// written. kInvalid for options that contradict each other.
[[nodiscard]] Result<SimulateReport> run_simulate(const SimulateOptions& options, RecordSink& sink,
                                                  const Clock& clock,
                                                  const std::atomic<bool>& stop);

}  // namespace retailpulse
