#include "decode/name_table.h"

#include <algorithm>
#include <cstring>

#include "base/hash.h"

namespace retailpulse {
namespace {

constexpr std::size_t kFirstSlots = 64;
constexpr std::size_t kBlockBytes = 64 * 1024;
static_assert(kBlockBytes >= kNameBytesMax);

std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }

}  // namespace

// Where the heap put the object is as unpredictable as the loader makes it, and costs nothing.
// Ids do not depend on the seed: they follow the order of first appearance.
NameTable::NameTable(Dimension dimension, std::uint32_t cap)
    : dimension_(dimension), cap_(cap), slots_(kFirstSlots) {
  const void* here = slots_.data();
  seed_ = hash64({reinterpret_cast<const char*>(&here), sizeof(here)});
}

std::uint64_t NameTable::seek(std::string_view text) const {
  const std::uint64_t hash = hash64(text, seed_);
  __builtin_prefetch(&slots_[hash & (slots_.size() - 1)]);
  return hash;
}

NameId NameTable::intern(std::string_view text, std::uint64_t hash, std::vector<NewName>& fresh) {
  const std::size_t mask = slots_.size() - 1;
  std::size_t at = hash & mask;
  while (slots_[at].entry != 0) {
    const Slot slot = slots_[at];
    if (slot.tag == tag_of(hash) && same_text(texts_[slot.entry - 1].view(), text)) return NameId{slot.entry - 1};
    at = (at + 1) & mask;
  }
  return add(text, hash, at, fresh);
}

NameId NameTable::add(std::string_view text, std::uint64_t hash, std::size_t slot,
                      std::vector<NewName>& fresh) {
  if (texts_.size() >= cap_) return kOtherName;
  const NameId id{static_cast<std::uint32_t>(texts_.size())};
  texts_.push_back(keep(text));
  slots_[slot] = {tag_of(hash), index_of(id) + 1};
  fresh.push_back({dimension_, id, std::string(text)});
  if (texts_.size() * 2 > slots_.size()) grow();  // at most half full: probes stay short
  return id;
}

void NameTable::grow() {
  std::vector<Slot> wider(slots_.size() * 2);
  const std::size_t mask = wider.size() - 1;
  for (std::size_t i = 0; i < texts_.size(); ++i) {
    const std::uint64_t hash = hash64(texts_[i].view(), seed_);
    std::size_t at = hash & mask;
    while (wider[at].entry != 0) at = (at + 1) & mask;
    wider[at] = {tag_of(hash), static_cast<std::uint32_t>(i + 1)};
  }
  slots_ = std::move(wider);
}

NameTable::Text NameTable::keep(std::string_view text) {
  Text out;
  out.size = static_cast<std::uint32_t>(text.size());
  if (text.size() <= Text::kShort) {
    std::copy(text.begin(), text.end(), out.bytes.begin());
    return out;
  }
  if (text.size() > block_left_) {
    const std::size_t bytes = std::max(kBlockBytes, text.size());
    blocks_.push_back(std::make_unique<char[]>(bytes));
    block_next_ = blocks_.back().get();
    block_left_ = bytes;
  }
  std::memcpy(block_next_, text.data(), text.size());
  const char* const kept = block_next_;
  std::memcpy(out.bytes.data(), &kept, sizeof(kept));
  block_next_ += text.size();
  block_left_ -= text.size();
  return out;
}

}  // namespace retailpulse
