// The OpenAPI 3.1 description of the API, made from the table that the router is made from.
//
// Thread: any (pure function).
// Test:   tests/serve/api_test.cpp
#pragma once

#include <string>
#include <vector>

#include "serve/api.h"

namespace retailpulse {

// One line of JSON. Paths that the server answers by itself (stream, health, metrics) are in it.
[[nodiscard]] std::string openapi_json(const std::vector<Endpoint>& endpoints,
                                       std::string_view version);

}  // namespace retailpulse
