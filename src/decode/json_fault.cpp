#include "decode/json_fault.h"

#include <array>
#include <cstdint>

namespace retailpulse {
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Reads one document. Every member returns kNone or the first fault.
class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  Reason document() {
    skip_blanks();
    if (done()) return Reason::kEmptyValue;
    do {
      const Reason fault = value();
      if (fault != Reason::kNone) return fault;
    } while (depth_ > 0);
    skip_blanks();
    return done() ? Reason::kNone : Reason::kTrailingBytes;
  }

 private:
  [[nodiscard]] bool done() const { return at_ == text_.size(); }
  [[nodiscard]] char peek() const { return text_[at_]; }
  [[nodiscard]] Reason missing() const { return done() ? Reason::kTruncated : Reason::kBadJson; }
  void skip_blanks() {
    while (!done() && is_blank(peek())) ++at_;
  }
  [[nodiscard]] bool in_object() const { return object_[static_cast<std::size_t>(depth_ - 1)]; }

  // One value, or the opening of a container and its first key; then all closings that follow.
  Reason value() {
    skip_blanks();
    if (done()) return Reason::kTruncated;
    const char c = peek();
    if (c == '{' || c == '[') return open(c == '{');
    const Reason fault = c == '"' ? string() : c == '-' || is_digit(c) ? number() : literal();
    return fault != Reason::kNone ? fault : after_value();
  }

  Reason open(bool object) {
    if (depth_ == kJsonDepthMax) return Reason::kTooDeep;
    object_[static_cast<std::size_t>(depth_++)] = object;
    ++at_;
    skip_blanks();
    if (done()) return Reason::kTruncated;
    if (peek() == (object ? '}' : ']')) return after_value();
    return object ? key() : Reason::kNone;
  }

  // At the end of a value, or at the closing of an empty container: up to where the next begins.
  Reason after_value() {
    while (depth_ > 0) {
      skip_blanks();
      if (done()) return Reason::kTruncated;
      const char c = text_[at_++];
      if (c == ',') {
        skip_blanks();
        return in_object() ? key() : Reason::kNone;
      }
      if (c != (in_object() ? '}' : ']')) return Reason::kBadJson;
      --depth_;
    }
    return Reason::kNone;
  }

  Reason key() {
    if (done() || peek() != '"') return missing();
    const Reason fault = string();
    if (fault != Reason::kNone) return fault;
    skip_blanks();
    if (done() || peek() != ':') return missing();
    ++at_;
    return Reason::kNone;
  }

  Reason literal() {
    for (const std::string_view word : {"true", "false", "null"}) {
      if (peek() != word[0]) continue;
      for (const char c : word) {
        if (done() || peek() != c) return missing();
        ++at_;
      }
      return Reason::kNone;
    }
    return static_cast<unsigned char>(peek()) < 0x80 ? Reason::kBadJson : utf8_or(Reason::kBadJson);
  }

  Reason digits() {
    if (done() || !is_digit(peek())) return missing();
    while (!done() && is_digit(peek())) ++at_;
    return Reason::kNone;
  }

  Reason number() {
    if (peek() == '-') ++at_;
    if (!done() && peek() == '0') {
      ++at_;
      if (!done() && is_digit(peek())) return Reason::kBadJson;
    } else if (const Reason fault = digits(); fault != Reason::kNone) {
      return fault;
    }
    if (!done() && peek() == '.') {
      ++at_;
      if (const Reason fault = digits(); fault != Reason::kNone) return fault;
    }
    if (!done() && (peek() == 'e' || peek() == 'E')) {
      ++at_;
      if (!done() && (peek() == '+' || peek() == '-')) ++at_;
      return digits();
    }
    return Reason::kNone;
  }

  Reason string() {
    ++at_;
    while (!done()) {
      const auto c = static_cast<unsigned char>(peek());
      if (c == '"') {
        ++at_;
        return Reason::kNone;
      }
      if (c < 0x20) return Reason::kBadJson;
      Reason fault = Reason::kNone;
      if (c == '\\') {
        fault = escape();
      } else if (c < 0x80) {
        ++at_;
      } else {
        fault = utf8_or(Reason::kNone);
      }
      if (fault != Reason::kNone) return fault;
    }
    return Reason::kTruncated;
  }

  Reason escape() {
    ++at_;
    if (done()) return Reason::kTruncated;
    const char c = text_[at_++];
    if (c != 'u') {
      return std::string_view("\"\\/bfnrt").find(c) == std::string_view::npos ? Reason::kBadJson
                                                                              : Reason::kNone;
    }
    std::uint32_t unit = 0;
    if (const Reason fault = hex4(unit); fault != Reason::kNone) return fault;
    if (unit >= 0xdc00 && unit < 0xe000) return Reason::kBadJson;  // a low surrogate alone
    if (unit < 0xd800 || unit >= 0xe000) return Reason::kNone;
    for (const char expected : {'\\', 'u'}) {
      if (done() || peek() != expected) return missing();
      ++at_;
    }
    if (const Reason fault = hex4(unit); fault != Reason::kNone) return fault;
    return unit >= 0xdc00 && unit < 0xe000 ? Reason::kNone : Reason::kBadJson;
  }

  Reason hex4(std::uint32_t& unit) {
    unit = 0;
    for (int i = 0; i < 4; ++i, ++at_) {
      if (done()) return Reason::kTruncated;
      const char c = peek();
      const char low = static_cast<char>(c | 0x20);
      const bool letter = low >= 'a' && low <= 'f';
      if (!is_digit(c) && !letter) return Reason::kBadJson;
      unit = unit * 16 + static_cast<std::uint32_t>(letter ? low - 'a' + 10 : c - '0');
    }
    return Reason::kNone;
  }

  // Passes one character of two to four bytes; `whole` is the answer when it is well-formed.
  Reason utf8_or(Reason whole) {
    const auto first = static_cast<unsigned char>(text_[at_++]);
    const int more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : 1;
    if (first < 0xc2 || first > 0xf4) return Reason::kBadUtf8;
    for (int i = 0; i < more; ++i, ++at_) {
      if (done()) return Reason::kTruncated;
      const auto c = static_cast<unsigned char>(peek());
      unsigned low = 0x80;  // the second byte rules out overlong forms, surrogates, > U+10FFFF
      unsigned high = 0xbf;
      if (i == 0 && first == 0xe0) low = 0xa0;
      if (i == 0 && first == 0xf0) low = 0x90;
      if (i == 0 && first == 0xed) high = 0x9f;
      if (i == 0 && first == 0xf4) high = 0x8f;
      if (c < low || c > high) return Reason::kBadUtf8;
    }
    return whole;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  int depth_ = 0;
  std::array<bool, kJsonDepthMax> object_{};
};

}  // namespace

Reason json_fault(std::string_view text) { return Checker(text).document(); }

bool is_json_number(std::string_view token) {
  const char* at = token.data();
  const char* const end = at + token.size();
  const auto digits = [&at, end] {
    const char* const begin = at;
    while (at != end && is_digit(*at)) ++at;
    return at != begin;
  };
  if (at != end && *at == '-') ++at;
  const char* const whole = at;
  if (!digits() || (*whole == '0' && at - whole > 1)) return false;
  if (at != end && *at == '.') {
    ++at;
    if (!digits()) return false;
  }
  if (at != end && (*at == 'e' || *at == 'E')) {
    ++at;
    if (at != end && (*at == '+' || *at == '-')) ++at;
    if (!digits()) return false;
  }
  return at == end;
}

}  // namespace retailpulse
