// disk_fault: between a program and its disk (LD_PRELOAD), for the files of a store alone.
//
// DISK_FAULT names a file of 32 bytes that the test and this library both map: what is to fail, with
// which errno, how often; and how many calls failed and, after the first, were made all the same.
//
// Thread: any; the numbers are atomic.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace {

enum Call : std::int32_t { kWrite = 1, kTruncate = 2, kSync = 4 };

struct Board {
  std::atomic<std::int32_t> calls;     // which fail
  std::atomic<std::int32_t> error;     // errno
  std::atomic<std::int32_t> left;      // how often; negative: for ever
  std::atomic<std::int32_t> failed;
  std::atomic<std::int32_t> after;     // calls of any kind after the first that failed
};

Board* map_board() {
  const char* path = std::getenv("DISK_FAULT");
  const int fd = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (fd < 0) return nullptr;
  void* at = mmap(nullptr, 32, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  return at == MAP_FAILED ? nullptr : static_cast<Board*>(at);
}

bool is_store(int fd) {
  char link[64];
  char path[4096];
  std::snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t n = readlink(link, path, sizeof path - 1);
  if (n <= 0) return false;
  path[n] = 0;
  return std::strstr(path, "retailpulse.db") != nullptr;
}

// True: the call fails, errno is set.
bool fails(Call call, int fd) {
  static Board* const board = map_board();
  if (board == nullptr || (board->calls == 0 && board->failed == 0) || !is_store(fd)) return false;
  if ((board->calls & call) != 0 && board->left != 0) {
    if (board->left > 0) --board->left;
    ++board->failed;
    errno = board->error;
    return true;
  }
  if (board->failed > 0) ++board->after;
  return false;
}

template <class Function>
Function real(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* from, size_t n) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t)>("write");
  return fd > 2 && fails(kWrite, fd) ? -1 : next(fd, from, n);
}
ssize_t pwrite(int fd, const void* from, size_t n, off_t at) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t, off_t)>("pwrite");
  return fails(kWrite, fd) ? -1 : next(fd, from, n, at);
}
ssize_t pwrite64(int fd, const void* from, size_t n, off64_t at) {
  static const auto next = real<ssize_t (*)(int, const void*, size_t, off64_t)>("pwrite64");
  return fails(kWrite, fd) ? -1 : next(fd, from, n, at);
}
int ftruncate(int fd, off_t size) noexcept {
  static const auto next = real<int (*)(int, off_t)>("ftruncate");
  return fails(kTruncate, fd) ? -1 : next(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  static const auto next = real<int (*)(int, off64_t)>("ftruncate64");
  return fails(kTruncate, fd) ? -1 : next(fd, size);
}
int fsync(int fd) {
  static const auto next = real<int (*)(int)>("fsync");
  return fails(kSync, fd) ? -1 : next(fd);
}
int fdatasync(int fd) {
  static const auto next = real<int (*)(int)>("fdatasync");
  return fails(kSync, fd) ? -1 : next(fd);
}

}  // extern "C"
