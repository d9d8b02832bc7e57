// Runs the stories in tests/scenarios (the language is told in their README).
#include <algorithm>
#include <deque>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>

#include "base/check.h"
#include "base/decimal.h"
#include "support/catch.h"
#include "support/event_builder.h"
#include "support/fact_encoder.h"
#include "support/manual_clock.h"
#include "support/naive_model.h"
#include "support/slow_store.h"
#include "window/aggregator.h"
#include "window/watermark.h"

namespace retailpulse {
namespace {

using namespace retailpulse::testing;
using Words = std::vector<std::string>;

struct Settings {
  TimeConfig time;
  std::uint32_t partitions = 2;
  std::uint32_t lanes = 2;
  EventTime wall = utc("10:00:00");
};

// Everything from the records to the committed rows, with clocks that a story moves.
class Pipeline {
 public:
  explicit Pipeline(const Settings& settings)
      : settings_(settings), clock_(settings.wall), store_(settings.time), model_(settings.time),
        watermark_(settings.time, INT64_MIN), log_(settings.partitions),
        pending_(settings.lanes) {
    watermark_.adopt();
    for (std::uint32_t p = 0; p < settings_.partitions; ++p) {
      watermark_.add(PartitionSlot{p}, INT64_MIN);
    }
    start_lanes();
  }

  void append(Fact fact) {
    REQUIRE(fact.partition < settings_.partitions);
    auto& log = log_[fact.partition];
    fact.offset = static_cast<Offset>(log.size());
    log.push_back(fact);
    model_.add(fact);
    encoders_[lane_of(fact.partition)].append(fact, pending_[lane_of(fact.partition)]);
  }
  void reach_end(std::uint32_t p) {
    FactEncoder::mark_end(p, static_cast<Offset>(log_[p].size()), pending_[lane_of(p)]);
  }
  void lose_broker(std::uint32_t p) {
    watermark_.adopt();
    watermark_.doubt(PartitionSlot{p});
  }
  void wait(Duration d) {
    commit();
    clock_.step(d);
  }
  void commit() {
    watermark_.adopt();
    for (std::uint32_t l = 0; l < settings_.lanes; ++l) {
      Aggregator& aggregator = *aggregators_[l];
      aggregator.adopt();
      aggregator.fold(pending_[l]);
      pending_[l].clear();
      const auto epoch = aggregator.cut_epoch();
      store_.commit(*epoch);
      for (const PartitionAdvance& a : epoch->advances) watermark_.advance(a, clock_.monotonic());
    }
    watermark_.refresh(clock_.monotonic(), clock_.wall());
  }
  // What was folded but not committed is lost; the log is read again from the stored offsets.
  void crash() {
    for (std::uint32_t l = 0; l < settings_.lanes; ++l) {
      aggregators_[l]->adopt();
      aggregators_[l]->fold(pending_[l]);
      pending_[l].clear();
    }
    start_lanes();
    for (std::uint32_t p = 0; p < settings_.partitions; ++p) {
      const auto next = static_cast<std::size_t>(store_.stored(PartitionSlot{p}).next);
      for (std::size_t i = next; i < log_[p].size(); ++i) {
        encoders_[lane_of(p)].append(log_[p][i], pending_[lane_of(p)]);
      }
    }
  }

  [[nodiscard]] Rows rows() const { return store_.rows(); }
  [[nodiscard]] Rows expected_rows() const { return model_.rows(); }
  GlobalWatermark& watermark() { return watermark_; }

 private:
  [[nodiscard]] std::uint32_t lane_of(std::uint32_t p) const { return p % settings_.lanes; }
  void start_lanes() {
    aggregators_.clear();
    encoders_.assign(settings_.lanes, FactEncoder());
    for (std::uint32_t l = 0; l < settings_.lanes; ++l) {
      store_.forget_names(LaneId{l});
      aggregators_.push_back(std::make_unique<Aggregator>(LaneId{l}, settings_.time, metrics_));
      aggregators_.back()->adopt();
      for (std::uint32_t p = l; p < settings_.partitions; p += settings_.lanes) {
        const auto stored = store_.stored(PartitionSlot{p});
        aggregators_.back()->restore(PartitionSlot{p}, stored.next, stored.max_event_us,
                                     stored.recent_ids);
      }
    }
  }

  Settings settings_;
  ManualClock clock_;
  SlowStore store_;
  NaiveModel model_;
  GlobalWatermark watermark_;
  std::vector<std::vector<Fact>> log_;
  std::vector<EventBatch> pending_;
  AggregatorMetrics metrics_;
  std::vector<FactEncoder> encoders_;
  std::vector<std::unique_ptr<Aggregator>> aggregators_;
};

Words split(const std::string& text, char separator) {
  Words out;
  std::istringstream in(text);
  for (std::string word; std::getline(in, word, separator);) {
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

std::uint32_t number(const std::string& word) {
  return static_cast<std::uint32_t>(std::stoul(word));
}

Duration duration(const std::string& word) {
  const auto n = static_cast<std::int64_t>(number(word));
  switch (word.back()) {
    case 's': return std::chrono::seconds{n};
    case 'm': return std::chrono::minutes{n};
    default: RP_CHECK(word.back() == 'h', "a duration in a story ends in s, m or h");
  }
  return std::chrono::hours{n};
}

Reason reason_named(const std::string& name) {
  const auto it = std::find(kReasonNames.begin(), kReasonNames.end(), name);
  RP_CHECK(it != kReasonNames.end(), "a story names a reason that exists");
  return Reason{static_cast<std::uint8_t>(it - kReasonNames.begin())};
}

// The words after "at TIME partition N".
class RecordReader {
 public:
  static Fact read(EventTime time, std::uint32_t partition, const Words& words) {
    RecordReader reader;
    reader.fact_.time = time;
    reader.fact_.partition = partition;
    std::size_t first = 1;
    if (words.at(0) == "action") reader.fact_.type = words.at(first++);
    reader.kind(words[0]);
    for (std::size_t i = first; i < words.size(); ++i) reader.word(words[i]);
    return reader.fact_;
  }

 private:
  void kind(const std::string& verb) {
    static const std::map<std::string, EventKind> kKinds{
        {"sale", EventKind::kSale},        {"refund", EventKind::kRefund},
        {"cancel", EventKind::kCancel},    {"listing", EventKind::kListing},
        {"delisting", EventKind::kListing}, {"feedback", EventKind::kFeedback}};
    if (verb == "rejected") fact_.bucket = Bucket::kRejected;
    if (verb == "filtered") fact_.bucket = Bucket::kFiltered;
    if (verb == "rejected" || verb == "filtered" || verb == "action") return;
    RP_CHECK(kKinds.count(verb) == 1, "a story names a kind of record that exists");
    fact_.kind = kKinds.at(verb);
    fact_.deleted = verb == "delisting";
    fact_.type = verb;
    if (fact_.kind <= EventKind::kCancel) fact_.lines.emplace_back();
  }
  void word(const std::string& word) {
    const auto equals = word.find('=');
    if (word == "+") {
      fact_.lines.emplace_back();
    } else if (word == "future") {
      fact_.future = true;
    } else if (equals == std::string::npos) {
      fact_.lines.back().currency = word;
    } else {
      field(word.substr(0, equals), word.substr(equals + 1));
    }
  }
  void field(const std::string& name, const std::string& value) {
    const bool line = !fact_.lines.empty();
    std::string& product = line ? fact_.lines.back().product : fact_.product;
    std::string& category = line ? fact_.lines.back().category : fact_.category;
    if (name == "product") return void(product = value);
    if (name == "category") return void(category = value);
    if (name == "amount") return void(fact_.lines.back().amount_micros = scaled(value, 6));
    if (name == "quantity") return void(fact_.lines.back().quantity_milli = scaled(value, 3));
    const auto stars = [&value] { return static_cast<std::int32_t>(scaled(value, 3)); };
    if (name == "rating") return void(fact_.rating_milli = stars());
    if (name == "reason") return void(fact_.reason = reason_named(value));
    if (name == "order") return void(fact_.order = value);
    if (name == "id") return void(fact_.id = value);
    RP_CHECK(name == "visitor", "a story names a field that exists");
    fact_.visitor = value;
  }
  Fact fact_;
};

// Measures of all rows whose leading words match `key` ("*": any), added up, in millionths.
std::map<std::string, std::int64_t> measures(const Rows& rows, const Words& key) {
  std::map<std::string, std::int64_t> out;
  for (const std::string& row : rows) {
    const Words parts = split(row, '|');
    if (parts.size() < key.size()) continue;
    bool same = true;
    for (std::size_t i = 0; i < key.size(); ++i) {
      same = same && (key[i] == "*" || key[i] == parts[i]);
    }
    if (!same) continue;
    for (const std::string& part : parts) {
      const auto equals = part.find('=');
      std::int64_t value = 0;
      if (equals == std::string::npos) continue;
      if (parse_decimal(part.substr(equals + 1), 6, value) == DecimalResult::kExact) {
        out[part.substr(0, equals)] += value;
      }
    }
  }
  out["net"] = out["gross"] - out["refunds"];
  if (out["ratings"] > 0) out["average"] = out["sum"] * 1'000'000 / out["ratings"];
  return out;
}

class Story {
 public:
  void run(const std::string& path) {
    std::ifstream in(path);
    REQUIRE(in.good());
    int line_number = 0;
    for (std::string line; std::getline(in, line);) {
      ++line_number;
      const Words words = split(line.substr(0, line.find('#')), ' ');
      if (words.empty()) continue;
      INFO(path << ":" << line_number << ": " << line);
      statement(words);
    }
    INFO(path);
    pipeline().commit();
    const Rows expected = pipeline().expected_rows(), actual = pipeline().rows();
    INFO(difference(expected, actual));
    CHECK((expected == actual));
    CHECK(expectations_ > 0);
  }

 private:
  Pipeline& pipeline() {
    if (!pipeline_) pipeline_ = std::make_unique<Pipeline>(settings_);
    return *pipeline_;
  }

  void statement(const Words& w) {
    if (w[0] == "at") {
      REQUIRE(w.at(2) == "partition");
      const Words rest(w.begin() + 4, w.end());
      return pipeline().append(RecordReader::read(utc(w.at(1)), number(w.at(3)), rest));
    }
    if (w[0] == "partition") return partition(w);
    if (w[0] == "wait") return pipeline().wait(duration(w.at(1)));
    if (w[0] == "crash") return pipeline().crash();
    if (w[0] == "commit") return pipeline().commit();
    if (w[0] == "expect") return expect(Words(w.begin() + 1, w.end()));
    setting(w);
  }

  void setting(const Words& w) {
    REQUIRE(pipeline_ == nullptr);  // settings come first
    if (w[0] == "zone") return void(settings_.time.zone = w.at(1));
    if (w[0] == "out-of-order") return void(settings_.time.out_of_order = duration(w.at(1)));
    if (w[0] == "idle-after") return void(settings_.time.idle_after = duration(w.at(1)));
    if (w[0] == "partitions") return void(settings_.partitions = number(w.at(1)));
    if (w[0] == "lanes") return void(settings_.lanes = number(w.at(1)));
    if (w[0] == "clock") return void(settings_.wall = utc(w.at(1)));
    FAIL("no such statement");
  }

  void partition(const Words& w) {
    if (w.at(2) == "reaches") return pipeline().reach_end(number(w[1]));
    REQUIRE(w.at(2) == "loses");
    pipeline().commit();
    pipeline().lose_broker(number(w[1]));
  }

  void expect(const Words& w) {
    ++expectations_;
    pipeline().commit();
    const GlobalWatermark& mark = pipeline().watermark();
    mark.adopt();
    if (w[0] == "watermark") {
      const std::string expected = w.at(1) == "never" ? "never" : time_text(to_us(utc(w[1])));
      CHECK(time_text(mark.value()) == expected);
    } else if (w[0] == "closed" || w[0] == "not") {
      CHECK(mark.closed_by_wall() == (w[0] == "closed"));
    } else if (w[0] == "idle") {
      Words idle;
      for (const PartitionSlot slot : mark.idle()) idle.push_back(std::to_string(index_of(slot)));
      if (idle.empty()) idle.push_back("none");
      CHECK((idle == Words(w.begin() + 1, w.end())));
    } else {
      expect_row(w);
    }
  }

  void expect_row(const Words& w) {
    const auto first_measure = std::find_if(w.begin(), w.end(), [](const std::string& word) {
      return word.find('=') != std::string::npos;
    });
    REQUIRE(first_measure != w.end());
    const Words subject(w.begin(), first_measure);
    auto found = measures(pipeline().rows(), key_of(subject));
    if (subject[0] == "partition") found.merge(measures(pipeline().rows(), subject));
    for (auto it = first_measure; it != w.end(); ++it) {
      const auto equals = it->find('=');
      const std::string name = it->substr(0, equals);
      REQUIRE(kMeasures.count(name) == 1);
      INFO("measure " << name);
      CHECK(format_micros(found[name], 2) == format_micros(scaled(it->substr(equals + 1), 6), 2));
    }
  }

  // "product mug minute 10:00 EUR" -> products|1m|2026-01-01T10:00:00Z|mug|*|EUR
  static Words key_of(const Words& subject) {
    static const std::map<std::string, std::pair<std::string, Tier>> kTierWords{
        {"ten-seconds", {"10s", Tier::kTenSeconds}}, {"minute", {"1m", Tier::kMinute}},
        {"quarter", {"15m", Tier::kQuarter}}, {"day", {"1d", Tier::kDay}}};
    if (subject[0] == "partition") return {"ledger", subject.at(1)};
    static const std::map<std::string, std::string> kTables{{"product", "products"},
                                                            {"category", "categories"},
                                                            {"feedback", "ratings"},
                                                            {"type", "types"}};
    const auto table = kTables.find(subject[0]);
    const std::size_t tier_at = table == kTables.end() ? 0 : 2;
    const auto& [tier, width] = kTierWords.at(subject.at(tier_at));
    const std::string& when = subject.at(tier_at + 1);
    Words key{table == kTables.end() ? "totals" : table->second, tier,
              width == Tier::kDay ? when : pane_text(width, to_us(utc(when)))};
    if (tier_at == 2) key.push_back(subject[1]);
    if (subject[0] == "product") key.push_back("*");
    if (subject.size() > tier_at + 2) key.push_back(subject[tier_at + 2]);
    return key;
  }

  static inline const std::set<std::string> kMeasures{
      "orders", "lines", "units", "gross", "refunds", "net", "ratings", "average", "events",
      "records", "counted", "filtered", "rejected", "duplicate", "superseded", "too_late", "late",
      "future"};

  Settings settings_;
  std::unique_ptr<Pipeline> pipeline_;
  int expectations_ = 0;
};

TEST_CASE("scenarios", "[scenario]") {
  std::set<std::string> stories;
  for (const auto& entry : std::filesystem::directory_iterator("tests/scenarios")) {
    if (entry.path().extension() == ".txt") stories.insert(entry.path().string());
  }
  REQUIRE(stories.size() >= 11);
  for (const std::string& path : stories) Story().run(path);
}

}  // namespace
}  // namespace retailpulse
