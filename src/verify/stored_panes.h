// stored_panes: what the store says about a range of time, for comparing.
//
// Thread: the one inside HistoryReader::read().
// Limits: kPanesMax; `full` is set when there were more.
// Test:   tests/integration/verify_test.py
#pragma once

#include <retailpulse/history.h>

#include "verify/panes.h"

namespace retailpulse {

struct StoredPanes {
  Panes panes;
  bool full = false;
};
[[nodiscard]] StoredPanes stored_panes(HistoryView& view, const PaneRange& range);

}  // namespace retailpulse
