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

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include <retailpulse/event.h>
#include <retailpulse/types.h>

namespace retailpulse {

class NameTable {
 public:
  NameTable(Dimension dimension, std::uint32_t cap);

  // The id of `text`; a new one is appended to `fresh`. kOtherName when the table is full.
  [[nodiscard]] NameId intern(std::string_view text, std::vector<NewName>& fresh);
  [[nodiscard]] std::size_t size() const { return texts_.size(); }

 private:
  struct Slot {
    std::uint32_t tag = 0;    // upper half of the hash: spares most text comparisons
    std::uint32_t entry = 0;  // index into texts_ plus one; 0 = free
  };

  [[nodiscard]] NameId add(std::string_view text, std::uint64_t hash, std::size_t slot,
                           std::vector<NewName>& fresh);
  void grow();
  [[nodiscard]] std::string_view keep(std::string_view text);

  Dimension dimension_;
  std::uint32_t cap_;
  std::uint64_t seed_;  // differs from run to run: nobody outside can choose colliding texts
  std::vector<Slot> slots_;
  std::vector<std::string_view> texts_;           // by id; the bytes live in blocks_
  std::vector<std::unique_ptr<char[]>> blocks_;
  std::size_t block_left_ = 0;
  char* block_next_ = nullptr;
};

}  // namespace retailpulse
