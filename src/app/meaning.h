// Meaning: what of the configuration decides what stored numbers mean.
//
// For each setting there are three verdicts. Harmless: it decides how, when or where, never what a
// record counts as. Recorded: it decides from now on, and the store keeps its value with the time of
// each change. Fixed: another value would be added up with what is stored, so it is refused.
//
// Thread: any. Pure.
// Test:   tests/app/meaning_test.cpp has the verdict on every setting, and why
#pragma once

#include <vector>

#include <retailpulse/config.h>
#include <retailpulse/store.h>

namespace retailpulse {

// The recorded and the fixed ones. The zone is not among them: the store knows it by itself.
[[nodiscard]] std::vector<Setting> meaning_of(const Config& config);

}  // namespace retailpulse
