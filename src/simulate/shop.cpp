#include "simulate/shop.h"

#include <algorithm>
#include <utility>

namespace retailpulse::simulate {
namespace {

constexpr double kSessionsWanted = 15'000;
constexpr double kSessionSeconds = 110;  // about what a session lasts, for sizing only
constexpr double kWarmUpSeconds = 1200;  // before the start nobody looks, but visitors come
constexpr std::uint64_t kUsers = 50'000;
constexpr std::size_t kBrowseQuantiles = 1000;

// Events of a session that only looks: 41 % one, median 2, p75 4, p90 8, p99 21.
std::vector<std::uint32_t> browse_table() {
  struct Knot {
    double share;
    double length;
  };
  static constexpr std::array<Knot, 10> kKnots{{{0.0, 1},
                                                {0.41, 1},
                                                {0.41, 2},
                                                {0.56, 2},
                                                {0.66, 3},
                                                {0.75, 4},
                                                {0.90, 8},
                                                {0.95, 12},
                                                {0.99, 21},
                                                {1.0, 60}}};
  std::vector<std::uint32_t> table(kBrowseQuantiles);
  std::size_t knot = 0;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const double share = static_cast<double>(i) / kBrowseQuantiles;
    while (share >= kKnots[knot + 1].share) ++knot;
    const Knot& a = kKnots[knot];
    const Knot& b = kKnots[knot + 1];
    const double length =
        a.length + (b.length - a.length) * (share - a.share) / (b.share - a.share);
    table[i] = static_cast<std::uint32_t>(length);
  }
  return table;
}

}  // namespace

Shop::Shop(const SimulatorConfig& config)
    : config_(config),
      random_(config.seed),
      catalogue_(config.products, random_),
      popularity_(config.products, 0.66),
      by_rank_(config.products),
      browse_lengths_(browse_table()) {
  for (std::uint32_t i = 0; i < by_rank_.size(); ++i) by_rank_[i] = i;
  for (std::size_t i = by_rank_.size(); i > 1; --i) {
    std::swap(by_rank_[i - 1], by_rank_[random_.below(i)]);
  }
  for (int i = 0; i < 2000; ++i) {  // how many records a session gives, before the first one
    Session session;
    plan(session);
    planned_records_ += planned_records(session);
    planned_sessions_ += 1;
  }
  const double alive = config.rate * planned_sessions_ / planned_records_ * kSessionSeconds;
  pace_ = std::min(1.0, kSessionsWanted / alive);

  now_us_ = to_us(config.start) - static_cast<std::int64_t>(kWarmUpSeconds * pace_ * 1e6);
  schedule_in(0, Kind::kArrival);
  schedule(to_us(config.start), Kind::kFirstListing);
  schedule_in(3600 * random_.exponential() / std::max(1e-9, config.price_changes),
              Kind::kPriceChange);
  schedule_in(3600 * random_.exponential() / std::max(1e-9, config.category_changes),
              Kind::kCategoryChange);
  schedule_in(3600, Kind::kDrift);
  // The first flash sale comes early enough to be seen in a short look.
  schedule(to_us(config.start) + config.flash_every.count() / 4, Kind::kFlashBegin);
  std::vector<Fact> unseen;
  while (due_.front().at_us < to_us(config.start)) {
    unseen.clear();
    step(unseen);
  }
}

void Shop::schedule(std::int64_t at_us, Kind kind, std::uint32_t index) {
  due_.push_back({at_us, sequence_++, kind, index});
  std::push_heap(due_.begin(), due_.end(), Later{});
}

void Shop::schedule_in(double seconds, Kind kind, std::uint32_t index) {
  constexpr double kLongest = 1e9;  // 30 years: never, without overflowing
  schedule(now_us_ + static_cast<std::int64_t>(std::min(seconds, kLongest) * 1e6), kind, index);
}

void Shop::step(std::vector<Fact>& out) {
  std::pop_heap(due_.begin(), due_.end(), Later{});
  const Due due = due_.back();
  due_.pop_back();
  now_us_ = due.at_us;
  handle(due, out);
}

void Shop::handle(const Due& due, std::vector<Fact>& out) {
  switch (due.kind) {
    case Kind::kArrival:
      return arrive(out);
    case Kind::kSession:
      return visit(due.index, out);
    case Kind::kAfterSale:
      return after_sale(due.index, out);
    case Kind::kFirstListing:
      return first_listing(due.index, out);
    case Kind::kLaunchListing:
      return list(due.index, out);
    case Kind::kPriceChange: {
      const auto product = static_cast<std::uint32_t>(random_.below(catalogue_.size()));
      catalogue_.at(product).price_micros +=
          (1 + static_cast<std::int64_t>(random_.below(3))) * kMicrosPerUnit;
      list(product, out);
      return schedule_in(3600 * random_.exponential() / config_.price_changes, Kind::kPriceChange);
    }
    case Kind::kCategoryChange:
      return change_category(out);
    case Kind::kFlashBegin:
      return begin_flash(out);
    case Kind::kFlashEnd:
      return end_flash(out);
    case Kind::kDrift:
      return drift();
  }
}

void Shop::arrive(std::vector<Fact>& out) {
  std::uint32_t index = 0;
  if (free_sessions_.empty()) {
    index = static_cast<std::uint32_t>(sessions_.size());
    sessions_.emplace_back();
  } else {
    index = free_sessions_.back();
    free_sessions_.pop_back();
  }
  Session& session = sessions_[index];
  plan(session);
  planned_records_ += planned_records(session);
  planned_sessions_ += 1;
  visit(index, out);
  const double sessions_per_second =
      config_.rate * traffic() * planned_sessions_ / planned_records_;
  schedule_in(random_.exponential() / sessions_per_second, Kind::kArrival);
}

void Shop::plan(Session& session) {
  session = Session{};
  session.products.fill(kNoProduct);
  session.id = ++next_session_;
  const double skew = random_.unit();  // some customers come often: the square of a uniform
  session.user = random_.chance(0.1) ? 0 : 1 + static_cast<std::uint64_t>(skew * skew * kUsers);
  session.currency = static_cast<std::uint8_t>(random_.pick(std::array{70, 20, 7, 2, 1}));
  session.browse_left = browse_lengths_[random_.below(kBrowseQuantiles)];
  const bool sales_only = config_.mix == SimulatorConfig::Mix::kSales;
  const double conversion = config_.conversion * (1 + flash_level());
  session.buys = sales_only || random_.chance(conversion);
  if (session.buys) {
    if (session.user == 0) session.user = kUsers + session.id;  // a guest gets a number to buy
    session.line_count = static_cast<std::uint8_t>(
        1 + random_.pick(std::array{507, 244, 120, 67, 32, 14, 10, 3, 2, 1, 1, 1, 1, 1}));
    session.checks_out = true;
    session.cart_left = random_.chance(0.3) ? std::uint8_t{0} : session.line_count;
  } else if (random_.chance(0.03)) {  // a cart that is left behind
    session.cart_left = static_cast<std::uint8_t>(1 + random_.below(3));
    session.checks_out = random_.chance(0.4);
    session.sheds = random_.chance(0.3);
  }
  if (random_.chance(flash_level())) {  // they know what they came for, and that it will not last
    session.hurried = true;
    session.browse_left = std::min(session.browse_left, 3U);
  }
  if (sales_only) {
    session.browse_left = session.cart_left = 0;
    session.checks_out = false;
  }
}

std::uint32_t Shop::planned_records(const Session& session) const {
  std::uint32_t records = session.browse_left + session.cart_left + (session.checks_out ? 1 : 0) +
                          (session.sheds ? 1 : 0);
  if (session.buys) records += session.line_count > 1 ? 1U + session.line_count / 2U : 2U;
  return std::max(records, 1U);
}

void Shop::visit(std::uint32_t index, std::vector<Fact>& out) {
  // Gaps between clicks: median 33 s, p90 115 s, p99 377 s.
  if (act(sessions_[index], out)) {
    const double haste = sessions_[index].hurried ? 0.1 : 1.0;
    schedule_in(random_.log_normal(3.5, 1.0) * pace_ * haste, Kind::kSession, index);
  } else {
    free_sessions_.push_back(index);
  }
}

bool Shop::act(Session& session, std::vector<Fact>& out) {
  if (session.browse_left > 0) {
    --session.browse_left;
    browse(session, out);
  } else if (session.cart_left > 0) {
    const std::size_t place = --session.cart_left;
    const bool just_seen = random_.chance(0.5) && session.last_product != kNoProduct;
    session.products[place] = just_seen ? session.last_product : wanted_product();
    Fact& fact = interaction(session, Action::kCartAdd, out);
    fact.product = session.products[place];
    fact.has_product = true;
  } else if (session.sheds) {
    session.sheds = false;
    Fact& fact = interaction(session, Action::kCartRemove, out);
    fact.product = session.products[0];
    fact.has_product = true;
  } else if (session.checks_out) {
    session.checks_out = false;
    interaction(session, Action::kCheckout, out);
  } else if (session.buys) {
    session.buys = false;
    buy(session, out);
  }
  return session.browse_left > 0 || session.cart_left > 0 || session.sheds || session.checks_out ||
         session.buys;
}

void Shop::browse(Session& session, std::vector<Fact>& out) {
  static constexpr std::array<Action, 4> kActions{Action::kView, Action::kClick, Action::kSearch,
                                                  Action::kWishlist};
  const Action action = kActions[random_.pick(std::array{70, 17, 10, 3})];
  Fact& fact = interaction(session, action, out);
  if (action == Action::kSearch) {
    fact.text = static_cast<std::uint32_t>(random_.below(phrase_count()));
    return;
  }
  session.last_product = wanted_product();
  fact.product = session.last_product;
  fact.has_product = true;
}

Fact& Shop::interaction(const Session& session, Action action, std::vector<Fact>& out) {
  Fact& fact = add_fact(EventKind::kInteraction, out);
  fact.action = action;
  fact.user = session.user;
  fact.session = session.id;
  return fact;
}

Fact& Shop::add_fact(EventKind kind, std::vector<Fact>& out) {
  Fact& fact = out.emplace_back();
  fact.kind = kind;
  fact.id = ++next_id_;
  fact.time = from_us(stamp());
  return fact;
}

std::int64_t Shop::stamp() {
  // Most clocks say milliseconds; some say more.
  return random_.below(64) == 0 ? now_us_ : now_us_ - now_us_ % 1000;
}

}  // namespace retailpulse::simulate
