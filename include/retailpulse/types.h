// Strong ids, units and the closed word lists that every module shares.
//
// Units live in names: `_us` microseconds since 1970-01-01 UTC, `_micros` millionths of a currency
// unit, `_milli` thousandths (of a piece, of a star). Money and quantities never pass through a
// double, because integer addition is associative and a double's is not: the same records must
// give the same sums whatever the number of lanes.
//
// Thread: any.
#pragma once

#include <array>
#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace retailpulse {

// libstdc++ 12 under clang 14 has no usable hardware_destructive_interference_size.
inline constexpr std::size_t kCacheLineBytes = 64;

using Duration = std::chrono::microseconds;
using EventTime = std::chrono::sys_time<std::chrono::microseconds>;  // when it happened, UTC

[[nodiscard]] constexpr std::int64_t to_us(EventTime t) { return t.time_since_epoch().count(); }
[[nodiscard]] constexpr EventTime from_us(std::int64_t us) { return EventTime{Duration{us}}; }

using Offset = std::int64_t;              // position in one Kafka partition
enum class PartitionSlot : std::uint32_t {};  // dense index of (topic, partition) in this process
enum class LaneId : std::uint32_t {};
enum class NameId : std::uint32_t {};     // interned text: lane-local in events and epochs

// By what the last record of a partition is known again: a log that was cut back, written anew or
// recreated has another record at its offset, or none.
struct Fingerprint {
  Offset offset = -1;                // -1: no record was read yet
  std::int64_t time_us = 0;          // Kafka's time of the record
  std::uint64_t hash = 0;            // of key and value
  std::int32_t leader_epoch = -1;    // -1: not told by the broker
  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

inline constexpr NameId kNoName{0xffffffffU};     // the field was absent
inline constexpr NameId kOtherName{0xfffffffeU};  // beyond the dimension's cap: the key "(other)"

template <class Id>
[[nodiscard]] constexpr std::uint32_t index_of(Id id) {
  return static_cast<std::uint32_t>(id);
}

inline constexpr std::int64_t kMicrosPerUnit = 1'000'000;
inline constexpr std::int64_t kMilliPerPiece = 1'000;

// What the stream is for. A topic has one role; a role decides the fields that are read.
enum class Role : std::uint8_t { kTransactions, kListings, kFeedback, kInteractions };
inline constexpr std::array<std::string_view, 4> kRoleNames{"transactions", "product_listings",
                                                            "feedback", "interactions"};

// Dimensions whose texts are interned. The cap bounds memory and the store; beyond it the key is
// "(other)", counted in `names_capped`.
enum class Dimension : std::uint8_t { kProduct, kCategory, kCurrency, kType };
inline constexpr std::size_t kDimensions = 4;
inline constexpr std::array<std::string_view, kDimensions> kDimensionNames{"product", "category",
                                                                           "currency", "type"};
inline constexpr std::array<std::uint32_t, kDimensions> kDimensionCap{200'000, 5'000, 300, 300};
inline constexpr std::size_t kNameBytesMax = 256;  // a longer id or name is a reject: too_large

// Every record that was read ends in exactly one bucket.
enum class Bucket : std::uint8_t { kCounted, kFiltered, kRejected, kDuplicate, kSuperseded, kTooLate };
inline constexpr std::size_t kBuckets = 6;
inline constexpr std::array<std::string_view, kBuckets> kBucketNames{
    "counted", "filtered", "rejected", "duplicate", "superseded", "too_late"};

// Why a record was rejected. The text is stable: it is shown, stored and exported as a label.
enum class Reason : std::uint8_t {
  kNone,
  kNullValue,
  kEmptyValue,
  kBadUtf8,
  kBadJson,
  kTruncated,
  kTrailingBytes,
  kTooDeep,
  kTooLarge,
  kDuplicateKey,
  kWrongType,
  kMissingField,
  kBadTime,
  kTimeOutOfRange,
  kBadMoney,
  kBadNumber,
  kBadCurrency,
  kUnknownOp,
  kRatingOutOfRange,
  kTooManyItems,
  kUnsupportedEncoding,
};
inline constexpr std::size_t kReasons = 21;
inline constexpr std::array<std::string_view, kReasons> kReasonNames{
    "",           "null_value",     "empty_value",   "bad_utf8",     "bad_json",
    "truncated",  "trailing_bytes", "too_deep",      "too_large",    "duplicate_key",
    "wrong_type", "missing_field",  "bad_time",      "time_out_of_range", "bad_money",
    "bad_number", "bad_currency",   "unknown_op",    "rating_out_of_range", "too_many_items",
    "unsupported_encoding"};

}  // namespace retailpulse
