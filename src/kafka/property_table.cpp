#include "kafka/property_table.h"

#include <algorithm>
#include <array>
#include <numeric>
#include <vector>

#include <fmt/format.h>

namespace retailpulse {
namespace {

using enum PropertyVerdict;

constexpr std::string_view kOffsets = "offsets come from the store, never from Kafka";
constexpr std::string_view kNoGroup = "RetailPulse assigns partitions itself and joins no group";
constexpr std::string_view kCallback = "it takes a function of the program";
constexpr std::string_view kSmall = "the number of messages in memory is bounded in bytes";

constexpr auto kRules = std::to_array<PropertyRule>({
    // Connection.
    {"bootstrap.servers", kAllowed, ""},
    {"metadata.broker.list", kUnsupported, "say bootstrap.servers"},
    {"client.id", kAllowed, ""},
    {"client.rack", kAllowed, ""},
    {"client.dns.lookup", kAllowed, ""},
    {"broker.address.ttl", kAllowed, ""},
    {"broker.address.family", kAllowed, ""},
    {"broker.version.fallback", kAllowed, ""},
    {"api.version.request", kAllowed, ""},
    {"api.version.request.timeout.ms", kAllowed, ""},
    {"api.version.fallback.ms", kAllowed, ""},
    {"socket.timeout.ms", kAllowed, ""},
    {"socket.blocking.max.ms", kUnsupported, "it has no effect any more"},
    {"socket.send.buffer.bytes", kAllowed, ""},
    {"socket.receive.buffer.bytes", kAllowed, ""},
    {"socket.keepalive.enable", kAllowed, ""},
    {"socket.nagle.disable", kAllowed, ""},
    {"socket.max.fails", kAllowed, ""},
    {"socket.connection.setup.timeout.ms", kAllowed, ""},
    {"connections.max.idle.ms", kAllowed, ""},
    {"reconnect.backoff.ms", kAllowed, ""},
    {"reconnect.backoff.max.ms", kAllowed, ""},
    {"reconnect.backoff.jitter.ms", kUnsupported, "it has no effect any more"},
    {"retry.backoff.ms", kAllowed, ""},
    {"retry.backoff.max.ms", kAllowed, ""},
    {"max.in.flight.requests.per.connection", kAllowed, ""},
    {"max.in.flight", kAllowed, ""},
    {"message.max.bytes", kAllowed, ""},
    {"receive.message.max.bytes", kAllowed, ""},
    {"message.copy.max.bytes", kWriters, ""},
    {"metadata.max.age.ms", kAllowed, ""},
    {"metadata.request.timeout.ms", kAllowed, ""},
    {"metadata.recovery.strategy", kAllowed, ""},
    {"metadata.recovery.rebootstrap.trigger.ms", kAllowed, ""},
    {"topic.metadata.refresh.interval.ms", kOurs, "new partitions must be seen within 30 s"},
    {"topic.metadata.refresh.fast.interval.ms", kAllowed, ""},
    {"topic.metadata.refresh.fast.cnt", kUnsupported, "it has no effect any more"},
    {"topic.metadata.refresh.sparse", kAllowed, ""},
    {"topic.metadata.propagation.max.ms", kAllowed, ""},
    {"topic.blacklist", kUnsupported, "name the wanted topics with -t"},
    {"allow.auto.create.topics", kOurs, "reading must never create a topic"},
    {"enable.sparse.connections", kUnsupported, "it is internal"},
    {"enable.metrics.push", kOurs, "nothing about you is sent anywhere"},
    {"debug", kAllowed, ""},
    {"log_level", kAllowed, ""},
    {"log.connection.close", kAllowed, ""},
    {"log.thread.name", kOurs, "RetailPulse writes the log"},
    {"log.queue", kOurs, "RetailPulse writes the log"},
    // Login and encryption.
    {"security.protocol", kAllowed, ""},
    {"sasl.mechanism", kAllowed, ""},
    {"sasl.mechanisms", kAllowed, ""},
    {"sasl.username", kAllowed, ""},
    {"sasl.password", kAllowed, ""},
    {"sasl.jaas.config", kUnsupported,
     "it is Java's; say sasl.username and sasl.password, or pass the file with -F"},
    {"sasl.kerberos.service.name", kAllowed, ""},
    {"sasl.kerberos.principal", kAllowed, ""},
    {"sasl.kerberos.keytab", kAllowed, ""},
    {"sasl.kerberos.min.time.before.relogin", kAllowed, ""},
    {"sasl.kerberos.kinit.cmd", kRunsCode, "it is a shell command"},
    {"sasl.oauthbearer.config", kAllowed, ""},
    {"sasl.oauthbearer.method", kAllowed, ""},
    {"sasl.oauthbearer.client.id", kAllowed, ""},
    {"sasl.oauthbearer.client.secret", kAllowed, ""},
    {"sasl.oauthbearer.client.credentials.client.id", kAllowed, ""},
    {"sasl.oauthbearer.client.credentials.client.secret", kAllowed, ""},
    {"sasl.oauthbearer.scope", kAllowed, ""},
    {"sasl.oauthbearer.extensions", kAllowed, ""},
    {"sasl.oauthbearer.token.endpoint.url", kAllowed, ""},
    {"sasl.oauthbearer.sub.claim.name", kAllowed, ""},
    {"sasl.oauthbearer.grant.type", kAllowed, ""},
    {"sasl.oauthbearer.assertion.algorithm", kAllowed, ""},
    {"sasl.oauthbearer.assertion.private.key.file", kAllowed, ""},
    {"sasl.oauthbearer.assertion.private.key.passphrase", kAllowed, ""},
    {"sasl.oauthbearer.assertion.private.key.pem", kAllowed, ""},
    {"sasl.oauthbearer.assertion.file", kAllowed, ""},
    {"sasl.oauthbearer.assertion.claim.aud", kAllowed, ""},
    {"sasl.oauthbearer.assertion.claim.exp.seconds", kAllowed, ""},
    {"sasl.oauthbearer.assertion.claim.iss", kAllowed, ""},
    {"sasl.oauthbearer.assertion.claim.jti.include", kAllowed, ""},
    {"sasl.oauthbearer.assertion.claim.nbf.seconds", kAllowed, ""},
    {"sasl.oauthbearer.assertion.claim.sub", kAllowed, ""},
    {"sasl.oauthbearer.assertion.jwt.template.file", kAllowed, ""},
    {"sasl.oauthbearer.metadata.authentication.type", kAllowed, ""},
    {"enable.sasl.oauthbearer.unsecure.jwt", kUnsupported, "unsigned tokens are for development"},
    {"oauthbearer_token_refresh_cb", kRunsCode, kCallback},
    {"enable_sasl_queue", kOurs, ""},
    {"ssl.cipher.suites", kAllowed, ""},
    {"ssl.curves.list", kAllowed, ""},
    {"ssl.sigalgs.list", kAllowed, ""},
    {"ssl.key.location", kAllowed, ""},
    {"ssl.key.password", kAllowed, ""},
    {"ssl.key.pem", kAllowed, ""},
    {"ssl.certificate.location", kAllowed, ""},
    {"ssl.certificate.pem", kAllowed, ""},
    {"ssl.ca.location", kAllowed, ""},
    {"ssl.ca.pem", kAllowed, ""},
    {"ssl.ca.certificate.stores", kUnsupported, "it is for Windows; say ssl.ca.location"},
    {"ssl.crl.location", kAllowed, ""},
    {"ssl.keystore.location", kAllowed, ""},
    {"ssl.keystore.password", kAllowed, ""},
    {"ssl.truststore.location", kUnsupported, "it is Java's; say ssl.ca.location with a PEM file"},
    {"ssl.endpoint.identification.algorithm", kAllowed, ""},
    {"enable.ssl.certificate.verification", kAllowed, ""},
    {"https.ca.location", kAllowed, ""},
    {"https.ca.pem", kAllowed, ""},
    {"ssl_key", kRunsCode, "it takes a pointer of the program"},
    {"ssl_certificate", kRunsCode, "it takes a pointer of the program"},
    {"ssl_ca", kRunsCode, "it takes a pointer of the program"},
    {"ssl_engine_callback_data", kRunsCode, "it takes a pointer of the program"},
    {"ssl.certificate.verify_cb", kRunsCode, kCallback},
    {"ssl.providers", kRunsCode, "it loads OpenSSL modules"},
    {"ssl.engine.location", kRunsCode, "it loads a library"},
    {"ssl.engine.id", kRunsCode, "it chooses a library to load"},
    {"plugin.library.paths", kRunsCode, "it loads libraries"},
    {"interceptors", kRunsCode, kCallback},
    // Reading.
    {"group.id", kAllowed, ""},
    {"coordinator.query.interval.ms", kAllowed, ""},
    {"fetch.wait.max.ms", kAllowed, ""},
    {"fetch.queue.backoff.ms", kAllowed, ""},
    {"fetch.message.max.bytes", kAllowed, ""},
    {"max.partition.fetch.bytes", kAllowed, ""},
    {"fetch.max.bytes", kAllowed, ""},
    {"fetch.min.bytes", kAllowed, ""},
    {"fetch.error.backoff.ms", kAllowed, ""},
    {"queued.max.messages.kbytes", kAllowed, ""},
    {"queued.min.messages", kAllowed, ""},
    {"group.instance.id", kOurs, kNoGroup},
    {"group.protocol", kOurs, kNoGroup},
    {"group.protocol.type", kOurs, kNoGroup},
    {"group.remote.assignor", kOurs, kNoGroup},
    {"partition.assignment.strategy", kOurs, kNoGroup},
    {"session.timeout.ms", kOurs, kNoGroup},
    {"heartbeat.interval.ms", kOurs, kNoGroup},
    {"max.poll.interval.ms", kOurs, kNoGroup},
    {"max.poll.records", kOurs, kSmall},
    {"share.acknowledgement.mode", kOurs, kNoGroup},
    {"enable.auto.commit", kOurs, kOffsets},
    {"auto.commit.enable", kOurs, kOffsets},
    {"auto.commit.interval.ms", kOurs, kOffsets},
    {"enable.auto.offset.store", kOurs, kOffsets},
    {"auto.offset.reset", kOurs, "a jump over records is never made in silence; see --from"},
    {"offset.store.method", kOurs, kOffsets},
    {"offset.store.path", kOurs, kOffsets},
    {"offset.store.sync.interval.ms", kOurs, kOffsets},
    {"isolation.level", kOurs, "aborted transactions must not be counted"},
    {"check.crcs", kOurs, "damaged records must not be counted"},
    {"enable.partition.eof", kOurs, "the end of a partition decides when it is idle"},
    {"consume.callback.max.messages", kOurs, kSmall},
    {"statistics.interval.ms", kOurs, "see /metrics"},
    {"consume_cb", kRunsCode, kCallback},
    {"rebalance_cb", kRunsCode, kCallback},
    {"offset_commit_cb", kRunsCode, kCallback},
    // Writing.
    {"transactional.id", kWriters, ""},
    {"transaction.timeout.ms", kWriters, ""},
    {"enable.idempotence", kWriters, ""},
    {"enable.gapless.guarantee", kWriters, ""},
    {"queue.buffering.max.messages", kWriters, ""},
    {"queue.buffering.max.kbytes", kWriters, ""},
    {"queue.buffering.max.ms", kWriters, ""},
    {"queue.buffering.backpressure.threshold", kWriters, ""},
    {"linger.ms", kWriters, ""},
    {"message.send.max.retries", kWriters, ""},
    {"retries", kWriters, ""},
    {"compression.codec", kWriters, ""},
    {"compression.type", kWriters, ""},
    {"compression.level", kWriters, ""},
    {"batch.num.messages", kWriters, ""},
    {"batch.size", kWriters, ""},
    {"delivery.report.only.error", kWriters, ""},
    {"dr_cb", kRunsCode, kCallback},
    {"dr_msg_cb", kRunsCode, kCallback},
    {"sticky.partitioning.linger.ms", kWriters, ""},
    {"request.required.acks", kWriters, ""},
    {"acks", kWriters, ""},
    {"request.timeout.ms", kWriters, ""},
    {"message.timeout.ms", kWriters, ""},
    {"delivery.timeout.ms", kWriters, ""},
    {"queuing.strategy", kWriters, ""},
    {"produce.offset.report", kWriters, ""},
    {"partitioner", kWriters, ""},
    {"partitioner_cb", kRunsCode, kCallback},
    {"msg_order_cmp", kRunsCode, kCallback},
    // Of the program, not of a user.
    {"builtin.features", kUnsupported, "it can only be read; see 'retailpulse version'"},
    {"client.software.name", kUnsupported, "it is internal"},
    {"client.software.version", kUnsupported, "it is internal"},
    {"enabled_events", kOurs, ""},
    {"enable.random.seed", kOurs, ""},
    {"internal.termination.signal", kOurs, ""},
    {"error_cb", kRunsCode, kCallback},
    {"throttle_cb", kRunsCode, kCallback},
    {"stats_cb", kRunsCode, kCallback},
    {"log_cb", kRunsCode, kCallback},
    {"background_event_cb", kRunsCode, kCallback},
    {"socket_cb", kRunsCode, kCallback},
    {"connect_cb", kRunsCode, kCallback},
    {"closesocket_cb", kRunsCode, kCallback},
    {"open_cb", kRunsCode, kCallback},
    {"resolve_cb", kRunsCode, kCallback},
    {"opaque", kRunsCode, "it takes a pointer of the program"},
    {"default_topic_conf", kRunsCode, "it takes a pointer of the program"},
    {"test.mock.num.brokers", kUnsupported, "for a cluster in this process use 'retailpulse demo'"},
    {"test.mock.broker.rtt", kUnsupported, "for a cluster in this process use 'retailpulse demo'"},
    {"ut_handle_ProduceResponse", kRunsCode, kCallback},
});

// Levenshtein's distance, given up (as `limit`) when it reaches `limit`.
std::size_t distance(std::string_view a, std::string_view b, std::size_t limit) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = row[0];
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t above = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0U : 1U)});
      diagonal = above;
    }
    if (*std::min_element(row.begin(), row.end()) >= limit) return limit;
  }
  return std::min(row[b.size()], limit);
}

}  // namespace

std::span<const PropertyRule> property_rules() { return kRules; }

const PropertyRule* find_property_rule(std::string_view name) {
  const auto it = std::find_if(kRules.begin(), kRules.end(),
                               [&](const auto& rule) { return rule.name == name; });
  return it == kRules.end() ? nullptr : &*it;
}

std::string did_you_mean(std::string_view wrong, std::span<const std::string> names) {
  constexpr std::size_t kLongest = 256;  // keeps the work for hostile input small
  if (wrong.size() > kLongest) return "";
  std::size_t best = std::max<std::size_t>(2, wrong.size() / 3) + 1;
  std::string_view nearest;
  for (const std::string& name : names) {
    if (name.size() > kLongest) continue;
    const std::size_t d = distance(wrong, name, best);
    if (d < best) {
      best = d;
      nearest = name;
    }
  }
  return nearest.empty() ? "" : fmt::format(" Did you mean '{}'?", nearest);
}

}  // namespace retailpulse
