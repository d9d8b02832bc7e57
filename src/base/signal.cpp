#include "base/signal.h"

#include <climits>
#include <ctime>

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace retailpulse {

static_assert(sizeof(std::atomic<std::uint32_t>) == sizeof(std::uint32_t));

void Signal::raise() {
  word_.fetch_add(1, std::memory_order_seq_cst);
  if (sleepers_.load(std::memory_order_seq_cst) == 0) return;
  syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word_), FUTEX_WAKE_PRIVATE, INT_MAX, nullptr,
          nullptr, 0);
}

void Signal::wait(std::uint32_t seen, Duration timeout) {
  if (timeout <= Duration::zero()) return;
  const auto us = timeout.count();
  const timespec limit{static_cast<time_t>(us / 1'000'000), static_cast<long>(us % 1'000'000) * 1000};
  sleepers_.fetch_add(1, std::memory_order_seq_cst);
  if (word_.load(std::memory_order_seq_cst) == seen) {
    syscall(SYS_futex, reinterpret_cast<std::uint32_t*>(&word_), FUTEX_WAIT_PRIVATE, seen, &limit,
            nullptr, 0);
  }
  sleepers_.fetch_sub(1, std::memory_order_relaxed);
}

}  // namespace retailpulse
