// FrameParts: a frame's JSON, member by member, and the delta between two frames.
//
// A member that has the same text in both frames is left out of a delta; of the series only the
// panes that differ are sent, and the page puts them together by start_us.
//
// Thread: moved.
// Test:   tests/serve/frame_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include <retailpulse/pipeline.h>

#include "serve/frame_facts.h"
#include "serve/frame_json.h"

namespace retailpulse {

struct FrameParts {
  std::uint64_t frame = 0;                                   // the commit it stands for
  std::vector<std::pair<std::string, std::string>> members;  // without "frame" and "series"
  std::string series_head;                                   // members of series but panes, peaks
  std::vector<std::pair<std::int64_t, std::string>> panes;   // by start_us
  std::string peaks;
};

// What a frame says besides the store's facts.
struct FrameContext {
  std::string boot;
  std::int64_t wall_us = 0;
  PipelineStatus status;
};

[[nodiscard]] FrameParts frame_parts(const LiveFacts& facts, const FrameContext& context,
                                     const Zone& zone);
// The members that tell of the machine, not of the store: wall, state, rate, lag. Replaces them.
void update_status(FrameParts& parts, const FrameContext& context,
                   const std::optional<std::int64_t>& watermark_us);

[[nodiscard]] std::string snapshot_text(const FrameParts& parts);
[[nodiscard]] std::string delta_text(const FrameParts& parts, const FrameParts& before);

// {"watermark_us":..,"watermark":..}, shared with the API.
void write_moment(JsonWriter& json, std::string_view name, const std::optional<std::int64_t>& us);
// Since when records may be missing; nullopt: none is.
[[nodiscard]] std::optional<std::int64_t> stale_since(const PipelineStatus& status);
void write_state(JsonWriter& json, const PipelineStatus& status);
void write_lag(JsonWriter& json, const PipelineStatus& status);
void write_ledger(JsonWriter& json, const LedgerSums& sums);
// Of all time, and a sentence about what was noticed lately.
void write_lost(JsonWriter& json, const LostSum& sum, const std::vector<LostRange>& lately);
[[nodiscard]] std::string_view pane_state(bool closed, std::int64_t revision);

}  // namespace retailpulse
