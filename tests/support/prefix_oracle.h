// PrefixOracle: what a store must hold that stands at the offsets it says, and where it does not.
//
// Of a store at offsets `next` it demands F(records 0 .. next-1 of each partition), F being the
// slow twin over a PrfShop: every rollup of every tier that is not sealed, visitors' sketches,
// ledger, rejects with their bytes, recent ids, listings, first sales, newest and oldest event
// times, and the views. It remembers `next` between checks: offsets may only grow.
//
// Not compared, because they depend on when was committed: frames, revisions, watermarks, idleness.
//
// Thread: one at a time.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <retailpulse/config.h>

#include "store/sqlite.h"
#include "support/naive_model.h"
#include "support/prf_shop.h"
#include "support/text_rows.h"

namespace retailpulse::testing {

struct Verdict {
  std::vector<std::string> faults;  // sentences; empty: the store is right
  std::int64_t lost = 0;            // sale lines that the store should show and does not
  std::int64_t doubled = 0;         // sale lines that it shows and should not
  std::uint64_t records = 0;        // records before the store's offsets
};

class PrefixOracle {
 public:
  // `topics` by role. `time.zone` is the store's.
  PrefixOracle(const PrfShop& shop, std::vector<std::string> topics, const TimeConfig& time);

  // `ends`: how many records of each slot were written so far.
  [[nodiscard]] Verdict check(const std::string& path, const std::vector<Offset>& ends);
  [[nodiscard]] Offset next(std::uint32_t slot) const { return next_.at(slot); }

 private:
  struct Slot {
    std::vector<std::uint64_t> recent;
    std::int64_t min_event_us = INT64_MAX;
  };

  void take_offsets(Database& db, const std::vector<Offset>& ends, Verdict& verdict);
  void advance(std::uint32_t slot, Offset to);
  void add(const PrfRecord& record);
  [[nodiscard]] Rows expected(Database& db) const;
  [[nodiscard]] Rows found(Database& db) const;
  void check_bytes(Database& db, Verdict& verdict) const;
  void check_views(Database& db, const Rows& expected, Verdict& verdict) const;

  const PrfShop& shop_;
  std::vector<std::string> topics_;
  std::string slot_sql_;
  NaiveModel model_;
  std::vector<Offset> next_;
  std::vector<Slot> slots_;
  std::map<std::pair<std::string, std::int64_t>, std::pair<Offset, std::string>> listings_;
  std::map<std::string, std::int64_t> first_sold_;
};

}  // namespace retailpulse::testing
