// RawClient: a TCP client that sends what a test wants, however wrong, and a running server.
#pragma once

#include <chrono>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <retailpulse/clock.h>
#include <retailpulse/metrics.h>

#include "base/signal.h"
#include "serve/http_server.h"

namespace retailpulse::test {

using std::chrono::milliseconds;

struct Answer {
  int status = 0;
  std::multimap<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string raw;
  [[nodiscard]] std::string header(const std::string& name) const {
    const auto found = headers.find(name);
    return found == headers.end() ? std::string() : found->second;
  }
};

class RawClient {
 public:
  explicit RawClient(std::uint16_t port, int receive_buffer = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(RawClient&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), connected_(other.connected_) {}
  ~RawClient() {
    if (fd_ >= 0) ::close(fd_);
  }

  [[nodiscard]] bool connected() const { return connected_; }
  [[nodiscard]] int fd() const { return fd_; }

  // False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  // Appends what has come to buffer(); false at the timeout or when the server has closed.
  bool receive(milliseconds timeout) {
    pollfd entry{.fd = fd_, .events = POLLIN, .revents = 0};
    if (::poll(&entry, 1, static_cast<int>(timeout.count())) <= 0) return false;
    char bytes[65536];
    const ssize_t got = ::recv(fd_, bytes, sizeof bytes, 0);
    closed_ = got <= 0;
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }
  [[nodiscard]] bool wait_for(std::string_view text, milliseconds timeout = milliseconds{3000}) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (buffer_.find(text) == std::string::npos) {
      const auto left = std::chrono::duration_cast<milliseconds>(
          end - std::chrono::steady_clock::now());
      if (left.count() <= 0 || !receive(left)) return false;
    }
    return true;
  }
  // True when the server has closed the connection (reads and drops what comes before).
  [[nodiscard]] bool wait_closed(milliseconds timeout = milliseconds{3000}) {
    const auto end = std::chrono::steady_clock::now() + timeout;
    while (!closed_) {
      const auto left = std::chrono::duration_cast<milliseconds>(
          end - std::chrono::steady_clock::now());
      if (left.count() <= 0) return false;
      receive(left);
    }
    return true;
  }
  // One answer; status 0 when none came. `head_only`: it answers a HEAD.
  Answer answer(bool head_only = false) {
    Answer out;
    if (!wait_for("\r\n\r\n")) return out;
    const std::size_t end = buffer_.find("\r\n\r\n") + 4;
    out.raw = buffer_.substr(0, end);
    buffer_.erase(0, end);
    out.status = std::atoi(out.raw.c_str() + 9);
    std::size_t at = out.raw.find("\r\n") + 2;
    while (at + 2 < out.raw.size()) {
      const std::size_t line_end = out.raw.find("\r\n", at);
      const std::string line = out.raw.substr(at, line_end - at);
      const std::size_t colon = line.find(": ");
      std::string name = line.substr(0, colon);
      for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      out.headers.emplace(name, colon == std::string::npos ? "" : line.substr(colon + 2));
      at = line_end + 2;
    }
    const auto length = static_cast<std::size_t>(std::atoll(out.header("content-length").c_str()));
    if (head_only) return out;
    while (buffer_.size() < length && receive(milliseconds{3000})) {
    }
    out.body = buffer_.substr(0, length);
    buffer_.erase(0, out.body.size());
    return out;
  }
  [[nodiscard]] std::string& buffer() { return buffer_; }

 private:
  int fd_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  std::string buffer_;
};

// Frames that a test pushes; the delta's base is the frame before.
class FakeFrames : public FrameSource {
 public:
  [[nodiscard]] const std::string& boot() const override { return boot_; }
  void push(std::uint64_t number, std::string snapshot, std::string delta = {}) {
    {
      const std::lock_guard lock(mutex_);
      base_ = number_;
      number_ = number;
      snapshot_ = std::make_shared<const std::string>(std::move(snapshot));
      delta_ = delta.empty() ? nullptr : std::make_shared<const std::string>(std::move(delta));
    }
    news_.raise();
  }
  [[nodiscard]] Frame next(const Scope&, std::uint64_t after, Duration timeout) override {
    calls.add();
    const std::uint32_t seen = news_.epoch();
    if (auto frame = look(after); frame.snapshot != nullptr) return frame;
    news_.wait(seen, timeout);
    return look(after);
  }
  Counter calls;

 private:
  Frame look(std::uint64_t after) {
    const std::lock_guard lock(mutex_);
    if (number_ <= after) return {};
    return {.number = number_, .base = base_, .snapshot = snapshot_, .delta = delta_};
  }
  const std::string boot_ = "abc123";
  std::mutex mutex_;
  Signal news_;
  std::uint64_t number_ = 0;
  std::uint64_t base_ = 0;
  std::shared_ptr<const std::string> snapshot_;
  std::shared_ptr<const std::string> delta_;
};

struct RunningServer {
  explicit RunningServer(Router router = {}, HttpConfig config = {}, HttpTimes times = {}) {
    config.port = 0;
    auto opened = HttpServer::open(config, frames, metrics, system_clock(), times);
    if (!opened.ok()) throw std::runtime_error(opened.status().message());
    server = std::move(opened).value();
    server->start(std::move(router));
  }
  [[nodiscard]] std::uint16_t port() const { return server->port(); }
  [[nodiscard]] std::string host() const { return "localhost:" + std::to_string(port()); }
  // "GET path" with the right Host and more header lines (each with its CRLF).
  [[nodiscard]] std::string request(const std::string& line,
                                    const std::string& headers = {}) const {
    return line + " HTTP/1.1\r\nHost: " + host() + "\r\n" + headers + "\r\n";
  }
  Answer ask(const std::string& line, const std::string& headers = {},
             const std::string& body = {}) const {
    RawClient client(port());
    client.send(request(line, headers) + body);
    return client.answer(line.substr(0, 5) == "HEAD ");
  }

  FakeFrames frames;
  HttpMetrics metrics;
  std::unique_ptr<HttpServer> server;
};

}  // namespace retailpulse::test
