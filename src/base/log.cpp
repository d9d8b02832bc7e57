#include "base/log.h"

#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <map>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <retailpulse/clock.h>

#include "base/escape.h"
#include "base/thread_safety.h"

namespace retailpulse {
namespace {

constexpr Duration kRepeatEvery = std::chrono::seconds{1};
constexpr std::size_t kRepeatKeysMax = 256;

std::atomic<LogLevel> least_level{LogLevel::kInfo};  // relaxed: only a threshold

std::string_view level_name(LogLevel level) {
  switch (level) {
    case LogLevel::kDebug: return "debug";
    case LogLevel::kInfo: return "info";
    case LogLevel::kWarning: return "warning";
    case LogLevel::kError: return "error";
  }
  return "error";
}

// Texts of events, brokers and file systems may be of any length; a line stays readable.
std::string_view shortened(std::string_view text) { return text.substr(0, kLogTextBytesMax); }

// For a terminal: what append_json_string() is for a file.
void append_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : terminal_text(shortened(text))) {
    if (c == '"') out.push_back('\\');
    out.push_back(c);
  }
  out.push_back('"');
}

std::string timestamp() {
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}Z",
                     std::chrono::time_point_cast<std::chrono::milliseconds>(system_clock().wall()));
}

class Sink {
 public:
  void write(LogLevel level, std::string_view component, std::string_view message,
             LogFields fields) RP_EXCLUDES(mutex_) {
    const MutexLock lock(mutex_);
    std::uint64_t repeats = 0;
    if (!admit(fmt::format("{}/{}", component, message), repeats)) return;
    std::string line = json_ ? as_json(level, component, message, fields, repeats)
                             : as_logfmt(level, component, message, fields, repeats);
    line.push_back('\n');
    std::fwrite(line.data(), 1, line.size(), stderr);
  }

 private:
  struct Repeat {
    Duration last{};
    std::uint64_t held = 0;
  };

  // At most one equal line a second; `repeats` is how many were held back before this one.
  bool admit(const std::string& key, std::uint64_t& repeats) RP_REQUIRES(mutex_) {
    const Duration now = system_clock().monotonic();
    if (repeats_.size() >= kRepeatKeysMax) repeats_.clear();
    const auto [it, fresh] = repeats_.try_emplace(key, Repeat{now, 0});
    if (!fresh && now - it->second.last < kRepeatEvery) {
      ++it->second.held;
      return false;
    }
    repeats = it->second.held;
    it->second = {now, 0};
    return true;
  }

  static std::string as_json(LogLevel level, std::string_view component, std::string_view message,
                             LogFields fields, std::uint64_t repeats) {
    std::string out = fmt::format(R"({{"ts":"{}","level":"{}","component":)", timestamp(),
                                  level_name(level));
    append_json_string(out, component);
    out += ",\"msg\":";
    append_json_string(out, shortened(message));
    for (const auto& [name, value] : fields) {
      out += fmt::format(",\"{}\":", name);
      append_json_string(out, shortened(value));
    }
    if (repeats > 0) out += fmt::format(",\"repeats\":{}", repeats);
    return out + "}";
  }

  static std::string as_logfmt(LogLevel level, std::string_view component,
                               std::string_view message, LogFields fields, std::uint64_t repeats) {
    std::string out = fmt::format("{} {:<7} {}: {}", timestamp(), level_name(level), component,
                                  terminal_text(shortened(message)));
    for (const auto& [name, value] : fields) {
      out += fmt::format(" {}=", name);
      append_quoted(out, value);
    }
    if (repeats > 0) out += fmt::format(" repeats={}", repeats);
    return out;
  }

  Mutex mutex_;
  const bool json_ = isatty(STDERR_FILENO) == 0;
  std::map<std::string, Repeat> repeats_ RP_GUARDED_BY(mutex_);
};

Sink& sink() {
  static Sink instance;
  return instance;
}

}  // namespace

void log(LogLevel level, std::string_view component, std::string_view message, LogFields fields) {
  if (level < least_level.load(std::memory_order_relaxed)) return;
  sink().write(level, component, message, fields);
}

void set_log_level(LogLevel least) { least_level.store(least, std::memory_order_relaxed); }

}  // namespace retailpulse
