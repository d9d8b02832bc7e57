#include "app/stage_watch.h"

#include <fmt/format.h>

namespace retailpulse {

StageWatch::StageWatch(const Metrics& metrics) {
  const auto watch = [this](std::string name, const Counter& turns) {
    stages_.push_back({std::move(name), &turns, 0, {}});
  };
  watch("main", metrics.main.turns);
  for (std::size_t i = 0; i < metrics.consumers.size(); ++i) {
    watch(fmt::format("rp-src-{}", i), metrics.consumers[i].turns);
    watch(fmt::format("rp-agg-{}", i), metrics.aggregators[i].turns);
  }
  watch("rp-commit", metrics.commit.turns);
}

std::vector<std::string> StageWatch::look(Duration now) {
  std::vector<std::string> still;
  for (Stage& stage : stages_) {
    const std::uint64_t turns = stage.turns->get();
    if (turns != stage.seen) {
      stage.seen = turns;
      stage.since = now;
    } else if (turns != 0 && turns != kEnded && now - stage.since >= kStillAfter) {
      still.push_back(stage.name);
    }
  }
  return still;
}

}  // namespace retailpulse
