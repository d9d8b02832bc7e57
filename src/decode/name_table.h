// NameTable: the lane's own dictionary of one dimension, text -> dense id.
//
// An event carries a 32-bit id instead of a text, so that windows group by integers. Ids count up
// from 0 in order of first appearance and never change; the store translates them through the
// NewName that is appended with the first use.
//
// Thread:     role consumer (one table for each dimension of a lane).
// Invariants: intern(a) == intern(b) exactly when a == b, for texts below the cap.
// Limits:     `cap` texts of at most kNameBytesMax bytes; a later new text is kOtherName.
// Test:       tests/decode/name_table_test.cpp
#pragma once

#include <array>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <vector>

#include <retailpulse/event.h>
#include <retailpulse/types.h>

namespace retailpulse {

// Of 4 to 16 bytes the first half and the last are compared, which may overlap, without a call.
[[nodiscard]] inline bool same_text(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  if (a.size() < 4 || a.size() > 16) return a == b;
  const auto differ = [&]<class Word>(std::size_t at, Word) {
    Word of_a;
    Word of_b;
    std::memcpy(&of_a, a.data() + at, sizeof(Word));
    std::memcpy(&of_b, b.data() + at, sizeof(Word));
    return of_a ^ of_b;
  };
  if (a.size() < 8) {
    return (differ(0, std::uint32_t{}) | differ(a.size() - 4, std::uint32_t{})) == 0;
  }
  return (differ(0, std::uint64_t{}) | differ(a.size() - 8, std::uint64_t{})) == 0;
}

class NameTable {
 public:
  NameTable(Dimension dimension, std::uint32_t cap);

  // Two steps that begin to load what intern() will read, some time before it: the slot, then the
  // text. The hash of the first is for the others.
  [[nodiscard]] std::uint64_t seek(std::string_view text) const;
  void approach(std::uint64_t hash) const {
    const Slot slot = slots_[hash & (slots_.size() - 1)];
    if (slot.entry != 0) __builtin_prefetch(&texts_[slot.entry - 1]);
  }
  // The id of `text`; a new one is appended to `fresh`. kOtherName when the table is full.
  [[nodiscard]] NameId intern(std::string_view text, std::vector<NewName>& fresh) {
    return intern(text, seek(text), fresh);
  }
  [[nodiscard]] NameId intern(std::string_view text, std::uint64_t hash,
                              std::vector<NewName>& fresh);
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

 private:
  struct Slot {
    std::uint32_t tag = 0;    // upper half of the hash: spares most text comparisons
    std::uint32_t entry = 0;  // index into texts_ plus one; 0 = free
  };
  // Nearly every text is short and stands here, so that comparing it touches no third place.
  struct Text {
    static constexpr std::size_t kShort = 28;
    std::uint32_t size = 0;
    std::array<char, kShort> bytes{};  // of a longer one: where it is kept

    [[nodiscard]] std::string_view view() const {
      if (size <= kShort) return {bytes.data(), size};
      const char* kept = nullptr;
      std::memcpy(&kept, bytes.data(), sizeof(kept));
      return {kept, size};
    }
  };

  [[nodiscard]] NameId add(std::string_view text, std::uint64_t hash, std::size_t slot,
                           std::vector<NewName>& fresh);
  void grow();
  [[nodiscard]] Text keep(std::string_view text);

  Dimension dimension_;
  std::uint32_t cap_;
  std::uint64_t seed_;  // differs from run to run: nobody outside can choose colliding texts
  std::vector<Slot> slots_;
  std::vector<Text> texts_;                       // by id; the bytes of long ones live in blocks_
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_next_ = nullptr;
};

}  // namespace retailpulse
