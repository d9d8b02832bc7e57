// CommandWords: the words of the command line, split by CLI11 and not yet judged.
//
// The one door to CLI11. Values that are settings stay texts: ConfigLoader judges them, so that a
// flag and a line of a file get the same sentence.
//
// Thread: role main.
// Test:   tests/app/command_line_test.cpp
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "app/command_line.h"

namespace retailpulse {

struct CommandWords {
  Command command = Command::kNone;
  std::vector<std::string> topics;
  std::vector<std::string> properties;
  std::vector<std::string> new_logs;
  std::string new_cluster;
  std::optional<std::string> config_file;
  std::optional<std::string> client_properties;
  std::vector<std::pair<std::string, std::string>> fields;  // path, text; with its flag in `flags`
  std::vector<std::string> flags;
  bool exit_at_end = false;
  bool require_healthy = false;
  bool open_browser = false;
  bool origin = false;
  bool truth_minutes = false;
  std::optional<std::uint64_t> seed;
  std::optional<double> rate;
  std::optional<double> rate_max;
  std::optional<double> speed;
  std::optional<std::uint64_t> count;
  std::optional<std::uint32_t> products;
  std::optional<std::uint32_t> partitions;
  std::optional<std::string> duration;
  std::optional<std::string> start;
  std::optional<std::string> mix;
  std::optional<std::string> profile;
  std::string shape = "native";
  std::optional<std::string> from;
  std::optional<std::string> to;
  std::string truth_file;
  std::string out;
  std::string query;
  std::string format = "table";
};

// Help, or what is wrong, goes into `line`; then the command is kNone.
[[nodiscard]] CommandWords split_command_line(const std::vector<std::string>& arguments,
                                              CommandLine& line);

}  // namespace retailpulse
