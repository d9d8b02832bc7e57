// JsonWalker: one pass over a JSON object that keeps the texts of a plan's fields.
//
// simdjson's On-Demand interface checks only what is read, so the walk reads everything: every
// key, every string's escapes, every number's grammar, also in parts that nobody asked for. It
// accepts exactly the objects in which json_fault() finds no fault (a fuzz invariant).
//
// Thread:     role consumer. Texts in RecordFields are valid until the next walk.
// Invariants: it reads from its own copy, because simdjson reads up to 64 bytes past the end and
//             librdkafka's payloads may end with a page.
// Limits:     kValueBytesMax bytes, kJsonDepthMax open containers.
// Test:       tests/decode/json_walk_test.cpp
#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include "decode/field_plan.h"
#include "decode/fields.h"

namespace retailpulse {

inline constexpr std::size_t kValueBytesMax = std::size_t{1} << 20;

class JsonWalker {
 public:
  enum class Result : std::uint8_t { kOk, kNotAnObject, kFault, kDuplicateKey };
  struct Outcome {
    Result result = Result::kOk;
    std::uint32_t node = 0;  // kDuplicateKey: the key that came twice, ...
    int item = -1;           // ... and in which item
  };

  JsonWalker();
  ~JsonWalker();
  JsonWalker(const JsonWalker&) = delete;
  JsonWalker& operator=(const JsonWalker&) = delete;

  // `value`: at most kValueBytesMax bytes. kFault: not one whole JSON document; json_fault() says
  // why. kNotAnObject: it begins with something else and was not read further. `out` must be
  // cleared before.
  [[nodiscard]] Outcome walk(std::string_view value, FieldPlan& plan, RecordFields& out);

  // The copy of the record that was walked last; the texts of its plain strings point into it.
  [[nodiscard]] std::string_view copy() const { return copy_; }

 private:
  struct Parser;
  std::unique_ptr<Parser> parser_;
  std::string_view copy_;
};

}  // namespace retailpulse
