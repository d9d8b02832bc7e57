#include "store/process_lock.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

namespace retailpulse {

ProcessLock::ProcessLock(ProcessLock&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

ProcessLock& ProcessLock::operator=(ProcessLock&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}

ProcessLock::~ProcessLock() {
  if (fd_ >= 0) close(fd_);
}

Result<ProcessLock> ProcessLock::take(const std::string& path) {
  const int fd = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) {
    return Status(Code::kStorage, "cannot open " + path + ": " + std::strerror(errno));
  }
  ProcessLock lock(fd);
  if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
    std::array<char, 16> holder{};
    const auto n = pread(fd, holder.data(), holder.size() - 1, 0);
    // Its number is written a moment after it has the lock.
    const std::string who = n > 0 ? std::string("process ") + holder.data() : "another process";
    return Status(Code::kBusy, "the store is in use by " + who + " (" + path +
                                   "); stop it or give another folder with --data");
  }
  const std::string pid = std::to_string(getpid());
  if (ftruncate(fd, 0) != 0 || pwrite(fd, pid.data(), pid.size(), 0) < 0) {
    return Status(Code::kStorage, "cannot write " + path + ": " + std::strerror(errno));
  }
  return lock;
}

}  // namespace retailpulse
