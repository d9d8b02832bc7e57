#include "serve/guard.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace retailpulse {
namespace {

constexpr std::uint16_t kDefaultHttpPort = 80;  // Host then names no port

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c | 0x20);
  }
  return out;
}

bool starts_with_ignoring_case(std::string_view text, std::string_view lower_prefix) {
  return text.size() >= lower_prefix.size() &&
         lower(text.substr(0, lower_prefix.size())) == lower_prefix;
}

// Takes time by the length of the secret only, not by how much of it is right.
bool equal_in_constant_time(std::string_view given, std::string_view secret) {
  unsigned difference = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < secret.size(); ++i) {
    const char other = i < given.size() ? given[i] : '\0';
    difference |= static_cast<unsigned char>(other) ^ static_cast<unsigned char>(secret[i]);
  }
  return difference == 0;
}

std::string decode_base64(std::string_view text) {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  unsigned bits = 0;
  int count = 0;
  for (const char c : text) {
    const std::size_t value = kAlphabet.find(c);
    if (value == std::string_view::npos) break;  // padding ends it
    bits = ((bits << 6) | static_cast<unsigned>(value)) & 0xffffff;
    count += 6;
    if (count >= 8) {
      count -= 8;
      out.push_back(static_cast<char>((bits >> count) & 0xff));
    }
  }
  return out;
}

// The secret of "Bearer <token>", or the password of "Basic <user:token>", which is what lets a
// browser open the page: it asks for a password.
std::string secret_of(std::string_view authorization) {
  if (starts_with_ignoring_case(authorization, "bearer ")) {
    return std::string(authorization.substr(7));
  }
  if (starts_with_ignoring_case(authorization, "basic ")) {
    const std::string pair = decode_base64(authorization.substr(6));
    const std::size_t colon = pair.find(':');
    return colon == std::string::npos ? std::string() : pair.substr(colon + 1);
  }
  return {};
}

// "10.0.0.1", "10.0.0.1:80", "[fe80::1]:80".
bool is_ip_literal(std::string_view host) {
  std::string address;
  std::string_view rest;
  if (host.substr(0, 1) == "[") {
    const std::size_t end = std::min(host.find(']'), host.size());
    address = host.substr(1, end - 1);
    rest = host.substr(std::min(end + 1, host.size()));
  } else {
    const std::size_t end = std::min(host.find(':'), host.size());
    address = host.substr(0, end);
    rest = host.substr(end);
  }
  if (!rest.empty() && (rest.front() != ':' || rest.size() < 2 || rest.size() > 6 ||
                        rest.find_first_not_of("0123456789", 1) != std::string_view::npos)) {
    return false;
  }
  std::array<unsigned char, sizeof(in6_addr)> parsed{};
  const int family = host.front() == '[' ? AF_INET6 : AF_INET;
  return inet_pton(family, address.c_str(), parsed.data()) == 1;
}

std::string_view without_port(std::string_view host) {
  const std::size_t colon = host.rfind(':');
  if (colon == std::string_view::npos || colon + 1 == host.size()) return host;
  const bool digits =
      host.find_first_not_of("0123456789", colon + 1) == std::string_view::npos;
  return digits && host.size() - colon <= 6 ? host.substr(0, colon) : host;
}

bool is_api(std::string_view path) {
  return path.substr(0, 4) == "/api" || path.substr(0, 8) == "/metrics";
}

Reply method_not_allowed() {
  Reply reply = problem(405, "Method Not Allowed", "Only GET and HEAD are answered here.");
  reply.headers.emplace_back("Allow", "GET, HEAD");
  return reply;
}

}  // namespace

bool is_loopback(std::string_view address) {
  return address == "localhost" || address == "::1" || address == "[::1]" ||
         (address.substr(0, 4) == "127." && is_ip_literal(address));
}

Status check_exposure(const HttpConfig& config) {
  if (is_loopback(config.address)) return {};
  if (config.token.size() >= kTokenBytesMin) return {};
  return {Code::kConfig,
          fmt::format("http.address: '{}' can be reached from other machines, so http.token must "
                      "be set to a secret of at least {} characters (for example from `openssl "
                      "rand -base64 24`); or keep http.address at 127.0.0.1",
                      config.address, kTokenBytesMin)};
}

Guard::Guard(const HttpConfig& config, std::uint16_t port)
    : literals_allowed_(!is_loopback(config.address)), token_(config.token) {
  for (const std::string_view host : {"localhost", "127.0.0.1", "[::1]"}) {
    hosts_.push_back(fmt::format("{}:{}", host, port));
    if (port == kDefaultHttpPort) hosts_.emplace_back(host);
  }
  if (is_loopback(config.address) && config.address.substr(0, 4) == "127.") {
    hosts_.push_back(fmt::format("{}:{}", config.address, port));  // such as 127.0.0.2
  }
  for (const std::string& name : config.allowed_hosts) {
    const bool with_port = without_port(name) != name;
    (with_port ? hosts_ : names_).push_back(lower(name));
  }
}

bool Guard::host_allowed(std::string_view raw) const {
  const std::string host = lower(raw);
  const auto holds = [](const std::vector<std::string>& list, std::string_view text) {
    return std::find(list.begin(), list.end(), text) != list.end();
  };
  if (host.empty()) return false;
  return holds(hosts_, host) || holds(names_, without_port(host)) ||
         (literals_allowed_ && is_ip_literal(host));
}

std::optional<Reply> Guard::judge(const Head& head, std::string_view path) const {
  if (auto refusal = judge_host(head)) return refusal;
  if (auto refusal = judge_token(head)) return refusal;
  if (auto refusal = judge_framing(head)) return refusal;
  return judge_origin(head, path);
}

std::optional<Reply> Guard::judge_host(const Head& head) const {
  if (head.count("host") > 1) {
    return problem(400, "Bad Request", "The request has more than one Host header.");
  }
  // An absolute-form target is for proxies, and would be a second, contradicting host.
  if (!host_allowed(head.value("host")) || head.target.front() != '/') {
    return problem(421, "Misdirected Request",
                   "This server does not answer to the host name in this request. Open it by "
                   "localhost and its port, or add the name to http.allowed_hosts.");
  }
  return std::nullopt;
}

std::optional<Reply> Guard::judge_token(const Head& head) const {
  if (token_.empty()) return std::nullopt;
  if (head.count("authorization") == 1 &&
      equal_in_constant_time(secret_of(head.value("authorization")), token_)) {
    return std::nullopt;
  }
  Reply reply = problem(401, "Unauthorized",
                        "Send the configured token as 'Authorization: Bearer TOKEN', or as the "
                        "password when the browser asks for one.");
  reply.headers.emplace_back("WWW-Authenticate", "Basic realm=\"RetailPulse\", charset=\"UTF-8\"");
  return reply;
}

std::optional<Reply> Guard::judge_framing(const Head& head) const {
  if (head.method != "GET" && head.method != "HEAD" && head.method != "POST") {
    return method_not_allowed();
  }
  if (head.count("transfer-encoding") > 0) {
    return problem(411, "Length Required", "Requests with Transfer-Encoding are not taken.");
  }
  if (head.count("content-encoding") > 0) {
    return problem(415, "Unsupported Media Type", "Encoded request bodies are not taken.");
  }
  if (starts_with_ignoring_case(head.value("content-type"), "multipart/")) {
    return problem(415, "Unsupported Media Type", "Multipart request bodies are not taken.");
  }
  if (head.count("upgrade") > 0 || head.count("expect") > 0) {
    return problem(417, "Expectation Failed", "Neither Expect nor Upgrade is supported.");
  }
  const auto length = body_length(head);
  if (!length) {
    return problem(413, "Content Too Large",
                   fmt::format("A request body may have at most {} bytes, given by one plain "
                               "Content-Length.",
                               kBodyBytesMax));
  }
  if (*length > 0 && head.method != "POST") {
    return problem(400, "Bad Request", "GET and HEAD requests have no body here.");
  }
  return std::nullopt;
}

std::optional<Reply> Guard::judge_origin(const Head& head, std::string_view path) const {
  const bool writes = head.method == "POST";
  if (!writes && !is_api(path)) return std::nullopt;
  const std::string_view site = head.value("sec-fetch-site");
  const std::string_view origin = head.value("origin");
  const std::size_t scheme = origin.find("://");
  const bool own_origin = origin.empty() ||
                          (scheme != std::string_view::npos &&
                           lower(origin.substr(scheme + 3)) == lower(head.value("host")));
  const bool own_site = site.empty() || site == "same-origin" || site == "none";
  if (head.count("sec-fetch-site") > 1 || head.count("origin") > 1 || !own_site || !own_origin) {
    return problem(403, "Forbidden", "Requests from pages of other sites are not answered.");
  }
  if (!writes) return std::nullopt;
  // A page of another site can send a header of its own only after a preflight, which fails here.
  if (head.count("x-retailpulse") == 0) {
    return problem(403, "Forbidden", "A POST needs the header 'X-RetailPulse: 1'.");
  }
  std::string_view type = head.value("content-type");
  type = type.substr(0, type.find_first_of("; "));
  if (lower(type) != "application/json") {
    return problem(415, "Unsupported Media Type", "A POST needs Content-Type application/json.");
  }
  return std::nullopt;
}

std::optional<std::size_t> body_length(const Head& head) {
  if (head.count("content-length") == 0) return 0;
  const std::string_view text = head.value("content-length");
  if (head.count("content-length") > 1 || text.empty() || text.size() > 9 ||
      text.find_first_not_of("0123456789") != std::string_view::npos) {
    return std::nullopt;
  }
  std::size_t length = 0;
  for (const char c : text) length = length * 10 + static_cast<std::size_t>(c - '0');
  return length <= kBodyBytesMax ? std::optional(length) : std::nullopt;
}

}  // namespace retailpulse
