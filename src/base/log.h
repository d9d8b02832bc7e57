// log: one line per happening on stderr; logfmt on a terminal, JSON otherwise.
//
// Control bytes are escaped (an event's text cannot forge a line), values of records are never
// logged at info, and a line that repeats is counted, not repeated (once a second for each `key`).
//
// Thread: any (one mutex inside).
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

namespace retailpulse {

enum class LogLevel { kDebug, kInfo, kWarning, kError };
using LogFields = std::initializer_list<std::pair<std::string_view, std::string>>;

void log(LogLevel level, std::string_view component, std::string_view message,
         LogFields fields = {});
void set_log_level(LogLevel least);

}  // namespace retailpulse
