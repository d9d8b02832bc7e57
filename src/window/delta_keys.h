// The keys of an epoch's deltas: which events fall into one row.
//
// Thread: any. Plain values for DeltaMap (window/delta_map.h), which says what a key must have.
#pragma once

#include <cstdint>

#include <retailpulse/epoch.h>
#include <retailpulse/types.h>

#include "window/delta_map.h"

namespace retailpulse {

// Two 32-bit numbers in one word.
[[nodiscard]] inline std::uint64_t pack(std::uint64_t high, std::uint32_t low) {
  return (high << 32) | low;
}

struct TotalKey {
  using Row = TotalDelta;
  std::int64_t pane_us;
  NameId currency;

  [[nodiscard]] std::uint32_t hash() const {
    return mix_key(static_cast<std::uint64_t>(pane_us), index_of(currency));
  }
  [[nodiscard]] bool is(const Row& r) const {
    return r.pane_us == pane_us && r.currency == currency;
  }
  [[nodiscard]] Row row() const { return {pane_us, currency, {}}; }
};

struct ProductKey {
  using Row = ProductDelta;
  std::int64_t pane_us;
  NameId product;
  NameId category;
  NameId currency;

  [[nodiscard]] std::uint32_t hash() const {
    return mix_key(static_cast<std::uint64_t>(pane_us) + pack(index_of(currency), 0),
                   pack(index_of(category), index_of(product)));
  }
  [[nodiscard]] bool is(const Row& r) const {
    return r.pane_us == pane_us && r.product == product && r.category == category &&
           r.currency == currency;
  }
  [[nodiscard]] Row row() const { return {pane_us, product, category, currency, {}}; }
};

struct RatingKey {
  using Row = RatingDelta;
  std::int64_t pane_us;
  NameId product;

  [[nodiscard]] std::uint32_t hash() const {
    return mix_key(static_cast<std::uint64_t>(pane_us), index_of(product));
  }
  [[nodiscard]] bool is(const Row& r) const { return r.pane_us == pane_us && r.product == product; }
  [[nodiscard]] Row row() const { return {pane_us, product, 0, 0, {}}; }
};

struct TypeKey {
  using Row = TypeDelta;
  std::int64_t pane_us;
  NameId type;

  [[nodiscard]] std::uint32_t hash() const {
    return mix_key(static_cast<std::uint64_t>(pane_us), index_of(type));
  }
  [[nodiscard]] bool is(const Row& r) const { return r.pane_us == pane_us && r.type == type; }
  [[nodiscard]] Row row() const { return {pane_us, type, 0}; }
};

struct VisitorKey {
  using Row = VisitorMark;
  std::int64_t pane_us;
  std::uint16_t reg;

  [[nodiscard]] std::uint32_t hash() const {
    return mix_key(static_cast<std::uint64_t>(pane_us), reg);
  }
  [[nodiscard]] bool is(const Row& r) const { return r.pane_us == pane_us && r.reg == reg; }
  [[nodiscard]] Row row() const { return {pane_us, reg, 0}; }
};

}  // namespace retailpulse
