#include "serve/frame_math.h"

#include <algorithm>
#include <cstdlib>

#include "base/decimal.h"

namespace retailpulse {
namespace {

__extension__ using Wide = __int128;  // products of two sums

constexpr std::int64_t kBayesWeight = 10;
constexpr std::size_t kPeakSamplesMin = 20;
constexpr std::size_t kPeakPanesMin = 3;
constexpr std::size_t kPeakGapMax = 2;
constexpr double kPeakDeviations = 3 * 1.4826;  // MAD of a normal distribution is sigma / 1.4826
constexpr double kPeakRatio = 1.25;

std::int64_t wide_half_even(Wide a, Wide b) {
  Wide quotient = a / b;
  Wide rest = a % b;
  if (rest < 0) {  // towards minus infinity first
    rest += b;
    quotient -= 1;
  }
  if (rest * 2 > b || (rest * 2 == b && quotient % 2 != 0)) quotient += 1;
  return static_cast<std::int64_t>(quotient);
}

// Lower median; reorders.
std::int64_t median(std::vector<std::int64_t>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>((values.size() - 1) / 2);
  std::nth_element(values.begin(), middle, values.end());
  return *middle;
}

// What a pane stands above, when it is high.
std::optional<std::int64_t> high_over(std::span<const PeakPane> before, std::int64_t value) {
  std::vector<std::int64_t> values;
  for (const PeakPane& pane : before) {
    if (pane.micros) values.push_back(*pane.micros);
  }
  if (values.size() < kPeakSamplesMin) return std::nullopt;
  const std::int64_t m = median(values);
  for (std::int64_t& v : values) v = std::abs(v - m);
  const std::int64_t mad = median(values);
  const auto r = static_cast<double>(value);
  const bool high = r > static_cast<double>(m) + kPeakDeviations * static_cast<double>(mad) &&
                    r >= kPeakRatio * static_cast<double>(m) && value > 0;
  return high ? std::optional(m) : std::nullopt;
}

struct Run {
  Peak peak;
  std::size_t high = 0;
};

}  // namespace

std::int64_t divide_half_even(std::int64_t a, std::int64_t b) { return wide_half_even(a, b); }

std::optional<std::int64_t> average_order_micros(const Sales& sales, int digits) {
  if (sales.orders <= 0) return std::nullopt;
  std::int64_t step = kMicrosPerUnit;
  for (int i = 0; i < digits && step > 1; ++i) step /= 10;
  return wide_half_even(sales.gross_micros, Wide{sales.orders} * step) * step;
}

std::optional<std::int64_t> mean_milli(std::int64_t sum_milli, std::int64_t ratings) {
  if (ratings <= 0) return std::nullopt;
  return divide_half_even(sum_milli, ratings);
}

std::int64_t bayes_milli(const RatingCount& product, const RatingCount& shop) {
  const Wide above = Wide{kBayesWeight} * shop.sum_milli + Wide{product.sum_milli} * shop.ratings;
  return wide_half_even(above, Wide{shop.ratings} * (kBayesWeight + product.ratings));
}

std::string units_text(std::int64_t milli) {
  const bool negative = milli < 0;
  const auto magnitude = static_cast<std::uint64_t>(milli);
  const std::uint64_t n = negative ? 0 - magnitude : magnitude;
  std::string text = (negative ? "-" : "") + std::to_string(n / 1000);
  if (n % 1000 == 0) return text;
  text += "." + std::to_string(1000 + n % 1000).substr(1);
  text.erase(text.find_last_not_of('0') + 1);
  return text;
}

std::string stars_text(std::int64_t milli) { return format_micros(milli * 1000, 1); }

void add_sales(Sales& to, const Sales& more) {
  to.orders += more.orders;
  to.lines += more.lines;
  to.units_milli += more.units_milli;
  to.gross_micros += more.gross_micros;
  to.refunds_micros += more.refunds_micros;
}

std::vector<Peak> find_peaks(std::span<const PeakPane> panes) {
  std::vector<Run> runs;
  std::size_t closed_end = 0;
  for (std::size_t i = 0; i < panes.size(); ++i) {
    if (!panes[i].closed) continue;
    closed_end = i + 1;
    if (!panes[i].micros) continue;
    const std::size_t from = i > kPeakBaselinePanes ? i - kPeakBaselinePanes : 0;
    const auto base = high_over(panes.subspan(from, i - from), *panes[i].micros);
    if (!base) continue;
    if (runs.empty() || i - runs.back().peak.end > kPeakGapMax) runs.push_back({{i, i, 0, false}, 0});
    Run& run = runs.back();
    run.peak.end = i + 1;
    run.peak.excess_micros += *panes[i].micros - *base;
    ++run.high;
  }
  std::vector<Peak> peaks;
  for (Run& run : runs) {
    if (run.high < kPeakPanesMin) continue;
    run.peak.provisional = closed_end - run.peak.end <= kPeakGapMax;
    peaks.push_back(run.peak);
  }
  return peaks;
}

}  // namespace retailpulse
