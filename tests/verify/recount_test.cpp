#include "verify/recount.h"

#include "support/catch.h"

using namespace retailpulse;

namespace {

constexpr std::int64_t kNoon = 1'732'536'000'000'000;  // 2024-11-25T12:00:00Z
constexpr std::int64_t kMinute = 60 * kSecondUs;

PaneRange everything() {
  PaneRange range;
  range.from_us.fill(INT64_MIN);
  range.to_us.fill(INT64_MAX);
  return range;
}

EventBatch named_batch() {
  EventBatch batch;
  batch.names = {{Dimension::kProduct, NameId{0}, "lamp"},
                 {Dimension::kCategory, NameId{0}, "Home"},
                 {Dimension::kCategory, NameId{1}, "Light"},
                 {Dimension::kCurrency, NameId{0}, "EUR"},
                 {Dimension::kType, NameId{0}, "sale"}};
  return batch;
}

Event sale(std::int64_t t_us, std::int64_t amount_micros) {
  Event event;
  event.time = from_us(t_us);
  event.kind = EventKind::kSale;
  event.product = NameId{0};
  event.currency = NameId{0};
  event.type = NameId{0};
  event.amount_micros = amount_micros;
  event.quantity_milli = 1000;
  event.flags = kFirstOfRecord;
  return event;
}

Zone utc() { return Zone::find("UTC").value(); }

}  // namespace

TEST_CASE("recount: a category is the one of the minute, known when all is read") {
  const Zone zone = utc();
  Recount recount(zone, everything());
  EventBatch batch = named_batch();
  batch.events = {sale(kNoon, 1), sale(kNoon + 5 * kMinute, 2)};
  for (std::uint32_t i = 0; i < 2; ++i) {
    Event event = sale(kNoon - kMinute, 0);
    event.kind = EventKind::kListing;
    event.type = kNoName;
    event.listing = i;
    batch.events.push_back(event);
    Listing listing;
    listing.product = NameId{0};
    listing.category = NameId{i};
    listing.from = from_us(kNoon + (i == 0 ? -kMinute : 3 * kMinute));
    batch.listings.push_back(listing);
  }
  recount.add(batch);
  const Panes panes = recount.panes();
  const PaneSums first{1, 1, 1000, 1, 0};
  const PaneSums second{1, 1, 1000, 2, 0};
  REQUIRE(panes.at({PaneTable::kCategories, Tier::kMinute, kNoon, "Home", "EUR"}) == first);
  REQUIRE(panes.at({PaneTable::kCategories, Tier::kMinute, kNoon + 5 * kMinute, "Light", "EUR"}) ==
          second);
  REQUIRE(panes.at({PaneTable::kTypes, Tier::kMinute, kNoon, "sale", ""})[0] == 1);
}

TEST_CASE("recount: lines of one order are one order, in the minute of the first") {
  const Zone zone = utc();
  Recount recount(zone, everything());
  EventBatch batch = named_batch();
  batch.events = {sale(kNoon + kMinute, 7), sale(kNoon, 5)};
  for (Event& event : batch.events) event.order = 99;
  recount.add(batch);
  const Panes panes = recount.panes();
  const PaneSums first{1, 1, 1000, 5, 0};
  const PaneSums second{0, 1, 1000, 7, 0};
  REQUIRE(panes.at({PaneTable::kTotals, Tier::kMinute, kNoon, "", "EUR"}) == first);
  REQUIRE(panes.at({PaneTable::kTotals, Tier::kMinute, kNoon + kMinute, "", "EUR"}) == second);
}

TEST_CASE("recount: a record seen again gives nothing") {
  const Zone zone = utc();
  Recount recount(zone, everything());
  EventBatch batch = named_batch();
  batch.events = {sale(kNoon, 5), sale(kNoon, 5)};
  for (Event& event : batch.events) event.record_id = 17;
  recount.add(batch);
  REQUIRE(recount.duplicates(PartitionSlot{0}) == 1);
  REQUIRE(recount.panes().at({PaneTable::kTotals, Tier::kMinute, kNoon, "", "EUR"})[3] == 5);
}

TEST_CASE("panes: the first difference is named, and nothing equals zeros") {
  const PaneKey key{PaneTable::kTotals, Tier::kMinute, kNoon, "", "EUR"};
  const PaneKey day{PaneTable::kProducts, Tier::kDay, kNoon - 12 * 60 * kMinute, "lamp", "EUR"};
  REQUIRE_FALSE(first_difference({{key, {}}}, {}));
  REQUIRE_FALSE(first_difference({{key, {1, 2}}}, {{key, {1, 2}}}));
  REQUIRE(*first_difference({{key, {1, 2}}}, {{key, {1, 3}}}) ==
          "totals 1m of 2024-11-25T12:00:00Z, EUR: lines is 2 in the store and 3 in Kafka");
  REQUIRE(*first_difference({}, {{day, {0, 0, 4}}}) ==
          "products 1d of 2024-11-25, \"lamp\", EUR: units_milli is 0 in the store and 4 in Kafka");
}
