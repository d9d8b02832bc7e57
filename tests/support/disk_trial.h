// Disk trials: a small shop is read into a store while its disk fails; what must hold afterwards is
// what the committer and the store promise.
//
// Thread: one at a time. They leave nothing in the folder that they are given.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <retailpulse/config.h>

#include "support/fault_disk.h"

namespace retailpulse::testing {

struct TrialResult {
  std::vector<std::string> faults;  // sentences; empty: all that must hold held
  std::uint32_t struck = 0;         // FaultDisk::Call
  int seen = 0;                     // calls of the chosen kinds
  int restarts = 0;                 // after a final failure
  int refused_starts = 0;
  int waits = 0;                    // tries that were told to wait
};

// Reads the shop of `seed` to its end over a disk with this fault, tries again as the committer
// does, restarts after final failures, heals the disk when it has been waited for or restarted.
[[nodiscard]] TrialResult fault_trial(std::uint64_t seed, const std::string& folder,
                                      const FaultDisk::Fault& fault, Durability durability);

struct PowerResult {
  std::vector<std::string> faults;
  int cuts = 0;
  int restarted = 0;    // cuts after which the shop was read to its end
  std::int64_t behind = 0;  // cuts that took commits back
};

// Reads a shop and cuts the power before one in `every` changes of its files.
[[nodiscard]] PowerResult power_trial(std::uint64_t seed, const std::string& folder,
                                      Durability durability, std::uint64_t every);

// The same for memory: SQLite's n-th allocation fails, once or from then on. n == 0: none, to count.
[[nodiscard]] TrialResult memory_trial(std::uint64_t seed, const std::string& folder, int nth,
                                       FaultDisk::Lasting lasting);

}  // namespace retailpulse::testing
