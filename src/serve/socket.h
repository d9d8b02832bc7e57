// Fd, Listener and Connection: TCP with a deadline on everything.
//
// A connection's head, body and answer each have a total time, not a time for each read: a client
// that sends a byte now and then cannot hold a thread for longer than that.
//
// Thread:     Fd, Listener: moved. Connection: one; cut() and waiting_since(): any.
// Limits:     kHeadBytesMax of unread head; kWriteBufferBytes of unsent answer.
// Test:       tests/serve/http_server_test.cpp
#pragma once

#include <atomic>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/status.h>

namespace retailpulse {

inline constexpr std::size_t kWriteBufferBytes = 64 * 1024;

class Fd {
 public:
  Fd() = default;
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    if (this != &other) {
      reset();
      fd_ = std::exchange(other.fd_, -1);
    }
    return *this;
  }
  ~Fd() { reset(); }

  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool valid() const { return fd_ >= 0; }
  void reset();

 private:
  int fd_ = -1;
};

// Sockets that listen on the configured address; for loopback on both its families, because
// "localhost" may mean either. Never SO_REUSEPORT: a second instance must fail, not take a share.
class Listener {
 public:
  [[nodiscard]] static Result<Listener> open(const HttpConfig& config);
  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::vector<Fd>& sockets() const { return sockets_; }

 private:
  std::vector<Fd> sockets_;
  std::uint16_t port_ = 0;
};

class Connection {
 public:
  Connection(Fd socket, const Clock& clock);

  enum class HeadResult { kHead, kClosed, kTimeout, kTooLarge };
  // Reads up to and including the empty line. `idle`: how long the first byte may take, `total`:
  // how long all may take from then on. What follows the head stays for the next call.
  [[nodiscard]] HeadResult read_head(Duration idle, Duration total, std::string& head);
  [[nodiscard]] bool read_body(std::size_t bytes, Duration total, std::string& body);

  // Appends to the answer; sends when the buffer is full.
  [[nodiscard]] bool write(std::string_view bytes);
  // Sends what is buffered. False: the client is gone or too slow; it is of no more use.
  [[nodiscard]] bool flush();
  // The time for one flush from now on.
  void set_write_limit(Duration limit) { write_limit_ = limit; }
  // Bounds what the kernel holds for a client that does not read.
  void set_send_buffer(int bytes);

  [[nodiscard]] bool peer_gone();
  // Says goodbye so that the answer arrives although the client may still be sending.
  void close_gently();
  // Ends all waits of the owning thread. Thread: any, while the connection lives.
  void cut();
  // Since when (monotonic, µs) the owning thread waits for a head, or to close; 0: it does not.
  [[nodiscard]] std::int64_t waiting_since() const {
    return waiting_since_.load(std::memory_order_relaxed);
  }

 private:
  // Waits for `events`; false at the deadline or when the socket is broken.
  [[nodiscard]] bool wait_for(short events, Duration deadline);
  // Reads some bytes into pending_; false when there are none to come.
  [[nodiscard]] bool fill(Duration deadline);
  [[nodiscard]] bool send_all(std::string_view bytes);

  Fd socket_;
  const Clock& clock_;
  Duration write_limit_;
  std::string pending_;   // read, not yet taken
  std::string outgoing_;  // written, not yet sent
  bool timed_out_ = false;
  std::atomic<std::int64_t> waiting_since_;  // relaxed: a hint for whom to cut first
};

}  // namespace retailpulse
