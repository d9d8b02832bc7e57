// Annotated Mutex and ThreadRole: ownership that clang's -Wthread-safety compiles.
//
// A class owned by one role has a ThreadRole member; its data say RP_GUARDED_BY(role_) and its
// methods RP_REQUIRES(role_). The thread's root function calls role.adopt(), which tells clang
// that the capability is held from there on. The macros are empty for gcc.
//
// Thread: any.
#pragma once

#include <mutex>

#if defined(__clang__)
#define RP_TSA(x) __attribute__((x))
#else
#define RP_TSA(x)
#endif

#define RP_CAPABILITY(name) RP_TSA(capability(name))
#define RP_SCOPED_CAPABILITY RP_TSA(scoped_lockable)
#define RP_GUARDED_BY(c) RP_TSA(guarded_by(c))
#define RP_REQUIRES(...) RP_TSA(requires_capability(__VA_ARGS__))
#define RP_EXCLUDES(...) RP_TSA(locks_excluded(__VA_ARGS__))
#define RP_ACQUIRE(...) RP_TSA(acquire_capability(__VA_ARGS__))
#define RP_RELEASE(...) RP_TSA(release_capability(__VA_ARGS__))
#define RP_ASSERT_CAPABILITY(c) RP_TSA(assert_capability(c))

namespace retailpulse {

class RP_CAPABILITY("mutex") Mutex {
 public:
  void lock() RP_ACQUIRE() { mutex_.lock(); }
  void unlock() RP_RELEASE() { mutex_.unlock(); }

 private:
  std::mutex mutex_;
};

class RP_SCOPED_CAPABILITY MutexLock {
 public:
  explicit MutexLock(Mutex& mutex) RP_ACQUIRE(mutex) : mutex_(mutex) { mutex_.lock(); }
  ~MutexLock() RP_RELEASE() { mutex_.unlock(); }
  MutexLock(const MutexLock&) = delete;
  MutexLock& operator=(const MutexLock&) = delete;

 private:
  Mutex& mutex_;
};

class RP_CAPABILITY("role") ThreadRole {
 public:
  void adopt() const RP_ASSERT_CAPABILITY(this) {}
};

}  // namespace retailpulse
