#include "app/build_info.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include <retailpulse/kafka.h>
#include <retailpulse/store.h>
#include <retailpulse_build.h>

namespace retailpulse {
namespace {

std::pair<std::string, std::string> split_name(const std::string& text) {
  const auto space = text.find(' ');
  return {text.substr(0, space), space == std::string::npos ? "" : text.substr(space + 1)};
}

}  // namespace

std::string build_version() { return RP_VERSION; }
std::string build_commit() { return RP_COMMIT; }
std::string build_compiler() { return RP_COMPILER; }

std::vector<std::pair<std::string, std::string>> library_versions() {
  return {{"retailpulse", fmt::format("{} ({}, {}, {}, allocator {})", RP_VERSION, RP_COMMIT,
                                      RP_BUILD_TYPE, RP_COMPILER, RP_ALLOCATOR)},
          split_name(kafka_library_version()),
          split_name(store_library_version()),
          {"fmt", fmt::format("{}.{}.{}", FMT_VERSION / 10000, FMT_VERSION / 100 % 100,
                              FMT_VERSION % 100)},
          {"nlohmann_json", fmt::format("{}.{}.{}", NLOHMANN_JSON_VERSION_MAJOR,
                                        NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH)}};
}

}  // namespace retailpulse
