#include "base/log.h"

#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <string>

#include "support/catch.h"

namespace retailpulse {
namespace {

// What is written to stderr while it lives. Not a terminal, so lines are JSON.
class CapturedStderr {
 public:
  CapturedStderr() : file_(std::tmpfile()), saved_(dup(STDERR_FILENO)) {
    std::fflush(stderr);
    dup2(fileno(file_), STDERR_FILENO);
  }
  ~CapturedStderr() {
    restore();
    std::fclose(file_);
  }
  CapturedStderr(const CapturedStderr&) = delete;
  CapturedStderr& operator=(const CapturedStderr&) = delete;

  std::string text() {
    restore();
    std::string out;
    std::rewind(file_);
    for (int c = std::fgetc(file_); c != EOF; c = std::fgetc(file_)) {
      out.push_back(static_cast<char>(c));
    }
    return out;
  }

 private:
  void restore() {
    if (saved_ < 0) return;
    std::fflush(stderr);
    dup2(saved_, STDERR_FILENO);
    close(saved_);
    saved_ = -1;
  }
  std::FILE* file_;
  int saved_;
};

template <class Write>
std::string logged(Write write) {
  CapturedStderr captured;
  write();
  return captured.text();
}

TEST_CASE("hostile text can neither end a line nor start an escape sequence", "[log]") {
  const std::string hostile = "a\"b\\c\nd\re\tf\x1b[31mg\x7fh\xc2\x9b" "i\xe2\x82\xac\x01";
  const std::string text = logged([&] {
    log(LogLevel::kWarning, "decode", "message " + hostile, {{"value", hostile}});
  });
  REQUIRE(std::count(text.begin(), text.end(), '\n') == 1);
  CHECK(text.back() == '\n');
  const bool any_control = std::any_of(text.begin(), text.end() - 1, [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return u < 0x20 || u == 0x7f;
  });
  CHECK_FALSE(any_control);
  CHECK(text.find("\xc2\x9b") == std::string::npos);  // C1, the one-byte escape
  CHECK(text.find("\\u001b[31m") != std::string::npos);
  CHECK(text.find("\xe2\x82\xac") != std::string::npos);  // the euro sign may stay
  CHECK(text.find("a\\\"b\\\\c") != std::string::npos);
}

TEST_CASE("a line is valid UTF-8 and of bounded length, whatever is logged", "[log]") {
  const std::string text = logged([] {
    log(LogLevel::kWarning, "kafka", "broker says \xff\xc3", {{"raw", "\xed\xa0\x80 \xe2\x82"}});
    log(LogLevel::kWarning, "kafka", std::string(1 << 20, 'm'), {{"raw", std::string(1 << 20, '\x01')}});
  });
  CHECK(text.find("broker says \xef\xbf\xbd\xef\xbf\xbd\"") != std::string::npos);
  for (const char* raw : {"\xff", "\xed\xa0", "\xc3", "\xe2\x82\""}) {
    CHECK(text.find(raw) == std::string::npos);
  }
  CHECK(std::count(text.begin(), text.end(), '\n') == 2);
  CHECK(text.size() < 8 * kLogTextBytesMax);
}

TEST_CASE("a line has its level, component and fields", "[log]") {
  const std::string text = logged([] {
    log(LogLevel::kError, "store", "disk is full", {{"path", "/data"}, {"free", "0"}});
  });
  CHECK(text.find("\"level\":\"error\"") != std::string::npos);
  CHECK(text.find("\"component\":\"store\"") != std::string::npos);
  CHECK(text.find("\"msg\":\"disk is full\"") != std::string::npos);
  CHECK(text.find("\"path\":\"/data\"") != std::string::npos);
  CHECK(text.find("\"free\":\"0\"") != std::string::npos);
  CHECK(text.rfind("{\"ts\":\"20", 0) == 0);
}

TEST_CASE("a line that repeats is held back, another one is not", "[log]") {
  const std::string text = logged([] {
    for (int i = 0; i < 100; ++i) log(LogLevel::kWarning, "kafka", "broker is down, and again");
    log(LogLevel::kWarning, "kafka", "another matter");
  });
  const auto lines = std::count(text.begin(), text.end(), '\n');
  CHECK(lines >= 2);
  CHECK(lines <= 4);  // one more for each second that this took
  CHECK(text.find("another matter") != std::string::npos);
}

TEST_CASE("below the level nothing is written", "[log]") {
  const std::string text = logged([] {
    log(LogLevel::kDebug, "test", "hidden");
    set_log_level(LogLevel::kDebug);
    log(LogLevel::kDebug, "test", "shown");
    set_log_level(LogLevel::kInfo);
    log(LogLevel::kDebug, "test", "hidden again");
  });
  CHECK(text.find("hidden") == std::string::npos);
  CHECK(text.find("shown") != std::string::npos);
}

}  // namespace
}  // namespace retailpulse
