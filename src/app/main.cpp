// retailpulse: from Kafka topics of shop events to live, exact numbers on a page.
#include <cstdio>
#include <string>
#include <vector>

#include <retailpulse/clock.h>

#include "app/command_line.h"
#include "app/commands.h"
#include "app/process_guard.h"
#include "app/sql_child.h"

int main(int argc, char** argv) {
  using namespace retailpulse;
  const Clock& clock = system_clock();
  // Before anything is read: this process is to know as little as possible.
  if (argc == 3 && argv[1] == kSqlChildWord) return sql_child(argv[2], clock);
  CommandLine line = parse_command_line(std::vector<std::string>(argv + 1, argv + argc),
                                        process_environment(), clock);
  if (std::string told = hide_secrets(argc, argv); !told.empty()) line.warnings.push_back(told);
  for (const std::string& warning : line.warnings) std::fprintf(stderr, "%s\n", warning.c_str());
  std::fputs(line.output.c_str(), stdout);
  std::fputs(line.error.c_str(), stderr);
  switch (line.command) {
    case Command::kDemo:
    case Command::kRun: return run_command(line, clock);
    case Command::kSimulate: return simulate_command(line, clock);
    case Command::kSql: return sql_command(line, clock);
    case Command::kVerify: return verify_command(line, clock);
    case Command::kVersion: return version_command();
    case Command::kNone:
    case Command::kConfigCheck:
    case Command::kConfigShow: return line.exit_code;
  }
  return line.exit_code;
}
