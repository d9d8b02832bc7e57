// HttpServer: pages, API and live streams on one port; the only door to the HTTP library.
//
// cpp-httplib writes the answers and keeps connections alive; everything hostile is dealt with
// before it: Debian 12's version reads endless lines and headers, decodes escapes in header values
// and runs regular expressions before any hook of it is asked. So each head is read, bounded,
// parsed and judged by us, and the library is shown a request line of our own making.
//
// Thread:     open(), start(), stop(): one. Handlers run on many connection threads.
// Invariants: every answer bears the security headers; an unguarded request reaches no handler.
// Limits:     HttpConfig::connections_max and sse_clients_max; see head.h, guard.h, socket.h.
// Test:       tests/serve/http_server_test.cpp, sse_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/metrics.h>
#include <retailpulse/status.h>

#include "serve/http.h"
#include "serve/router.h"
#include "serve/sse_hub.h"

namespace retailpulse {

inline constexpr std::string_view kStreamPath = "/api/v1/stream";

// The times that a test wants shorter; SseLimits::clients_max comes from the configuration.
struct HttpTimes {
  Duration head = std::chrono::seconds{5};
  Duration idle = std::chrono::seconds{15};
  Duration idle_crowded = std::chrono::seconds{1};
  Duration stream_write = std::chrono::seconds{5};  // then a live page that does not read is cut
  SseLimits sse;
};

class HttpServer {
 public:
  // Binds the port, so that a taken one is known before anything else is begun. `frames`,
  // `metrics` and `clock` outlive the server. kUnavailable or kConfig with a sentence.
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> open(const HttpConfig& config,
                                                                FrameSource& frames,
                                                                HttpMetrics& metrics,
                                                                const Clock& clock,
                                                                const HttpTimes& times = {});
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Begins to answer; once. The stream at kStreamPath is added by itself.
  void start(Router router);
  // Ends streams and connections and waits for running handlers.
  void stop();

  [[nodiscard]] std::uint16_t port() const;  // the real one when 0 was asked for
  [[nodiscard]] std::string url() const;     // "http://127.0.0.1:8080/"

 private:
  struct Parts;
  explicit HttpServer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace retailpulse
