#include "serve/openapi.h"

#include <nlohmann/json.hpp>

namespace retailpulse {
namespace {

using Json = nlohmann::ordered_json;

Json media(std::string_view type) { return {{std::string(type), {{"schema", Json::object()}}}}; }

Json problem_response(std::string_view about) {
  return {{"description", about},
          {"content",
           {{"application/problem+json",
             {{"schema", {{"$ref", "#/components/schemas/Problem"}}}}}}}};
}

Json parameter(const Parameter& p) {
  Json schema = {{"type", "string"}};
  if (!p.values.empty()) {
    schema["enum"] = p.values;
    schema["default"] = p.values.front();
  }
  return {{"name", p.name}, {"in", "query"}, {"description", p.about}, {"schema", schema}};
}

Json operation(const Endpoint& endpoint, std::string_view content_type) {
  Json parameters = Json::array();
  if (!endpoint.rest.empty()) {
    parameters.push_back({{"name", endpoint.rest},
                          {"in", "path"},
                          {"required", true},
                          {"schema", {{"type", "string"}}}});
  }
  for (const Parameter& p : endpoint.parameters) parameters.push_back(parameter(p));
  Json content = media(content_type);
  if (endpoint.rows && content_type == "application/json") {
    content.update(media("text/csv"));
    content.update(media("application/x-ndjson"));
  }
  Json get = {{"summary", endpoint.about}};
  if (!parameters.empty()) get["parameters"] = parameters;
  get["responses"] = {
      {"200", {{"description", "One committed frame's answer."}, {"content", content}}},
      {"400", problem_response("A parameter is unknown or wrong; the detail says what is right.")},
      {"503", problem_response("It cannot be read now, or would take too long.")}};
  if (!endpoint.rest.empty()) get["responses"]["404"] = problem_response("Never seen.");
  return {{"get", get}};
}

// A POST: what its object may hold, and the header without which no browser may send it.
Json posting(const Endpoint& endpoint) {
  Json properties = Json::object();
  for (const Parameter& p : endpoint.members) {
    properties[std::string(p.name)] = {{"description", p.about}};
  }
  const Json body = {
      {"type", "object"}, {"properties", properties}, {"additionalProperties", false}};
  return {{"post",
           {{"summary", endpoint.about},
            {"parameters",
             Json::array({{{"name", "X-RetailPulse"}, {"in", "header"}, {"required", true},
                           {"description", "Any value; says that no form of another site sent it"},
                           {"schema", {{"type", "string"}}}}})},
            {"requestBody",
             {{"required", true}, {"content", {{"application/json", {{"schema", body}}}}}}},
            {"responses",
             {{"200", {{"description", "OK"}, {"content", media("application/json")}}},
              {"400", problem_response("It is wrong or not allowed; the detail says why.")},
              {"403", problem_response("It does not come from this page.")},
              {"429", problem_response("Too many at once; try again.")},
              {"503", problem_response("It would take too long, or cannot be done now.")}}}}}};
}

Json served_elsewhere(std::string_view about, std::string_view type) {
  return {{"get",
           {{"summary", about},
            {"responses", {{"200", {{"description", "OK"}, {"content", media(type)}}}}}}}};
}

Json stream() {
  Json operation = served_elsewhere(
      "Live frames as server-sent events: one `snapshot` (the answer of /api/v1/frame), then "
      "`delta` events with what changed. At most four a second; 204 when all places are taken.",
      "text/event-stream");
  operation["get"]["parameters"] = {
      parameter({"currency", "Code of the currency looked at"}),
      parameter({"range", "Length of the series", {"1h", "15m", "6h", "24h"}})};
  operation["get"]["responses"]["204"] = {{"description", "No place is free: poll /api/v1/frame."}};
  return operation;
}

Json problem_schema() {
  return {{"type", "object"},
          {"description", "RFC 9457"},
          {"properties",
           {{"type", {{"type", "string"}}},
            {"title", {{"type", "string"}}},
            {"status", {{"type", "integer"}}},
            {"detail", {{"type", "string"}}}}}};
}

}  // namespace

std::string openapi_json(const std::vector<Endpoint>& endpoints, std::string_view version) {
  Json paths = Json::object();
  for (const Endpoint& endpoint : endpoints) {
    std::string path = endpoint.path;
    if (!endpoint.rest.empty()) path += "{" + std::string(endpoint.rest) + "}";
    paths[path] = endpoint.members.empty() ? operation(endpoint, "application/json")
                                           : posting(endpoint);
    if (!endpoint.rows) continue;
    paths[path + ".csv"] = operation(endpoint, "text/csv");
    paths[path + ".ndjson"] = operation(endpoint, "application/x-ndjson");
  }
  paths["/api/v1/openapi.json"] = served_elsewhere("This description.", "application/json");
  paths["/api/openapi.json"] = served_elsewhere("This description.", "application/json");
  paths["/api/v1/stream"] = stream();
  paths["/healthz"] = served_elsewhere("Whether the process works.", "application/json");
  paths["/readyz"] = served_elsewhere("Whether its numbers can be relied on, with reasons.",
                                      "application/json");
  paths["/metrics"] = served_elsewhere("Prometheus metrics.", "text/plain");
  const Json api = {
      {"openapi", "3.1.0"},
      {"info",
       {{"title", "RetailPulse"},
        {"version", version},
        {"description",
         "Money is decimal text beside its currency; times are RFC 3339 and microseconds since "
         "1970 UTC; `frame` is the commit that every number of an answer belongs to; \"now\" is the "
         "data clock (watermark)."}}},
      {"paths", paths},
      {"components", {{"schemas", {{"Problem", problem_schema()}}}}}};
  return api.dump();
}

}  // namespace retailpulse
