// Names: the store's dictionary, and what each lane's ids mean in it.
//
// Thread:     role committer.
// Invariants: (1) an id never changes its text; (2) a lane's ids are met in order, each before the
//             first delta that uses it.
// Limits:     kDimensionCap texts for each dimension; beyond it a text means kOtherId.
#pragma once

#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include <retailpulse/event.h>
#include <retailpulse/status.h>

#include "store/sqlite.h"

namespace retailpulse {

class Names {
 public:
  // Reads the dictionary; forgets what was not committed. Lanes' meanings stay.
  Status load(Database& db);
  // Learns a lane's new names, writing the texts that the store does not know. Learning the same
  // names again (a commit tried twice) changes nothing.
  Status learn(LaneId lane, const std::vector<NewName>& names);
  // The store's id of a lane's id; kNoName is kUnknownId, kOtherName is kOtherId.
  [[nodiscard]] std::int64_t id(LaneId lane, Dimension dimension, NameId name) const;
  // Of a category; "" for kUnknownId and kOtherId. Orders ids the same way in every run.
  [[nodiscard]] const std::string& category_text(std::int64_t id) const;

 private:
  void remember(Dimension dimension, const std::string& text, std::int64_t id);
  Result<std::int64_t> intern(Dimension dimension, const std::string& text);

  std::array<std::unordered_map<std::string, std::int64_t>, kDimensions> by_text_;
  std::vector<std::string> category_texts_;  // by id
  std::vector<std::array<std::vector<std::int64_t>, kDimensions>> lanes_;
  Statement insert_;
  Statement insert_currency_;
};

}  // namespace retailpulse
