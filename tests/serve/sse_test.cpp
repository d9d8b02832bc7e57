#include <atomic>
#include <vector>

#include "serve/raw_client.h"
#include "serve/sse_hub.h"
#include "support/catch.h"

namespace retailpulse::test {
namespace {

HttpConfig places(std::uint32_t count) {
  HttpConfig config;
  config.sse_clients_max = count;
  config.connections_max = 512;
  return config;
}

HttpTimes quick() {
  HttpTimes times;
  times.sse.heartbeat = milliseconds{300};
  times.sse.frame_gap = milliseconds{20};
  times.sse.slice = milliseconds{50};
  times.stream_write = milliseconds{600};
  return times;
}

RawClient open_stream(const RunningServer& running, const std::string& query = {}) {
  RawClient client(running.port());
  client.send(running.request("GET /api/v1/stream" + query));
  return client;
}

}  // namespace

TEST_CASE("sse: first a snapshot, then deltas, with ids") {
  RunningServer running({}, {}, quick());
  running.frames.push(7, "{\"frame\":7}");
  RawClient client = open_stream(running);
  REQUIRE(client.wait_for("data: {\"frame\":7}\n\n"));
  const std::string& got = client.buffer();
  CHECK(got.rfind("HTTP/1.1 200 OK\r\n", 0) == 0);
  CHECK(got.find("Content-Type: text/event-stream\r\n") != std::string::npos);
  CHECK(got.find("Cache-Control: no-store\r\n") != std::string::npos);
  CHECK(got.find("X-Accel-Buffering: no\r\n") != std::string::npos);
  CHECK(got.find("Content-Security-Policy: ") != std::string::npos);
  CHECK(got.find("Content-Encoding") == std::string::npos);
  CHECK(got.find("Content-Length") == std::string::npos);
  CHECK(got.find("\r\n\r\nretry: 2000\n\nevent: snapshot\nid: abc123-7\ndata: {") !=
        std::string::npos);
  running.frames.push(8, "{\"all\":8}", "{\"d\":8}");
  CHECK(client.wait_for("event: delta\nid: abc123-8\ndata: {\"d\":8}\n\n"));
  CHECK(client.buffer().find("{\"all\":8}") == std::string::npos);
  running.frames.push(9, "{\"all\":9}");  // without a delta all of it goes
  CHECK(client.wait_for("event: snapshot\nid: abc123-9\ndata: {\"all\":9}\n\n"));
  // A later client begins with the newest state.
  RawClient later = open_stream(running, "?currency=EUR");
  CHECK(later.wait_for("event: snapshot\nid: abc123-9\n"));
  CHECK(running.metrics.frames.get() >= 3);
}

TEST_CASE("sse: a quiet stream beats") {
  RunningServer running({}, {}, quick());
  RawClient client = open_stream(running);
  CHECK(client.wait_for(": beat\n\n"));
  CHECK(client.buffer().find("\ndata:") == std::string::npos);
}

TEST_CASE("sse: strange scopes are refused") {
  const RunningServer running({}, {}, quick());
  CHECK(running.ask("GET /api/v1/stream?currency=%3Cscript%3E").status == 400);
  CHECK(running.ask("GET /api/v1/stream?range=12345678901234567").status == 400);
}

TEST_CASE("sse: a text with a line break is not sent as an event") {
  RunningServer running({}, {}, quick());
  running.frames.push(1, "{}\n\nevent: evil\ndata: 1");
  RawClient client = open_stream(running);
  CHECK(client.wait_for(": beat"));
  CHECK(client.buffer().find("evil") == std::string::npos);
}

TEST_CASE("sse: over the cap 204, and a place is free again after a client has gone") {
  RunningServer running({}, places(2), quick());
  running.frames.push(1, "{\"frame\":1}");
  RawClient first = open_stream(running);
  REQUIRE(first.wait_for("data:"));
  {
    RawClient second = open_stream(running);
    REQUIRE(second.wait_for("data:"));
    RawClient third(running.port());
    third.send(running.request("GET /api/v1/stream"));
    const Answer answer = third.answer();
    CHECK(answer.status == 204);
    CHECK(answer.headers.count("content-length") == 0);
    third.send(running.request("GET /none"));
    CHECK(third.answer().status == 404);
    CHECK(running.metrics.sse_clients.get() == 2);
  }
  int status = 204;
  for (int i = 0; i < 100 && status == 204; ++i) {
    std::this_thread::sleep_for(milliseconds{20});
    RawClient again = open_stream(running);
    status = again.wait_for("HTTP/1.1 200", milliseconds{100}) ? 200 : 204;
  }
  CHECK(status == 200);
}

TEST_CASE("sse: 200 clients get each frame from one encoding; stop() is quick") {
  RunningServer running({}, places(200), quick());
  running.frames.push(1, "{\"frame\":1}");
  std::vector<RawClient> clients;
  for (int i = 0; i < 200; ++i) clients.push_back(open_stream(running));
  for (RawClient& client : clients) REQUIRE(client.wait_for("\"frame\":1}"));
  CHECK(running.ask("GET /api/v1/stream").status == 204);
  CHECK(running.metrics.sse_clients.get() == 200);
  const std::uint64_t made = running.metrics.frames.get();
  const auto begin = std::chrono::steady_clock::now();
  running.frames.push(2, "{\"all\":2}", "{\"delta\":2}");
  for (RawClient& client : clients) REQUIRE(client.wait_for("\"delta\":2}"));
  const auto took = std::chrono::steady_clock::now() - begin;
  CHECK(took < milliseconds{1000});
  CHECK(running.metrics.frames.get() == made + 1);
  CHECK(running.ask("GET /none").status == 404);  // others are served meanwhile
  const auto stopping = std::chrono::steady_clock::now();
  running.server->stop();
  CHECK(std::chrono::steady_clock::now() - stopping < milliseconds{2000});
  CHECK(running.metrics.sse_clients.get() == 0);
  for (RawClient& client : clients) CHECK(client.wait_closed(milliseconds{100}));
}

TEST_CASE("sse: a page that does not read is cut and delays nobody") {
  RunningServer running({}, places(8), quick());
  const std::string big(200'000, 'x');
  running.frames.push(1, "{\"n\":1,\"x\":\"" + big + "\"}");
  RawClient stuck(running.port(), 2048);
  stuck.send(running.request("GET /api/v1/stream"));
  RawClient reader = open_stream(running);
  REQUIRE(reader.wait_for("{\"n\":1"));
  for (std::uint64_t n = 2; n <= 12; ++n) {
    const auto begin = std::chrono::steady_clock::now();
    running.frames.push(n, "{\"n\":" + std::to_string(n) + ",\"x\":\"" + big + "\"}");
    REQUIRE(reader.wait_for("{\"n\":" + std::to_string(n) + ","));
    CHECK(std::chrono::steady_clock::now() - begin < milliseconds{400});
    std::this_thread::sleep_for(milliseconds{80});
  }
  for (int i = 0; i < 100 && running.metrics.sse_clients.get() > 1; ++i) {
    std::this_thread::sleep_for(milliseconds{20});
  }
  CHECK(running.metrics.sse_clients.get() == 1);
  CHECK(reader.wait_for(": beat"));
}

TEST_CASE("sse: a client that missed frames gets a snapshot, not a wrong delta") {
  FakeFrames frames;
  HttpMetrics metrics;
  SseLimits limits;
  limits.frame_gap = Duration{0};
  limits.slice = milliseconds{10};
  SseHub hub(frames, limits, metrics, system_clock());
  const auto fast = hub.join({});
  const auto slow = hub.join({});
  const auto text = [](SseHub::Subscription& who) {
    const auto chunk = who.next();
    return chunk.text == nullptr ? std::string() : *chunk.text;
  };
  frames.push(1, "S1");
  CHECK(text(*fast).find("data: S1") != std::string::npos);
  CHECK(text(*slow).find("data: S1") != std::string::npos);
  frames.push(2, "S2", "D2");
  CHECK(text(*fast) == "event: delta\nid: abc123-2\ndata: D2\n\n");
  frames.push(3, "S3", "D3");
  CHECK(text(*fast) == "event: delta\nid: abc123-3\ndata: D3\n\n");
  CHECK(text(*slow) == "event: snapshot\nid: abc123-3\ndata: S3\n\n");
  CHECK(text(*slow).empty());
  hub.stop();
  CHECK(slow->next().over);
}

TEST_CASE("sse: frames come no faster than the gap") {
  FakeFrames frames;
  HttpMetrics metrics;
  SseLimits limits;
  limits.frame_gap = milliseconds{100};
  limits.slice = milliseconds{10};
  SseHub hub(frames, limits, metrics, system_clock());
  const auto one = hub.join({});
  const auto begin = std::chrono::steady_clock::now();
  std::uint64_t number = 0;
  int got = 0;
  while (std::chrono::steady_clock::now() - begin < milliseconds{450}) {
    frames.push(++number, "S");
    if (one->next().text != nullptr) ++got;
  }
  CHECK(got >= 3);
  CHECK(got <= 6);
}

TEST_CASE("sse: a source that throws ends nothing") {
  class Throwing : public FakeFrames {
   public:
    Frame next(const Scope& scope, std::uint64_t after, Duration timeout) override {
      if (!healed) throw std::runtime_error("database is locked");
      return FakeFrames::next(scope, after, timeout);
    }
    std::atomic<bool> healed{false};
  };
  Throwing frames;
  HttpMetrics metrics;
  SseLimits limits;
  limits.frame_gap = milliseconds{1};
  limits.slice = milliseconds{5};
  SseHub hub(frames, limits, metrics, system_clock());
  const auto one = hub.join({});
  CHECK(one->next().text == nullptr);
  frames.healed = true;
  frames.push(1, "S");
  bool seen = false;
  for (int i = 0; i < 50 && !seen; ++i) seen = one->next().text != nullptr;
  CHECK(seen);
}

}  // namespace retailpulse::test
