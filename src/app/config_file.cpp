// ConfigLoader, the part that reads files.
#include <fmt/format.h>
#include <retailpulse/kafka.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include "app/config_lines.h"
#include "app/config_load.h"
#include "app/config_values.h"
#include "base/escape.h"
#include "decode/field_plan.h"

namespace retailpulse {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 20;
constexpr std::size_t kShownMax = 60;
constexpr int kDepthMax = 64;  // what follows walks the text by recursion
constexpr std::size_t kPathBytesMax = 1000;

struct TooDeep {};

// Parses, comments allowed. Throws Json::parse_error or TooDeep.
Json parse_json(const std::string& text) {
  const auto shallow = [](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDepthMax) throw TooDeep{};
    return true;
  };
  return Json::parse(text, shallow, true, true);
}

// As Kafka takes it.
bool is_topic(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           c == '.' || c == '_' || c == '-';
  };
  return !text.empty() && text.size() <= 249 && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), good);
}

// Keys with dots between; empty: the field is not read.
bool is_path(std::string_view text) {
  if (text.empty()) return true;
  const auto dots = static_cast<std::size_t>(std::count(text.begin(), text.end(), '.'));
  return text.size() <= kPathBytesMax && dots < kPathDepthMax && text.front() != '.' &&
         text.back() != '.' && text.find("..") == std::string_view::npos;
}

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
    const std::string name =
        path.substr(prefix.size(), path.find('.', prefix.size()) - prefix.size());
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  return names;
}

// What nlohmann says after "parse error at line 3, column 9: ", without the bytes it last read:
// they may be half a password.
std::string parse_fault(const Json::parse_error& fault) {
  std::string text = fault.what();
  text.erase(0, text.find(": ") + 2);
  const std::size_t read = text.find("; last read: ");
  if (read != std::string::npos) text.erase(read, text.rfind("; expected ") - read);
  return text;
}

std::size_t line_at(std::string_view text, std::size_t byte) {
  const auto end = text.begin() + static_cast<std::ptrdiff_t>(std::min(byte, text.size()));
  return 1 + static_cast<std::size_t>(std::count(text.begin(), end, '\n'));
}

// Takes one member of a stream; says what would be right, or "" when it is.
std::string stream_fault(const std::string& key, const Json& value, StreamConfig& stream) {
  const std::string text = value.is_string() ? value.get<std::string>() : "";
  if (key == "topic") {
    return is_topic(text) ? "" : "the name of a topic: 1 to 249 of a-z, A-Z, 0-9, '.', '_', '-'";
  }
  if (key == "role") {
    return parse_role(text, stream.role) ? ""
                                         : fmt::format("one of {}", fmt::join(role_names(), ", "));
  }
  if (key == "time") {
    stream.record_time = text == "kafka";
    return text == "kafka" || text == "event"
               ? ""
               : "\"event\" (the time in the record) or \"kafka\" (the time Kafka got it)";
  }
  stream.currency = text;
  const bool good = text.size() == 3 && std::all_of(text.begin(), text.end(),
                                                    [](char c) { return c >= 'A' && c <= 'Z'; });
  return good ? "" : "a code of three capital letters such as \"EUR\"";
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
    json = parse_json(text);
  } catch (const TooDeep&) {
    return error(path, fmt::format("the configuration is nested deeper than {}.", kDepthMax));
  } catch (const Json::out_of_range&) {
    return error(path, "this is no JSON: a number is too large for any setting.");
  } catch (const Json::parse_error& fault) {
    // The library counts the byte it stumbled over; a missing comma is often the line before.
    return error(fmt::format("{}:{}", path, line_at(text, fault.byte == 0 ? 0 : fault.byte - 1)),
                 fmt::format("this is no JSON: {}.", terminal_text(parse_fault(fault))));
  }
  const std::size_t errors_before = errors_.size();
  const File file{path, ConfigLines(text)};
  if (!json.is_object()) return error(file.at(""), "the configuration must be one JSON object.");
  for (const std::string& pointer : file.lines.twice()) {
    std::string member = pointer.substr(1);
    std::replace(member.begin(), member.end(), '/', '.');
    error(file.at(pointer), fmt::format("{} is given twice.", terminal_text(member)));
  }
  read_section(file, json, "");
  sort_by_line(path, errors_before);
  const bool has_secret =
      !config_.http.token.empty() ||
      std::any_of(config_.kafka.properties.begin(), config_.kafka.properties.end(),
                  [](const auto& entry) { return kafka_property_is_secret(entry.first); });
  if (has_secret && errors_.size() == errors_before) warn_if_others_read(path);
}

// Told, not refused: containers mount secrets so that others may read them, in a place of their own.
void ConfigLoader::warn_if_others_read(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0 || (info.st_mode & (S_IRGRP | S_IROTH)) == 0) return;
  warnings_.push_back(
      fmt::format("{}: holds a secret and others may read it; chmod 600 {}.", path, path));
}

// The JSON library gives members in alphabetical order; people read from the top.
void ConfigLoader::sort_by_line(const std::string& file, std::size_t first_error) {
  const auto line = [&file](const std::string& error) {
    const std::size_t begin = file.size() + 1;  // "FILE:LINE: sentence"
    return error.size() > begin && error.starts_with(file)
               ? std::strtoul(error.c_str() + begin, nullptr, 10)
               : ~0UL;
  };
  std::stable_sort(errors_.begin() + static_cast<std::ptrdiff_t>(first_error), errors_.end(),
                   [&](const std::string& a, const std::string& b) { return line(a) < line(b); });
}

void ConfigLoader::read_section(const File& file, const Json& json, const std::string& path) {
  const std::vector<std::string> known = members_of(path);
  for (const auto& [key, value] : json.items()) {
    const std::string member = joined(path, key);
    if (std::find(known.begin(), known.end(), key) == known.end()) {
      unknown_key(file.at(pointer_of(path) + "/" + key), path, key, known);
    } else if (const ConfigField* field = find_config_field(member); field != nullptr) {
      read_field(file, *field, value);
    } else if (member == "streams") {
      read_streams(file, value);
    } else if (!value.is_object()) {
      const bool may_be_secret = member == "kafka.properties";
      error(file.at(pointer_of(member)),
            fmt::format("{} is {}; it must be an object.", member,
                        may_be_secret ? "not right" : shown_value(value)));
    } else if (member == "kafka.properties") {
      read_properties(file, value);
    } else {
      read_section(file, value, member);
    }
  }
}

void ConfigLoader::unknown_key(const std::string& line, const std::string& section,
                               const std::string& key, const std::vector<std::string>& known) {
  const std::string where = section.empty() ? "" : " in " + section;
  const std::string meant = nearest(key, known);
  const std::string hint = meant.empty() ? fmt::format("there are {}.", fmt::join(known, ", "))
                                         : fmt::format("did you mean \"{}\"?", meant);
  error(line, fmt::format("unknown key {}{}; {}", shown_value(Json(key)), where, hint));
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
      error(at,
            fmt::format("kafka.properties.{} must be a string, a whole number or true or false.",
                        terminal_text(name)));
    }
  }
}

void ConfigLoader::read_streams(const File& file, const Json& json) {
  if (!json.is_array()) {
    return error(file.at("/streams"),
                 fmt::format("streams is {}; it must be a list of objects.", shown_value(json)));
  }
  config_.streams.clear();
  from("streams", "file " + file.at("/streams"));
  for (std::size_t i = 0; i < json.size(); ++i) {
    if (json[i].is_object()) {
      read_stream(file, json[i], i);
    } else {
      error(file.at(fmt::format("/streams/{}", i)),
            fmt::format("streams[{}] is {}; it must be an object with \"topic\" and \"role\".", i,
                        shown_value(json[i])));
    }
  }
}

void ConfigLoader::read_stream(const File& file, const Json& json, std::size_t index) {
  static const std::vector<std::string> kKeys{"topic", "role", "fields", "time", "currency"};
  const std::string pointer = fmt::format("/streams/{}", index);
  StreamConfig stream;
  const bool has_role = json.contains("role");
  if (json.contains("topic") && json["topic"].is_string())
    stream.topic = json["topic"].get<std::string>();
  if (json.contains("role") && json["role"].is_string()) {
    (void)parse_role(json["role"].get<std::string>(), stream.role);  // judged below
  } else if (!parse_role(stream.topic, stream.role) && !has_role) {
    error(file.at(pointer), fmt::format("streams[{}] has no \"role\"; it must be one of {}.", index,
                                        fmt::join(role_names(), ", ")));
  }
  if (!json.contains("topic")) {
    error(file.at(pointer), fmt::format("streams[{}] has no \"topic\".", index));
  }
  for (const auto& [key, value] : json.items()) {
    const std::string line = file.at(pointer + "/" + key);
    if (std::find(kKeys.begin(), kKeys.end(), key) == kKeys.end()) {
      unknown_key(line, fmt::format("streams[{}]", index), key, kKeys);
    } else if (key == "fields") {
      read_mapping(file, value, index, stream);
    } else if (const std::string right = stream_fault(key, value, stream); !right.empty()) {
      error(line, fmt::format("streams[{}].{} is {}; it must be {}.", index, key,
                              shown_value(value), right));
    }
  }
  config_.streams.push_back(std::move(stream));
}

void ConfigLoader::read_mapping(const File& file, const Json& json, std::size_t index,
                                StreamConfig& stream) {
  const std::string pointer = fmt::format("/streams/{}/fields", index);
  const std::string path = fmt::format("streams[{}].fields", index);
  if (!json.is_object()) {
    return error(file.at(pointer), fmt::format("{} is {}; it must be an object of names and paths.",
                                               path, shown_value(json)));
  }
  std::vector<std::string> known;
  for (const FieldName& field : field_names(stream.role)) known.emplace_back(field.name);
  for (const auto& [name, value] : json.items()) {
    const std::string line = file.at(pointer + "/" + name);
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      unknown_key(line, path, name, known);
    } else if (value.is_string() && is_path(value.get_ref<const std::string&>())) {
      stream.fields[name] = value.get<std::string>();
    } else {
      error(line, fmt::format("{}.{} is {}; it must be a path of at most {} keys such as "
                              "\"order.total\".",
                              path, name, shown_value(value), kPathDepthMax));
    }
  }
}

}  // namespace retailpulse
