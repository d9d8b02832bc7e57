// Shop, the part that sells: baskets, amounts, refunds and ratings.
#include <algorithm>

#include "simulate/shop.h"

namespace retailpulse::simulate {
namespace {

constexpr std::size_t kAfterSalesMax = 1U << 17;
constexpr std::int64_t kGiantQuantity = 1000;

// Of one unit in the first currency, in thousandths; and what the smallest coin is, in micros.
constexpr std::array<std::int64_t, 5> kExchangePermille{1000, 920, 790, 150'000, 307};
constexpr std::array<std::int64_t, 5> kCoinMicros{10'000, 10'000, 10'000, 1'000'000, 1'000};

std::int64_t rounded(std::int64_t micros, std::int64_t coin) {
  return (micros + coin / 2) / coin * coin;
}

std::int64_t draw_quantity_milli(bool by_weight, Random& random) {
  const std::uint64_t dice = random.below(100'000);
  if (dice == 0) return kGiantQuantity * kMilliPerPiece;
  if (by_weight && dice < 30'000) return 250 * static_cast<std::int64_t>(1 + random.below(12));
  if (dice < 85'000) return kMilliPerPiece;
  if (dice < 95'000) return 2 * kMilliPerPiece;
  return static_cast<std::int64_t>(3 + random.below(10)) * kMilliPerPiece;
}

}  // namespace

void Shop::buy(const Session& session, std::vector<Fact>& out) {
  if (config_.mix == SimulatorConfig::Mix::kShop) interaction(session, Action::kPurchase, out);
  Fact sale;
  sale.kind = EventKind::kSale;
  sale.user = session.user;
  sale.session = session.id;
  sale.currency = session.currency;
  for (std::size_t i = 0; i < session.line_count; ++i) {
    const std::uint32_t product =
        session.products[i] != kNoProduct ? session.products[i] : wanted_product();
    sale.lines[sale.line_count++] = sell(product, session.currency);
  }
  if (sale.line_count > 1) sale.order = ++next_order_;
  sale.as_items = sale.line_count > 1 && random_.chance(0.5);
  const EventTime when = from_us(stamp());
  const std::size_t records = sale.as_items ? 1 : sale.line_count;
  const bool spread = random_.chance(0.1);  // some tills stamp each line by itself
  for (std::size_t i = 0; i < records; ++i) {
    Fact& record = out.emplace_back(sale);
    record.id = ++next_id_;
    record.time = when + std::chrono::seconds{spread ? static_cast<int>(i) : 0};
    if (!sale.as_items) {
      record.line_count = 1;
      record.lines[0] = sale.lines[i];
    }
  }
  plan_after_sale(sale, session.id);
  if (random_.chance(config_.refunds * 0.15)) stray_refund(out);
}

FactLine Shop::sell(std::uint32_t product, std::uint8_t currency) {
  FactLine line;
  line.product = random_.chance(config_.launches) ? launch(product) : product;
  const Product& sold = catalogue_.at(line.product);
  if (random_.chance(0.02)) line.own_category = sold.category;
  line.quantity_milli = draw_quantity_milli(sold_by_weight(sold.category), random_);
  const std::int64_t price = sold.price_micros * kExchangePermille[currency] / 1000;
  // One price in 1e5 has a digit more than its currency.
  const std::int64_t coin = kCoinMicros[currency] / (random_.below(100'000) == 0 ? 10 : 1);
  line.amount_micros = rounded(price, coin) * line.quantity_milli / kMilliPerPiece;
  line.amount_micros = std::max(coin, rounded(line.amount_micros, coin));
  return line;
}

std::uint32_t Shop::launch(std::uint32_t product) {
  if (launched_ == kLaunchesMax) return product;
  const std::uint32_t fresh = catalogue_.size() + launched_++;
  schedule_in(1 + 119 * random_.unit(), Kind::kLaunchListing, fresh);
  return fresh;
}

void Shop::plan_after_sale(const Fact& sale, std::uint64_t session) {
  const double feedback_s = static_cast<double>(config_.feedback_after.count()) / 1e6;
  for (std::size_t i = 0; i < sale.line_count; ++i) {
    if (!random_.chance(config_.feedback)) continue;
    Fact rating;
    rating.kind = EventKind::kFeedback;
    rating.user = sale.user;
    rating.session = session;
    rating.product = sale.lines[i].product;
    rating.has_product = true;
    add_after_sale(feedback_s, rating);
  }
  const bool giant = sale.lines[0].quantity_milli >= kGiantQuantity * kMilliPerPiece;
  if (giant || random_.chance(config_.refunds * 0.85)) plan_refund(sale);
}

void Shop::plan_refund(const Fact& sale) {
  const bool giant = sale.lines[0].quantity_milli >= kGiantQuantity * kMilliPerPiece;
  Fact back;
  back.kind = giant || random_.chance(0.1) ? EventKind::kCancel : EventKind::kRefund;
  back.user = sale.user;
  back.session = sale.session;
  back.order = sale.order;
  back.currency = sale.currency;
  back.line_count = 1;
  back.lines[0] = sale.lines[giant ? 0 : random_.below(sale.line_count)];
  if (back.kind == EventKind::kRefund && random_.chance(0.3)) {  // a part of the money
    const std::int64_t coin = kCoinMicros[back.currency];
    back.lines[0].amount_micros = std::max(coin, rounded(back.lines[0].amount_micros / 2, coin));
  }
  add_after_sale(giant ? 180 : static_cast<double>(config_.refund_after.count()) / 1e6, back);
}

void Shop::add_after_sale(double median_s, const Fact& fact) {
  std::uint32_t index = 0;
  if (!free_after_sales_.empty()) {
    index = free_after_sales_.back();
    free_after_sales_.pop_back();
    after_sales_[index] = fact;
  } else if (after_sales_.size() < kAfterSalesMax) {
    index = static_cast<std::uint32_t>(after_sales_.size());
    after_sales_.push_back(fact);
  } else {
    return;  // full: this customer is content
  }
  schedule_in(median_s * random_.log_normal(0, 1.3), Kind::kAfterSale, index);
}

void Shop::after_sale(std::uint32_t index, std::vector<Fact>& out) {
  Fact& fact = out.emplace_back(after_sales_[index]);
  free_after_sales_.push_back(index);
  fact.id = ++next_id_;
  fact.time = from_us(stamp());
  if (fact.kind != EventKind::kFeedback) return;
  // Shares 10 10 20 30 30 over all; a product leans to its own quality. Folding at the ends keeps
  // a uniform uniform.
  double u = catalogue_.at(fact.product).quality + (random_.unit() - 0.5);
  if (u < 0) u = -u;
  if (u >= 1) u = 2 - u;
  static constexpr std::array<double, 4> kUpTo{0.1, 0.2, 0.4, 0.7};
  int stars = 1;
  for (const double bound : kUpTo) stars += u >= bound ? 1 : 0;
  fact.rating_milli = stars * 1000;
  if (stars < 5 && random_.below(50) == 0) fact.rating_milli += 500;
  fact.text = static_cast<std::uint32_t>(random_.below(comment_count()));
}

void Shop::stray_refund(std::vector<Fact>& out) {
  Fact& fact = add_fact(EventKind::kRefund, out);
  fact.user = 1 + random_.below(1000);
  fact.line_count = 1;
  fact.lines[0] = sell(wanted_product(), 0);
}

}  // namespace retailpulse::simulate
