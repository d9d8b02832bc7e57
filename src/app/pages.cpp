#include "app/pages.h"

#include <utility>

#include <retailpulse/history.h>

#include "app/build_info.h"
#include "app/child_console.h"
#include "base/zone.h"
#include "serve/api.h"
#include "serve/frame_maker.h"
#include "serve/http_server.h"
#include "serve/metrics_text.h"
#include "serve/static_files.h"

namespace retailpulse {
namespace {

// What /metrics says of the store; nothing when it cannot be read just now.
std::optional<StoreFigures> figures_of(HistoryReader& history) {
  StoreFigures figures;
  const StoreSize size = history.size();
  figures.db_bytes = size.db_bytes;
  figures.wal_bytes = size.wal_bytes;
  const Status status = history.read([&](HistoryView& view) {
    figures.watermark_us = view.clock().watermark_us;
    for (const LedgerRow& row : view.ledger()) {
      for (std::size_t b = 0; b < kBuckets; ++b) {
        if (row.bucket == kBucketNames[b]) figures.buckets[b] += static_cast<std::uint64_t>(row.records);
      }
      for (std::size_t r = 1; r < kReasons; ++r) {
        if (row.reason == kReasonNames[r]) figures.rejected[r] += static_cast<std::uint64_t>(row.records);
      }
    }
    const LostSum lost = view.lost_sum();
    figures.lost_ranges = static_cast<std::uint64_t>(lost.ranges);
    figures.lost_offsets = static_cast<std::uint64_t>(lost.records);
    for (const PartitionRow& row : view.partitions()) {
      figures.late += static_cast<std::uint64_t>(row.late);
    }
  });
  return status.ok() ? std::optional(figures) : std::nullopt;
}

class LivePages final : public Pages {
 public:
  LivePages(const Clock& clock, const PipelineView& view, Metrics& metrics, Zone zone,
            std::unique_ptr<HistoryReader> history, std::unique_ptr<SqlConsole> console,
            Replayer& replayer)
      : clock_(clock), view_(view), metrics_(metrics), zone_(std::move(zone)),
        history_(std::move(history)), console_(std::move(console)), replayer_(replayer),
        frames_(*history_, view_, zone_, clock_) {}

  Status open(const Config& config) {
    Router router;
    const ApiContext context{*history_, view_, frames_, zone_, clock_, library_versions(),
                             console_.get(), &replayer_};
    add_routes(router, api_routes(context));
    add_operator_routes(router, view_, {build_version(), build_commit(), build_compiler()},
                        [this] { return figures_of(*history_); });
    if (Status s = add_static_routes(router, config.http); !s.ok()) return s;
    auto server = HttpServer::open(config.http, frames_, metrics_.http, clock_);
    if (!server.ok()) return server.status();
    server_ = std::move(server).value();
    server_->start(std::move(router));
    return {};
  }

  void stop() override { server_->stop(); }
  std::string url() const override { return server_->url(); }

 private:
  const Clock& clock_;
  const PipelineView& view_;
  Metrics& metrics_;
  Zone zone_;
  std::unique_ptr<HistoryReader> history_;
  std::unique_ptr<SqlConsole> console_;
  Replayer& replayer_;
  FrameMaker frames_;
  std::unique_ptr<HttpServer> server_;  // last: ended first
};

}  // namespace

Result<std::unique_ptr<Pages>> open_pages(const Config& config, const Clock& clock,
                                          const std::string& store_path, const PipelineView& view,
                                          Metrics& metrics, Replayer& replayer) {
  auto zone = Zone::find(config.time.zone);
  if (!zone.ok()) return zone.status();
  auto history = open_history(store_path, clock);
  if (!history.ok()) return history.status();
  auto pages = std::make_unique<LivePages>(clock, view, metrics, std::move(zone).value(),
                                           std::move(history).value(),
                                           make_child_console(store_path, clock), replayer);
  if (Status s = pages->open(config); !s.ok()) return s;
  return std::unique_ptr<Pages>(std::move(pages));
}

}  // namespace retailpulse
