// Java's client.properties in librdkafka's words: syntax, then one translation for each line.
#include <algorithm>
#include <array>
#include <cctype>
#include <fstream>
#include <optional>
#include <sstream>

#include <fmt/format.h>

#include <retailpulse/kafka.h>

namespace retailpulse {
namespace {

constexpr std::size_t kFileBytesMax = 1U << 20;

struct Line {
  std::size_t number = 0;
  std::string key;
  std::string value;
};

bool blank(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\r'; }

std::string trimmed(std::string_view s) {
  while (!s.empty() && blank(s.front())) s.remove_prefix(1);
  while (!s.empty() && blank(s.back())) s.remove_suffix(1);
  return std::string(s);
}

std::string lower(std::string s) {
  std::transform(s.begin(), s.end(), s.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return s;
}

// A line that ends in an odd number of backslashes goes on in the next one.
bool continues(const std::string& line) {
  const auto last = line.find_last_not_of('\\');
  const std::size_t tail = last == std::string::npos ? line.size() : line.size() - 1 - last;
  return tail % 2 == 1;
}

void append_code_point(std::string& out, unsigned value) {
  if (value < 0x80) {
    out.push_back(static_cast<char>(value));
  } else if (value < 0x800) {
    out.push_back(static_cast<char>(0xc0 | (value >> 6)));
    out.push_back(static_cast<char>(0x80 | (value & 0x3f)));
  } else {
    out.push_back(static_cast<char>(0xe0 | (value >> 12)));
    out.push_back(static_cast<char>(0x80 | ((value >> 6) & 0x3f)));
    out.push_back(static_cast<char>(0x80 | (value & 0x3f)));
  }
}

// \t \n \r \f \uXXXX as java.util.Properties reads them; any other escaped character is itself.
std::string unescaped(std::string_view s) {
  std::string out;
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (s[i] != '\\' || i + 1 == s.size()) {
      out.push_back(s[i]);
      continue;
    }
    const char c = s[++i];
    if (c == 'u' && i + 4 < s.size()) {
      append_code_point(out, static_cast<unsigned>(std::strtoul(
                                 std::string(s.substr(i + 1, 4)).c_str(), nullptr, 16)));
      i += 4;
    } else {
      static constexpr std::string_view kFrom = "tnrf";
      static constexpr std::string_view kTo = "\t\n\r\f";
      const auto at = kFrom.find(c);
      out.push_back(at == std::string_view::npos ? c : kTo[at]);
    }
  }
  return out;
}

Line split(std::size_t number, const std::string& text) {
  std::size_t end = 0;
  while (end < text.size() && text[end] != '=' && text[end] != ':' && !blank(text[end])) {
    end += text[end] == '\\' ? 2 : 1;
  }
  end = std::min(end, text.size());
  std::size_t begin = end;
  while (begin < text.size() && blank(text[begin])) ++begin;
  if (begin < text.size() && (text[begin] == '=' || text[begin] == ':')) ++begin;
  return {number, unescaped(text.substr(0, end)), unescaped(trimmed(text.substr(begin)))};
}

std::vector<Line> parse(std::istream& in) {
  std::vector<Line> lines;
  std::string raw;
  std::size_t number = 0;
  while (std::getline(in, raw)) {
    const std::size_t first = ++number;
    std::string text = trimmed(raw);
    if (text.empty() || text[0] == '#' || text[0] == '!') continue;
    while (continues(text) && std::getline(in, raw)) {
      ++number;
      text.pop_back();
      text += trimmed(raw);
    }
    lines.push_back(split(first, text));
  }
  return lines;
}

// username="alice" in a JAAS line; both quotes, backslash escapes, any case of the name.
std::optional<std::string> jaas_option(const std::string& jaas, const std::string& name) {
  const std::string low = lower(jaas);
  for (auto at = low.find(name); at != std::string::npos; at = low.find(name, at + 1)) {
    if (at > 0 && !blank(low[at - 1])) continue;
    std::size_t i = at + name.size();
    while (i < jaas.size() && blank(jaas[i])) ++i;
    if (i >= jaas.size() || jaas[i] != '=') continue;
    ++i;
    while (i < jaas.size() && blank(jaas[i])) ++i;
    if (i >= jaas.size()) return std::nullopt;
    const char quote = jaas[i] == '"' || jaas[i] == '\'' ? jaas[i++] : '\0';
    std::string out;
    for (; i < jaas.size() && jaas[i] != quote; ++i) {
      if (quote == '\0' && (blank(jaas[i]) || jaas[i] == ';')) break;
      if (jaas[i] == '\\' && i + 1 < jaas.size()) ++i;
      out.push_back(jaas[i]);
    }
    return out;
  }
  return std::nullopt;
}

struct Rename {
  std::string_view java;
  std::string_view ours;
};
constexpr auto kRenames = std::to_array<Rename>({
    {"fetch.max.wait.ms", "fetch.wait.max.ms"},
    {"max.partition.fetch.bytes", "fetch.message.max.bytes"},
    {"receive.buffer.bytes", "socket.receive.buffer.bytes"},
    {"send.buffer.bytes", "socket.send.buffer.bytes"},
    {"request.timeout.ms", "socket.timeout.ms"},
    {"socket.connection.setup.timeout.max.ms", "socket.connection.setup.timeout.ms"},
    {"ssl.truststore.certificates", "ssl.ca.pem"},
    {"ssl.keystore.key", "ssl.key.pem"},
    {"ssl.keystore.certificate.chain", "ssl.certificate.pem"},
    {"sasl.oauthbearer.scope.claim.name", ""},
});

// Java settings without a meaning here; a trailing '.' or a leading one matches a family.
constexpr auto kIgnored = std::to_array<std::string_view>({
    "key.deserializer",
    "value.deserializer",
    "key.serializer",
    "value.serializer",
    "interceptor.classes",
    "metric.reporters",
    "metrics.",
    "enable.metrics.push",
    "partition.assignment.strategy",
    "enable.auto.commit",
    "auto.commit.interval.ms",
    "auto.offset.reset",
    "isolation.level",
    "max.poll.records",
    "max.poll.interval.ms",
    "session.timeout.ms",
    "heartbeat.interval.ms",
    "group.protocol",
    "group.instance.id",
    "group.remote.assignor",
    "check.crcs",
    "allow.auto.create.topics",
    "default.api.timeout.ms",
    "exclude.internal.topics",
    "acks",
    "retries",
    "linger.ms",
    "batch.size",
    "buffer.memory",
    "compression.type",
    "enable.idempotence",
    "delivery.timeout.ms",
    "max.block.ms",
    "max.request.size",
    "transactional.id",
    "transaction.timeout.ms",
    "partitioner.class",
    "schema.registry.",
    "basic.auth.",
    "ssl.protocol",
    "ssl.enabled.protocols",
    "ssl.provider",
    "ssl.trustmanager.algorithm",
    "ssl.keymanager.algorithm",
    "ssl.secure.random.implementation",
    "ssl.truststore.type",
    "ssl.truststore.password",
    "ssl.keystore.type",
    "auto.include.jmx.reporter",
    "security.providers",
    "client.telemetry.",
    "confluent.",
    "sasl.login.",
    "sasl.oauthbearer.jwks.",
    "sasl.oauthbearer.expected.",
    "sasl.oauthbearer.clock.",
    "sasl.kerberos.ticket.",
    "reconnect.backoff.jitter.ms",
});

bool is_ignored(std::string_view key) {
  return std::any_of(kIgnored.begin(), kIgnored.end(), [&](std::string_view name) {
    return name.back() == '.' ? key.starts_with(name) : key == name;
  });
}

class Translator {
 public:
  Translator(std::string path, std::vector<Line> lines)
      : path_(std::move(path)), lines_(std::move(lines)) {}

  Result<ClientProperties> run() {
    for (const Line& line : lines_) translate(line);
    if (!faults_.empty()) return Status(Code::kConfig, faults_);
    return std::move(out_);
  }

 private:
  void fault(const Line& line, std::string_view text) {
    if (!faults_.empty()) faults_ += '\n';
    faults_ += fmt::format("{}:{}: {}", path_, line.number, text);
  }
  void notice(const Line& line, std::string_view text) {
    out_.notices.push_back(fmt::format("{}:{}: {}", path_, line.number, text));
  }
  void put(const Line& line, const std::string& name, const std::string& value) {
    if (Status status = check_kafka_property(name, value); !status.ok()) {
      fault(line, status.message());
      return;
    }
    out_.properties[name] = value;
  }
  std::string value_of(std::string_view key) const {
    for (const Line& line : lines_) {
      if (line.key == key) return line.value;
    }
    return "";
  }

  void translate(const Line& line) {
    if (line.key == "sasl.jaas.config") return jaas(line);
    if (line.key == "security.protocol") return put(line, line.key, lower(line.value));
    if (line.key == "ssl.truststore.location") return truststore(line);
    if (line.key == "ssl.keystore.location") return keystore(line);
    if (line.key == "ssl.cipher.suites" && line.value.starts_with("TLS_")) {
      return notice(line, "ssl.cipher.suites is ignored: it holds Java's names of the ciphers");
    }
    if (line.key == "ssl.endpoint.identification.algorithm") {
      return put(line, line.key, line.value.empty() ? "none" : lower(line.value));
    }
    if (line.key == "sasl.client.callback.handler.class" ||
        line.key == "sasl.login.callback.handler.class") {
      return callback_handler(line);
    }
    if (translate_name(line)) return;
    put(line, line.key, line.value);
  }

  bool translate_name(const Line& line) {
    for (const Rename& rename : kRenames) {
      if (rename.java != line.key) continue;
      if (rename.ours.empty()) {
        notice(line, fmt::format("{} is ignored", line.key));
        return true;
      }
      notice(line, fmt::format("{} is called {} in librdkafka", line.key, rename.ours));
      put(line, std::string(rename.ours), line.value);
      return true;
    }
    if (!is_ignored(line.key)) return false;
    notice(line, fmt::format("{} is ignored: it has no meaning for RetailPulse", line.key));
    return true;
  }

  void callback_handler(const Line& line) {
    if (line.value.ends_with("OAuthBearerLoginCallbackHandler")) {
      put(line, "sasl.oauthbearer.method", "oidc");
      return;
    }
    fault(line, fmt::format("{} names a Java class that librdkafka cannot run; RetailPulse can log "
                            "in with PLAIN, SCRAM, GSSAPI, OAUTHBEARER (oidc) or a TLS certificate",
                            line.key));
  }

  void option(const Line& line, const std::string& jaas_name, const std::string& property) {
    if (const auto value = jaas_option(line.value, jaas_name)) put(line, property, *value);
  }

  void jaas(const Line& line) {
    const auto has = [&](std::string_view module) {
      return line.value.find(module) != std::string::npos;
    };
    if (has("PlainLoginModule") || has("ScramLoginModule")) {
      if (!jaas_option(line.value, "username") || !jaas_option(line.value, "password")) {
        return fault(line, "sasl.jaas.config has no username=\"…\" password=\"…\"");
      }
      option(line, "username", "sasl.username");
      option(line, "password", "sasl.password");
      if (value_of("sasl.mechanism").empty() && has("PlainLoginModule")) {
        put(line, "sasl.mechanism", "PLAIN");
      }
    } else if (has("OAuthBearerLoginModule")) {
      put(line, "sasl.oauthbearer.method", "oidc");
      option(line, "clientid", "sasl.oauthbearer.client.id");
      option(line, "clientsecret", "sasl.oauthbearer.client.secret");
      option(line, "scope", "sasl.oauthbearer.scope");
    } else if (has("Krb5LoginModule")) {
      option(line, "keytab", "sasl.kerberos.keytab");
      option(line, "principal", "sasl.kerberos.principal");
    } else {
      return fault(line, "sasl.jaas.config names a login module that is not known here");
    }
    notice(line, "sasl.jaas.config was translated to librdkafka's sasl.* properties");
  }

  void truststore(const Line& line) {
    const std::string type = lower(value_of("ssl.truststore.type"));
    if (type == "pem" || (type.empty() && lower(line.value).ends_with(".pem")) ||
        (type.empty() && lower(line.value).ends_with(".crt"))) {
      put(line, "ssl.ca.location", line.value);
      return notice(line, "ssl.truststore.location is called ssl.ca.location in librdkafka");
    }
    fault(line, fmt::format("ssl.truststore.location: a Java trust store cannot be read; write its "
                            "certificates as PEM (keytool -list -rfc -keystore {0} > ca.pem) and "
                            "say ssl.ca.location=ca.pem", line.value));
  }

  void keystore(const Line& line) {
    const std::string type = lower(value_of("ssl.keystore.type"));
    const std::string file = lower(line.value);
    if (type == "pem" || (type.empty() && file.ends_with(".pem"))) {
      put(line, "ssl.certificate.location", line.value);
      put(line, "ssl.key.location", line.value);
      return notice(line, "ssl.keystore.location (PEM) became ssl.certificate.location and "
                          "ssl.key.location");
    }
    if (type == "pkcs12" || (type.empty() && (file.ends_with(".p12") || file.ends_with(".pfx")))) {
      return put(line, "ssl.keystore.location", line.value);
    }
    fault(line, fmt::format("ssl.keystore.location: a Java key store cannot be read; convert it "
                            "(keytool -importkeystore -srckeystore {0} -destkeystore client.p12 "
                            "-deststoretype PKCS12) and name client.p12", line.value));
  }

  std::string path_;
  std::vector<Line> lines_;
  ClientProperties out_;
  std::string faults_;
};

}  // namespace

Result<ClientProperties> read_client_properties(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    return Status(Code::kConfig, fmt::format("The properties file '{}' cannot be read.", path));
  }
  std::string text(kFileBytesMax + 1, '\0');
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  text.resize(static_cast<std::size_t>(file.gcount()));
  if (file.bad()) {
    return Status(Code::kConfig, fmt::format("The properties file '{}' cannot be read.", path));
  }
  if (text.size() > kFileBytesMax) {
    return Status(Code::kConfig, fmt::format("The properties file '{}' is larger than {} bytes.",
                                             path, kFileBytesMax));
  }
  std::istringstream in(text);
  return Translator(path, parse(in)).run();
}

}  // namespace retailpulse
