// Sums at the edges of 64 bits: exact, or an error before anything is written; never a wrapped or
// rounded number.
#include <unistd.h>

#include <array>
#include <filesystem>
#include <memory>
#include <random>

#include <fmt/format.h>

#include <retailpulse/store.h>

#include "store/sqlite.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

namespace fs = std::filesystem;
__extension__ using Wide = __int128;  // no sum of a test leaves it

constexpr std::size_t kPanes = 8;
constexpr Wide kMost = INT64_MAX, kLeast = INT64_MIN;

class Till {  // a store with one partition, into which sums are booked
 public:
  Till() {
    std::string name = fs::temp_directory_path() / "retailpulse-money-XXXXXX";
    options_.config.directory = mkdtemp(name.data());
    options_.zone = "UTC";
    open();
  }
  ~Till() {
    store_.reset();
    fs::remove_all(options_.config.directory);
  }

  void open() {
    store_.reset();
    auto store = open_store(options_);
    REQUIRE(store.ok());
    store_ = std::move(store).value();
    REQUIRE(store_->bind(PartitionSlot{0}, "t", 0, 0).ok());
    next_ = store_->partitions().value().at(0).next;
  }

  // Gross and refunds to book in each pane, as one commit of one record.
  Status book(const std::array<std::int64_t, kPanes>& gross,
              const std::array<std::int64_t, kPanes>& refunds) {
    Epoch epoch;
    for (std::size_t pane = 0; pane < kPanes; ++pane) {
      // Panes are months apart, so that no tier has two of them in one row.
      const std::int64_t at = static_cast<std::int64_t>(pane) * 30 * 86'400 * kSecondUs;
      const Sales sales{0, 1, 0, gross[pane], refunds[pane]};
      epoch.totals.push_back({at, kNoName, sales});
      epoch.products.push_back({at, kNoName, kNoName, kNoName, sales});
    }
    PartitionAdvance advance;
    advance.begin = next_;
    advance.next = next_ + 1;
    advance.records = 1;
    advance.counts[static_cast<std::size_t>(Bucket::kCounted)] = 1;
    epoch.advances.push_back(advance);
    const Epoch* const parts[] = {&epoch};
    const auto report = store_->commit(parts, {}, CommitContext{});
    if (report.ok()) ++next_;
    return report.status();
  }

  // "gross|refunds" of a pane, of each table and tier that has a row for it.
  [[nodiscard]] std::vector<std::string> rows(std::size_t pane) const {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    std::vector<std::string> found;
    for (const char* table : {"totals", "categories", "products"}) {
      auto rows = db.value().prepare(
          fmt::format("SELECT gross_micros||'|'||refunds_micros FROM {} WHERE pane_us BETWEEN {} AND "
                      "{} ORDER BY tier", table, pane * 30 * 86'400 * std::uint64_t{kSecondUs},
                      pane * 30 * 86'400 * std::uint64_t{kSecondUs} + 1));
      REQUIRE(rows.ok());
      while (rows.value().step().value()) found.emplace_back(rows.value().text(0));
    }
    return found;
  }
  [[nodiscard]] std::int64_t reals() const {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    std::int64_t n = 0;
    for (const char* table : {"totals", "categories", "products"}) {
      n += *db.value().integer(fmt::format("SELECT count(*) FROM {} WHERE typeof(gross_micros)<>'integer' "
                                           "OR typeof(refunds_micros)<>'integer'", table)).value();
    }
    return n;
  }

 private:
  StoreOptions options_;
  std::unique_ptr<RollupStore> store_;
  Offset next_ = 0;
};

std::vector<std::string> equal_rows(std::int64_t gross, std::int64_t refunds) {
  return std::vector<std::string>(4 + 3 + 3, fmt::format("{}|{}", gross, refunds));
}

TEST_CASE("money: a sum reaches the last number of 64 bits and not beyond", "[money]") {
  Till till;
  REQUIRE(till.book({INT64_MAX - 1, INT64_MIN + 1}, {INT64_MAX, 0}).ok());
  REQUIRE(till.book({1, -1}, {0, 0}).ok());
  CHECK(till.rows(0) == equal_rows(INT64_MAX, INT64_MAX));
  CHECK(till.rows(1) == equal_rows(INT64_MIN, 0));
  for (int edge = 0; edge < 3; ++edge) {
    INFO("edge " << edge);
    std::array<std::int64_t, kPanes> gross{}, refunds{};
    if (edge == 0) gross[0] = 1;
    if (edge == 1) gross[1] = -1;
    if (edge == 2) refunds[0] = 1;
    gross[2] = 5;
    const Status refused = till.book(gross, refunds);
    CHECK(refused.code() == Code::kStorage);
    CHECK_FALSE(till.book({}, {}).ok());  // it stays so
    till.open();
    CHECK(till.rows(0) == equal_rows(INT64_MAX, INT64_MAX));
    CHECK(till.rows(1) == equal_rows(INT64_MIN, 0));
    CHECK(till.rows(2) == equal_rows(0, 0));
    CHECK(till.reals() == 0);
  }
}

TEST_CASE("money: random sums are what wider integers say, or refused whole", "[money][random]") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  Till till;
  std::array<Wide, kPanes> gross{}, refunds{};
  int booked = 0, refused = 0;
  for (int commit = 0; commit < 300; ++commit) {
    std::array<std::int64_t, kPanes> more{}, back{};
    bool fits = true;
    for (std::size_t p = 0; p < kPanes; ++p) {
      // Every tenth commit is of the greatest size, so that some go beyond whatever the seed is.
      const auto shift = commit % 10 == 0 ? 1 : 1 + random() % 60;
      more[p] = static_cast<std::int64_t>(random()) >> shift;
      back[p] = static_cast<std::int64_t>(random() >> (1 + random() % 60));
      if (refunds[p] > kMost / 2) back[p] = -back[p];
      const auto in_range = [](Wide n) { return n >= kLeast && n <= kMost; };
      fits = fits && in_range(gross[p] + more[p]) && in_range(refunds[p] + back[p]);
    }
    const bool taken = till.book(more, back).ok();
    REQUIRE(taken == fits);
    if (!taken) till.open();
    ++(taken ? booked : refused);
    for (std::size_t p = 0; taken && p < kPanes; ++p) {
      gross[p] += more[p];
      refunds[p] += back[p];
    }
  }
  CHECK(booked > 50);
  CHECK(refused > 5);
  for (std::size_t p = 0; p < kPanes; ++p) {
    CHECK(till.rows(p) == equal_rows(static_cast<std::int64_t>(gross[p]),
                                     static_cast<std::int64_t>(refunds[p])));
  }
  CHECK(till.reals() == 0);
}

}  // namespace
}  // namespace retailpulse
