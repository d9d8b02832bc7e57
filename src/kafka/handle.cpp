#include "kafka/handle.h"

#include <arpa/inet.h>
#include <syslog.h>

#include <algorithm>
#include <array>
#include <cctype>

#include <fmt/format.h>

#include <retailpulse/kafka.h>

#include "base/log.h"

namespace retailpulse {
namespace {

constexpr std::size_t kErrorTextBytes = 512;
constexpr std::size_t kSecretBytesMin = 3;  // shorter ones would blot out ordinary words

KafkaContext& context_of(const rd_kafka_t* rk) {
  return *static_cast<KafkaContext*>(rd_kafka_opaque(rk));
}

LogLevel level_of(int syslog_level) {
  if (syslog_level <= LOG_CRIT) return LogLevel::kError;
  if (syslog_level <= LOG_WARNING) return LogLevel::kWarning;
  return LogLevel::kInfo;  // details come only when the user asked for them by name
}

// The client says only here that a topic was created anew; it would go on in it at the old offset
// (it does not reset offsets for that yet). No id yet is no other id.
void on_metadata_detail(const rd_kafka_t* rk, std::string_view text) {
  constexpr std::string_view kChanged = " changed id from ";
  constexpr std::string_view kNoId = "AAAAAAAAAAAAAAAAAAAAAA";
  const auto at = text.find(kChanged);
  if (at == std::string_view::npos || rk == nullptr) return;
  if (text.substr(at + kChanged.size()).starts_with(kNoId)) return;
  context_of(rk).topic_changed.store(true, std::memory_order_release);
}

// Called from librdkafka's own threads.
void on_log(const rd_kafka_t* rk, int level, const char* facility, const char* text) {
  const std::string_view fac = facility;
  if (level == LOG_DEBUG && fac == "METADATA") on_metadata_detail(rk, text);
  if (level == LOG_DEBUG && rk != nullptr && !context_of(rk).details_wanted) return;
  // Broken connections reach the user as notices (on_error); here they are detail.
  const bool detail = fac == "FAIL" || fac == "ERROR" || fac == "TERMINATE" || fac == "MOCK";
  const std::string clean = rk == nullptr ? std::string(text) : context_of(rk).secrets.clean(text);
  log(detail ? LogLevel::kDebug : level_of(level), "kafka", clean, {{"facility", facility}});
}

// "host:9092/bootstrap: Failed to resolve 'x' (after 2ms in state CONNECT)" without its tail.
std::string without_timing(std::string text) {
  const auto tail = text.rfind(" (after ");
  if (tail != std::string::npos) text.resize(tail);
  return text;
}

void on_error(rd_kafka_t* rk, int err, const char* reason, void* opaque) {
  auto& context = *static_cast<KafkaContext*>(opaque);
  (void)rk;  // the callback's signature
  const auto code = static_cast<rd_kafka_resp_err_t>(err);
  const std::string text = without_timing(context.secrets.clean(reason == nullptr ? "" : reason));
  // "all brokers down" says nothing new when the cause of one is known.
  const bool down = code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN;
  if (!down) context.cause = text;
  if (!down || context.last_error == RD_KAFKA_RESP_ERR_NO_ERROR ||
      context.last_error == RD_KAFKA_RESP_ERR__TRANSPORT) {
    context.last_error = code;
  }
  if (context.on_error) context.on_error(code, text);
}

void on_commit(rd_kafka_t* rk, rd_kafka_resp_err_t err, rd_kafka_topic_partition_list_t* offsets,
               void* opaque) {
  (void)rk;  // the callback's signature
  auto& context = *static_cast<KafkaContext*>(opaque);
  if (context.on_commit) context.on_commit(err, offsets);
}

void on_delivery(rd_kafka_t* rk, const rd_kafka_message_t* message, void* opaque) {
  (void)rk;  // the callback's signature
  auto& context = *static_cast<KafkaContext*>(opaque);
  if (context.on_delivery) context.on_delivery(*message);
}

std::string minimum_version(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 4> kSince{{
      {"client.dns.lookup", "2.2.0"},
      {"fetch.queue.backoff.ms", "2.2.0"},
      {"retry.backoff.max.ms", "2.3.0"},
      {"enable.metrics.push", "2.5.0"},
  }};
  for (const auto& [property, version] : kSince) {
    if (property == name) return fmt::format(" (it needs librdkafka {})", version);
  }
  return "";
}

class ConfBuilder {
 public:
  explicit ConfBuilder(KafkaContext& context) : context_(context) {}

  // A default that this library version lacks is left out; a user's property is not.
  Status set(const std::string& name, const std::string& value, bool must_be_known) {
    std::array<char, kErrorTextBytes> why{};
    const auto result =
        rd_kafka_conf_set(conf_.get(), name.c_str(), value.c_str(), why.data(), why.size());
    if (result == RD_KAFKA_CONF_OK) return {};
    if (result == RD_KAFKA_CONF_UNKNOWN && !must_be_known) return {};
    if (result == RD_KAFKA_CONF_UNKNOWN) {
      return {Code::kConfig, fmt::format("Kafka property '{}' is not known to librdkafka {}{}.",
                                         name, rd_kafka_version_str(), minimum_version(name))};
    }
    return {Code::kConfig, fmt::format("Kafka property '{}': {}.", name,
                                       context_.secrets.clean(why.data()))};
  }

  Status set_all(const std::vector<Setting>& settings) {
    for (const auto& [name, value] : settings) {
      if (Status status = set(name, value, false); !status.ok()) return status;
    }
    return {};
  }

  Status set_user(const std::map<std::string, std::string>& properties, rd_kafka_type_t type) {
    for (const auto& [name, value] : properties) {
      if (Status status = check_kafka_property(name, value); !status.ok()) return status;
      if (type == RD_KAFKA_PRODUCER && for_readers_only(name)) continue;
      if (Status status = set(name, value, true); !status.ok()) return status;
    }
    return {};
  }

  void install_callbacks() {
    rd_kafka_conf_t* conf = conf_.get();
    rd_kafka_conf_set_opaque(conf, &context_);
    rd_kafka_conf_set_log_cb(conf, on_log);
    rd_kafka_conf_set_error_cb(conf, on_error);
  }
  void install_role(rd_kafka_type_t type) {
    if (type == RD_KAFKA_CONSUMER) rd_kafka_conf_set_offset_commit_cb(conf_.get(), on_commit);
    if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(conf_.get(), on_delivery);
    rd_kafka_conf_enable_sasl_queue(conf_.get(), 1);  // token refresh must not wait for our polls
  }

  rd_kafka_conf_t* release() { return conf_.release(); }

 private:
  static bool for_readers_only(std::string_view name) {
    return name.starts_with("fetch.") || name.starts_with("queued.") || name == "group.id" ||
           name == "max.partition.fetch.bytes";
  }

  KafkaContext& context_;
  KafkaPtr<rd_kafka_conf_t> conf_{rd_kafka_conf_new()};
};

std::string property_or(const KafkaConfig& config, const std::string& name,
                        const std::string& fallback) {
  const auto it = config.properties.find(name);
  return it == config.properties.end() ? fallback : it->second;
}

// "PLAINTEXT://[::1]:9092" -> "::1"
std::string host_of(std::string_view broker) {
  if (const auto scheme = broker.find("://"); scheme != std::string_view::npos) {
    broker.remove_prefix(scheme + 3);
  }
  broker.remove_prefix(std::min(broker.find_first_not_of(' '), broker.size()));
  const bool bracket = broker.starts_with('[');
  const auto end = broker.find(bracket ? ']' : ':');
  return std::string(broker.substr(bracket ? 1 : 0, bracket ? end - 1 : end));
}

// By address, not by how it begins: "127.evil.example" and "localhost.example" are elsewhere.
bool is_loopback_host(const std::string& host) {
  in_addr address{};
  return host == "localhost" || host == "::1" ||
         (host.starts_with("127.") && inet_pton(AF_INET, host.c_str(), &address) == 1);
}

bool all_loopback(std::string_view bootstrap) {
  while (!bootstrap.empty()) {
    const auto comma = bootstrap.find(',');
    const std::string_view one = bootstrap.substr(0, comma);
    if (!is_loopback_host(host_of(one))) return false;
    bootstrap = comma == std::string_view::npos ? "" : bootstrap.substr(comma + 1);
  }
  return true;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

// A password that everybody on the way could read is refused; what is allowed but weakens the
// connection is said once, aloud.
Status check_security(const KafkaConfig& config, std::string_view bootstrap) {
  const std::string protocol = lower(property_or(config, "security.protocol", "plaintext"));
  // librdkafka has two names for it, and the later one wins there.
  const bool plain = lower(property_or(config, "sasl.mechanism", "")) == "plain" ||
                     lower(property_or(config, "sasl.mechanisms", "")) == "plain";
  if (protocol == "sasl_plaintext" && plain && !all_loopback(bootstrap)) {
    return {Code::kConfig,
            "The password would travel unencrypted: sasl.mechanism PLAIN without TLS is refused "
            "for a broker on another machine; set security.protocol to sasl_ssl, or use a SCRAM "
            "mechanism."};
  }
  const std::string verify = lower(property_or(config, "enable.ssl.certificate.verification", "true"));
  if (verify == "false" || verify == "f" || verify == "0" ||
      property_or(config, "ssl.endpoint.identification.algorithm", "https") == "none") {
    log(LogLevel::kWarning, "kafka",
        "the broker's identity is not verified: anybody on the way can read and change the data");
  }
  return {};
}

bool is_one_of(rd_kafka_resp_err_t err, std::initializer_list<rd_kafka_resp_err_t> list) {
  return std::find(list.begin(), list.end(), err) != list.end();
}

}  // namespace

int timeout_ms(Duration d) {
  if (d <= Duration::zero()) return 0;
  const auto ms = (d.count() + 999) / 1000;
  return static_cast<int>(std::min<std::int64_t>(ms, 3'600'000));
}

void SecretFilter::add(const std::string& secret) {
  if (secret.size() >= kSecretBytesMin) secrets_.push_back(secret);
}

std::string SecretFilter::clean(std::string_view text) const {
  std::string out(text);
  for (const std::string& secret : secrets_) {
    for (auto at = out.find(secret); at != std::string::npos; at = out.find(secret, at + 3)) {
      out.replace(at, secret.size(), "***");
    }
  }
  return out;
}

Result<std::unique_ptr<KafkaHandle>> KafkaHandle::open(rd_kafka_type_t type,
                                                       const KafkaConfig& config,
                                                       const std::vector<Setting>& defaults,
                                                       const std::vector<Setting>& fixed) {
  const std::string bootstrap =
      config.bootstrap.empty() ? property_or(config, "bootstrap.servers", "") : config.bootstrap;
  if (bootstrap.empty()) {
    return Status(Code::kConfig, "No Kafka broker is named: say -b HOST:PORT.");
  }
  auto context = std::make_unique<KafkaContext>();
  for (const auto& [name, value] : config.properties) {
    if (kafka_property_is_secret(name)) context->secrets.add(value);
  }
  context->details_wanted = config.properties.count("debug") != 0;
  ConfBuilder builder(*context);
  builder.install_callbacks();
  Status status = builder.set_all({{"client.id", "retailpulse"},
                                   {"socket.nagle.disable", "true"},
                                   {"socket.keepalive.enable", "true"},
                                   {"reconnect.backoff.max.ms", "2000"},
                                   {"topic.metadata.refresh.interval.ms", "30000"},
                                   {"enable.metrics.push", "false"},
                                   {"log.thread.name", "false"}});
  if (status.ok()) status = builder.set_all(defaults);
  if (status.ok()) status = builder.set_user(config.properties, type);
  if (status.ok()) status = builder.set_all(fixed);
  if (status.ok()) status = builder.set("bootstrap.servers", bootstrap, true);
  if (!status.ok()) return status;
  if (status = check_security(config, bootstrap); !status.ok()) return status;
  builder.install_role(type);

  std::unique_ptr<KafkaHandle> handle(new KafkaHandle(std::move(context), bootstrap));
  std::array<char, kErrorTextBytes> why{};
  rd_kafka_conf_t* conf = builder.release();
  handle->rd_ = rd_kafka_new(type, conf, why.data(), why.size());  // takes conf when it succeeds
  if (handle->rd_ == nullptr) {
    rd_kafka_conf_destroy(conf);
    return Status(Code::kConfig, fmt::format("The Kafka client cannot start: {}.",
                                             handle->clean(why.data())));
  }
  KafkaPtr<rd_kafka_error_t>(rd_kafka_sasl_background_callbacks_enable(handle->rd_));
  return handle;
}

KafkaHandle::~KafkaHandle() {
  if (rd_ == nullptr) return;
  context_->on_error = nullptr;
  context_->on_commit = nullptr;
  context_->on_delivery = nullptr;
  // Nobody joined a group, so there is nothing to leave and close() has nothing to wait for.
  rd_kafka_destroy_flags(rd_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

bool KafkaHandle::cause_is_certain() const {
  if (is_one_of(context_->last_error,
                {RD_KAFKA_RESP_ERR__RESOLVE, RD_KAFKA_RESP_ERR__AUTHENTICATION,
                 RD_KAFKA_RESP_ERR__SSL, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN})) {
    return true;
  }
  return context_->cause.find("refused") != std::string::npos;
}

void KafkaHandle::forget_errors() {
  context_->last_error = RD_KAFKA_RESP_ERR_NO_ERROR;
  context_->cause.clear();
}

Status KafkaHandle::unavailable(std::string_view what) const {
  const std::string& cause = context_->cause;
  if (cause.empty()) {
    return {Code::kUnavailable,
            fmt::format("Cannot {}: no broker answers at {}.", what, bootstrap_)};
  }
  std::string_view hint;
  if (context_->last_error == RD_KAFKA_RESP_ERR__RESOLVE) {
    hint = " Is the host name right?";
  } else if (context_->last_error == RD_KAFKA_RESP_ERR__AUTHENTICATION) {
    hint = " The broker refused the login: check sasl.mechanism, sasl.username and sasl.password.";
  } else if (cause.find("refused") != std::string::npos) {
    hint = " Is the broker running, and is the port right?";
  }
  return {Code::kUnavailable,
          fmt::format("Cannot {}: no broker answers at {}. {}.{}", what, bootstrap_, cause, hint)};
}

}  // namespace retailpulse
