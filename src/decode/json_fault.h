// json_fault: why a text is not one whole JSON document; kNone if it is.
//
// The fast walk only says that something is wrong. This slow and strict reader (RFC 8259, UTF-8)
// goes over the bytes once more, from the left, and names the first fault. A text that ends while
// it could still go on is kTruncated, wherever it ends.
//
// Thread: any.
// Limits: kJsonDepthMax open containers (more is kTooDeep); no recursion.
// Test:   tests/decode/json_fault_test.cpp
#pragma once

#include <string_view>

#include <retailpulse/types.h>

namespace retailpulse {

inline constexpr int kJsonDepthMax = 32;

// kNone, kEmptyValue, kBadJson, kTruncated, kTrailingBytes, kTooDeep or kBadUtf8.
[[nodiscard]] Reason json_fault(std::string_view text);

// The grammar of one JSON number, and nothing before or after it.
[[nodiscard]] bool is_json_number(std::string_view token);

}  // namespace retailpulse
