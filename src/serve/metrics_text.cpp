#include "serve/metrics_text.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <system_error>

#include <sys/resource.h>
#include <unistd.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace retailpulse {
namespace {

// Histogram buckets shown: bounds 2^7 µs (0.1 ms) to 2^27 µs (134 s); the rest is in +Inf.
constexpr std::size_t kFirstBucket = 6;
constexpr std::size_t kLastBucket = 26;
constexpr std::size_t kPartitionsMax = 2'000;  // with a series of their own
static_assert(kLastBucket < DurationHistogram::kBucketCount);

std::string label_text(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '\\' || c == '"') out.push_back('\\');
    if (c == '\n') {
      out.append("\\n");
    } else {
      out.push_back(c);
    }
  }
  return out;
}

class Exposition {
 public:
  explicit Exposition(MetricsFormat format) : open_(format == MetricsFormat::kOpenMetrics) {}

  // Begins a family; `name` without prefix, of a counter without "_total".
  void family(std::string_view name, std::string_view type, std::string_view help) {
    name_ = fmt::format("retailpulse_{}", name);
    suffix_ = type == "counter" ? "_total" : "";
    const std::string shown = open_ ? name_ : fmt::format("{}{}", name_, suffix_);
    out_ += fmt::format("# HELP {0} {1}\n# TYPE {0} {2}\n", shown, help, type);
  }
  template <class Number>
  void sample(Number value, std::string_view labels = {}) {
    out_ += labels.empty() ? fmt::format("{}{} {}\n", name_, suffix_, value)
                           : fmt::format("{}{}{{{}}} {}\n", name_, suffix_, labels, value);
  }
  template <class Number>
  void single(std::string_view name, std::string_view type, std::string_view help, Number value) {
    family(name, type, help);
    sample(value);
  }
  void histogram(std::string_view name, std::string_view help, const DurationHistogram& values) {
    family(name, "histogram", help);
    // Read once: the count shown is the sum of the buckets shown, whatever is added meanwhile.
    std::uint64_t below = 0;
    std::uint64_t total = 0;
    for (std::size_t i = 0; i < DurationHistogram::kBucketCount; ++i) {
      total += values.bucket(i);
      if (i > kLastBucket) continue;
      below = total;
      if (i < kFirstBucket) continue;
      out_ += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name_,
                          static_cast<double>(std::uint64_t{1} << (i + 1)) / 1e6, below);
    }
    out_ += fmt::format("{0}_bucket{{le=\"+Inf\"}} {1}\n{0}_sum {2}\n{0}_count {1}\n", name_, total,
                        static_cast<double>(values.sum_us()) / 1e6);
  }
  std::string finish() {
    if (open_) out_ += "# EOF\n";
    return std::move(out_);
  }

 private:
  const bool open_;
  std::string name_;
  std::string_view suffix_;
  std::string out_;
};

template <class Rows, class Get>
std::uint64_t sum_of(const Rows& rows, Get get) {
  std::uint64_t sum = 0;
  for (const auto& row : rows) sum += get(row);
  return sum;
}

void write_build_and_state(Exposition& out, const MetricsInput& input,
                           const PipelineStatus& status) {
  out.family("build_info", "gauge", "Always 1; the labels say what runs.");
  out.sample(1, fmt::format("version=\"{}\",commit=\"{}\",compiler=\"{}\"",
                            label_text(input.build.version), label_text(input.build.commit),
                            label_text(input.build.compiler)));
  out.family("pipeline_state", "gauge", "1 for the state that the page shows, else 0.");
  for (std::size_t i = 0; i < kPipelineStateNames.size(); ++i) {
    out.sample(static_cast<std::size_t>(status.state) == i ? 1 : 0,
               fmt::format("state=\"{}\"", kPipelineStateNames[i]));
  }
  out.single("frame", "gauge", "Number of the last commit.", input.view.frame());
  out.single("backfill_done_ratio", "gauge", "Part of the records present at start that are read.",
             status.backfill_done);
  out.single("records_per_second", "gauge", "Records committed in the last seconds.",
             status.records_per_s);
}

void write_lag(Exposition& out, const PipelineStatus& status) {
  const std::size_t shown = std::min(status.partitions.size(), kPartitionsMax);
  out.family("consumer_lag_records", "gauge", "End offset minus committed offset.");
  for (std::size_t i = 0; i < shown; ++i) {
    const PartitionStatus& partition = status.partitions[i];
    if (partition.end < 0) continue;
    out.sample(std::max<Offset>(partition.end - partition.committed, 0),
               fmt::format("topic=\"{}\",partition=\"{}\"", label_text(partition.topic),
                           partition.partition));
  }
  out.family("committed_offset", "gauge", "Next offset to read, as the store has it.");
  for (std::size_t i = 0; i < shown; ++i) {
    const PartitionStatus& partition = status.partitions[i];
    out.sample(partition.committed, fmt::format("topic=\"{}\",partition=\"{}\"",
                                                label_text(partition.topic), partition.partition));
  }
  out.single("consumer_lag_seconds", "gauge",
             "Age of the newest committed record while behind, else 0.", status.lag_seconds);
  out.single("partitions", "gauge", "Partitions that are read or halted.",
             status.partitions.size());
  out.single("partitions_halted", "gauge",
             "Partitions whose log is not the one that was read; they wait for a decision.",
             std::count_if(status.partitions.begin(), status.partitions.end(),
                           [](const PartitionStatus& p) { return !p.halted.empty(); }));
  out.single("partitions_blocked", "gauge", "Partitions that an open transaction holds back.",
             std::count_if(status.partitions.begin(), status.partitions.end(),
                           [](const PartitionStatus& p) { return p.blocked_since_us != 0; }));
}

void write_ledger(Exposition& out, const StoreFigures& figures) {
  out.family("messages", "counter", "Records of the store's ledger by where they ended.");
  for (std::size_t i = 0; i < kBuckets; ++i) {
    out.sample(figures.buckets[i], fmt::format("bucket=\"{}\"", kBucketNames[i]));
  }
  out.family("messages_rejected", "counter", "Records that could not be understood, by reason.");
  for (std::size_t i = 1; i < kReasons; ++i) {
    out.sample(figures.rejected[i], fmt::format("reason=\"{}\"", kReasonNames[i]));
  }
  out.single("lost_ranges", "counter", "Times that Kafka had deleted records before they were read.",
             figures.lost_ranges);
  out.single("lost_offsets", "counter", "Offsets in those ranges.", figures.lost_offsets);
  out.single("late_events", "counter", "Records counted although behind the watermark.",
             figures.late);
  if (figures.watermark_us) {
    out.single("watermark_timestamp_seconds", "gauge", "The data clock.",
               fmt::format("{:.6f}", static_cast<double>(*figures.watermark_us) / 1e6));
  }
  out.single("db_bytes", "gauge", "Size of the store's file.", figures.db_bytes);
  out.single("db_wal_bytes", "gauge", "Size of its write-ahead log.", figures.wal_bytes);
}

void write_pipeline(Exposition& out, const Metrics& metrics) {
  const auto& consumers = metrics.consumers;
  const auto total = [&](std::string_view name, std::string_view help, auto member) {
    out.single(name, "counter", help,
               sum_of(consumers, [&](const ConsumerMetrics& one) { return (one.*member).get(); }));
  };
  out.family("messages_consumed", "counter", "Records read since start, by lane.");
  for (std::size_t lane = 0; lane < consumers.size(); ++lane) {
    out.sample(consumers[lane].messages.get(), fmt::format("lane=\"{}\"", lane));
  }
  total("consumed_bytes", "Bytes of records read since start.", &ConsumerMetrics::bytes);
  total("messages_redelivered", "Records that the client gave twice.",
        &ConsumerMetrics::redelivered);
  total("money_rounded", "Amounts with more than six decimals.", &ConsumerMetrics::money_rounded);
  total("names_capped", "Names counted as (other).", &ConsumerMetrics::names_capped);
  total("ring_full", "Times a consumer waited for its aggregator.",
        &ConsumerMetrics::ring_full_waits);
  out.single("events", "counter", "Events aggregated since start.",
             sum_of(metrics.aggregators,
                    [](const AggregatorMetrics& one) { return one.events.get(); }));
  out.family("ring_depth", "gauge", "Batches waiting between a lane's two threads.");
  for (std::size_t lane = 0; lane < metrics.aggregators.size(); ++lane) {
    out.sample(metrics.aggregators[lane].ring_depth.get(), fmt::format("lane=\"{}\"", lane));
  }
  out.family("stage_turns", "counter", "Turns of each stage's loop; one that stops is stuck.");
  for (const Metrics::Stage& stage : metrics.stages()) {
    out.sample(stage.turns->get(), fmt::format("stage=\"{}\"", stage.name));
  }
  out.single("commits", "counter", "Commits since start.", metrics.commit.commits.get());
  out.single("rows_written", "counter", "Rows written by commits.", metrics.commit.rows.get());
  out.histogram("db_commit_seconds", "Time of a commit.", metrics.commit.commit_took);
  out.histogram("event_to_visible_seconds",
                "From a record's Kafka time to the commit that shows it.",
                metrics.commit.event_to_commit);
}

void write_http(Exposition& out, const HttpMetrics& http) {
  out.single("http_requests", "counter", "Requests let through by the guard.", http.requests.get());
  out.single("http_refused", "counter", "Requests refused by a rule or a limit.",
             http.refused.get());
  out.single("sse_clients", "gauge", "Live pages connected.", http.sse_clients.get());
  out.single("sse_frames", "counter", "Frames made for live pages.", http.frames.get());
  out.histogram("http_request_duration_seconds", "Time of an answer; without streams.", http.took);
}

void write_process(Exposition& out, const PipelineStatus& status) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  out.single("process_cpu_seconds", "counter", "Processor time used.",
             seconds(usage.ru_utime) + seconds(usage.ru_stime));
  std::uint64_t pages = 0;
  std::ifstream statm("/proc/self/statm");
  if (statm >> pages >> pages) {
    out.single("process_resident_memory_bytes", "gauge", "Memory in use.",
               pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE)));
  }
  std::error_code failed;
  const std::filesystem::directory_iterator fds("/proc/self/fd", failed);
  if (!failed) {
    out.single("process_open_fds", "gauge", "Open file descriptors.",
               std::distance(fds, std::filesystem::directory_iterator{}));
  }
  out.single("process_start_time_seconds", "gauge", "When the process started.",
             fmt::format("{:.3f}", static_cast<double>(status.started_wall_us) / 1e6));
}

Reply health(const PipelineView& view) {
  const std::vector<std::string> still = view.status().still;
  if (still.empty()) return json_reply("{\"status\":\"ok\"}\n");
  Reply reply = json_reply(nlohmann::ordered_json{{"status", "still"}, {"stages", still}}.dump() + "\n");
  reply.status = 503;
  return reply;
}

Reply readiness(const PipelineView& view) {
  const PipelineStatus status = view.status();
  const bool ready = !view.stopping() && status.state != PipelineState::kReadOnly &&
                     status.state != PipelineState::kStorePaused &&
                     status.state != PipelineState::kReconnecting &&
                     status.state != PipelineState::kDegraded;
  const std::string reason = view.stopping() ? "the process is stopping" : status.reason;
  const nlohmann::ordered_json body = {
      {"ready", ready},
      {"state", kPipelineStateNames[static_cast<std::size_t>(status.state)]},
      {"reason", reason}};
  Reply reply =
      json_reply(body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  reply.status = ready ? 200 : 503;
  return reply;
}

}  // namespace

std::string metrics_text(const MetricsInput& input, MetricsFormat format) {
  Exposition out(format);
  const PipelineStatus status = input.view.status();
  const Metrics& metrics = input.view.metrics();
  write_build_and_state(out, input, status);
  write_lag(out, status);
  if (input.figures) write_ledger(out, *input.figures);
  write_pipeline(out, metrics);
  write_http(out, metrics.http);
  write_process(out, status);
  return out.finish();
}

MetricsFormat metrics_format(std::string_view accept) {
  return accept.find("application/openmetrics-text") != std::string_view::npos
             ? MetricsFormat::kOpenMetrics
             : MetricsFormat::kPrometheus;
}

void add_operator_routes(Router& router, const PipelineView& view, BuildInfo build,
                         FiguresFunction figures) {
  for (const char* path : {"/healthz", "/-/healthy"}) {
    router.get(path, [&view](const Request&) { return health(view); });
  }
  for (const char* path : {"/readyz", "/-/ready"}) {
    router.get(path, [&view](const Request&) { return readiness(view); });
  }
  router.get("/metrics", [&view, build = std::move(build),
                          figures = std::move(figures)](const Request& request) {
    const MetricsFormat format = metrics_format(request.accept);
    Reply reply = json_reply(
        metrics_text({view, build, figures ? figures() : std::nullopt}, format));
    reply.content_type =
        format == MetricsFormat::kOpenMetrics ? kOpenMetricsType : kPrometheusType;
    return reply;
  });
}

}  // namespace retailpulse
