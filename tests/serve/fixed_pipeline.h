// FixedPipeline: a PipelineView whose answers a test sets.
#pragma once

#include <mutex>

#include <retailpulse/pipeline.h>

#include "base/signal.h"

namespace retailpulse::testing {

class FixedPipeline final : public PipelineView {
 public:
  PipelineStatus status() const override {
    const std::lock_guard lock(mutex_);
    return status_;
  }
  const Metrics& metrics() const override { return metrics_; }
  std::uint64_t frame() const override { return frame_; }
  std::uint64_t wait_frame(std::uint64_t after, Duration timeout) const override {
    const auto seen = news_.epoch();
    if (frame_ <= after && !stopping_) news_.wait(seen, timeout);
    return frame_;
  }
  bool stopping() const override { return stopping_; }

  void set(PipelineStatus status) {
    const std::lock_guard lock(mutex_);
    status_ = std::move(status);
  }
  void commit(std::uint64_t frame) {
    frame_ = frame;
    news_.raise();
  }
  void stop() {
    stopping_ = true;
    news_.raise();
  }

 private:
  mutable std::mutex mutex_;
  PipelineStatus status_;
  Metrics metrics_{1};
  std::atomic<std::uint64_t> frame_{0};
  std::atomic<bool> stopping_{false};
  mutable Signal news_;
};

}  // namespace retailpulse::testing
