#include "support/scripted_broker.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "base/check.h"

namespace retailpulse::testing {
namespace {

constexpr std::int32_t kRequestBytesMax = 16 << 20;
constexpr int kLookAgainMs = 5;  // how soon a listener sees that its node went down or up

// A listening socket on 127.0.0.1; `port` 0: any, written back.
int listen_on(int& port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const int yes = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  RP_CHECK(bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0, "bind");
  RP_CHECK(listen(fd, 64) == 0, "listen");
  socklen_t size = sizeof address;
  getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
  port = ntohs(address.sin_port);
  return fd;
}

bool read_all(int fd, char* to, std::size_t size) {
  while (size > 0) {
    const ssize_t got = recv(fd, to, size, 0);
    if (got <= 0) return false;
    to += got;
    size -= static_cast<std::size_t>(got);
  }
  return true;
}

bool write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t sent = send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Whoever closes it next sends a reset; whoever waits on it is woken.
void reset(int fd) {
  const linger at_once{.l_onoff = 1, .l_linger = 0};
  setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  shutdown(fd, SHUT_RD);
}

}  // namespace

ScriptedBroker::ScriptedBroker(int nodes) {
  cluster_.nodes.resize(static_cast<std::size_t>(nodes));
  ports_.resize(static_cast<std::size_t>(nodes));
  std::vector<int> listeners;
  for (int& port : ports_) listeners.push_back(listen_on(port));
  for (std::int32_t node = 1; node <= nodes; ++node) {
    const int listener = listeners[static_cast<std::size_t>(node) - 1];
    acceptors_.emplace_back([this, node, listener] { accept_loop(node, listener); });
  }
}

ScriptedBroker::~ScriptedBroker() {
  stop_ = true;
  changed_.notify_all();
  for (std::thread& acceptor : acceptors_) acceptor.join();
  std::unique_lock lock(mutex_);
  for (const auto& [fd, node] : open_) shutdown(fd, SHUT_RDWR);  // also those that are sending
  changed_.wait(lock, [this] { return serving_ == 0; });
}

std::string ScriptedBroker::bootstrap() const {
  std::vector<std::string> all;
  for (const int port : ports_) all.push_back(fmt::format("127.0.0.1:{}", port));
  return fmt::format("{}", fmt::join(all, ","));
}

void ScriptedBroker::edit(const std::function<void(ScriptedCluster&)>& change) {
  {
    const std::lock_guard lock(mutex_);
    change(cluster_);
    for (const auto& [fd, node] : open_) {
      if (!this_node(node).up) reset(fd);
    }
  }
  changed_.notify_all();
}

void ScriptedBroker::drop_connections() {
  const std::lock_guard lock(mutex_);
  for (const auto& [fd, node] : open_) reset(fd);
}

ScriptedNode& ScriptedBroker::this_node(std::int32_t node) {
  return cluster_.nodes[static_cast<std::size_t>(node) - 1];
}

void ScriptedBroker::accept_loop(std::int32_t node, int listener) {
  while (!stop_) {
    bool up = true;
    {
      const std::lock_guard lock(mutex_);
      up = this_node(node).up;
    }
    if (!up && listener >= 0) close(std::exchange(listener, -1));
    int own = port(node);
    if (up && listener < 0) listener = listen_on(own);
    pollfd waits{.fd = listener, .events = POLLIN, .revents = 0};  // a negative one is only a pause
    if (poll(&waits, 1, kLookAgainMs) <= 0) continue;
    const int fd = accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
    if (fd >= 0) take(fd, node);
  }
  if (listener >= 0) close(listener);
}

void ScriptedBroker::take(int fd, std::int32_t node) {
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  {
    const std::lock_guard lock(mutex_);
    if (!this_node(node).up) reset(fd);
    open_.emplace_back(fd, node);
    ++serving_;
    ++cluster_.connections;
  }
  std::thread([this, fd, node] {
    serve(fd, node);
    const std::lock_guard lock(mutex_);
    std::erase(open_, std::pair(fd, node));
    close(fd);
    --serving_;
    changed_.notify_all();
  }).detach();
}

void ScriptedBroker::serve(int fd, std::int32_t node) {
  std::string bytes;
  for (;;) {
    std::string size(4, '\0');
    if (!read_all(fd, size.data(), size.size())) return;
    const std::int32_t count = WireReader(size).i32();
    if (count < 8 || count > kRequestBytesMax) return;
    bytes.resize(static_cast<std::size_t>(count));
    if (!read_all(fd, bytes.data(), bytes.size()) || !answer(fd, node, bytes)) return;
  }
}

bool ScriptedBroker::answer(int fd, std::int32_t node, const std::string& bytes) {
  WireReader header(bytes);
  ScriptedRequest request{.node = node};
  request.api = header.i16();
  request.version = header.i16();
  request.correlation = header.i32();
  const std::size_t client = header.text().size();
  request.body = std::string_view(bytes).substr(10 + client);

  const auto begun = std::chrono::steady_clock::now();
  std::unique_lock lock(mutex_);
  ++cluster_.requests[request.api];
  std::optional<ScriptedAnswer> found;
  for (;;) {
    if (stop_) return false;
    found = answer_to(request, cluster_, ports_);
    if (!found) return false;
    const auto until = begun + std::chrono::milliseconds{found->wait_ms};
    if (found->wait_ms == 0 || std::chrono::steady_clock::now() >= until) break;
    changed_.wait_until(lock, until);
  }
  if (this_node(node).silent) return true;
  WireWriter out;
  out.i32(static_cast<std::int64_t>(found->body.size()) + 4);
  out.i32(request.correlation);
  out.raw(found->body);
  std::string_view sent = out.bytes();
  const bool cut = found->with_records && this_node(node).cut_after >= 0;
  if (cut) {
    const auto first = std::exchange(this_node(node).cut_after, -1);
    sent = sent.substr(0, static_cast<std::size_t>(first));
  }
  const Duration delay = this_node(node).delay;
  if (delay > Duration::zero()) changed_.wait_for(lock, delay, [this] { return stop_.load(); });
  lock.unlock();
  if (!write_all(fd, sent)) return false;
  if (cut) reset(fd);
  return !cut;
}

}  // namespace retailpulse::testing
