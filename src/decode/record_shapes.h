// RecordShapes: reads records that are written like an earlier one, without parsing them again.
//
// A producer writes its records with one piece of code, so between their values stand the same
// bytes each time. What stood between the values of records that the full walk found whole is kept
// as a tree: a record that follows one of its paths, with a plain string or a plain number wherever
// one stood, is as whole as that record was, and its fields stand where they stood. Anything else
// (an escape, a letter beyond ASCII, an exponent, another order) is left to the full walk.
//
// Thread:     role consumer. Texts in RecordFields point into the record that was read.
// Invariants: read() is true only where JsonWalker::walk() is kOk, and gives the same fields.
// Limits:     kNodesMax nodes, kTextBytesMax bytes between values; a full tree is forgotten after
//             kPatience records that it did not know. Of a record to learn: kLearnBytesMax bytes,
//             kPartsMax values, kWaysMax ways to go on from one value. After kEager unknown records
//             only every kRarely-th is learned. Records below kHeadBytes are left to the full walk.
// Test:       tests/decode/record_shapes_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "decode/fields.h"

namespace retailpulse {

class RecordShapes {
 public:
  static constexpr std::size_t kNodesMax = 1024;
  static constexpr std::size_t kTextBytesMax = std::size_t{64} * 1024;
  static constexpr std::size_t kWaysMax = 8;
  static constexpr std::size_t kPartsMax = 256;
  static constexpr std::size_t kLearnBytesMax = 4096;
  static constexpr std::uint32_t kPatience = 100'000;
  static constexpr std::uint32_t kEager = 4096;
  static constexpr std::uint32_t kRarely = 64;

  // False: not a record that is known; `out` must be cleared then. It must be before, too.
  [[nodiscard]] bool read(std::string_view record, RecordFields& out);
  // `record` was walked without fault, and the texts of `found` point into it.
  void learn(std::string_view record, const RecordFields& found);

  [[nodiscard]] std::size_t nodes() const { return nodes_used_; }

 private:
  enum class After : std::uint8_t { kString, kNumber, kEnd };
  static constexpr std::size_t kHeadBytes = 16;

  // Bytes that stand between two values, and the value behind them. The first cache line is all
  // that reading touches while records follow each other's path.
  struct alignas(64) Node {
    std::array<std::uint64_t, 2> head{};  // first kHeadBytes of the text, the rest zero
    std::array<std::uint64_t, 2> mask{};
    const char* text = nullptr;
    Node* guess = nullptr;      // where the last record went from here
    std::uint16_t size = 0;
    std::int16_t item = -1;     // of which item the value is; -1: of the record
    After after = After::kEnd;
    std::uint8_t field = 0;     // that takes the value; kFields: none, or several
    std::uint8_t ways = 0;      // how many of `next` are in use
    std::uint32_t fields = 0;   // bit for each Field that takes the value
    std::uint32_t end = 0;      // kEnd: in ends_
    std::array<Node*, kWaysMax> next{};
  };
  // A field that is the same in all records of a path: null, true, false, or a container.
  struct Fixed {
    std::int16_t item = -1;
    std::uint8_t field = 0;
    ValueKind kind = ValueKind::kNull;
  };
  struct End {
    std::vector<Fixed> fixed;
    std::vector<ValueKind> items;
  };
  struct Part {
    std::string_view text;
    After after = After::kEnd;
    const char* value = nullptr;
  };

  static bool matches(const Node& node, const char* at, const char* end);
  [[nodiscard]] static Node* another_way(Node& from, const char* at, const char* end);
  static void put_fields(const Node& node, ValueKind kind, std::string_view text,
                         RecordFields& out);
  static void put_fixed(const End& end, RecordFields& out);
  static bool split(std::string_view record, std::vector<Part>& parts);
  [[nodiscard]] static Node* find_way(const Node& from, const Part& part);
  [[nodiscard]] Node* add_way(Node& from, const Part& part, const RecordFields& found);
  static void take_fields(Node& node, const char* value, const RecordFields& found);
  [[nodiscard]] static End end_of(const RecordFields& found);
  [[nodiscard]] bool full() const;
  void forget();

  std::unique_ptr<Node[]> nodes_;  // made when the first record is learned; 0: before the first byte
  std::unique_ptr<char[]> texts_;
  std::size_t nodes_used_ = 0;
  std::size_t text_bytes_ = 0;
  std::vector<End> ends_;
  std::uint32_t unknown_ = 0;
};

}  // namespace retailpulse
