#include "decode/record_shapes.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
#include <cstring>

namespace retailpulse {
namespace {

using Words = std::array<std::uint64_t, 2>;
using Bytes = signed char __attribute__((vector_size(16)));  // gcc and clang, any machine
constexpr std::ptrdiff_t kStep = sizeof(Bytes);

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool begins_number(char c) { return is_digit(c) || c == '-'; }

// A bit for each byte, the first byte's lowest; `mask` is all ones or all zeros in each byte.
template <class Mask>
inline std::uint32_t bits_of(const Mask& mask) {
#ifdef __SSE2__
  return static_cast<std::uint32_t>(_mm_movemask_epi8(reinterpret_cast<__m128i>(mask)));
#else
  constexpr bool kLittle = std::endian::native == std::endian::little;
  constexpr std::uint64_t kOneBitEach = kLittle ? 0x8040201008040201ULL : 0x0102040810204080ULL;
  Words words;
  std::memcpy(&words, &mask, sizeof(words));
  for (std::uint64_t& word : words) {  // the byte on top becomes the sum of all
    word = ((word & kOneBitEach) * 0x0101010101010101ULL) >> 56;
  }
  return static_cast<std::uint32_t>(words[0] | words[1] << 8);
#endif
}

// The end of the bytes that are not `special`, 16 at a time. 16 bytes before `end` must be there:
// near the end the last 16 are taken, and the end itself counts as special.
template <class Special>
inline const char* run_end(const char* at, const char* end, Special special) {
  for (;; at += kStep) {
    const std::ptrdiff_t left = end - at;
    Bytes bytes;
    std::memcpy(&bytes, left >= kStep ? at : end - kStep, sizeof(bytes));
    std::uint32_t bits = bits_of(special(bytes));
    if (left < kStep) bits = (bits >> (kStep - left)) | (1U << left);
    if (bits != 0) return at + std::countr_zero(bits);
  }
}

// The end of the plain text that begins here; what stands there is the caller's business. What is
// not ASCII is negative, and so below the first printable character too.
inline const char* plain_end(const char* at, const char* end) {
  return run_end(at, end, [](const Bytes& c) { return (c == '"') | (c == '\\') | (c < ' '); });
}

inline const char* digits_end(const char* at, const char* end) {
  return run_end(at, end, [](const Bytes& c) { return (c < '0') | (c > '9'); });
}

// The end of the number that begins here; `at` when it is none, or has an exponent.
inline const char* number_end(const char* at, const char* end) {
  const char* const whole = at != end && *at == '-' ? at + 1 : at;
  const char* c = digits_end(whole, end);
  if (c == whole || (*whole == '0' && c - whole > 1)) return at;
  if (c != end && *c == '.') {
    const char* const fraction = c + 1;
    c = digits_end(fraction, end);
    if (c == fraction) return at;
  }
  return c != end && (*c == 'e' || *c == 'E') ? at : c;
}

}  // namespace

inline bool RecordShapes::matches(const Node& node, const char* at, const char* end) {
  const auto left = static_cast<std::size_t>(end - at);
  if (left >= kHeadBytes) [[likely]] {
    Words bytes;
    std::memcpy(&bytes, at, sizeof(bytes));
    const std::uint64_t different = ((bytes[0] & node.mask[0]) ^ node.head[0]) |
                                    ((bytes[1] & node.mask[1]) ^ node.head[1]);
    if (different != 0) return false;
    if (node.size > kHeadBytes &&
        (left < node.size || std::memcmp(at + kHeadBytes, node.text + kHeadBytes,
                                         node.size - kHeadBytes) != 0)) {
      return false;
    }
  } else if (left < node.size || std::memcmp(at, node.text, node.size) != 0) {
    return false;
  }
  if (node.after == After::kString) return true;
  return node.after == After::kEnd ? left == node.size
                                   : left > node.size && begins_number(at[node.size]);
}

RecordShapes::Node* RecordShapes::another_way(Node& from, const char* at, const char* end) {
  for (std::uint8_t way = 0; way < from.ways; ++way) {
    if (matches(*from.next[way], at, end)) return from.guess = from.next[way];
  }
  return nullptr;
}

bool RecordShapes::read(std::string_view record, RecordFields& out) {
  static_assert(kStep <= kHeadBytes);  // the last step of run_end() stays within the record
  if (nodes_used_ == 0 || record.size() < kHeadBytes) return false;
  const char* at = record.data();
  const char* const end = at + record.size();
  Node* node = nodes_.get();
  for (;;) {
    Node* const from = node;
    node = from->guess;
    if (node == nullptr) return false;
    if (!matches(*node, at, end) && (node = another_way(*from, at, end)) == nullptr) return false;
    at += node->size;
    const char* const begin = at;
    ValueKind kind = ValueKind::kString;
    if (node->after == After::kString) {
      at = plain_end(at, end);
    } else if (node->after == After::kNumber) {
      kind = ValueKind::kNumber;
      at = number_end(at, end);
      if (at == begin) return false;
    } else {
      put_fixed(ends_[node->end], out);
      return true;
    }
    if (node->field < kFields) [[likely]] {
      FieldValue& value = out.values[node->field];
      value.data = begin;
      value.size = static_cast<std::uint32_t>(at - begin);
      value.kind = kind;
    } else if (node->fields != 0) {
      put_fields(*node, kind, {begin, static_cast<std::size_t>(at - begin)}, out);
    }
  }
}

void RecordShapes::put_fields(const Node& node, ValueKind kind, std::string_view text,
                              RecordFields& out) {
  FieldValue* values = out.values.data();
  if (node.item >= 0) {
    const auto item = static_cast<std::size_t>(node.item);
    if (out.items.size() <= item) out.items.resize(item + 1);
    values = out.items[item].values.data();
  }
  for (std::uint32_t fields = node.fields; fields != 0; fields &= fields - 1) {
    values[std::countr_zero(fields)].set(kind, text);
  }
}

void RecordShapes::put_fixed(const End& end, RecordFields& out) {
  if (!end.items.empty()) out.items.resize(end.items.size());
  for (std::size_t i = 0; i < end.items.size(); ++i) out.items[i].kind = end.items[i];
  for (const Fixed& fixed : end.fixed) {
    FieldValue* const values =
        fixed.item < 0 ? out.values.data()
                       : out.items[static_cast<std::size_t>(fixed.item)].values.data();
    values[fixed.field].set(fixed.kind, {});
  }
}

// --- learning -----------------------------------------------------------------------------------

bool RecordShapes::full() const {
  return nodes_used_ >= kNodesMax || text_bytes_ >= kTextBytesMax;
}

void RecordShapes::forget() {
  if (nodes_ == nullptr) {
    nodes_ = std::make_unique<Node[]>(kNodesMax + kPartsMax + 1);
    texts_ = std::make_unique<char[]>(kTextBytesMax + kLearnBytesMax);
  }
  nodes_[0] = Node{};
  nodes_used_ = 1;
  text_bytes_ = 0;
  ends_.clear();
  unknown_ = 0;
}

// The record is whole JSON: what begins a value is told by its first byte. False: not plain.
bool RecordShapes::split(std::string_view record, std::vector<Part>& parts) {
  std::array<bool, 64> in_object{};  // more than a walk lets through
  std::size_t depth = 0;
  bool key = false;
  const char* begin = record.data();
  const char* const end = begin + record.size();
  const auto part = [&](const char* value, After after) {
    parts.push_back({{begin, static_cast<std::size_t>(value - begin)}, after, value});
    return parts.size() < kPartsMax;
  };
  for (const char* at = begin; at != end;) {
    const char c = *at;
    if (c == '"') {
      const char* const close = plain_end(at + 1, end);
      if (close == end || *close != '"') return false;
      if (!key) {
        if (!part(at + 1, After::kString)) return false;
        begin = close;
      }
      key = false;
      at = close + 1;
    } else if (begins_number(c)) {
      if (!part(at, After::kNumber)) return false;
      begin = number_end(at, end);
      if (begin == at) return false;
      at = begin;
    } else {
      if (c == '{' || c == '[') {
        if (depth == in_object.size()) return false;
        in_object[depth++] = c == '{';
      }
      if (c == '}' || c == ']') --depth;
      if (c == '{' || c == '[' || c == ',') key = depth > 0 && in_object[depth - 1];
      if (c == 't' || c == 'f' || c == 'n') at += 3;  // of "false" the last letter is left over
      ++at;
    }
  }
  return part(end, After::kEnd);
}

void RecordShapes::learn(std::string_view record, const RecordFields& found) {
  if (record.size() < kHeadBytes || record.size() > kLearnBytesMax || found.too_many_items) return;
  ++unknown_;
  if (nodes_used_ == 0 || (full() && unknown_ >= kPatience)) forget();
  if (full() || (unknown_ > kEager && unknown_ % kRarely != 0)) return;
  std::vector<Part> parts;
  if (!split(record, parts)) return;
  Node* at = nodes_.get();
  for (const Part& part : parts) {
    Node* const way = find_way(*at, part);
    at = way != nullptr ? way : add_way(*at, part, found);
    if (at == nullptr) return;  // too many ways; what was added stays without an end
  }
}

RecordShapes::Node* RecordShapes::find_way(const Node& from, const Part& part) {
  for (std::uint8_t way = 0; way < from.ways; ++way) {
    Node& node = *from.next[way];
    if (node.after == part.after && std::string_view(node.text, node.size) == part.text) {
      return &node;
    }
  }
  return nullptr;
}

RecordShapes::Node* RecordShapes::add_way(Node& from, const Part& part, const RecordFields& found) {
  if (from.ways == kWaysMax) return nullptr;
  Node& node = nodes_[nodes_used_++];
  node = Node{};
  char* const text = texts_.get() + text_bytes_;
  std::copy(part.text.begin(), part.text.end(), text);
  text_bytes_ += part.text.size();
  node.text = text;
  node.size = static_cast<std::uint16_t>(part.text.size());
  const std::size_t head = std::min(part.text.size(), kHeadBytes);
  std::memcpy(&node.head, text, head);
  std::memset(&node.mask, 0xff, head);
  node.after = part.after;
  node.field = kFields;
  if (part.after == After::kEnd) {
    node.end = static_cast<std::uint32_t>(ends_.size());
    ends_.push_back(end_of(found));
  } else {
    take_fields(node, part.value, found);
  }
  from.next[from.ways++] = &node;
  from.guess = &node;
  return &node;
}

// Which fields the walk found at this value.
void RecordShapes::take_fields(Node& node, const char* value, const RecordFields& found) {
  const auto take = [&](const FieldValue* values, std::size_t count, std::int16_t item) {
    for (std::size_t i = 0; i < count; ++i) {
      const ValueKind kind = values[i].kind;
      if (kind != ValueKind::kString && kind != ValueKind::kNumber) continue;
      if (values[i].data != value) continue;
      node.fields |= 1U << i;
      node.item = item;
    }
  };
  take(found.values.data(), kFields, -1);
  for (std::size_t i = 0; i < found.items.size(); ++i) {
    take(found.items[i].values.data(), kItemFields, static_cast<std::int16_t>(i));
  }
  if (node.item < 0 && std::has_single_bit(node.fields)) {
    node.field = static_cast<std::uint8_t>(std::countr_zero(node.fields));
  }
}

RecordShapes::End RecordShapes::end_of(const RecordFields& found) {
  End end;
  const auto take = [&end](const FieldValue* values, std::size_t count, std::int16_t item) {
    for (std::size_t i = 0; i < count; ++i) {
      const ValueKind kind = values[i].kind;
      const bool varies = kind == ValueKind::kString || kind == ValueKind::kNumber;
      if (kind == ValueKind::kAbsent || varies) continue;
      end.fixed.push_back({item, static_cast<std::uint8_t>(i), kind});
    }
  };
  take(found.values.data(), kFields, -1);
  for (std::size_t i = 0; i < found.items.size(); ++i) {
    take(found.items[i].values.data(), kItemFields, static_cast<std::int16_t>(i));
    end.items.push_back(found.items[i].kind);
  }
  return end;
}

}  // namespace retailpulse
