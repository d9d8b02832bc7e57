// A disk that fails, is full, forgets what it was not told to keep; memory that ends; files that
// somebody takes away: what the store makes of it. tests/long/disk_loop tries every call.
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <climits>
#include <filesystem>
#include <random>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "base/sanitizer.h"
#include "store/sqlite.h"
#include "support/catch.h"
#include "support/disk_trial.h"
#include "support/store_shop.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;
namespace fs = std::filesystem;

class Folder {  // a folder of its own, gone at the end
 public:
  Folder() {
    std::string name = fs::temp_directory_path() / "retailpulse-disk-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_ + "/store"; }

 private:
  std::string path_;
};

std::string lines(const std::vector<std::string>& faults) {
  std::string text;
  for (const std::string& fault : faults) text += "\n" + fault;
  return text;
}

using Disk = FaultDisk;

std::string told(const Disk::Fault& fault) {
  return fmt::format("calls {}, the {}th, {}", fault.calls, fault.nth,
                     fault.lasting == Disk::Lasting::kOnce ? "once" : "for ever");
}

// Some of the calls of these kinds fail, one for each trial.
template <class Check>
void try_some(std::uint32_t calls, Disk::Cause cause, Durability durability, int trials,
              Check check) {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const Folder folder;
  const auto none = fault_trial(seed, folder.path(), {calls, INT_MAX}, durability);
  INFO(lines(none.faults));
  REQUIRE(none.faults.empty());
  REQUIRE(none.restarts + none.refused_starts + none.waits == 0);
  REQUIRE(none.seen > 10);
  for (int i = 0; i < trials; ++i) {
    Disk::Fault fault{calls, 1 + static_cast<int>(random() % static_cast<unsigned>(none.seen)),
                      i % 2 == 0 ? Disk::Lasting::kOnce : Disk::Lasting::kForEver, cause};
    const auto result = fault_trial(seed, folder.path(), fault, durability);
    INFO(told(fault) << ", struck " << result.struck << lines(result.faults));
    CHECK(result.faults.empty());
    CHECK(result.struck != 0);
    check(fault, result);
  }
}

TEST_CASE("disk: an I/O error at any call loses nothing, and one alone is survived", "[disk][random]") {
  try_some(Disk::kAny & ~Disk::kSync, Disk::Cause::kIo, Durability::kNormal, 30,
           [](const Disk::Fault& fault, const TrialResult& result) {
             if (fault.lasting == Disk::Lasting::kOnce) CHECK(result.restarts == 0);
           });
}

TEST_CASE("disk: a full disk is waited for, never restarted for", "[disk][random]") {
  for (const auto cause : {Disk::Cause::kFull, Disk::Cause::kReadOnly}) {
    try_some(Disk::kGrowing, cause, Durability::kNormal, 12,
             [](const Disk::Fault&, const TrialResult& result) {
               CHECK(result.restarts == 0);
               CHECK(result.waits + result.refused_starts > 0);
             });
  }
}

TEST_CASE("disk: a failed fsync ends all writing at once; the next process goes on", "[disk][random]") {
  try_some(Disk::kSync, Disk::Cause::kIo, Durability::kFull, 15,
           [](const Disk::Fault&, const TrialResult& result) {
             CHECK(result.restarts + result.refused_starts == 1);
             CHECK(result.waits == 0);
           });
}

TEST_CASE("disk: power cuts leave a store that agrees with its offsets", "[disk][random]") {
  const std::uint64_t seed = std::random_device{}();
  const Folder folder;
  for (const auto durability : {Durability::kNormal, Durability::kFull}) {
    const auto result = power_trial(seed, folder.path(), durability, 40);
    INFO("seed " << seed << lines(result.faults));
    CHECK(result.faults.empty());
    CHECK(result.cuts > 10);
  }
}

TEST_CASE("memory: whichever allocation of SQLite fails, nothing is lost", "[disk][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const Folder folder;
  const auto none = memory_trial(seed, folder.path(), 0, Disk::Lasting::kOnce);
  INFO(lines(none.faults));
  REQUIRE(none.faults.empty());
  REQUIRE(none.seen > 1000);
  for (int i = 0; i < 30; ++i) {
    const int nth = 1 + static_cast<int>(random() % static_cast<unsigned>(none.seen));
    const auto lasting = i % 2 == 0 ? Disk::Lasting::kOnce : Disk::Lasting::kForEver;
    const auto result = memory_trial(seed, folder.path(), nth, lasting);
    INFO("allocation " << nth << (i % 2 == 0 ? " once" : " and all after it") << lines(result.faults));
    CHECK(result.faults.empty());
    CHECK(result.struck != 0);
    if (lasting == Disk::Lasting::kOnce) CHECK(result.restarts == 0);
  }
}

// Two readers that take turns, so that there is always one with an old state.
class OverlappingReaders {
 public:
  explicit OverlappingReaders(const std::string& path) {
    for (int i = 0; i < 2; ++i) {
      threads_.emplace_back([this, path, i] {
        std::this_thread::sleep_for(std::chrono::milliseconds{15 * i});
        auto db = Database::open(path, Database::Mode::kReadOnly);
        while (db.ok() && !stop_) {
          const bool read = db.value().exec("BEGIN").ok() &&
                            db.value().integer("SELECT sum(lines) FROM totals").ok();
          std::this_thread::sleep_for(std::chrono::milliseconds{30});
          if (read && db.value().exec("COMMIT").ok()) ++reads_;
        }
      });
    }
  }
  ~OverlappingReaders() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
  }
  [[nodiscard]] int reads() const { return reads_; }

 private:
  std::atomic<bool> stop_{false};
  std::atomic<int> reads_{0};
  std::vector<std::thread> threads_;
};

TEST_CASE("disk: readers that overlap cannot make the log grow without bound", "[disk]") {
  constexpr std::uintmax_t kMost = 64U << 20U;  // as promised; 61 and one commit
  const Folder folder;
  StoreShop shop(2, folder.path(), Durability::kNormal);
  REQUIRE(shop.start().ok());
  const std::string wal = shop.path() + "-wal";
  const OverlappingReaders readers(shop.path());
  std::uintmax_t greatest = 0;
  int begun_anew = 0;
  constexpr int kCommits = kSanitized ? 40 : 10'000;  // to the end takes minutes with a sanitizer
  for (int commit = 0; commit < kCommits && begun_anew < 1 && greatest <= kMost; ++commit) {
    shop.read(2000);
    REQUIRE(shop.commit().ok());
    const auto size = fs::file_size(wal);
    greatest = std::max(greatest, size);
    REQUIRE(shop.maintain().ok());
    if (fs::file_size(wal) < size) ++begun_anew;
  }
  CHECK(greatest <= kMost);
  if (kSanitized) return;
  CHECK(begun_anew == 1);
  CHECK(greatest > 16U << 20U);
  CHECK(readers.reads() > 5);
}

// What somebody may do to the files, with the words that the failure must have.
struct Deed {
  const char* what;
  void (*done)(const std::string& path);
  const char* words;
};

constexpr Deed kDeeds[] = {
    {"database deleted", [](const std::string& p) { fs::remove(p); }, "retailpulse.db was deleted"},
    {"database renamed", [](const std::string& p) { fs::rename(p, p + "-old"); },
     "retailpulse.db was deleted or renamed"},
    {"database replaced by a copy",
     [](const std::string& p) { fs::copy_file(p, p + "-new"); fs::rename(p + "-new", p); },
     "retailpulse.db was replaced"},
    {"-wal deleted", [](const std::string& p) { fs::remove(p + "-wal"); },
     "retailpulse.db-wal was deleted"},
    {"-shm deleted", [](const std::string& p) { fs::remove(p + "-shm"); },
     "retailpulse.db-shm was deleted"},
    {"lock replaced",
     [](const std::string& p) {
       const auto lock = fs::path(p).parent_path() / "retailpulse.lock";
       fs::remove(lock);
       fs::copy_file(p, lock);
     },
     "retailpulse.lock was replaced"}};

TEST_CASE("disk: files taken away or replaced are noticed before the next write", "[disk]") {
  FaultDisk disk;
  for (const Deed& deed : kDeeds) {
    const Folder folder;
    StoreShop shop(1, folder.path(), Durability::kNormal);
    REQUIRE(shop.start().ok());
    shop.read(50);
    REQUIRE(shop.commit().ok());
    shop.read(50);
    deed.done(shop.path());
    const std::uint64_t before = disk.changes();
    const Status status = shop.commit();
    INFO(deed.what << ": " << status.message());
    CHECK(status.code() == Code::kStorage);
    CHECK(status.message().find(deed.words) != std::string::npos);
    CHECK(shop.commit().message() == status.message());
    CHECK_FALSE(shop.maintain().ok());
    CHECK_FALSE(shop.close().ok());
    shop.end();
    CHECK(disk.changes() == before);
  }
}

}  // namespace
}  // namespace retailpulse
