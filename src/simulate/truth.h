// Truth: what the pipeline must show for the records that were written, to the last micro.
//
// Counted from facts with maps and integers, sharing nothing with decoder, windows or store: the
// oracle of the end-to-end tests. Its rules, in words:
//  - an order is counted once for each currency, on the day (minute) of its first sale line; a sale
//    record without an order id is an order of its own; refunds and cancels count no order;
//  - a line's category is its own, else that of the listing in effect at the beginning of the
//    line's minute, else of the product's first listing; without any listing it is "(unknown)";
//  - of the orders of a category each counts on the day of its first line in that category, where
//    a product with the same category of its own belongs to that of its first line in the order;
//  - days are civil days of the zone.
//
// Thread: one.
// Limits: memory grows by 40 bytes for each sale line and 24 for each rating: for bounded runs.
// Test:   tests/simulate/truth_test.cpp
#pragma once

#include <retailpulse/status.h>

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/zone.h"
#include "simulate/simulator.h"

namespace retailpulse {

class Truth {
 public:
  Truth(const simulate::Catalogue& catalogue, const Zone& zone);
  void add(const SimRecord& record);
  // One JSON object; `minutes`: also totals, categories and event types of each minute.
  [[nodiscard]] std::string to_json(bool minutes) const;
  Status write_file(const std::string& path, bool minutes) const;

  struct Sums {
    std::int64_t orders = 0;
    std::int64_t lines = 0;
    std::int64_t units_milli = 0;
    std::int64_t gross_micros = 0;
    std::int64_t refunds_micros = 0;
    friend bool operator==(const Sums&, const Sums&) = default;
  };

 private:
  struct Line {
    std::int64_t time_us;
    std::uint64_t order;  // 0: an order of its own
    std::int64_t amount_micros;
    std::int64_t quantity_milli;
    std::uint32_t product;
    std::uint8_t own_category;
    std::uint8_t currency;
    bool sale;
  };
  struct Rating {
    std::int64_t time_us;
    std::uint32_t product;
    std::int32_t milli;
  };
  struct Listed {
    std::uint64_t sequence;  // later wins among equal moments
    std::uint8_t category;
  };
  struct TopicLedger {
    std::uint64_t records = 0;
    std::array<std::uint64_t, kBuckets> buckets{};
    std::array<std::uint64_t, kReasons> reasons{};
  };
  struct Report;

  void add_lines(const simulate::Fact& fact);
  [[nodiscard]] std::string category_of(const Line& line) const;
  void count_sales(Report& report, bool minutes) const;
  [[nodiscard]] std::string ratings_json() const;
  [[nodiscard]] std::string ledger_json() const;
  [[nodiscard]] std::string types_json(bool minutes) const;

  const simulate::Catalogue& catalogue_;
  const Zone& zone_;
  std::array<TopicLedger, kRoleNames.size()> topics_{};
  std::vector<Line> lines_;
  std::vector<Rating> ratings_;
  std::map<std::uint32_t, std::map<std::int64_t, Listed>> listings_;  // product -> from -> what
  std::map<std::int64_t, std::array<std::uint64_t, simulate::kActionNames.size()>>
      actions_;                               // by minute
  std::map<EventKind, std::uint64_t> kinds_;  // counted records
  std::int64_t first_us_ = INT64_MAX;
  std::int64_t last_us_ = INT64_MIN;
  std::uint64_t listed_ = 0;
};

}  // namespace retailpulse
