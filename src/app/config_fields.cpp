#include "app/config_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>

#include "app/config_values.h"

namespace retailpulse {
namespace {

using namespace std::chrono_literals;

// `at` says where in a Config the value lives, e.g. [](auto& c) -> auto& { return c.http.port; }.

template <class At>
ConfigField duration_field(std::string path, Duration least, Duration most, std::string meaning,
                           At at) {
  ConfigField field;
  field.path = std::move(path);
  field.right = fmt::format("a duration from {} to {} such as \"{}\"", duration_text(least),
                            duration_text(most), duration_text(at(Config{})));
  field.meaning = std::move(meaning);
  field.set = [=](Config& config, const Json& json) {
    if (!json.is_string()) return false;
    const auto value = parse_duration(json.get<std::string>());
    if (!value || *value < least || *value > most) return false;
    at(config) = *value;
    return true;
  };
  field.get = [=](const Config& config) { return Json(duration_text(at(config))); };
  return field;
}

template <class At>
ConfigField number_field(std::string path, std::int64_t least, std::int64_t most,
                         std::string meaning, At at) {
  ConfigField field;
  field.path = std::move(path);
  field.right = fmt::format("a whole number from {} to {}", least, most);
  field.meaning = std::move(meaning);
  field.set = [=](Config& config, const Json& json) {
    if (!json.is_number_integer()) return false;
    if (json.is_number_unsigned() && json.get<std::uint64_t>() > static_cast<std::uint64_t>(most))
      return false;
    const auto value = json.get<std::int64_t>();
    if (value < least || value > most) return false;
    auto& place = at(config);
    place = static_cast<std::remove_reference_t<decltype(place)>>(value);
    return true;
  };
  field.get = [=](const Config& config) { return Json(at(config)); };
  return field;
}

template <class At, class Good>
ConfigField text_field(std::string path, std::string right, std::string meaning, At at, Good good) {
  ConfigField field;
  field.path = std::move(path);
  field.right = std::move(right);
  field.meaning = std::move(meaning);
  field.set = [=](Config& config, const Json& json) {
    if (!json.is_string() || !good(json.get<std::string>())) return false;
    at(config) = json.get<std::string>();
    return true;
  };
  field.get = [=](const Config& config) { return Json(at(config)); };
  return field;
}

template <class At>
ConfigField moment_field(std::string path, std::string meaning, At at) {
  ConfigField field;
  field.path = std::move(path);
  field.right = "a moment such as \"2000-01-01T00:00:00Z\", from 1970 to 2200";
  field.meaning = std::move(meaning);
  field.set = [=](Config& config, const Json& json) {
    if (!json.is_string()) return false;
    const auto value = parse_moment(json.get<std::string>());
    const auto last = std::chrono::sys_days{std::chrono::year{2200} / 1 / 1};
    if (!value || *value < EventTime{} || *value > last) return false;
    at(config) = *value;
    return true;
  };
  field.get = [=](const Config& config) { return Json(moment_text(at(config))); };
  return field;
}

ConfigField durability_field() {
  ConfigField field;
  field.path = "store.durability";
  field.right = "\"normal\" or \"full\"";
  field.meaning =
      "what a power cut may cost: nothing is lost either way, normal re-reads the last moments";
  field.set = [](Config& config, const Json& json) {
    if (json != "normal" && json != "full") return false;
    config.store.durability = json == "full" ? Durability::kFull : Durability::kNormal;
    return true;
  };
  field.get = [](const Config& config) {
    return Json(config.store.durability == Durability::kFull ? "full" : "normal");
  };
  return field;
}

ConfigField start_field() {
  ConfigField field;
  field.path = "start";
  field.right =
      "\"earliest\", \"latest\", \"last:24h\" or a moment such as \"2024-11-25T00:00:00Z\"";
  field.meaning = "where a partition starts that the store does not know yet";
  field.set = [](Config& config, const Json& json) {
    if (!json.is_string()) return false;
    const auto value = parse_start(json.get<std::string>());
    if (!value) return false;
    config.start = *value;
    return true;
  };
  field.get = [](const Config& config) { return Json(start_text(config.start)); };
  return field;
}

ConfigField hosts_field() {
  ConfigField field;
  field.path = "http.allowed_hosts";
  field.right = "a list of host names such as [\"shop.example.org\"]";
  field.meaning = "names the page may be asked for besides localhost; others are refused";
  field.set = [](Config& config, const Json& json) {
    if (!json.is_array()) return false;
    std::vector<std::string> hosts;
    for (const Json& host : json) {
      if (!host.is_string() || host.get<std::string>().empty()) return false;
      if (host.get<std::string>().find_first_of(" /:@\t\r\n") != std::string::npos) return false;
      hosts.push_back(host.get<std::string>());
    }
    config.http.allowed_hosts = std::move(hosts);
    return true;
  };
  field.get = [](const Config& config) { return Json(config.http.allowed_hosts); };
  return field;
}

bool any_text(const std::string& text) { return text.find('\0') == std::string::npos; }
bool some_text(const std::string& text) { return !text.empty() && any_text(text); }
// 128 bits and more: 22 characters of base64, 32 of hex.
bool token_text(const std::string& text) {
  return text.empty() ||
         (text.size() >= 22 && text.size() <= 256 &&
          std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 127; }));
}

#define RP_AT(member) \
  [](auto&& c) -> auto& { return c.member; }

void add_reading(std::vector<ConfigField>& f) {
  f.push_back(text_field("kafka.bootstrap", "HOST:PORT, several separated by commas",
                         "the brokers to ask first", RP_AT(kafka.bootstrap), any_text));
  f.push_back(text_field("kafka.group", "a name that is not empty",
                         "consumer group of the advisory offset commits; nothing is read from it",
                         RP_AT(kafka.group), some_text));
  f.push_back(duration_field("kafka.discovery", 1s, 1h, "new partitions are seen within this",
                             RP_AT(kafka.discovery)));
  f.push_back(text_field(
      "time.zone", "an IANA zone such as \"Europe/Berlin\", or \"\" for this machine's",
      "whose days the days are; a store keeps the zone it began with", RP_AT(time.zone), any_text));
  f.push_back(duration_field("time.out_of_order", 0s, 24h,
                             "how far the data clock stays behind the newest event",
                             RP_AT(time.out_of_order)));
  f.push_back(
      duration_field("time.future_skew", 1s, 24h * 365,
                     "an event stamped further ahead of its record never moves the data clock",
                     RP_AT(time.future_skew)));
  f.push_back(
      duration_field("time.idle_after", 1s, 24h,
                     "a partition read to its end for so long no longer holds the data clock",
                     RP_AT(time.idle_after)));
  f.push_back(moment_field("time.earliest", "an earlier event is rejected: time_out_of_range",
                           RP_AT(time.earliest)));
  f.push_back(moment_field("time.latest", "an event then or later is rejected: time_out_of_range",
                           RP_AT(time.latest)));
  f.push_back(start_field());
}

void add_keeping(std::vector<ConfigField>& f) {
  f.push_back(text_field("store.directory", "the path of a folder",
                         "holds retailpulse.db; made when missing", RP_AT(store.directory),
                         some_text));
  f.push_back(durability_field());
  f.push_back(duration_field("store.retention.ten_seconds", 1min, 24h * 3650,
                             "10 s panes: the live charts", RP_AT(store.retention.ten_seconds)));
  f.push_back(duration_field("store.retention.minute", 1h, 24h * 3650, "minutes",
                             RP_AT(store.retention.minute)));
  f.push_back(duration_field("store.retention.quarter", 24h, 24h * 36'500, "quarters of an hour",
                             RP_AT(store.retention.quarter)));
  f.push_back(duration_field("store.retention.day", 24h, 24h * 73'000,
                             "days; a record of an older day is too late for any pane",
                             RP_AT(store.retention.day)));
  f.push_back(duration_field("store.retention.orders", 1h, 24h * 3650,
                             "how long a line can still join an order that was counted",
                             RP_AT(store.retention.orders)));
  f.push_back(number_field("store.retention.rejects", 0, 10'000'000,
                           "rejected records kept with their bytes",
                           RP_AT(store.retention.rejects)));
}

void add_serving(std::vector<ConfigField>& f) {
  f.push_back(text_field("http.address", "an address to listen at such as \"127.0.0.1\"",
                         "off loopback needs http.token", RP_AT(http.address), some_text));
  f.push_back(number_field("http.port", 0, 65'535, "0 takes a free one", RP_AT(http.port)));
  f.push_back(number_field("http.sse_clients_max", 0, 10'000, "live pages; more of them poll",
                           RP_AT(http.sse_clients_max)));
  f.push_back(number_field("http.connections_max", 8, 65'536, "more wait in the kernel",
                           RP_AT(http.connections_max)));
  f.push_back(hosts_field());
  f.push_back(text_field("http.token", "22 to 256 visible ASCII characters",
                         "what a client must know off loopback", RP_AT(http.token), token_text));
  f.back().secret = true;
  f.push_back(text_field("http.web_dir",
                         "the path of a folder, or \"\" for the pages in the program",
                         "for work on the pages themselves", RP_AT(http.web_dir), any_text));
  f.push_back(number_field("pipeline.lanes", 0, 64,
                           "consumers side by side; 0: half the cores, 1 to 4",
                           RP_AT(pipeline.lanes)));
  f.push_back(duration_field("pipeline.commit_interval", 10ms, 60s,
                             "shortest time between commits; stretched by what a commit costs",
                             RP_AT(pipeline.commit_interval)));
}
#undef RP_AT

std::vector<ConfigField> make_fields() {
  std::vector<ConfigField> fields;
  add_reading(fields);
  add_keeping(fields);
  add_serving(fields);
  return fields;
}

}  // namespace

std::span<const ConfigField> config_fields() {
  static const std::vector<ConfigField> kFields = make_fields();
  return kFields;
}

const ConfigField* find_config_field(std::string_view path) {
  for (const ConfigField& field : config_fields()) {
    if (field.path == path) return &field;
  }
  return nullptr;
}

std::string environment_name(std::string_view path) {
  std::string name = "RETAILPULSE_";
  for (const char c : path) {
    name.push_back(c == '.' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c))));
  }
  return name;
}

bool set_config_text(const ConfigField& field, Config& config, const std::string& text) {
  const Json now = field.get(config);
  if (now.is_number()) {
    std::int64_t number = 0;
    const char* end = text.data() + text.size();
    const auto result = std::from_chars(text.data(), end, number);
    return result.ec == std::errc{} && result.ptr == end && field.set(config, Json(number));
  }
  if (!now.is_array()) return field.set(config, Json(text));
  Json list = Json::array();
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t comma = std::min(text.find(',', begin), text.size());
    list.push_back(text.substr(begin, comma - begin));
    begin = comma + 1;
  }
  return field.set(config, list);
}

const std::vector<std::string>& role_names() {
  static const std::vector<std::string> kNames(kRoleNames.begin(), kRoleNames.end());
  return kNames;
}

bool parse_role(std::string_view text, Role& out) {
  for (std::size_t i = 0; i < kRoleNames.size(); ++i) {
    if (text != kRoleNames[i]) continue;
    out = static_cast<Role>(i);
    return true;
  }
  return false;
}

}  // namespace retailpulse
