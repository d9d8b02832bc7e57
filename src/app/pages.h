// Pages: the web server with everything it serves: live page, API, stream, metrics.
//
// Thread: role main; what it starts reads the store through connections of its own.
#pragma once

#include <memory>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/config.h>
#include <retailpulse/metrics.h>
#include <retailpulse/pipeline.h>
#include <retailpulse/replay.h>
#include <retailpulse/status.h>

namespace retailpulse {

class Pages {
 public:
  virtual ~Pages() = default;
  virtual void stop() = 0;
  [[nodiscard]] virtual std::string url() const = 0;
};

// Binds and begins to answer. Everything given outlives the pages.
[[nodiscard]] Result<std::unique_ptr<Pages>> open_pages(const Config& config, const Clock& clock,
                                                        const std::string& store_path,
                                                        const PipelineView& view, Metrics& metrics,
                                                        Replayer& replayer);

}  // namespace retailpulse
