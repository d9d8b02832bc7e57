// process_guard: what the process takes from itself and from its surroundings before it begins.
//
// Thread: main, before any other is started.
// Test:   tests/integration/secrets_test.py
#pragma once

#include <string>

namespace retailpulse {

// No core file holds a secret or a record; as many descriptors as the system lets us have; less
// freed memory is kept than the allocator would; and no program that is started from here can gain
// rights (unless `starts_browser`: a browser's own sandbox may need them).
void guard_process(bool starts_browser);

// Blots out the values of secrets in the words that the process was called with: -X NAME=VALUE can
// be read by every user of the machine while it runs. Returns a sentence about it, or "".
[[nodiscard]] std::string hide_secrets(int argc, char** argv);

}  // namespace retailpulse
