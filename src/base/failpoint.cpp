#include "base/failpoint.h"

#ifdef RETAILPULSE_FAILPOINTS

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <charconv>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <string>
#include <thread>

namespace retailpulse {
inline namespace with_failpoints {
namespace {

// "NAME:NUMBER", and how often the name came up.
struct Counter {
  std::string name;
  std::uint64_t number = 0;
  std::atomic<std::uint64_t> hits{0};  // relaxed: any order of hits is as good as another
};

std::string_view variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::string_view() : std::string_view(text);
}

void parse(std::string_view text, Counter& into) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return;
  into.name = text.substr(0, colon);
  std::from_chars(text.data() + colon + 1, text.data() + text.size(), into.number);
}

// What the environment asks for; read once.
struct Wishes {
  Counter at;
  Counter stall;
  std::deque<Counter> faults;
  Counter yield;       // name: the seed
  std::string_view plant = variable("FAILPOINT_PLANT");

  Wishes() {
    parse(variable("FAILPOINT_AT"), at);
    parse(variable("FAILPOINT_STALL"), stall);
    parse(variable("FAILPOINT_YIELD"), yield);
    for (std::string_view rest = variable("FAILPOINT_FAULT"); !rest.empty();) {
      const auto comma = std::min(rest.find(','), rest.size());
      parse(rest.substr(0, comma), faults.emplace_back());
      rest.remove_prefix(std::min(comma + 1, rest.size()));
    }
  }
};

Wishes& wishes() {
  static Wishes all;
  return all;
}

// Each thread has its own dice, so that a seed shakes the threads against each other.
std::uint64_t dice(const std::string& seed) {
  static std::atomic<std::uint64_t> threads{0};
  thread_local std::uint64_t state =
      std::hash<std::string>{}(seed) + 0x9e3779b97f4a7c15ULL * ++threads;
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

// Whether this is the hit that was asked for.
bool meets(Counter& wish, std::string_view name) {
  if (wish.number == 0 || name.substr(0, wish.name.size()) != wish.name) return false;
  return wish.hits.fetch_add(1, std::memory_order_relaxed) + 1 == wish.number;
}

}  // namespace

void failpoint(std::string_view name) {
  Wishes& w = wishes();
  if (w.yield.number > 0 && dice(w.yield.name) % 1000 < w.yield.number) {
    std::this_thread::sleep_for(std::chrono::microseconds{dice(w.yield.name) % 2000});
  }
  if (meets(w.at, name)) kill(getpid(), SIGKILL);
  if (!meets(w.stall, name)) return;
  std::fprintf(stderr, "standing still at %.*s\n", static_cast<int>(name.size()), name.data());
  for (;;) std::this_thread::sleep_for(std::chrono::seconds{1});
}

bool fault(std::string_view name) {
  for (Counter& wish : wishes().faults) {
    if (wish.name != name || wish.number == 0) continue;
    return (wish.hits.fetch_add(1, std::memory_order_relaxed) + 1) % wish.number == 0;
  }
  return false;
}

bool planted(Plant plant) {
  return wishes().plant == kPlantNames.at(static_cast<std::size_t>(plant));
}

}  // namespace with_failpoints
}  // namespace retailpulse

#endif
