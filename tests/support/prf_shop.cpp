#include "support/prf_shop.h"

#include <array>

#include <fmt/format.h>

#include <retailpulse/window.h>

#include "support/event_builder.h"

namespace retailpulse::testing {
namespace {

constexpr std::int64_t kHourUs = 3'600'000'000;
constexpr std::int64_t kFutureSkewUs = kHourUs;  // the configuration's default
// Of a hundred records the roles have so many, and their event times are so far apart.
constexpr std::array<std::uint64_t, 4> kShare{50, 8, 12, 30};
constexpr std::int64_t kHundredUs = 600 * kSecondUs;  // shop time of a hundred records

std::uint64_t mixed(std::uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

// The dice of one record: the same throws whenever it is asked for.
class Dice {
 public:
  Dice(std::uint64_t seed, std::uint32_t slot, Offset i)
      : state_(mixed(mixed(mixed(seed) ^ slot) ^ static_cast<std::uint64_t>(i))) {}
  std::uint64_t bits() { return state_ = mixed(state_); }
  std::uint64_t below(std::uint64_t n) { return bits() % n; }
  bool chance(std::uint64_t of_thousand) { return below(1000) < of_thousand; }
  std::string text(const char* stem, std::uint64_t n) { return stem + std::to_string(below(n)); }

 private:
  std::uint64_t state_;
};

std::string decimal(std::int64_t scaled, int digits) {
  std::int64_t one = 1;
  for (int i = 0; i < digits; ++i) one *= 10;
  return fmt::format("{}.{:0{}}", scaled / one, scaled % one, digits);
}

// Writes one record as fact and as JSON at the same time.
class Writer {
 public:
  Writer(std::uint64_t seed, std::uint32_t slot, Role role, Offset i)
      : dice_(seed, slot, i), role_(role), slot_(slot), i_(i) {
    const std::int64_t begin = to_us(utc("2026-03-28 12:00:00"));  // over a day of 23 hours
    const auto per_hundred = kShare[static_cast<std::size_t>(role)];
    const std::int64_t step = kHundredUs / static_cast<std::int64_t>(per_hundred);
    now_us_ = begin + i * step + below(step);
    out_.record_ms = now_us_ / 1000;
    out_.fact.partition = slot;
    out_.fact.offset = i;
  }

  // How far back the record is that this one is a copy of; 0: it is none.
  Offset copy_of() { return dice_.chance(50) ? 1 + static_cast<Offset>(dice_.below(40)) : 0; }

  PrfRecord fresh() {
    if (dice_.chance(10)) return bad();
    out_.fact.time = moment();
    switch (role_) {
      case Role::kTransactions: transaction(); break;
      case Role::kListings: listing(); break;
      case Role::kFeedback: feedback(); break;
      case Role::kInteractions: interaction(); break;
    }
    out_.value = fmt::format("{{{}\"timestamp\":{}}}", json_, to_us(out_.fact.time));
    return std::move(out_);
  }

  [[nodiscard]] std::int64_t record_ms() const { return out_.record_ms; }

 private:
  std::int64_t below(std::int64_t n) {
    return static_cast<std::int64_t>(dice_.below(static_cast<std::uint64_t>(n)));
  }

  EventTime moment() {
    const std::uint64_t kind = dice_.below(1000);
    if (kind < 1) return from_us(now_us_ + 2 * kHourUs + below(48 * kHourUs));
    if (kind < 256) return from_us(now_us_ - below(kHourUs / 6));
    if (kind < 296) return from_us(now_us_ - below(3 * kHourUs));
    // Not a listing: what it then changes depends on which minutes had been pruned when it came.
    ancient_ = kind < 301 && role_ != Role::kListings;
    return from_us(ancient_ ? now_us_ - below(20 * 24 * kHourUs) : now_us_);
  }

  PrfRecord bad() {
    Fact& fact = out_.fact;
    fact.bucket = Bucket::kRejected;
    fact.time = from_us(now_us_);
    switch (dice_.below(5)) {
      case 0: fact.reason = Reason::kNullValue; out_.tombstone = true; break;
      case 1: fact.reason = Reason::kEmptyValue; break;
      case 2: fact.reason = Reason::kTruncated; out_.value = R"({"product_id":"p)"; break;
      case 3: fact.reason = Reason::kMissingField; out_.value = R"({"user_id":"u1"})"; break;
      default:
        fact.reason = Reason::kTimeOutOfRange;
        out_.value = R"({"product_id":"p1","type":"view","rating":5,"amount":1,)"
                     R"("timestamp":"1999-12-31T23:59:59Z"})";
    }
    return std::move(out_);
  }

  void put(const char* name, const std::string& text) {
    if (!text.empty()) json_ += fmt::format("\"{}\":\"{}\",", name, text);
  }
  void identify(const char* name, std::uint64_t of_thousand) {
    if (dice_.chance(of_thousand)) out_.fact.id = fmt::format("{}-{}", slot_, i_);
    put(name, out_.fact.id);
    if (dice_.chance(700)) out_.fact.visitor = dice_.text("u", 500);
    put("user_id", out_.fact.visitor);
  }

  void transaction() {
    Fact& fact = out_.fact;
    const std::uint64_t op = dice_.below(100);
    fact.kind = op < 85 ? EventKind::kSale : op < 95 ? EventKind::kRefund : EventKind::kCancel;
    fact.type = op < 85 ? "sale" : op < 95 ? "refund" : "cancel";
    put("op", fact.type);
    identify("transaction_id", 900);
    // What is weeks late stands alone: a pane that is gone can take no more than a plain sum.
    const bool items = !ancient_ && dice_.chance(150);
    // Neighbours of all partitions share orders.
    if (!ancient_ && dice_.chance(300)) {
      fact.order = fmt::format("o{}-{}", i_ / 8, dice_.below(3));
      put("order_id", fact.order);
    }
    const std::string currency = dice_.chance(800) ? "EUR" : dice_.chance(700) ? "USD" : "JPY";
    put("currency", currency);
    const std::uint64_t lines = items ? 1 + dice_.below(4) : 1;
    std::string all;
    for (std::uint64_t n = 0; n < lines; ++n) all += (n == 0 ? "{" : ",{") + line(currency) + "}";
    json_ += items ? fmt::format("\"items\":[{}],", all) : all.substr(1, all.size() - 2) + ",";
    if (fact.order.empty() && lines > 1) {  // as the decoder has it: the record is the order
      fact.order = fact.id.empty() ? fmt::format("record {} {}", slot_, i_) : fact.id;
    }
  }

  std::string line(const std::string& currency) {
    FactLine line;
    line.currency = currency;
    line.product = dice_.text("p", 150);
    if (ancient_ || dice_.chance(300)) line.category = dice_.text("c", 5);
    line.amount_micros = below(std::int64_t{1} << 31) * 10'000 + below(10'000);
    line.quantity_milli = i_ * 1000 + below(1000);
    std::string text = fmt::format(R"("product_id":"{}","amount":{},"quantity":{})", line.product,
                                   decimal(line.amount_micros, 6), decimal(line.quantity_milli, 3));
    if (!line.category.empty()) text += fmt::format(",\"category\":\"{}\"", line.category);
    out_.fact.lines.push_back(std::move(line));
    return text;
  }

  void listing() {
    Fact& fact = out_.fact;
    fact.kind = EventKind::kListing;
    fact.type = "listing";
    fact.product = dice_.text("p", 150);
    fact.currency = "EUR";
    fact.deleted = dice_.chance(100);
    fact.name = dice_.text("name ", 1000);
    if (dice_.chance(800)) fact.category = dice_.text("c", 5);
    if (dice_.chance(800)) {
      fact.price_micros = static_cast<std::int64_t>(dice_.below(100'000'000));
      json_ += fmt::format("\"price\":{},", decimal(*fact.price_micros, 6));
    }
    put("product_id", fact.product);
    put("name", fact.name);
    put("category", fact.category);
    put("currency", fact.currency);
    if (fact.deleted) put("op", "delete");
  }

  void feedback() {
    Fact& fact = out_.fact;
    fact.kind = EventKind::kFeedback;
    fact.type = "rating";
    identify("feedback_id", 900);
    fact.product = dice_.text("p", 150);
    put("product_id", fact.product);
    fact.rating_milli = 1000 + static_cast<std::int32_t>(dice_.below(4001));
    json_ += fmt::format("\"rating\":{},", decimal(fact.rating_milli, 3));
  }

  void interaction() {
    static constexpr std::array<const char*, 4> kTypes{"view", "click", "search", "cart_add"};
    Fact& fact = out_.fact;
    fact.type = kTypes[dice_.below(kTypes.size())];
    put("type", fact.type);
    identify("interaction_id", 800);
    if (dice_.chance(700)) put("product_id", fact.product = dice_.text("p", 150));
  }

  Dice dice_;
  Role role_;
  std::uint32_t slot_;
  Offset i_;
  std::int64_t now_us_ = 0;
  bool ancient_ = false;
  PrfRecord out_;
  std::string json_;
};

}  // namespace

std::uint64_t PrfShop::share(std::uint32_t slot, std::uint64_t n) const {
  return n * kShare[static_cast<std::size_t>(role(slot))] / 100 / partitions_;
}

PrfRecord PrfShop::record(std::uint32_t slot, Offset i) const {
  Writer writer(seed_, slot, role(slot), i);
  const Offset back = writer.copy_of();
  PrfRecord out = back > 0 && back <= i ? record(slot, i - back) : writer.fresh();
  out.fact.offset = i;
  out.record_ms = writer.record_ms();
  // An order that nobody named is told by its record.
  if (out.fact.order.rfind("record ", 0) == 0) {
    out.fact.order = fmt::format("record {} {}", slot, i);
  }
  out.fact.future = to_us(out.fact.time) - kFutureSkewUs > out.record_ms * 1000;
  return out;
}

}  // namespace retailpulse::testing
