#include "serve/frame_maker.h"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

#include "base/hash.h"
#include "base/log.h"

namespace retailpulse {
namespace {

// Two processes have different starts; within one there is one maker.
std::string make_boot(const Clock& clock) {
  const auto wall = to_us(clock.wall());
  const auto since_start = clock.monotonic().count();
  return fmt::format("{:012x}", hash64(fmt::format("{} {}", wall, since_start)) >> 16);
}

const std::string& member(const FrameParts& parts, std::string_view name) {
  static const std::string kNone;
  for (const auto& [key, value] : parts.members) {
    if (key == name) return value;
  }
  return kNone;
}

bool same(const FrameParts& a, const FrameParts& b, std::string_view name) {
  return member(a, name) == member(b, name);
}

}  // namespace

FrameMaker::FrameMaker(HistoryReader& history, const PipelineView& pipeline, const Zone& zone,
                       const Clock& clock)
    : history_(history), pipeline_(pipeline), zone_(zone), clock_(clock), boot_(make_boot(clock)) {}

FrameMaker::Kept FrameMaker::kept(const Scope& scope) {
  const Duration now = clock_.monotonic();
  const MutexLock lock(mutex_);
  const auto found = scopes_.find(scope);
  if (found != scopes_.end()) {
    found->second.used = now;
    return found->second;
  }
  if (scopes_.size() >= kScopesMax) {
    scopes_.erase(std::min_element(scopes_.begin(), scopes_.end(), [](const auto& a, const auto& b) {
      return a.second.used < b.second.used;
    }));
  }
  Kept& fresh = scopes_[scope];
  fresh.used = now;
  return fresh;
}

void FrameMaker::keep(const Scope& scope, MadePtr Kept::*place, MadePtr made) {
  const MutexLock lock(mutex_);
  const auto found = scopes_.find(scope);
  if (found != scopes_.end()) found->second.*place = std::move(made);
}

FrameContext FrameMaker::context() const {
  return {boot_, to_us(clock_.wall()), pipeline_.status()};
}

Result<FrameMaker::MadePtr> FrameMaker::make(const Scope& scope, std::uint64_t last_number) {
  LiveFacts facts;
  if (Status read = history_.read(
          [&](HistoryView& view) { facts = read_facts(view, zone_, scope); });
      !read.ok()) {
    return read;
  }
  auto made = std::make_shared<Made>();
  made->watermark_us = facts.clock.watermark_us;
  made->parts = frame_parts(facts, context(), zone_);
  made->number = std::max({facts.clock.frame, last_number + 1, std::uint64_t{1}});
  made->snapshot = std::make_shared<const std::string>(snapshot_text(made->parts));
  made->at = clock_.monotonic();
  return MadePtr(std::move(made));
}

bool FrameMaker::wait_commit(const Made& last, Duration timeout) const {
  const Duration until = clock_.monotonic() + timeout;
  if (pipeline_.wait_frame(last.parts.frame, timeout) <= last.parts.frame) return false;
  const Duration now = clock_.monotonic();
  const Duration rest = last.at + kFrameGap - now;
  if (rest <= Duration{0}) return true;
  if (now + rest > until) return false;  // the next call will have it
  // No frame has this number: an interval that ends early when the process stops.
  static_cast<void>(pipeline_.wait_frame(UINT64_MAX, rest));
  return true;
}

FrameMaker::MadePtr FrameMaker::make_status(const Made& last) const {
  if (clock_.monotonic() - last.at < kStatusGap) return nullptr;
  auto made = std::make_shared<Made>(last);
  update_status(made->parts, context(), last.watermark_us);
  const std::array<std::string_view, 3> names{"state", "rate", "lag"};
  if (std::all_of(names.begin(), names.end(), [&](std::string_view name) {
        return same(made->parts, last.parts, name);
      })) {
    return nullptr;
  }
  made->number = last.number + 1;
  made->snapshot = std::make_shared<const std::string>(snapshot_text(made->parts));
  made->at = clock_.monotonic();
  return made;
}

Frame FrameMaker::next(const Scope& scope, std::uint64_t after, Duration timeout) {
  const MadePtr last = kept(scope).live;
  MadePtr made;
  if (last == nullptr || after == 0 || wait_commit(*last, timeout)) {
    if (pipeline_.stopping()) return {};
    auto fresh = make(scope, last == nullptr ? after : std::max(after, last->number));
    if (!fresh.ok()) {
      log(LogLevel::kWarning, "frame", "no frame", {{"error", fresh.status().message()}});
      return {};
    }
    made = std::move(fresh).value();
  } else if (!pipeline_.stopping()) {
    made = make_status(*last);
  }
  if (made == nullptr) return {};
  keep(scope, &Kept::live, made);
  Frame frame{made->number, 0, made->snapshot, nullptr};
  if (last != nullptr && same(made->parts, last->parts, "currency")) {
    frame.base = last->number;
    frame.delta = std::make_shared<const std::string>(delta_text(made->parts, last->parts));
  }
  return frame;
}

Result<std::shared_ptr<const std::string>> FrameMaker::present(const Scope& scope) {
  const MadePtr polled = kept(scope).polled;
  if (polled != nullptr && clock_.monotonic() - polled->at < kFrameGap) return polled->snapshot;
  auto made = make(scope, 0);
  if (!made.ok()) return made.status();
  keep(scope, &Kept::polled, made.value());
  return made.value()->snapshot;
}

}  // namespace retailpulse
