#include "serve/http_server.h"

#include <atomic>
#include <stdexcept>
#include <vector>

#include "serve/raw_client.h"
#include "support/catch.h"

namespace retailpulse::test {
namespace {

using Clock = std::chrono::steady_clock;

milliseconds since(Clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - begin);
}

long resident_kb() {
  FILE* statm = std::fopen("/proc/self/statm", "r");
  long all = 0;
  long pages = 0;
  const int got = std::fscanf(statm, "%ld %ld", &all, &pages);
  std::fclose(statm);
  return got == 2 ? pages * 4 : 0;
}

Router fake_routes() {
  Router router;
  router.get("/api/v1/status", [](const Request&) {
    Reply reply = json_reply("{\"a\":1}");
    reply.etag = "\"s1\"";
    return reply;
  });
  router.get("/api/v1/big", [](const Request&) { return json_reply(std::string(300'000, 'x')); });
  router.get("/api/v1/query", [](const Request& request) {
    return json_reply(std::string(query_value(request, "q", "none")));
  });
  router.get_prefix("/api/v1/products/",
                    [](const Request& request) { return json_reply(request.rest); });
  router.post("/api/v1/echo", [](const Request& request) { return json_reply(request.body); });
  router.get("/api/v1/throws", [](const Request&) -> Reply {
    throw std::runtime_error("SECRET /etc/passwd");
  });
  router.get("/api/v1/evil", [](const Request& request) {
    Reply reply = json_reply("ok");
    reply.etag = "\"a\r\nX-Evil: 1\"";
    reply.headers.emplace_back("X-Echo", request.last_event_id);
    reply.headers.emplace_back("X-Bad\r\nX-Evil", "1");
    return reply;
  });
  router.get("/packed.js", [](const Request&) {
    Reply reply;
    reply.content_type = "text/javascript; charset=utf-8";
    reply.body = std::make_shared<const std::string>(std::string(5000, 'Z'));
    reply.content_encoding = "gzip";
    reply.etag = "\"z\"";
    return reply;
  });
  return router;
}

const std::vector<std::string> kSecurityHeaders{
    "content-security-policy", "x-content-type-options",       "referrer-policy",
    "cross-origin-resource-policy", "cross-origin-opener-policy"};

void check_security_headers(const Answer& answer) {
  for (const std::string& name : kSecurityHeaders) {
    CAPTURE(name);
    CHECK(answer.headers.count(name) == 1);
  }
  CHECK(answer.headers.count("access-control-allow-origin") == 0);
  CHECK(answer.headers.count("exception_what") == 0);
  CHECK(answer.headers.count("server") == 0);
}

}  // namespace

TEST_CASE("http: answers, with the security headers, on a kept connection") {
  const RunningServer running(fake_routes());
  RawClient client(running.port());
  for (int i = 0; i < 20; ++i) {
    client.send(running.request("GET /api/v1/status"));
    const Answer answer = client.answer();
    REQUIRE(answer.status == 200);
    CHECK(answer.body == "{\"a\":1}");
    CHECK(answer.header("content-type") == "application/json; charset=utf-8");
    CHECK(answer.header("cache-control") == "no-store");
    CHECK(answer.headers.count("connection") == 0);
    check_security_headers(answer);
  }
  CHECK(running.metrics.requests.get() == 20);
  for (int i = 0; i < 100 && running.metrics.took.count() < 20; ++i) {
    std::this_thread::sleep_for(milliseconds{5});  // it is counted after the answer has gone
  }
  CHECK(running.metrics.took.count() == 20);
  CHECK(running.ask("GET /api/v1/query?q=a%20b+c").body == "a b c");
  CHECK(running.ask("GET /api/v1/products/p%2F1%20x").body == "p/1 x");
  CHECK(running.ask("GET /none").status == 404);
  CHECK(running.ask("GET /none?a?b=1").status == 404);
  CHECK(running.server->url() == "http://127.0.0.1:" + std::to_string(running.port()) + "/");
}

TEST_CASE("http: many requests at once on one connection are answered in order") {
  const RunningServer running(fake_routes());
  RawClient client(running.port());
  client.send(running.request("GET /api/v1/query?q=1") + running.request("GET /api/v1/query?q=2") +
              "\r\n" + running.request("GET /api/v1/query?q=3"));
  CHECK(client.answer().body == "1");
  CHECK(client.answer().body == "2");
  CHECK(client.answer().body == "3");
}

TEST_CASE("http: Connection: close and HTTP/1.0 close") {
  const RunningServer running(fake_routes());
  RawClient client(running.port());
  client.send(running.request("GET /api/v1/status", "Connection: close\r\n"));
  const Answer answer = client.answer();
  CHECK(answer.status == 200);
  CHECK(answer.header("connection") == "close");
  CHECK(client.wait_closed());
  RawClient old(running.port());
  old.send("GET /api/v1/status HTTP/1.0\r\nHost: " + running.host() + "\r\n\r\n");
  CHECK(old.answer().status == 200);
  CHECK(old.wait_closed());
}

TEST_CASE("http: HEAD has the headers and no body") {
  const RunningServer running(fake_routes());
  RawClient client(running.port());
  client.send(running.request("HEAD /api/v1/status"));
  const Answer head = client.answer(true);
  CHECK(head.status == 200);
  CHECK(head.header("content-length") == "7");
  client.send(running.request("GET /api/v1/status"));
  CHECK(client.answer().body == "{\"a\":1}");  // nothing was left in the stream
  CHECK(running.ask("HEAD /none").status == 404);
  CHECK(running.ask("HEAD /api/v1/stream").status == 200);
}

TEST_CASE("http: If-None-Match gives 304 without body") {
  const RunningServer running(fake_routes());
  const Answer answer = running.ask("GET /api/v1/status", "If-None-Match: \"s1\"\r\n");
  CHECK(answer.status == 304);
  CHECK(answer.header("etag") == "\"s1\"");
  CHECK(answer.headers.count("vary") == 1);
  CHECK(answer.headers.count("cache-control") == 1);
  CHECK(answer.headers.count("content-length") == 0);
  CHECK(running.ask("GET /api/v1/status", "If-None-Match: \"s2\"\r\n").status == 200);
}

TEST_CASE("http: big JSON is gzipped once; what is packed already is left alone") {
  const RunningServer running(fake_routes());
  const Answer plain = running.ask("GET /api/v1/big");
  CHECK(plain.body.size() == 300'000);
  CHECK(plain.headers.count("content-encoding") == 0);
  const Answer zipped = running.ask("GET /api/v1/big", "Accept-Encoding: gzip, br\r\n");
  CHECK(zipped.headers.count("content-encoding") == 1);
  CHECK(zipped.header("content-encoding") == "gzip");
  CHECK(zipped.header("content-length") == std::to_string(zipped.body.size()));
  CHECK(zipped.body.size() < 10'000);
  const Answer packed = running.ask("GET /packed.js", "Accept-Encoding: gzip, br\r\n");
  CHECK(packed.headers.count("content-encoding") == 1);
  CHECK(packed.body == std::string(5000, 'Z'));
}

TEST_CASE("http: a refusal is a problem and closes the connection") {
  const RunningServer running(fake_routes());
  RawClient client(running.port());
  client.send("GET /api/v1/status HTTP/1.1\r\nHost: evil.com\r\n\r\n" +
              running.request("GET /api/v1/status"));
  const Answer answer = client.answer();
  CHECK(answer.status == 421);
  CHECK(answer.header("content-type") == "application/problem+json; charset=utf-8");
  CHECK(answer.header("connection") == "close");
  check_security_headers(answer);
  CHECK(client.wait_closed());
  CHECK(client.buffer().empty());  // the second request was not answered
  CHECK(running.metrics.refused.get() == 1);
  CHECK(running.metrics.requests.get() == 0);
  CHECK(running.ask("DELETE /api/v1/status").status == 405);
  CHECK(running.ask("GET /" + std::string(1100, 'a')).status == 414);
  CHECK(running.ask("GET /%zz").status == 400);
  CHECK(running.ask("GET /api/v1/status", "Sec-Fetch-Site: cross-site\r\n").status == 403);
  CHECK(running.ask("GET /api/v1/stream", "Sec-Fetch-Site: cross-site\r\n").status == 403);
  CHECK(running.ask("POST /api/v1/status",
                    "Content-Type: application/json\r\nX-RetailPulse: 1\r\n").status == 405);
}

TEST_CASE("http: a POST body is read whole, and only by its route") {
  const RunningServer running(fake_routes());
  const std::string headers = "Content-Type: application/json\r\nX-RetailPulse: 1\r\n";
  const std::string body(60'000, 'b');
  CHECK(running.ask("POST /api/v1/echo", headers + "Content-Length: 60000\r\n", body).body == body);
  CHECK(running.ask("POST /api/v1/echo", headers + "Content-Length: 70000\r\n").status == 413);
  RawClient client(running.port());
  client.send(running.request("POST /api/v1/none", headers + "Content-Length: 40\r\n") +
              "GET /api/v1/status HTTP/1.1\r\nHost: a\r\n\r\n" +
              running.request("GET /api/v1/status"));
  CHECK(client.answer().status == 404);
  CHECK(client.answer().status == 200);  // the body was not taken for a request
}

TEST_CASE("http: a 24 MiB chunked POST is refused without being stored") {
  const RunningServer running(fake_routes());
  const std::string chunk = "100000\r\n" + std::string(1 << 20, 'x') + "\r\n";
  const long before = resident_kb();
  RawClient client(running.port());
  client.send(running.request("POST /api/v1/echo", "Content-Type: application/json\r\n"
                                                   "X-RetailPulse: 1\r\n"
                                                   "Transfer-Encoding: chunked\r\n"));
  int sent = 0;
  while (sent < 24 && client.send(chunk)) ++sent;
  CHECK(sent < 24);
  CHECK(resident_kb() - before < 4 * 1024);
  RawClient small(running.port());
  small.send(running.request("POST /api/v1/echo", "Transfer-Encoding: chunked\r\n") + "5\r\nhello");
  CHECK(small.answer().status == 411);
  CHECK(small.wait_closed());
}

TEST_CASE("http: endless headers and lines are cut off") {
  const RunningServer running(fake_routes());
  RawClient line(running.port());
  line.send("GET / HTTP/1.1\r\nX: " + std::string(20'000, 'x'));
  CHECK(line.answer().status == 431);
  RawClient many(running.port());
  std::string headers;
  for (int i = 0; i < 65; ++i) headers += "X: y\r\n";
  many.send(running.request("GET /", headers));
  CHECK(many.answer().status == 431);
  RawClient noise(running.port());
  noise.send("\x16\x03\x01 not http\r\n\r\n");
  CHECK(noise.answer().status == 400);
}

TEST_CASE("http: nothing of a request can become a header of the answer") {
  const RunningServer running(fake_routes());
  const Answer answer = running.ask("GET /api/v1/evil", "Last-Event-ID: a%0d%0aX-Evil: 1\r\n");
  CHECK(answer.status == 200);
  CHECK(answer.headers.count("x-evil") == 0);
  CHECK(answer.header("x-echo") == "a%0d%0aX-Evil: 1");
  CHECK(running.ask("GET /api/v1/query?q=a%0d%0aX-Evil:%201").status == 400);
}

TEST_CASE("http: a handler that throws tells nothing") {
  const RunningServer running(fake_routes());
  const Answer answer = running.ask("GET /api/v1/throws");
  CHECK(answer.status == 500);
  CHECK(answer.raw.find("SECRET") == std::string::npos);
  CHECK(answer.body.find("SECRET") == std::string::npos);
  check_security_headers(answer);
}

TEST_CASE("http: a second instance on the port fails with a sentence") {
  const RunningServer running;
  HttpConfig config;
  config.port = running.port();
  FakeFrames frames;
  HttpMetrics metrics;
  const auto second = HttpServer::open(config, frames, metrics, system_clock());
  REQUIRE_FALSE(second.ok());
  CHECK(second.status().code() == Code::kUnavailable);
  CHECK(second.status().message().find(std::to_string(config.port)) != std::string::npos);
  config.address = "not an address";
  CHECK(HttpServer::open(config, frames, metrics, system_clock()).status().code() == Code::kConfig);
}

TEST_CASE("http: off loopback only with a token") {
  HttpConfig config;
  config.port = 0;
  config.address = "0.0.0.0";
  FakeFrames frames;
  HttpMetrics metrics;
  CHECK(HttpServer::open(config, frames, metrics, system_clock()).status().code() == Code::kConfig);
  config.token = "0123456789abcdef0123456789abcdef";
  const RunningServer running(fake_routes(), config);
  CHECK(running.ask("GET /api/v1/status").status == 401);
  const std::string right = "Authorization: Bearer " + config.token + "\r\n";
  CHECK(running.ask("GET /api/v1/status", right).status == 200);
}

TEST_CASE("http: localhost answers by IPv6 too") {
  const RunningServer running(fake_routes());
  const int fd = ::socket(AF_INET6, SOCK_STREAM, 0);
  sockaddr_in6 address{};
  address.sin6_family = AF_INET6;
  address.sin6_port = htons(running.port());
  address.sin6_addr = in6addr_loopback;
  if (fd >= 0 && ::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) {
    const std::string request =
        "GET /api/v1/status HTTP/1.1\r\nHost: [::1]:" + std::to_string(running.port()) + "\r\n\r\n";
    CHECK(::send(fd, request.data(), request.size(), 0) > 0);
    char bytes[16] = {};
    CHECK(::recv(fd, bytes, 12, MSG_WAITALL) == 12);
    CHECK(std::string(bytes) == "HTTP/1.1 200");
  } else {
    WARN("no IPv6 on this machine");
  }
  ::close(fd);
}

TEST_CASE("http: of 300 connects at once none is refused or slow") {
  const RunningServer running(fake_routes());
  const auto begin = Clock::now();
  std::vector<RawClient> clients;
  for (int i = 0; i < 300; ++i) clients.emplace_back(running.port());
  for (const RawClient& client : clients) CHECK(client.connected());
  CHECK(since(begin) < milliseconds{900});  // a lost SYN would cost a second
  // More than connections_max: those that have waited longest were asked to leave.
  clients.back().send(running.request("GET /api/v1/status"));
  CHECK(clients.back().answer().status == 200);
  CHECK(clients.front().wait_closed());
}

TEST_CASE("http: slow senders are timed out and keep nobody out") {
  HttpConfig config;
  config.connections_max = 8;
  HttpTimes times;
  times.head = milliseconds{400};
  const RunningServer running(fake_routes(), config, times);
  std::vector<RawClient> slow;
  for (int i = 0; i < 40; ++i) {
    slow.emplace_back(running.port());
    slow.back().send("GET / HT");
  }
  const auto begin = Clock::now();
  CHECK(running.ask("GET /api/v1/status").status == 200);
  CHECK(since(begin) < milliseconds{300});
  // A byte now and then does not prolong it.
  RawClient drip(running.port());
  const auto start = Clock::now();
  bool open = true;
  while (open && since(start) < milliseconds{2000}) {
    open = drip.send("G");
    if (open && drip.receive(milliseconds{50})) break;
  }
  CHECK(drip.answer().status == 408);
  CHECK(since(start) < milliseconds{1500});
}

TEST_CASE("http: over the cap of busy connections the next is closed, then it works again") {
  HttpConfig config;
  config.connections_max = 4;
  std::atomic<bool> hold{true};
  Router router = fake_routes();
  router.get("/api/v1/hold", [&](const Request&) {
    while (hold) std::this_thread::sleep_for(milliseconds{2});
    return json_reply("done");
  });
  const RunningServer running(std::move(router), config);
  std::vector<RawClient> busy;
  for (int i = 0; i < 4; ++i) {
    busy.emplace_back(running.port());
    busy.back().send(running.request("GET /api/v1/hold", "Connection: close\r\n"));
  }
  while (running.metrics.requests.get() < 4) std::this_thread::sleep_for(milliseconds{2});
  RawClient extra(running.port());
  CHECK(extra.wait_closed());
  hold = false;
  for (RawClient& client : busy) CHECK(client.answer().body == "done");
  for (RawClient& client : busy) CHECK(client.wait_closed());
  CHECK(running.ask("GET /api/v1/status").status == 200);
}

TEST_CASE("http: a reader that stalls holds only itself; stop() does not wait for it") {
  RunningServer running(fake_routes());
  RawClient stalled(running.port(), 4096);
  std::string requests;
  for (int i = 0; i < 40; ++i) requests += running.request("GET /api/v1/big");
  stalled.send(requests);
  std::this_thread::sleep_for(milliseconds{50});
  CHECK(running.ask("GET /api/v1/status").status == 200);
  const auto begin = Clock::now();
  running.server->stop();
  CHECK(since(begin) < milliseconds{1000});
  CHECK_FALSE(RawClient(running.port()).wait_for("HTTP", milliseconds{50}));
}

}  // namespace retailpulse::test
