// ConfigLoader: flags > environment > file > defaults, and every fault as one sentence.
//
// Sources are given in any order of calls but applied as layers, weakest first: file(), then
// environment(), then the setters of flags. Nothing stops at the first fault: all are collected.
// Each value remembers where it came from.
//
// Thread:     one.
// Invariants: no error, warning or shown value holds a secret.
// Limits:     a configuration file of 1 MiB; at most kErrorsShown sentences.
// Test:       tests/app/config_test.cpp, tests/config/*.json with their *.txt
#pragma once

#include <retailpulse/config.h>

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "app/config_fields.h"

namespace retailpulse {

// Variables as they are; a map so that tests can have their own.
using Environment = std::map<std::string, std::string>;
[[nodiscard]] Environment process_environment();

class ConfigLoader {
 public:
  static constexpr std::size_t kErrorsShown = 50;

  void file(const std::string& path);
  void environment(const Environment& environment);
  // Flags. `flag` is how the person wrote it, for errors.
  void flag(const std::string& path, const std::string& text, const std::string& flag);
  void topics(const std::vector<std::string>& topics);           // -t TOPIC[=ROLE]
  void properties(const std::vector<std::string>& assignments);  // -X NAME=VALUE
  void client_properties(const std::string& path);               // -F FILE
  void native_topics();                                          // demo, simulate
  // What no single value can say. Once, at the end.
  void check();

  [[nodiscard]] const Config& config() const { return config_; }
  [[nodiscard]] Config& config() { return config_; }
  [[nodiscard]] const std::vector<std::string>& errors() const { return errors_; }
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
  // One line for each setting: path = value, and with `origin` where it is from.
  [[nodiscard]] std::string show(bool with_origin) const;

 private:
  struct File;
  // Where a value was given, for errors: "shop.json:12", "--zone", or its own path.
  [[nodiscard]] std::string where(const std::string& path) const;
  void sort_by_line(const std::string& file, std::size_t first_error);
  void error(const std::string& where, const std::string& sentence);
  void from(const std::string& path, const std::string& origin) { origins_[path] = origin; }
  void read_section(const File& file, const Json& json, const std::string& path);
  void read_field(const File& file, const ConfigField& field, const Json& json);
  void read_properties(const File& file, const Json& json);
  void read_streams(const File& file, const Json& json);
  void read_stream(const File& file, const Json& json, std::size_t index);
  void read_mapping(const File& file, const Json& json, std::size_t index, StreamConfig& stream);
  // `line`: of the key. `section`: "" at the top.
  void unknown_key(const std::string& line, const std::string& section, const std::string& key,
                   const std::vector<std::string>& known);
  void property(const std::string& name, const std::string& value, const std::string& where,
                const std::string& origin);
  void environment_property(const std::string& variable, const std::string& value);
  [[nodiscard]] StreamConfig stream_of(const std::string& text);
  void warn_if_others_read(const std::string& path);
  void check_time();
  void check_store();
  void check_http();
  void check_streams();

  Config config_;
  std::map<std::string, std::string> origins_;  // path -> "flag --port", "file x.json:12"
  std::vector<std::string> errors_;
  std::vector<std::string> warnings_;
};

// The text of a wrong value for an error: short, quoted, on one line.
[[nodiscard]] std::string shown_value(const Json& json);

}  // namespace retailpulse
