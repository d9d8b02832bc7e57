#include "serve/socket.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "serve/head.h"

namespace retailpulse {
namespace {

constexpr int kBacklog = 1024;
constexpr std::size_t kReadBytes = 16 * 1024;
constexpr Duration kWriteLimit = std::chrono::seconds{20};
constexpr Duration kGoodbyeLimit = std::chrono::milliseconds{500};
constexpr std::size_t kGoodbyeBytesMax = 256 * 1024;

void set_option(int fd, int level, int option, int value) {
  if (setsockopt(fd, level, option, &value, sizeof value) != 0) {
    log(LogLevel::kDebug, "http", "a socket option was not taken", {{"error", strerror(errno)}});
  }
}

// "[::1]" -> "::1"
std::string bare_address(const std::string& address) {
  if (address.size() > 2 && address.front() == '[' && address.back() == ']') {
    return address.substr(1, address.size() - 2);
  }
  return address;
}

struct Bound {
  Fd socket;
  std::uint16_t port = 0;
  int error = 0;
};

std::uint16_t port_of(int fd) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) != 0) return 0;
  return address.ss_family == AF_INET6
             ? ntohs(reinterpret_cast<const sockaddr_in6*>(&address)->sin6_port)
             : ntohs(reinterpret_cast<const sockaddr_in*>(&address)->sin_port);
}

Bound bind_one(const addrinfo& where) {
  Fd fd(::socket(where.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd.valid()) return {.socket = {}, .port = 0, .error = errno};
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);  // only past connections' TIME_WAIT
  if (where.ai_family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (::bind(fd.get(), where.ai_addr, where.ai_addrlen) != 0 ||
      ::listen(fd.get(), kBacklog) != 0) {
    return {.socket = {}, .port = 0, .error = errno};
  }
  const std::uint16_t port = port_of(fd.get());
  return {.socket = std::move(fd), .port = port, .error = 0};
}

Result<Bound> bind_address(const std::string& address, std::uint16_t port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failed = getaddrinfo(address.c_str(), std::to_string(port).c_str(), &hints, &found);
  if (failed != 0) {
    return Status{Code::kConfig, fmt::format("http.address: '{}' is not an IP address of this "
                                             "machine; 127.0.0.1 is the usual one",
                                             address)};
  }
  Bound bound = bind_one(*found);
  freeaddrinfo(found);
  return bound;
}

Status bind_failure(const HttpConfig& config, int error) {
  if (error == EADDRINUSE) {
    return {Code::kUnavailable,
            fmt::format("port {} of {} is taken by another program (perhaps a RetailPulse that is "
                        "already running); stop it, or choose another with --port (0: any free one)",
                        config.port, config.address)};
  }
  return {Code::kConfig, fmt::format("cannot listen on {} port {}: {}", config.address, config.port,
                                     strerror(error))};
}

}  // namespace

void Fd::reset() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

Result<Listener> Listener::open(const HttpConfig& config) {
  const bool localhost = config.address == "localhost" || config.address == "127.0.0.1";
  const std::string address = localhost ? "127.0.0.1" : bare_address(config.address);
  Result<Bound> first = bind_address(address, config.port);
  if (!first.ok()) return first.status();
  if (!first.value().socket.valid()) return bind_failure(config, first.value().error);
  Listener listener;
  listener.port_ = first.value().port;
  listener.sockets_.push_back(std::move(first.value().socket));
  if (localhost) {
    Result<Bound> second = bind_address("::1", listener.port_);
    if (second.ok() && second.value().socket.valid()) {
      listener.sockets_.push_back(std::move(second.value().socket));
    } else {  // no IPv6 here, or its port is taken: 127.0.0.1 still serves
      log(LogLevel::kDebug, "http", "not listening on ::1", {});
    }
  }
  return listener;
}

Connection::Connection(Fd socket, const Clock& clock)
    : socket_(std::move(socket)),
      clock_(clock),
      write_limit_(kWriteLimit),
      waiting_since_(clock.monotonic().count()) {
  set_option(socket_.get(), IPPROTO_TCP, TCP_NODELAY, 1);
}

bool Connection::wait_for(short events, Duration deadline) {
  while (true) {
    const Duration left = deadline - clock_.monotonic();
    timed_out_ = left <= Duration::zero();
    if (timed_out_) return false;
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    pollfd entry{.fd = socket_.get(), .events = events, .revents = 0};
    const int ready = ::poll(&entry, 1, static_cast<int>(std::min<std::int64_t>(ms, 60'000)));
    if (ready > 0) return true;  // also when broken: the next call says how
    if (ready < 0 && errno != EINTR) return false;
  }
}

bool Connection::fill(Duration deadline) {
  const std::size_t old = pending_.size();
  while (true) {
    pending_.resize(old + kReadBytes);
    const ssize_t got = ::recv(socket_.get(), pending_.data() + old, kReadBytes, MSG_DONTWAIT);
    const int error = errno;
    pending_.resize(old + static_cast<std::size_t>(std::max<ssize_t>(got, 0)));
    if (got > 0) return true;
    if (got == 0 || (error != EAGAIN && error != EINTR)) return false;
    if (!wait_for(POLLIN, deadline)) return false;
  }
}

Connection::HeadResult Connection::read_head(Duration idle, Duration total, std::string& head) {
  const std::int64_t begin = clock_.monotonic().count();
  std::int64_t busy = 0;  // the first time it counts from the connect
  waiting_since_.compare_exchange_strong(busy, begin, std::memory_order_relaxed);
  Duration deadline = Duration{begin} + (pending_.empty() ? idle : total);
  std::size_t searched = 0;
  while (true) {
    // An empty line before a request line is allowed (RFC 9112, 2.2); the parser need not know.
    while (searched == 0 && pending_.compare(0, 2, "\r\n") == 0) pending_.erase(0, 2);
    const std::size_t end = pending_.find("\r\n\r\n", searched);
    if (end != std::string::npos && end + 4 <= kHeadBytesMax) {
      head = pending_.substr(0, end + 4);
      pending_.erase(0, end + 4);
      waiting_since_.store(0, std::memory_order_relaxed);
      return HeadResult::kHead;
    }
    if (pending_.size() >= kHeadBytesMax || end != std::string::npos) return HeadResult::kTooLarge;
    searched = pending_.size() > 3 ? pending_.size() - 3 : 0;
    const bool first = pending_.empty();
    timed_out_ = false;
    if (!fill(deadline)) {
      return timed_out_ && !pending_.empty() ? HeadResult::kTimeout : HeadResult::kClosed;
    }
    if (first) deadline = clock_.monotonic() + total;
  }
}

bool Connection::read_body(std::size_t bytes, Duration total, std::string& body) {
  const Duration deadline = clock_.monotonic() + total;
  while (pending_.size() < bytes) {
    if (!fill(deadline)) return false;
  }
  body = pending_.substr(0, bytes);
  pending_.erase(0, bytes);
  return true;
}

bool Connection::send_all(std::string_view bytes) {
  const Duration deadline = clock_.monotonic() + write_limit_;
  while (!bytes.empty()) {
    const ssize_t sent =
        ::send(socket_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno != EAGAIN && errno != EINTR) {
      return false;
    } else if (!wait_for(POLLOUT, deadline)) {
      const linger at_once{.l_onoff = 1, .l_linger = 0};  // give the kernel's copy back now
      setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
      return false;
    }
  }
  return true;
}

bool Connection::write(std::string_view bytes) {
  if (outgoing_.size() + bytes.size() <= kWriteBufferBytes) {
    outgoing_.append(bytes);
    return true;
  }
  return flush() && send_all(bytes);
}

bool Connection::flush() {
  const bool sent = send_all(outgoing_);
  outgoing_.clear();
  return sent;
}

void Connection::set_send_buffer(int bytes) {
  set_option(socket_.get(), SOL_SOCKET, SO_SNDBUF, bytes);
}

bool Connection::peer_gone() {
  char byte = 0;
  const ssize_t got = ::recv(socket_.get(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EINTR);
}

void Connection::close_gently() {
  ::shutdown(socket_.get(), SHUT_WR);
  waiting_since_.store(clock_.monotonic().count(), std::memory_order_relaxed);
  // Closing with unread bytes would reset the connection and with it the answer on its way.
  const Duration deadline = clock_.monotonic() + kGoodbyeLimit;
  std::array<char, 4096> dropped{};
  std::size_t total = 0;
  while (total < kGoodbyeBytesMax) {
    const ssize_t got = ::recv(socket_.get(), dropped.data(), dropped.size(), MSG_DONTWAIT);
    if (got > 0) {
      total += static_cast<std::size_t>(got);
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR) || !wait_for(POLLIN, deadline)) {
      return;
    }
  }
}

void Connection::cut() {
  waiting_since_.store(0, std::memory_order_relaxed);  // asked once
  ::shutdown(socket_.get(), SHUT_RDWR);
}

}  // namespace retailpulse
