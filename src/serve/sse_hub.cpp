#include "serve/sse_hub.h"

#include <algorithm>
#include <exception>

#include <fmt/format.h>

#include "base/log.h"

namespace retailpulse {

// The frames of one scope. All members are guarded by the hub's mutex, but for `scope`.
struct SseHub::Subscription::Channel {
  explicit Channel(Scope looked_at) : scope(std::move(looked_at)) {}
  const Scope scope;
  std::uint64_t clients = 0;
  std::uint64_t number = 0;                          // of the latest frame; 0: none yet
  std::uint64_t base = 0;                            // of its delta
  std::shared_ptr<const std::string> snapshot_event;  // as written to the socket
  std::shared_ptr<const std::string> delta_event;     // null: there is none
  bool asking = false;                               // somebody is in FrameSource::next
  Duration ask_at{};                                 // not before this moment
};

namespace {

constexpr std::size_t kScopeBytesMax = 16;

// `data` is one line; a line break in it would end the field, so such a text is not sent.
std::shared_ptr<const std::string> make_event(std::string_view kind, std::string_view boot,
                                              std::uint64_t number,
                                              const std::shared_ptr<const std::string>& data) {
  if (data == nullptr || data->find_first_of("\r\n") != std::string::npos) return nullptr;
  return std::make_shared<const std::string>(
      fmt::format("event: {}\nid: {}-{}\ndata: {}\n\n", kind, boot, number, *data));
}

bool is_scope_text(std::string_view text) {
  constexpr std::string_view kSymbols = "(). _-";
  return text.size() <= kScopeBytesMax && std::all_of(text.begin(), text.end(), [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                  kSymbols.find(c) != std::string_view::npos;
         });
}

}  // namespace

SseHub::SseHub(FrameSource& source, const SseLimits& limits, HttpMetrics& metrics,
               const Clock& clock)
    : source_(source),
      limits_(limits),
      metrics_(metrics),
      clock_(clock),
      beat_(std::make_shared<const std::string>(": beat\n\n")) {}

std::unique_ptr<SseHub::Subscription> SseHub::join(const Scope& scope) {
  const Duration now = clock_.monotonic();
  const MutexLock lock(mutex_);
  if (clients_ >= limits_.clients_max) return nullptr;
  ++clients_;
  metrics_.sse_clients.set(clients_);
  std::shared_ptr<Channel>& channel = channels_[scope];
  if (channel == nullptr) channel = std::make_shared<Channel>(scope);
  ++channel->clients;
  return std::unique_ptr<Subscription>(new Subscription(*this, channel, now));
}

void SseHub::leave(const std::shared_ptr<Channel>& channel) {
  const MutexLock lock(mutex_);
  --clients_;
  metrics_.sse_clients.set(clients_);
  if (--channel->clients == 0) channels_.erase(channel->scope);
}

void SseHub::stop() {
  stopping_.store(true, std::memory_order_release);
  news_.raise();
}

Frame SseHub::ask(const Channel& channel, std::uint64_t after, Duration patience) {
  try {
    return source_.next(channel.scope, after, patience);
  } catch (const std::exception& error) {
    log(LogLevel::kError, "http", "a frame could not be made", {{"error", error.what()}});
    return {};
  }
}

void SseHub::produce(Channel& channel, Duration patience) {
  std::uint64_t after = 0;
  {
    const MutexLock lock(mutex_);
    after = channel.number;
  }
  const Frame frame = ask(channel, after, patience);
  const auto snapshot = make_event("snapshot", source_.boot(), frame.number, frame.snapshot);
  const auto delta = make_event("delta", source_.boot(), frame.number, frame.delta);
  {
    const MutexLock lock(mutex_);
    channel.asking = false;
    channel.ask_at = clock_.monotonic() + limits_.frame_gap;
    if (snapshot != nullptr && frame.number > channel.number) {
      channel.number = frame.number;
      channel.base = frame.base;
      channel.snapshot_event = snapshot;
      channel.delta_event = delta;
      metrics_.frames.add();
    }
  }
  news_.raise();
}

SseHub::Subscription::Subscription(SseHub& hub, std::shared_ptr<Channel> channel, Duration now)
    : hub_(hub), channel_(std::move(channel)), heartbeat_at_(now + hub.limits_.heartbeat) {}

SseHub::Subscription::~Subscription() { hub_.leave(channel_); }

std::shared_ptr<const std::string> SseHub::Subscription::take() {
  const MutexLock lock(hub_.mutex_);
  if (channel_->number <= sent_) return nullptr;
  heartbeat_at_ = hub_.clock_.monotonic() + hub_.limits_.heartbeat;
  const bool follows = sent_ != 0 && sent_ == channel_->base && channel_->delta_event != nullptr;
  sent_ = channel_->number;
  return follows ? channel_->delta_event : channel_->snapshot_event;
}

SseHub::Subscription::Chunk SseHub::Subscription::next() {
  const std::uint32_t seen = hub_.news_.epoch();  // before looking: no lost wake-up
  if (hub_.stopping_.load(std::memory_order_acquire)) return {.text = nullptr, .over = true};
  const Duration now = hub_.clock_.monotonic();
  if (auto text = take()) return {.text = std::move(text), .over = false};
  if (now >= heartbeat_at_) {
    heartbeat_at_ = now + hub_.limits_.heartbeat;
    return {.text = hub_.beat_, .over = false};
  }
  Duration patience = std::min(hub_.limits_.slice, heartbeat_at_ - now);
  bool ours = false;
  {
    const MutexLock lock(hub_.mutex_);
    if (!channel_->asking && now >= channel_->ask_at) {
      ours = channel_->asking = true;
    } else if (!channel_->asking) {
      patience = std::min(patience, channel_->ask_at - now);
    }
  }
  if (ours) {
    hub_.produce(*channel_, patience);
  } else {
    hub_.news_.wait(seen, patience);
  }
  return {.text = take(), .over = false};
}

std::optional<Scope> scope_of(const Request& request) {
  Scope scope{std::string(query_value(request, "currency")),
              std::string(query_value(request, "range"))};
  if (!is_scope_text(scope.currency) || !is_scope_text(scope.range)) return std::nullopt;
  return scope;
}

}  // namespace retailpulse
