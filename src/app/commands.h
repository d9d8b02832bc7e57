// Commands: what each word on the command line does; each returns the process's exit code.
//
// Thread: role main.
#pragma once

#include <retailpulse/clock.h>
#include <retailpulse/status.h>

#include "app/command_line.h"

namespace retailpulse {

// sysexits(3): a script can tell a typing error from a full disk.
[[nodiscard]] int exit_code_of(const Status& status);

[[nodiscard]] int run_command(CommandLine& line, const Clock& clock);       // also demo
[[nodiscard]] int simulate_command(const CommandLine& line, const Clock& clock);
[[nodiscard]] int sql_command(const CommandLine& line, const Clock& clock);
[[nodiscard]] int verify_command(const CommandLine& line, const Clock& clock);
[[nodiscard]] int version_command();

}  // namespace retailpulse
