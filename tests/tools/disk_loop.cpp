// disk_loop: every call of SQLite's to its disk fails once and for ever, every allocation too, and
// the power is cut thousands of times; the prefix oracle judges every store.
//
//   disk_loop [--seed N] [--cuts 10000] [--only io,full,readonly,sync,memory,power] [--step 1]
//
// --step 7 tries each seventh call. Prints one line of JSON for each kind. Exit 1: something did not hold.
#include <unistd.h>

#include <chrono>
#include <climits>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "support/disk_trial.h"

using namespace retailpulse;
using namespace retailpulse::testing;

namespace {

using Disk = FaultDisk;

struct Options {
  std::uint64_t seed = std::random_device{}();
  int cuts = 10'000;
  int step = 1;
  std::string only;
};

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "disk_loop: %s\n", why.c_str());
  std::exit(64);
}

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    if (++i == argc) die(flag + " needs a value");
    if (flag == "--seed") o.seed = std::stoull(argv[i]);
    else if (flag == "--cuts") o.cuts = std::stoi(argv[i]);
    else if (flag == "--step") o.step = std::stoi(argv[i]);
    else if (flag == "--only") o.only = argv[i];
    else die("unknown argument " + flag);
  }
  return o;
}

struct Tally {
  int trials = 0, restarts = 0, refused_starts = 0, waits = 0, faults = 0;
};

class Loop {
 public:
  Loop(const Options& options, std::string folder)
      : options_(options), folder_(std::move(folder)) {}

  void faults(const char* kind, std::uint32_t calls, Disk::Cause cause, Durability durability) {
    if (!wanted(kind)) return;
    const auto trial = [&](int nth, Disk::Lasting lasting) {
      return fault_trial(options_.seed, folder_, {calls, nth, lasting, cause}, durability);
    };
    loop(kind, trial(INT_MAX, Disk::Lasting::kOnce).seen, trial);
  }
  void memory() {
    if (!wanted("memory")) return;
    const auto trial = [&](int nth, Disk::Lasting lasting) {
      return memory_trial(options_.seed, folder_, nth, lasting);
    };
    loop("memory", trial(0, Disk::Lasting::kOnce).seen, trial);
  }
  void power() {
    if (!wanted("power")) return;
    PowerResult all;
    const auto begun = std::chrono::steady_clock::now();
    for (std::uint64_t round = 0; all.cuts < options_.cuts; ++round) {
      const auto durability = round % 2 == 0 ? Durability::kFull : Durability::kNormal;
      const auto one = power_trial(options_.seed + round, folder_, durability, 5);
      all.cuts += one.cuts;
      all.restarted += one.restarted;
      all.behind += one.behind;
      for (const std::string& text : one.faults) tell(text);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    fmt::print(R"({{"kind":"power","seed":{},"cuts":{},"went_on":{},"commits_taken_back":{},)"
               R"("faults":{},"seconds":{:.0f}}})" "\n",
               options_.seed, all.cuts, all.restarted, all.behind, faults_, took.count());
    std::fflush(stdout);
  }
  [[nodiscard]] bool good() const { return faults_ == 0; }

 private:
  [[nodiscard]] bool wanted(const std::string& kind) const {
    return options_.only.empty() ||
           ("," + options_.only + ",").find("," + kind + ",") != std::string::npos;
  }

  template <class Trial>
  void loop(const char* kind, int calls, Trial trial) {
    Tally t;
    const auto begun = std::chrono::steady_clock::now();
    for (int nth = 1; nth <= calls; nth += options_.step) {
      for (const auto lasting : {Disk::Lasting::kOnce, Disk::Lasting::kForEver}) {
        const TrialResult result = trial(nth, lasting);
        ++t.trials;
        t.restarts += result.restarts;
        t.refused_starts += result.refused_starts;
        t.waits += result.waits;
        for (const std::string& text : result.faults) {
          tell(fmt::format("{} {} {}: {}", kind, nth,
                           lasting == Disk::Lasting::kOnce ? "once" : "for ever", text));
        }
      }
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    fmt::print(R"({{"kind":"{}","seed":{},"calls":{},"trials":{},"restarts":{},"refused_starts":{},)"
               R"("waits":{},"faults":{},"seconds":{:.0f}}})" "\n",
               kind, options_.seed, calls, t.trials, t.restarts, t.refused_starts, t.waits, faults_,
               took.count());
    std::fflush(stdout);
  }

  void tell(const std::string& text) {
    if (++faults_ <= 20) fmt::print(stderr, "{}\n", text);
  }

  const Options& options_;
  const std::string folder_;
  int faults_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  std::string name = std::filesystem::temp_directory_path() / "retailpulse-disk-XXXXXX";
  if (mkdtemp(name.data()) == nullptr) die("no folder");
  Loop loop(options, name + "/store");
  loop.faults("io", Disk::kAny & ~Disk::kSync, Disk::Cause::kIo, Durability::kNormal);
  loop.faults("full", Disk::kGrowing, Disk::Cause::kFull, Durability::kNormal);
  loop.faults("readonly", Disk::kGrowing, Disk::Cause::kReadOnly, Durability::kNormal);
  loop.faults("sync", Disk::kSync, Disk::Cause::kIo, Durability::kFull);
  loop.memory();
  loop.power();
  std::filesystem::remove_all(name);
  return loop.good() ? 0 : 1;
}
