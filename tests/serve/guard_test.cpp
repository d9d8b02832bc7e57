#include "serve/guard.h"

#include <string>
#include <vector>

#include "support/catch.h"

namespace retailpulse {
namespace {

HttpConfig loopback() { return {}; }

Head head_of(const std::string& text) {
  int status = 0;
  const auto head = parse_head(text, status);
  REQUIRE(head);
  return *head;
}

// Status of the guard's answer; 0: let through.
int judge(const Guard& guard, const std::string& text) {
  const Head head = head_of(text);
  int status = 0;
  const auto target = parse_target(head.target, status);
  const auto refusal = guard.judge(head, target ? std::string_view(target->path) : "");
  return refusal ? refusal->status : 0;
}

int judge_get(const std::string& headers, const std::string& path = "/api/v1/status") {
  const Guard guard(loopback(), 8080);
  return judge(guard, "GET " + path + " HTTP/1.1\r\nHost: localhost:8080\r\n" + headers + "\r\n");
}

int judge_post(const std::string& headers) {
  const Guard guard(loopback(), 8080);
  return judge(guard, "POST /api/v1/x HTTP/1.1\r\nHost: localhost:8080\r\n" + headers + "\r\n");
}

int judge_host(const Guard& guard, const std::string& host) {
  return judge(guard, "GET / HTTP/1.1\r\nHost: " + host + "\r\n\r\n");
}

int head_status(const std::string& text) {
  int status = 0;
  return parse_head(text, status) ? 0 : status;
}

int target_status(const std::string& target) {
  int status = 0;
  return parse_target(target, status) ? 0 : status;
}

}  // namespace

TEST_CASE("guard: right hosts on loopback pass, all others are misdirected") {
  const Guard guard(loopback(), 8080);
  for (const char* host : {"localhost:8080", "LOCALHOST:8080", "LocalHost:8080", "127.0.0.1:8080",
                           "[::1]:8080"}) {
    CAPTURE(host);
    CHECK(judge_host(guard, host) == 0);
  }
  for (const char* host :
       {"", "localhost", "127.0.0.1", "[::1]", "::1", "::1:8080", "localhost:80", "localhost:8081",
        "localhost:08080", "localhost:8080 ,evil", "localhost:", "localhost:8080:8080",
        "localhost.:8080", "localhost.evil.com:8080", "evil.com:8080", "evil.com",
        "evil-localhost:8080", "localhostx:8080", "xlocalhost:8080", "127.0.0.1.nip.io:8080",
        "127.0.0.1.:8080", "127.1:8080", "127.0.1:8080", "2130706433:8080", "0x7f000001:8080",
        "0177.0.0.1:8080", "127.0.0.2:8080", "0.0.0.0:8080", "0:8080", "[::]:8080",
        "[0:0:0:0:0:0:0:1]:8080", "[::ffff:127.0.0.1]:8080", "[::1%25lo]:8080", "[::1]:80",
        "[::1]8080", "[::1:8080", "user@localhost:8080", "user:pw@localhost:8080",
        "localhost:8080@evil.com", "http://localhost:8080", "//localhost:8080", "localhost:8080/",
        "localhost:8080/x", "localhost:8080?x", "localhost:8080#x", "localhost%3A8080",
        "localhost%00:8080", "%6cocalhost:8080", "localhost:8080%0d%0aX: y", "localhost\t:8080",
        "local host:8080", "\"localhost\":8080", "localhost:8o80", "localhost:+8080",
        "localhost:-8080", "localhost:8080.", "localhost:80800", "localhost:65536", "*", "*:8080",
        "192.168.0.7:8080", "metadata.google.internal:8080"}) {
    CAPTURE(host);
    CHECK(judge_host(guard, host) == 421);
  }
}

TEST_CASE("guard: the Host header is there exactly once, and the target is no second one") {
  const Guard guard(loopback(), 8080);
  CHECK(judge(guard, "GET / HTTP/1.1\r\n\r\n") == 421);
  CHECK(judge(guard, "GET / HTTP/1.0\r\n\r\n") == 421);
  CHECK(judge(guard, "GET / HTTP/1.1\r\nHost: localhost:8080\r\nhOST: localhost:8080\r\n\r\n") ==
        400);
  CHECK(judge(guard, "GET http://localhost:8080/ HTTP/1.1\r\nHost: localhost:8080\r\n\r\n") == 421);
  CHECK(judge(guard, "GET http://evil/ HTTP/1.1\r\nHost: localhost:8080\r\n\r\n") == 421);
}

TEST_CASE("guard: without a port in Host only on port 80") {
  const Guard guard(loopback(), 80);
  CHECK(judge_host(guard, "localhost") == 0);
  CHECK(judge_host(guard, "localhost:80") == 0);
  CHECK(judge_host(guard, "localhost:8080") == 421);
}

TEST_CASE("guard: configured names, bare with any port, with a port exactly so") {
  HttpConfig config;
  config.allowed_hosts = {"Shop.lan", "dash.example:9443"};
  const Guard guard(config, 8080);
  CHECK(judge_host(guard, "shop.lan") == 0);
  CHECK(judge_host(guard, "shop.lan:1234") == 0);
  CHECK(judge_host(guard, "dash.example:9443") == 0);
  CHECK(judge_host(guard, "dash.example") == 421);
  CHECK(judge_host(guard, "dash.example:8080") == 421);
  CHECK(judge_host(guard, "x.shop.lan") == 421);
}

TEST_CASE("guard: off loopback a token is needed to start and for each request") {
  HttpConfig config;
  for (const char* address : {"0.0.0.0", "192.168.1.5", "::", "[::]", "127.evil"}) {
    config.address = address;
    CAPTURE(address);
    CHECK(check_exposure(config).code() == Code::kConfig);
  }
  config.token = "short";
  CHECK(check_exposure(config).code() == Code::kConfig);
  config.address = "0.0.0.0";
  config.token = "0123456789abcdef0123456789abcdef";
  CHECK(check_exposure(config).ok());

  const Guard guard(config, 8080);
  const auto with = [&](const std::string& authorization) {
    return judge(guard, "GET / HTTP/1.1\r\nHost: 192.168.1.5:8080\r\n" + authorization + "\r\n");
  };
  CHECK(with("") == 401);
  CHECK(with("Authorization: Bearer 0123456789abcdef0123456789abcdef\r\n") == 0);
  CHECK(with("authorization: bearer 0123456789abcdef0123456789abcdef\r\n") == 0);
  CHECK(with("Authorization: Bearer 0123456789abcdef0123456789abcdeF\r\n") == 401);
  CHECK(with("Authorization: Bearer 0123456789abcdef0123456789abcde\r\n") == 401);
  CHECK(with("Authorization: Bearer 0123456789abcdef0123456789abcdef0\r\n") == 401);
  CHECK(with("Authorization: Bearer \r\n") == 401);
  CHECK(with("Authorization: 0123456789abcdef0123456789abcdef\r\n") == 401);
  // The password of a browser's prompt: "me:0123456789abcdef0123456789abcdef".
  CHECK(with("Authorization: Basic bWU6MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=\r\n") == 0);
  CHECK(with("Authorization: Basic bWU6d3Jvbmc=\r\n") == 401);
  CHECK(with("Authorization: Basic !!!!\r\n") == 401);
  CHECK(judge_host(guard, "evil.com:8080") == 421);  // an unknown name is refused before the token
}

TEST_CASE("guard: methods") {
  const Guard guard(loopback(), 8080);
  for (const char* method : {"GET", "HEAD"}) {
    CHECK(judge(guard, std::string(method) + " / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n") == 0);
  }
  for (const char* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "get", "X"}) {
    CAPTURE(method);
    CHECK(judge(guard, std::string(method) + " / HTTP/1.1\r\nHost: localhost:8080\r\n\r\n") == 405);
  }
}

TEST_CASE("guard: request framing that the library gets wrong is refused") {
  CHECK(judge_get("Transfer-Encoding: chunked\r\n") == 411);
  CHECK(judge_get("transfer-encoding: identity\r\n") == 411);
  CHECK(judge_get("Content-Encoding: gzip\r\n") == 415);
  CHECK(judge_get("Content-Type: multipart/form-data; boundary=x\r\n") == 415);
  CHECK(judge_get("Content-Type: Multipart/Mixed\r\n") == 415);
  CHECK(judge_get("Expect: 100-continue\r\n") == 417);
  CHECK(judge_get("Upgrade: websocket\r\n") == 417);
  CHECK(judge_get("Content-Length: 0\r\n") == 0);
  CHECK(judge_get("Content-Length: 5\r\n") == 400);
  CHECK(judge_get("Content-Length: 0\r\nContent-Length: 0\r\n") == 413);
  for (const char* length :
       {"-1", "+1", "1e3", "0x10", "99999999999999999999", "65537", "5, 5", ""}) {
    CAPTURE(length);
    CHECK(judge_get(std::string("Content-Length: ") + length + "\r\n") == 413);
  }
}

TEST_CASE("guard: other sites' pages cannot use the API") {
  CHECK(judge_get("") == 0);
  CHECK(judge_get("Sec-Fetch-Site: same-origin\r\n") == 0);
  CHECK(judge_get("Sec-Fetch-Site: none\r\n") == 0);
  CHECK(judge_get("Sec-Fetch-Site: cross-site\r\n") == 403);
  CHECK(judge_get("Sec-Fetch-Site: same-site\r\n") == 403);
  CHECK(judge_get("Sec-Fetch-Site: none\r\nSec-Fetch-Site: none\r\n") == 403);
  CHECK(judge_get("Origin: http://localhost:8080\r\n") == 0);
  CHECK(judge_get("Origin: http://localhost:3000\r\n") == 403);
  CHECK(judge_get("Origin: https://evil.com\r\n") == 403);
  CHECK(judge_get("Origin: null\r\n") == 403);
  CHECK(judge_get("Sec-Fetch-Site: cross-site\r\n", "/%61pi/v1/status") == 403);
  CHECK(judge_get("Sec-Fetch-Site: cross-site\r\n", "/metrics") == 403);
  CHECK(judge_get("Sec-Fetch-Site: cross-site\r\n", "/") == 0);  // a link to the page is fine
}

TEST_CASE("guard: a POST is JSON with our own header, and from no other site") {
  const std::string json = "Content-Type: application/json; charset=utf-8\r\n";
  const std::string ours = json + "X-RetailPulse: 1\r\n";
  CHECK(judge_post(ours + "Sec-Fetch-Site: same-origin\r\n") == 0);
  CHECK(judge_post(ours + "Origin: http://localhost:8080\r\n") == 0);
  CHECK(judge_post(ours) == 0);
  CHECK(judge_post(json + "Sec-Fetch-Site: same-origin\r\n") == 403);
  CHECK(judge_post(json + "Origin: http://localhost:8080\r\n") == 403);
  CHECK(judge_post(json) == 403);
  CHECK(judge_post(json + "Origin: http://evil.com\r\n") == 403);
  CHECK(judge_post(json + "Origin: null\r\nX-RetailPulse: 1\r\n") == 403);
  CHECK(judge_post(json + "Sec-Fetch-Site: cross-site\r\nX-RetailPulse: 1\r\n") == 403);
  CHECK(judge_post("X-RetailPulse: 1\r\n") == 415);
  CHECK(judge_post("Content-Type: text/plain\r\nX-RetailPulse: 1\r\n") == 415);
  CHECK(judge_post("Content-Type: application/jsonx\r\nX-RetailPulse: 1\r\n") == 415);
  CHECK(judge_post(json + "X-RetailPulse: 1\r\nContent-Length: 65536\r\n") == 0);
  CHECK(judge_post(json + "X-RetailPulse: 1\r\nContent-Length: 65537\r\n") == 413);
}

TEST_CASE("guard: a refusal repeats nothing of the request") {
  const Guard guard(loopback(), 8080);
  const Head head = head_of("GET /MARKER HTTP/1.1\r\nHost: MARKER.com\r\nX: MARKER\r\n\r\n");
  const auto refusal = guard.judge(head, "/MARKER");
  REQUIRE(refusal);
  CHECK(refusal->body->find("MARKER") == std::string::npos);
  for (const auto& [name, value] : refusal->headers) {
    CHECK(value.find("MARKER") == std::string::npos);
  }
}

TEST_CASE("head: what is not exactly HTTP/1 is refused") {
  CHECK(head_status("GET / HTTP/1.1\r\nHost: x\r\n\r\n") == 0);
  CHECK(head_status("GET / HTTP/1.0\r\n\r\n") == 0);
  CHECK(head_status("GET / HTTP/2.0\r\n\r\n") == 505);
  CHECK(head_status("GET / HTTP/1.2\r\n\r\n") == 505);
  for (const std::string& text : {
           std::string("GET /\r\n\r\n"), std::string("GET  / HTTP/1.1\r\n\r\n"),
           std::string("GET / x HTTP/1.1\r\n\r\n"), std::string(" GET / HTTP/1.1\r\n\r\n"),
           std::string("GET / http/1.1\r\n\r\n"), std::string("GET / HTTP/1.1 \r\n\r\n"),
           std::string("GET / HTTP/1.1\nHost: x\n\r\n\r\n"), std::string("\r\n\r\n"),
           std::string("G(T / HTTP/1.1\r\n\r\n"), std::string("GET /\x80 HTTP/1.1\r\n\r\n"),
           std::string("GET /\x01 HTTP/1.1\r\n\r\n"), std::string("GET /#a HTTP/1.1\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost : x\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nHost: x\r\n folded\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nno colon\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\n: empty\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nA: b\rc\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nA: b\nc\r\n\r\n"),
           std::string("GET / HTTP/1.1\r\nA: b") + '\0' + "c\r\n\r\n"}) {
    CAPTURE(text);
    CHECK(head_status(text) == 400);
  }
}

TEST_CASE("head: sizes have limits") {
  const std::string begin = "GET / HTTP/1.1\r\n";
  std::string many = begin;
  for (std::size_t i = 0; i < kHeadersMax; ++i) many += "A: b\r\n";
  CHECK(head_status(many + "\r\n") == 0);
  CHECK(head_status(many + "A: b\r\n\r\n") == 431);
  const std::string value(kHeadLineBytesMax - 3, 'x');
  CHECK(head_status(begin + "A: " + value + "\r\n\r\n") == 0);
  CHECK(head_status(begin + "A: " + value + "x\r\n\r\n") == 431);
  CHECK(target_status("/" + std::string(kPathBytesMax - 1, 'a')) == 0);
  CHECK(target_status("/" + std::string(kPathBytesMax, 'a')) == 414);
  CHECK(target_status("/?" + std::string(kQueryBytesMax, 'a')) == 0);
  CHECK(target_status("/?" + std::string(kQueryBytesMax + 1, 'a')) == 414);
}

TEST_CASE("target: decoded once, clean text, first of equal keys") {
  int status = 0;
  const auto target =
      parse_target("/products/caf%C3%A9%2F1%252?a=1&b=x+y%26z&a=2&empty=&flag&&q=a=b", status);
  REQUIRE(target);
  CHECK(target->path == "/products/caf\xc3\xa9/1%2");
  CHECK(target->query.at("a") == "1");
  CHECK(target->query.at("b") == "x y&z");
  CHECK(target->query.at("empty").empty());
  CHECK(target->query.at("flag").empty());
  CHECK(target->query.at("q") == "a=b");
  for (const char* bad : {"", "x", "*", "/%", "/%4", "/%zz", "/%00", "/%0d%0a", "/%0A", "/%7f",
                          "/%ff", "/%c3", "/%c0%af", "/%ed%a0%80", "/?a=%0d%0ab", "/?%00=1",
                          "/?a=%f4%90%80%80"}) {
    CAPTURE(bad);
    CHECK(target_status(bad) == 400);
  }
}

}  // namespace retailpulse
