// StopSignals: SIGTERM, SIGINT and SIGHUP become a flag; a second one ends the process at once.
//
// The signals are blocked in every thread (construct it before the first thread starts) and taken
// by one thread of its own with sigwait, so that no code ever runs inside a signal handler.
//
// Thread: role main; requested(): any.
#pragma once

#include <atomic>
#include <thread>

namespace retailpulse {

class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;

  [[nodiscard]] const std::atomic<bool>& requested() const { return requested_; }

 private:
  void wait();

  std::atomic<bool> requested_{false};  // relaxed: only a flag, polled
  std::atomic<bool> over_{false};       // relaxed; set before the wake-up signal
  std::thread thread_;
};

}  // namespace retailpulse
