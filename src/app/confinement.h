// Confinement: takes from this process what a statement of a stranger must not have.
//
// In two steps: limits at once, the filter of system calls when every file is open. After the
// second the process can read what it has open, compute, answer and end; it can open nothing,
// write to no file, reach no network and start nothing, whatever SQLite is talked into.
//
// Thread: role main, of a process that has no other.
// Limits: kMemoryMax of address space, kCpuSecondsMax, no core, no file that grows, no children.
// Test:   tests/integration/sql_console_test.py
#pragma once

#include <cstdint>

#include <retailpulse/status.h>

namespace retailpulse {

inline constexpr std::uint64_t kConfinedMemoryMax = std::uint64_t{512} << 20;
inline constexpr std::uint64_t kConfinedCpuSecondsMax = 2;

// Limits, the lowest priority that still gets on, death with the parent, no new privileges.
Status confine_resources();
// Only the system calls that reading goes on with. Ok also where the kernel has no filters: the
// limits and the read-only connection then stand alone.
Status confine_system_calls();

}  // namespace retailpulse
