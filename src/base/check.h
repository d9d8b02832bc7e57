// RP_CHECK: a broken invariant ends the process, also in release.
//
// Restart is safe by construction (offsets and numbers are one transaction), so going on with a
// broken invariant is the only unsafe choice. A check never depends on message content: what
// bytes from outside can be is the decoder's business, and a check on them would be a crash loop.
//
// Thread: any.
#pragma once

#include <string_view>

namespace retailpulse {

[[noreturn]] void check_failed(const char* file, int line, const char* what, std::string_view why);

}  // namespace retailpulse

#define RP_CHECK(condition, why)                                             \
  do {                                                                       \
    if (!(condition)) [[unlikely]]                                           \
      ::retailpulse::check_failed(__FILE__, __LINE__, #condition, (why));    \
  } while (false)
