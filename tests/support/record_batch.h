// record_batch: Kafka record batches (message format 2) built by hand.
//
// Why: a producer cannot be asked for holes in the offsets, for interleaved transactions of many
// producers, for an empty abort, or for a batch of which nothing is left but its header.
//
// Thread: any (pure).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <retailpulse/types.h>

namespace retailpulse::testing {

struct ScriptedRecord {
  std::string value;
  std::optional<std::string> key = std::nullopt;
  bool tombstone = false;            // no value at all
  std::int64_t timestamp_ms = 1'700'000'000'000;
  std::int32_t offset_delta = -1;    // from the batch's base; -1: one after the record before
  std::vector<std::pair<std::string, std::string>> headers = {};
};

enum class BatchKind : unsigned char { kPlain, kTransactional, kCommit, kAbort };

struct BatchSpec {
  std::vector<ScriptedRecord> records = {};  // none for kCommit and kAbort: they make their own
  BatchKind kind = BatchKind::kPlain;
  std::int64_t producer_id = -1;
  bool gzip = false;
  std::int32_t last_offset_delta = -1;  // -1: the last record's; greater: records were removed
};

// How many offsets it takes: its last delta + 1.
[[nodiscard]] std::int32_t offsets_of(const BatchSpec& spec);
[[nodiscard]] std::string encode_batch(const BatchSpec& spec, Offset base,
                                       std::int32_t leader_epoch);
// A batch of values "PREFIX0", "PREFIX1", ... from number `first`.
[[nodiscard]] BatchSpec numbered_batch(const std::string& prefix, int first, int count);
[[nodiscard]] std::uint32_t crc32c(std::string_view bytes);

// The bytes before this one are not under the checksum: brokers write base offset and leader epoch.
inline constexpr std::size_t kChecksumAt = 17;
inline constexpr std::size_t kChecksummedFrom = 21;

}  // namespace retailpulse::testing
