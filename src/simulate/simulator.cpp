#include "simulate/simulator.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "base/hash.h"
#include "simulate/dirt.h"
#include "simulate/native_shape.h"
#include "simulate/shop.h"

namespace retailpulse {
namespace {

using simulate::Fact;
using simulate::NativeShape;
using simulate::Random;
using simulate::Shop;

constexpr std::size_t kHeldMax = 1U << 16;
constexpr std::uint64_t kDisorderSeed = 0x5851f42d4c957f2dU;  // its dice are not the shop's

struct Held {
  std::int64_t release_us;
  std::uint64_t sequence;
  std::size_t slot;
};
struct LaterHeld {
  bool operator()(const Held& a, const Held& b) const {
    return a.release_us != b.release_us ? a.release_us > b.release_us : a.sequence > b.sequence;
  }
};

// One partition's count of records and the copies that wait for theirs.
struct Lane {
  struct Copy {
    std::uint64_t at;
    SimRecord record;
  };
  std::uint64_t records = 0;
  std::vector<Copy> copies;  // a handful: 1 % of at most kDuplicateWithin records
};

}  // namespace

struct Simulator::State {
  explicit State(const SimulatorConfig& given)
      : config(given),
        shop(given),
        shape(shop.catalogue()),
        random(given.seed ^ kDisorderSeed),
        lanes(kRoleNames.size() * given.partitions) {}

  void advance();
  void make(const Fact& fact);
  void release_held();
  double draw_delay_s();
  void deliver(SimRecord& record);
  void append(SimRecord& record);
  void plan_copy(Lane& lane, const SimRecord& record);
  void release_copies(Lane& lane);

  SimulatorConfig config;
  Shop shop;
  NativeShape shape;
  Random random;
  std::vector<Lane> lanes;
  std::vector<Fact> facts;
  std::vector<Held> held;               // heap, earliest first
  std::vector<SimRecord> held_records;  // by slot
  std::vector<std::size_t> free_slots;
  std::vector<SimRecord> ready;  // [ready_begin, ready_end) are to be given out
  std::size_t ready_begin = 0;
  std::size_t ready_end = 0;
  std::uint64_t sequence = 0;
  SimRecord draft;
};

Simulator::Simulator(const SimulatorConfig& config) : state_(std::make_unique<State>(config)) {}
Simulator::~Simulator() = default;
Simulator::Simulator(Simulator&&) noexcept = default;
Simulator& Simulator::operator=(Simulator&&) noexcept = default;

const simulate::Catalogue& Simulator::catalogue() const { return state_->shop.catalogue(); }

void Simulator::next(SimRecord& out) {
  State& state = *state_;
  while (state.ready_begin == state.ready_end) state.advance();
  std::swap(out, state.ready[state.ready_begin++]);
}

void Simulator::State::advance() {
  ready_begin = ready_end = 0;
  facts.clear();
  shop.step(facts);
  release_held();
  for (const Fact& fact : facts) make(fact);
}

void Simulator::State::make(const Fact& fact) {
  draft.fact = fact;
  draft.topic = simulate::role_of(fact.kind);
  draft.has_value = true;
  draft.bucket = Bucket::kCounted;
  draft.reason = Reason::kNone;
  const bool listing = fact.kind == EventKind::kListing;
  if (!listing && random.chance(config.future)) {
    draft.fact.time += std::chrono::hours{2 + random.below(9)};
  }
  draft.time = draft.fact.time;
  shape.write_value(draft.fact, draft.value);
  shape.write_key(draft.fact, draft.key);
  draft.partition = static_cast<std::int32_t>(hash64(draft.key) % config.partitions);
  if (random.chance(config.dirt)) {
    draft.bucket = Bucket::kRejected;
    draft.reason =
        simulate::spoil(draft.topic, config.big_record_bytes, random, draft.value, draft.has_value);
  }
  const double delay_s = draw_delay_s();
  if (delay_s <= 0 || held.size() >= kHeldMax) return deliver(draft);
  std::size_t slot = held_records.size();
  if (free_slots.empty()) {
    held_records.emplace_back();
  } else {
    slot = free_slots.back();
    free_slots.pop_back();
  }
  std::swap(held_records[slot], draft);
  held.push_back({shop.now_us() + static_cast<std::int64_t>(delay_s * 1e6), sequence++, slot});
  std::push_heap(held.begin(), held.end(), LaterHeld{});
}

void Simulator::State::release_held() {
  while (!held.empty() && held.front().release_us <= shop.now_us()) {
    std::pop_heap(held.begin(), held.end(), LaterHeld{});
    const std::size_t slot = held.back().slot;
    held.pop_back();
    deliver(held_records[slot]);
    free_slots.push_back(slot);
  }
}

double Simulator::State::draw_delay_s() {
  const double dice = random.unit();
  double bound = config.very_late;
  if (dice < bound) return 3600 * (1 + 5 * random.unit());
  if (dice < (bound += config.late)) return 60 * (1 + 59 * random.unit());
  if (dice < bound + config.out_of_order) return 30 * random.unit();
  return 0;
}

// Takes the record's content; its strings are changed for others to be written into.
void Simulator::State::deliver(SimRecord& record) {
  const auto topic = static_cast<std::size_t>(record.topic);
  Lane& lane = lanes[topic * config.partitions + static_cast<std::size_t>(record.partition)];
  ++lane.records;
  if (record.bucket == Bucket::kCounted && simulate::has_id(record.fact.kind) &&
      random.chance(config.duplicates)) {
    plan_copy(lane, record);
  }
  append(record);
  if (!lane.copies.empty()) release_copies(lane);
}

void Simulator::State::append(SimRecord& record) {
  record.sent = from_us(shop.now_us());
  if (ready_end == ready.size()) ready.emplace_back();
  std::swap(ready[ready_end++], record);
}

void Simulator::State::plan_copy(Lane& lane, const SimRecord& record) {
  // Most retries follow at once. Copies themselves count as records, so some room is left.
  const std::uint64_t reach = random.below(2) == 0 ? 3 : kDuplicateWithin * 9 / 10;
  Lane::Copy& copy = lane.copies.emplace_back();
  copy.at = lane.records + random.below(reach);
  copy.record = record;
  copy.record.bucket = Bucket::kDuplicate;
}

void Simulator::State::release_copies(Lane& lane) {
  for (std::size_t i = 0; i < lane.copies.size();) {
    if (lane.copies[i].at > lane.records) {
      ++i;
      continue;
    }
    ++lane.records;
    append(lane.copies[i].record);
    lane.copies.erase(lane.copies.begin() + static_cast<std::ptrdiff_t>(i));
  }
}

}  // namespace retailpulse
