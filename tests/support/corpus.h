// corpus: cases that a generator of tests/corpus/ prints, one a line, cells with tabs between.
//
// The generators are Python, and so is the second opinion on each case: nothing of the program
// helps to say what the program must do.
//
// Thread: any.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace retailpulse::testing {

using CorpusLine = std::vector<std::string>;

// What `python3 tests/corpus/COMMAND` prints. Empty without python3, after saying so; with
// RETAILPULSE_REQUIRE_ALL=1 and after a failure of the generator it throws.
[[nodiscard]] std::vector<CorpusLine> read_corpus(const std::string& command);

// "7b7d", "7b 61*1000 7d": hex, runs of it repeated.
[[nodiscard]] std::string unpack_bytes(std::string_view packed);
[[nodiscard]] std::string hex(std::string_view bytes);

// Counts cases and keeps the first few that went wrong, so that a thousand failures stay readable.
class Verdicts {
 public:
  // `what` names the case; both texts are shown when they differ.
  void check(const std::string& what, const std::string& expected, const std::string& found);
  [[nodiscard]] std::size_t cases() const { return cases_; }
  [[nodiscard]] std::size_t wrong() const { return wrong_; }
  [[nodiscard]] const std::string& report() const { return report_; }

 private:
  std::size_t cases_ = 0;
  std::size_t wrong_ = 0;
  std::string report_;
};

}  // namespace retailpulse::testing
