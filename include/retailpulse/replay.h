// Replayer: decodes rejected records again, after their mapping was corrected.
//
// A record that is good now goes the way of every record: through its lane, whose decoder and
// duplicate rule judge it, into one commit that counts it, moves it in the ledger and deletes its
// reject. Before that commit nothing has happened, after it there is nothing left to replay.
//
// Thread: any.
// Limits: ReplayQuery::limit records in one call, one call at a time.
// Test:   tests/app/replay_desk_test.cpp, tests/integration/replay_test.py
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/status.h>
#include <retailpulse/types.h>

namespace retailpulse {

inline constexpr std::size_t kReplayMax = 1000;

struct ReplayQuery {
  std::string topic{};             // empty: all
  std::string reason{};            // empty: all
  std::int64_t before = 0;         // newest first; 0 begins at the newest, else only ids below it
  std::size_t limit = kReplayMax;
};

enum class ReplayOutcome : std::uint8_t {
  kCounted,
  kDuplicate,
  kFiltered,
  kStillRejected,
  kCut,      // only its beginning was kept: the table cannot tell what it said
  kNotRead,  // no partition that is read now
};
inline constexpr std::array<std::string_view, 6> kReplayOutcomeNames{
    "counted", "duplicate", "filtered", "still_rejected", "cut", "not_read"};

struct ReplayedRecord {
  std::int64_t id = 0;
  std::string topic;
  std::int32_t partition = 0;
  Offset offset = 0;
  ReplayOutcome outcome = ReplayOutcome::kNotRead;
  std::string reason;              // kStillRejected: why now
  std::string field;
};

struct ReplayReport {
  std::uint64_t frame = 0;         // the commit after which this holds
  std::vector<ReplayedRecord> records;
  std::optional<std::int64_t> next;  // ReplayQuery::before that goes on; none: that was all
};

class Replayer {
 public:
  virtual ~Replayer() = default;
  // Returns when all of it is committed. kBusy while another call is at work, kTimeout when the
  // pipeline did not get to it in time (what it took is still going to be committed, once).
  [[nodiscard]] virtual Result<ReplayReport> replay(const ReplayQuery& query) = 0;
};

}  // namespace retailpulse
