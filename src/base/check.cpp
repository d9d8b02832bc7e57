#include "base/check.h"

#include <cstdio>
#include <cstdlib>

namespace retailpulse {

void check_failed(const char* file, int line, const char* what, std::string_view why) {
  std::fprintf(stderr, "retailpulse: broken invariant at %s:%d: %s (%.*s)\n", file, line, what,
               static_cast<int>(why.size()), why.data());
  std::abort();
}

}  // namespace retailpulse
