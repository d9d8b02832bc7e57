// Clock: the only way to ask for the time, so that tests can give it.
//
// Thread: any. An implementation is synchronised inside.
#pragma once

#include <memory>

#include <retailpulse/types.h>

namespace retailpulse {

class Clock {
 public:
  virtual ~Clock() = default;
  // Never goes backwards; for intervals and deadlines. Its zero means nothing.
  [[nodiscard]] virtual Duration monotonic() const = 0;
  // What the machine believes the time is, UTC; may step.
  [[nodiscard]] virtual EventTime wall() const = 0;
};

// The operating system's clocks (base/system_clock.cpp). Lives for ever.
[[nodiscard]] const Clock& system_clock();

}  // namespace retailpulse
