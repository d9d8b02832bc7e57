// FaultDisk: SQLite's files on a disk that fails: a chosen call does, or the power goes.
//
// While one lives it is SQLite's default VFS, over the one before it. Faults: the n-th of the
// chosen calls fails, once or from then on; a failing write writes half of its bytes first. Power:
// what was written and not synced is kept apart, so that at any moment the files can be made that a
// cut would leave: any part of it in any order, in sectors of 512 bytes; a file whose name was not
// synced may be gone, a deleted one back.
//
// Thread: one at a time; connections of other threads must be closed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>

namespace retailpulse::testing {

class FaultDisk {
 public:
  enum Call : std::uint32_t {
    kOpen = 1, kRead = 2, kWrite = 4, kTruncate = 8, kSync = 16, kSize = 32, kDelete = 64,
    kAccess = 128, kLock = 256, kShmMap = 512, kShmLock = 1024,
    kAny = 2047,
    kGrowing = kWrite | kShmMap,  // what needs room
  };
  enum class Cause { kIo, kFull, kReadOnly };
  enum class Lasting { kOnce, kForEver };
  struct Fault {
    std::uint32_t calls = kAny;
    int nth = 1;             // of these calls from now on
    Lasting lasting = Lasting::kOnce;
    Cause cause = Cause::kIo;
  };

  FaultDisk();
  ~FaultDisk();

  void fail(const Fault& fault);
  void heal();
  // The call that was the first to fail since fail(), or 0.
  [[nodiscard]] std::uint32_t struck() const;
  // How many of the chosen calls there were since fail().
  [[nodiscard]] int seen() const;
  // Writes, truncates, syncs and deletes so far, those that failed too.
  [[nodiscard]] std::uint64_t changes() const;

  // From now on unsynced writes to files of `folder` are kept apart; what is there counts as synced.
  // `before_change` is called before each write, truncate, sync and delete.
  void record(std::string folder, std::function<void()> before_change);
  // Makes the files of that folder in `to`, as a power cut could leave them now.
  void cut_power(const std::string& to, std::mt19937_64& random) const;

  struct State;  // shared with the VFS

 private:
  std::unique_ptr<State> state_;
};

}  // namespace retailpulse::testing
