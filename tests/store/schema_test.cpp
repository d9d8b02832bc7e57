// Files that are not this release's: refused with a sentence, and left as they are.
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include <retailpulse/store.h>

#include "store/schema.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

namespace fs = std::filesystem;

std::string bytes_of(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST_CASE("schema: stores of other versions and applications are refused and left alone", "[schema]") {
  std::string name = fs::temp_directory_path() / "retailpulse-schema-XXXXXX";
  StoreOptions options;
  options.config.directory = mkdtemp(name.data());
  options.zone = "UTC";
  const std::string path = options.config.directory + "/retailpulse.db";
  REQUIRE(open_store(options).value()->close().ok());
  const auto pragma = [&](const std::string& text) {
    auto db = Database::open(path, Database::Mode::kReadWriteCreate);
    REQUIRE(db.ok());
    REQUIRE(db.value().exec("PRAGMA " + text).ok());
  };
  struct Case {
    std::string pragma, words;
  };
  for (const Case& one :
       {Case{fmt::format("user_version={}", kSchemaVersion + 1), "has schema version"},
        Case{fmt::format("user_version={}", kSchemaVersion - 1), "has schema version"},
        Case{"user_version=2147483647", "use the release that wrote it"},
        Case{"application_id=1", "another application"}}) {
    pragma(one.pragma);
    const std::string before = bytes_of(path);
    const auto refused = open_store(options);
    INFO(one.pragma << ": " << refused.status().message());
    CHECK(refused.status().code() == Code::kStorage);
    CHECK(refused.status().message().find(one.words) != std::string::npos);
    CHECK(bytes_of(path) == before);
    pragma(fmt::format("user_version={}", kSchemaVersion));
    pragma(fmt::format("application_id={}", kApplicationId));
  }
  CHECK(open_store(options).ok());
  fs::remove_all(options.config.directory);
}

TEST_CASE("schema: the bundled SQLite has the fix of its WAL-reset race", "[schema]") {
  const std::string version = store_library_version();  // "SQLite 3.54.1"
  int major = 0, minor = 0, patch = 0;
  REQUIRE(std::sscanf(version.c_str(), "SQLite %d.%d.%d", &major, &minor, &patch) == 3);
  const int number = major * 1'000'000 + minor * 1000 + patch;
  const bool patched_branch = (number >= 3'050'007 && number < 3'051'000) ||
                              (number >= 3'044'006 && number < 3'045'000);
  INFO(version << "; a system SQLite without it is warned of by CMake");
  CHECK((number >= 3'051'003 || patched_branch));
}

}  // namespace
}  // namespace retailpulse
