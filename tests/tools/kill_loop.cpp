// kill_loop: ends the program in every way and asks the prefix oracle after every end.
//
//   kill_loop --program RETAILPULSE_FAILPOINTS [--rounds 50] [--seconds N] [--seed N]
//             [--records 150] [--kind point|time|start|stop|signal] [--plant NAME]
//             [--keep] [--verbose]
//             [--kafka HOST:PORT --broker DIR --scripts tests/kafka]
//
// It holds librdkafka's mock cluster, so that killing the program leaves the broker alone, and
// writes the records of a PrfShop to it, before and while the program runs. A round starts the
// program on the store that the last round left and ends it:
//   point    SIGKILL by itself at the k-th hit of a failpoint
//   time     SIGKILL after a random time
//   start    up to five times SIGKILL within the first 50 ms
//   stop     SIGTERM, then SIGKILL while it shuts down
//   signal   SIGTERM, SIGINT or SIGHUP, which must end it in order; sometimes a second one
// In some rounds the client delivers records again, a commit fails and is tried again, or threads
// sleep at random. Every kEpisode rounds the shop is read to its end, then once more into a new
// store; then a new shop begins. With --seconds no round begins later than that. With --kafka the
// broker is a real one and is killed too, in each tenth round. With --plant the loop ends as soon as the oracle objects, and succeeds only then.
//
// Prints one line of JSON. Exit 1: the store was wrong (or, with --plant, never was).
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/kafka.h>
#include <retailpulse/metrics.h>
#include <retailpulse/source.h>

#include "support/prefix_oracle.h"
#include "support/prf_writer.h"

extern char** environ;

using namespace retailpulse;
using namespace retailpulse::testing;

namespace {

using Millis = std::chrono::milliseconds;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr int kEpisode = 50;
constexpr std::uint32_t kPartitions = 2;
constexpr Millis kTick{10};
constexpr Millis kPointWithin{1500};
constexpr Millis kLogWithin{30'000};
constexpr Millis kEndsWithin{5000};     // after a signal
constexpr Millis kSlowedEndsWithin{30'000};  // with naps at each statement, or seeks that wait
constexpr Millis kReadsWithin{60'000};  // everything, with -e
constexpr const char* kZone = "Europe/Berlin";

[[noreturn]] void die(const std::string& why) {
  std::fprintf(stderr, "kill_loop: %s\n", why.c_str());
  std::exit(2);
}
void must(const Status& status) {
  if (!status.ok()) die(status.message());
}

struct Options {
  std::string program;
  int rounds = kEpisode;
  int seconds = 0;              // 0: as long as it takes
  std::uint64_t seed = std::random_device{}();
  std::uint64_t records = 150;  // written in a round
  std::string kind;             // empty: all
  std::string plant;
  std::string kafka;            // empty: the mock
  std::string broker;           // folder of the real one
  std::string scripts;
  bool keep = false;
  bool verbose = false;
};

Options parse(int argc, char** argv) {
  Options o;
  for (int i = 1; i < argc; ++i) {
    const std::string flag = argv[i];
    const auto value = [&]() -> std::string {
      if (++i == argc) die(flag + " needs a value");
      return argv[i];
    };
    if (flag == "--program") o.program = value();
    else if (flag == "--rounds") o.rounds = std::stoi(value());
    else if (flag == "--seconds") o.seconds = std::stoi(value());
    else if (flag == "--seed") o.seed = std::stoull(value());
    else if (flag == "--records") o.records = std::stoull(value());
    else if (flag == "--kind") o.kind = value();
    else if (flag == "--plant") o.plant = value();
    else if (flag == "--kafka") o.kafka = value();
    else if (flag == "--broker") o.broker = value();
    else if (flag == "--scripts") o.scripts = value();
    else if (flag == "--keep") o.keep = true;
    else if (flag == "--verbose") o.verbose = true;
    else die("unknown argument " + flag);
  }
  if (o.program.empty()) die("--program is needed");
  return o;
}

// --- What a round does ---------------------------------------------------------------------------

enum class Kind { kPoint, kTime, kStart, kStop, kSignal };
constexpr std::array<const char*, 5> kKindNames{"point", "time", "start", "stop", "signal"};

struct Point {
  const char* name;
  int hits;  // the last hit worth waiting for
};
// In the order of a record's way; the texts of statements are those of src/store.
constexpr Point kPoints[] = {
    {"opened", 1}, {"poll", 60}, {"push", 12}, {"after push", 12}, {"fold", 12}, {"cut", 15},
    {"after cut", 15}, {"BEGIN IMMEDIATE", 10}, {"INSERT INTO names", 30},
    {"INSERT OR REPLACE INTO listings", 10}, {"INSERT OR REPLACE INTO catalog", 10},
    {"INSERT INTO totals", 60}, {"INSERT INTO categories", 60}, {"INSERT INTO products", 60},
    {"INSERT INTO ratings", 40}, {"INSERT INTO types", 40}, {"INSERT INTO product_first", 40},
    {"INSERT OR REPLACE INTO visitors", 40}, {"INSERT INTO shared_orders", 20},
    {"SELECT marks", 20}, {"UPDATE partition_state SET next_offset", 20},
    {"INSERT INTO ledger_counts", 30}, {"INSERT INTO recent_ids", 20},
    {"INSERT INTO reject_rows", 2}, {"UPDATE clock", 10}, {"COMMIT", 10}, {"after COMMIT", 10},
    {"publish", 10}, {"ack", 10}, {"after ack", 10}, {"DELETE FROM", 30}, {"checkpoint", 1},
    {"after checkpoint", 1}, {"sql", 1500}};
constexpr Point kStopPoints[] = {{"stopping", 1}, {"closing", 1}, {"PRAGMA optimize", 1},
                                 {"checkpoint", 1}, {"after checkpoint", 1}};
constexpr int kSchemaStatements = 100;  // about as many as a new store takes

struct Plan {
  Kind kind = Kind::kTime;
  std::string at;       // FAILPOINT_AT
  std::string fault;    // FAILPOINT_FAULT
  std::string yield;    // FAILPOINT_YIELD
  Millis wait{0};
  int signal = SIGTERM;
  bool second = false;  // signal
  Millis grace{0};      // between the first signal and the second or SIGKILL
  int lanes = 1;
  bool full = false;    // durability
  bool restart_broker = false;
  Millis after_restart{0};

  [[nodiscard]] std::string text() const {
    return fmt::format("{} wait={}ms at='{}' fault='{}' yield='{}' lanes={} {}",
                       kKindNames[static_cast<std::size_t>(kind)], wait.count(), at, fault, yield,
                       lanes, full ? "full" : "normal");
  }
};

class Planner {
 public:
  Planner(std::uint64_t seed, int round, const Options& options)
      : random_(seed * 1'000'003 + static_cast<std::uint64_t>(round)) {
    creating_ = round % kEpisode < 3 && options.plant.empty();
    // A planted bug meets the fault that it needs in every round.
    const bool retries = round % 8 == 2 || options.plant == "retry_twice";
    busy_ = retries && !creating_ && options.kind.empty();
    broker_ = round % 10 == 9 && !options.broker.empty();
    plan_.kind = kind(options.kind);
    plan_.lanes = 1 + static_cast<int>(below(3));
    plan_.full = below(4) == 0;
    if (below(10) < 3) plan_.yield = fmt::format("{}:{}", below(1'000'000), 10 + below(200));
    const bool again = round % 4 == 1 || options.plant == "no_redelivery_guard";
    if (again) plan_.fault = fmt::format("redelivery:{}", 3 + below(20));
  }

  Plan make() {
    switch (plan_.kind) {
      case Kind::kPoint: point(); break;
      case Kind::kTime: plan_.wait = Millis{below(1200)}; break;
      case Kind::kStart: plan_.wait = Millis{50}; break;
      case Kind::kStop: stop(); break;
      case Kind::kSignal: signal(); break;
    }
    plan_.restart_broker = broker_;
    plan_.after_restart = Millis{below(1500)};
    if (busy_) {  // a failed commit is tried again after a second
      plan_.fault = "busy:2";
      plan_.wait = Millis{2200 + below(800)};
    }
    return plan_;
  }

 private:
  std::uint64_t below(std::uint64_t n) { return random_() % n; }

  Kind kind(const std::string& wanted) {
    for (std::size_t k = 0; k < kKindNames.size(); ++k) {
      if (wanted == kKindNames[k]) return static_cast<Kind>(k);
    }
    if (creating_) return Kind::kPoint;
    if (busy_ || broker_) return Kind::kTime;
    const auto dice = below(100);
    if (dice < 45) return Kind::kPoint;
    if (dice < 65) return Kind::kTime;
    if (dice < 75) return Kind::kStart;
    return dice < 88 ? Kind::kStop : Kind::kSignal;
  }
  void point() {
    plan_.wait = kPointWithin;
    if (creating_) {
      plan_.at = fmt::format("sql:{}", 1 + below(kSchemaStatements));
      return;
    }
    const Point& p = kPoints[below(std::size(kPoints))];
    const auto hits = static_cast<std::uint64_t>(p.hits);
    plan_.at = fmt::format("{}:{}", p.name, 1 + std::min(below(hits), below(hits)));
  }
  void stop() {
    plan_.wait = Millis{50 + below(700)};
    plan_.grace = Millis{below(25)};
    if (below(2) == 0) return;
    plan_.at = fmt::format("{}:1", kStopPoints[below(std::size(kStopPoints))].name);
    plan_.grace = kPointWithin;
  }
  void signal() {
    plan_.wait = Millis{below(1000)};
    plan_.signal = std::array{SIGTERM, SIGINT, SIGHUP}[below(3)];
    plan_.second = below(5) == 0;
    plan_.grace = Millis{below(20)};
  }

  std::mt19937_64 random_;
  bool creating_;  // the store is made in this round
  bool busy_;      // commits fail and are tried again
  bool broker_;    // the broker is killed too
  Plan plan_;
};

// --- The program under test ----------------------------------------------------------------------

class Child {
 public:
  ~Child() {
    if (pid_ > 0) {
      send(SIGKILL);
      static_cast<void>(wait(kEndsWithin));
    }
  }

  void start(const std::vector<std::string>& words, const std::vector<std::string>& wishes,
             const std::string& log) {
    std::vector<std::string> env = wishes;
    for (char** variable = environ; *variable != nullptr; ++variable) {
      const std::string text = *variable;
      const bool ours = text.rfind("FAILPOINT_", 0) == 0 || text.rfind("RETAILPULSE_", 0) == 0;
      if (!ours) env.push_back(text);
    }
    const auto pointers = [](const std::vector<std::string>& texts) {
      std::vector<char*> out;
      for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
      out.push_back(nullptr);
      return out;
    };
    const auto argv = pointers(words);
    const auto envp = pointers(env);
    const int out = open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (out < 0) die("cannot write " + log);
    // One that we were started to ignore (nohup, &) would be lost before the program takes it.
    sigset_t all, before;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, &before);
    pid_ = fork();
    if (pid_ < 0) die("cannot start a process");
    if (pid_ == 0) {  // only async-signal-safe calls from here on
      prctl(PR_SET_PDEATHSIG, SIGKILL);
      for (const int signal : {SIGTERM, SIGINT, SIGHUP}) std::signal(signal, SIG_DFL);
      sigprocmask(SIG_SETMASK, &before, nullptr);
      dup2(out, STDOUT_FILENO);
      dup2(out, STDERR_FILENO);
      execve(argv[0], argv.data(), envp.data());
      _exit(127);
    }
    sigprocmask(SIG_SETMASK, &before, nullptr);
    close(out);
  }

  void send(int signal) const { kill(pid_, signal); }

  // Its wait status once it has ended.
  std::optional<int> ended() {
    int status = 0;
    if (pid_ <= 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    pid_ = 0;
    return status;
  }

  std::optional<int> wait(Millis most) {
    const auto deadline = std::chrono::steady_clock::now() + most;
    for (;;) {
      if (auto status = ended()) return status;
      if (std::chrono::steady_clock::now() > deadline) return std::nullopt;
      std::this_thread::sleep_for(Millis{1});
    }
  }

 private:
  pid_t pid_ = 0;
};

std::string status_text(int status) {
  if (WIFSIGNALED(status)) return fmt::format("signal {}", WTERMSIG(status));
  return fmt::format("exit code {}", WEXITSTATUS(status));
}

std::string last_lines(const std::string& path) {
  std::ifstream in(path);
  std::string all((std::istreambuf_iterator<char>(in)), std::istreambuf_iterator<char>());
  return all.size() > 3000 ? all.substr(all.size() - 3000) : all;
}

// --- The shop and its broker ---------------------------------------------------------------------

class Feed {
 public:
  Feed(const Options& options, std::uint64_t seed, int episode)
      : writer_({seed, kPartitions}, topics_of(seed, episode)) {
    if (options.kafka.empty()) {
      auto mock = start_mock_cluster(1);
      must(mock.status());
      mock_ = std::move(mock).value();
      config_.bootstrap = mock_->bootstrap();
      for (const std::string& topic : topics()) must(mock_->create_topic(topic, kPartitions));
    } else {
      config_.bootstrap = options.kafka;
      const auto tool = std::filesystem::read_symlink("/proc/self/exe").parent_path() / "produce";
      for (const std::string& topic : topics()) {
        const auto command = fmt::format("{} -b {} -t {} --create {} </dev/null >/dev/null",
                                         tool.string(), options.kafka, topic, kPartitions);
        if (std::system(command.c_str()) != 0) die("no topic " + topic);
      }
    }
    ProducerOptions how;
    how.codec = "none";
    how.linger = Millis{1};
    // Records are as old as their events, and of a producer that last wrote so long ago a broker that
    // was killed keeps no sequence numbers: two batches on their way could change places.
    config_.properties["max.in.flight.requests.per.connection"] = "1";
    auto producer = open_producer(config_, how);
    must(producer.status());
    producer_ = std::move(producer).value();
  }

  void give(std::uint64_t n) { must(writer_.give(n, *producer_)); }
  void flush() { must(producer_->flush(std::chrono::minutes{1})); }

  [[nodiscard]] const PrfShop& shop() const { return writer_.shop(); }
  [[nodiscard]] const std::vector<std::string>& topics() const { return writer_.topics(); }
  [[nodiscard]] const std::vector<Offset>& ends() const { return writer_.ends(); }
  [[nodiscard]] const std::string& bootstrap() const { return config_.bootstrap; }

 private:
  static std::vector<std::string> topics_of(std::uint64_t seed, int episode) {
    std::vector<std::string> topics;
    for (const std::string_view role : kRoleNames) {
      topics.push_back(fmt::format("{}_{}_{}", role, seed % 1'000'000, episode));
    }
    return topics;
  }

  PrfWriter writer_;
  KafkaConfig config_;
  std::unique_ptr<MockCluster> mock_;
  std::unique_ptr<Producer> producer_;
};

// What the log itself holds, against what was written: when a store is wrong on a real broker, the
// broker or the producer may have been first.
class LogCheck final : public MessageSink {
 public:
  explicit LogCheck(const Feed& feed) : feed_(feed), read_(feed.ends().size(), 0) {}

  std::string run() {
    KafkaConfig config;
    config.bootstrap = feed_.bootstrap();
    Metrics metrics(1);
    auto source = open_kafka_source(config, LaneId{0}, metrics.consumers[0]);
    must(source.status());
    std::vector<PartitionStart> starts;
    for (std::uint32_t slot = 0; slot < read_.size(); ++slot) {
      starts.push_back({.slot = PartitionSlot{slot}, .topic = feed_.topics()[slot / kPartitions],
                        .partition = static_cast<std::int32_t>(slot % kPartitions), .offset = 0});
    }
    source.value()->add(std::move(starts));
    const auto until = std::chrono::steady_clock::now() + kLogWithin;
    while (read_ != feed_.ends() && std::chrono::steady_clock::now() < until) {
      must(source.value()->poll(*this, Millis{50}));
    }
    if (!different_.empty()) return "the log is not what was written: " + different_;
    return read_ == feed_.ends() ? "the log is what was written" : "the log could not be read";
  }

  bool on_message(const Message& message) override {
    const std::uint32_t slot = index_of(message.slot);
    const PrfRecord wanted = feed_.shop().record(slot, read_[slot]);
    const bool same = message.offset == read_[slot] && message.value == wanted.value;
    if (!same && different_.empty()) {
      different_ = fmt::format("slot {}, offset {}: {} instead of record {}: {}", slot,
                               message.offset, message.value, read_[slot], wanted.value);
    }
    ++read_[slot];
    return true;
  }
  void on_end(PartitionSlot, Offset) override {}

 private:
  const Feed& feed_;
  std::vector<Offset> read_;
  std::string different_;
};

// --- The loop ------------------------------------------------------------------------------------

struct Tally {
  int rounds = 0, kills = 0, at_points = 0, signals = 0, unheard = 0, broker_kills = 0;
  int checks = 0, rebuilds = 0, progress = 0, faults = 0;
  std::int64_t lost = 0, doubled = 0;
  std::uint64_t records = 0;
};

class Loop {
 public:
  explicit Loop(const Options& options) : options_(options) {
    std::string name = std::filesystem::temp_directory_path() / "retailpulse-kills-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) die("no folder");
    folder_ = name;
    time_.zone = kZone;
  }
  ~Loop() {
    if (options_.keep) {
      std::fprintf(stderr, "kept %s\n", folder_.c_str());
    } else {
      std::filesystem::remove_all(folder_);
    }
  }

  // False as soon as a store was wrong.
  bool run() {
    for (int episode = 0; more(); ++episode) {
      if (!run_episode(episode)) return false;
    }
    return true;
  }
  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const std::string& first_fault() const { return first_fault_; }

 private:
  [[nodiscard]] bool more() const {
    const std::chrono::seconds most{options_.seconds};
    const bool late = most.count() > 0 && std::chrono::steady_clock::now() - begun_ > most;
    return !late && tally_.rounds < options_.rounds;
  }

  bool run_episode(int episode) {
    Feed feed(options_, options_.seed + static_cast<std::uint64_t>(episode), episode);
    feed_ = &feed;
    data_ = fmt::format("{}/store-{}", folder_, episode);
    oracle_ = std::make_unique<PrefixOracle>(feed.shop(), feed.topics(), time_);
    for (int i = 0; i < kEpisode && more(); ++i) {
      if (!run_round(tally_.rounds++)) {
        if (!options_.kafka.empty()) fmt::print(stderr, "{}\n", LogCheck(feed).run());
        return false;
      }
    }
    if (!read_to_end("to the end")) return false;
    // Everything once more from offset 0 into a new store must give the same.
    const std::string old = std::exchange(data_, data_ + "-again");
    oracle_ = std::make_unique<PrefixOracle>(feed.shop(), feed.topics(), time_);
    if (!read_to_end("again from the beginning")) return false;
    ++tally_.rebuilds;
    if (options_.verbose) fmt::print(stderr, "episode {} ok\n", episode);
    std::filesystem::remove_all(old);
    std::filesystem::remove_all(data_);
    for (const Offset end : feed.ends()) tally_.records += static_cast<std::uint64_t>(end);
    return true;
  }

  std::vector<std::string> words(const Plan& plan, bool to_the_end) const {
    std::vector<std::string> w{
        options_.program, "run", "-b", feed_->bootstrap(), "--data", data_, "--port", "0",
        "--zone", kZone, "--from", "earliest", "--lanes", std::to_string(plan.lanes),
        "--durability", plan.full ? "full" : "normal", "-X", "fetch.wait.max.ms=10"};
    for (std::size_t role = 0; role < kRoleNames.size(); ++role) {
      w.insert(w.end(), {"-t", fmt::format("{}={}", feed_->topics()[role], kRoleNames[role])});
    }
    if (to_the_end) w.emplace_back("-e");
    return w;
  }
  std::vector<std::string> wishes(const Plan& plan) const {
    std::vector<std::string> env;
    if (!plan.at.empty()) env.push_back("FAILPOINT_AT=" + plan.at);
    if (!plan.fault.empty()) env.push_back("FAILPOINT_FAULT=" + plan.fault);
    if (!plan.yield.empty()) env.push_back("FAILPOINT_YIELD=" + plan.yield);
    if (!options_.plant.empty()) env.push_back("FAILPOINT_PLANT=" + options_.plant);
    return env;
  }
  [[nodiscard]] std::string log() const { return folder_ + "/program.log"; }

  bool run_round(int round) {
    const Plan plan = Planner(options_.seed, round, options_).make();
    where_ = fmt::format("seed {} round {}: {}", options_.seed, round, plan.text());
    if (options_.verbose) fmt::print(stderr, "{}", where_);
    given_ = options_.records / 2;
    feed_->give(given_);
    feed_->flush();
    if (plan.kind == Kind::kStart) return run_starts(round);
    Child child;
    child.start(words(plan, false), wishes(plan), log());
    const auto begun = std::chrono::steady_clock::now();
    bool good = true;
    if (auto early = feed_until(child, begun + plan.wait)) {
      good = killed_itself(*early, plan);
    } else {
      if (plan.restart_broker) good = restart_broker(child, plan);
      good = good && end(child, plan, begun);
    }
    if (given_ < options_.records) feed_->give(options_.records - given_);
    return good && check();
  }

  // Writes on while the program runs, until `deadline` or until it has ended.
  std::optional<int> feed_until(Child& child, SteadyTime deadline) {
    while (std::chrono::steady_clock::now() < deadline) {
      if (given_ < options_.records) {
        const auto few = std::max<std::uint64_t>(1, options_.records / 150);
        const auto burst = std::min(options_.records - given_, few);
        given_ += burst;
        feed_->give(burst);
      }
      if (auto status = child.wait(kTick)) return status;
    }
    return std::nullopt;
  }

  bool run_starts(int round) {
    std::mt19937_64 random(options_.seed ^ static_cast<std::uint64_t>(round));
    for (int i = 0; i < 5; ++i) {
      Child child;
      Plan plan;
      child.start(words(plan, false), wishes(plan), log());
      std::this_thread::sleep_for(std::chrono::microseconds{random() % 50'000});
      child.send(SIGKILL);
      const auto status = child.wait(kEndsWithin);
      if (!status || !killed_itself(*status, plan) || !check()) return false;
    }
    return true;
  }

  bool killed_itself(int status, const Plan& plan) {
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) {
      ++tally_.kills;
      if (!plan.at.empty()) ++tally_.at_points;
      return true;
    }
    return fault("the program ended by itself: " + status_text(status) + "\n" + last_lines(log()));
  }

  bool end(Child& child, const Plan& plan, SteadyTime begun) {
    if (plan.kind == Kind::kSignal) return end_in_order(child, plan, begun);
    if (plan.kind == Kind::kStop) {
      child.send(plan.signal);
      if (const auto status = child.wait(plan.grace)) {
        if (WIFEXITED(*status) && WEXITSTATUS(*status) == 0) return true;
        if (unheard(*status, plan, begun)) return true;
        return killed_itself(*status, plan);
      }
    }
    child.send(SIGKILL);
    ++tally_.kills;
    return child.wait(kEndsWithin).has_value() || fault("SIGKILL did not end it");
  }

  // A signal in the first moments finds no handler yet: it ends the process all the same.
  bool unheard(int status, const Plan& plan, SteadyTime begun) {
    const bool so = WIFSIGNALED(status) && WTERMSIG(status) == plan.signal &&
                    std::chrono::steady_clock::now() - begun < Millis{500};
    if (so) ++tally_.unheard;
    return so;
  }

  bool end_in_order(Child& child, const Plan& plan, SteadyTime begun) {
    ++tally_.signals;
    child.send(plan.signal);
    bool twice = false;
    if (plan.second) {
      if (auto status = child.wait(plan.grace)) {
        if (unheard(*status, plan, begun)) return true;
        return *status == 0 || fault("after a signal: " + status_text(*status));
      }
      // Another one: of two alike that both wait the kernel delivers one.
      child.send(plan.signal == SIGTERM ? SIGINT : SIGTERM);
      twice = true;
    }
    const bool slowed = !plan.yield.empty() || !plan.fault.empty();
    const Millis limit = slowed ? kSlowedEndsWithin : kEndsWithin;
    const auto status = child.wait(twice ? Millis{1000} : limit);
    if (!status) {
      return fault(fmt::format("{} did not end it in time\n{}",
                               twice ? "a second signal" : "a signal", last_lines(log())));
    }
    if (unheard(*status, plan, begun)) return true;
    const int code = WIFEXITED(*status) ? WEXITSTATUS(*status) : -1;
    const bool fine = code == 0 || (twice && code == 1);
    return fine || fault("after a signal: " + status_text(*status) + "\n" + last_lines(log()));
  }

  // Meanwhile the program waits for it, and then goes on.
  bool restart_broker(Child& child, const Plan& plan) {
    ++tally_.broker_kills;
    feed_->flush();
    const auto command = fmt::format("{0}/stop --kill {1} && {0}/start --dir {1} >/dev/null",
                                     options_.scripts, options_.broker);
    if (std::system(command.c_str()) != 0) die("the broker does not come back");
    const auto status = feed_until(child, std::chrono::steady_clock::now() + plan.after_restart);
    return !status || fault("it ended with its broker: " + status_text(*status));
  }

  bool read_to_end(const char* what) {
    feed_->flush();
    where_ = fmt::format("seed {} after round {}: {}", options_.seed, tally_.rounds - 1, what);
    Plan plan;
    plan.lanes = 2;
    Child child;
    child.start(words(plan, true), wishes(plan), log());
    const auto status = child.wait(kReadsWithin);
    if (!status || *status != 0) {
      const auto what_happened = status ? status_text(*status) : "it does not come to the end";
      return fault(what_happened + "\n" + last_lines(log()));
    }
    if (!check()) return false;
    for (std::uint32_t slot = 0; slot < feed_->shop().slots(); ++slot) {
      if (oracle_->next(slot) != feed_->ends()[slot]) {
        return fault(fmt::format("slot {} was read to {}, not to {}", slot, oracle_->next(slot),
                                 feed_->ends()[slot]));
      }
    }
    return true;
  }

  bool check() {
    ++tally_.checks;
    const Verdict verdict = oracle_->check(data_ + "/retailpulse.db", feed_->ends());
    if (options_.verbose) fmt::print(stderr, " -> {} records\n", verdict.records);
    if (verdict.records > records_ || records_ == 0) ++tally_.progress;
    records_ = verdict.records;
    tally_.lost += verdict.lost;
    tally_.doubled += verdict.doubled;
    for (const std::string& text : verdict.faults) fault(text);
    return verdict.faults.empty();
  }

  bool fault(const std::string& text) {
    ++tally_.faults;
    const std::string whole = where_ + "\n  " + text;
    if (first_fault_.empty()) first_fault_ = whole;
    if (options_.plant.empty() || options_.verbose) fmt::print(stderr, "{}\n", whole);
    return false;
  }

  const Options& options_;
  const SteadyTime begun_ = std::chrono::steady_clock::now();
  TimeConfig time_;
  std::string folder_;
  std::string data_;
  std::string where_;
  std::string first_fault_;
  std::uint64_t given_ = 0;    // records of this round
  std::uint64_t records_ = 0;  // in the store at the last check
  Tally tally_;
  Feed* feed_ = nullptr;
  std::unique_ptr<PrefixOracle> oracle_;
};

}  // namespace

int main(int argc, char** argv) {
  const Options options = parse(argc, argv);
  const auto begun = std::chrono::steady_clock::now();
  Loop loop(options);
  const bool good = loop.run();
  const Tally& t = loop.tally();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
  fmt::print(R"({{"seed":{},"rounds":{},"kills":{},"at_failpoints":{},"signals":{},"unheard":{},)"
             R"("broker_kills":{},"checks":{},"with_progress":{},"rebuilds":{},"records":{},)"
             R"("lost":{},"doubled":{},"faults":{},"seconds":{:.0f}}})"
             "\n",
             options.seed, t.rounds, t.kills, t.at_points, t.signals, t.unheard, t.broker_kills,
             t.checks, t.progress, t.rebuilds, t.records, t.lost, t.doubled, t.faults,
             took.count());
  if (options.plant.empty()) return good ? 0 : 1;
  if (good) {
    fmt::print(stderr, "the oracle did not notice {}\n", options.plant);
    return 1;
  }
  fmt::print(stderr, "{} noticed: {}\n", options.plant, loop.first_fault().substr(0, 600));
  return 0;
}
