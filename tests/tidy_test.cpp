// The rules of the house that a reader can see, as tests: map, layers, doors, budgets, words.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "support/catch.h"

namespace retailpulse {
namespace {

namespace fs = std::filesystem;

struct SourceFile {
  std::string path;  // from the root: "src/store/sqlite.h"
  std::vector<std::string> lines;
};

std::vector<std::string> read_lines(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

// Tests run in the root of the sources.
std::vector<SourceFile> files_below(const std::string& folder) {
  std::vector<SourceFile> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension != ".h" && extension != ".cpp") continue;
    files.push_back({entry.path().generic_string(), read_lines(entry.path())});
  }
  std::sort(files.begin(), files.end(),
            [](const SourceFile& a, const SourceFile& b) { return a.path < b.path; });
  return files;
}

std::vector<SourceFile> product_files() {
  auto files = files_below("src");
  auto nouns = files_below("include");
  std::move(nouns.begin(), nouns.end(), std::back_inserter(files));
  return files;
}

bool is_header(const SourceFile& file) { return fs::path(file.path).extension() == ".h"; }

// "store" of "src/store/x.h"; "include" for the nouns.
std::string module_of(const std::string& path) {
  if (path.rfind("src/", 0) != 0) return "include";
  return path.substr(4, path.find('/', 4) - 4);
}

// What a line includes, without brackets or quotes; empty when it includes nothing.
std::string included(const std::string& line) {
  static const std::regex pattern(R"re(^\s*#include\s+[<"]([^>"]+)[>"])re");
  std::smatch match;
  return std::regex_search(line, match, pattern) ? match[1].str() : "";
}

using Complaints = std::vector<std::string>;

// Collects a complaint for each line of the files for which `fault` has words.
Complaints complain(const std::vector<SourceFile>& files,
                    const std::function<std::string(const SourceFile&, const std::string&)>& fault) {
  Complaints found;
  for (const SourceFile& file : files) {
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string words = fault(file, file.lines[i]);
      if (!words.empty()) found.push_back(file.path + ":" + std::to_string(i + 1) + ": " + words);
    }
  }
  return found;
}

void require_none(const Complaints& complaints) {
  std::string text;
  for (const std::string& complaint : complaints) text += "\n  " + complaint;
  INFO(text);
  REQUIRE(complaints.empty());
}

TEST_CASE("modules meet only in the nouns and in base", "[tidy]") {
  require_none(complain(product_files(), [](const SourceFile& file, const std::string& line) {
    const std::string header = included(line);
    const auto slash = header.find('/');
    if (header.empty() || slash == std::string::npos) return std::string();
    const std::string from = module_of(file.path);
    const std::string to = header.substr(0, slash);
    if (!fs::exists("src/" + to) || to == from || from == "app") return std::string();
    if (from == "include") return "a noun includes " + header;
    return to == "base" ? std::string() : from + " includes " + header;
  }));
}

TEST_CASE("the nouns need the standard library and each other only", "[tidy]") {
  require_none(complain(files_below("include"), [](const SourceFile&, const std::string& line) {
    const std::string header = included(line);
    const bool own = header.rfind("retailpulse/", 0) == 0;
    const bool standard = header.find_first_of("./") == std::string::npos;
    return header.empty() || own || standard ? std::string() : "includes " + header;
  }));
}

TEST_CASE("each library has one door", "[tidy]") {
  const std::map<std::string, std::string> doors = {
      {"librdkafka/", "src/kafka/"}, {"sqlite3.h", "src/store/"},  {"httplib.h", "src/serve/http_server.cpp"},
      {"simdjson.h", "src/decode/"}, {"CLI/", "src/app/"},         {"date/", "src/base/zone.cpp"},
      {"xxhash.h", "src/base/hash.cpp"}};
  require_none(complain(product_files(), [&](const SourceFile& file, const std::string& line) {
    const std::string header = included(line);
    for (const auto& [library, door] : doors) {
      if (header.rfind(library, 0) == 0 && file.path.rfind(door, 0) != 0) {
        return header + " belongs behind " + door;
      }
    }
    return std::string();
  }));
}

TEST_CASE("only the system clock asks for the time", "[tidy]") {
  static const std::regex clock(R"(::now\(|\bgettimeofday\(|\bclock_gettime\(|\btime\(nullptr\))");
  require_none(complain(product_files(), [](const SourceFile& file, const std::string& line) {
    if (file.path == "src/base/system_clock.cpp") return std::string();
    return std::regex_search(line, clock) ? "reads a clock: " + line : std::string();
  }));
}

// Two types of one name in one namespace: the linker takes the members of one of them for both.
TEST_CASE("a type's name is taken once", "[tidy]") {
  static const std::regex pattern(R"re(^(?:class|struct)\s+(?:alignas\(\S+\)\s+)?(\w+)(?: final)?(?: : [^;]*)? \{)re");
  std::map<std::string, std::string> taken;
  bool hidden = false;  // in a namespace without a name
  require_none(complain(product_files(), [&](const SourceFile& file, const std::string& line) {
    if (line == "namespace {") hidden = true;
    if (line == "}  // namespace") hidden = false;
    std::smatch match;
    if (hidden || !std::regex_search(line, match, pattern)) return std::string();
    const auto [it, first] = taken.emplace(match[1].str(), file.path);
    return first ? std::string() : match[1].str() + " is taken by " + it->second;
  }));
  CHECK(taken.size() > 100);
}

TEST_CASE("nothing is left to be done", "[tidy]") {
  static const std::regex words(R"(\b(TODO|FIXME|XXX|HACK)\b|not implemented)");
  require_none(complain(product_files(), [](const SourceFile& file, const std::string& line) {
    if (file.path.find("hash.cpp") != std::string::npos) return std::string();  // XXH_INLINE_ALL
    return std::regex_search(line, words) ? line : std::string();
  }));
}

TEST_CASE("every header names the threads that may touch it", "[tidy]") {
  Complaints silent;
  for (const SourceFile& file : product_files()) {
    if (!is_header(file)) continue;
    const bool says = std::any_of(file.lines.begin(), file.lines.end(), [](const std::string& line) {
      return line.find("Thread:") != std::string::npos;
    });
    if (!says) silent.push_back(file.path);
  }
  require_none(silent);
}

TEST_CASE("a test that a file names is there", "[tidy]") {
  static const std::regex name(R"(\btests/[\w./-]+\.(cpp|py|mjs|txt)\b)");
  Complaints missing;
  for (const SourceFile& file : product_files()) {
    for (const std::string& line : file.lines) {
      for (std::sregex_iterator it(line.begin(), line.end(), name), end; it != end; ++it) {
        if (!fs::exists(it->str())) missing.push_back(file.path + " names " + it->str());
      }
    }
  }
  require_none(missing);
}

TEST_CASE("files and functions stay within their budgets", "[tidy]") {
  constexpr std::size_t kHeaderLines = 180, kSourceLines = 420, kFunctionLines = 60;
  Complaints large;
  for (const SourceFile& file : product_files()) {
    const std::size_t most = is_header(file) ? kHeaderLines : kSourceLines;
    if (file.lines.size() > most) {
      large.push_back(file.path + " has " + std::to_string(file.lines.size()) + " lines");
    }
    // A function at the margin begins with a line that ends in "{" and ends with "}".
    std::size_t begin = 0;
    for (std::size_t i = 0; i < file.lines.size(); ++i) {
      const std::string& line = file.lines[i];
      if (line == "}" && begin != 0 && i - begin + 1 > kFunctionLines) {
        large.push_back(file.path + ":" + std::to_string(begin) + " a function of " +
                        std::to_string(i - begin + 1) + " lines");
      }
      const bool opens = !line.empty() && line[0] != ' ' && line.back() == '{' &&
                         line.find('(') != std::string::npos;
      if (opens) begin = i + 1;
      if (line == "}" || line.rfind("};", 0) == 0) begin = 0;
    }
  }
  require_none(large);
}

// The map: src/README.md names every folder and file, and nothing that is not there.
TEST_CASE("the map shows the house as it is", "[tidy]") {
  std::string map;
  for (const std::string& line : read_lines("src/README.md")) map += line + "\n";
  Complaints wrong;
  std::set<std::string> names;
  for (const SourceFile& file : product_files()) {
    const fs::path path(file.path);
    names.insert(path.filename().string());
    names.insert(path.stem().string());
    // "x.h", "x.cpp" or "x.{h,cpp}" or `x` alone.
    if (map.find("`" + path.stem().string()) == std::string::npos) {
      wrong.push_back("not in the map: " + file.path);
    }
  }
  for (const auto& entry : fs::directory_iterator("src")) {
    if (entry.is_directory() && map.find("`src/" + entry.path().filename().string()) == std::string::npos) {
      wrong.push_back("folder not in the map: " + entry.path().string());
    }
  }
  static const std::regex mention(R"re(`([a-z_0-9]+)(\.(h|cpp|\{h,cpp\}))`)re");
  for (std::sregex_iterator it(map.begin(), map.end(), mention), end; it != end; ++it) {
    if (names.count((*it)[1].str()) == 0) wrong.push_back("only in the map: " + (*it)[0].str());
  }
  require_none(wrong);
}

}  // namespace
}  // namespace retailpulse
