// Shop, the part that moves: listings, flash sales, drift of taste, hours and weekdays.
#include <algorithm>
#include <utility>

#include "simulate/shop.h"

namespace retailpulse::simulate {
namespace {

constexpr std::size_t kFlashProducts = 20;
constexpr std::int64_t kDayUs = 86'400'000'000;
constexpr std::int64_t kHourUs = 3'600'000'000;

// Share of a day's sales by hour, per mille, midnight first (2,500 households' purchases), and of a
// week's by weekday, Monday first.
constexpr std::array<double, 24> kHours{5,  3,  2,  1,  1,   2,   5,  11, 21, 37, 55, 70,
                                        73, 79, 80, 89, 101, 104, 87, 70, 50, 29, 17, 8};
constexpr std::array<double, 7> kWeekdays{144, 127, 123, 123, 135, 166, 182};

// To the cent, as on a price tag.
std::int64_t discounted(std::int64_t micros, std::int64_t times, std::int64_t over) {
  return std::max<std::int64_t>(1, micros * times / over / 10'000) * 10'000;
}

double day_factor(std::int64_t us) {
  const std::int64_t day = us / kDayUs;
  const std::int64_t in_day = us % kDayUs;
  const auto hour = static_cast<std::size_t>(in_day / kHourUs);
  const double part = static_cast<double>(in_day % kHourUs) / static_cast<double>(kHourUs);
  const double share = kHours[hour] + (kHours[(hour + 1) % 24] - kHours[hour]) * part;
  const auto weekday = static_cast<std::size_t>((day + 3) % 7);  // 1970-01-01 was a Thursday
  return share * 24 / 1000 * kWeekdays[weekday] * 7 / 1000;
}

// Two triangles of different length: looks alive, never quiet.
double wave_factor(std::int64_t us) {
  const auto triangle = [us](std::int64_t period_us) {
    const auto since = static_cast<double>((us + period_us / 4) % period_us);
    const double at = since / static_cast<double>(period_us);
    return at < 0.5 ? 4 * at - 1 : 3 - 4 * at;
  };
  return 1 + 0.18 * triangle(240'000'000) + 0.07 * triangle(53'000'000);
}

}  // namespace

double Shop::traffic() const {
  const double base = config_.profile == SimulatorConfig::Profile::kDay ? day_factor(now_us_)
                                                                        : wave_factor(now_us_);
  return base * (1 + (config_.flash_traffic - 1) * flash_level());
}

double Shop::flash_level() const {
  if (now_us_ >= flash_end_us_ || now_us_ < flash_begin_us_) return 0;
  const double ramp = static_cast<double>(flash_end_us_ - flash_begin_us_) * 2 / 15;
  const double since = static_cast<double>(now_us_ - flash_begin_us_);
  const double until = static_cast<double>(flash_end_us_ - now_us_);
  return std::min({1.0, since / ramp, until / ramp});
}

std::uint32_t Shop::wanted_product() {
  if (!flash_products_.empty() && random_.chance(0.6 * flash_level())) {
    return flash_products_[random_.below(flash_products_.size())];
  }
  return by_rank_[popularity_.draw(random_)];
}

void Shop::list(std::uint32_t product, std::vector<Fact>& out) {
  Fact& fact = add_fact(EventKind::kListing, out);
  fact.product = product;
  fact.has_product = true;
  fact.category = catalogue_.at(product).category;
  fact.price_micros = catalogue_.at(product).price_micros;
}

void Shop::first_listing(std::uint32_t index, std::vector<Fact>& out) {
  list(index, out);
  const std::int64_t next = index + 1;
  if (next == catalogue_.size()) return;
  schedule(to_us(config_.start) + config_.listing_spread.count() * next / catalogue_.size(),
           Kind::kFirstListing, index + 1);
}

void Shop::change_category(std::vector<Fact>& out) {
  // Of the products people buy, or nobody would see it.
  const std::uint32_t product = wanted_product();
  Product& moved = catalogue_.at(product);
  moved.category = static_cast<std::uint8_t>((moved.category + 1) % category_count());  // a neighbour
  list(product, out);
  schedule_in(3600 * random_.exponential() / config_.category_changes, Kind::kCategoryChange);
}

void Shop::begin_flash(std::vector<Fact>& out) {
  flash_begin_us_ = now_us_;
  flash_end_us_ = now_us_ + config_.flash_length.count();
  schedule(flash_end_us_, Kind::kFlashEnd);
  const std::size_t wanted = std::min<std::size_t>(kFlashProducts, catalogue_.size());
  for (std::size_t i = 0; i < wanted; ++i) {
    const auto product = static_cast<std::uint32_t>(random_.below(catalogue_.size()));
    if (std::find(flash_products_.begin(), flash_products_.end(), product) !=
        flash_products_.end()) {
      continue;
    }
    flash_products_.push_back(product);
    catalogue_.at(product).price_micros = discounted(catalogue_.at(product).price_micros, 6, 10);
    list(product, out);
  }
}

void Shop::end_flash(std::vector<Fact>& out) {
  for (const std::uint32_t product : flash_products_) {
    catalogue_.at(product).price_micros = discounted(catalogue_.at(product).price_micros, 10, 6);
    list(product, out);
  }
  flash_products_.clear();
  // Between half and one and a half of the mean: never right after another.
  const double every_s = static_cast<double>(config_.flash_every.count()) / 1e6;
  schedule_in(every_s * (0.5 + random_.unit()), Kind::kFlashBegin);
}

void Shop::drift() {
  for (std::size_t i = 0; i + 1 < by_rank_.size(); ++i) {
    if (random_.below(50) == 0) std::swap(by_rank_[i], by_rank_[i + 1]);
  }
  schedule_in(3600, Kind::kDrift);
}

}  // namespace retailpulse::simulate
