// Acceptor: takes connections and gives each its own thread, up to a number.
//
// Streams hold a thread for as long as a page is open, so a fixed pool would starve; a thread here
// costs a few pages of stack. When all places are taken, the connection that has waited longest
// for a request goes: who only connects and dawdles cannot keep others out.
//
// Thread:     start() and stop(): one; inside: the accepting thread and one for each connection.
// Invariants: after stop() no thread of it runs and no connection is open.
// Limits:     connections_max (+ an eighth that have been told to go), kStackBytes each.
// Test:       tests/serve/http_server_test.cpp
#pragma once

#include <atomic>
#include <functional>
#include <thread>
#include <unordered_set>

#include <retailpulse/clock.h>

#include "base/signal.h"
#include "base/thread_safety.h"
#include "serve/socket.h"

namespace retailpulse {

class Acceptor {
 public:
  using Serve = std::function<void(Connection&)>;  // returns when the connection is to be closed

  Acceptor(Listener listener, std::uint32_t connections_max, Serve serve, const Clock& clock);
  ~Acceptor();

  void start();
  // Takes no more, ends all waits on sockets and returns when the last thread has gone.
  void stop() RP_EXCLUDES(mutex_);

  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  [[nodiscard]] bool crowded() const RP_EXCLUDES(mutex_);  // more than half of the places taken

 private:
  struct Job;
  void accept_loop();
  void accept_from(int socket);
  void accept_without_fds(int socket);
  void admit(Fd socket) RP_EXCLUDES(mutex_);
  // Takes a place, if need be that of another connection.
  [[nodiscard]] bool enter(Connection* connection) RP_EXCLUDES(mutex_);
  // Cuts the connection that has waited longest for a request; false when none waits.
  [[nodiscard]] bool ask_to_leave() RP_REQUIRES(mutex_);
  [[nodiscard]] bool launch(Connection* connection);
  void run(Connection* connection) RP_EXCLUDES(mutex_);

  Listener listener_;
  const std::size_t connections_max_;
  const std::size_t leaving_max_;
  const Serve serve_;
  const Clock& clock_;
  Fd wake_;                            // eventfd: stop() wakes the accepting thread
  Fd spare_;                           // given up for a moment when descriptors run out
  std::thread thread_;
  std::atomic<bool> stopping_{false};  // release in stop() pairs with acquire in accept_loop()
  Signal gone_;
  mutable Mutex mutex_;
  std::unordered_set<Connection*> connections_ RP_GUARDED_BY(mutex_);
};

}  // namespace retailpulse
