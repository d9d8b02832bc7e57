// FrameMaker: the FrameSource of the running program: reads, words and compares frames.
//
// A frame is made when somebody asks for one and something has changed: a commit, or, without
// commits, the state of the pipeline (a page must learn that the brokers are gone).
//
// Thread:     any (one mutex inside, never held while reading or waiting).
// Invariants: (1) numbers of a scope rise; (2) Frame::base is the number given out before.
// Limits:     at most four frames a second for each scope; kScopesMax scopes are remembered.
// Test:       tests/serve/frame_maker_test.cpp
#pragma once

#include <map>
#include <memory>
#include <string>

#include <retailpulse/clock.h>
#include <retailpulse/history.h>
#include <retailpulse/pipeline.h>

#include "base/thread_safety.h"
#include "base/zone.h"
#include "serve/frame_text.h"
#include "serve/http.h"

namespace retailpulse {

class FrameMaker final : public FrameSource {
 public:
  static constexpr std::size_t kScopesMax = 64;
  static constexpr Duration kFrameGap = std::chrono::milliseconds{250};
  static constexpr Duration kStatusGap = std::chrono::seconds{1};

  // All outlive the maker.
  FrameMaker(HistoryReader& history, const PipelineView& pipeline, const Zone& zone,
             const Clock& clock);

  [[nodiscard]] const std::string& boot() const override { return boot_; }
  [[nodiscard]] Frame next(const Scope& scope, std::uint64_t after, Duration timeout) override;
  // The present frame for who polls; callers of one scope share it for kFrameGap.
  [[nodiscard]] Result<std::shared_ptr<const std::string>> present(const Scope& scope);

 private:
  struct Made {
    std::uint64_t number = 0;
    std::optional<std::int64_t> watermark_us;
    FrameParts parts;
    std::shared_ptr<const std::string> snapshot;
    Duration at{};
  };
  using MadePtr = std::shared_ptr<const Made>;
  struct Kept {
    MadePtr live;    // the last one that next() gave
    MadePtr polled;  // the last one that present() gave
    Duration used{};
  };

  [[nodiscard]] Kept kept(const Scope& scope) RP_EXCLUDES(mutex_);
  void keep(const Scope& scope, MadePtr Kept::*place, MadePtr made) RP_EXCLUDES(mutex_);
  [[nodiscard]] FrameContext context() const;
  [[nodiscard]] Result<MadePtr> make(const Scope& scope, std::uint64_t last_number);
  // Waits for a commit, no sooner than the gap allows; false: nothing new within the timeout.
  [[nodiscard]] bool wait_commit(const Made& last, Duration timeout) const;
  // The last frame with the machine's present state, or null when that is the same.
  [[nodiscard]] MadePtr make_status(const Made& last) const;

  HistoryReader& history_;
  const PipelineView& pipeline_;
  const Zone& zone_;
  const Clock& clock_;
  const std::string boot_;
  Mutex mutex_;
  std::map<Scope, Kept> scopes_ RP_GUARDED_BY(mutex_);
};

}  // namespace retailpulse
