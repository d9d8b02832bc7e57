// FactEncoder: turns facts into the event batches that a lane's decoder would make of them.
//
// Thread: one at a time. One for each lane: it owns the lane's name table.
#pragma once

#include <array>
#include <map>
#include <string>

#include <retailpulse/event.h>

#include "support/fact.h"

namespace retailpulse::testing {

class FactEncoder {
 public:
  // Appends the record and moves its partition's advance over it.
  void append(const Fact& fact, EventBatch& out);
  // Says that the partition's position is (not) its end, with `next` as it stands.
  static void mark_end(std::uint32_t partition, Offset next, EventBatch& out);

 private:
  NameId name(Dimension dimension, const std::string& text, EventBatch& out);
  void append_lines(const Fact& fact, Event event, EventBatch& out);
  void append_listing(const Fact& fact, Event event, EventBatch& out);

  std::array<std::map<std::string, NameId>, kDimensions> names_;
};

}  // namespace retailpulse::testing
