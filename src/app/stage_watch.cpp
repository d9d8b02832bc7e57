#include "app/stage_watch.h"

#include <utility>

namespace retailpulse {

StageWatch::StageWatch(const Metrics& metrics) {
  for (Metrics::Stage& stage : metrics.stages()) stages_.push_back({std::move(stage), 0, {}});
}

std::vector<std::string> StageWatch::look(Duration now) {
  std::vector<std::string> still;
  for (Watched& one : stages_) {
    const std::uint64_t turns = one.stage.turns->get();
    if (turns != one.seen) {
      one.seen = turns;
      one.since = now;
    } else if (turns != 0 && turns != kEnded && now - one.since >= kStillAfter) {
      still.push_back(one.stage.name);
    }
  }
  return still;
}

}  // namespace retailpulse
