// Build info: what this executable is made of.
//
// Thread: any.
#pragma once

#include <string>
#include <utility>
#include <vector>

namespace retailpulse {

[[nodiscard]] std::string build_version();
[[nodiscard]] std::string build_commit();
[[nodiscard]] std::string build_compiler();
// "retailpulse" -> "0.1.0 (abc1234, release)", then each library with its version and features.
[[nodiscard]] std::vector<std::pair<std::string, std::string>> library_versions();

}  // namespace retailpulse
