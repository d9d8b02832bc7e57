// CommandLine: what the person asked for, complete and checked, before anything is started.
//
// CLI11 splits words; the values go through ConfigLoader, so that flags, environment and file obey
// the same rules and give the same sentences.
//
// Thread: role main.
// Test:   tests/app/command_line_test.cpp
#pragma once

#include <retailpulse/clock.h>
#include <retailpulse/config.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "app/config_load.h"
#include "simulate/run.h"

namespace retailpulse {

enum class Command : std::uint8_t {
  kNone,  // help was asked for, or something is wrong: print and leave with exit_code
  kDemo,
  kRun,
  kSimulate,
  kSql,
  kVerify,
  kConfigCheck,  // the verdict is in `output` and exit_code already
  kConfigShow,   // the settings are in `output`
  kVersion
};

struct DemoOptions {
  bool throw_away = true;  // no --data: the store is a temporary one
  bool open_browser = false;
};

struct SqlOptions {
  enum class Format : std::uint8_t { kTable, kCsv, kJson };
  std::string query;
  Format format = Format::kTable;
};

struct VerifyOptions {
  std::optional<EventTime> from;  // event times; nothing: all that is kept
  std::optional<EventTime> to;
};

struct CommandLine {
  Command command = Command::kNone;
  Config config;
  DemoOptions demo;
  SimulateOptions simulate;  // kSimulate and kDemo
  SqlOptions sql;
  VerifyOptions verify;
  std::string config_file;            // "": none was read
  std::vector<std::string> warnings;  // sentences for stderr
  std::string output;                 // for stdout: help, a verdict
  std::string error;                  // for stderr: sentences, one a line
  int exit_code = 0;                  // of kNone, kConfigCheck
};

inline constexpr int kExitUsage = 64;
inline constexpr int kExitConfig = 78;

// `arguments` without the program's name. Reads files (-c, -F, secrets), starts nothing.
[[nodiscard]] CommandLine parse_command_line(const std::vector<std::string>& arguments,
                                             const Environment& environment, const Clock& clock);

}  // namespace retailpulse
