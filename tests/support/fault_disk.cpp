#include "support/fault_disk.h"

#include <sqlite3.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <vector>

#include "base/check.h"

namespace retailpulse::testing {
namespace {

constexpr std::size_t kSector = 512;

// What was done to a file and is not synced yet.
struct Change {
  enum Kind { kBytes, kSize, kGone } kind = kBytes;
  std::size_t at = 0;  // kSize: the new size
  std::string bytes;
};

struct Platter {         // one file
  std::string synced;
  bool named = false;    // its name survives a cut
  std::vector<Change> changes;
};

void write_into(const Change& change, std::string& content) {
  if (change.kind == Change::kSize) content.resize(change.at);
  if (change.kind == Change::kGone) content.clear();
  if (change.kind != Change::kBytes) return;
  content.resize(std::max(content.size(), change.at + change.bytes.size()));
  content.replace(change.at, change.bytes.size(), change.bytes);
}

std::string content_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

}  // namespace

struct FaultDisk::State {
  sqlite3_vfs vfs{};
  sqlite3_vfs* real = nullptr;
  Fault fault;
  bool armed = false;
  int seen = 0;
  std::uint32_t struck = 0;
  std::uint64_t changes = 0;
  std::string folder;    // of what is recorded; empty: nothing is
  std::function<void()> before_change;
  std::map<std::string, Platter> platters;

  // True: this call is to fail.
  bool strikes(Call call) {
    if (!armed || (fault.calls & call) == 0) return false;
    ++seen;
    const bool now = fault.lasting == Lasting::kOnce ? seen == fault.nth : seen >= fault.nth;
    if (now && struck == 0) struck = call;
    if (now) errno = fault.cause == Cause::kFull ? ENOSPC : fault.cause == Cause::kReadOnly ? EROFS : EIO;
    return now;
  }
  void about_to_change(const std::string& path) {
    ++changes;
    if (recorded(path)) before_change();
  }
  [[nodiscard]] bool recorded(const std::string& path) const {
    return !folder.empty() && path.rfind(folder + "/", 0) == 0;
  }
  Platter* platter(const std::string& path) {
    if (!recorded(path)) return nullptr;
    const auto [it, fresh] = platters.try_emplace(path);
    if (fresh && std::filesystem::exists(path)) it->second = {content_of(path), true, {}};
    return &it->second;
  }
};

namespace {

using State = FaultDisk::State;

struct File {
  sqlite3_file base;
  State* state;
  std::string* path;
  sqlite3_file* real;  // behind this struct
};

File& of(sqlite3_file* file) { return *reinterpret_cast<File*>(file); }
State& of(sqlite3_vfs* vfs) { return *static_cast<State*>(vfs->pAppData); }

int close(sqlite3_file* f) {
  delete of(f).path;
  return of(f).real->pMethods->xClose(of(f).real);
}

int read(sqlite3_file* f, void* to, int n, sqlite3_int64 at) {
  if (of(f).state->strikes(FaultDisk::kRead)) return SQLITE_IOERR_READ;
  return of(f).real->pMethods->xRead(of(f).real, to, n, at);
}

int write_through(File& file, const void* from, int n, sqlite3_int64 at) {
  const int result = file.real->pMethods->xWrite(file.real, from, n, at);
  if (Platter* platter = file.state->platter(*file.path)) {
    platter->changes.push_back({Change::kBytes, static_cast<std::size_t>(at),
                                {static_cast<const char*>(from), static_cast<std::size_t>(n)}});
  }
  return result;
}

int write(sqlite3_file* f, const void* from, int n, sqlite3_int64 at) {
  File& file = of(f);
  file.state->platter(*file.path);
  file.state->about_to_change(*file.path);
  if (!file.state->strikes(FaultDisk::kWrite)) return write_through(file, from, n, at);
  const int error = errno;
  const bool full = file.state->fault.cause == FaultDisk::Cause::kFull;
  if (file.state->fault.cause != FaultDisk::Cause::kReadOnly) write_through(file, from, n / 2, at);
  errno = error;
  return full ? SQLITE_FULL : SQLITE_IOERR_WRITE;
}

int truncate(sqlite3_file* f, sqlite3_int64 size) {
  File& file = of(f);
  Platter* platter = file.state->platter(*file.path);
  file.state->about_to_change(*file.path);
  if (file.state->strikes(FaultDisk::kTruncate)) return SQLITE_IOERR_TRUNCATE;
  if (platter != nullptr) platter->changes.push_back({Change::kSize, static_cast<std::size_t>(size), {}});
  return file.real->pMethods->xTruncate(file.real, size);
}

int sync(sqlite3_file* f, int) {
  File& file = of(f);
  Platter* platter = file.state->platter(*file.path);
  file.state->about_to_change(*file.path);
  if (file.state->strikes(FaultDisk::kSync)) return SQLITE_IOERR_FSYNC;
  if (platter != nullptr) {
    for (const Change& change : platter->changes) write_into(change, platter->synced);
    platter->changes.clear();
    platter->named = true;
  }
  return SQLITE_OK;  // this machine keeps its power
}

int file_size(sqlite3_file* f, sqlite3_int64* size) {
  if (of(f).state->strikes(FaultDisk::kSize)) return SQLITE_IOERR_FSTAT;
  return of(f).real->pMethods->xFileSize(of(f).real, size);
}

int lock(sqlite3_file* f, int level) {
  if (of(f).state->strikes(FaultDisk::kLock)) return SQLITE_IOERR_LOCK;
  return of(f).real->pMethods->xLock(of(f).real, level);
}
int unlock(sqlite3_file* f, int level) { return of(f).real->pMethods->xUnlock(of(f).real, level); }
int check_reserved(sqlite3_file* f, int* out) {
  return of(f).real->pMethods->xCheckReservedLock(of(f).real, out);
}
int control(sqlite3_file* f, int op, void* arg) {
  return of(f).real->pMethods->xFileControl(of(f).real, op, arg);
}
int sector_size(sqlite3_file* f) { return of(f).real->pMethods->xSectorSize(of(f).real); }
int characteristics(sqlite3_file* f) {
  return of(f).real->pMethods->xDeviceCharacteristics(of(f).real);
}
int shm_map(sqlite3_file* f, int page, int size, int extend, void volatile** to) {
  if (extend != 0 && of(f).state->strikes(FaultDisk::kShmMap)) return SQLITE_IOERR_SHMSIZE;
  return of(f).real->pMethods->xShmMap(of(f).real, page, size, extend, to);
}
int shm_lock(sqlite3_file* f, int offset, int n, int flags) {
  // Giving a lock back does not fail.
  if ((flags & SQLITE_SHM_LOCK) != 0 && of(f).state->strikes(FaultDisk::kShmLock)) {
    return SQLITE_IOERR_SHMLOCK;
  }
  return of(f).real->pMethods->xShmLock(of(f).real, offset, n, flags);
}
void shm_barrier(sqlite3_file* f) { of(f).real->pMethods->xShmBarrier(of(f).real); }
int shm_unmap(sqlite3_file* f, int remove) {
  return of(f).real->pMethods->xShmUnmap(of(f).real, remove);
}

// Version 2: no memory-mapped pages, which would go round us.
constexpr sqlite3_io_methods kMethods{
    2,           close,        read,          write,       truncate,        sync,
    file_size,   lock,         unlock,        check_reserved, control,      sector_size,
    characteristics, shm_map,  shm_lock,      shm_barrier, shm_unmap,       nullptr, nullptr};

int open(sqlite3_vfs* vfs, sqlite3_filename name, sqlite3_file* f, int flags, int* out) {
  State& state = of(vfs);
  std::memset(f, 0, sizeof(File));
  if (state.strikes(FaultDisk::kOpen)) return SQLITE_CANTOPEN;
  auto* real = reinterpret_cast<sqlite3_file*>(reinterpret_cast<char*>(f) + sizeof(File));
  const std::string path = name == nullptr ? "" : name;
  if (!path.empty()) state.platter(path);  // as it was before it was opened
  const int result = state.real->xOpen(state.real, name, real, flags, out);
  if (result != SQLITE_OK) return result;
  new (f) File{{&kMethods}, &state, new std::string(path), real};
  return SQLITE_OK;
}

int remove_file(sqlite3_vfs* vfs, const char* name, int sync_dir) {
  State& state = of(vfs);
  Platter* platter = state.platter(name);
  state.about_to_change(name);
  if (state.strikes(FaultDisk::kDelete)) return SQLITE_IOERR_DELETE;
  if (platter != nullptr && sync_dir != 0) *platter = {};
  if (platter != nullptr && sync_dir == 0) platter->changes.push_back({Change::kGone, 0, {}});
  return state.real->xDelete(state.real, name, 0);
}

int access_file(sqlite3_vfs* vfs, const char* name, int flags, int* out) {
  if (of(vfs).strikes(FaultDisk::kAccess)) return SQLITE_IOERR_ACCESS;
  return of(vfs).real->xAccess(of(vfs).real, name, flags, out);
}

int full_path(sqlite3_vfs* vfs, const char* name, int n, char* out) {
  return of(vfs).real->xFullPathname(of(vfs).real, name, n, out);
}
int randomness(sqlite3_vfs* vfs, int n, char* out) { return of(vfs).real->xRandomness(of(vfs).real, n, out); }
int sleep_for(sqlite3_vfs*, int microseconds) { return microseconds; }  // tests do not wait
int current_time(sqlite3_vfs* vfs, double* out) { return of(vfs).real->xCurrentTime(of(vfs).real, out); }
int last_error(sqlite3_vfs*, int, char*) { return errno; }
int current_time_64(sqlite3_vfs* vfs, sqlite3_int64* out) {
  return of(vfs).real->xCurrentTimeInt64(of(vfs).real, out);
}

// Some of the changes, in an order that the disk likes, perhaps torn.
std::string after_cut(const Platter& platter, std::mt19937_64& random, bool& named) {
  std::string content = platter.synced;
  std::vector<Change> left = platter.changes;
  const auto style = random() % 4;  // none, all, a beginning of them, anything
  if (style == 0) left.clear();
  if (style == 2) left.resize(random() % (left.size() + 1));
  if (style == 3) {
    std::shuffle(left.begin(), left.end(), random);
    left.resize(random() % (left.size() + 1));
  }
  for (std::size_t i = 0; i < left.size(); ++i) {
    Change& change = left[i];
    named = change.kind != Change::kGone;
    const bool torn = style == 3 || (style == 2 && i + 1 == left.size());
    if (change.kind != Change::kBytes || !torn) {
      write_into(change, content);
      continue;
    }
    for (std::size_t at = 0; at < change.bytes.size(); at += kSector) {
      if (random() % 4 == 0) continue;
      write_into({Change::kBytes, change.at + at, change.bytes.substr(at, kSector)}, content);
    }
  }
  return content;
}

}  // namespace

FaultDisk::FaultDisk() : state_(std::make_unique<State>()) {
  sqlite3_initialize();
  State& state = *state_;
  state.real = sqlite3_vfs_find(nullptr);
  state.vfs.iVersion = 2;
  state.vfs.szOsFile = static_cast<int>(sizeof(File)) + state.real->szOsFile;
  state.vfs.mxPathname = state.real->mxPathname;
  state.vfs.zName = "fault-disk";
  state.vfs.pAppData = &state;
  state.vfs.xOpen = open;
  state.vfs.xDelete = remove_file;
  state.vfs.xAccess = access_file;
  state.vfs.xFullPathname = full_path;
  state.vfs.xRandomness = randomness;
  state.vfs.xSleep = sleep_for;
  state.vfs.xCurrentTime = current_time;
  state.vfs.xGetLastError = last_error;
  state.vfs.xCurrentTimeInt64 = current_time_64;
  RP_CHECK(sqlite3_vfs_register(&state.vfs, 1) == SQLITE_OK, "a VFS is registered");
}

FaultDisk::~FaultDisk() {
  sqlite3_vfs_unregister(&state_->vfs);
  sqlite3_vfs_register(state_->real, 1);
}

void FaultDisk::fail(const Fault& fault) {
  state_->fault = fault;
  state_->armed = true;
  state_->seen = 0;
  state_->struck = 0;
}

void FaultDisk::heal() { state_->armed = false; }
std::uint32_t FaultDisk::struck() const { return state_->struck; }
int FaultDisk::seen() const { return state_->seen; }
std::uint64_t FaultDisk::changes() const { return state_->changes; }

void FaultDisk::record(std::string folder, std::function<void()> before_change) {
  state_->folder = std::move(folder);
  state_->before_change = std::move(before_change);
  state_->platters.clear();
}

void FaultDisk::cut_power(const std::string& to, std::mt19937_64& random) const {
  std::filesystem::create_directories(to);
  for (const auto& [path, platter] : state_->platters) {
    bool named = platter.named;
    const std::string content = after_cut(platter, random, named);
    if (!named) continue;
    std::ofstream(std::filesystem::path(to) / std::filesystem::path(path).filename(),
                  std::ios::binary)
        << content;
  }
}

}  // namespace retailpulse::testing
