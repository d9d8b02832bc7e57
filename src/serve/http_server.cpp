#include "serve/http_server.h"

#include <sys/resource.h>

#include <algorithm>
#include <exception>

#include <fmt/format.h>
#include <httplib.h>

#include "base/log.h"
#include "serve/acceptor.h"
#include "serve/content_coding.h"
#include "serve/guard.h"
#include "serve/head.h"
#include "serve/socket.h"

namespace retailpulse {
namespace {

constexpr std::size_t kRequestsPerConnection = 10'000;
constexpr Duration kBodyLimit = std::chrono::seconds{5};
constexpr rlim_t kFilesOfOthers = 80;  // Kafka, store, listening, what the libraries hold
constexpr rlim_t kFilesEach = 3;       // the socket, and the store's files while it is answered
constexpr rlim_t kConnectionsMin = 8;
constexpr int kStreamSendBuffer = 128 * 1024;  // what the kernel holds for a page that stalls
constexpr std::string_view kRetry = "retry: 2000\n\n";

const httplib::Headers& security_headers() {
  static const httplib::Headers kHeaders{
      {"Content-Security-Policy",
       "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
       "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
       "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"},
      {"X-Content-Type-Options", "nosniff"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
  };
  return kHeaders;
}

// One request on its way through the library: what to ask and where to write.
struct Exchange {
  Connection& connection;
  Request request;
  std::optional<Reply> ready;  // decided already, for example a refusal
  bool stream = false;         // the answer is an event stream, which ends the connection
};

// Set for the time of one process_request() call on the thread that makes it.
thread_local Exchange* current = nullptr;

// What the library reads from and writes to: the head that we made up, then the connection.
// The versions of the library differ in which of these are virtual, hence no `override`.
class ExchangeStream : public httplib::Stream {
 public:
  ExchangeStream(Connection& connection, std::string head)
      : connection_(connection), head_(std::move(head)) {}

  bool is_readable() const { return taken_ < head_.size(); }
  bool is_writable() const { return true; }
  bool wait_readable() const { return is_readable(); }
  bool wait_writable() const { return true; }
  bool is_peer_alive() const { return true; }
  time_t duration() const { return 0; }

  ssize_t read(char* out, std::size_t size) {
    const std::size_t count = std::min(size, head_.size() - taken_);
    head_.copy(out, count, taken_);
    taken_ += count;
    return static_cast<ssize_t>(count);
  }
  ssize_t write(const char* bytes, std::size_t size) {
    return connection_.write({bytes, size}) ? static_cast<ssize_t>(size) : -1;
  }
  // Nothing of ours asks the library who is there.
  void get_remote_ip_and_port(std::string& ip, int& port) const { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const { ip.clear(), port = 0; }
  socket_t socket() const { return INVALID_SOCKET; }

 private:
  Connection& connection_;
  const std::string head_;
  std::size_t taken_ = 0;
};

class Library : public httplib::Server {
 public:
  explicit Library(HandlerWithResponse hook) {
    set_default_headers(security_headers());
    set_pre_routing_handler(std::move(hook));
    set_exception_handler([](const auto&, auto& response, std::exception_ptr) {
      response.status = 500;  // answer() has caught what handlers throw; this tells nothing
    });
    set_post_routing_handler([](const auto&, auto& response) {
      response.headers.erase("Keep-Alive");
      response.headers.erase("Accept-Ranges");
      if (response.status == 204 || response.status == 304) {
        response.headers.erase("Content-Length");
      }
    });
    svr_sock_ = 0;  // only compared with INVALID_SOCKET, which would mean "stopping"
  }
  ~Library() override { svr_sock_ = INVALID_SOCKET; }

  // Runs one request; false when its answer could not be written whole.
  bool run(Exchange& exchange, std::string_view method, bool close) {
    ExchangeStream stream(exchange.connection, fmt::format("{} / HTTP/1.1\r\n{}\r\n", method,
                                                           close ? "Connection: close\r\n" : ""));
    current = &exchange;
    const bool written = process(*this, stream, close) && exchange.connection.flush();
    current = nullptr;
    return written;
  }

 private:
  // process_request() got the addresses as arguments in a later version.
  template <class Self>
  static bool process(Self& self, httplib::Stream& stream, bool close) {
    bool closed = false;
    if constexpr (requires { self.process_request(stream, close, closed, nullptr); }) {
      return self.process_request(stream, close, closed, nullptr);
    } else {
      return self.process_request(stream, "", 0, "", 0, close, closed, nullptr);
    }
  }
};

// A value with a control character would end the header; none of ours has one.
bool is_clean(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

void set_header(httplib::Response& response, const std::string& name, const std::string& value) {
  if (!value.empty() && is_clean(name) && is_clean(value)) response.set_header(name, value);
}

// Never set_content(): the library would compress such a body by itself, a second time.
void render(const Reply& reply, httplib::Response& response) {
  response.status = reply.status;
  set_header(response, "ETag", reply.etag);
  set_header(response, "Cache-Control", reply.cache_control);
  if (reply.content_encoding != "identity") {
    set_header(response, "Content-Encoding", reply.content_encoding);
  }
  for (const auto& [name, value] : reply.headers) set_header(response, name, value);
  if (reply.body == nullptr || reply.body->empty()) return;
  response.set_content_provider(
      reply.body->size(), is_clean(reply.content_type) ? reply.content_type : "text/plain",
      [body = reply.body](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
        sink.write(body->data() + offset, length);
        return true;
      });
}

Reply refusal_for(int status) {
  switch (status) {
    case 408: return problem(408, "Request Timeout", "The request did not arrive in time.");
    case 414: return problem(414, "URI Too Long", "Path or query are longer than is taken here.");
    case 431: return problem(431, "Request Header Fields Too Large",
                             "The request has too many or too long headers.");
    case 505: return problem(505, "HTTP Version Not Supported", "HTTP/1.1 is spoken here.");
    default: return problem(400, "Bad Request", "The request is not well-formed.");
  }
}

bool wants_close(const Head& head) {
  if (head.minor == 0) return true;
  bool close = false;
  for_each_element(head.value("connection"), [&](std::string_view option) {
    close = close || option == "close" || option == "Close";
  });
  return close;
}

// The bound address as a browser wants it; this machine's own when it is all of them.
std::string host_to_show(const std::string& address) {
  if (is_loopback(address) || address == "0.0.0.0" || address == "::" || address == "[::]") {
    return "127.0.0.1";
  }
  const bool bare_v6 = address.find(':') != std::string::npos && address.front() != '[';
  return bare_v6 ? "[" + address + "]" : address;
}

// Connections, each with an answer's reading of the store, must leave descriptors for Kafka and for
// the store: who asks too much of the page must not stop the counting.
std::uint32_t connections_that_fit(const HttpConfig& config) {
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0 || files.rlim_cur == RLIM_INFINITY) {
    return config.connections_max;
  }
  const auto free = files.rlim_cur > kFilesOfOthers ? files.rlim_cur - kFilesOfOthers : 0;
  const auto fit = std::clamp<rlim_t>(free / kFilesEach, kConnectionsMin, 1'000'000);
  if (fit >= config.connections_max) return config.connections_max;
  log(LogLevel::kWarning, "http", "fewer connections are taken: too few file descriptors",
      {{"connections", std::to_string(fit)}, {"descriptors", std::to_string(files.rlim_cur)}});
  return static_cast<std::uint32_t>(fit);
}

Request make_request(const Head& head, Target target) {
  Request request;
  request.method = head.method;
  request.path = std::move(target.path);
  request.query = std::move(target.query);
  request.accept = head.value("accept");
  request.accept_encoding = head.value("accept-encoding");
  request.if_none_match = head.value("if-none-match");
  request.last_event_id = head.value("last-event-id");
  return request;
}

}  // namespace

struct HttpServer::Parts {
  Parts(const HttpConfig& config, Listener listener, FrameSource& frames, HttpMetrics& http_metrics,
        const Clock& the_clock, const HttpTimes& the_times)
      : shown_host(host_to_show(config.address)),
        metrics(http_metrics),
        clock(the_clock),
        times(the_times),
        guard(config, listener.port()),
        hub(frames, limits_of(config, the_times), http_metrics, the_clock),
        library([this](const httplib::Request&, httplib::Response& response) {
          respond(*current, response);
          return httplib::Server::HandlerResponse::Handled;
        }),
        acceptor(std::move(listener), connections_that_fit(config),
                 [this](Connection& connection) { serve(connection); }, the_clock) {}

  static SseLimits limits_of(const HttpConfig& config, const HttpTimes& times) {
    SseLimits limits = times.sse;
    limits.clients_max = config.sse_clients_max;
    return limits;
  }

  // All requests of one connection.
  void serve(Connection& connection);
  // One request; false when the connection is to be closed.
  bool serve_one(Connection& connection, bool last);
  bool refuse(Connection& connection, const Head* head, Reply reply);
  // Inside the library: finds the answer and hands it over.
  void respond(Exchange& exchange, httplib::Response& response);
  [[nodiscard]] Reply answer(Request& request) const;
  void open_stream(Exchange& exchange, httplib::Response& response);

  const std::string shown_host;
  HttpMetrics& metrics;
  const Clock& clock;
  const HttpTimes times;
  const Guard guard;
  Router router;
  SseHub hub;
  Library library;
  Acceptor acceptor;
};

void HttpServer::Parts::serve(Connection& connection) {
  for (std::size_t i = 1; i <= kRequestsPerConnection; ++i) {
    if (!serve_one(connection, i == kRequestsPerConnection)) return;
  }
}

bool HttpServer::Parts::serve_one(Connection& connection, bool last) {
  std::string bytes;
  const Duration idle = acceptor.crowded() ? times.idle_crowded : times.idle;
  switch (connection.read_head(idle, times.head, bytes)) {
    case Connection::HeadResult::kClosed: return false;
    case Connection::HeadResult::kTimeout: return refuse(connection, nullptr, refusal_for(408));
    case Connection::HeadResult::kTooLarge: return refuse(connection, nullptr, refusal_for(431));
    case Connection::HeadResult::kHead: break;
  }
  const Duration begin = clock.monotonic();
  int status = 400;
  const std::optional<Head> head = parse_head(bytes, status);
  if (!head) return refuse(connection, nullptr, refusal_for(status));
  std::optional<Target> target = parse_target(head->target, status);
  if (auto refusal = guard.judge(*head, target ? std::string_view(target->path) : "")) {
    return refuse(connection, &*head, std::move(*refusal));
  }
  if (!target) return refuse(connection, &*head, refusal_for(status));

  Exchange exchange{connection, make_request(*head, std::move(*target)), std::nullopt};
  const std::size_t length = body_length(*head).value_or(0);
  if (length > 0 && !connection.read_body(length, kBodyLimit, exchange.request.body)) {
    return refuse(connection, &*head, refusal_for(408));
  }
  const bool close = last || wants_close(*head);
  metrics.requests.add();
  const bool written = library.run(exchange, head->method == "HEAD" ? "HEAD" : "GET", close);
  if (!exchange.stream) metrics.took.record(clock.monotonic() - begin);
  if (written && close && !exchange.stream) connection.close_gently();
  return written && !close && !exchange.stream;
}

bool HttpServer::Parts::refuse(Connection& connection, const Head* head, Reply reply) {
  metrics.refused.add();
  Exchange exchange{connection, {}, std::move(reply)};
  const bool bodyless = head != nullptr && head->method == "HEAD";
  if (library.run(exchange, bodyless ? "HEAD" : "GET", true)) connection.close_gently();
  return false;
}

Reply HttpServer::Parts::answer(Request& request) const {
  try {
    Reply reply = router.answer(request);
    negotiate(request, reply);
    return reply;
  } catch (const std::exception& error) {
    log(LogLevel::kError, "http", "a handler failed",
        {{"path", request.path}, {"error", error.what()}});
    return problem(500, "Internal Server Error", "The server log has the reason.");
  }
}

void HttpServer::Parts::respond(Exchange& exchange, httplib::Response& response) {
  if (exchange.ready) {
    render(*exchange.ready, response);
  } else if (exchange.request.path == kStreamPath && exchange.request.method == "GET") {
    open_stream(exchange, response);
  } else {
    render(answer(exchange.request), response);
  }
}

void HttpServer::Parts::open_stream(Exchange& exchange, httplib::Response& response) {
  const std::optional<Scope> scope = scope_of(exchange.request);
  if (!scope) {
    return render(problem(400, "Bad Request", "currency or range are no words of this API."),
                  response);
  }
  std::shared_ptr<SseHub::Subscription> subscription = hub.join(*scope);
  if (subscription == nullptr) {  // tells EventSource to give up; the page then polls
    metrics.refused.add();
    Reply full;
    full.status = 204;
    return render(full, response);
  }
  exchange.stream = true;
  response.status = 200;
  response.set_header("Cache-Control", "no-store");
  response.set_header("X-Accel-Buffering", "no");
  response.set_header("Connection", "close");
  Connection& connection = exchange.connection;
  connection.set_send_buffer(kStreamSendBuffer);
  connection.set_write_limit(times.stream_write);
  response.set_content_provider(
      "text/event-stream",
      [&connection, subscription](std::size_t offset, httplib::DataSink& sink) {
        if (offset == 0) sink.write(kRetry.data(), kRetry.size());
        if (!connection.flush()) return false;
        const SseHub::Subscription::Chunk chunk = subscription->next();
        if (chunk.over) {
          sink.done();
        } else if (chunk.text != nullptr) {
          return sink.write(chunk.text->data(), chunk.text->size()) && connection.flush();
        }
        return !connection.peer_gone();
      });
}

HttpServer::HttpServer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}

HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::open(const HttpConfig& config, FrameSource& frames,
                                                     HttpMetrics& metrics, const Clock& clock,
                                                     const HttpTimes& times) {
  if (Status exposed = check_exposure(config); !exposed.ok()) return exposed;
  Result<Listener> listener = Listener::open(config);
  if (!listener.ok()) return listener.status();
  if (!is_loopback(config.address)) {
    log(LogLevel::kWarning, "http",
        "other machines can reach this port, and token and numbers travel unencrypted: put a proxy "
        "with TLS in front of it",
        {{"address", config.address}});
  }
  return std::unique_ptr<HttpServer>(new HttpServer(std::make_unique<Parts>(
      config, std::move(listener).value(), frames, metrics, clock, times)));
}

void HttpServer::start(Router router) {
  parts_->router = std::move(router);
  parts_->router.get(std::string(kStreamPath), [](const Request&) {
    Reply reply;  // of a HEAD; a GET never comes to the router
    reply.content_type = "text/event-stream";
    return reply;
  });
  parts_->acceptor.start();
}

void HttpServer::stop() {
  parts_->hub.stop();
  parts_->acceptor.stop();
}

std::uint16_t HttpServer::port() const { return parts_->acceptor.port(); }

std::string HttpServer::url() const {
  return fmt::format("http://{}:{}/", parts_->shown_host, port());
}

}  // namespace retailpulse
