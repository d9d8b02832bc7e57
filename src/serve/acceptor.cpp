#include "serve/acceptor.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>
#include <memory>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.h"
#include "base/log.h"

namespace retailpulse {
namespace {

constexpr Duration kStopStep = std::chrono::seconds{2};
constexpr Duration kRoomPatience = std::chrono::milliseconds{50};
constexpr std::size_t kStackBytes = 1024 * 1024;  // reserved; only what is touched is used

}  // namespace

struct Acceptor::Job {
  Acceptor* acceptor;
  Connection* connection;
};

Acceptor::Acceptor(Listener listener, std::uint32_t connections_max, Serve serve,
                   const Clock& clock)
    : listener_(std::move(listener)),
      connections_max_(connections_max),
      leaving_max_(std::max<std::size_t>(connections_max / 8, 4)),
      serve_(std::move(serve)),
      clock_(clock),
      wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      spare_(::open("/dev/null", O_RDONLY | O_CLOEXEC)) {
  RP_CHECK(wake_.valid(), "no eventfd");
}

Acceptor::~Acceptor() { stop(); }

void Acceptor::start() {
  thread_ = std::thread([this] { accept_loop(); });
}

void Acceptor::stop() {
  if (!thread_.joinable()) return;
  stopping_.store(true, std::memory_order_release);
  const std::uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) {
    log(LogLevel::kWarning, "http", "the accepting thread was not woken");
  }
  thread_.join();
  while (true) {
    const std::uint32_t seen = gone_.epoch();
    std::size_t left = 0;
    {
      const MutexLock lock(mutex_);
      for (Connection* connection : connections_) connection->cut();
      left = connections_.size();
    }
    if (left == 0) return;
    gone_.wait(seen, kStopStep);
  }
}

bool Acceptor::crowded() const {
  const MutexLock lock(mutex_);
  return connections_.size() > connections_max_ / 2;
}

void Acceptor::accept_loop() {
  pthread_setname_np(pthread_self(), "rp-http");
  std::vector<pollfd> entries;
  entries.push_back({.fd = wake_.get(), .events = POLLIN, .revents = 0});
  for (const Fd& socket : listener_.sockets()) {
    entries.push_back({.fd = socket.get(), .events = POLLIN, .revents = 0});
  }
  while (!stopping_.load(std::memory_order_acquire)) {
    if (::poll(entries.data(), entries.size(), -1) < 0) continue;
    for (std::size_t i = 1; i < entries.size(); ++i) {
      if (entries[i].revents != 0) accept_from(entries[i].fd);
    }
  }
}

void Acceptor::accept_from(int socket) {
  while (!stopping_.load(std::memory_order_acquire)) {
    Fd client(::accept4(socket, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (client.valid()) {
      admit(std::move(client));
      continue;
    }
    if (errno == EMFILE || errno == ENFILE) accept_without_fds(socket);
    if (errno != ECONNABORTED && errno != EINTR) return;
  }
}

// Without this a waiting connection would make poll() return for ever.
void Acceptor::accept_without_fds(int socket) {
  log(LogLevel::kWarning, "http", "no file descriptors are left; a connection was turned away");
  spare_.reset();
  Fd(::accept(socket, nullptr, nullptr)).reset();
  spare_ = Fd(::open("/dev/null", O_RDONLY | O_CLOEXEC));
  errno = EINTR;
}

bool Acceptor::ask_to_leave() {
  Connection* longest = nullptr;
  for (Connection* connection : connections_) {
    const std::int64_t since = connection->waiting_since();
    if (since != 0 && (longest == nullptr || since < longest->waiting_since())) {
      longest = connection;
    }
  }
  if (longest != nullptr) longest->cut();
  return longest != nullptr;
}

bool Acceptor::enter(Connection* connection) {
  const std::uint32_t seen = gone_.epoch();
  bool asked = false;
  {
    const MutexLock lock(mutex_);
    if (connections_.size() >= connections_max_) asked = ask_to_leave();
    if (connections_.size() < connections_max_ + (asked ? leaving_max_ : 0)) {
      connections_.insert(connection);
      return true;
    }
  }
  gone_.wait(seen, kRoomPatience);
  const MutexLock lock(mutex_);
  if (connections_.size() >= connections_max_ + (asked ? leaving_max_ : 0)) return false;
  connections_.insert(connection);
  return true;
}

void Acceptor::admit(Fd socket) {
  auto connection = std::make_unique<Connection>(std::move(socket), clock_);
  if (!enter(connection.get())) return;
  if (launch(connection.get())) {
    connection.release();  // run() owns it
    return;
  }
  log(LogLevel::kWarning, "http", "no thread could be started; a connection was turned away");
  const MutexLock lock(mutex_);
  connections_.erase(connection.get());
}

bool Acceptor::launch(Connection* connection) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
  pthread_attr_setstacksize(&attributes, kStackBytes);
  auto job = std::make_unique<Job>(Job{this, connection});
  pthread_t thread{};
  const int failed = pthread_create(
      &thread, &attributes,
      [](void* argument) -> void* {
        const std::unique_ptr<Job> mine(static_cast<Job*>(argument));
        mine->acceptor->run(mine->connection);
        return nullptr;
      },
      job.get());
  pthread_attr_destroy(&attributes);
  if (failed == 0) job.release();
  return failed == 0;
}

void Acceptor::run(Connection* connection) {
  pthread_setname_np(pthread_self(), "rp-http-conn");
  std::unique_ptr<Connection> owned(connection);
  try {
    serve_(*connection);
  } catch (const std::exception& error) {
    log(LogLevel::kError, "http", "a connection failed", {{"error", error.what()}});
  }
  // All under the lock: nothing of the acceptor may be touched after stop() has seen none left.
  const MutexLock lock(mutex_);
  connections_.erase(connection);
  owned.reset();
  gone_.raise();
}

}  // namespace retailpulse
