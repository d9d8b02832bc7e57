// ConfigLoader, the part that reads files.
#include <algorithm>
#include <fstream>
#include <sstream>

#include <sys/stat.h>

#include <fmt/format.h>

#include <retailpulse/kafka.h>

#include "app/config_lines.h"
#include "app/config_load.h"
#include "app/config_values.h"
#include "base/escape.h"

namespace retailpulse {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 20;
constexpr std::size_t kShownMax = 60;

std::string pointer_of(const std::string& path) {
  if (path.empty()) return {};
  std::string pointer = "/" + path;
  std::replace(pointer.begin(), pointer.end(), '.', '/');
  return pointer;
}

std::string joined(const std::string& path, const std::string& key) {
  return path.empty() ? key : path + "." + key;
}

// The names that may stand in a section: the next part of every path that begins with it.
std::vector<std::string> members_of(const std::string& section) {
  std::vector<std::string> paths{"kafka.properties", "streams"};
  for (const ConfigField& field : config_fields()) paths.push_back(field.path);
  std::vector<std::string> names;
  const std::string prefix = section.empty() ? "" : section + ".";
  for (const std::string& path : paths) {
    if (!path.starts_with(prefix)) continue;
    const std::string name = path.substr(prefix.size(), path.find('.', prefix.size()) - prefix.size());
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

// What nlohmann says after "parse error at line 3, column 9: ".
std::string parse_fault(const Json::parse_error& fault) {
  const std::string text = fault.what();
  const auto at = text.find(": ");
  return at == std::string::npos ? text : text.substr(at + 2);
}

std::size_t line_at(std::string_view text, std::size_t byte) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

}  // namespace

struct ConfigLoader::File {
  std::string path;
  ConfigLines lines;
  // "shop.json:12"
  [[nodiscard]] std::string at(const std::string& pointer) const {
    return fmt::format("{}:{}", path, lines.line_of(pointer));
  }
};

std::string shown_value(const Json& json) {
  std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace);
  text = terminal_text(text);
  if (text.size() <= kShownMax) return text;
  std::size_t cut = kShownMax;
  while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) --cut;
  return text.substr(0, cut) + "...";
}

void ConfigLoader::file(const std::string& path) {
  std::ifstream stream(path, std::ios::binary);
  struct stat info {};
  if (!stream || ::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return error(path, "the configuration file cannot be read.");
  }
  if (static_cast<std::size_t>(info.st_size) > kFileBytesMax) {
    return error(path, "the configuration file is larger than 1 MiB.");
  }
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  const std::string text = bytes.str();
  Json json;
  try {
    json = Json::parse(text, nullptr, true, true);
  } catch (const Json::parse_error& fault) {
    // The library counts the byte it stumbled over; a missing comma is often the line before.
    return error(fmt::format("{}:{}", path, line_at(text, fault.byte == 0 ? 0 : fault.byte - 1)),
                 fmt::format("this is no JSON: {}.", terminal_text(parse_fault(fault))));
  }
  const File file{path, ConfigLines(text)};
  if (!json.is_object()) return error(file.at(""), "the configuration must be one JSON object.");
  for (const std::string& pointer : file.lines.twice()) {
    error(file.at(pointer), fmt::format("{} is given twice.", terminal_text(pointer.substr(1))));
  }
  const std::size_t errors_before = errors_.size();
  read_section(file, json, "");
  const bool has_secret = !config_.http.token.empty() ||
      std::any_of(config_.kafka.properties.begin(), config_.kafka.properties.end(),
                  [](const auto& entry) { return kafka_property_is_secret(entry.first); });
  if (has_secret && errors_.size() == errors_before && (info.st_mode & (S_IRGRP | S_IROTH)) != 0) {
    warnings_.push_back(fmt::format("{}: holds a secret and others may read it; chmod 600 {}.", path, path));
  }
}

void ConfigLoader::read_section(const File& file, const Json& json, const std::string& path) {
  const std::vector<std::string> known = members_of(path);
  for (const auto& [key, value] : json.items()) {
    const std::string member = joined(path, key);
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      unknown_key(file, path, key, known);
    } else if (const ConfigField* field = find_config_field(member); field != nullptr) {
      read_field(file, *field, value);
    } else if (member == "streams") {
      read_streams(file, value);
    } else if (!value.is_object()) {
      error(file.at(pointer_of(member)), fmt::format("{} is {}; it must be an object.", member, shown_value(value)));
    } else if (member == "kafka.properties") {
      read_properties(file, value);
    } else {
      read_section(file, value, member);
    }
  }
}

void ConfigLoader::unknown_key(const File& file, const std::string& path, const std::string& key,
                               const std::vector<std::string>& known) {
  const std::string where = path.empty() ? "" : fmt::format(" in {}", path);
  const std::string meant = nearest(key, known);
  const std::string hint = meant.empty() ? fmt::format("there are {}.", fmt::join(known, ", "))
                                         : fmt::format("did you mean \"{}\"?", meant);
  std::string pointer = path;
  for (const char* mark : {"[", "]"}) {  // streams[0] stands at /streams/0
    std::string::size_type at = 0;
    while ((at = pointer.find(mark, at)) != std::string::npos) pointer.replace(at, 1, *mark == '[' ? "." : "");
  }
  error(file.at(pointer_of(pointer) + "/" + key),
        fmt::format("unknown key {}{}; {}", shown_value(Json(key)), where, hint));
}

void ConfigLoader::read_field(const File& file, const ConfigField& field, const Json& json) {
  const std::string at = file.at(pointer_of(field.path));
  if (field.set(config_, json)) return from(field.path, "file " + at);
  const std::string value = field.secret ? "not right" : shown_value(json);
  error(at, fmt::format("{} is {}; it must be {}.", field.path, value, field.right));
}

void ConfigLoader::read_properties(const File& file, const Json& json) {
  for (const auto& [name, value] : json.items()) {
    const std::string at = file.at("/kafka/properties/" + name);
    if (value.is_string()) {
      property(name, value.get<std::string>(), at, "file " + at);
    } else if (value.is_number_integer() || value.is_boolean()) {
      property(name, value.dump(), at, "file " + at);
    } else {
      error(at, fmt::format("kafka.properties.{} must be a string, a whole number or true or false.",
                            terminal_text(name)));
    }
  }
}

void ConfigLoader::read_streams(const File& file, const Json& json) {
  if (!json.is_array()) {
    return error(file.at("/streams"), fmt::format("streams is {}; it must be a list of objects.", shown_value(json)));
  }
  config_.streams.clear();
  from("streams", "file " + file.at("/streams"));
  for (std::size_t i = 0; i < json.size(); ++i) {
    const std::string path = fmt::format("streams[{}]", i);
    if (json[i].is_object()) {
      read_stream(file, json[i], path);
    } else {
      error(file.at(fmt::format("/streams/{}", i)),
            fmt::format("{} is {}; it must be an object with \"topic\" and \"role\".", path, shown_value(json[i])));
    }
  }
}

void ConfigLoader::read_stream(const File& file, const Json& json, const std::string& path) {
  static const std::vector<std::string> kKeys{"topic", "role", "fields", "time", "currency"};
  const std::string pointer = "/streams/" + path.substr(8, path.size() - 9);
  StreamConfig stream;
  for (const auto& [key, value] : json.items()) {
    const std::string at = file.at(pointer + "/" + key);
    const std::string text = value.is_string() ? value.get<std::string>() : "";
    const auto must_be = [&, &k = key, &v = value](const std::string& right) {
      error(at, fmt::format("{}.{} is {}; it must be {}.", path, k, shown_value(v), right));
    };
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      unknown_key(file, path, key, kKeys);
    } else if (key == "topic") {
      stream.topic = text;
      if (text.empty() || text.size() > 249) must_be("the name of a topic");
    } else if (key == "role") {
      if (!parse_role(text, stream.role)) must_be(fmt::format("one of {}", fmt::join(role_names(), ", ")));
    } else if (key == "time") {
      stream.record_time = text == "kafka";
      if (text != "kafka" && text != "event") must_be("\"event\" (the record's own time) or \"kafka\" (when Kafka got it)");
    } else if (key == "currency") {
      stream.currency = text;
      const bool good = text.size() == 3 && std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
      if (!good) must_be("a code of three letters such as \"EUR\"");
    } else {
      read_stream_fields(file, value, path, stream);
    }
  }
  if (!json.contains("topic")) error(file.at(pointer), fmt::format("{} has no \"topic\".", path));
  if (!json.contains("role") && !parse_role(stream.topic, stream.role)) {
    error(file.at(pointer), fmt::format("{} has no \"role\"; it must be one of {}.", path, fmt::join(role_names(), ", ")));
  }
  config_.streams.push_back(std::move(stream));
}

void ConfigLoader::read_stream_fields(const File& file, const Json& json, const std::string& path,
                                      StreamConfig& stream) {
  const std::string pointer = "/streams/" + path.substr(8, path.size() - 9) + "/fields";
  if (!json.is_object()) {
    return error(file.at(pointer), fmt::format("{}.fields is {}; it must be an object of names and paths.", path, shown_value(json)));
  }
  for (const auto& [name, value] : json.items()) {
    if (value.is_string()) {
      stream.fields[name] = value.get<std::string>();
    } else {
      error(file.at(pointer + "/" + name),
            fmt::format("{}.fields.{} is {}; it must be a path such as \"order.total\".", path,
                        terminal_text(name), shown_value(value)));
    }
  }
}

}  // namespace retailpulse
