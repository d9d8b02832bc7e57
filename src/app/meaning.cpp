#include "app/meaning.h"

#include <array>
#include <string_view>

#include "app/config_fields.h"
#include "base/check.h"

namespace retailpulse {
namespace {

constexpr std::array<std::string_view, 6> kRecorded{
    "time.out_of_order", "time.future_skew",    "time.earliest",
    "time.latest",       "store.retention.day", "store.retention.orders"};

}  // namespace

std::vector<Setting> meaning_of(const Config& config) {
  std::vector<Setting> settings;
  for (const std::string_view path : kRecorded) {
    const ConfigField* field = find_config_field(path);
    RP_CHECK(field != nullptr, "a recorded setting is a setting");
    settings.push_back({std::string(path), field->get(config).dump(), "", false});
  }
  for (const StreamConfig& stream : config.streams) {
    const std::string prefix = "streams." + stream.topic + ".";
    const auto add = [&](const char* member, const Json& value, bool fixed) {
      settings.push_back({prefix + member, value.dump(), stream.topic, fixed});
    };
    add("role", kRoleNames[static_cast<std::size_t>(stream.role)], true);
    add("fields", Json(stream.fields), false);
    add("time", stream.record_time ? "kafka" : "event", false);
    add("currency", stream.currency, false);
  }
  return settings;
}

}  // namespace retailpulse
