// FieldPlan: where the fields of one stream stand, as a small tree of object keys.
//
// All paths of a stream are followed in one pass over the record: each node knows the keys that
// matter below it. Producers write their keys in one order, so each key remembers which one came
// after it the last time, and the next key is nearly always the first one tried.
//
// Thread:     role consumer (guesses and stamps change while decoding).
// Invariants: node 0 is the record, node item_root() an element of the items array.
// Limits:     the number of fields; a path has at most kPathDepthMax keys.
// Test:       tests/decode/field_plan_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <retailpulse/config.h>

#include "decode/fields.h"

namespace retailpulse {

inline constexpr std::size_t kPathDepthMax = 16;

struct FieldName {
  std::string_view name;              // canonical; also the native path
  Field field = Field::kNone;         // kNone: known to the mapping, but no number needs it
  bool of_item = false;               // name begins with "items." and the path is the item's
  std::string_view alias_of = {};     // read only while that one is not mapped
};
// Everything that StreamConfig::fields may name for a role.
[[nodiscard]] std::span<const FieldName> field_names(Role role);

class FieldPlan {
 public:
  using Head = std::array<std::uint64_t, 2>;
  struct Key {
    Head head{};                      // first 16 bytes of `quoted`, the rest zero
    Head mask{};
    std::string quoted;               // the key with its closing quote, as it stands in JSON
    std::uint32_t node = 0;
    std::uint32_t next = 0;           // index of the key that came after this one
  };
  struct Node {
    std::vector<Key> keys;
    std::uint64_t first_bytes = 0;    // bit (byte modulo 64) for the first byte of each key
    std::uint32_t next = 0;           // index of the key that came first
    std::uint32_t fields = 0;         // bit for each Field that ends here
    std::uint64_t seen = 0;           // serial of the object in which it was last met
    std::string path;                 // for messages
  };
  static constexpr std::uint32_t kUnmapped = 0xffffffffU;

  explicit FieldPlan(const StreamConfig& stream);

  [[nodiscard]] Node& node(std::uint32_t index) { return nodes_[index]; }
  [[nodiscard]] std::uint32_t item_root() const { return item_root_; }
  [[nodiscard]] std::uint64_t next_serial() { return ++serial_; }
  // Dotted path of a field for a reject; `item` < 0: of the record itself.
  [[nodiscard]] std::string path_of(Field field, int item) const;
  // `path` as seen from the record, when it is relative to an item (`item` >= 0).
  [[nodiscard]] std::string in_item(std::string_view path, int item) const;

  // The node below `parent` for a key that stands at `raw` without escapes, before `end` (16
  // readable bytes follow). `guess` is where the expectation is kept: at first node(parent).next.
  [[nodiscard]] std::uint32_t match(std::uint32_t parent, const char* raw, const char* end,
                                    std::uint32_t*& guess) {
    Node& node = nodes_[parent];
    if ((node.first_bytes >> (static_cast<unsigned char>(*raw) % 64) & 1) == 0) return kUnmapped;
    Key& key = node.keys[*guess];
    if (!equals(key, raw, end)) return search(node, raw, end, guess);
    guess = &key.next;
    return key.node;
  }
  // The same for a key that had escapes.
  [[nodiscard]] std::uint32_t match_text(std::uint32_t parent, std::string_view key) const;

 private:
  static bool equals(const Key& key, const char* raw, const char* end) {
    Head head;
    std::memcpy(&head, raw, sizeof(head));
    const std::uint64_t different = ((head[0] & key.mask[0]) ^ key.head[0]) |
                                    ((head[1] & key.mask[1]) ^ key.head[1]);
    return different == 0 && (key.quoted.size() <= sizeof(head) || tail_equals(key, raw, end));
  }
  [[nodiscard]] static bool tail_equals(const Key& key, const char* raw, const char* end);
  [[nodiscard]] static std::uint32_t search(Node& node, const char* raw, const char* end,
                                            std::uint32_t*& guess);
  void add(const FieldName& name, std::string_view path);
  [[nodiscard]] std::uint32_t child(std::uint32_t parent, std::string_view key);

  std::vector<Node> nodes_;
  std::uint32_t item_root_ = 1;
  std::uint64_t serial_ = 0;
  std::string items_path_;
};

}  // namespace retailpulse
