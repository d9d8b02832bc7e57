// The check of a Kafka property that a user gave: verdict of the table, then the value.
#include <algorithm>
#include <array>
#include <cctype>
#include <vector>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <retailpulse/kafka.h>

#include "kafka/handle.h"
#include "kafka/property_table.h"

namespace retailpulse {
namespace {

constexpr std::size_t kNameBytesShown = 64;

std::string shown(std::string_view name) {
  std::string out(name.substr(0, kNameBytesShown));
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }, '?');
  return out;
}

Status refuse(std::string_view name, std::string_view why) {
  return {Code::kConfig, fmt::format("Kafka property '{}' is refused: {}.", shown(name), why)};
}

Status refuse_by_rule(const PropertyRule& rule) {
  const auto with = [&](std::string_view general) {
    return refuse(rule.name, rule.why.empty() ? std::string(general)
                                              : fmt::format("{}: {}", general, rule.why));
  };
  switch (rule.verdict) {
    case PropertyVerdict::kOurs: return with("RetailPulse sets it itself");
    case PropertyVerdict::kRunsCode: return with("it could run foreign code");
    case PropertyVerdict::kWriters:
      return with("it is for programs that write to Kafka; RetailPulse reads");
    case PropertyVerdict::kUnsupported: return refuse(rule.name, rule.why);
    case PropertyVerdict::kAllowed: break;
  }
  return {};
}

Status unknown(std::string_view name) {
  std::vector<std::string> allowed;
  for (const PropertyRule& rule : property_rules()) {
    if (rule.verdict == PropertyVerdict::kAllowed) allowed.emplace_back(rule.name);
  }
  return {Code::kConfig, fmt::format("Kafka property '{}' is not known.{}", shown(name),
                                     did_you_mean(name, allowed))};
}

// librdkafka puts these three into the shell command that renews a Kerberos ticket.
Status check_kerberos(std::string_view name, std::string_view value) {
  if (name != "sasl.kerberos.principal" && name != "sasl.kerberos.keytab" &&
      name != "sasl.kerberos.service.name") {
    return {};
  }
  const bool harmless = !value.empty() && value.front() != '-' &&
                        std::all_of(value.begin(), value.end(), [](unsigned char c) {
                          return std::isalnum(c) != 0 ||
                                 std::string_view("@._/:-").find(static_cast<char>(c)) !=
                                     std::string_view::npos;
                        });
  return harmless ? Status()
                  : refuse(name, "its value may hold only letters, digits and @ . _ / : -, because "
                                 "it becomes part of a command");
}

Status check_value(const std::string& name, const std::string& value) {
  const KafkaPtr<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::array<char, 512> why{};
  const auto result =
      rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), why.data(), why.size());
  if (result == RD_KAFKA_CONF_OK) return {};
  if (result == RD_KAFKA_CONF_UNKNOWN) {
    return {Code::kConfig, fmt::format("Kafka property '{}' is not known to librdkafka {}.", name,
                                       rd_kafka_version_str())};
  }
  if (kafka_property_is_secret(name)) {
    return {Code::kConfig, fmt::format("Kafka property '{}' has an invalid value.", name)};
  }
  return {Code::kConfig, fmt::format("Kafka property '{}': {}.", name, std::string(why.data()))};
}

}  // namespace

bool kafka_property_is_secret(std::string_view name) {
  static constexpr std::array<std::string_view, 8> kMarks{"password",   "passphrase",  "secret",
                                                          "jaas",       "key.pem",     "ssl_key",
                                                          "credential", "keystore.key"};
  if (name == "sasl.oauthbearer.config" || name == "sasl.oauthbearer.extensions") return true;
  if (name == "sasl.oauthbearer.client.credentials.client.id") return false;
  return std::any_of(kMarks.begin(), kMarks.end(), [&](std::string_view mark) {
    return name.find(mark) != std::string_view::npos;
  });
}

Status check_kafka_property(const std::string& name, const std::string& value) {
  const PropertyRule* rule = find_property_rule(name);
  if (rule == nullptr) return unknown(name);
  if (rule->verdict != PropertyVerdict::kAllowed) return refuse_by_rule(*rule);
  if (value.find('\0') != std::string::npos) return refuse(name, "its value holds a zero byte");
  if (Status status = check_kerberos(name, value); !status.ok()) return status;
  return check_value(name, value);
}

std::string kafka_library_version() {
  const KafkaPtr<rd_kafka_conf_t> conf(rd_kafka_conf_new());
  std::array<char, 512> features{};
  std::size_t size = features.size();
  if (rd_kafka_conf_get(conf.get(), "builtin.features", features.data(), &size) !=
      RD_KAFKA_CONF_OK) {
    return fmt::format("librdkafka {}", rd_kafka_version_str());
  }
  std::string list(features.data());
  std::erase(list, ' ');
  return fmt::format("librdkafka {} ({})", rd_kafka_version_str(), list);
}

}  // namespace retailpulse
