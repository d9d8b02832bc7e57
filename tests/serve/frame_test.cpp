#include "serve/frame_facts.h"

#include <random>

#include <nlohmann/json.hpp>

#include "serve/frame_text.h"
#include "support/catch.h"
#include "support/shop_file.h"

namespace retailpulse::testing {
namespace {

using Json = nlohmann::json;
constexpr std::int64_t kMinute = 60 * kSecondUs;
constexpr std::int64_t kHour = 3600 * kSecondUs;

LiveFacts facts_of(const ShopFile& shop, const Scope& scope = {}) {
  auto reader = open_history(shop.path(), system_clock());
  REQUIRE(reader.ok());
  LiveFacts facts;
  const Status read = reader.value()->read(
      [&](HistoryView& view) { facts = read_facts(view, shop.zone(), scope); });
  INFO(read.message());
  REQUIRE(read.ok());
  return facts;
}

FrameParts parts_of(const ShopFile& shop, const Scope& scope = {}) {
  FrameContext context{"boot1", kTenOClock + 2 * kSecondUs, {}};
  context.status.lag_records = 312;
  context.status.reason = "all <well>";
  return frame_parts(facts_of(shop, scope), context, shop.zone());
}

Json frame_of(const ShopFile& shop, const Scope& scope = {}) {
  return Json::parse(snapshot_text(parts_of(shop, scope)));
}

TEST_CASE("frame: an empty store gives nulls with reasons, not zeros") {
  ShopFile shop;
  const Json frame = frame_of(shop);
  CHECK(frame["watermark_us"].is_null());
  CHECK(frame["delay_s"].is_null());
  for (const char* name : {"net_revenue", "orders", "aov", "average_rating", "active_visitors",
                           "transactions_per_second"}) {
    CAPTURE(name);
    CHECK(frame["kpis"][name]["value"].is_null());
    CHECK_FALSE(frame["kpis"][name]["why_null"].get<std::string>().empty());
  }
  CHECK(frame["series"]["panes"].empty());
  CHECK(frame["currency"] == "");
  CHECK(frame["ratings"]["mean"].is_null());
}

TEST_CASE("frame: what Kafka deleted before it was counted is said for a day") {
  ShopFile shop;
  shop.watermark(kTenOClock);
  CHECK(frame_of(shop)["lost"] == Json({{"ranges", 0}, {"offsets", 0}, {"lately", ""}}));
  shop.sql(fmt::format(
      "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,idle,consumed,"
      "late,future) VALUES(1,'orders',2,0,40,0,10,0,0);"
      "UPDATE clock SET wall_us={0};"
      "INSERT INTO gaps VALUES(1,1,3,10,{0}-24*3600*1000000-1),(2,1,20,30,{0}-5)",
      kTenOClock));
  Json lost = frame_of(shop)["lost"];
  CHECK(lost["ranges"] == 2);
  CHECK(lost["offsets"] == 17);
  CHECK(lost["lately"].get<std::string>().find("offsets 20 to 29 of topic 'orders', partition 2, "
                                               "noticed 2026-11-22T09:59:59") != std::string::npos);
  CHECK(lost["lately"].get<std::string>().find("more") == std::string::npos);
  shop.sql("INSERT INTO gaps VALUES(3,1,30,31,(SELECT wall_us FROM clock))");
  lost = frame_of(shop)["lost"];
  CHECK(lost["lately"].get<std::string>().find("and 1 more ranges") != std::string::npos);
}

TEST_CASE("frame: has every member of the contract, and times as text and as microseconds") {
  ShopFile shop;
  shop.book({.us = kTenOClock - kMinute, .gross_micros = 12'300'000});
  shop.watermark(kTenOClock, 1234);
  const Json frame = frame_of(shop);
  for (const char* name :
       {"frame", "schema", "boot", "wall_us", "wall", "watermark_us", "watermark", "delay_s", "zone",
        "today", "day_from_us", "state", "rate", "lag", "ledger", "currency", "currencies", "kpis",
        "series", "categories", "types", "top_products", "ratings", "lost"}) {
    CAPTURE(name);
    CHECK(frame.contains(name));
  }
  CHECK(frame["frame"] == 1234);
  CHECK(frame["watermark"] == "2026-11-22T10:00:00Z");
  CHECK(frame["delay_s"] == 2);
  CHECK(frame["today"] == "2026-11-22");
  CHECK(frame["zone"] == "Europe/Berlin");
  CHECK(frame["lag"]["records"] == 312);
  CHECK(frame["state"]["name"] == "live");
  CHECK(frame["currency"] == "EUR");
  CHECK(frame["kpis"].size() == 9);
  CHECK(frame["kpis"]["active_visitors"]["error"] == 0.01625);
}

TEST_CASE("frame: the tiles of today are the day's sums, exactly") {
  ShopFile shop;
  const std::int64_t midnight = kTenOClock - 11 * kHour;  // Berlin's
  shop.book({.us = midnight - 1, .gross_micros = 1'000'000'000});
  shop.book({.us = midnight, .gross_micros = 10'000'000, .refunds_micros = 1'500'000});
  shop.book({.us = kTenOClock - 1, .gross_micros = 10'010'000, .units_milli = 2500});
  shop.book({.us = kTenOClock - 1, .gross_micros = 0, .orders = 1});
  shop.rate(kTenOClock - 1, "p1", 4);
  shop.rate(kTenOClock - 1, "p1", 5);
  shop.watermark(kTenOClock);
  const Json kpis = frame_of(shop)["kpis"];
  CHECK(kpis["net_revenue"]["value"] == "18.51");
  CHECK(kpis["gross_revenue"]["value"] == "20.01");
  CHECK(kpis["refunds"]["value"] == "1.50");
  CHECK(kpis["orders"]["value"] == 3);
  CHECK(kpis["units"]["value"] == 4.5);
  CHECK(kpis["aov"]["value"] == "6.67");
  CHECK(kpis["average_rating"]["value"] == "4.5");
  CHECK(kpis["average_rating"]["n"] == 2);
  CHECK(kpis["net_revenue"]["currency"] == "EUR");
  CHECK(shop.rows("SELECT net FROM totals_by_day WHERE day='2026-11-22'") == "18.51\n");
}

TEST_CASE("frame: today is compared with yesterday up to the same time, when yesterday is whole") {
  ShopFile shop;
  const std::int64_t midnight = kTenOClock - 11 * kHour;  // Berlin's
  const std::int64_t yesterday = midnight - 24 * kHour;
  shop.book({.us = kTenOClock - 1, .gross_micros = 30'000'000});
  shop.book({.us = yesterday, .gross_micros = 10'000'000, .refunds_micros = 500'000});
  shop.book({.us = yesterday + 11 * kHour + 4 * kMinute, .gross_micros = 2'000'000});
  shop.book({.us = yesterday + 11 * kHour + 5 * kMinute, .gross_micros = 70'000'000});  // later
  shop.book({.us = yesterday, .currency = "USD", .gross_micros = 9'000'000});
  shop.watermark(kTenOClock + 5 * kMinute + kSecondUs);
  CHECK_FALSE(frame_of(shop)["kpis"]["net_revenue"].contains("previous"));  // began that day?
  shop.book({.us = yesterday - 1, .gross_micros = 400'000'000});
  const Json kpis = frame_of(shop)["kpis"];
  CHECK(kpis["net_revenue"]["value"] == "30.00");
  CHECK(kpis["net_revenue"]["previous"] == "11.50");
  CHECK(kpis["refunds"]["previous"] == "0.50");
  CHECK(kpis["orders"]["previous"] == 2);
  CHECK(kpis["aov"]["previous"] == "6.00");
  CHECK_FALSE(kpis["average_rating"].contains("previous"));
}

TEST_CASE("frame: transactions per second are those of the last final minute") {
  ShopFile shop;
  for (int i = 0; i < 90; ++i) shop.book({.us = kTenOClock - (i + 1) * kSecondUs});
  shop.book({.us = kTenOClock + kSecondUs});  // beyond the data clock
  shop.watermark(kTenOClock);
  const Json frame = frame_of(shop);
  CHECK(frame["kpis"]["transactions_per_second"]["value"] == 1);
  CHECK(frame["kpis"]["transactions_per_second"]["spark"].size() == 60);
  CHECK(frame["kpis"]["orders"]["value"] == 91);
}

TEST_CASE("frame: the series has gaps where nothing was seen and zeros where nothing was sold") {
  ShopFile shop;
  shop.book({.us = kTenOClock - 10 * kMinute, .gross_micros = 1'000'000});
  shop.events(kTenOClock - 9 * kMinute, "view", 3);
  shop.book({.us = kTenOClock - 7 * kMinute, .gross_micros = 2'000'000});
  shop.book({.us = kTenOClock + kSecondUs, .gross_micros = 4'000'000});
  shop.watermark(kTenOClock);
  shop.sql(fmt::format("UPDATE clock SET newest_event_us={}", kTenOClock + kSecondUs));
  shop.sql(fmt::format("UPDATE totals SET revision=2 WHERE pane_us={}", kTenOClock - 7 * kMinute));
  const Json series = frame_of(shop)["series"];
  CHECK(series["step_us"] == kMinute);
  CHECK(series["to_us"].get<std::int64_t>() == kTenOClock + kMinute);
  CHECK(series["to_us"].get<std::int64_t>() - series["from_us"].get<std::int64_t>() == kHour);
  REQUIRE(series["panes"].size() == 4);
  CHECK(series["panes"][0]["net"] == "1.00");
  CHECK(series["panes"][1]["net"] == "0.00");
  CHECK(series["panes"][1]["start_us"].get<std::int64_t>() == kTenOClock - 9 * kMinute);
  CHECK(series["panes"][2]["state"] == "revised");
  CHECK(series["panes"][2]["revision"] == 2);
  CHECK(series["panes"][3]["state"] == "provisional");
}

TEST_CASE("frame: each range has its step") {
  ShopFile shop;
  shop.book({.us = kTenOClock - 1});
  shop.watermark(kTenOClock);
  const std::pair<const char*, std::int64_t> kSteps[] = {
      {"15m", 10}, {"1h", 60}, {"6h", 60}, {"24h", 900}, {"", 60}, {"nonsense", 60}};
  for (const auto& [range, seconds] : kSteps) {
    CAPTURE(range);
    const Json series = frame_of(shop, {"", range})["series"];
    CHECK(series["step_us"] == seconds * kSecondUs);
    CHECK(series["panes"].size() == 1);
  }
}

TEST_CASE("frame: at most twelve categories and then (other), summing to the total") {
  ShopFile shop;
  std::int64_t total = 0;
  for (int i = 0; i < 20; ++i) {
    const std::int64_t gross = (i + 1) * 1'000'000;
    shop.book({.us = kTenOClock - 1, .product = "p" + std::to_string(i),
               .category = i == 19 ? "" : "c" + std::to_string(i), .gross_micros = gross});
    total += gross;
  }
  shop.watermark(kTenOClock);
  const Json frame = frame_of(shop);
  const Json& categories = frame["categories"];
  REQUIRE(categories.size() == 13);
  CHECK(categories[0]["name"] == "(unknown)");
  CHECK(categories[0]["net"] == "20.00");
  CHECK(categories[12]["name"] == "(other)");
  CHECK(categories[12]["net"] == "36.00");
  CHECK(frame["kpis"]["net_revenue"]["value"] == format_micros(total, 2));
  const Json& top = frame["top_products"];
  CHECK(top["by_revenue"].size() == 10);
  CHECK(top["by_revenue"][0]["id"] == "p19");
  CHECK(top["other"]["net"] == "55.00");
  CHECK(top["other"]["products"] == 10);
}

TEST_CASE("frame: money of several currencies is never added; the most sold is the default") {
  ShopFile shop;
  shop.book({.us = kTenOClock - 1, .currency = "JPY", .gross_micros = 0});
  shop.book({.us = kTenOClock - 1, .currency = "USD", .gross_micros = 3'000'000});
  shop.book({.us = kTenOClock - 1, .currency = "JPY", .gross_micros = 500'000'000});
  shop.watermark(kTenOClock);
  CHECK(frame_of(shop)["currency"] == "JPY");
  CHECK(frame_of(shop)["kpis"]["net_revenue"]["value"] == "500");
  CHECK(frame_of(shop)["currencies"] == Json({"JPY", "USD"}));
  const Json dollars = frame_of(shop, {"USD", ""});
  CHECK(dollars["kpis"]["net_revenue"]["value"] == "3.00");
  CHECK(dollars["series"]["currency"] == "USD");
  CHECK(frame_of(shop, {"XYZ", ""})["currency"] == "JPY");
}

TEST_CASE("frame: one vote of five stars does not lead") {
  ShopFile shop;
  for (int i = 0; i < 100; ++i) shop.rate(kTenOClock - 1, "solid", i % 10 == 0 ? 4 : 5);
  shop.rate(kTenOClock - 1, "lucky", 5);
  for (int i = 0; i < 60; ++i) shop.rate(kTenOClock - 1, "bad" + std::to_string(i % 6), 2);
  shop.watermark(kTenOClock);
  const Json ratings = frame_of(shop)["ratings"];
  CHECK(ratings["best"][0]["id"] == "solid");
  CHECK(ratings["n"] == 161);
  CHECK(ratings["stars"] == Json({0, 60, 0, 10, 91}));
  CHECK(ratings["best"].size() == 5);
  CHECK(ratings["worst"].size() == 3);  // the eight products once each
}

TEST_CASE("frame: hostile names are text in it") {
  ShopFile shop;
  const std::string evil = "<img src=x onerror=alert(1)>&\xe2\x80\xa8\"\\\x01\xff";
  shop.list("p1", evil, evil);
  shop.book({.us = kTenOClock - 1, .gross_micros = 1'000'000});
  shop.events(kTenOClock - 1, evil, 1);
  shop.watermark(kTenOClock);
  const std::string text = snapshot_text(parts_of(shop));
  for (const char* raw : {"<", ">", "&", "\xe2\x80\xa8", "\x01", "\xff", "\n"}) {
    CAPTURE(raw);
    CHECK(text.find(raw) == std::string::npos);
  }
  const Json frame = Json::parse(text);
  CHECK(frame["top_products"]["by_revenue"][0]["name"] ==
        "<img src=x onerror=alert(1)>&\xe2\x80\xa8\"\\\x01\xef\xbf\xbd");
  CHECK(frame["state"]["reason"] == "all <well>");
}

// What the page does with a delta.
void merge(Json& frame, const Json& delta) {
  for (const auto& [name, value] : delta.items()) {
    if (name != "series") frame[name] = value;
  }
  if (!delta.contains("series")) return;
  std::map<std::int64_t, Json> panes;
  const auto from = delta["series"]["from_us"].get<std::int64_t>();
  const Json old = frame["series"]["panes"];
  for (const Json* list : {&old, &delta["series"]["panes"]}) {
    for (const Json& pane : *list) panes[pane["start_us"].get<std::int64_t>()] = pane;
  }
  frame["series"] = delta["series"];
  frame["series"]["panes"] = Json::array();
  for (const auto& [start, pane] : panes) {
    if (start >= from) frame["series"]["panes"].push_back(pane);
  }
}

TEST_CASE("frame: a snapshot and its deltas are the next snapshot") {
  ShopFile shop;
  const std::uint32_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937 random(seed);
  shop.book({.us = kTenOClock - kHour});
  shop.watermark(kTenOClock, 1);
  FrameParts before = parts_of(shop);
  Json page = Json::parse(snapshot_text(before));
  for (int step = 1; step <= 40; ++step) {
    const std::int64_t now = kTenOClock + step * 20 * kSecondUs;
    if (random() % 4 != 0) {
      const auto late = static_cast<std::int64_t>(random() % 1800) * kSecondUs;
      shop.book({.us = now - late, .product = "p" + std::to_string(random() % 30),
                 .gross_micros = static_cast<std::int64_t>(random() % 50'000'000)});
    }
    if (random() % 3 == 0) shop.rate(now, "p1", 1 + static_cast<int>(random() % 5));
    shop.watermark(now, 1 + step);
    const FrameParts after = parts_of(shop);
    merge(page, Json::parse(delta_text(after, before)));
    const Json snapshot = Json::parse(snapshot_text(after));
    REQUIRE(page == snapshot);
    before = after;
  }
}

TEST_CASE("frame: a delta leaves out what is the same") {
  ShopFile shop;
  shop.book({.us = kTenOClock - 1});
  shop.watermark(kTenOClock, 1);
  const FrameParts a = parts_of(shop);
  CHECK(delta_text(a, a) == "{\"frame\":1}");
}

TEST_CASE("frame math: rounding is half to even, also below zero") {
  CHECK(divide_half_even(5, 2) == 2);
  CHECK(divide_half_even(7, 2) == 4);
  CHECK(divide_half_even(-5, 2) == -2);
  CHECK(divide_half_even(-7, 2) == -4);
  CHECK(divide_half_even(-1, 3) == 0);
  CHECK(divide_half_even(INT64_MAX, 1) == INT64_MAX);
  CHECK(average_order_micros({.orders = 3, .gross_micros = 10'000'000}, 2) == 3'330'000);
  CHECK(average_order_micros({.orders = 8, .gross_micros = 1'000'000}, 2) == 120'000);  // 0.125
  CHECK(average_order_micros({.orders = 2, .gross_micros = 3'000'000}, 0) == 2'000'000);
  CHECK_FALSE(average_order_micros({.gross_micros = 1}, 2));
  CHECK(units_text(-2500) == "-2.5");
  CHECK(units_text(INT64_MIN) == "-9223372036854775.808");
  CHECK(stars_text(5000) == "5.0");
  CHECK(bayes_milli({5000, 1}, {400'000, 100}) == 4091);  // (10*4+5)/11
}

std::vector<PeakPane> flat(std::size_t count, std::int64_t value) {
  return std::vector<PeakPane>(count, {value, true});
}

TEST_CASE("frame math: a peak needs three high panes; gaps of two are bridged") {
  auto panes = flat(60, 100);
  for (const std::int64_t v : {300, 300, 100, 100, 300, 100, 100, 100, 300}) panes.push_back({v, true});
  auto peaks = find_peaks(panes);
  REQUIRE(peaks.size() == 1);
  CHECK(peaks[0].begin == 60);
  CHECK(peaks[0].end == 65);
  CHECK(peaks[0].excess_micros == 600);
  CHECK_FALSE(peaks[0].provisional);
  panes.resize(63);
  CHECK(find_peaks(panes).empty());
}

TEST_CASE("frame math: peaks wait for final panes and for a baseline") {
  auto panes = flat(60, 100);
  for (int i = 0; i < 3; ++i) panes.push_back({500, true});
  REQUIRE(find_peaks(panes).size() == 1);
  CHECK(find_peaks(panes)[0].provisional);
  panes.back().closed = false;
  CHECK(find_peaks(panes).empty());
  auto few = flat(17, 100);  // the last high pane has a baseline of nineteen
  for (int i = 0; i < 3; ++i) few.push_back({500, true});
  CHECK(find_peaks(few).empty());
  // 24 % above is no peak, 25 % is.
  auto low = flat(60, 100);
  for (int i = 0; i < 3; ++i) low.push_back({124, true});
  CHECK(find_peaks(low).empty());
  for (std::size_t i = 60; i < 63; ++i) low[i].micros = 125;
  CHECK(find_peaks(low).size() == 1);
}

}  // namespace
}  // namespace retailpulse::testing
