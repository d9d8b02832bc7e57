// property_table: the verdict on every librdkafka property, as one table.
//
// Why a table: librdkafka's options are a way to run code (plug-ins, OpenSSL engines, a shell
// command for Kerberos) and to break the promise of exact offsets. What is not listed is refused.
//
// Thread: any (constant).
// Test:   tests/kafka/properties_test.cpp decides each name that the linked library dumps.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace retailpulse {

enum class PropertyVerdict : unsigned char {
  kAllowed,
  kOurs,        // the program's correctness depends on our value
  kRunsCode,    // loads a library, runs a command, or takes a function or pointer
  kWriters,     // only producers have it
  kUnsupported, // makes no sense here, or is for librdkafka's developers
};

struct PropertyRule {
  std::string_view name;
  PropertyVerdict verdict;
  std::string_view why;  // for a person; empty: the verdict says enough
};

[[nodiscard]] std::span<const PropertyRule> property_rules();
[[nodiscard]] const PropertyRule* find_property_rule(std::string_view name);
// " Did you mean 'x'?" for the nearest of `names`, or nothing when none is near.
[[nodiscard]] std::string did_you_mean(std::string_view wrong, std::span<const std::string> names);

}  // namespace retailpulse
