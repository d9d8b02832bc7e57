#include "app/config_lines.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace retailpulse {

ConfigLines::ConfigLines(std::string_view text) : text_(text) {
  if (text_.substr(0, 3) == "\xef\xbb\xbf") at_ = 3;  // some editors begin a file so
  value("");
}

std::size_t ConfigLines::line_of(const std::string& pointer) const {
  const auto found = lines_.find(pointer);
  return found == lines_.end() ? 0 : found->second;
}

void ConfigLines::blanks() {
  while (at_ < text_.size()) {
    const char c = text_[at_];
    if (c == '/' && text_.substr(at_, 2) == "//") {
      at_ = std::min(text_.find('\n', at_), text_.size());
    } else if (c == '/') {
      const std::size_t end = std::min(text_.find("*/", at_ + 2), text_.size() - 2) + 2;
      for (; at_ < end; ++at_) line_ += text_[at_] == '\n' ? 1 : 0;
    } else if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
      line_ += c == '\n' ? 1 : 0;
      ++at_;
    } else {
      return;
    }
  }
}

void ConfigLines::value(const std::string& pointer) {
  blanks();
  if (at_ == text_.size()) return;
  lines_.emplace(pointer, line_);
  if (text_[at_] == '{') return object(pointer);
  if (text_[at_] == '[') return array(pointer);
  if (text_[at_] == '"') return skip_string();
  at_ = std::min(text_.find_first_of(",]} \t\r\n/", at_), text_.size());
}

void ConfigLines::object(const std::string& pointer) {
  ++at_;
  for (blanks(); at_ < text_.size() && text_[at_] != '}'; blanks()) {
    if (text_[at_] == ',') {
      ++at_;
      continue;
    }
    const std::size_t line = line_;
    const std::string member = pointer + '/' + key();
    if (!lines_.emplace(member, line).second) twice_.push_back(member);
    blanks();
    ++at_;  // ':'
    value(member);
  }
  ++at_;
}

void ConfigLines::array(const std::string& pointer) {
  ++at_;
  std::size_t index = 0;
  for (blanks(); at_ < text_.size() && text_[at_] != ']'; blanks()) {
    if (text_[at_] == ',') {
      ++at_;
    } else {
      value(fmt::format("{}/{}", pointer, index++));
    }
  }
  ++at_;
}

// As it is written: keys with escapes are found under their escaped name.
std::string ConfigLines::key() {
  const std::size_t begin = at_ + 1;
  skip_string();
  std::string raw(text_.substr(begin, at_ - 1 - begin));
  if (raw.find('\\') == std::string::npos) return raw;
  const auto text = nlohmann::json::parse('"' + raw + '"', nullptr, false);
  return text.is_string() ? text.get<std::string>() : raw;
}

void ConfigLines::skip_string() {
  for (++at_; at_ < text_.size() && text_[at_] != '"'; ++at_) {
    if (text_[at_] == '\\') ++at_;
  }
  ++at_;
}

}  // namespace retailpulse
