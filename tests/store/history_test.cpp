#include <retailpulse/history.h>

#include <thread>

#include "base/hash.h"
#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/shop_file.h"

namespace retailpulse::testing {
namespace {

constexpr std::int64_t kMinute = 60 * kSecondUs;
constexpr std::int64_t kHour = 3600 * kSecondUs;

// Every look at it takes a second.
class SlowClock final : public Clock {
 public:
  Duration monotonic() const override { return Duration{(++looks_) * kSecondUs}; }
  EventTime wall() const override { return from_us(kTenOClock); }

 private:
  mutable std::int64_t looks_ = 0;
};

std::unique_ptr<HistoryReader> open(const ShopFile& shop) {
  auto reader = open_history(shop.path(), system_clock());
  REQUIRE(reader.ok());
  return std::move(reader).value();
}

TEST_CASE("history: one read sees one commit, whatever is written meanwhile") {
  ShopFile shop;
  shop.book({.us = kTenOClock, .gross_micros = 1'000'000});
  shop.watermark(kTenOClock, 1);
  const auto reader = open(shop);
  const Window hour{Tier::kMinute, kTenOClock - kHour, kTenOClock + kHour};
  REQUIRE(reader->read([&](HistoryView& view) {
    CHECK(view.clock().frame == 1);
    shop.book({.us = kTenOClock, .gross_micros = 5'000'000});
    shop.watermark(kTenOClock + 1, 2);
    const auto panes = view.total_panes(hour);
    REQUIRE(panes.size() == 1);
    CHECK(panes[0].sales.gross_micros == 1'000'000);
    CHECK(view.clock().watermark_us == kTenOClock);
  }).ok());
  REQUIRE(reader->read([&](HistoryView& view) {
    CHECK(view.clock().frame == 2);
    CHECK(view.total_panes(hour).at(0).sales.gross_micros == 6'000'000);
  }).ok());
}

TEST_CASE("history: many threads read at once while one writes; no answer is torn") {
  ShopFile shop;
  shop.sql("UPDATE clock SET newest_event_us=0");
  const auto reader = open(shop);
  std::atomic<bool> stop{false};
  std::atomic<int> torn{0};
  std::atomic<int> reads{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    threads.emplace_back([&] {
      while (!stop) {
        const Status status = reader->read([&](HistoryView& view) {
          std::int64_t orders = 0;
          for (const TotalPane& pane : view.total_panes({Tier::kMinute, 0, INT64_MAX})) {
            orders += pane.sales.orders;
          }
          // A commit books one order and numbers the frame.
          if (orders != static_cast<std::int64_t>(view.clock().frame)) ++torn;
        });
        if (!status.ok()) ++torn;
        ++reads;
      }
    });
  }
  for (int i = 1; i <= 200 || (reads < 50 && i < 20'000); ++i) {
    shop.sql("BEGIN");
    shop.book({.us = kTenOClock + i * kMinute, .gross_micros = 1});
    shop.sql("UPDATE clock SET frame=frame+1");
    shop.sql("COMMIT");
  }
  stop = true;
  for (auto& thread : threads) thread.join();
  CHECK(torn == 0);
  CHECK(reads > 0);
}

TEST_CASE("history: a read beyond its deadline ends with a sentence, and the next one works") {
  ShopFile shop;
  shop.sql("BEGIN");
  const auto currency = shop.name(2, "EUR");
  for (int i = 0; i < 5000; ++i) {
    shop.sql(fmt::format("INSERT INTO products VALUES(1,{},{},0,{},1,1,1,1,0,0,0)",
                         kTenOClock, i + 2, currency));
  }
  shop.sql("COMMIT");
  const SlowClock slow;
  auto reader = open_history(shop.path(), slow, std::chrono::seconds{2});
  REQUIRE(reader.ok());
  const Window minute{Tier::kMinute, kTenOClock, kTenOClock + kMinute};
  const Status status = reader.value()->read([&](HistoryView& view) {
    static_cast<void>(view.group_sums(Dimension::kProduct, minute));
  });
  CHECK(status.code() == Code::kTimeout);
  CHECK(status.message().find("shorter time range") != std::string::npos);
  CHECK(reader.value()->read([](HistoryView& view) { CHECK(view.clock().frame == 0); }).ok());
}

TEST_CASE("history: panes below a tier's seal are not read, though their rows linger") {
  ShopFile shop("UTC");
  shop.book({.us = kTenOClock - kHour, .gross_micros = 1});
  shop.book({.us = kTenOClock, .gross_micros = 2});
  shop.seal(kTenOClock, shop.zone().civil_day(from_us(kTenOClock)));
  const Window window{Tier::kMinute, kTenOClock - 2 * kHour, kTenOClock + kHour};
  REQUIRE(open(shop)->read([&](HistoryView& view) {
    REQUIRE(view.total_panes(window).size() == 1);
    CHECK(view.total_panes(window)[0].sales.gross_micros == 2);
    CHECK(view.group_sums(Dimension::kProduct, window).at(0).sales.gross_micros == 2);
  }).ok());
}

TEST_CASE("history: groups are summed over panes and over a product's categories") {
  ShopFile shop;
  shop.list("p1", "Red shoe", "Shoes");
  shop.book({.us = kTenOClock, .product = "p1", .gross_micros = 1});
  shop.book({.us = kTenOClock, .product = "p1", .category = "Sale", .gross_micros = 2});
  shop.book({.us = kTenOClock + kMinute, .product = "p1", .gross_micros = 4});
  shop.book({.us = kTenOClock, .product = "p1", .currency = "USD", .gross_micros = 8});
  const Window window{Tier::kMinute, kTenOClock, kTenOClock + 2 * kMinute};
  REQUIRE(open(shop)->read([&](HistoryView& view) {
    const auto products = view.group_sums(Dimension::kProduct, window);
    REQUIRE(products.size() == 2);
    CHECK(products[0].sales.gross_micros + products[1].sales.gross_micros == 15);
    CHECK(view.group_sums(Dimension::kCategory, window).size() == 3);
    const auto id = view.find_name(Dimension::kProduct, "p1");
    REQUIRE(id);
    CHECK(view.product(*id).name == "Red shoe");
    CHECK(view.product(*id).category == "Shoes");
    const auto panes = view.product_panes(*id, window);
    CHECK(panes.size() == 3);
    CHECK_FALSE(view.find_name(Dimension::kProduct, "p2"));
  }).ok());
}

TEST_CASE("history: visitors of several panes are counted once") {
  ShopFile shop;
  Hll first;
  Hll second;
  for (std::uint64_t i = 0; i < 1000; ++i) {
    const std::uint64_t hash = hash64("visitor " + std::to_string(i));
    if (i < 700) first.add(hll_mark(hash));
    if (i >= 300) second.add(hll_mark(hash));
  }
  shop.visit(kTenOClock, first);
  shop.visit(kTenOClock + 10 * kSecondUs, second);
  REQUIRE(open(shop)->read([&](HistoryView& view) {
    const auto both = view.visitors({Tier::kTenSeconds, kTenOClock, kTenOClock + kMinute});
    REQUIRE(both);
    CHECK(*both == Approx(1000).epsilon(4 * kHllError));
    CHECK_FALSE(view.visitors({Tier::kTenSeconds, 0, kMinute}));
  }).ok());
}

TEST_CASE("history: a damaged sketch is an error, not a number") {
  ShopFile shop;
  shop.sql(fmt::format("INSERT INTO visitors VALUES(0,{},x'07')", kTenOClock));
  const Status status = open(shop)->read([&](HistoryView& view) {
    static_cast<void>(view.visitors({Tier::kTenSeconds, kTenOClock, kTenOClock + kMinute}));
  });
  CHECK(status.code() == Code::kCorrupt);
}

TEST_CASE("history: rejects come newest first, in pages") {
  ShopFile shop;
  shop.sql(
      "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,idle,consumed,"
      "late,future) VALUES(1,'t',0,0,9,0,9,0,0)");
  for (int i = 1; i <= 5; ++i) {
    shop.sql(fmt::format("INSERT INTO reject_rows VALUES({0},1,{0},'bad_json','',0,x'ff')", i));
  }
  REQUIRE(open(shop)->read([&](HistoryView& view) {
    const auto first = view.rejects({.limit = 2});
    REQUIRE(first.size() == 2);
    CHECK(first[0].id == 5);
    CHECK(first[0].raw == "\xff");
    const auto rest = view.rejects({.before = first.back().id, .limit = 10});
    REQUIRE(rest.size() == 3);
    CHECK(rest.back().id == 1);
    CHECK(view.rejects({.topic = "t", .reason = "bad_json"}).size() == 5);
    CHECK(view.rejects({.topic = "u"}).empty());
    CHECK(view.rejects({.reason = "bad_time"}).empty());
  }).ok());
}

TEST_CASE("history: a file that is not there is an error") {
  auto reader = open_history("/tmp/rp-no-such-folder/retailpulse.db", system_clock());
  REQUIRE_FALSE(reader.ok());
  CHECK(reader.status().message().find("rp-no-such-folder") != std::string::npos);
}

}  // namespace
}  // namespace retailpulse::testing
