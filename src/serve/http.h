// Request, Reply, Handler and FrameSource: where the web server and the API meet.
//
// Handlers are plain functions on plain values, so the API knows nothing of sockets or of the HTTP
// library, and the server nothing of the shop.
//
// Thread:     Request and Reply: moved. Handler and FrameSource: any (many connections at once).
// Invariants: a Request has passed the guard: its texts are bounded, but still hostile.
// Limits:     path 1 KiB, query 2 KiB (raw), body 64 KiB.
// Test:       tests/serve/router_test.cpp
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <retailpulse/types.h>

namespace retailpulse {

struct Request {
  std::string method;            // "GET", "HEAD" or "POST"; a HEAD is answered like a GET
  std::string path;              // percent-decoded, valid UTF-8, no control characters
  std::string rest;              // prefix route: what follows the prefix, never empty; else empty
  std::map<std::string, std::string, std::less<>> query;  // decoded; of equal keys the first wins
  std::string accept;            // printable ASCII; empty when absent
  std::string accept_encoding;
  std::string if_none_match;
  std::string last_event_id;
  std::string body;              // POST only
};

// Value of a query key, or `otherwise` when it is absent.
[[nodiscard]] std::string_view query_value(const Request& request, std::string_view key,
                                           std::string_view otherwise = {});

struct Reply {
  int status = 200;
  std::string content_type;
  std::shared_ptr<const std::string> body;  // null: empty
  std::string etag;              // strong and quoted; the server then answers If-None-Match
  std::string cache_control = "no-store";
  std::string content_encoding;  // "gzip": `body` is; "identity": do not compress it; empty: free
  std::vector<std::pair<std::string, std::string>> headers;  // any others
};

inline constexpr std::string_view kJsonType = "application/json; charset=utf-8";

[[nodiscard]] Reply json_reply(std::string body);
// RFC 9457. `detail` is a sentence for a person; bytes that are not UTF-8 are replaced.
[[nodiscard]] Reply problem(int status, std::string_view title, std::string_view detail);

// May throw: the answer is then a 500 that tells nothing, and the log has the text.
using Handler = std::function<Reply(const Request&)>;

// What a live page looks at. Unknown values are the source's to replace by its defaults; equal
// scopes share one sequence of frames.
struct Scope {
  std::string currency;          // at most 16 bytes of [A-Za-z0-9(). _-]; empty: the default
  std::string range;             // likewise
  friend auto operator<=>(const Scope&, const Scope&) = default;
};

// One state of the page, encoded once for all clients of its scope.
struct Frame {
  std::uint64_t number = 0;      // the commit it stands for; rises within a process
  std::uint64_t base = 0;        // the frame that `delta` is relative to
  std::shared_ptr<const std::string> snapshot;  // one line of JSON; null: nothing new
  std::shared_ptr<const std::string> delta;     // one line of JSON; null: send the snapshot
};

class FrameSource {
 public:
  virtual ~FrameSource() = default;
  // Distinguishes processes in event ids: [a-z0-9]{1,32}, the frame's "boot".
  [[nodiscard]] virtual const std::string& boot() const = 0;
  // Waits at most `timeout` for a frame with number > `after` (0: give the present one at once) and
  // encodes it; with nothing new, or when it cannot be read, snapshot is null. One call at a time
  // for a scope; calls for different scopes overlap. A delta, where there is one, says what changed
  // since frame `base`; the usual base is the frame given out before for this scope.
  [[nodiscard]] virtual Frame next(const Scope& scope, std::uint64_t after, Duration timeout) = 0;
};

}  // namespace retailpulse
