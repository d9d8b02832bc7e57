// The HTTP API: what each path answers, as a table of endpoints with their parameters.
//
// One table is the router's input, the parameters' check and the OpenAPI description: a path
// cannot be in one and missing in another.
//
// Thread: any (handlers hold references to synchronised things only).
// Limits: rows per answer as the parameters say; the reader's deadline ends what takes too long.
// Test:   tests/serve/api_test.cpp
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/history.h>
#include <retailpulse/pipeline.h>
#include <retailpulse/replay.h>
#include <retailpulse/sql.h>

#include "base/zone.h"
#include "serve/frame_maker.h"
#include "serve/http.h"
#include "serve/router.h"

namespace retailpulse {

// All outlive the handlers.
struct ApiContext {
  HistoryReader& history;
  const PipelineView& pipeline;
  FrameMaker& frames;
  const Zone& zone;
  const Clock& clock;
  std::vector<std::pair<std::string, std::string>> versions;  // "retailpulse" -> "0.1.0 (abc)"
  SqlConsole* console = nullptr;  // null: there is none
  Replayer* replayer = nullptr;   // likewise
};

struct Parameter {
  std::string_view name;
  std::string_view about;
  std::vector<std::string_view> values{};  // closed list; the first is the default. Empty: free
};

struct Endpoint {
  std::string path;             // "/api/v1/kpis"; a prefix ends with '/'
  std::string_view about;
  std::vector<Parameter> parameters;
  bool rows = false;            // also as CSV and NDJSON, by Accept or by the suffix .csv, .ndjson
  std::string_view rest{};      // prefix: name of the path's last part
  Handler handler;
  std::vector<Parameter> members{};  // of a POST's JSON object; empty: it is a GET
};

// Paths of the table with every suffix, ready for the router; a prefix ends with '/'.
struct Route {
  std::string path;
  bool prefix = false;
  Handler handler;
  bool post = false;
};

[[nodiscard]] std::vector<Endpoint> api_endpoints(const ApiContext& context);
// The table's routes, and the OpenAPI description of all at its two paths.
[[nodiscard]] std::vector<Route> api_routes(const ApiContext& context);
void add_routes(Router& router, std::vector<Route> routes);

}  // namespace retailpulse
