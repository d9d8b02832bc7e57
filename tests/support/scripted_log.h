// ScriptedLog: one partition's log, which a test writes, cuts back, deletes and holds at will.
//
// It knows what a leader knows: where it begins and ends, which transactions are open (they hold
// the last stable offset), which were aborted, and at which offset each leader epoch ended.
//
// Thread:     none of its own; ScriptedBroker::edit() is the lock.
// Invariants: batches are in the order of their offsets and do not overlap; holes are allowed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "support/record_batch.h"

namespace retailpulse::testing {

class ScriptedLog {
 public:
  struct Aborted {
    std::int64_t producer_id = 0;
    Offset first = 0;                  // of the transaction
    Offset marker = 0;                 // its control record
  };
  struct EpochEnd {
    std::int32_t epoch = -1;
    Offset end = -1;
  };

  // Appends at the end, or at `base` beyond it (what lies between was compacted away). Returns the
  // offset of its first record.
  Offset append(const BatchSpec& spec, std::int32_t epoch = 0, Offset base = -1);
  // Bytes as they are, for `count` offsets; e.g. of encode_batch(), changed afterwards.
  Offset append_bytes(std::string bytes, std::int32_t count, std::int32_t epoch = 0);
  // Control records that end `producer_id`'s transaction.
  Offset end_transaction(std::int64_t producer_id, BatchKind how, std::int32_t epoch = 0);
  // Unclean election: whole batches are removed until the log ends at or before `end`, which is
  // then its end.
  void cut_back(Offset end);
  // Retention: the log begins at `begin`; whole batches before it are gone.
  void delete_below(Offset begin);
  // The last stable offset stays here although no transaction is seen; nullopt: as it is.
  void hold_stable(std::optional<Offset> offset) { held_ = offset; }

  // Old brokers list an aborted transaction without records too, at its marker.
  void list_empty_aborts() { empty_aborts_ = true; }

  [[nodiscard]] Offset begin() const { return begin_; }
  [[nodiscard]] Offset end() const { return end_; }  // the high watermark
  [[nodiscard]] Offset stable() const;
  // The first offset whose record time is not before `ms`; -1: none.
  [[nodiscard]] Offset at_time(std::int64_t ms) const;
  [[nodiscard]] EpochEnd end_of_epoch(std::int32_t epoch) const;
  [[nodiscard]] std::int32_t last_epoch() const;
  struct Slice {
    std::string bytes = {};
    Offset end = 0;                    // one after its last
  };
  // Whole batches from the one that holds `from`, those that begin below `to`, as many as fit;
  // `one_at_least`: the first whatever its size.
  [[nodiscard]] Slice read(Offset from, Offset to, std::size_t bytes_max, bool one_at_least) const;
  [[nodiscard]] std::vector<Aborted> aborted_between(Offset from, Offset to) const;

 private:
  struct Batch {
    Offset first = 0;
    Offset last = 0;
    std::int32_t epoch = 0;
    std::int64_t time_ms = 0;          // greatest
    std::int64_t producer_id = -1;
    BatchKind kind = BatchKind::kPlain;
    std::string bytes = {};
  };
  struct Open {
    std::int64_t producer_id = 0;
    Offset first = 0;
  };

  void add(Batch batch);
  void note_transaction(const Batch& batch);

  std::vector<Batch> batches_;
  std::vector<Open> open_;
  std::vector<Aborted> aborted_;
  Offset begin_ = 0;
  Offset end_ = 0;
  std::optional<Offset> held_;
  bool empty_aborts_ = false;
};

}  // namespace retailpulse::testing
