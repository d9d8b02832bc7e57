// Bytes of a connection, up to the handler: head, target, guard, router, static files.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "serve/content_coding.h"
#include "serve/guard.h"
#include "serve/head.h"
#include "serve/router.h"
#include "serve/sse_hub.h"
#include "serve/static_files.h"

namespace retailpulse {
namespace {

bool has_control(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return true;
  }
  return false;
}

struct Fuzzed {
  Fuzzed() : guard(HttpConfig{}, 8080) {
    router.get("/api/v1/status", [](const Request&) { return json_reply("{}"); });
    router.get_prefix("/api/v1/products/", [](const Request& request) {
      RP_CHECK(!request.rest.empty() && !has_control(request.rest), "clean text");
      return json_reply("{}");
    });
    router.post("/api/v1/echo", [](const Request& request) { return json_reply(request.body); });
    router.get("/api/v1/stream", [](const Request& request) {
      if (const auto scope = scope_of(request)) RP_CHECK(scope->currency.size() <= 16, "bounded");
      return json_reply("{}");
    });
    RP_CHECK(add_static_routes(router, HttpConfig{}).ok(), "routes");
  }
  Guard guard;
  Router router;
};

void check_refusal(const Reply& reply) {
  RP_CHECK(reply.status >= 400 && reply.status < 500, "a refusal");
  RP_CHECK(reply.body != nullptr && !reply.content_type.empty(), "says why");
  for (const auto& [name, value] : reply.headers) {
    RP_CHECK(!has_control(name) && !has_control(value), "headers stay headers");
  }
}

// What every handler may rely on (serve/http.h).
void check_request(const Head& head, const Target& target) {
  RP_CHECK(head.method == "GET" || head.method == "HEAD" || head.method == "POST", "methods");
  RP_CHECK(head.count("host") == 1 && head.count("transfer-encoding") == 0, "framing");
  RP_CHECK(body_length(head).has_value(), "one plain length");
  RP_CHECK(target.path.front() == '/' && target.path.size() <= kPathBytesMax, "a path");
  RP_CHECK(!has_control(target.path), "clean text");
  for (const auto& [key, value] : target.query) {
    RP_CHECK(!has_control(key) && !has_control(value), "clean text");
  }
}

void serve_one(std::string_view bytes) {
  static const Fuzzed fuzzed;
  int status = 0;
  const auto head = parse_head(bytes, status);
  if (!head) {
    RP_CHECK(status == 400 || status == 431 || status == 505, "a status for it");
    return;
  }
  RP_CHECK(head->headers.size() <= kHeadersMax && !has_control(head->target), "bounds");
  auto target = parse_target(head->target, status);
  if (const auto refusal = fuzzed.guard.judge(*head, target ? target->path : "")) {
    return check_refusal(*refusal);
  }
  if (!target) {
    RP_CHECK(status == 400 || status == 414, "a status for it");
    return;
  }
  check_request(*head, *target);
  Request request;
  request.method = head->method;
  request.path = target->path;
  request.query = target->query;
  request.accept_encoding = head->value("accept-encoding");
  request.if_none_match = head->value("if-none-match");
  request.last_event_id = head->value("last-event-id");
  Reply reply = fuzzed.router.answer(request);
  negotiate(request, reply);
  RP_CHECK(reply.status >= 200 && reply.status < 500, "an answer");
}

}  // namespace
}  // namespace retailpulse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string bytes(reinterpret_cast<const char*>(data), size);
  retailpulse::serve_one(bytes);
  // Most guesses fail at the first line: the same bytes as headers, and as a target.
  const std::string host = " HTTP/1.1\r\nHost: localhost:8080\r\n";
  retailpulse::serve_one("GET /api/v1/status" + host + bytes + "\r\n\r\n");
  retailpulse::serve_one("POST /api/v1/echo" + host + "X-RetailPulse: 1\r\n" + bytes + "\r\n\r\n");
  retailpulse::serve_one("GET /" + bytes + host + "\r\n");
  return 0;
}
