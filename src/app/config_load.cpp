// ConfigLoader, the part that knows environment, flags and what fits together.
#include "app/config_load.h"

#include <fmt/format.h>
#include <retailpulse/kafka.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <set>
#include <sstream>

#include "app/config_values.h"
#include "base/escape.h"
#include "base/zone.h"

namespace retailpulse {
namespace {

constexpr std::string_view kPrefix = "RETAILPULSE_";
constexpr std::string_view kPropertyPrefix = "RETAILPULSE_KAFKA__";
constexpr std::string_view kFileSuffix = "_FILE";
constexpr std::string_view kMasked = "(set, not shown)";
constexpr std::size_t kSentenceBytesMax = 1500;

// "SASL_PASSWORD" -> "sasl.password"
std::string property_name(std::string_view variable) {
  std::string name(variable);
  for (char& c : name)
    c = c == '_' ? '.' : static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

// Content of a secret's file without the line end that editors add.
bool read_secret(const std::string& path, std::string& out) {
  constexpr std::size_t kSecretMax = 64 * 1024;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  out = bytes.str();
  if (!file || out.size() > kSecretMax) return false;
  while (!out.empty() && (out.back() == '\n' || out.back() == '\r')) out.pop_back();
  return true;
}

bool is_loopback(const std::string& address) {
  return address == "localhost" || address == "::1" || address == "[::1]" ||
         address.starts_with("127.");
}

}  // namespace

Environment process_environment() {
  Environment environment;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

void ConfigLoader::error(const std::string& where, const std::string& sentence) {
  if (errors_.size() == kErrorsShown) {
    errors_.push_back("There are more errors; they are shown when these are gone.");
  }
  if (errors_.size() >= kErrorsShown) return;
  // Whatever a file, a flag or librdkafka put into it: one line of bounded length.
  std::string text = terminal_text(where + ": " + sentence);
  if (text.size() > kSentenceBytesMax) {
    std::size_t cut = kSentenceBytesMax;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0U) == 0x80U) --cut;
    text = text.substr(0, cut) + "...";
  }
  errors_.push_back(std::move(text));
}

void ConfigLoader::environment(const Environment& environment) {
  std::vector<std::string> names{"RETAILPULSE_CONFIG"};
  for (const ConfigField& field : config_fields()) {
    const std::string name = environment_name(field.path);
    names.push_back(name);
    auto found = environment.find(name);
    std::string text = found == environment.end() ? "" : found->second;
    if (found == environment.end() && field.secret) {
      found = environment.find(name + std::string(kFileSuffix));
      if (found == environment.end()) continue;
      names.push_back(found->first);
      if (!read_secret(found->second, text)) {
        error(found->first, fmt::format("cannot read the file {}.", terminal_text(found->second)));
        continue;
      }
    }
    if (found == environment.end()) continue;
    if (set_config_text(field, config_, text)) {
      from(field.path, "environment " + found->first);
    } else {
      error(found->first,
            fmt::format("{} is {}; it must be {}.", field.path,
                        field.secret ? "not right" : shown_value(Json(text)), field.right));
    }
  }
  for (const auto& [name, value] : environment) {
    if (name.starts_with(kPropertyPrefix)) {
      environment_property(name, value);
    } else if (name.starts_with(kPrefix) &&
               std::find(names.begin(), names.end(), name) == names.end()) {
      // Others may have variables of this prefix too: only what looks like a slip is told.
      const std::string meant = nearest(std::string_view(name).substr(kPrefix.size()), [&] {
        std::vector<std::string> short_names;
        for (const std::string& known : names) short_names.push_back(known.substr(kPrefix.size()));
        return short_names;
      }());
      if (!meant.empty()) {
        warnings_.push_back(fmt::format("{}: nobody reads this variable; did you mean {}{}?", name,
                                        kPrefix, meant));
      }
    }
  }
}

void ConfigLoader::environment_property(const std::string& variable, const std::string& value) {
  std::string name = variable.substr(kPropertyPrefix.size());
  std::string text = value;
  // Some properties end in "file" by themselves.
  const bool is_property = check_kafka_property(property_name(name), value).ok();
  if (name.ends_with(kFileSuffix) && !is_property) {
    name.resize(name.size() - kFileSuffix.size());
    if (!read_secret(value, text)) {
      return error(variable, fmt::format("cannot read the file {}.", terminal_text(value)));
    }
  }
  property(property_name(name), text, variable, "environment " + variable);
}

void ConfigLoader::property(const std::string& name, const std::string& value,
                            const std::string& where, const std::string& origin) {
  if (const Status status = check_kafka_property(name, value); !status.ok()) {
    return error(where, status.message());
  }
  if (name == "bootstrap.servers") {  // we have names of our own for these two
    config_.kafka.bootstrap = value;
    return from("kafka.bootstrap", origin);
  }
  if (name == "group.id") {
    config_.kafka.group = value;
    return from("kafka.group", origin);
  }
  config_.kafka.properties[name] = value;
  from("kafka.properties." + name, origin);
}

void ConfigLoader::flag(const std::string& path, const std::string& text, const std::string& flag) {
  const ConfigField& field = *find_config_field(path);
  if (set_config_text(field, config_, text)) return from(path, "flag " + flag);
  error(flag, fmt::format("{} is {}; it must be {}.", path,
                          field.secret ? "not right" : shown_value(Json(text)), field.right));
}

void ConfigLoader::topics(const std::vector<std::string>& topics) {
  if (topics.empty()) return;
  std::vector<StreamConfig> chosen;
  for (const std::string& topic : topics) chosen.push_back(stream_of(topic));
  config_.streams = std::move(chosen);
  from("streams", "flag -t");
}

// -t: what the file says about the topic is kept; a role given here wins.
StreamConfig ConfigLoader::stream_of(const std::string& text) {
  const std::size_t equals = text.find('=');
  StreamConfig stream;
  stream.topic = text.substr(0, equals);
  bool known = parse_role(stream.topic, stream.role);
  for (const StreamConfig& given : config_.streams) {
    if (given.topic != stream.topic) continue;
    stream = given;
    known = true;
  }
  const std::string roles = fmt::format("{}", fmt::join(role_names(), ", "));
  const std::string shown = terminal_text(stream.topic);
  if (stream.topic.empty()) {
    error("-t",
          fmt::format("{} names no topic; write TOPIC or TOPIC=ROLE.", shown_value(Json(text))));
  } else if (equals == std::string::npos) {
    if (!known) {
      error("-t", fmt::format("what is topic {}? Write -t {}=ROLE; ROLE is one of {}.", shown,
                              shown, roles));
    }
  } else if (const std::string role = text.substr(equals + 1); !parse_role(role, stream.role)) {
    const std::string meant = nearest(role, role_names());
    error("-t", fmt::format("{} is no role; {}it must be one of {}.", shown_value(Json(role)),
                            meant.empty() ? "" : fmt::format("did you mean {}? ", meant), roles));
  }
  return stream;
}

void ConfigLoader::properties(const std::vector<std::string>& assignments) {
  for (const std::string& text : assignments) {
    const std::size_t equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
      error("-X", fmt::format("{} is no assignment; write -X NAME=VALUE.",
                              shown_value(Json(text.substr(0, equals)))));
      continue;
    }
    property(text.substr(0, equals), text.substr(equals + 1),
             "-X " + terminal_text(text.substr(0, equals)), "flag -X");
  }
}

void ConfigLoader::client_properties(const std::string& path) {
  const auto read = read_client_properties(path);
  if (!read.ok()) return error("-F", read.status().message());
  for (const auto& [name, value] : read.value().properties)
    property(name, value, "-F " + path, "flag -F");
  for (const std::string& notice : read.value().notices) warnings_.push_back(notice);
  const bool has_secret =
      std::any_of(read.value().properties.begin(), read.value().properties.end(),
                  [](const auto& entry) { return kafka_property_is_secret(entry.first); });
  if (has_secret) warn_if_others_read(path);
}

void ConfigLoader::native_topics() {
  config_.streams.clear();
  for (std::size_t i = 0; i < kRoleNames.size(); ++i) {
    StreamConfig stream;
    stream.topic = kRoleNames[i];
    stream.role = static_cast<Role>(i);
    config_.streams.push_back(std::move(stream));
  }
  from("streams", "the native topics");
}

std::string ConfigLoader::where(const std::string& path) const {
  const auto origin = origins_.find(path);
  if (origin == origins_.end()) return path;
  return origin->second.substr(origin->second.find(' ') + 1);  // "file x.json:3" -> "x.json:3"
}

void ConfigLoader::check() {
  check_time();
  check_store();
  check_http();
  check_streams();
}

void ConfigLoader::check_time() {
  const TimeConfig& time = config_.time;
  if (const auto zone = Zone::find(time.zone); !zone.ok()) {
    error(where("time.zone"),
          fmt::format("time.zone is {}; it must be {}.", shown_value(Json(time.zone)),
                      find_config_field("time.zone")->right));
  }
  if (time.earliest >= time.latest) {
    error(where("time.earliest"),
          fmt::format("time.earliest is {}; it must be before time.latest, which is {}.",
                      moment_text(time.earliest), moment_text(time.latest)));
  }
}

void ConfigLoader::check_store() {
  const RetentionConfig& keep = config_.store.retention;
  const std::array<std::pair<std::string, Duration>, 4> tiers{{{"ten_seconds", keep.ten_seconds},
                                                               {"minute", keep.minute},
                                                               {"quarter", keep.quarter},
                                                               {"day", keep.day}}};
  for (std::size_t i = 1; i < tiers.size(); ++i) {
    const auto& [fine, fine_kept] = tiers[i - 1];
    const auto& [coarse, coarse_kept] = tiers[i];
    if (fine_kept <= coarse_kept) continue;
    const std::string path = "store.retention." + fine;
    error(where(path),
          fmt::format("{} is {}; it must be at most that of the coarser {}, which is {}: what is "
                      "older is answered from there.",
                      path, duration_text(fine_kept), coarse, duration_text(coarse_kept)));
  }
}

void ConfigLoader::check_http() {
  const HttpConfig& http = config_.http;
  if (!is_loopback(http.address) && http.token.empty()) {
    error(where("http.address"),
          fmt::format("http.address is {}, which other machines can reach; so a token is "
                      "needed: set RETAILPULSE_HTTP_TOKEN_FILE, RETAILPULSE_HTTP_TOKEN or "
                      "http.token.",
                      shown_value(Json(http.address))));
  }
  if (http.sse_clients_max >= http.connections_max) {
    error(where("http.sse_clients_max"), fmt::format("http.sse_clients_max is {}; it must be below "
                                                     "http.connections_max, which is {}.",
                                                     http.sse_clients_max, http.connections_max));
  }
}

void ConfigLoader::check_streams() {
  std::set<std::string> seen;
  for (const StreamConfig& stream : config_.streams) {
    if (seen.insert(stream.topic).second) continue;
    error(where("streams"), fmt::format("topic {} is named twice; a topic has one role.",
                                        terminal_text(stream.topic)));
  }
}

std::string ConfigLoader::show(bool with_origin) const {
  std::string out;
  const auto line = [&](const std::string& path, const std::string& value) {
    const auto origin = origins_.find(path);
    out += fmt::format("{} = {}", path, value);
    if (with_origin)
      out += fmt::format("    ({})", origin == origins_.end() ? "default" : origin->second);
    out += '\n';
  };
  for (const ConfigField& field : config_fields()) {
    const Json value = field.get(config_);
    const bool hide = field.secret && value != "";
    line(field.path,
         hide ? std::string(kMasked) : value.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  for (const auto& [name, value] : config_.kafka.properties) {
    line("kafka.properties." + name,
         kafka_property_is_secret(name)
             ? std::string(kMasked)
             : Json(value).dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  for (const StreamConfig& stream : config_.streams) {
    Json json{{"topic", stream.topic},
              {"role", kRoleNames[static_cast<std::size_t>(stream.role)]},
              {"time", stream.record_time ? "kafka" : "event"},
              {"currency", stream.currency}};
    if (!stream.fields.empty()) json["fields"] = stream.fields;
    line("streams", json.dump(-1, ' ', false, Json::error_handler_t::replace));
  }
  return out;
}

}  // namespace retailpulse
