// Content coding: which encoding a client takes, gzip of answers, and entity tags.
//
// Pure functions. gzip at level 1: a 100 KB frame costs under a millisecond and shrinks to a sixth;
// higher levels cost several times as much for a tenth less.
//
// Thread: any.
// Test:   tests/serve/router_test.cpp
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "serve/http.h"

namespace retailpulse {

inline constexpr std::size_t kGzipBytesMin = 1400;  // less fits into one packet as it is

// Does Accept-Encoding allow gzip (by name or by "*", and not with q=0)?
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

// The bytes as gzip; empty when zlib fails.
[[nodiscard]] std::string gzip(std::string_view bytes);

// `"abc"` -> `"abc-gzip"`: another representation needs another strong tag.
[[nodiscard]] std::string gzip_etag(std::string_view etag);

// Does If-None-Match name `etag`? Weak comparison, as RFC 9110 wants for GET.
[[nodiscard]] bool etag_matches(std::string_view if_none_match, std::string_view etag);

// Makes `reply` what this client should get: 304 when it has the bytes already, gzip when it takes
// it and that is worth it. Leaves answers alone that are encoded already.
void negotiate(const Request& request, Reply& reply);

// Calls `each` with every comma-separated element, without the blanks around it.
template <class Each>
void for_each_element(std::string_view list, Each each) {
  constexpr std::string_view kBlank = " \t";
  while (true) {
    const std::size_t comma = list.find(',');
    std::string_view element = list.substr(0, comma);
    element.remove_prefix(std::min(element.find_first_not_of(kBlank), element.size()));
    element = element.substr(0, element.find_last_not_of(kBlank) + 1);
    if (!element.empty()) each(element);
    if (comma == std::string_view::npos) return;
    list.remove_prefix(comma + 1);
  }
}

}  // namespace retailpulse
