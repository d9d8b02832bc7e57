// SourceHealth: whether all that Kafka has can reach us, and since when not.
//
// Three things can hold numbers back without an error in them: nobody answers (a cable, a broker
// that takes bytes and says nothing), a lane is in trouble (no right to read, damaged records), and
// a transaction that its producer never ends, behind which nothing is readable for anybody.
//
// Thread: none of its own; the StatusBoard's mutex guards it.
// Limits: an entry for each lane and each partition.
// Test:   tests/app/source_health_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <retailpulse/types.h>

namespace retailpulse {

class SourceHealth {
 public:
  // Brokers are asked every two seconds; after this much silence what is shown is called stale.
  static constexpr Duration kSilentAfter = std::chrono::seconds{4};
  // An end that stands still this long behind an open transaction is worth telling.
  static constexpr Duration kBlockedAfter = std::chrono::seconds{5};

  struct Moment {
    Duration at{};                   // monotonic
    std::int64_t wall_us = 0;
  };
  struct Blocked {
    PartitionSlot slot{};
    std::int64_t since_us = 0;       // wall; when its end was first seen to stand there
    Offset waiting = 0;              // records and markers behind the end
  };

  // Some broker answered for the first time; silence counts from here.
  void met(Moment now) {
    if (!ever_) heard(now);
  }
  // The leaders of all partitions answered.
  void heard(Moment now);
  // A lane's source does not work, or does again (`why` empty).
  void lane(LaneId lane, const std::string& why, Moment now);
  // What may be read of a partition ends at `stable`; the log itself ends at `high`.
  void ends(PartitionSlot slot, Offset stable, Offset high, Moment now);

  // Nobody answers: the lanes are in trouble and nobody was heard since, or nobody at all for long.
  [[nodiscard]] bool silent(Duration now) const;
  // Why some lane is in trouble; empty: none is.
  [[nodiscard]] std::string trouble() const;
  // Since when records may be missing, wall time; 0: none is.
  [[nodiscard]] std::int64_t stale_since_us(Duration now) const;
  // Partitions with something behind their end at the moment, however short it stands.
  [[nodiscard]] std::vector<PartitionSlot> held_back() const;
  // Those that are worth telling.
  [[nodiscard]] std::vector<Blocked> blocked(Duration now) const;

 private:
  struct Trouble {
    std::string why;
    Moment since;
  };
  struct End {
    Offset stable = -1;
    Offset high = -1;
    Moment since;                    // `stable` stands there, with something behind it
  };

  bool ever_ = false;
  Moment heard_;
  std::vector<Trouble> lanes_;       // by lane
  std::vector<End> ends_;            // by slot
};

}  // namespace retailpulse
