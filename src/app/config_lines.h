// ConfigLines: in which line of a JSON text each member stands, so that errors can say it.
//
// The JSON library forgets positions. This is a walk over a text that it has already accepted,
// comments included; it also finds keys that are given twice, which the library lets pass.
//
// Thread: frozen after construction.
// Test:   tests/app/config_test.cpp
#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace retailpulse {

class ConfigLines {
 public:
  explicit ConfigLines(std::string_view text);
  // `pointer`: a JSON pointer such as "/streams/0/topic", "" for the whole. 0: not there.
  [[nodiscard]] std::size_t line_of(const std::string& pointer) const;
  [[nodiscard]] const std::vector<std::string>& twice() const { return twice_; }

 private:
  void value(const std::string& pointer);
  void object(const std::string& pointer);
  void array(const std::string& pointer);
  std::string key();
  void blanks();
  void skip_string();

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::map<std::string, std::size_t> lines_;
  std::vector<std::string> twice_;
};

}  // namespace retailpulse
