#include "support/fault_memory.h"

#include <sqlite3.h>

#include "base/check.h"

namespace retailpulse::testing {
namespace {

// SQLite's methods carry no context; only one FaultMemory can be.
struct Plan {
  sqlite3_mem_methods real{};
  int nth = 0;  // 0: none
  bool for_ever = false;
  int seen = 0;
  bool struck = false;
  bool healed = true;
} plan;

bool strikes() {
  if (plan.healed) return false;
  ++plan.seen;
  const bool now = plan.nth > 0 && (plan.for_ever ? plan.seen >= plan.nth : plan.seen == plan.nth);
  plan.struck = plan.struck || now;
  return now;
}

void* allocate(int n) { return strikes() ? nullptr : plan.real.xMalloc(n); }
void* allocate_again(void* old, int n) { return strikes() ? nullptr : plan.real.xRealloc(old, n); }

void use(const sqlite3_mem_methods& methods) {
  RP_CHECK(sqlite3_shutdown() == SQLITE_OK, "no connection is open");
  RP_CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &methods) == SQLITE_OK, "SQLite is shut down");
  RP_CHECK(sqlite3_initialize() == SQLITE_OK, "SQLite begins again");
}

}  // namespace

FaultMemory::FaultMemory() {
  sqlite3_shutdown();
  plan = {};
  RP_CHECK(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &plan.real) == SQLITE_OK, "SQLite is shut down");
  sqlite3_mem_methods ours = plan.real;
  ours.xMalloc = allocate;
  ours.xRealloc = allocate_again;
  use(ours);
}

FaultMemory::~FaultMemory() { use(plan.real); }

void FaultMemory::fail(int nth, bool for_ever) {
  plan.nth = nth;
  plan.for_ever = for_ever;
  plan.seen = 0;
  plan.struck = false;
  plan.healed = false;
}
void FaultMemory::heal() { plan.healed = true; }
bool FaultMemory::struck() const { return plan.struck; }
int FaultMemory::seen() const { return plan.seen; }

}  // namespace retailpulse::testing
