#include "app/child_console.h"

#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

#include <fmt/format.h>

#include "app/sql_child.h"
#include "base/log.h"

namespace retailpulse {
namespace {

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  Fd(Fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Fd& operator=(Fd&&) = delete;
  ~Fd() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

// A place among kConsolesMax, as long as it lives.
class Place {
 public:
  explicit Place(std::atomic<int>& taken)
      : taken_(taken), ours_(taken.fetch_add(1) < kConsolesMax) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;
  ~Place() { taken_.fetch_sub(1); }
  [[nodiscard]] bool free() const { return ours_; }

 private:
  std::atomic<int>& taken_;  // any order: only the number counts
  const bool ours_;
};

// A started child that never outlives this object.
class Child {
 public:
  Child(pid_t pid, Fd line) : pid_(pid), line_(std::move(line)) {}
  Child(Child&& other) noexcept
      : pid_(std::exchange(other.pid_, 0)), line_(std::move(other.line_)) {}
  Child& operator=(Child&&) = delete;
  ~Child() {
    if (pid_ == 0) return;
    kill(pid_, SIGKILL);  // already gone: it is still ours to wait for
    while (waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) continue;
  }

  [[nodiscard]] bool tell(std::string_view text, const Clock& clock, Duration until) const {
    while (!text.empty()) {
      if (!wait_for(POLLOUT, clock, until)) return false;
      const ssize_t n = send(line_.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
      if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    }
    return shutdown(line_.get(), SHUT_WR) == 0;
  }
  // False when it was not done in time or said too much.
  [[nodiscard]] bool hear(std::string& answer, const Clock& clock, Duration until) const {
    std::array<char, 65536> bytes{};
    while (wait_for(POLLIN, clock, until)) {
      const ssize_t n = recv(line_.get(), bytes.data(), bytes.size(), MSG_DONTWAIT);
      if (n == 0) return true;
      if (n < 0 && errno != EAGAIN && errno != EINTR) return errno == ECONNRESET;
      if (n > 0) answer.append(bytes.data(), static_cast<std::size_t>(n));
      if (answer.size() > kConsoleAnswerBytesMax) return false;
    }
    return false;
  }

 private:
  [[nodiscard]] bool wait_for(short events, const Clock& clock, Duration until) const {
    for (;;) {
      const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - clock.monotonic());
      if (left.count() <= 0) return false;
      pollfd waiting{line_.get(), events, 0};
      const int ready = poll(&waiting, 1, static_cast<int>(left.count()));
      if (ready > 0) return true;
      if (ready < 0 && errno != EINTR) return false;
    }
  }

  pid_t pid_;
  Fd line_;
};

Status failed(const char* what, int error) {
  return Status(Code::kUnavailable,
                fmt::format("no process for the statement: {}: {}", what, std::strerror(error)));
}

// Empty environment (ours may hold secrets), signals as they were at birth, no descriptor of ours.
Result<Child> start_child(const std::string& program, const std::string& store_path) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
    return failed("socketpair", errno);
  }
  Fd ours(ends[0]);
  const Fd theirs(ends[1]);
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  posix_spawn_file_actions_init(&files);
  posix_spawnattr_init(&attributes);
  posix_spawn_file_actions_adddup2(&files, theirs.get(), STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&files, theirs.get(), STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addclosefrom_np(&files, STDERR_FILENO + 1);
  sigset_t none, all;
  sigemptyset(&none);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setsigdefault(&attributes, &all);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  std::string name = "retailpulse-sql";
  std::string word(kSqlChildWord);
  std::string path = store_path;
  std::array<char*, 4> arguments{name.data(), word.data(), path.data(), nullptr};
  char* environment[] = {nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, program.c_str(), &files, &attributes, arguments.data(),
                                environment);
  posix_spawn_file_actions_destroy(&files);
  posix_spawnattr_destroy(&attributes);
  if (error != 0) return failed("posix_spawn", error);
  return Child(pid, std::move(ours));
}

Result<std::string> understood(std::string answer) {
  const std::size_t end = answer.find('\n');
  if (end == std::string::npos) {
    return Status(Code::kInvalid, "the statement was stopped: it needs more memory or processor "
                                  "time than a statement here may have");
  }
  const std::string word = answer.substr(0, end);
  answer.erase(0, end + 1);
  if (word == kChildDone) return answer;
  if (word == kChildInvalid) return Status(Code::kInvalid, std::move(answer));
  if (word == kChildTimeout) return Status(Code::kTimeout, std::move(answer));
  log(LogLevel::kWarning, "sql", "a statement of the console could not be run",
      {{"cause", answer}});
  return Status(Code::kStorage, std::move(answer));
}

class ChildConsole final : public SqlConsole {
 public:
  ChildConsole(std::string store_path, const Clock& clock, std::string program)
      : store_path_(std::move(store_path)), clock_(clock), program_(std::move(program)) {}

  Result<std::string> ask(const std::string& sql) override {
    const Duration until = clock_.monotonic() + kConsoleWall;
    const Place place(taken_);
    if (!place.free()) {
      return Status(Code::kBusy, fmt::format("{} statements are being answered already; try again "
                                             "in a moment", kConsolesMax));
    }
    if (sql.size() > kConsoleSqlBytesMax) {
      return Status(Code::kInvalid,
                    fmt::format("a statement has at most {} bytes", kConsoleSqlBytesMax));
    }
    auto started = start_child(program_, store_path_);
    if (!started.ok()) return started.status();
    const Child child = std::move(started).value();
    std::string answer;
    // A child that ends before it has read all still has an answer.
    const bool told = child.tell(sql, clock_, until);
    if (child.hear(answer, clock_, until)) return understood(std::move(answer));
    if (answer.size() > kConsoleAnswerBytesMax) {
      return Status(Code::kInvalid, "one row of the result is too large; ask for fewer columns");
    }
    return Status(Code::kTimeout, told ? "stopped after 2 s; ask for less, or filter by time"
                                       : "the statement could not be started in time");
  }

 private:
  const std::string store_path_;
  const Clock& clock_;
  const std::string program_;
  std::atomic<int> taken_{0};
};

}  // namespace

std::unique_ptr<SqlConsole> make_child_console(std::string store_path, const Clock& clock,
                                               std::string program) {
  return std::make_unique<ChildConsole>(std::move(store_path), clock, std::move(program));
}

}  // namespace retailpulse
