#include "serve/api.h"

#include "serve/api_answer.h"
#include "serve/api_handlers.h"
#include "serve/openapi.h"

namespace retailpulse {
namespace {

using Answer = Reply (*)(const ApiContext&, const Request&);

const Parameter kFrom{"from", "Begin: RFC 3339, a date, now, today or yesterday, with -N of s, m, "
                              "h, d; default: today's begin"};
const Parameter kTo{"to", "End, likewise; default: the end of the data"};
const Parameter kCurrency{"currency", "ISO 4217 code; default: the one with the most lines sold today"};
const Parameter kSalesMeasure{"measure", "What is compared; events for types",
                              {"net", "gross", "refunds", "orders", "lines", "units",
                               "transactions", "events"}};

std::vector<Endpoint> shop_endpoints() {
  return {
      {"/api/v1/frame", "Everything that the live page shows, of one commit.",
       {{"currency", "Code of the currency looked at"},
        {"range", "Length of the series", {"1h", "15m", "6h", "24h"}}},
       false, {}, {}},
      {"/api/v1/kpis", "The KPIs of a time range, with unit, formula and state.",
       {kFrom, kTo, kCurrency}, false, {}, {}},
      {"/api/v1/series", "A measure over time; a pane without events is absent, a zero is counted.",
       {{"measure", "What is measured", {"net", "gross", "refunds", "orders", "lines", "units",
                                         "transactions", "ratings", "events"}},
        {"by", "Split by a dimension", {"", "category", "product", "type", "currency"}},
        {"n", "Keys of a split that are named, 1 to 50; the rest is (other); default 20"},
        {"step", "Width of a pane: 10s, 1m, 5m, 15m, 1h, 1d, ...; default: what suits the range"},
        kFrom, kTo, kCurrency},
       true, {}, {}},
      {"/api/v1/top", "The greatest of a dimension, and (other), so that rows sum to the total.",
       {{"dimension", "What is ranked", {"product", "category", "type"}},
        kSalesMeasure, {"n", "Rows, 1 to 1000; default 10"}, kFrom, kTo, kCurrency},
       true, {}, {}},
      {"/api/v1/breakdown", "All of a dimension with their shares.",
       {{"dimension", "What is split", {"category", "product", "type", "currency"}},
        kSalesMeasure, {"n", "Rows, 1 to 1000; default 1000"}, kFrom, kTo, kCurrency},
       true, {}, {}},
      {"/api/v1/products/", "One product: listing, KPIs, ratings and trend.",
       {kFrom, kTo, kCurrency}, false, "id", {}},
  };
}

std::vector<Endpoint> pipeline_endpoints() {
  return {
      {"/api/v1/status", "State of the pipeline, the store and the process.", {}, false, {}, {}},
      {"/api/v1/partitions", "Offsets, lag and watermark of each partition.", {}, true, {}, {}},
      {"/api/v1/ledger", "Where every record that was read went.", {}, true, {}, {}},
      {"/api/v1/rejects", "Records that could not be understood, newest first.",
       {{"limit", "Rows, 1 to 1000; default 100"},
        {"after", "The `next` of the answer before: goes on with older ones"},
        {"topic", "Only of this topic"},
        {"reason", "Only with this reason"}},
       true, {}, {}},
  };
}

std::vector<Endpoint> asking_endpoints() {
  return {
      {"/api/v1/sql",
       "One SELECT over the store's tables and views, in a process that cannot write and has two "
       "seconds; at most 1000 rows and 1 MiB, else truncated is true.",
       {}, false, {}, {}, {{"query", "The statement"}}},
      {"/api/v1/rejects/replay",
       "Decodes rejected records again, as the configuration is now, newest first. Those that are "
       "good enter once: the commit that counts one deletes its reject.",
       {}, false, {}, {},
       {{"topic", "Only of this topic"},
        {"reason", "Only with this reason"},
        {"limit", "Records, 1 to 1000; default 500"},
        {"after", "The `next` of the answer before: goes on with older ones"}}},
  };
}

void bind(std::vector<Endpoint>& endpoints, const ApiContext& context) {
  const std::pair<std::string_view, Answer> answers[] = {
      {"/api/v1/frame", get_frame},           {"/api/v1/kpis", get_kpis},
      {"/api/v1/series", get_series},         {"/api/v1/top", get_top},
      {"/api/v1/breakdown", get_breakdown},   {"/api/v1/products/", get_product},
      {"/api/v1/status", get_status},         {"/api/v1/partitions", get_partitions},
      {"/api/v1/ledger", get_ledger},         {"/api/v1/rejects", get_rejects},
      {"/api/v1/sql", post_sql},              {"/api/v1/rejects/replay", post_replay}};
  for (Endpoint& endpoint : endpoints) {
    for (const auto& [path, function] : answers) {
      if (endpoint.path != path) continue;
      endpoint.handler = [context, known = endpoint.parameters,
                          run = function](const Request& request) {
        if (Status status = check_parameters(request, known); !status.ok()) {
          return status_reply(status);
        }
        return run(context, request);
      };
    }
  }
}

}  // namespace

Reply get_frame(const ApiContext& context, const Request& request) {
  auto frame = context.frames.present({std::string(query_value(request, "currency")),
                                       std::string(query_value(request, "range"))});
  if (!frame.ok()) return status_reply(frame.status());
  Reply reply = json_reply({});
  reply.body = std::move(frame).value();
  return reply;
}

std::vector<Endpoint> api_endpoints(const ApiContext& context) {
  std::vector<Endpoint> endpoints = shop_endpoints();
  for (Endpoint& endpoint : pipeline_endpoints()) endpoints.push_back(std::move(endpoint));
  for (Endpoint& endpoint : asking_endpoints()) endpoints.push_back(std::move(endpoint));
  bind(endpoints, context);
  return endpoints;
}

std::vector<Route> api_routes(const ApiContext& context) {
  const std::vector<Endpoint> endpoints = api_endpoints(context);
  const std::string version =
      context.versions.empty() ? std::string("unknown") : context.versions.front().second;
  std::vector<Route> routes;
  for (const Endpoint& endpoint : endpoints) {
    routes.push_back({endpoint.path, !endpoint.rest.empty(), endpoint.handler,
                      !endpoint.members.empty()});
    if (!endpoint.rows) continue;
    for (const char* suffix : {".csv", ".ndjson"}) {
      routes.push_back({endpoint.path + suffix, false, endpoint.handler});
    }
  }
  const auto text = std::make_shared<const std::string>(openapi_json(endpoints, version));
  for (const char* path : {"/api/v1/openapi.json", "/api/openapi.json"}) {
    routes.push_back({path, false, [text](const Request&) { return object_reply(*text); }});
  }
  return routes;
}

void add_routes(Router& router, std::vector<Route> routes) {
  for (Route& route : routes) {
    if (route.post) router.post(std::move(route.path), std::move(route.handler));
    else if (route.prefix) router.get_prefix(std::move(route.path), std::move(route.handler));
    else router.get(std::move(route.path), std::move(route.handler));
  }
}

}  // namespace retailpulse
