// ConfigField: one setting: its name, what may stand there, how it gets into Config and out again.
//
// The table is the only list of settings: the file reader, the environment, flags, `config show`
// and the texts of errors derive from it. `streams` and `kafka.properties` have shapes of their
// own and are read by config_file.cpp.
//
// Thread: frozen.
// Test:   tests/app/config_test.cpp
#pragma once

#include <retailpulse/config.h>

#include <functional>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace retailpulse {

using Json = nlohmann::json;

struct ConfigField {
  std::string path;     // "http.port"
  std::string right;    // "a whole number from 0 to 65535", after "it must be"
  std::string meaning;  // one line
  bool secret = false;  // its value is never shown
  std::function<bool(Config&, const Json&)> set;  // false: not right; the Config is untouched
  std::function<Json(const Config&)> get;
};

[[nodiscard]] std::span<const ConfigField> config_fields();
[[nodiscard]] const ConfigField* find_config_field(std::string_view path);
// "http.port" -> "RETAILPULSE_HTTP_PORT"
[[nodiscard]] std::string environment_name(std::string_view path);
// Words of the environment and of flags are text: numbers become numbers where the field wants
// one, a comma separates the elements of a list.
[[nodiscard]] bool set_config_text(const ConfigField& field, Config& config,
                                   const std::string& text);

[[nodiscard]] const std::vector<std::string>& role_names();
[[nodiscard]] bool parse_role(std::string_view text, Role& out);

}  // namespace retailpulse
