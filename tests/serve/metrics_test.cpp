#include "serve/metrics_text.h"

#include <regex>
#include <set>
#include <sstream>

#include "support/catch.h"

namespace retailpulse {
namespace {

class FakeView : public PipelineView {
 public:
  [[nodiscard]] PipelineStatus status() const override { return status_; }
  [[nodiscard]] const Metrics& metrics() const override { return metrics_; }
  [[nodiscard]] std::uint64_t frame() const override { return 42; }
  [[nodiscard]] std::uint64_t wait_frame(std::uint64_t, Duration) const override { return 42; }
  [[nodiscard]] bool stopping() const override { return stopping_; }

  PipelineStatus status_;
  Metrics metrics_{2};
  bool stopping_ = false;
};

Reply ask(const Router& router, std::string path, std::string accept = {}) {
  Request request;
  request.method = "GET";
  request.path = std::move(path);
  request.accept = std::move(accept);
  return router.answer(request);
}

StoreFigures some_figures() {
  StoreFigures figures;
  figures.watermark_us = 1'763'800'000'500'000;
  figures.buckets[0] = 90;
  figures.rejected[static_cast<std::size_t>(Reason::kBadJson)] = 7;
  figures.wal_bytes = 4096;
  figures.lost_ranges = 2;
  figures.lost_offsets = 30;
  return figures;
}

bool has_line(const std::string& text, const std::string& line) {
  return text.find("\n" + line + "\n") != std::string::npos;
}

}  // namespace

TEST_CASE("metrics: text that a scraper reads, each family once and described") {
  FakeView view;
  view.status_.partitions.push_back({"or\"d\\ers\n", 3, 100, 160, false, false});
  view.status_.partitions.push_back({"orders", 4, 10, -1, false, false, 0, "another log"});
  view.metrics_.consumers[1].messages.add(5);
  view.metrics_.commit.commit_took.record(std::chrono::microseconds{300});
  view.metrics_.commit.commit_took.record(std::chrono::seconds{1000});
  const BuildInfo build{"0.1.0", "abc", "GNU 12"};
  const std::string text =
      metrics_text({view, build, some_figures()}, MetricsFormat::kPrometheus);
  std::set<std::string> families;
  std::istringstream lines(text);
  const std::regex sample(
      R"re(retailpulse_[a-z_]+(\{[a-z]+="([^"\\\n]|\\.)*"(,[a-z]+="([^"\\\n]|\\.)*")*\})?)re"
      R"re( [-+0-9.e]+)re");
  const std::regex comment(R"(# (HELP|TYPE) (retailpulse_[a-z_]+) .+)");
  std::smatch match;
  int samples = 0;
  for (std::string line; std::getline(lines, line);) {
    CAPTURE(line);
    if (line[0] == '#') {
      REQUIRE(std::regex_match(line, match, comment));
      if (match[1] == "TYPE") CHECK(families.insert(match[2]).second);
    } else {
      CHECK(std::regex_match(line, sample));
      ++samples;
    }
  }
  CHECK(samples > 60);
  CHECK(has_line(text,
                 "retailpulse_consumer_lag_records{topic=\"or\\\"d\\\\ers\\n\","
                 "partition=\"3\"} 60"));
  CHECK(text.find("consumer_lag_records{topic=\"orders\"") == std::string::npos);  // end unknown
  CHECK(has_line(text, "retailpulse_messages_consumed_total{lane=\"1\"} 5"));
  CHECK(has_line(text, "# TYPE retailpulse_messages_consumed_total counter"));
  CHECK(has_line(text, "retailpulse_messages_rejected_total{reason=\"bad_json\"} 7"));
  CHECK(has_line(text, "retailpulse_watermark_timestamp_seconds 1763800000.500000"));
  CHECK(has_line(text, "retailpulse_db_wal_bytes 4096"));
  CHECK(has_line(text, "retailpulse_partitions_halted 1"));
  CHECK(has_line(text, "retailpulse_lost_ranges_total 2"));
  CHECK(has_line(text, "retailpulse_lost_offsets_total 30"));
  CHECK(has_line(text, "retailpulse_build_info{version=\"0.1.0\",commit=\"abc\","
                       "compiler=\"GNU 12\"} 1"));
  CHECK(has_line(text, "retailpulse_db_commit_seconds_bucket{le=\"0.000256\"} 0"));
  CHECK(has_line(text, "retailpulse_db_commit_seconds_bucket{le=\"0.000512\"} 1"));
  CHECK(has_line(text, "retailpulse_db_commit_seconds_bucket{le=\"+Inf\"} 2"));
  CHECK(has_line(text, "retailpulse_db_commit_seconds_count 2"));
  CHECK(text.find("process_open_fds") != std::string::npos);
  CHECK(text.find("# EOF") == std::string::npos);
}

TEST_CASE("metrics: OpenMetrics when asked for") {
  FakeView view;
  Router router;
  add_operator_routes(router, view, {"0.1.0", "abc", "x"}, {});
  const Reply plain = ask(router, "/metrics");
  CHECK(plain.content_type == kPrometheusType);
  const Reply open =
      ask(router, "/metrics", "application/openmetrics-text;version=1.0.0;q=0.5,*/*");
  CHECK(open.content_type == kOpenMetricsType);
  CHECK(open.body->substr(open.body->size() - 6) == "# EOF\n");
  CHECK(has_line(*open.body, "# TYPE retailpulse_commits counter"));
  CHECK(has_line(*open.body, "retailpulse_commits_total 0"));
  CHECK(open.body->find("watermark") == std::string::npos);  // no store was given
}

TEST_CASE("health: ready while it can do its work, else 503 with the reason") {
  FakeView view;
  Router router;
  add_operator_routes(router, view, {}, [] { return some_figures(); });
  CHECK(ask(router, "/healthz").status == 200);
  CHECK(*ask(router, "/-/healthy").body == "{\"status\":\"ok\"}\n");
  view.status_.still = {"rp-agg-0", "rp-commit"};
  CHECK(ask(router, "/healthz").status == 503);
  CHECK(*ask(router, "/-/healthy").body ==
        "{\"status\":\"still\",\"stages\":[\"rp-agg-0\",\"rp-commit\"]}\n");
  view.status_.still.clear();
  for (std::size_t i = 0; i < kPipelineStateNames.size(); ++i) {
    view.status_.state = static_cast<PipelineState>(i);
    view.status_.reason = "disk \"full\"";
    const Reply reply = ask(router, "/readyz");
    CAPTURE(i);
    CHECK(reply.status == (i < 4 ? 503 : 200));
    CHECK(reply.body->find(kPipelineStateNames[i]) != std::string::npos);
    CHECK(reply.body->find("disk \\\"full\\\"") != std::string::npos);
  }
  view.stopping_ = true;
  CHECK(ask(router, "/-/ready").status == 503);
  CHECK(ask(router, "/metrics").body->find("late_events_total") != std::string::npos);
}

}  // namespace retailpulse
