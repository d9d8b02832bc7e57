// Series: a measure over time, as a whole or for the greatest keys of a dimension.
#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "base/decimal.h"
#include "serve/api_answer.h"
#include "serve/api_handlers.h"
#include "serve/frame_facts.h"
#include "serve/frame_text.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kSeriesPanesChosen = 400;  // when no step is given
constexpr std::int64_t kSeriesPanesAsked = 5000;
constexpr std::int64_t kGroupPanesAsked = 400;    // each key has a row in each pane
constexpr std::int64_t kDayUs = kTierUs[static_cast<std::size_t>(Tier::kDay)];

enum class By : std::uint8_t { kNone, kCategory, kProduct, kType, kCurrency };
constexpr std::string_view kByNames[] = {"", "category", "product", "type", "currency"};

struct Question {
  Measure measure = Measure::kNet;
  By by = By::kNone;
  std::size_t n = 20;
  std::int64_t step_us = 0;  // 0: the tier's own
};

// A row to be: one key in one step.
struct Point {
  Sales sales;
  std::int64_t count = 0;      // events or ratings
  std::int64_t sum_milli = 0;  // ratings
  std::int64_t revision = 0;
};
using Points = std::map<std::pair<std::int64_t, StoredId>, Point>;

Result<std::int64_t> parse_step(std::string_view text) {
  const Status invalid(Code::kInvalid,
                       fmt::format("step is \"{}\"; it is a number of s, m or h that 10 s divides, "
                                   "or 1d",
                                   text.substr(0, 20)));
  if (text.empty()) return std::int64_t{0};
  std::int64_t count = 0;
  for (const char c : text.substr(0, text.size() - 1)) {
    if (c < '0' || c > '9' || count > 100'000) return invalid;
    count = count * 10 + (c - '0');
  }
  std::int64_t unit = kSecondUs;
  if (text.back() == 'm') unit = 60 * kSecondUs;
  else if (text.back() == 'h') unit = 3600 * kSecondUs;
  else if (text.back() == 'd') unit = kDayUs;
  else if (text.back() != 's') return invalid;
  const std::int64_t step = count * unit;
  if (step <= 0 || step > kDayUs || step % (10 * kSecondUs) != 0) return invalid;
  return step;
}

bool is_sales(Measure measure) { return measure < Measure::kRatings; }

Status check(const Question& q) {
  if (q.measure == Measure::kEvents && q.by != By::kNone && q.by != By::kType) {
    return Status(Code::kInvalid, "measure=events goes with by=type or without by");
  }
  if (q.measure == Measure::kRatings && q.by != By::kNone) {
    return Status(Code::kInvalid, "measure=ratings goes without by");
  }
  if (is_sales(q.measure) && q.by == By::kType) {
    return Status(Code::kInvalid, "by=type goes with measure=events");
  }
  return {};
}

// 10 s panes are kept for totals only.
Tier finest_of(const Question& q) {
  const bool totals = is_sales(q.measure) && (q.by == By::kNone || q.by == By::kCurrency);
  return totals ? Tier::kTenSeconds : Tier::kMinute;
}

// The coarsest tier that divides the step, or the tier that suits the range.
Result<Cut> cut_of(const TimeRange& range, const Question& q, const View& view,
                   const ApiContext& context) {
  const HistoryClock& history = view.history.clock();
  const bool grouped = q.by != By::kNone;
  if (q.step_us == 0) {
    TierChoice choice{finest_of(q), kSeriesPanesChosen};
    // A day as one pane is no series: prefer the finest that fits.
    for (auto t = static_cast<int>(choice.finest); t < static_cast<int>(Tier::kDay); ++t) {
      const Cut cut = cut_range(range, static_cast<Tier>(t), context.zone);
      const auto panes = (cut.window.to_us - cut.window.from_us) / kTierUs[static_cast<std::size_t>(t)];
      if (panes <= choice.panes_max && cut.window.from_us >= history.sealed_us[static_cast<std::size_t>(t)]) {
        return cut;
      }
    }
    return cut_range(range, Tier::kDay, context.zone);
  }
  for (int t = static_cast<int>(Tier::kDay); t >= static_cast<int>(finest_of(q)); --t) {
    const auto tier = static_cast<std::size_t>(t);
    if (q.step_us % kTierUs[tier] != 0) continue;
    if (t == static_cast<int>(Tier::kDay)) return cut_range(range, Tier::kDay, context.zone);
    // Steps begin at multiples of the step.
    const TimeRange steps{pane_of(range.from_us, q.step_us),
                          pane_of(range.to_us + q.step_us - 1, q.step_us)};
    const Cut cut = cut_range(steps, static_cast<Tier>(t), context.zone);
    const std::int64_t most = grouped ? kGroupPanesAsked : kSeriesPanesAsked;
    if ((cut.window.to_us - cut.window.from_us) / kTierUs[tier] > most) {
      return Status(Code::kInvalid,
                    fmt::format("more than {} panes; ask for a longer step or a shorter range", most));
    }
    if (cut.window.from_us < history.sealed_us[tier]) {
      return Status(Code::kInvalid,
                    fmt::format("panes of {} are kept from {} on; ask for a longer step",
                                kTierNames[tier], utc_text(history.sealed_us[tier])));
    }
    return cut;
  }
  return Status(Code::kInvalid, fmt::format("a step of {} s is too short for this series; its "
                                            "shortest is {}",
                                            q.step_us / kSecondUs,
                                            kTierNames[static_cast<std::size_t>(finest_of(q))]));
}

// Where a pane's row stands: its step, or the day itself.
class Steps {
 public:
  Steps(const Question& q, const Cut& cut)
      : step_us_(q.step_us != 0 ? q.step_us
                                : kTierUs[static_cast<std::size_t>(cut.window.tier)]) {}
  [[nodiscard]] std::int64_t of(std::int64_t pane_us) const { return pane_of(pane_us, step_us_); }
  [[nodiscard]] std::int64_t width() const { return step_us_; }

 private:
  std::int64_t step_us_;
};

void read_totals(const View& view, const Question& q, const Cut& cut, const Steps& steps,
                 Points& points) {
  const bool by_currency = q.by == By::kCurrency;
  for (const TotalPane& row : view.history.total_panes(cut.window)) {
    if (!by_currency && row.currency != view.currency.id) continue;
    Point& point = points[{steps.of(row.pane_us), by_currency ? row.currency : kStoredNone}];
    add_sales(point.sales, row.sales);
    point.revision = std::max(point.revision, row.revision);
  }
  if (by_currency || cut.window.tier == Tier::kDay) return;
  // Panes in which events were seen, but no sale, are zero.
  for (const SeriesPane& pane :
       read_panes(view.history, cut.window, view.currency.id, view.clock.edge_us)) {
    if (pane.present) points[{steps.of(pane.start_us), kStoredNone}];
  }
}

// The n greatest keys of the window; the rest is kStoredOther.
std::set<StoredId> greatest(const View& view, const Question& q, const Window& window,
                            Dimension dimension) {
  std::vector<std::pair<std::int64_t, StoredId>> sums;
  for (const GroupSum& sum : view.history.group_sums(dimension, window)) {
    if (sum.currency == view.currency.id) sums.emplace_back(-measured(sum.sales, q.measure), sum.id);
  }
  std::sort(sums.begin(), sums.end());
  std::set<StoredId> ids;
  for (std::size_t i = 0; i < std::min(q.n, sums.size()); ++i) ids.insert(sums[i].second);
  return ids;
}

void read_groups(const View& view, const Question& q, const Cut& cut, const Steps& steps,
                 Points& points) {
  const Dimension dimension = q.by == By::kProduct ? Dimension::kProduct : Dimension::kCategory;
  const auto ids = greatest(view, q, cut.window, dimension);
  view.history.each_group_pane(dimension, cut.window, [&](const GroupPane& row) {
    if (row.currency != view.currency.id || row.sales == Sales{}) return;
    const StoredId key = ids.count(row.id) != 0 ? row.id : kStoredOther;
    add_sales(points[{steps.of(row.pane_us), key}].sales, row.sales);
  });
}

void read_events(const View& view, const Question& q, const Cut& cut, const Steps& steps,
                 Points& points) {
  for (const TypePane& row : view.history.type_panes(cut.window)) {
    points[{steps.of(row.pane_us), q.by == By::kType ? row.type : kStoredNone}].count += row.events;
  }
}

void read_ratings(const View& view, const Cut& cut, const Steps& steps, Points& points) {
  for (const RatingPane& row : view.history.rating_panes(cut.window)) {
    Point& point = points[{steps.of(row.pane_us), kStoredNone}];
    point.count += row.ratings;
    point.sum_milli += row.sum_milli;
  }
}

Cell value_of(const Point& point, Measure measure, int digits) {
  switch (measure) {
    case Measure::kRatings:
    case Measure::kEvents: return point.count;
    case Measure::kNet:
    case Measure::kGross:
    case Measure::kRefunds: return format_micros(measured(point.sales, measure), digits);
    case Measure::kUnits: return units_text(point.sales.units_milli);
    default: return measured(point.sales, measure);
  }
}

class KeyNames {
 public:
  KeyNames(HistoryView& history, By by) : history_(history), by_(by) {}
  const std::string& of(StoredId id) {
    auto [found, fresh] = names_.try_emplace(id);
    if (fresh) {
      constexpr Dimension kOf[] = {Dimension::kProduct, Dimension::kCategory, Dimension::kProduct,
                                   Dimension::kType, Dimension::kCurrency};
      found->second = history_.name(kOf[static_cast<std::size_t>(by_)], id);
    }
    return found->second;
  }

 private:
  HistoryView& history_;
  By by_;
  std::map<StoredId, std::string> names_;
};

RowSet table_of(const View& view, const Question& q, const Cut& cut, const Steps& steps,
                const Points& points, const Zone& zone) {
  RowSet set{{"start", "start_us"}, {}};
  if (q.by != By::kNone) set.columns.push_back(kByNames[static_cast<std::size_t>(q.by)]);
  set.columns.push_back("value");
  if (q.measure == Measure::kRatings) set.columns.push_back("mean");
  set.columns.insert(set.columns.end(), {"state", "revision"});
  std::map<StoredId, int> digits;
  for (const CurrencyRow& row : view.history.currencies()) digits[row.id] = row.digits;
  KeyNames names(view.history, q.by);
  const auto& watermark = view.history.clock().watermark_us;
  for (const auto& [key, point] : points) {
    const bool days = cut.window.tier == Tier::kDay;
    const TimeRange range = days ? pane_range(Tier::kDay, key.first, zone)
                                 : TimeRange{key.first, key.first + steps.width()};
    std::vector<Cell> cells{utc_text(range.from_us), range.from_us};
    if (q.by != By::kNone) cells.push_back(names.of(key.second));
    cells.push_back(value_of(point, q.measure,
                             q.by == By::kCurrency ? digits[key.second] : view.currency.digits));
    if (q.measure == Measure::kRatings) {
      const auto mean = mean_milli(point.sum_milli, point.count);
      cells.push_back(mean ? Cell(stars_text(*mean)) : Cell());
    }
    cells.push_back(pane_state(watermark && range.to_us <= *watermark, point.revision));
    cells.push_back(point.revision);
    set.rows.push_back(std::move(cells));
  }
  return set;
}

Result<Reply> series(HistoryView& history, const ApiContext& context, const Request& request,
                     const Question& q) {
  const View view = open_view(history, context, request);
  const auto range = parse_range(query_value(request, "from"), query_value(request, "to"),
                                 view.clock, context.zone);
  if (!range.ok()) return range.status();
  const auto cut = cut_of(range.value(), q, view, context);
  if (!cut.ok()) return cut.status();
  const Steps steps(q, cut.value());
  Points points;
  if (q.measure == Measure::kEvents) read_events(view, q, cut.value(), steps, points);
  else if (q.measure == Measure::kRatings) read_ratings(view, cut.value(), steps, points);
  else if (q.by == By::kNone || q.by == By::kCurrency) read_totals(view, q, cut.value(), steps, points);
  else read_groups(view, q, cut.value(), steps, points);
  JsonWriter json;
  begin_answer(json, view);
  write_range(json, cut.value());
  json.field("measure", kMeasureNames[static_cast<std::size_t>(q.measure)])
      .field("step_us", steps.width());
  if (q.by != By::kNone) json.field("by", kByNames[static_cast<std::size_t>(q.by)]);
  if (is_sales(q.measure) && q.by != By::kCurrency) json.field("currency", view.currency.code);
  return rows_reply(request, history.clock().frame, json.take(),
                    table_of(view, q, cut.value(), steps, points, context.zone));
}

By by_of(std::string_view name) {
  for (std::size_t i = 1; i < std::size(kByNames); ++i) {
    if (kByNames[i] == name) return static_cast<By>(i);
  }
  return By::kNone;
}

}  // namespace

Reply get_series(const ApiContext& context, const Request& request) {
  Question q;
  const auto n = number_parameter(request, "n", 20, 1, 50);
  if (!n.ok()) return status_reply(n.status());
  const auto step = parse_step(query_value(request, "step"));
  if (!step.ok()) return status_reply(step.status());
  q.n = static_cast<std::size_t>(n.value());
  q.step_us = step.value();
  q.by = by_of(query_value(request, "by"));
  q.measure = q.by == By::kType ? Measure::kEvents : Measure::kNet;
  if (const auto name = query_value(request, "measure"); !name.empty()) q.measure = measure_of(name);
  if (Status status = check(q); !status.ok()) return status_reply(status);
  return answer(context, [&](HistoryView& view) { return series(view, context, request, q); });
}

}  // namespace retailpulse
