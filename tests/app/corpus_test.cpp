// The bad-input corpus of configuration files: what the loader says of each.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "app/config_load.h"
#include "base/escape.h"
#include "support/catch.h"
#include "support/corpus.h"

namespace retailpulse::testing {
namespace {

namespace fs = std::filesystem;
constexpr std::size_t kSentenceBytesMax = 1000;

class CaseFolder {
 public:
  CaseFolder() {
    std::string name = fs::temp_directory_path() / "retailpulse-config-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~CaseFolder() { fs::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

// What no sentence may be, whatever the file holds.
std::string fault_of(const std::string& sentence) {
  if (sentence.size() > kSentenceBytesMax) return "a sentence that is too long";
  if (sentence.find("canary") != std::string::npos) return "a secret is shown";
  std::string escaped;
  append_json_string(escaped, sentence);
  if (escaped.find("\\u00") != std::string::npos && terminal_text(sentence) != sentence) {
    return "control characters";
  }
  if (escaped.find("\xef\xbf\xbd") != std::string::npos &&
      sentence.find("\xef\xbf\xbd") == std::string::npos) {
    return "not UTF-8";
  }
  return {};
}

// "ok", the expected text when a sentence has it, else all sentences.
std::string found_for(const std::string& file, const std::string& line, const std::string& words) {
  ConfigLoader loader;
  loader.file(file);
  loader.check();
  (void)loader.show(true);
  std::string all;
  bool said = false;
  const std::string begin = line == "0" ? file + ":" : file + ":" + line + ": ";
  for (const std::string& error : loader.errors()) {
    if (const std::string fault = fault_of(error); !fault.empty()) return fault + ": " + error;
    said = said || (error.rfind(begin, 0) == 0 && error.find(words) != std::string::npos);
    all += error + "\n";
  }
  if (loader.errors().size() > ConfigLoader::kErrorsShown + 1) return "too many sentences";
  return said ? line + " " + words : all.empty() ? "ok " : all;
}

}  // namespace

TEST_CASE("corpus: configuration files") {
  const CaseFolder folder;
  const auto lines = read_corpus("config_cases.py " + folder.path());
  if (lines.empty()) return;
  Verdicts verdicts;
  for (const CorpusLine& line : lines) {
    REQUIRE(line.size() == 3);
    const std::string found = found_for(line[0], line[1], line[2]);
    verdicts.check(line[0], line[1] + " " + line[2], found);
  }
  std::printf("corpus config      %5zu cases, %zu wrong\n", verdicts.cases(), verdicts.wrong());
  INFO(verdicts.report());
  CHECK(verdicts.cases() >= 400);
  CHECK(verdicts.wrong() == 0);
}

}  // namespace retailpulse::testing
