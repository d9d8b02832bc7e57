// Head: the request line and headers of one request, parsed strictly from raw bytes.
//
// The HTTP library of Debian 12 reads endless header lines, endless headers, runs a regular
// expression over Range and percent-decodes header values, all before any hook of it is asked. So
// the bytes are bounded and judged here first, and the library is only shown what we wrote.
//
// Thread:     any (pure functions on values).
// Invariants: header names are lower case; values hold no control character but TAB.
// Limits:     kHeadBytesMax, kHeadLineBytesMax, kHeadersMax, kPathBytesMax, kQueryBytesMax.
// Test:       tests/serve/guard_test.cpp
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace retailpulse {

inline constexpr std::size_t kHeadBytesMax = 16 * 1024;
inline constexpr std::size_t kHeadLineBytesMax = 8 * 1024;
inline constexpr std::size_t kHeadersMax = 64;
inline constexpr std::size_t kPathBytesMax = 1024;   // raw, before percent-decoding
inline constexpr std::size_t kQueryBytesMax = 2048;

struct Head {
  std::string method;
  std::string target;                // as sent
  int minor = 1;                     // HTTP/1.<minor>
  std::vector<std::pair<std::string, std::string>> headers;

  [[nodiscard]] std::size_t count(std::string_view name) const;
  // The first header of that (lower-case) name; empty when there is none.
  [[nodiscard]] std::string_view value(std::string_view name) const;
};

// Parses a head that ends with its empty line. On failure `status` is the answer: 400, 431 or 505.
[[nodiscard]] std::optional<Head> parse_head(std::string_view bytes, int& status);

struct Target {
  std::string path;                  // decoded
  std::map<std::string, std::string, std::less<>> query;  // decoded; of equal keys the first wins
};

// Takes an origin-form target apart. On failure `status` is 400 or 414.
[[nodiscard]] std::optional<Target> parse_target(std::string_view target, int& status);

}  // namespace retailpulse
