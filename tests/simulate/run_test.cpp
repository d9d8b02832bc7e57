#include "simulate/run.h"

#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support/catch.h"

using namespace retailpulse;

namespace {

class CountingSink final : public RecordSink {
 public:
  Status write(const SimRecord& record) override {
    ++records;
    last = record.sent;
    if (stop != nullptr && records == stop_at) stop->store(true);
    return records == fail_at ? Status{Code::kUnavailable, "The broker went away."} : Status{};
  }
  Status flush() override {
    ++flushes;
    return {};
  }
  int records = 0;
  int flushes = 0;
  int fail_at = -1;
  int stop_at = -1;
  std::atomic<bool>* stop = nullptr;
  EventTime last{};
};

// Time passes only when somebody looks.
class SteppingClock final : public Clock {
 public:
  Duration monotonic() const override { return now_ += std::chrono::milliseconds{1}; }
  EventTime wall() const override { return EventTime{} + monotonic(); }

 private:
  mutable Duration now_{0};
};

SimulateOptions small() {
  SimulateOptions options;
  options.shop.products = 20;
  return options;
}

std::string slurp(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

}  // namespace

TEST_CASE("run_simulate: stops at the count and flushes") {
  SimulateOptions options = small();
  options.count = 777;
  CountingSink sink;
  std::atomic<bool> stop{false};
  const auto report = run_simulate(options, sink, system_clock(), stop);
  REQUIRE(report.ok());
  CHECK(report.value().records == 777);
  CHECK(sink.records == 777);
  CHECK(sink.flushes == 1);
}

TEST_CASE("run_simulate: stops at the duration, when told, and when the sink fails") {
  SimulateOptions options = small();
  options.duration = std::chrono::seconds{3};
  std::atomic<bool> stop{false};
  CountingSink sink;
  REQUIRE(run_simulate(options, sink, system_clock(), stop).ok());
  CHECK(sink.last < options.shop.start + options.duration);
  CHECK(sink.last > options.shop.start + std::chrono::seconds{2});

  options.duration = Duration{0};
  CountingSink told;
  told.stop = &stop;
  told.stop_at = 1000;
  REQUIRE(run_simulate(options, told, system_clock(), stop).ok());
  CHECK(told.records < 2000);

  stop = false;
  CountingSink failing;
  failing.fail_at = 10;
  const auto report = run_simulate(options, failing, system_clock(), stop);
  REQUIRE(!report.ok());
  CHECK(report.status().message() == "The broker went away.");
  CHECK(failing.records == 10);
}

TEST_CASE("run_simulate: keeps the shop's pace and the bound of the rate") {
  SimulateOptions options = small();
  options.shop.listing_spread = std::chrono::seconds{1};
  options.shop.rate = 100;
  options.speed = 100;
  options.count = 400;  // about 4 s of the shop, 40 ms of ours
  CountingSink sink;
  std::atomic<bool> stop{false};
  const auto report = run_simulate(options, sink, system_clock(), stop);
  REQUIRE(report.ok());
  CHECK(report.value().seconds >= 0.015);

  options.speed = 0;
  options.rate_max = 20'000;
  const SteppingClock clock;
  CountingSink bounded;
  const auto paced = run_simulate(options, bounded, clock, stop);
  REQUIRE(paced.ok());
  CHECK(paced.value().seconds >= 399 / 20'000.0);
}

TEST_CASE("run_simulate: refuses what contradicts itself") {
  SimulateOptions options = small();
  options.live = true;
  CountingSink sink;
  std::atomic<bool> stop{false};
  CHECK(run_simulate(options, sink, system_clock(), stop).status().code() == Code::kInvalid);
}

TEST_CASE("run_simulate: file and truth agree") {
  const std::string out = (std::filesystem::temp_directory_path() /
                           ("retailpulse-run-test-" + std::to_string(getpid())))
                              .string();
  SimulateOptions options = small();
  options.count = 20'000;
  options.truth_file = out + ".truth";
  {
    auto sink = open_file_sink(out);
    REQUIRE(sink.ok());
    std::atomic<bool> stop{false};
    REQUIRE(run_simulate(options, *sink.value(), system_clock(), stop).ok());
  }
  const std::string text = slurp(out);
  CHECK(std::count(text.begin(), text.end(), '\n') == 20'000);
  CHECK(std::count(text.begin(), text.end(), '\t') == 60'000);
  const auto truth = nlohmann::json::parse(slurp(options.truth_file));
  CHECK(truth["ledger"]["records"] == 20'000);
  std::remove(out.c_str());
  std::remove(options.truth_file.c_str());
  CHECK(!open_file_sink("/nonexistent/folder/file").ok());
}
