#include "store/views.h"

#include <random>

#include "support/catch.h"
#include "support/shop_file.h"

namespace retailpulse::testing {
namespace {

constexpr std::int64_t kMinute = 60 * kSecondUs;
constexpr std::int64_t kHour = 3600 * kSecondUs;
constexpr std::int64_t kDayUs = 24 * kHour;

TEST_CASE("views: money is exact text with the currency's decimals, more if the data have them") {
  ShopFile shop;
  const auto at = kTenOClock;
  shop.book({.us = at, .currency = "EUR", .gross_micros = 5'478'055'820'000});
  shop.book({.us = at, .currency = "JPY", .gross_micros = 1'200'000'000});
  shop.book({.us = at, .currency = "KWD", .gross_micros = 1'500'000});
  shop.book({.us = at, .currency = "USD", .gross_micros = 1'234'500});
  shop.book({.us = at, .currency = "GBP", .gross_micros = 0, .refunds_micros = 500'000});
  CHECK(shop.rows("SELECT currency,gross,refunds,net,net_micros FROM totals_by_minute ORDER BY 1") ==
        "EUR|5478055.82|0.00|5478055.82|5478055820000\n"
        "GBP|0.00|0.50|-0.50|-500000\n"
        "JPY|1200|0|1200|1200000000\n"
        "KWD|1.500|0.000|1.500|1500000\n"
        "USD|1.2345|0.00|1.2345|1234500\n");
}

TEST_CASE("views: units are decimal text without trailing zeros") {
  ShopFile shop;
  shop.book({.us = kTenOClock, .product = "a", .units_milli = 3000});
  shop.book({.us = kTenOClock, .product = "b", .units_milli = 2500});
  shop.book({.us = kTenOClock, .product = "c", .units_milli = 7});
  CHECK(shop.rows("SELECT product_id,units,units_milli FROM products_by_day ORDER BY 1") ==
        "a|3|3000\nb|2.5|2500\nc|0.007|7\n");
}

TEST_CASE("views: a pane is provisional, then final, then revised; days by the store's zone") {
  ShopFile shop;
  shop.book({.us = kTenOClock});
  CHECK(shop.rows("SELECT minute,state FROM totals_by_minute") ==
        "2026-11-22T10:00:00Z|provisional\n");
  shop.watermark(kTenOClock + kMinute - 1);
  CHECK(shop.rows("SELECT state FROM totals_by_minute") == "provisional\n");
  shop.watermark(kTenOClock + kMinute);
  CHECK(shop.rows("SELECT state FROM totals_by_minute") == "final\n");
  shop.sql("UPDATE totals SET revision=1 WHERE tier=1");
  CHECK(shop.rows("SELECT state,revision FROM totals_by_minute") == "revised|1\n");
  // Berlin's 22nd ends at 23:00 UTC.
  shop.watermark(kTenOClock + 13 * kHour - 1);
  CHECK(shop.rows("SELECT day,state FROM totals_by_day") == "2026-11-22|provisional\n");
  shop.watermark(kTenOClock + 13 * kHour);
  CHECK(shop.rows("SELECT day,state FROM totals_by_day") == "2026-11-22|final\n");
}

TEST_CASE("views: days of 23 and 25 hours, and a zone of +05:45") {
  SECTION("Berlin, back to winter time: 25 hours from 22:00 UTC to 23:00 UTC") {
    ShopFile shop("Europe/Berlin");
    const std::int64_t begin = 1'792'879'200 * kSecondUs;  // 2026-10-24T22:00:00Z
    shop.book({.us = begin - 1, .gross_micros = 1});
    shop.book({.us = begin, .gross_micros = 10});
    shop.book({.us = begin + 25 * kHour - 1, .gross_micros = 100});
    shop.book({.us = begin + 25 * kHour, .gross_micros = 1000});
    CHECK(shop.rows("SELECT day,gross_micros FROM totals_by_day ORDER BY 1") ==
          "2026-10-24|1\n2026-10-25|110\n2026-10-26|1000\n");
  }
  SECTION("Berlin, to summer time: 23 hours from 23:00 UTC to 22:00 UTC") {
    ShopFile shop("Europe/Berlin");
    const std::int64_t begin = 1'774'738'800 * kSecondUs;  // 2026-03-28T23:00:00Z
    shop.book({.us = begin - 1, .gross_micros = 1});
    shop.book({.us = begin, .gross_micros = 10});
    shop.book({.us = begin + 23 * kHour - 1, .gross_micros = 100});
    shop.book({.us = begin + 23 * kHour, .gross_micros = 1000});
    CHECK(shop.rows("SELECT day,gross_micros FROM totals_by_day ORDER BY 1") ==
          "2026-03-28|1\n2026-03-29|110\n2026-03-30|1000\n");
  }
  SECTION("Kathmandu: the day begins at 18:15 UTC") {
    ShopFile shop("Asia/Kathmandu");
    const std::int64_t begin = kTenOClock + 8 * kHour + 15 * kMinute;
    shop.book({.us = begin - 1, .gross_micros = 1});
    shop.book({.us = begin, .gross_micros = 10});
    CHECK(shop.rows("SELECT day,gross_micros FROM totals_by_day ORDER BY 1") ==
          "2026-11-22|1\n2026-11-23|10\n");
  }
}

// Sums of the three sales views and of the events, which no sealing may change.
std::string sums(ShopFile& shop) {
  return shop.rows(
      "SELECT (SELECT sum(net_micros) FROM totals_by_minute),"
      "(SELECT sum(net_micros) FROM totals_by_day),"
      "(SELECT sum(net_micros) FROM categories_by_minute),"
      "(SELECT sum(net_micros) FROM categories_by_day),"
      "(SELECT sum(net_micros) FROM products_by_day),"
      "(SELECT sum(orders) FROM totals_by_minute),"
      "(SELECT sum(events) FROM events_by_minute)");
}

TEST_CASE("views: whatever is sealed, a view is complete and counts nothing twice") {
  const std::string zone = GENERATE(as<std::string>{}, "Europe/Berlin", "Asia/Kathmandu", "UTC");
  ShopFile shop(zone);
  const std::uint32_t seed = std::random_device{}();
  INFO("seed " << seed << " zone " << zone);
  std::mt19937 random(seed);
  std::int64_t net = 0;
  const int kBookings = 400;
  shop.sql("BEGIN");
  for (int i = 0; i < kBookings; ++i) {
    const auto gross = static_cast<std::int64_t>(random() % 100'000'000);
    const auto us = kTenOClock - static_cast<std::int64_t>(random() % (4 * 86'400)) * kSecondUs;
    shop.book({.us = us, .product = "p" + std::to_string(random() % 9),
               .category = random() % 2 == 0 ? "" : "c" + std::to_string(random() % 3),
               .gross_micros = gross, .refunds_micros = gross / 3});
    shop.events(us, "view", 2);
    net += gross - gross / 3;
  }
  shop.sql("COMMIT");
  shop.watermark(kTenOClock);
  const std::string expected = fmt::format("{0}|{0}|{0}|{0}|{0}|{1}|{2}\n", net, kBookings,
                                           2 * kBookings);
  CHECK(sums(shop) == expected);
  for (const std::int64_t back : {0, 1, 2, 3, 5}) {
    const std::int64_t quarter_day = shop.zone().civil_day(from_us(kTenOClock - back * kDayUs));
    const std::int64_t minutes =
        std::max(pane_of(kTenOClock - back * kDayUs / 2, 15 * kMinute),
                 to_us(shop.zone().day_begin(quarter_day)));
    shop.seal(minutes, quarter_day);  // the sealed rows are still there
    CAPTURE(back);
    CHECK(sums(shop) == expected);
  }
  // And when they are pruned.
  shop.sql("DELETE FROM totals WHERE tier=1 AND pane_us<(SELECT sealed_1m_us FROM clock)");
  shop.sql("DELETE FROM totals WHERE tier=2 AND pane_us<(SELECT sealed_15m_us FROM clock)");
  CHECK(sums(shop) == expected);
}

TEST_CASE("views: no row mixes tiers, and its tier is said") {
  ShopFile shop("UTC");
  shop.book({.us = kTenOClock - 3 * kDayUs, .gross_micros = 1});
  shop.book({.us = kTenOClock - 2 * kHour, .gross_micros = 10});
  shop.book({.us = kTenOClock, .gross_micros = 100});
  shop.watermark(kTenOClock);
  shop.seal(kTenOClock - kHour, shop.zone().civil_day(from_us(kTenOClock - kDayUs)));
  CHECK(shop.rows("SELECT minute,tier,gross_micros FROM totals_by_minute ORDER BY 1") ==
        "2026-11-19T00:00:00Z|1d|1\n2026-11-22T08:00:00Z|15m|10\n2026-11-22T10:00:00Z|1m|100\n");
}

TEST_CASE("views: products bear their listing's name and category, sales their own") {
  ShopFile shop;
  shop.list("p1", "Red shoe", "Shoes");
  shop.book({.us = kTenOClock, .product = "p1", .gross_micros = 1'000'000});
  shop.book({.us = kTenOClock, .product = "p1", .category = "Shoes", .gross_micros = 2'000'000});
  shop.book({.us = kTenOClock, .product = "p1", .category = "Sale", .gross_micros = 4'000'000});
  shop.book({.us = kTenOClock, .product = "p2", .gross_micros = 8'000'000});
  CHECK(shop.rows("SELECT product_id,name,category,net FROM products_by_day ORDER BY 1,3") ==
        "p1|Red shoe|Sale|4.00\np1|Red shoe|Shoes|3.00\np2|p2|(unknown)|8.00\n");
  CHECK(shop.rows("SELECT category,net FROM categories_by_day ORDER BY 1") ==
        "(unknown)|8.00\nSale|4.00\nShoes|3.00\n");
}

TEST_CASE("views: a category from which all has moved away is no row") {
  ShopFile shop;
  shop.book({.us = kTenOClock, .gross_micros = 1'000'000});
  shop.sql("UPDATE categories SET orders=0,lines=0,units_milli=0,gross_micros=0");
  CHECK(shop.rows("SELECT * FROM categories_by_minute").empty());
  CHECK(shop.rows("SELECT * FROM categories_by_day").empty());
}

TEST_CASE("views: the mean of ratings rounds half to even in thousandths") {
  ShopFile shop;
  shop.rate(kTenOClock, "a", 5);
  shop.rate(kTenOClock, "a", 4);
  shop.rate(kTenOClock, "a", 4);
  shop.sql(fmt::format("INSERT INTO ratings VALUES(3,{},{},2,6001,1,0,0,0,1)",
                       shop.pane(kTenOClock, 3), shop.name(0, "b")));
  CHECK(shop.rows("SELECT day,product_id,name,ratings,mean,one,two,three,four,five "
                  "FROM ratings_by_day ORDER BY 2") ==
        "2026-11-22|a|a|3|4.333|0|0|0|2|1\n2026-11-22|b|b|2|3.000|1|0|0|0|1\n");
}

TEST_CASE("views: their columns are what scripts rely on") {
  ShopFile shop;
  const std::pair<std::string, std::string> kColumns[] = {
      {"totals_by_minute", "minute,currency,orders,lines,units,gross,refunds,net,state"},
      {"totals_by_day", "day,currency,orders,lines,units,gross,refunds,net,state"},
      {"categories_by_minute",
       "minute,category,currency,orders,lines,units,gross,refunds,net,state"},
      {"categories_by_day", "day,category,currency,orders,lines,units,gross,refunds,net,state"},
      {"products_by_day",
       "day,product_id,name,category,currency,orders,lines,units,gross,refunds,net"},
      {"ratings_by_day", "day,product_id,name,ratings,mean,one,two,three,four,five"},
      {"events_by_minute", "minute,type,events"},
      {"ledger", "topic,partition,bucket,reason,records"},
      {"partitions", "topic,partition,next_offset,end_offset,watermark,idle,incarnation,halted"},
      {"lost_ranges", "topic,partition,first_offset,last_offset,offsets,noticed"},
      {"log_history", "topic,partition,incarnation,old_first,old_next,new_first,why,decided"},
      {"rejects", "topic,partition,offset,reason,field,raw"},
      {"settings", "name,value,since,since_frame"}};
  CHECK(std::size(kColumns) == kViewNames.size());
  for (const auto& [view, columns] : kColumns) {
    CAPTURE(view);
    CHECK_NOTHROW(shop.rows("SELECT " + columns + " FROM " + view));
    const bool money = columns.find("gross") != std::string::npos;
    if (money) CHECK_NOTHROW(shop.rows("SELECT gross_micros,refunds_micros,net_micros FROM " + view));
  }
  CHECK(shop.integer("SELECT count(*) FROM sqlite_schema WHERE type='view'") ==
        static_cast<std::int64_t>(kViewNames.size()));
}

TEST_CASE("views: ledger, partitions, rejects and lost ranges name their partition") {
  ShopFile shop;
  shop.sql(
      "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,end_offset,"
      "watermark_us,idle,consumed,late,future) VALUES(1,'orders',3,0,10,12,1795341600000000,1,10,0,0);"
      "INSERT INTO ledger_counts VALUES(1,'counted','',9),(1,'rejected','bad_json',1);"
      "INSERT INTO gaps VALUES(1,1,10,25,1795341600000000);"
      "INSERT INTO log_changes VALUES(1,1,2,0,10,5,'cut back',1795341600000000);"
      "INSERT INTO reject_rows VALUES(7,1,4,'bad_json','',1795341600000000,CAST('{' AS BLOB))");
  CHECK(shop.rows("SELECT * FROM ledger ORDER BY bucket") ==
        "orders|3|counted||9\norders|3|rejected|bad_json|1\n");
  CHECK(shop.rows("SELECT topic,partition,next_offset,end_offset,watermark,idle FROM partitions") ==
        "orders|3|10|12|2026-11-22T10:00:00Z|1\n");
  CHECK(shop.rows("SELECT topic,partition,offset,reason,field,raw FROM rejects") ==
        "orders|3|4|bad_json||{\n");
  CHECK(shop.rows("SELECT * FROM lost_ranges") == "orders|3|10|24|15|2026-11-22T10:00:00Z\n");
  CHECK(shop.rows("SELECT * FROM log_history") ==
        "orders|3|2|0|10|5|cut back|2026-11-22T10:00:00Z\n");
}

}  // namespace
}  // namespace retailpulse::testing
