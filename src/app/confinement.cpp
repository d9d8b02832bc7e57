#include "app/confinement.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstddef>
#include <cstring>
#include <vector>

#include "base/sanitizer.h"

namespace retailpulse {
namespace {

constexpr int kNice = 10;  // ingest comes first

#if defined(__x86_64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#else
constexpr std::uint32_t kArchitecture = 0;
#endif

Status failed(const char* what) {
  return Status(Code::kUnavailable, std::string(what) + ": " + std::strerror(errno));
}

// What SQLite, the C++ library and the allocator go on with after all files are open. Locks of the
// file are fcntl. Calls that are looked at more closely follow below.
constexpr int kAllowed[] = {
    SYS_read,         SYS_pread64,      SYS_lseek,         SYS_fstat,
    SYS_newfstatat,   SYS_faccessat,    SYS_fcntl,         SYS_close,      SYS_munmap,
    SYS_mremap,       SYS_madvise,      SYS_brk,           SYS_futex,      SYS_clock_gettime,
    SYS_gettimeofday, SYS_getrandom,    SYS_getpid,        SYS_gettid,     SYS_rt_sigaction,
    SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_sched_yield, SYS_clock_nanosleep, SYS_nanosleep,
    SYS_exit,         SYS_exit_group,
#if defined(__x86_64__)
    SYS_stat,         SYS_lstat,        SYS_access,
#endif
};
constexpr int kMapping[] = {SYS_mmap, SYS_mprotect};  // never executable

void load(std::vector<sock_filter>& program, std::size_t offset) {
  program.push_back(BPF_STMT(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(offset)));
}

// The filter: another architecture's calls end the process, an unknown call fails.
std::vector<sock_filter> filter_program() {
  const sock_filter allow = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
  const sock_filter refuse = BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
  std::vector<sock_filter> program;
  load(program, offsetof(seccomp_data, arch));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0));
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS));
  load(program, offsetof(seccomp_data, nr));
  for (const int call : kAllowed) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 1));
    program.push_back(allow);
  }
  for (const int call : kMapping) {
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<std::uint32_t>(call), 0, 4));
    load(program, offsetof(seccomp_data, args[2]));
    program.push_back(BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1));
    program.push_back(refuse);
    program.push_back(allow);
  }
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_write, 0, 3));
  load(program, offsetof(seccomp_data, args[0]));
  program.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, STDOUT_FILENO, 0, 1));
  program.push_back(allow);
  program.push_back(refuse);
  return program;
}

}  // namespace

Status confine_resources() {
  struct Row {
    __rlimit_resource resource;
    rlim_t most;
  };
  const Row limits[] = {{RLIMIT_CPU, kConfinedCpuSecondsMax}, {RLIMIT_FSIZE, 0}, {RLIMIT_CORE, 0},
                        {RLIMIT_NPROC, 0}, {RLIMIT_NOFILE, 32}, {RLIMIT_MEMLOCK, 0}};
  for (const Row& row : limits) {
    const rlimit limit{row.most, row.most};
    if (setrlimit(row.resource, &limit) != 0) return failed("setrlimit");
  }
  const rlimit memory{kConfinedMemoryMax, kConfinedMemoryMax};
  if (!kSanitized && setrlimit(RLIMIT_AS, &memory) != 0) return failed("setrlimit");
  std::signal(SIGXFSZ, SIG_IGN);  // writing too much then fails with EFBIG
  if (prctl(PR_SET_PDEATHSIG, SIGKILL) != 0) return failed("prctl");
  if (prctl(PR_SET_DUMPABLE, 0) != 0) return failed("prctl");
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return failed("prctl");
  // Polite only; a service manager's filter may refuse it.
  static_cast<void>(setpriority(PRIO_PROCESS, 0, kNice));
  return {};
}

Status confine_system_calls() {
  if (kArchitecture == 0 || kSanitized) return {};
  std::vector<sock_filter> program = filter_program();
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) == 0) return {};
  return errno == EINVAL || errno == ENOSYS ? Status() : failed("seccomp");
}

}  // namespace retailpulse
