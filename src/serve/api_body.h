// The JSON object of a POST, its members checked against the endpoint's table.
//
// Thread: any (pure functions on values).
// Limits: those of Request::body; nothing may nest.
// Test:   tests/serve/api_test.cpp
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include <retailpulse/status.h>

#include "serve/http.h"

namespace retailpulse {

using BodyValue = std::variant<std::string, std::int64_t>;
using Body = std::map<std::string, BodyValue, std::less<>>;

// Texts and whole numbers under the given names; kInvalid with a sentence for anything else. An
// empty body is an empty object.
[[nodiscard]] Result<Body> parse_body(const Request& request,
                                      const std::vector<std::string_view>& names);
// The member when it is a text (a number), `otherwise` when it is absent.
[[nodiscard]] Result<std::string> text_member(const Body& body, std::string_view name,
                                              std::string_view otherwise = {});
[[nodiscard]] Result<std::int64_t> number_member(const Body& body, std::string_view name,
                                                 std::int64_t otherwise, std::int64_t least,
                                                 std::int64_t most);

}  // namespace retailpulse
