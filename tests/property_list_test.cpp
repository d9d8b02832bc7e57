// Every property that librdkafka has, tried by each way a user can give one: flag, client properties
// file, environment and configuration file accept the same list, and nothing else.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <retailpulse/kafka.h>

#include "app/config_load.h"
#include "kafka/property_table.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

// By hand, and not from the table that is tried: a property that becomes allowed must be allowed
// here too, by somebody who has asked what it could do in the hands of others.
const std::set<std::string> kAllowed{
    "api.version.fallback.ms", "api.version.request", "api.version.request.timeout.ms",
    "bootstrap.servers", "broker.address.family", "broker.address.ttl", "broker.version.fallback",
    "client.dns.lookup", "client.id", "client.rack", "connections.max.idle.ms",
    "coordinator.query.interval.ms", "debug", "enable.ssl.certificate.verification",
    "fetch.error.backoff.ms", "fetch.max.bytes", "fetch.message.max.bytes", "fetch.min.bytes",
    "fetch.queue.backoff.ms", "fetch.wait.max.ms", "group.id", "https.ca.location", "https.ca.pem",
    "log.connection.close", "log_level", "max.in.flight", "max.in.flight.requests.per.connection",
    "max.partition.fetch.bytes", "message.max.bytes", "metadata.max.age.ms",
    "metadata.recovery.rebootstrap.trigger.ms", "metadata.recovery.strategy",
    "metadata.request.timeout.ms", "queued.max.messages.kbytes", "queued.min.messages",
    "receive.message.max.bytes", "reconnect.backoff.max.ms", "reconnect.backoff.ms",
    "retry.backoff.max.ms", "retry.backoff.ms", "sasl.kerberos.keytab",
    "sasl.kerberos.min.time.before.relogin", "sasl.kerberos.principal",
    "sasl.kerberos.service.name", "sasl.mechanism", "sasl.mechanisms",
    "sasl.oauthbearer.assertion.algorithm", "sasl.oauthbearer.assertion.claim.aud",
    "sasl.oauthbearer.assertion.claim.exp.seconds", "sasl.oauthbearer.assertion.claim.iss",
    "sasl.oauthbearer.assertion.claim.jti.include",
    "sasl.oauthbearer.assertion.claim.nbf.seconds", "sasl.oauthbearer.assertion.claim.sub",
    "sasl.oauthbearer.assertion.file", "sasl.oauthbearer.assertion.jwt.template.file",
    "sasl.oauthbearer.assertion.private.key.file",
    "sasl.oauthbearer.assertion.private.key.passphrase",
    "sasl.oauthbearer.assertion.private.key.pem",
    "sasl.oauthbearer.client.credentials.client.id",
    "sasl.oauthbearer.client.credentials.client.secret", "sasl.oauthbearer.client.id",
    "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config", "sasl.oauthbearer.extensions",
    "sasl.oauthbearer.grant.type", "sasl.oauthbearer.metadata.authentication.type",
    "sasl.oauthbearer.method", "sasl.oauthbearer.scope", "sasl.oauthbearer.sub.claim.name",
    "sasl.oauthbearer.token.endpoint.url", "sasl.password", "sasl.username", "security.protocol",
    "socket.connection.setup.timeout.ms", "socket.keepalive.enable", "socket.max.fails",
    "socket.nagle.disable", "socket.receive.buffer.bytes", "socket.send.buffer.bytes",
    "socket.timeout.ms", "ssl.ca.location", "ssl.ca.pem",
    "ssl.certificate.location", "ssl.certificate.pem", "ssl.cipher.suites", "ssl.crl.location",
    "ssl.curves.list", "ssl.endpoint.identification.algorithm", "ssl.key.location",
    "ssl.key.password", "ssl.key.pem", "ssl.keystore.location", "ssl.keystore.password",
    "ssl.sigalgs.list", "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.fast.interval.ms", "topic.metadata.refresh.sparse"};

// Only in a client.properties file: Java's own words, which are translated or said to be ignored.
// None of them reaches librdkafka under its own name with another meaning.
bool is_java(const std::string& name, const ConfigLoader& loader) {
  return std::any_of(loader.warnings().begin(), loader.warnings().end(), [&](const auto& notice) {
    return notice.find(name + " is ignored") != std::string::npos ||
           notice.find(name + " is called ") != std::string::npos;
  });
}

std::vector<std::pair<std::string, std::string>> properties_of_the_library() {
  std::vector<std::pair<std::string, std::string>> out;
  std::set<std::string> names;
  const auto take = [&](const char** dump, std::size_t count) {
    for (std::size_t i = 0; i < count; i += 2) {
      if (names.insert(dump[i]).second) out.emplace_back(dump[i], dump[i + 1]);
    }
    rd_kafka_conf_dump_free(dump, count);
  };
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_topic_conf_t* topic = rd_kafka_topic_conf_new();
  std::size_t count = 0;
  const char** dump = rd_kafka_conf_dump(conf, &count);
  take(dump, count);
  dump = rd_kafka_topic_conf_dump(topic, &count);
  take(dump, count);
  rd_kafka_topic_conf_destroy(topic);
  rd_kafka_conf_destroy(conf);
  // Aliases and those that the library does not list are in the table alone.
  for (const PropertyRule& rule : property_rules()) {
    if (names.insert(std::string(rule.name)).second) out.emplace_back(rule.name, "");
  }
  return out;
}

// A value that the library takes: its own default, or something of the right kind.
std::string value_for(const std::string& name, const std::string& value) {
  static const std::map<std::string, std::string> kValues{
      {"sasl.kerberos.principal", "me"},
      {"sasl.kerberos.keytab", "/k"},
      {"sasl.mechanism", "PLAIN"},
      {"max.in.flight", "5"},
      {"max.partition.fetch.bytes", "1000"},
      {"debug", "broker"},
      {"bootstrap.servers", "a:9092"},
      {"ssl.endpoint.identification.algorithm", "https"},
      {"ssl.keystore.location", "/k/me.p12"},
      {"sasl.oauthbearer.client.credentials.client.id", "x"}};
  const auto found = kValues.find(name);
  if (found != kValues.end()) return found->second;
  return value.empty() ? "x" : value;
}

class TextFile {
 public:
  explicit TextFile(const std::string& text)
      : path(std::filesystem::temp_directory_path() / fmt::format("rp-property-{}", getpid())) {
    std::ofstream(path, std::ios::binary) << text;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                           std::filesystem::perms::owner_write);
  }
  ~TextFile() { std::filesystem::remove(path); }
  TextFile(const TextFile&) = delete;
  TextFile& operator=(const TextFile&) = delete;
  const std::filesystem::path path;
};

// Whether the property got into the configuration.
bool arrived(const ConfigLoader& loader, const std::string& name) {
  if (!loader.errors().empty()) return false;
  if (name == "bootstrap.servers") return !loader.config().kafka.bootstrap.empty();
  if (name == "group.id") return loader.config().kafka.group != "retailpulse";
  return loader.config().kafka.properties.count(name) != 0;
}

}  // namespace

TEST_CASE("properties: of all that the library has, exactly the listed ones are accepted") {
  const auto all = properties_of_the_library();
  CHECK(all.size() >= 190);
  std::size_t tried = 0;
  std::set<std::string> accepted;
  for (const auto& [name, library_default] : all) {
    const std::string value = value_for(name, library_default);
    const bool allowed = kAllowed.count(name) != 0;
    INFO(name << " = " << value);
    ConfigLoader flag;
    flag.properties({name + "=" + value});
    INFO((flag.errors().empty() ? "" : flag.errors()[0]));
    CHECK(arrived(flag, name) == allowed);
    CHECK(flag.errors().empty() == allowed);
    if (arrived(flag, name)) accepted.insert(name);

    const TextFile java(name + "=" + value + "\n");
    ConfigLoader properties;
    properties.client_properties(java.path.string());
    if (arrived(properties, name) != allowed) CHECK(is_java(name, properties));
    if (!allowed) CHECK_FALSE(arrived(properties, name));

    const TextFile json(
        Json{{"kafka", {{"properties", {{name, value}}}}}}.dump());
    ConfigLoader file;
    file.file(json.path.string());
    CHECK(arrived(file, name) == allowed);

    std::string variable = "RETAILPULSE_KAFKA__" + name;
    for (char& c : variable) c = c == '.' ? '_' : static_cast<char>(std::toupper(c));
    ConfigLoader environment;
    environment.environment({{variable, value}});
    // A name with _ of its own cannot be said there; then it is not another property either.
    if (name.find('_') == std::string::npos) CHECK(arrived(environment, name) == allowed);
    if (!allowed) CHECK(environment.config().kafka.properties.empty());
    ++tried;
  }
  CHECK(accepted == kAllowed);
  WARN(tried << " properties tried by four ways, " << accepted.size() << " accepted");
}

TEST_CASE("properties: no spelling of a forbidden one gets through") {
  for (const char* name : {"plugin.library.paths", "ssl.engine.location", "ssl.providers",
                           "sasl.kerberos.kinit.cmd", "enable.auto.commit", "auto.offset.reset",
                           "test.mock.num.brokers", "interceptors"}) {
    const std::string text = name;
    std::string upper = text;
    for (char& c : upper) c = static_cast<char>(std::toupper(c));
    std::string scored = text;
    std::replace(scored.begin(), scored.end(), '.', '_');
    for (const std::string& spelling :
         {upper, scored, text + " ", " " + text, "topic." + text, text + ".", "{topic}" + text,
          "default.topic.config." + text, text + std::string(1, '\0'), "\t" + text}) {
      ConfigLoader loader;
      loader.properties({spelling + "=1"});
      INFO(spelling);
      CHECK_FALSE(loader.errors().empty());
      CHECK(loader.config().kafka.properties.empty());
      const TextFile java("p=1\n" + spelling + "=1\n");
      ConfigLoader file;
      file.client_properties(java.path.string());
      CHECK(file.config().kafka.properties.empty());
    }
  }
}

}  // namespace retailpulse
