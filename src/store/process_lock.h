// ProcessLock: one process for one store.
//
// A lock on a file of its own: closing any descriptor of the database file would drop SQLite's
// POSIX locks. The kernel releases it when the process ends, however it ends.
//
// Thread: role committer.
#pragma once

#include <string>

#include <retailpulse/status.h>

namespace retailpulse {

class ProcessLock {
 public:
  ProcessLock() = default;
  ProcessLock(ProcessLock&& other) noexcept;
  ProcessLock& operator=(ProcessLock&& other) noexcept;
  ~ProcessLock();
  // kBusy, with the holder's process id, when another process has it.
  [[nodiscard]] static Result<ProcessLock> take(const std::string& path);

 private:
  explicit ProcessLock(int fd) : fd_(fd) {}
  int fd_ = -1;
};

}  // namespace retailpulse
