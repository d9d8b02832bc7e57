// log: one line per happening on stderr; logfmt on a terminal, JSON otherwise.
//
// Control bytes are escaped (an event's text cannot forge a line), what is not UTF-8 is replaced,
// values of records are never logged at info, and a line that repeats is counted, not repeated
// (once a second for each `key`).
//
// Thread: any (one mutex inside).
// Limits: kLogTextBytesMax of the message and of each value; the rest is cut off.
// Test:   tests/base/log_test.cpp
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace retailpulse {

inline constexpr std::size_t kLogTextBytesMax = 4096;

enum class LogLevel { kDebug, kInfo, kWarning, kError };
using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

void log(LogLevel level, std::string_view component, std::string_view message,
         LogFields fields = {});
void set_log_level(LogLevel least);

}  // namespace retailpulse
