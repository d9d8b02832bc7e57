#include "base/escape.h"

#include <fmt/format.h>

#include "base/decimal.h"

namespace retailpulse {
namespace {

constexpr char32_t kReplacement = 0xfffd;

unsigned char byte_at(std::string_view bytes, std::size_t i) {
  return static_cast<unsigned char>(bytes[i]);
}

// Length that a lead byte announces and the least code point that needs it; 0: not a lead byte.
struct Lead {
  std::size_t length;
  char32_t bits;
  char32_t least;
};

Lead lead_of(unsigned char c) {
  if (c < 0x80) return {1, c, 0};
  if (c >= 0xc2 && c < 0xe0) return {2, static_cast<char32_t>(c & 0x1f), 0x80};
  if (c >= 0xe0 && c < 0xf0) return {3, static_cast<char32_t>(c & 0x0f), 0x800};
  if (c >= 0xf0 && c < 0xf5) return {4, static_cast<char32_t>(c & 0x07), 0x10000};
  return {0, 0, 0};
}

// Takes one code point off the front; a wrong byte is taken alone and gives U+FFFD.
char32_t take_code_point(std::string_view& bytes) {
  const Lead lead = lead_of(byte_at(bytes, 0));
  if (lead.length == 0 || lead.length > bytes.size()) {
    bytes.remove_prefix(1);
    return kReplacement;
  }
  char32_t code = lead.bits;
  for (std::size_t i = 1; i < lead.length; ++i) {
    if ((byte_at(bytes, i) & 0xc0) != 0x80) {
      bytes.remove_prefix(1);
      return kReplacement;
    }
    code = code << 6 | (byte_at(bytes, i) & 0x3f);
  }
  if (code < lead.least || code > 0x10ffff || (code >= 0xd800 && code < 0xe000)) {
    bytes.remove_prefix(1);
    return kReplacement;
  }
  bytes.remove_prefix(lead.length);
  return code;
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&out](char32_t c) { out.push_back(static_cast<char>(c)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0 | code >> 6);
    put(0x80 | (code & 0x3f));
  } else if (code < 0x10000) {
    put(0xe0 | code >> 12);
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  } else {
    put(0xf0 | code >> 18);
    put(0x80 | (code >> 12 & 0x3f));
    put(0x80 | (code >> 6 & 0x3f));
    put(0x80 | (code & 0x3f));
  }
}

bool is_control(char32_t code) { return code < 0x20 || (code >= 0x7f && code < 0xa0); }

// Spreadsheets skip line ends, and some take the wide forms of East Asian texts for the signs.
bool begins_formula(std::string_view text) {
  if (text.empty()) return false;
  constexpr std::u32string_view kBegins = U"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20";
  return kBegins.find(take_code_point(text)) != std::u32string_view::npos;
}

bool is_plain_number(std::string_view text) {
  std::int64_t value = 0;
  return parse_decimal(text, 6, value) != DecimalResult::kNotANumber;
}

}  // namespace

void append_json_string(std::string& out, std::string_view bytes) {
  out.push_back('"');
  while (!bytes.empty()) {
    const char32_t code = take_code_point(bytes);
    if (code == '"' || code == '\\') {
      out.push_back('\\');
      out.push_back(static_cast<char>(code));
    } else if (is_control(code) || code == '<' || code == '>' || code == '&' || code == 0x2028 ||
               code == 0x2029) {
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<std::uint32_t>(code));
    } else {
      append_utf8(out, code);
    }
  }
  out.push_back('"');
}

void append_csv_cell(std::string& out, std::string_view bytes) {
  std::string text;
  if (begins_formula(bytes) && !is_plain_number(bytes)) text.push_back('\'');
  while (!bytes.empty()) append_utf8(text, take_code_point(bytes));
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    out += text;
    return;
  }
  out.push_back('"');
  for (const char c : text) {
    if (c == '"') out.push_back('"');
    out.push_back(c);
  }
  out.push_back('"');
}

std::string terminal_text(std::string_view bytes) {
  std::string out;
  while (!bytes.empty()) {
    const char32_t code = take_code_point(bytes);
    if (is_control(code)) {
      fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<std::uint32_t>(code));
    } else if ((code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069)) {
      // Overrides of the writing direction would reorder the table.
      fmt::format_to(std::back_inserter(out), "\\u{{{:04x}}}", static_cast<std::uint32_t>(code));
    } else {
      append_utf8(out, code);
    }
  }
  return out;
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1U : 0U;
  return count;
}

}  // namespace retailpulse
