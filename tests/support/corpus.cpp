#include "support/corpus.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <stdexcept>

namespace retailpulse::testing {
namespace {

constexpr std::size_t kShownCases = 20;
constexpr std::size_t kShownBytes = 300;

bool have_python() {
  static const bool have =
      std::system("python3 -c 'import zoneinfo' >/dev/null 2>&1") == 0;  // NOLINT: no user's text
  return have;
}

int nibble(char c) { return c <= '9' ? c - '0' : c - 'a' + 10; }

std::string unhex(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    out.push_back(static_cast<char>(nibble(text[i]) * 16 + nibble(text[i + 1])));
  }
  return out;
}

CorpusLine cells_of(std::string_view line) {
  CorpusLine cells;
  while (true) {
    const std::size_t end = line.find('\t');
    cells.emplace_back(line.substr(0, end));
    if (end == std::string_view::npos) return cells;
    line.remove_prefix(end + 1);
  }
}

}  // namespace

std::vector<CorpusLine> read_corpus(const std::string& command) {
  if (!have_python()) {
    if (std::getenv("RETAILPULSE_REQUIRE_ALL") != nullptr) throw std::runtime_error("no python3");
    std::puts("skipped: the corpus needs python3 (3.9 or later)");
    return {};
  }
  const auto close = [](std::FILE* pipe) { return pclose(pipe); };
  const std::string whole = "python3 -X utf8 tests/corpus/" + command;
  std::unique_ptr<std::FILE, decltype(close)> pipe(popen(whole.c_str(), "r"), close);  // NOLINT
  if (!pipe) throw std::runtime_error("cannot run " + whole);
  std::vector<CorpusLine> lines;
  std::string text;
  char bytes[65536];
  for (std::size_t got = 0; (got = std::fread(bytes, 1, sizeof bytes, pipe.get())) > 0;) {
    text.append(bytes, got);
  }
  if (pclose(pipe.release()) != 0) throw std::runtime_error(whole + " failed");
  std::string_view rest = text;
  while (!rest.empty()) {
    const std::size_t end = rest.find('\n');
    lines.push_back(cells_of(rest.substr(0, end)));
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return lines;
}

std::string unpack_bytes(std::string_view packed) {
  std::string out;
  while (!packed.empty()) {
    const std::string_view run = packed.substr(0, packed.find(' '));
    packed.remove_prefix(std::min(packed.size(), run.size() + 1));
    const std::size_t star = run.find('*');
    const std::string unit = unhex(run.substr(0, star));
    const auto times = star == std::string_view::npos
                           ? 1UL
                           : std::strtoul(std::string(run.substr(star + 1)).c_str(), nullptr, 10);
    out.reserve(out.size() + unit.size() * times);
    for (unsigned long i = 0; i < times; ++i) out += unit;
  }
  return out;
}

std::string hex(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    out.push_back(kDigits[byte / 16]);
    out.push_back(kDigits[byte % 16]);
  }
  return out;
}

void Verdicts::check(const std::string& what, const std::string& expected,
                     const std::string& found) {
  ++cases_;
  if (expected == found) return;
  if (++wrong_ > kShownCases) return;
  report_ += "\n" + what.substr(0, kShownBytes);
  report_ += "\n  expected " + expected.substr(0, kShownBytes);
  report_ += "\n  found    " + found.substr(0, kShownBytes);
}

}  // namespace retailpulse::testing
