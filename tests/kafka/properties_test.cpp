// Which Kafka properties a user may set, and what becomes of a Java client.properties file.
#include <algorithm>
#include <filesystem>
#include <fstream>

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <retailpulse/kafka.h>

#include "kafka/handle.h"
#include "kafka/property_table.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

const std::string kCanary = "canary-Zx81!secret";

std::vector<std::string> dumped_names() {
  std::vector<std::string> names;
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  rd_kafka_topic_conf_t* topic = rd_kafka_topic_conf_new();
  std::size_t count = 0;
  const char** dump = rd_kafka_conf_dump(conf, &count);
  for (std::size_t i = 0; i < count; i += 2) names.emplace_back(dump[i]);
  rd_kafka_conf_dump_free(dump, count);
  dump = rd_kafka_topic_conf_dump(topic, &count);
  for (std::size_t i = 0; i < count; i += 2) names.emplace_back(dump[i]);
  rd_kafka_conf_dump_free(dump, count);
  rd_kafka_topic_conf_destroy(topic);
  rd_kafka_conf_destroy(conf);
  return names;
}

TEST_CASE("every property of the linked library has a verdict") {
  for (const std::string& name : dumped_names()) {
    INFO("no verdict on " << name);
    CHECK(find_property_rule(name) != nullptr);
  }
  CHECK(dumped_names().size() > 100);
}

TEST_CASE("the table names each property once, and each refusal has a sentence") {
  std::vector<std::string_view> names;
  for (const PropertyRule& rule : property_rules()) {
    names.push_back(rule.name);
    if (rule.verdict == PropertyVerdict::kAllowed) continue;
    const Status status = check_kafka_property(std::string(rule.name), "1");
    INFO(rule.name);
    CHECK_FALSE(status.ok());
    CHECK(status.code() == Code::kConfig);
    CHECK(status.message().find(std::string(rule.name)) != std::string::npos);
    CHECK(status.message().back() == '.');
    CHECK(status.message().find(": .") == std::string::npos);
  }
  std::sort(names.begin(), names.end());
  CHECK(std::adjacent_find(names.begin(), names.end()) == names.end());
}

TEST_CASE("what loads code, runs commands or moves offsets is refused") {
  for (const char* name :
       {"plugin.library.paths", "ssl.engine.location", "ssl.engine.id", "ssl.providers",
        "sasl.kerberos.kinit.cmd", "interceptors", "test.mock.num.brokers", "enable.auto.commit",
        "enable.auto.offset.store", "auto.offset.reset", "group.protocol", "isolation.level",
        "check.crcs", "enable.partition.eof", "allow.auto.create.topics", "statistics.interval.ms",
        "open_cb", "opaque", "oauthbearer_token_refresh_cb", "enable.sasl.oauthbearer.unsecure.jwt",
        "", " ", "SSL.PROVIDERS", "plugin.library.paths ", "no.such.property"}) {
    INFO(name);
    CHECK_FALSE(check_kafka_property(name, "true").ok());
  }
}

TEST_CASE("ordinary properties are accepted, wrong values are named") {
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{
           {"security.protocol", "sasl_ssl"},
           {"sasl.mechanism", "SCRAM-SHA-512"},
           {"sasl.username", "alice"},
           {"sasl.password", kCanary},
           {"ssl.ca.location", "/etc/ssl/certs/ca.pem"},
           {"ssl.endpoint.identification.algorithm", "https"},
           {"socket.timeout.ms", "10000"},
           {"fetch.wait.max.ms", "10"},
           {"queued.max.messages.kbytes", "4096"},
           {"client.rack", "eu-1a"},
           {"debug", "broker,fetch"},
           {"log_level", "7"},
           {"group.id", "my-dashboard"},
           {"sasl.kerberos.principal", "svc/host.example.com@EXAMPLE.COM"},
           {"bootstrap.servers", "a:9092,b:9092"}}) {
    const Status status = check_kafka_property(name, value);
    INFO(status.message());
    CHECK(status.ok());
  }
  const Status bad = check_kafka_property("socket.timeout.ms", "soon");
  CHECK_FALSE(bad.ok());
  CHECK(bad.message().find("socket.timeout.ms") != std::string::npos);
  CHECK(check_kafka_property("scoket.timeout.ms", "1").message().find(
            "Did you mean 'socket.timeout.ms'?") != std::string::npos);
}

TEST_CASE("a value cannot smuggle a command into the Kerberos ticket renewal") {
  for (const char* value : {"a; touch /tmp/x", "$(id)", "`id`", "a b", "-x", "", "a\nb", "a\"b",
                            "a|b", "%{sasl.password}"}) {
    INFO(value);
    CHECK_FALSE(check_kafka_property("sasl.kerberos.principal", value).ok());
    CHECK_FALSE(check_kafka_property("sasl.kerberos.keytab", value).ok());
    CHECK_FALSE(check_kafka_property("sasl.kerberos.service.name", value).ok());
  }
}

TEST_CASE("secrets are known as such and never repeated") {
  for (const PropertyRule& rule : property_rules()) {
    if (!kafka_property_is_secret(rule.name)) continue;
    INFO(rule.name);
    CHECK(check_kafka_property(std::string(rule.name), kCanary).message().find(kCanary) ==
          std::string::npos);
  }
  for (const char* name :
       {"sasl.password", "ssl.key.password", "ssl.keystore.password", "ssl.key.pem",
        "sasl.oauthbearer.client.secret", "sasl.oauthbearer.config", "sasl.jaas.config",
        "sasl.oauthbearer.assertion.private.key.passphrase", "some.future.password"}) {
    INFO(name);
    CHECK(kafka_property_is_secret(name));
  }
  CHECK_FALSE(kafka_property_is_secret("sasl.username"));
  CHECK_FALSE(kafka_property_is_secret("ssl.key.location"));

  KafkaConfig config;
  config.bootstrap = "127.0.0.1:1";
  config.properties = {{"sasl.password", kCanary}, {"ssl.key.pem", kCanary}};
  ConsumerMetrics metrics;
  const auto source = open_kafka_source(config, LaneId{0}, metrics);
  CHECK(source.status().message().find(kCanary) == std::string::npos);
  SecretFilter filter;
  filter.add(kCanary);
  CHECK(filter.clean("login of x with " + kCanary + kCanary + " failed") ==
        "login of x with ****** failed");
}

TEST_CASE("the library names itself and its features") {
  const std::string text = kafka_library_version();
  INFO(text);
  CHECK(text.find("librdkafka ") == 0);
  CHECK(text.find("lz4") != std::string::npos);
}

// --- client.properties --------------------------------------------------------------------------

class PropertiesFile {
 public:
  explicit PropertiesFile(const std::string& text)
      : path_(std::filesystem::temp_directory_path() /
              ("rp-client-" + std::to_string(getpid()) + ".properties")) {
    std::ofstream(path_, std::ios::binary) << text;
  }
  ~PropertiesFile() { std::filesystem::remove(path_); }
  Result<ClientProperties> read() { return read_client_properties(path_.string()); }

 private:
  std::filesystem::path path_;
};

TEST_CASE("a Java file for SCRAM becomes librdkafka's properties") {
  PropertiesFile file(
      "# a comment\r\n"
      "! another\n"
      "\n"
      "bootstrap.servers=kafka-1:9092,kafka-2:9092\n"
      "security.protocol = SASL_SSL\n"
      "sasl.mechanism:SCRAM-SHA-512\n"
      "sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n"
      "    username=\"alice\" \\\n"
      "    password=\"" + kCanary + "\\\\\"x\";\n"
      "ssl.truststore.location=/etc/kafka/ca.pem\n"
      "ssl.truststore.type=PEM\n"
      "ssl.endpoint.identification.algorithm=\n"
      "key.deserializer=org.apache.kafka.common.serialization.StringDeserializer\n"
      "enable.auto.commit=true\n"
      "fetch.max.wait.ms=100\n"
      "group.id=caf\\u00e9\n");
  const auto result = file.read();
  INFO(result.status().message());
  REQUIRE(result.ok());
  const std::map<std::string, std::string> want{
      {"bootstrap.servers", "kafka-1:9092,kafka-2:9092"},
      {"security.protocol", "sasl_ssl"},
      {"sasl.mechanism", "SCRAM-SHA-512"},
      {"sasl.username", "alice"},
      {"sasl.password", kCanary + "\"x"},
      {"ssl.ca.location", "/etc/kafka/ca.pem"},
      {"ssl.endpoint.identification.algorithm", "none"},
      {"fetch.wait.max.ms", "100"},
      {"group.id", "caf\xc3\xa9"}};
  CHECK(result.value().properties == want);
  std::string notices;
  for (const std::string& notice : result.value().notices) notices += notice + "\n";
  CHECK(notices.find("key.deserializer is ignored") != std::string::npos);
  CHECK(notices.find("fetch.max.wait.ms is called fetch.wait.max.ms") != std::string::npos);
  CHECK(notices.find("enable.auto.commit is ignored") != std::string::npos);
  CHECK(notices.find(kCanary) == std::string::npos);
}

TEST_CASE("a Java file for PLAIN and for OAuth") {
  SECTION("plain, single quotes, password first") {
    PropertiesFile file("sasl.jaas.config=org.apache.kafka.common.security.plain.PlainLoginModule "
                        "required password='p w' username='bob';");
    const auto result = file.read();
    REQUIRE(result.ok());
    CHECK(result.value().properties.at("sasl.username") == "bob");
    CHECK(result.value().properties.at("sasl.password") == "p w");
    CHECK(result.value().properties.at("sasl.mechanism") == "PLAIN");
  }
  SECTION("oauth") {
    PropertiesFile file("sasl.mechanism=OAUTHBEARER\n"
                        "sasl.oauthbearer.token.endpoint.url=https://id.example.com/token\n"
                        "sasl.jaas.config=org.apache.kafka.common.security.oauthbearer."
                        "OAuthBearerLoginModule required clientId=\"c\" clientSecret=\"s3cret\" "
                        "scope=\"kafka\";\n");
    const auto result = file.read();
    REQUIRE(result.ok());
    CHECK(result.value().properties.at("sasl.oauthbearer.method") == "oidc");
    CHECK(result.value().properties.at("sasl.oauthbearer.client.id") == "c");
    CHECK(result.value().properties.at("sasl.oauthbearer.client.secret") == "s3cret");
    CHECK(result.value().properties.at("sasl.oauthbearer.scope") == "kafka");
  }
}

TEST_CASE("key stores: PKCS12 and PEM are taken, JKS is explained") {
  SECTION("pkcs12") {
    PropertiesFile file("ssl.keystore.location=/k/me.p12\nssl.keystore.password=abcdef\n");
    const auto result = file.read();
    REQUIRE(result.ok());
    CHECK(result.value().properties.at("ssl.keystore.location") == "/k/me.p12");
    CHECK(result.value().properties.at("ssl.keystore.password") == "abcdef");
  }
  SECTION("pem") {
    PropertiesFile file("ssl.keystore.type=PEM\nssl.keystore.location=/k/me.pem\n");
    const auto result = file.read();
    REQUIRE(result.ok());
    CHECK(result.value().properties.at("ssl.certificate.location") == "/k/me.pem");
    CHECK(result.value().properties.at("ssl.key.location") == "/k/me.pem");
  }
  SECTION("jks") {
    PropertiesFile file("ssl.keystore.location=/k/me.jks\nssl.truststore.location=/k/trust.jks\n");
    const auto result = file.read();
    REQUIRE_FALSE(result.ok());
    CHECK(result.status().message().find("keytool -importkeystore") != std::string::npos);
    CHECK(result.status().message().find("ssl.ca.location") != std::string::npos);
  }
}

TEST_CASE("all faults of a file are said at once, with their lines and without secrets") {
  PropertiesFile file("sasl.pasword=" + kCanary +
                      "\n"
                      "plugin.library.paths=/tmp/evil.so\n"
                      "\n"
                      "sasl.client.callback.handler.class=software.amazon.msk.auth.iam."
                      "IAMClientCallbackHandler\n"
                      "sasl.jaas.config=com.example.Mystery required password=\"" +
                      kCanary +
                      "\";\n"
                      "socket.timeout.ms=never\n");
  const auto result = file.read();
  REQUIRE_FALSE(result.ok());
  const std::string& text = result.status().message();
  INFO(text);
  CHECK(text.find(".properties:1: ") != std::string::npos);
  CHECK(text.find("Did you mean 'sasl.password'?") != std::string::npos);
  CHECK(text.find(".properties:2: ") != std::string::npos);
  CHECK(text.find(".properties:4: ") != std::string::npos);
  CHECK(text.find(".properties:5: ") != std::string::npos);
  CHECK(text.find(".properties:6: ") != std::string::npos);
  CHECK(std::count(text.begin(), text.end(), '\n') == 4);
  CHECK(text.find(kCanary) == std::string::npos);
}

TEST_CASE("a file that is not there or not text is refused without harm") {
  CHECK_FALSE(read_client_properties("/no/such/file").ok());
  CHECK_FALSE(read_client_properties("/").ok());
  CHECK_FALSE(PropertiesFile(std::string(2U << 20, 'x')).read().ok());
  PropertiesFile odd(std::string("\\\n=\n:\n\\u12\nk\\", 14));
  (void)odd.read().ok();  // must only not crash
}

}  // namespace
}  // namespace retailpulse
