#include "app/child_console.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include "support/catch.h"

namespace retailpulse {
namespace {

// A program of a few lines of shell in place of our own.
class Script {
 public:
  explicit Script(const std::string& lines)
      : path_(std::filesystem::temp_directory_path() /
              ("rp-child-" + std::to_string(getpid()) + "-" + std::to_string(++made_))) {
    std::ofstream(path_) << "#!/bin/sh\n" << lines << "\n";
    chmod(path_.c_str(), 0700);
  }
  Script(const Script&) = delete;
  Script& operator=(const Script&) = delete;
  ~Script() { std::filesystem::remove(path_); }
  [[nodiscard]] std::unique_ptr<SqlConsole> console() const {
    return make_child_console("/store/path", system_clock(), path_);
  }

 private:
  static inline int made_ = 0;
  std::filesystem::path path_;
};

TEST_CASE("console: the statement goes in, the answer comes out") {
  const Script echo("printf 'done\\n[%s|%s|' \"$1\" \"$2\"; cat; printf ']'");
  const auto answer = echo.console()->ask("SELECT '\xff'\n");
  REQUIRE(answer.ok());
  CHECK(answer.value() == "[sql-console-child|/store/path|SELECT '\xff'\n]");
}

TEST_CASE("console: the child has no environment and no descriptor of ours") {
  setenv("RETAILPULSE_KAFKA__SASL_PASSWORD", "canary", 1);
  constexpr int kOurs = 77;  // a library's, without O_CLOEXEC
  REQUIRE(dup2(STDERR_FILENO, kOurs) == kOurs);
  const Script look("cat >/dev/null; printf 'done\\n'; tr '\\0' ' ' </proc/$$/environ; "
                    "for f in /proc/$$/fd/*; do printf '%s ' \"${f##*/}\"; done");
  const auto answer = look.console()->ask("x");
  unsetenv("RETAILPULSE_KAFKA__SASL_PASSWORD");
  close(kOurs);
  REQUIRE(answer.ok());
  CAPTURE(answer.value());
  CHECK(answer.value().find("canary") == std::string::npos);
  CHECK(answer.value().find("0 1 ") != std::string::npos);
  CHECK(answer.value().find(" 77 ") == std::string::npos);
}

TEST_CASE("console: what the child says decides the code") {
  const std::pair<const char*, Code> words[] = {{"invalid", Code::kInvalid},
                                                {"timeout", Code::kTimeout},
                                                {"failed", Code::kStorage},
                                                {"nonsense", Code::kStorage}};
  for (const auto& [word, code] : words) {
    const Script says(std::string("printf '") + word + "\\na sentence'");
    const auto answer = says.console()->ask("SELECT 1");
    REQUIRE_FALSE(answer.ok());
    CHECK(answer.status().code() == code);
    CHECK(answer.status().message() == "a sentence");
  }
}

TEST_CASE("console: a child that dies, floods or sleeps is a sentence, and leaves nothing behind") {
  const auto died = Script("kill -9 $$").console()->ask("x");
  CHECK(died.status().code() == Code::kInvalid);
  const auto flood = Script("exec yes done").console()->ask("x");
  CHECK(flood.status().code() == Code::kInvalid);
  const Duration begun = system_clock().monotonic();
  const auto slept = Script("exec sleep 60").console()->ask("x");
  const Duration took = system_clock().monotonic() - begun;
  CHECK(slept.status().code() == Code::kTimeout);
  CHECK(took >= kConsoleWall);
  CHECK(took < kConsoleWall + std::chrono::seconds{2});
  CHECK(make_child_console("/x", system_clock(), "/no/such/program")->ask("x").status().code() ==
        Code::kUnavailable);
  CHECK(make_child_console("/x", system_clock(), "/bin/cat")
            ->ask(std::string(100'000, 'x')).status().code() == Code::kInvalid);
}

TEST_CASE("console: there are only so many places, and they come back") {
  const Script slow("cat >/dev/null; sleep 0.5; printf 'done\\n{}'");
  const auto console = slow.console();
  std::atomic<int> done{0}, busy{0};
  std::vector<std::thread> askers;
  for (int i = 0; i < 2 * kConsolesMax; ++i) {
    askers.emplace_back([&] {
      const auto answer = console->ask("x");
      if (answer.ok()) ++done;
      else if (answer.status().code() == Code::kBusy) ++busy;
    });
  }
  for (auto& asker : askers) asker.join();
  CHECK(done == kConsolesMax);
  CHECK(busy == kConsolesMax);
  CHECK(console->ask("x").ok());
}

}  // namespace
}  // namespace retailpulse
