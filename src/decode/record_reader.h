// RecordReader: makes events of the fields of one record, by the role of its stream.
//
// It owns the lane's name tables: an event is numbers only, and a text becomes a number here.
//
// Thread:     role consumer.
// Invariants: read() appends at least one event or returns a fault; then the caller takes back
//             what was appended (names may stay: a name without events is harmless).
// Limits:     kDimensionCap names of each dimension; later ones are kOtherName and counted.
// Test:       tests/decode/json_decoder_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <type_traits>

#include <retailpulse/config.h>
#include <retailpulse/event.h>
#include <retailpulse/metrics.h>
#include <retailpulse/source.h>

#include "base/zone.h"
#include "decode/field_values.h"
#include "decode/fields.h"
#include "decode/name_table.h"
#include "decode/time_text.h"

namespace retailpulse {

// What is wrong with a record, and where. `note` stands for the field when it is none of ours: a
// text that outlives the record, or null. Small enough to be returned in registers: each step of
// each record returns one.
struct Fault {
  Reason reason = Reason::kNone;
  Field field = Field::kNone;
  int item = -1;
  const char* note = nullptr;
  explicit operator bool() const { return reason != Reason::kNone; }
};
static_assert(sizeof(Fault) <= 2 * sizeof(void*) && std::is_trivially_copyable_v<Fault>);

struct Record {
  const Message& message;
  const StreamConfig& stream;
  const RecordFields& fields;
  NameId& stream_currency;  // of stream.currency; kNoName until it was needed
  EventBatch& out;
  Event* event = nullptr;   // the one being made, already in its place at the end of `out`
  bool rounded = false;     // an amount had more than six decimals
  std::optional<std::uint64_t> product_hash{};  // NameTable::seek() of the record's product
};

class RecordReader {
 public:
  // `metrics` may be null.
  RecordReader(const TimeConfig& time, Zone zone, ConsumerMetrics* metrics);

  [[nodiscard]] Fault read(Record& record);

 private:
  // Types that no record spells: they follow from role and op.
  enum class FixedType : std::uint8_t { kSale, kRefund, kCancel, kRating, kListing };
  static constexpr std::size_t kFixedTypes = 5;

  Fault transaction(Record& record);
  void seek_product(Record& record);
  Fault line(Record& record, Op op, const FieldValue* values, int item);
  Fault listing(Record& record);
  Fault feedback(Record& record);
  Fault interaction(Record& record);

  Fault time(Record& record);
  Fault currency(Record& record);
  Fault product(Record& record, const FieldValue& value, int item, NameId& out);
  Fault category(Record& record, const FieldValue& value, int item, NameId& out);

  NameId intern(Dimension dimension, std::string_view text, EventBatch& out);
  NameTable& products() { return names_[static_cast<std::size_t>(Dimension::kProduct)]; }
  [[nodiscard]] NameId capped(NameId id) const;  // counts it when the table was full
  NameId fixed_type(FixedType type, EventBatch& out);

  const TimeConfig time_;
  const Zone zone_;
  LocalTime local_;
  ConsumerMetrics* const metrics_;
  std::array<NameTable, kDimensions> names_;
  std::array<NameId, kFixedTypes> fixed_types_;
  std::array<char, kNameBytesMax> type_text_{};
  std::array<char, 3> last_code_{};
  NameId last_currency_ = kNoName;
};

}  // namespace retailpulse
