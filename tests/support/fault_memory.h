// FaultMemory: SQLite's allocations, of which the n-th fails, once or from then on.
//
// SQLite is shut down when one begins and when it ends: no connection may be open then.
//
// Thread: one at a time.
#pragma once

namespace retailpulse::testing {

class FaultMemory {
 public:
  FaultMemory();
  ~FaultMemory();
  void fail(int nth, bool for_ever);  // 0: none, to count
  void heal();
  [[nodiscard]] bool struck() const;
  [[nodiscard]] int seen() const;  // allocations from fail() to heal()
};

}  // namespace retailpulse::testing
