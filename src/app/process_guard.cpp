#include "app/process_guard.h"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <string_view>

#include <retailpulse/kafka.h>

#include "base/log.h"

// tcmalloc's; not there with another allocator.
extern "C" int MallocExtension_SetNumericProperty(const char* property, std::size_t value)
    __attribute__((weak));

namespace retailpulse {
namespace {

constexpr rlim_t kDescriptorsMax = 65'536;
// Freed memory that threads keep for their next use, all together. Of itself tcmalloc lets them have
// 32 MiB, which they fill within hours; with 8 reading a backlog is slower by 2 % at most.
constexpr std::size_t kThreadCacheBytes = std::size_t{8} << 20;

void set_limit(int what, rlim_t soft, rlim_t hard, const char* name) {
  const rlimit limit{soft, hard};
  if (setrlimit(static_cast<__rlimit_resource>(what), &limit) != 0) {
    log(LogLevel::kWarning, "app", "a limit of the process could not be set", {{"limit", name}});
  }
}

}  // namespace

void guard_process(bool starts_browser) {
  set_limit(RLIMIT_CORE, 0, 0, "core");
  if (MallocExtension_SetNumericProperty != nullptr) {
    MallocExtension_SetNumericProperty("tcmalloc.max_total_thread_cache_bytes", kThreadCacheBytes);
  }
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) == 0 && files.rlim_cur < files.rlim_max) {
    const rlim_t wanted = std::max(files.rlim_cur, std::min(files.rlim_max, kDescriptorsMax));
    set_limit(RLIMIT_NOFILE, wanted, files.rlim_max, "nofile");
  }
  if (!starts_browser && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
    log(LogLevel::kWarning, "app", "no_new_privs could not be set");
  }
}

std::string hide_secrets(int argc, char** argv) {
  std::string told;
  for (int i = 1; i < argc; ++i) {
    std::string_view word = argv[i];
    const bool attached = word.starts_with("-X");
    if (!attached && std::string_view(argv[i - 1]) != "-X") continue;
    if (attached) word.remove_prefix(2);
    const std::size_t equals = word.find('=');
    if (equals == std::string_view::npos || !kafka_property_is_secret(word.substr(0, equals))) {
      continue;
    }
    told = "-X " + std::string(word.substr(0, equals)) +
           ": a secret on the command line can be read by others while the program starts; better "
           "is a file named in RETAILPULSE_KAFKA__SASL_PASSWORD_FILE (or the like), or -F.";
    char* value = argv[i] + std::strlen(argv[i]) - (word.size() - equals - 1);
    std::memset(value, '*', std::strlen(value));
  }
  return told;
}

}  // namespace retailpulse
