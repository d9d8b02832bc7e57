// Field and RecordFields: the texts that a walk over one record found, before they mean anything.
//
// Thread: role consumer.
// Limits: kItemsMax items are kept; more sets too_many_items.
// Test:   tests/decode/field_plan_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include <retailpulse/event.h>

namespace retailpulse {

// The first kItemFields may stand in the record and in each of its items. An alias is another
// native name of the field before it.
enum class Field : std::uint8_t {
  kProduct, kAmount, kQuantity, kCategory,
  kId, kIdAlias, kType, kTypeAlias, kTypeAlias2, kUser, kSession, kOrder, kOp, kItems,
  kCurrency, kName, kPrice, kRating, kTimestamp,
  kNone,
};
inline constexpr std::size_t kFields = static_cast<std::size_t>(Field::kNone);
inline constexpr std::size_t kItemFields = 4;

enum class ValueKind : std::uint8_t { kAbsent, kNull, kBool, kNumber, kString, kObject, kArray };

// The text is kept in pieces: gcc 12 copies a string_view that was just made in one wide load,
// which has to wait for the two narrow stores before it (measured on x86-64).
struct FieldValue {
  const char* data = nullptr;
  std::uint32_t size = 0;
  ValueKind kind = ValueKind::kAbsent;

  // String: unescaped; number: the token as written; else empty.
  [[nodiscard]] std::string_view text() const { return {data, size}; }
  void set(ValueKind new_kind, std::string_view text) {
    data = text.data();
    size = static_cast<std::uint32_t>(text.size());
    kind = new_kind;
  }
};

struct ItemValues {
  std::array<FieldValue, kItemFields> values;
  ValueKind kind = ValueKind::kObject;  // of the array's element itself
};

struct RecordFields {
  std::array<FieldValue, kFields> values;
  std::vector<ItemValues> items;
  bool too_many_items = false;

  [[nodiscard]] const FieldValue& operator[](Field field) const {
    return values[static_cast<std::size_t>(field)];
  }
  void clear() {
    for (FieldValue& value : values) value.kind = ValueKind::kAbsent;
    items.clear();
    too_many_items = false;
  }
};

}  // namespace retailpulse
