// The only place that asks the operating system for the time.
#include <retailpulse/clock.h>

namespace retailpulse {
namespace {

class SystemClock final : public Clock {
 public:
  Duration monotonic() const override {
    return std::chrono::duration_cast<Duration>(
        std::chrono::steady_clock::now().time_since_epoch());
  }
  EventTime wall() const override {
    return std::chrono::time_point_cast<Duration>(std::chrono::system_clock::now());
  }
};

}  // namespace

const Clock& system_clock() {
  static const SystemClock clock;
  return clock;
}

}  // namespace retailpulse
