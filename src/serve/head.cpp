#include "serve/head.h"

#include <algorithm>

namespace retailpulse {
namespace {

constexpr std::size_t kQueryPairsMax = 32;

bool is_token_char(char c) {
  constexpr std::string_view kSymbols = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
         kSymbols.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), is_token_char);
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

bool parse_request_line(std::string_view line, Head& head, int& status) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return false;
  const std::string_view target = line.substr(first + 1, last - first - 1);
  const std::string_view version = line.substr(last + 1);
  head.method = line.substr(0, first);
  head.target = target;
  if (!is_token(head.method) || target.empty()) return false;
  // No blanks, no controls, nothing beyond ASCII, and no fragment.
  if (std::any_of(target.begin(), target.end(),
                  [](char c) { return c <= 0x20 || c >= 0x7f || c == '#'; })) {
    return false;
  }
  if (version.size() != 8 || version.substr(0, 5) != "HTTP/") return false;
  if (version != "HTTP/1.1" && version != "HTTP/1.0") {
    status = 505;
    return false;
  }
  head.minor = version.back() - '0';
  return true;
}

bool parse_header_line(std::string_view line, Head& head) {
  const std::size_t colon = line.find(':');
  if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) return false;
  std::string_view value = line.substr(colon + 1);
  value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
  value = value.substr(0, value.find_last_not_of(" \t") + 1);
  if (std::any_of(value.begin(), value.end(), [](char c) { return is_control(c) && c != '\t'; })) {
    return false;
  }
  head.headers.emplace_back(lower(line.substr(0, colon)), value);
  return true;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Bytes of a UTF-8 sequence by its first; 0: no sequence begins so.
std::size_t sequence_length(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead < 0xc2 || lead > 0xf4) return 0;
  return lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
}

// Shortest form, no surrogates, at most U+10FFFF.
bool is_utf8(std::string_view text) {
  std::size_t i = 0;
  while (i < text.size()) {
    const auto lead = static_cast<unsigned char>(text[i]);
    const std::size_t length = sequence_length(lead);
    if (length == 0 || i + length > text.size()) return false;
    for (std::size_t k = 1; k < length; ++k) {
      if ((static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    }
    const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
    if ((lead == 0xe0 && second < 0xa0) || (lead == 0xed && second > 0x9f) ||
        (lead == 0xf0 && second < 0x90) || (lead == 0xf4 && second > 0x8f)) {
      return false;
    }
    i += length;
  }
  return true;
}

enum class Plus { kLiteral, kBlank };

// Percent-decodes; nothing when an escape is broken or the result is no clean text.
std::optional<std::string> decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      if (i + 2 >= text.size()) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      c = static_cast<char>(high * 16 + low);
      i += 2;
    } else if (c == '+' && plus == Plus::kBlank) {
      c = ' ';
    }
    if (is_control(c)) return std::nullopt;
    out.push_back(c);
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

bool parse_query(std::string_view query, Target& target) {
  std::size_t pairs = 0;
  while (!query.empty()) {
    const std::size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    if (++pairs > kQueryPairsMax) return false;
    const std::size_t equals = std::min(pair.find('='), pair.size());
    auto key = decode(pair.substr(0, equals), Plus::kBlank);
    auto value = decode(pair.substr(std::min(equals + 1, pair.size())), Plus::kBlank);
    if (!key || !value) return false;
    target.query.emplace(std::move(*key), std::move(*value));
  }
  return true;
}

}  // namespace

std::size_t Head::count(std::string_view name) const {
  return static_cast<std::size_t>(std::count_if(
      headers.begin(), headers.end(), [&](const auto& header) { return header.first == name; }));
}

std::string_view Head::value(std::string_view name) const {
  for (const auto& [key, text] : headers) {
    if (key == name) return text;
  }
  return {};
}

std::optional<Head> parse_head(std::string_view bytes, int& status) {
  status = 400;
  Head head;
  bool request_line = true;
  while (true) {
    const std::size_t end = bytes.find("\r\n");
    if (end == std::string_view::npos) return std::nullopt;
    const std::string_view line = bytes.substr(0, end);
    bytes.remove_prefix(end + 2);
    if (line.size() > kHeadLineBytesMax) {
      status = 431;
      return std::nullopt;
    }
    if (request_line) {
      if (!parse_request_line(line, head, status)) return std::nullopt;
      request_line = false;
      continue;
    }
    if (line.empty()) return head;
    if (head.headers.size() == kHeadersMax) {
      status = 431;
      return std::nullopt;
    }
    if (!parse_header_line(line, head)) return std::nullopt;
  }
}

std::optional<Target> parse_target(std::string_view target, int& status) {
  const std::size_t question = std::min(target.find('?'), target.size());
  const std::string_view path = target.substr(0, question);
  const std::string_view query = target.substr(std::min(question + 1, target.size()));
  status = 414;
  if (path.size() > kPathBytesMax || query.size() > kQueryBytesMax) return std::nullopt;
  status = 400;
  if (path.empty() || path.front() != '/') return std::nullopt;
  Target out;
  auto decoded = decode(path, Plus::kLiteral);
  if (!decoded || !parse_query(query, out)) return std::nullopt;
  out.path = std::move(*decoded);
  return out;
}

}  // namespace retailpulse
