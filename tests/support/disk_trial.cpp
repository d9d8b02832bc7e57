#include "support/disk_trial.h"

#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "store/sqlite.h"
#include "support/fault_memory.h"
#include "support/store_shop.h"

namespace retailpulse::testing {
namespace {

namespace fs = std::filesystem;

constexpr int kCommits = 5;
constexpr std::uint64_t kRecords = 60;     // of a commit
constexpr int kTransientTries = 3;         // as the committer
constexpr int kWaits = 2;                  // until there is room again
constexpr int kStarts = 6;                 // more is no progress

// Reads one shop to its end over something that fails and can be healed.
class Reader {
 public:
  Reader(std::uint64_t seed, std::string folder, Durability durability, TrialResult& result,
         std::function<void()> heal, std::function<std::uint64_t()> changes)
      : shop_(seed, std::move(folder), durability), result_(result), heal_(std::move(heal)),
        changes_(std::move(changes)) {}

  void run() {
    while (done_ < kCommits && result_.restarts + result_.refused_starts < kStarts) {
      if (!start()) continue;
      if (!read_on()) restart();
    }
    heal_();
    if (done_ == kCommits) check("at the end", true);
    if (done_ < kCommits) fault("it did not come to the end");
  }

 private:
  bool start() {
    const Status started = shop_.start();
    if (started.ok()) return true;
    if (started.message().empty()) fault("a start was refused without a word");
    shop_.end();
    ++result_.refused_starts;
    heal_();
    return false;
  }

  // False: a final failure.
  bool read_on() {
    for (; done_ < kCommits; ++done_) {
      shop_.read(behind_ ? 0 : kRecords);  // 0: what was read before and is not committed
      behind_ = false;
      if (!insist([&] { return shop_.commit(); }, "commit")) return behind_ = true, false;
      if (!insist([&] { return shop_.maintain(); }, "maintain")) return ++done_, false;
      // Every other time a new process, which empties the log before.
      if (done_ % 2 == 1 && (!insist([&] { return shop_.close(); }, "close") || !reopen())) {
        return ++done_, false;
      }
    }
    const Status closed = shop_.close();
    shop_.end();
    if (closed.code() == Code::kStorage) ++result_.restarts;
    if (closed.code() == Code::kBusy) ++result_.waits;
    if (closed.code() == Code::kCorrupt) fault(closed.message());
    return true;
  }

  bool reopen() {
    while (result_.restarts + result_.refused_starts < kStarts) {
      if (start()) return true;
    }
    return false;
  }

  bool insist(const std::function<Status()>& step, const char* what) {
    int transient = 0;
    for (int tries = 1;; ++tries) {
      const Status status = step();
      if (status.ok()) return true;
      failure_ = status;
      switch (status.code()) {
        case Code::kBusy:
          ++result_.waits;
          if (tries == kWaits) heal_();
          if (tries <= 2 * kWaits) continue;
          fault(fmt::format("{} still waits: {}", what, status.message()));
          return false;
        case Code::kUnavailable:
          if (++transient < kTransientTries) continue;
          return false;
        case Code::kStorage: return stays_failed(step, what);
        default: fault(fmt::format("{}: {}", what, status.message())); return false;
      }
    }
  }

  // After a final failure nothing is written any more, whatever is asked.
  bool stays_failed(const std::function<Status()>& step, const char* what) {
    const std::uint64_t before = changes_();
    if (step().ok()) fault(fmt::format("{} succeeded after a final failure", what));
    if (shop_.close().ok()) fault("closing succeeded after a final failure");
    shop_.end();
    if (changes_() != before) fault(fmt::format("{}: written after {}", what, failure_.message()));
    return false;
  }

  void restart() {
    ++result_.restarts;
    shop_.end();
    heal_();
    check("before a restart", false);
  }

  void check(const char* when, bool whole) {
    PrefixOracle oracle = shop_.oracle();
    const Verdict verdict = oracle.check(shop_.path(), shop_.ends());
    for (const std::string& text : verdict.faults) fault(fmt::format("{}: {}", when, text));
    for (std::uint32_t slot = 0; slot < shop_.ends().size(); ++slot) {
      const Offset least = whole ? shop_.ends()[slot] : shop_.committed()[slot];
      if (oracle.next(slot) >= least) continue;
      fault(fmt::format("{}: slot {} stands at {}, not at {}", when, slot, oracle.next(slot), least));
    }
  }

  void fault(const std::string& text) {
    result_.faults.push_back(fmt::format("{} (last failure: {})", text, failure_.message()));
  }

  StoreShop shop_;
  TrialResult& result_;
  std::function<void()> heal_;
  std::function<std::uint64_t()> changes_;
  int done_ = 0;         // commits
  bool behind_ = false;  // what was read last is not committed
  Status failure_;
};

}  // namespace

TrialResult fault_trial(std::uint64_t seed, const std::string& folder,
                        const FaultDisk::Fault& fault, Durability durability) {
  TrialResult result;
  FaultDisk disk;
  disk.fail(fault);
  Reader(seed, folder, durability, result, [&] { disk.heal(); }, [&] { return disk.changes(); }).run();
  result.struck = disk.struck();
  result.seen = disk.seen();
  fs::remove_all(folder);
  return result;
}

TrialResult memory_trial(std::uint64_t seed, const std::string& folder, int nth,
                         FaultDisk::Lasting lasting) {
  TrialResult result;
  FaultMemory memory;
  {
    memory.fail(nth, lasting == FaultDisk::Lasting::kForEver);
    Reader(seed, folder, Durability::kNormal, result, [&] { memory.heal(); },
           [] { return std::uint64_t{0}; }).run();
  }
  result.struck = memory.struck() ? 1 : 0;
  result.seen = memory.seen();
  fs::remove_all(folder);
  return result;
}

namespace {

// A folder as a cut left it, and what had been committed by then.
struct Image {
  std::string folder;
  std::vector<Offset> committed;
};

class Power {
 public:
  Power(std::uint64_t seed, std::string folder, Durability durability, std::uint64_t every)
      : seed_(seed), folder_(std::move(folder)), durability_(durability), every_(every),
        random_(seed), shop_(seed, folder_ + "/shop", durability) {}

  PowerResult run() {
    fs::create_directories(folder_ + "/shop");
    disk_.record(folder_ + "/shop", [&] {
      if (random_() % every_ != 0) return;
      images_.push_back({fmt::format("{}/cut-{}", folder_, result_.cuts++), shop_.committed()});
      disk_.cut_power(images_.back().folder, random_);
    });
    must(shop_.start(), "start");
    check_images();
    for (int commit = 0; commit < kPowerCommits; ++commit) {
      shop_.read(kPowerRecords);
      must(shop_.commit(), "commit");
      must(shop_.maintain(), "maintain");
      if (commit % 3 == 1) move_log();
      check_images();
      if (commit % 5 != 4) continue;
      must(shop_.close(), "close");
      must(shop_.start(), "start again");
      check_images();
    }
    shop_.end();
    fs::remove_all(folder_);
    return std::move(result_);
  }

 private:
  static constexpr int kPowerCommits = 10;
  static constexpr std::uint64_t kPowerRecords = 50;

  void must(const Status& status, const char* what) {
    if (!status.ok()) result_.faults.push_back(fmt::format("{}: {}", what, status.message()));
  }

  // As maintain() does when the log is longer: the next commit begins it anew.
  void move_log() {
    auto db = Database::open(shop_.path(), Database::Mode::kReadWriteCreate);
    must(db.status(), "a second connection");
    if (db.ok()) must(db.value().wal_checkpoint(Database::Checkpoint::kPassive).status(), "checkpoint");
  }

  void check_images() {
    for (const Image& image : std::exchange(images_, {})) {
      check(image);
      fs::remove_all(image.folder);
    }
  }

  void check(const Image& image) {
    StoreShop again(seed_, image.folder, durability_);
    const auto fault = [&](const std::string& text) {
      result_.faults.push_back(fmt::format("seed {}, {}: {}", seed_, image.folder, text));
    };
    if (Status s = again.start(); !s.ok()) return fault(s.message());
    PrefixOracle oracle = again.oracle();
    const Verdict verdict = oracle.check(again.path(), shop_.ends());
    for (const std::string& text : verdict.faults) fault(text);
    bool behind = false;
    for (std::uint32_t slot = 0; slot < image.committed.size(); ++slot) {
      behind = behind || oracle.next(slot) < image.committed[slot];
    }
    if (behind) ++result_.behind;
    if (behind && durability_ == Durability::kFull) fault("what was committed is lost");
    if (random_() % 20 != 0) return again.end();
    // It can go on from there.
    ++result_.restarted;
    again.read(shop_.total() + kPowerRecords);
    if (Status s = again.commit(); !s.ok()) fault("going on: " + s.message());
    if (Status s = again.close(); !s.ok()) fault("closing: " + s.message());
    again.end();
    PrefixOracle fresh = again.oracle();
    for (const std::string& text : fresh.check(again.path(), again.ends()).faults) fault(text);
  }

  const std::uint64_t seed_;
  const std::string folder_;
  const Durability durability_;
  const std::uint64_t every_;
  std::mt19937_64 random_;
  FaultDisk disk_;
  StoreShop shop_;
  std::vector<Image> images_;
  PowerResult result_;
};

}  // namespace

PowerResult power_trial(std::uint64_t seed, const std::string& folder, Durability durability,
                        std::uint64_t every) {
  return Power(seed, folder, durability, every).run();
}

}  // namespace retailpulse::testing
