#include "app/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

namespace retailpulse {
namespace {

constexpr int kExitAtOnce = 1;

sigset_t stop_set() {
  sigset_t set;
  sigemptyset(&set);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP}) sigaddset(&set, signal);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = stop_set();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { wait(); });
}

StopSignals::~StopSignals() {
  over_.store(true, std::memory_order_relaxed);
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void StopSignals::wait() {
  pthread_setname_np(pthread_self(), "rp-signal");
  const sigset_t set = stop_set();
  for (;;) {
    int signal = 0;
    sigwait(&set, &signal);
    if (over_.load(std::memory_order_relaxed)) return;
    if (requested_.exchange(true, std::memory_order_relaxed)) _exit(kExitAtOnce);
  }
}

}  // namespace retailpulse
