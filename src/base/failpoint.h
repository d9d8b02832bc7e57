// Failpoints: named places at which a test ends, delays or disturbs the process; planted bugs.
//
// They exist in the test program retailpulse_failpoints alone, which compiles the files that use
// this header once more (tests/CMakeLists.txt). In the program for users all three functions are
// empty constants and no name of a failpoint is left. Only .cpp files include this header.
//
//   FAILPOINT_AT=NAME:HIT            SIGKILL at the HIT-th time that a point is reached whose name
//                                    begins with NAME; SQL statements bear their own text, "sql" is
//                                    any of them
//   FAILPOINT_STALL=NAME:HIT         there the thread stands still for good, and says so on stderr
//   FAILPOINT_FAULT=NAME:EVERY[,..]  each EVERY-th question for that fault is answered with yes
//   FAILPOINT_YIELD=SEED:PERMILLE    at any point, so often, the thread sleeps up to 2 ms
//   FAILPOINT_PLANT=NAME             one of kPlantNames
//
// Thread: any.
// Test:   tests/integration/prefix_test.py
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace retailpulse {

// Mistakes that such a program can have: the oracle of the kill loop must notice each of them.
enum class Plant : std::uint8_t {
  kOffsetFirst,      // offsets are committed before their deltas
  kNoRedeliveryGuard,  // what the client delivers twice is taken twice
  kBatchTwice,       // a batch is folded twice
  kEpochLost,        // of a commit's epochs only the first one's deltas are taken
  kRetryTwice,       // a commit that is tried again goes on in the failed one's transaction
  kWrongBucket,      // duplicates are filed as filtered
  kWrongTier,        // minutes of ratings are missing, coarser tiers have them
  kLateDropped,      // late events are counted, not merged
  kWatermarkDrop,    // what is behind the newest record of all partitions is too late
  kIdsForgotten,     // recent ids are not restored: duplicates over a restart count
  kOrdersForgotten,  // order marks are not read: lines that come later are new orders
  kWrongMinute,      // a sale takes the product's newest category, not its minute's
};
inline constexpr std::array<std::string_view, 12> kPlantNames{
    "offset_first",  "no_redelivery_guard", "batch_twice",    "epoch_lost",
    "retry_twice",   "wrong_bucket",        "wrong_tier",     "late_dropped",
    "watermark_drop", "ids_forgotten",      "orders_forgotten", "wrong_minute"};

#ifdef RETAILPULSE_FAILPOINTS
inline namespace with_failpoints {
inline constexpr bool kFailpoints = true;
void failpoint(std::string_view name);
[[nodiscard]] bool fault(std::string_view name);
[[nodiscard]] bool planted(Plant plant);
}  // namespace with_failpoints
#else
inline namespace without_failpoints {
inline constexpr bool kFailpoints = false;
constexpr void failpoint(std::string_view) {}
[[nodiscard]] constexpr bool fault(std::string_view) { return false; }
[[nodiscard]] constexpr bool planted(Plant) { return false; }
}  // namespace without_failpoints
#endif

}  // namespace retailpulse
