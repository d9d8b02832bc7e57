// SseHub: gives the frames of each scope to all live pages that look at it, encoded once.
//
// There is no producing thread: of the clients that wait in a scope, one asks the FrameSource on
// behalf of all. So a scope that nobody looks at costs nothing, and a client whose socket is full
// is not waiting, hence holds nobody up.
//
// Thread:     any (one mutex inside); a Subscription belongs to one thread.
// Invariants: (1) one FrameSource call at a time for a scope; (2) a client gets a delta only when
//             the last frame it got is the delta's base, else a snapshot: the latest wins.
// Limits:     SseLimits; a scope lives as long as somebody looks at it.
// Test:       tests/serve/sse_test.cpp
#pragma once

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/metrics.h>

#include "base/signal.h"
#include "base/thread_safety.h"
#include "serve/http.h"

namespace retailpulse {

struct SseLimits {
  std::uint32_t clients_max = 32;
  Duration heartbeat = std::chrono::seconds{5};
  Duration frame_gap = std::chrono::milliseconds{250};  // at most four frames a second
  Duration slice = std::chrono::milliseconds{500};      // longest single wait
};

class SseHub {
 public:
  SseHub(FrameSource& source, const SseLimits& limits, HttpMetrics& metrics, const Clock& clock);

  class Subscription {
   public:
    ~Subscription();
    Subscription(const Subscription&) = delete;
    Subscription& operator=(const Subscription&) = delete;

    struct Chunk {
      std::shared_ptr<const std::string> text;  // to be written; null: nothing to write yet
      bool over = false;                        // the hub has stopped
    };
    // What this client is to be sent next; returns within SseLimits::slice, roughly.
    [[nodiscard]] Chunk next();

   private:
    friend class SseHub;
    struct Channel;
    Subscription(SseHub& hub, std::shared_ptr<Channel> channel, Duration now);
    // A frame that this client has not had; null when there is none.
    [[nodiscard]] std::shared_ptr<const std::string> take();
    SseHub& hub_;
    std::shared_ptr<Channel> channel_;
    std::uint64_t sent_ = 0;                    // number of the last frame given; 0: none
    Duration heartbeat_at_;
  };

  // A place for one client; null when all are taken.
  [[nodiscard]] std::unique_ptr<Subscription> join(const Scope& scope) RP_EXCLUDES(mutex_);
  // Ends all waits; every next() says `over` from now on.
  void stop();

 private:
  using Channel = Subscription::Channel;
  void leave(const std::shared_ptr<Channel>& channel) RP_EXCLUDES(mutex_);
  // Asks the source once, on behalf of all clients of the channel.
  void produce(Channel& channel, Duration patience) RP_EXCLUDES(mutex_);
  [[nodiscard]] Frame ask(const Channel& channel, std::uint64_t after, Duration patience);

  FrameSource& source_;
  const SseLimits limits_;
  HttpMetrics& metrics_;
  const Clock& clock_;
  const std::shared_ptr<const std::string> beat_;
  std::atomic<bool> stopping_{false};  // release in stop() pairs with acquire in next()
  Signal news_;
  Mutex mutex_;
  std::map<Scope, std::shared_ptr<Channel>> channels_ RP_GUARDED_BY(mutex_);
  std::uint32_t clients_ RP_GUARDED_BY(mutex_) = 0;
};

// Reads a scope from a request's query; nothing when a text is longer or stranger than allowed.
[[nodiscard]] std::optional<Scope> scope_of(const Request& request);

}  // namespace retailpulse
