#include "app/supervisor.h"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "app/meaning.h"
#include "base/failpoint.h"
#include "base/log.h"

namespace retailpulse {
namespace {

constexpr Duration kBrokerTimeout = std::chrono::seconds{5};  // at the start
constexpr Duration kWatchTimeout = std::chrono::seconds{1};   // while running: a stop must be seen
constexpr Duration kTick = std::chrono::milliseconds{20};
constexpr Duration kReconnectEvery = std::chrono::seconds{2};
constexpr Duration kEndsEvery = std::chrono::seconds{2};
constexpr Duration kStopWithin = std::chrono::seconds{5};

std::size_t lane_count(const PipelineConfig& config) {
  if (config.lanes != 0) return config.lanes;
  return std::clamp<std::size_t>(std::thread::hardware_concurrency() / 2, 1, 4);
}

void say(const std::string& line) { fmt::print(stderr, "{}\n", line); }

}  // namespace

Supervisor::Supervisor(const Config& config, const Clock& clock, bool demo)
    : config_(config), clock_(clock), demo_(demo), started_(clock.monotonic()),
      metrics_(std::make_unique<Metrics>(lane_count(config.pipeline))),
      board_(std::make_unique<StatusBoard>(clock, *metrics_, demo)) {}

Supervisor::~Supervisor() { static_cast<void>(shut_down()); }  // a late end is already logged

Status Supervisor::start() {
  // Until a broker has answered, nothing on the page may look alive.
  board_->set_reachable(false, "connecting to " + config_.kafka.bootstrap);
  if (Status s = open_store_and_pages(); !s.ok()) return s;
  say(fmt::format("listening on {}", pages_->url()));
  if (Status s = open_lanes(); !s.ok()) return s;
  say(fmt::format("store {} (days in {})", store_->path(), store_->zone()));
  const Status status = discover(kBrokerTimeout);
  const bool give_up = config_.exit_at_end || config_.require_healthy || !refused_.ok();
  if (!status.ok() && give_up) return status;
  if (!status.ok()) {
    say("not connected yet: " + status.message());
    say("the page is up and says so; trying again every 2 s");
  }
  say("stop with Ctrl-C");
  return {};
}

Status Supervisor::open_store_and_pages() {
  StoreOptions options;
  options.config = config_.store;
  options.settings = meaning_of(config_);
  options.zone = config_.time.zone;
  options.throw_away = demo_;
  auto store = open_store(options);
  if (!store.ok()) return store.status();
  store_ = std::move(store).value();
  failpoint("opened");
  for (const std::string& change : store_->setting_changes()) board_->notice(change);
  auto stored = store_->partitions();
  if (!stored.ok()) return stored.status();
  stored_ = std::move(stored).value();
  auto replays = ReplayDesk::open(store_->path(), clock_);
  if (!replays.ok()) return replays.status();
  replays_ = std::move(replays).value();
  auto pages = open_pages(config_, clock_, store_->path(), *board_, *metrics_, *replays_);
  if (!pages.ok()) return pages.status();
  pages_ = std::move(pages).value();
  return {};
}

Status Supervisor::open_lanes() {
  auto admin = open_kafka_admin(config_.kafka);
  if (!admin.ok()) return admin.status();
  admin_ = std::move(admin).value();
  committer_ = std::make_unique<Committer>(config_, clock_, *store_, *board_, *metrics_,
                                            *replays_);
  for (std::uint32_t i = 0; i < metrics_->consumers.size(); ++i) {
    const auto id = static_cast<LaneId>(i);
    auto source = open_kafka_source(config_.kafka, id, metrics_->consumers[i]);
    if (!source.ok()) return source.status();
    lanes_.push_back(std::make_unique<Lane>(
        id, config_.time, std::move(source).value(),
        make_json_decoder(config_.time, &metrics_->consumers[i]), *metrics_, committer_->signal()));
  }
  return {};
}

Status Supervisor::discover(Duration timeout) {
  const bool first = known_.empty();
  auto planned = plan_partitions(*admin_, config_, stored_, known_, clock_.wall(), timeout);
  // A topic that is not there may well be in another cluster.
  if (first && (planned.ok() || planned.status().code() == Code::kNotFound)) {
    Status sure = check_cluster(timeout);
    if (sure.ok() && planned.ok()) sure = take_new_logs(planned.value(), timeout);
    if (!sure.ok()) planned = sure;
    if (sure.code() == Code::kConfig) refused_ = sure;
  }
  if (!planned.ok()) {
    next_discovery_ = clock_.monotonic() + kReconnectEvery;
    board_->set_reachable(false, planned.status().message());
    board_->notice(planned.status().message());
    return planned.status();
  }
  next_discovery_ = clock_.monotonic() + config_.kafka.discovery;
  if (first) {
    auto brokers = admin_->brokers(timeout);
    std::vector<std::string> topics;
    for (const StreamConfig& s : config_.streams) {
      topics.push_back(fmt::format("{}={}", s.topic, kRoleNames[static_cast<std::size_t>(s.role)]));
    }
    say(fmt::format("reading {} partitions of {} from {}", planned.value().size(),
                    fmt::join(topics, ", "), config_.kafka.bootstrap));
    board_->set_cluster(brokers.ok() ? brokers.value() : config_.kafka.bootstrap, std::move(topics));
  }
  board_->set_reachable(true, "");
  std::size_t resumed = 0;
  Offset waiting = 0;
  const std::size_t found = planned.value().size();
  for (PlannedPartition& p : planned.value()) {
    resumed += p.stored ? 1 : 0;
    waiting += std::max<Offset>(0, p.range.end - p.start);
    add(std::move(p));
  }
  if (first) {
    say(fmt::format("{} go on where the store left them, {} begin anew; {} records are waiting",
                    resumed, found - resumed, waiting));
  } else if (found > 0) {
    board_->notice(fmt::format("{} new partitions found; they are read from their beginning", found));
  }
  if (!reading_ && !known_.empty()) begin_reading();
  return {};
}

Status Supervisor::check_cluster(Duration timeout) {
  auto id = admin_->cluster_id(timeout);
  if (!id.ok()) return id.status();
  const std::string& known = store_->cluster_id();
  committer_->of_cluster(id.value());
  if (id.value().empty() || known.empty() || known == id.value()) return {};
  if (config_.new_cluster == id.value()) return store_->move_to_cluster(id.value());
  return {Code::kConfig,
          fmt::format("{} is cluster {}, but the numbers in {} are of cluster {}. Nothing was read "
                      "and nothing written. Correct the address, or give another folder with "
                      "--data; if the same topics moved to this cluster, start once with "
                      "--new-cluster {}.",
                      config_.kafka.bootstrap, id.value(), store_->path(), known, id.value())};
}

Status Supervisor::take_new_logs(std::vector<PlannedPartition>& planned, Duration timeout) {
  if (Status s = begin_new_logs(*admin_, config_, planned, clock_.wall(), timeout); !s.ok()) {
    return s;
  }
  std::vector<NewLog> logs;
  for (const PlannedPartition& p : planned) {
    if (p.new_log) logs.push_back({p.id.topic, p.id.partition, p.start});
  }
  if (logs.empty()) return {};
  say(fmt::format("{} partitions go on in a new log; what was counted of the old one stays",
                  logs.size()));
  return store_->begin_logs(logs);
}

void Supervisor::add(PlannedPartition&& planned) {
  const auto slot = static_cast<PartitionSlot>(known_.size());
  known_.push_back(planned.id);
  const PartitionStart start{slot, planned.id.topic, planned.id.partition, planned.start,
                             planned.last};
  board_->add_partition(slot, planned.id, planned.start, planned.range.end, planned.halted);
  committer_->add(start, planned.max_event_us);
  std::vector<LanePartition> one;
  one.push_back({start, planned.stream,
                 SlotStart{slot, planned.start, planned.max_event_us,
                           std::move(planned.recent_ids)}});
  Lane& lane = *lanes_[index_of(slot) % lanes_.size()];
  lane.add(std::move(one));
  replays_->add(start, lane);
}

void Supervisor::begin_reading() {
  reading_ = true;
  std::vector<Lane*> lanes;
  for (const auto& lane : lanes_) {
    lane->start(store_->floor_us(), [this](const Status& status) {
      board_->set_failed(status.message());
      store_failed_.store(true, std::memory_order_relaxed);
    });
    lanes.push_back(lane.get());
  }
  committer_->start(std::move(lanes), [this] {
    store_failed_.store(true, std::memory_order_relaxed);
    for (const auto& lane : lanes_) lane->stop_reading();
  });
}

// Lag for pages, and whether anybody answers; a question to the brokers, so on no hot thread.
void Supervisor::refresh_ends() {
  next_ends_ = clock_.monotonic() + kEndsEvery;
  if (known_.empty()) return;
  const auto ends = admin_->ends(known_, kWatchTimeout);
  if (ends.ok()) board_->set_ends(ends.value());  // else the silence itself is told
}

bool Supervisor::done(const std::atomic<bool>& stop) const {
  if (stop.load(std::memory_order_relaxed) || !refused_.ok()) return true;
  if (!config_.exit_at_end) return false;
  return store_failed_.load(std::memory_order_relaxed) ||
         (reading_ && board_->targets_reached());
}

Status Supervisor::run(const std::atomic<bool>& stop) {
  next_ends_ = clock_.monotonic() + kEndsEvery;
  while (!done(stop)) {
    metrics_->main.turns.add();
    failpoint("watch");
    std::this_thread::sleep_for(kTick);
    const Duration now = clock_.monotonic();
    // A failed question is told on the page; the next try is due in a moment.
    if (now >= next_discovery_ && !config_.exit_at_end) static_cast<void>(discover(kWatchTimeout).ok());
    metrics_->main.turns.add();  // each question to the brokers may take its time
    if (now >= next_ends_) refresh_ends();
    board_->watch_stages();
  }
  metrics_->main.turns.set(kEnded);
  if (!refused_.ok()) return refused_;
  const std::string failure = board_->failure();
  const std::string halted = config_.exit_at_end ? board_->halted() : "";
  if (failure.empty() && !halted.empty()) return {Code::kConfig, halted};
  return failure.empty() ? Status() : Status(Code::kStorage, failure);
}

bool Supervisor::shut_down() {
  if (store_ == nullptr) return true;
  const Duration begun = clock_.monotonic();
  failpoint("stopping");
  board_->set_stopping();
  for (const auto& lane : lanes_) lane->stop_reading();
  if (committer_ != nullptr) {
    committer_->signal().raise();
    committer_->join();
  }
  for (const auto& lane : lanes_) lane->join();
  if (replays_ != nullptr) replays_->stop();
  if (pages_ != nullptr) pages_->stop();
  failpoint("closing");
  if (Status s = store_->close(); !s.ok()) {
    log(LogLevel::kWarning, "store", "closing", {{"cause", s.message()}});
  }
  store_.reset();
  const bool in_time = clock_.monotonic() - begun <= kStopWithin;
  if (!in_time) log(LogLevel::kWarning, "app", "stopping took longer than five seconds");
  return in_time;
}

std::string Supervisor::summary() {
  const auto counts = board_->counts();
  std::uint64_t consumed = 0;
  std::string buckets;
  for (std::size_t b = 0; b < kBuckets; ++b) {
    consumed += counts[b];
    buckets += fmt::format(",\"{}\":{}", kBucketNames[b], counts[b]);
  }
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  const double elapsed = std::chrono::duration<double>(clock_.monotonic() - started_).count();
  return fmt::format(
      "{{\"consumed\":{}{},\"elapsed_s\":{:.3f},\"events_per_s\":{:.0f},\"cpu_s\":{:.3f},"
      "\"max_rss_bytes\":{}}}",
      consumed, buckets, elapsed, static_cast<double>(consumed) / std::max(elapsed, 1e-9),
      seconds(usage.ru_utime) + seconds(usage.ru_stime), usage.ru_maxrss * 1024L);
}

}  // namespace retailpulse
