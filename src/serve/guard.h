// Guard: decides from a request's head alone whether the request may go any further.
//
// The one choke point: it is asked for every request, pages and streams too, before a body byte is
// read and before the HTTP library sees anything. Localhost is no protection in itself: any page
// in the user's browser can send requests there (DNS rebinding, cross-site requests).
//
// Thread:     frozen; judge() from any thread.
// Invariants: a refusal's text holds nothing of what the client sent.
// Limits:     kBodyBytesMax, and those of Head.
// Test:       tests/serve/guard_test.cpp
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/status.h>

#include "serve/head.h"
#include "serve/http.h"

namespace retailpulse {

inline constexpr std::size_t kBodyBytesMax = 64 * 1024;
inline constexpr std::size_t kTokenBytesMin = 22;  // 128 bits in base64

// Is this bind address one that only this machine can reach?
[[nodiscard]] bool is_loopback(std::string_view address);

// kConfig with a sentence when this server must not be started: off loopback without a token.
Status check_exposure(const HttpConfig& config);

class Guard {
 public:
  Guard(const HttpConfig& config, std::uint16_t port);

  // A ready answer when the request is refused; the connection is to be closed after it. `path` is
  // the decoded one (empty when it could not be decoded), as "/%61pi" must be judged as "/api".
  [[nodiscard]] std::optional<Reply> judge(const Head& head, std::string_view path) const;

 private:
  [[nodiscard]] bool host_allowed(std::string_view host) const;
  [[nodiscard]] std::optional<Reply> judge_host(const Head& head) const;
  [[nodiscard]] std::optional<Reply> judge_framing(const Head& head) const;
  [[nodiscard]] std::optional<Reply> judge_origin(const Head& head, std::string_view path) const;
  [[nodiscard]] std::optional<Reply> judge_token(const Head& head) const;

  std::vector<std::string> hosts_;       // exactly as in Host, lower case, port included
  std::vector<std::string> names_;       // configured names, any port
  bool literals_allowed_ = false;        // off loopback: any IP literal (cannot be rebound)
  std::string token_;
};

// The declared body length; nothing when it is not a single plain number within kBodyBytesMax.
[[nodiscard]] std::optional<std::size_t> body_length(const Head& head);

}  // namespace retailpulse
