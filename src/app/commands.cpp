#include "app/commands.h"

#include <spawn.h>

#include <array>
#include <cstdio>
#include <iostream>

#include <fmt/format.h>

#include <retailpulse/kafka.h>
#include <retailpulse/sql.h>

#include "app/build_info.h"
#include "app/demo.h"
#include "app/process_guard.h"
#include "app/stop_signals.h"
#include "app/supervisor.h"
#include "app/verify.h"
#include "simulate/run.h"

extern char** environ;

namespace retailpulse {
namespace {

int report(const Status& status) {
  if (status.ok()) return 0;
  fmt::print(stderr, "retailpulse: {}\n", status.message());
  return exit_code_of(status);
}

void open_browser(const std::string& url) {
  std::string command = "xdg-open";
  std::string argument = url;
  std::array<char*, 3> words{command.data(), argument.data(), nullptr};
  pid_t pid = 0;
  if (posix_spawnp(&pid, "xdg-open", nullptr, nullptr, words.data(), environ) != 0) {
    fmt::print(stderr, "no browser could be opened; open {} by hand\n", url);
  }
}

}  // namespace

int exit_code_of(const Status& status) {
  switch (status.code()) {
    case Code::kOk: return 0;
    case Code::kUsage: return kExitUsage;
    case Code::kConfig: return kExitConfig;
    case Code::kUnavailable: return 69;
    case Code::kStorage:
    case Code::kBusy:
    case Code::kCorrupt: return 74;
    default: return 1;
  }
}

int run_command(CommandLine& line, const Clock& clock) {
  const bool is_demo = line.command == Command::kDemo;
  guard_process(is_demo && line.demo.open_browser);
  const StopSignals signals;
  Demo demo;
  if (is_demo) {
    if (Status s = demo.start(line.demo, line.simulate, line.config, clock); !s.ok()) {
      return report(s);
    }
  }
  Supervisor supervisor(line.config, clock, is_demo);
  if (Status s = supervisor.start(); !s.ok()) return report(s);
  if (is_demo && line.demo.open_browser) open_browser(supervisor.url());
  const Status failure = supervisor.run(signals.requested());
  const bool in_time = supervisor.shut_down();
  if (line.config.exit_at_end && failure.ok()) fmt::print("{}\n", supervisor.summary());
  if (!failure.ok()) return report(failure);
  return in_time ? 0 : 1;
}

int simulate_command(const CommandLine& line, const Clock& clock) {
  const StopSignals signals;
  SimulateOptions options = line.simulate;
  auto sink = options.out.empty() ? open_kafka_sink(line.config.kafka, options.shop)
                                  : open_file_sink(options.out);
  if (!sink.ok()) return report(sink.status());
  const auto done = run_simulate(options, *sink.value(), clock, signals.requested());
  if (!done.ok()) return report(done.status());
  // With --out - the records are stdout.
  fmt::print(options.out == "-" ? stderr : stdout, "{{\"records\":{},\"bytes\":{},\"elapsed_s\":{:.3f}}}\n",
             done.value().records, done.value().bytes, done.value().seconds);
  return 0;
}

int sql_command(const CommandLine& line, const Clock& clock) {
  const auto format = static_cast<SqlFormat>(line.sql.format);
  const auto outcome = run_sql(line.config.store.directory + "/retailpulse.db", line.sql.query,
                               SqlLimits{}, format, clock, std::cout);
  if (!outcome.ok()) return report(outcome.status());
  if (outcome.value().truncated) {
    fmt::print(stderr, "the result was cut after {} rows\n", outcome.value().rows);
  }
  return 0;
}

int verify_command(const CommandLine& line, const Clock& clock) {
  const auto verdict = verify(line.config, line.verify, clock);
  if (!verdict.ok()) return report(verdict.status());
  fmt::print("{}\n", verdict.value().sentence);
  return verdict.value().agrees ? 0 : 1;
}

int version_command() {
  for (const auto& [name, version] : library_versions()) fmt::print("{} {}\n", name, version);
  return 0;
}

}  // namespace retailpulse
