// verify: proves the numbers of a store on the user's own data, or names the first that is wrong.
//
// It takes one consistent view of the store, reads from Kafka exactly the records that the view
// stands for, counts them again with the slow twin (verify/recount.h) and compares every minute
// and day that is still kept. It may run beside `run`; it writes nothing anywhere.
//
// Distinct visitors are sketches and not compared. Records that Kafka no longer has cannot be
// counted again: then a range must be given, and the verdict names what it assumes.
//
// Thread: role main.
// Limits: kPanesMax; --from and --to make the range smaller.
// Test:   tests/integration/verify_test.py
#pragma once

#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/status.h>

#include "app/command_line.h"

namespace retailpulse {

struct Verdict {
  bool agrees = false;
  std::string sentence;
};
[[nodiscard]] Result<Verdict> verify(const Config& config, const VerifyOptions& options,
                                     const Clock& clock);

}  // namespace retailpulse
