#include <retailpulse/decoder.h>

#include <string>

#include "base/hash.h"
#include "decode/json_walk.h"
#include "decode/decoding.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

constexpr std::string_view kSale =
    R"({"transaction_id":"t1","user_id":"u1","session_id":"s1","product_id":"p1","amount":12.50,)"
    R"("timestamp":"2025-06-15T15:06:40Z","quantity":2,"currency":"eur","category":" Toys ","order_id":"o1"})";

struct Bad {
  std::string value;
  std::string reject;
};

void check_rejects(Decoding& decode, const std::vector<Bad>& rows) {
  for (const Bad& row : rows) {
    CAPTURE(row.value);
    CHECK(decode.reject(row.value) == row.reject);
  }
}

// A transaction with everything it needs and `members` besides.
std::string sale_with(std::string_view members) {
  return R"({"product_id":"p","amount":1,)" + std::string(members) + "}";
}

}  // namespace

TEST_CASE("json_decoder: a sale, field by field") {
  Decoding decode(Role::kTransactions);
  const Event event = decode.event(kSale);
  CHECK(event.kind == EventKind::kSale);
  CHECK(event.amount_micros == 12'500'000);
  CHECK(event.quantity_milli == 2'000);
  CHECK(to_us(event.time) == Decoding::kRecordUs);
  CHECK(event.slot == PartitionSlot{3});
  CHECK(event.offset == 100);
  CHECK(event.flags == kFirstOfRecord);
  CHECK(event.visitor == hash64("u1"));
  CHECK(event.order == hash64("o1"));
  CHECK(event.record_id == hash64("t1", hash64(kSale)));
  CHECK(event.rating_milli == 0);
  CHECK(decode.name(Dimension::kProduct, event.product) == "p1");
  CHECK(decode.name(Dimension::kCategory, event.category) == "Toys");
  CHECK(decode.name(Dimension::kCurrency, event.currency) == "EUR");
  CHECK(decode.name(Dimension::kType, event.type) == "sale");
}

TEST_CASE("json_decoder: the least a sale needs, and what it then is") {
  Decoding decode(Role::kTransactions);
  decode.stream.currency = "CHF";
  const Event event = decode.event(R"({"product_id":42,"amount":"3.5"})");
  CHECK(event.kind == EventKind::kSale);
  CHECK(event.amount_micros == 3'500'000);
  CHECK(event.quantity_milli == 1'000);
  CHECK(event.flags == (kFirstOfRecord | kRecordTime));
  CHECK(to_us(event.time) == Decoding::kRecordUs);
  CHECK(event.visitor == 0);
  CHECK(event.order == 0);
  CHECK(event.record_id == 0);
  CHECK(event.category == kNoName);
  CHECK(decode.name(Dimension::kProduct, event.product) == "42");
  CHECK(decode.name(Dimension::kCurrency, event.currency) == "CHF");
  // null and empty are the same as absent, for what may be absent
  const Event same = decode.event(
      R"({"product_id":42,"amount":"3.5","transaction_id":null,"user_id":"","session_id":null,)"
      R"("timestamp":null,"quantity":null,"currency":null,"category":" ","order_id":"","op":null,"items":null})");
  CHECK(same.amount_micros == 3'500'000);
  CHECK(same.flags == event.flags);
  CHECK(same.visitor == 0);
  CHECK(same.order == 0);
  CHECK(same.record_id == 0);
  CHECK(same.category == kNoName);
  CHECK(same.currency == event.currency);
}

TEST_CASE("json_decoder: the visitor is the user, else the session, and never one for the other") {
  Decoding decode(Role::kTransactions);
  CHECK(decode.event(sale_with(R"("user_id":"7","session_id":"8")")).visitor == hash64("7"));
  CHECK(decode.event(sale_with(R"("user_id":7)")).visitor == hash64("7"));
  CHECK(decode.event(sale_with(R"("session_id":"7")")).visitor == hash64("7", 1));
  CHECK(hash64("7") != hash64("7", 1));
}

TEST_CASE("json_decoder: a changed body under the same id is another record") {
  Decoding decode(Role::kTransactions);
  const Event first = decode.event(sale_with(R"("transaction_id":"t","quantity":1)"));
  const Event again = decode.event(sale_with(R"("transaction_id":"t","quantity":1)"));
  const Event changed = decode.event(sale_with(R"("transaction_id":"t","quantity":2)"));
  CHECK(first.record_id != 0);
  CHECK(first.record_id == again.record_id);
  CHECK(first.record_id != changed.record_id);
}

TEST_CASE("json_decoder: refunds and cancels are positive amounts of their own kind") {
  Decoding decode(Role::kTransactions);
  struct Row {
    const char* members;
    EventKind kind;
    std::int64_t quantity_milli;
    const char* type;
  };
  const Row rows[] = {
      {R"("amount":5,"op":"sale")", EventKind::kSale, 1000, "sale"},
      {R"("amount":-5)", EventKind::kRefund, 1000, "refund"},
      {R"("amount":-5,"op":"Order","quantity":-3)", EventKind::kRefund, 3000, "refund"},
      {R"("amount":5,"op":"refund","quantity":-2)", EventKind::kRefund, 2000, "refund"},
      {R"("amount":-5,"op":"RETURN","quantity":2)", EventKind::kRefund, 2000, "refund"},
      {R"("amount":5,"op":"cancelled")", EventKind::kCancel, 1000, "cancel"},
      {R"("amount":-5,"op":"cancel","quantity":-1)", EventKind::kCancel, 1000, "cancel"},
  };
  for (const Row& row : rows) {
    CAPTURE(row.members);
    const Event event = decode.event(R"({"product_id":"p",)" + std::string(row.members) + "}");
    CHECK(event.kind == row.kind);
    CHECK(event.amount_micros == 5'000'000);
    CHECK(event.quantity_milli == row.quantity_milli);
    CHECK(decode.name(Dimension::kType, event.type) == row.type);
  }
}

TEST_CASE("json_decoder: items are lines of one order") {
  Decoding decode(Role::kTransactions);
  const std::string value =
      R"({"transaction_id":"t9","amount":99,"category":"All","user_id":"u","timestamp":1750000000,"items":[)"
      R"({"product_id":"a","amount":"1.25","quantity":2,"category":"Own","name":"Apple"},)"
      R"({"amount":-3,"product_id":"b"},{"product_id":"a","amount":0,"category":""}]})";
  REQUIRE(decode(value) == Decoder::Outcome::kEvents);
  REQUIRE(decode.batch.events.size() == 3);
  const std::vector<Event> events = decode.batch.events;
  CHECK(events[0].kind == EventKind::kSale);
  CHECK(events[0].amount_micros == 1'250'000);
  CHECK(events[0].quantity_milli == 2'000);
  CHECK(events[1].kind == EventKind::kRefund);
  CHECK(events[1].amount_micros == 3'000'000);
  CHECK(events[1].quantity_milli == 1'000);
  CHECK(events[2].kind == EventKind::kSale);
  CHECK(events[2].amount_micros == 0);
  CHECK(events[0].flags == kFirstOfRecord);
  CHECK(events[1].flags == 0);
  CHECK(events[2].flags == 0);
  for (const Event& event : events) {
    CHECK(event.order == hash64("t9"));
    CHECK(event.record_id == hash64("t9", hash64(value)));
    CHECK(event.visitor == hash64("u"));
    CHECK(event.offset == 100);
    CHECK(to_us(event.time) == Decoding::kRecordUs);
  }
  CHECK(events[0].product == events[2].product);
  CHECK(decode.name(Dimension::kCategory, events[0].category) == "Own");
  CHECK(decode.name(Dimension::kCategory, events[1].category) == "All");
  CHECK(decode.name(Dimension::kCategory, events[2].category) == "All");
  CHECK(decode.name(Dimension::kType, events[1].type) == "refund");
}

TEST_CASE("json_decoder: which lines share an order") {
  Decoding decode(Role::kTransactions);
  const std::string two =
      R"("items":[{"product_id":"a","amount":1},{"product_id":"b","amount":1}]})";
  const auto order = [&decode](const std::string& value) {
    decode.forget();
    REQUIRE(decode(value) == Decoder::Outcome::kEvents);
    const std::uint64_t first = decode.batch.events[0].order;
    for (const Event& event : decode.batch.events) CHECK(event.order == first);
    return first;
  };
  CHECK(order(R"({"transaction_id":"t","items":[{"product_id":"a","amount":1}]})") == 0);
  CHECK(order(R"({"order_id":"o","items":[{"product_id":"a","amount":1}]})") == hash64("o"));
  CHECK(order(R"({"transaction_id":"t","order_id":"o",)" + two) == hash64("o"));
  CHECK(order(R"({"transaction_id":"t",)" + two) == hash64("t"));
  const std::uint64_t unnamed = order("{" + two);
  CHECK(unnamed != 0);
  CHECK(order("{" + two) != unnamed);  // another offset
  decode.offset -= 2;
  CHECK(order("{" + two) == unnamed);  // the same record, read again
}

TEST_CASE("json_decoder: a bad line rejects the record and takes the lines before it back") {
  Decoding decode(Role::kTransactions);
  REQUIRE(decode(kSale) == Decoder::Outcome::kEvents);
  const Event before = decode.batch.events[0];
  const std::string bad =
      R"({"items":[{"product_id":"a","amount":1},{"product_id":"b","amount":"x"}]})";
  CHECK(decode(bad) == Decoder::Outcome::kRejected);
  REQUIRE(decode.batch.events.size() == 1);
  CHECK(decode.batch.events[0].record_id == before.record_id);
  REQUIRE(decode.batch.rejects.size() == 1);
  CHECK(decode.batch.rejects[0].field == "items[1].amount");
  CHECK(decode.batch.rejects[0].offset == 101);
  CHECK(decode.batch.rejects[0].slot == PartitionSlot{3});
  CHECK(to_us(decode.batch.rejects[0].record_time) == Decoding::kRecordUs);
  CHECK(decode.batch.rejects[0].raw == bad);
}

TEST_CASE("json_decoder: what rejects a transaction") {
  Decoding decode(Role::kTransactions);
  const std::string long_id(kNameBytesMax + 1, 'x');
  check_rejects(
      decode,
      {{R"({"amount":1})", "missing_field product_id"},
       {R"({"product_id":"","amount":1})", "missing_field product_id"},
       {R"({"product_id":null,"amount":1})", "missing_field product_id"},
       {R"({"product_id":true,"amount":1})", "wrong_type product_id"},
       {R"({"product_id":{},"amount":1})", "wrong_type product_id"},
       {R"({"product_id":["p"],"amount":1})", "wrong_type product_id"},
       {R"({"product_id":")" + long_id + R"(","amount":1})", "too_large product_id"},
       {sale_with(R"("user_id":")" + long_id + '"'), "too_large user_id"},
       {sale_with(R"("session_id":{})"), "wrong_type session_id"},
       {sale_with(R"("transaction_id":false)"), "wrong_type transaction_id"},
       {sale_with(R"("order_id":[])"), "wrong_type order_id"},
       {sale_with(R"("category":true)"), "wrong_type category"},
       {R"({"product_id":"p"})", "missing_field amount"},
       {R"({"product_id":"p","amount":null})", "missing_field amount"},
       {R"({"product_id":"p","amount":true})", "wrong_type amount"},
       {R"({"product_id":"p","amount":""})", "bad_money amount"},
       {R"({"product_id":"p","amount":"12,50"})", "bad_money amount"},
       {R"({"product_id":"p","amount":"NaN"})", "bad_money amount"},
       {R"({"product_id":"p","amount":1e300})", "bad_money amount"},
       {R"({"product_id":"p","amount":10000000000.01})", "bad_money amount"},
       {R"({"product_id":"p","amount":NaN})", "bad_json"},
       {sale_with(R"("quantity":-1)"), "bad_number quantity"},
       {sale_with(R"("quantity":"few")"), "bad_number quantity"},
       {sale_with(R"("quantity":1e10)"), "bad_number quantity"},
       {sale_with(R"("quantity":false)"), "wrong_type quantity"},
       {sale_with(R"("currency":"EURO")"), "bad_currency currency"},
       {sale_with(R"("currency":"")"), "bad_currency currency"},
       {sale_with(R"("currency":978)"), "wrong_type currency"},
       {sale_with(R"("op":"steal")"), "unknown_op op"},
       {sale_with(R"("op":1)"), "wrong_type op"},
       {sale_with(R"("timestamp":"yesterday")"), "bad_time timestamp"},
       {sale_with(R"("timestamp":"")"), "bad_time timestamp"},
       {sale_with(R"("timestamp":true)"), "wrong_type timestamp"},
       {sale_with(R"("timestamp":"1999-12-31T23:59:59.999999Z")"), "time_out_of_range timestamp"},
       {sale_with(R"("timestamp":"2100-01-01T00:00:00Z")"), "time_out_of_range timestamp"},
       {sale_with(R"("timestamp":0)"), "time_out_of_range timestamp"},
       {sale_with(R"("timestamp":-1)"), "time_out_of_range timestamp"},
       {sale_with(R"("timestamp":1e99)"), "time_out_of_range timestamp"},
       {sale_with(R"("items":[])"), "missing_field items"},
       {sale_with(R"("items":{})"), "wrong_type items"},
       {sale_with(R"("items":"none")"), "wrong_type items"},
       {sale_with(R"("items":[1])"), "wrong_type items[0]"},
       {sale_with(R"("items":[{"product_id":"a","amount":1},null])"), "wrong_type items[1]"},
       {sale_with(R"("items":[{"product_id":"a"}])"), "missing_field items[0].amount"},
       {sale_with(R"("items":[{"amount":1}])"), "missing_field items[0].product_id"},
       {sale_with(R"("items":[{"product_id":"a","amount":1,"quantity":-2}])"),
           "bad_number items[0].quantity"},
       {sale_with(R"("amount":2)"), "duplicate_key amount"},
       {sale_with(R"("items":[{"amount":1,"amount":1}])"), "duplicate_key items[0].amount"}});
}

TEST_CASE("json_decoder: what rejects any record, whatever its role") {
  using namespace std::string_literals;
  for (const Role role : {Role::kTransactions, Role::kListings, Role::kFeedback,
      Role::kInteractions}) {
    Decoding decode(role);
    const std::string deep = R"({"x":)" + std::string(40, '[') + std::string(40, ']') + "}";
    check_rejects(decode, {{"", "empty_value"},
                           {"  ", "empty_value"},
                           {"{", "truncated"},
                           {R"({"product_id":"p","amo)", "truncated"},
                           {"{}{}", "trailing_bytes"},
                           {"{} {", "trailing_bytes"},
                           {"{'a':1}", "bad_json"},
                           {"hello", "bad_json"},
                           {"\"text\"", "wrong_type"},
                           {"[]", "wrong_type"},
                           {"12", "wrong_type"},
                           {"null", "wrong_type"},
                           {deep, "too_deep"},
                           {"{\"a\":\"\xff\"}", "bad_utf8"},
                           {"\xef\xbb\xbf{}", "unsupported_encoding (UTF-8 byte order mark)"},
                           {"\xff\xfe{\0}\0"s, "unsupported_encoding (UTF-16)"},
                           {"\xfe\xff\0{\0}"s, "unsupported_encoding (UTF-16)"},
                           {"{\0}\0"s, "unsupported_encoding (UTF-16)"},
                           {"\0{\0}"s, "unsupported_encoding (UTF-16)"},
                           {"\0\0\0\0\7{}"s, "unsupported_encoding (Confluent prefix)"},
                           {"\0\0"s, "bad_json"},
                           {"{\"a\":\"" + std::string(kValueBytesMax, 'x') + "\"}", "too_large"}});
    EventBatch out;
    const Message tombstone{PartitionSlot{3}, 7, from_us(Decoding::kRecordUs), false, "key", {}};
    CHECK(decode.decoder->decode(tombstone, out) == Decoder::Outcome::kRejected);
    REQUIRE(out.rejects.size() == 1);
    CHECK(out.rejects[0].reason == Reason::kNullValue);
    CHECK(out.rejects[0].raw.empty());
  }
}

TEST_CASE("json_decoder: a large value is taken up to 1 MiB, and a reject keeps its first 2 KiB") {
  Decoding decode(Role::kTransactions);
  std::string value = sale_with(R"("note":"")");
  value.insert(value.size() - 2, kValueBytesMax - value.size(), 'x');
  REQUIRE(value.size() == kValueBytesMax);
  CHECK(decode.event(value).amount_micros == 1'000'000);
  value.insert(value.size() - 2, 1, 'x');
  CHECK(decode.reject(value) == "too_large");
  CHECK(decode.batch.rejects[0].raw == value.substr(0, kRejectRawBytes));
  CHECK(decode.event(kSale).amount_micros == 12'500'000);
}

TEST_CASE("json_decoder: 1000 items are taken, one more is not") {
  Decoding decode(Role::kTransactions);
  const auto with_items = [](std::size_t n) {
    std::string value = R"({"items":[)";
    for (std::size_t i = 0; i < n; ++i) {
      value += std::string(i > 0 ? "," : "") + R"({"product_id":"a","amount":1})";
    }
    return value + "]}";
  };
  CHECK(decode(with_items(kItemsMax)) == Decoder::Outcome::kEvents);
  CHECK(decode.batch.events.size() == kItemsMax);
  CHECK(decode.reject(with_items(kItemsMax + 1)) == "too_many_items items");
}

TEST_CASE("json_decoder: time, its range and its flags") {
  Decoding decode(Role::kTransactions);
  const auto at = [&decode](const std::string& text) {
    return decode.event(sale_with("\"timestamp\":\"" + text + "\""));
  };
  CHECK(to_us(at("2000-01-01T00:00:00Z").time) == to_us(decode.time.earliest));
  CHECK(to_us(at("2099-12-31T23:59:59.999999Z").time) == to_us(decode.time.latest) - 1);
  // one hour ahead of the record is allowed, one microsecond more is flagged
  CHECK((at("2025-06-15T16:06:40Z").flags & kFutureStamp) == 0);
  CHECK((at("2025-06-15T16:06:40.000001Z").flags & kFutureStamp) != 0);
  CHECK((at("2001-01-01T00:00:00Z").flags & kFutureStamp) == 0);
  CHECK(to_us(decode.event(sale_with(R"("timestamp":1485630413.0)")).time) == 1'485'630'413'000'000);
  CHECK(to_us(decode.event(sale_with(R"("timestamp":1485630413123)")).time) == 1'485'630'413'123'000);
  CHECK(to_us(decode.event(sale_with(R"("timestamp":" 1485630413123456 ")")).time) == 1'485'630'413'123'456);
}

TEST_CASE("json_decoder: with record time the timestamp is not even read") {
  Decoding decode(Role::kTransactions);
  decode.stream.record_time = true;
  const Event event = decode.event(sale_with(R"("timestamp":"yesterday")"));
  CHECK(to_us(event.time) == Decoding::kRecordUs);
  CHECK(event.flags == (kFirstOfRecord | kRecordTime));
  decode.record_us = -1'000;  // a record without a Kafka timestamp
  CHECK(decode.reject(sale_with(R"("x":1)")) == "time_out_of_range $ts");
}

TEST_CASE("json_decoder: naive times are in the configured zone") {
  TimeConfig berlin;
  berlin.zone = "Europe/Berlin";
  Decoding decode(Role::kTransactions, {}, berlin);
  const std::int64_t us =
      to_us(decode.event(sale_with(R"("timestamp":"2025-06-15 17:06:40")")).time);
  CHECK(us == Decoding::kRecordUs);
}

TEST_CASE("json_decoder: mapped fields, and rejects that name them as configured") {
  Decoding decode(Role::kTransactions, {{"amount", "order.total"},
                                        {"product_id", "sku"},
                                        {"items", "order.lines"},
                                        {"items.product_id", "article.no"}});
  Event event = decode.event(R"({"sku":"s","order":{"total":"7","id":1},"amount":5,"product_id":"no"})");
  CHECK(event.amount_micros == 7'000'000);
  CHECK(decode.name(Dimension::kProduct, event.product) == "s");
  event = decode.event(R"({"order":{"lines":[{"article":{"no":12},"amount":3}]}})");
  CHECK(event.amount_micros == 3'000'000);
  CHECK(decode.name(Dimension::kProduct, event.product) == "12");
  check_rejects(decode, {{R"({"sku":"s","amount":5})", "missing_field order.total"},
                         {R"({"order":{"total":1}})", "missing_field sku"},
                         {R"({"order":{"lines":[{"amount":3}]}})",
                             "missing_field order.lines[0].article.no"},
                         {R"({"order":{"lines":[7]}})", "wrong_type order.lines[0]"},
                         {R"({"order":{"total":1},"order":{"total":2}})", "duplicate_key order"}});
}

TEST_CASE("json_decoder: listings") {
  Decoding decode(Role::kListings);
  const std::string value =
      R"({"product_id":"p","name":" Toy \u00e9 ","category":"Toys/Wood","price":"9.99","currency":"eur",)"
      R"("timestamp":"2025-06-15T15:06:40Z"})";
  Event event = decode.event(value);
  CHECK(event.kind == EventKind::kListing);
  REQUIRE(decode.batch.listings.size() == 1);
  CHECK(event.listing == 0);
  const Listing listing = decode.batch.listings[0];
  CHECK(listing.product == event.product);
  CHECK(listing.name == "Toy \xc3\xa9");
  CHECK(listing.has_price);
  CHECK(listing.price_micros == 9'990'000);
  CHECK_FALSE(listing.deleted);
  CHECK(listing.from == event.time);
  CHECK(listing.offset == event.offset);
  CHECK(decode.name(Dimension::kCategory, listing.category) == "Toys/Wood");
  CHECK(decode.name(Dimension::kCurrency, listing.currency) == "EUR");
  CHECK(decode.name(Dimension::kType, event.type) == "listing");

  CHECK(decode(R"({"product_id":"q","op":"DELETE"})") == Decoder::Outcome::kEvents);
  REQUIRE(decode.batch.listings.size() == 2);
  CHECK(decode.batch.events[1].listing == 1);
  CHECK(decode.batch.listings[1].deleted);
  CHECK_FALSE(decode.batch.listings[1].has_price);
  CHECK(decode.batch.listings[1].name.empty());
  CHECK(decode.batch.listings[1].category == kNoName);

  check_rejects(decode, {{R"({"name":"x"})", "missing_field product_id"},
                         {R"({"product_id":"p","price":"free"})", "bad_money price"},
                         {R"({"product_id":"p","price":-1})", "bad_money price"},
                         {R"({"product_id":"p","price":[]})", "wrong_type price"},
                         {R"({"product_id":"p","op":"sale"})", "unknown_op op"},
                         {R"({"product_id":"p","currency":"??"})", "bad_currency currency"},
                         {R"({"product_id":"p","name":")" + std::string(257, 'n') + "\"}",
                             "too_large name"}});
}

TEST_CASE("json_decoder: feedback") {
  Decoding decode(Role::kFeedback);
  const std::string value =
      R"({"feedback_id":"f1","product_id":"p","user_id":"u","rating":4.5,"comment":"so \"good\" \ud83d\ude00",)"
      R"("timestamp":1750000000000})";
  const Event event = decode.event(value);
  CHECK(event.kind == EventKind::kFeedback);
  CHECK(event.rating_milli == 4'500);
  CHECK(event.visitor == hash64("u"));
  CHECK(event.record_id == hash64("f1", hash64(value)));
  CHECK(event.order == 0);
  CHECK(event.currency == kNoName);
  CHECK(decode.name(Dimension::kType, event.type) == "rating");
  CHECK(decode.event(R"({"product_id":"p","rating":"5"})").rating_milli == 5'000);
  check_rejects(decode, {{R"({"rating":4})", "missing_field product_id"},
                         {R"({"product_id":"p"})", "missing_field rating"},
                         {R"({"product_id":"p","rating":0})", "rating_out_of_range rating"},
                         {R"({"product_id":"p","rating":5.5})", "rating_out_of_range rating"},
                         {R"({"product_id":"p","rating":"great"})", "bad_number rating"},
                         {R"({"product_id":"p","rating":{}})", "wrong_type rating"}});
}

TEST_CASE("json_decoder: interactions") {
  Decoding decode(Role::kInteractions);
  const std::string value =
      R"({"interaction_id":"i1","type":" Add_To_Cart ","session_id":"s","product_id":"p","timestamp":1750000000})";
  Event event = decode.event(value);
  CHECK(event.kind == EventKind::kInteraction);
  CHECK(event.record_id == hash64("i1", hash64(value)));
  CHECK(event.visitor == hash64("s", 1));
  CHECK(decode.name(Dimension::kType, event.type) == "add_to_cart");
  CHECK(decode.name(Dimension::kProduct, event.product) == "p");

  const std::string aliased = R"({"event_id":"e","event_type":"view"})";
  event = decode.event(aliased);
  CHECK(event.record_id == hash64("e", hash64(aliased)));
  CHECK(event.product == kNoName);
  CHECK(decode.name(Dimension::kType, event.type) == "view");
  event = decode.event(R"({"action":"click","type":null})");
  CHECK(decode.name(Dimension::kType, event.type) == "click");
  event = decode.event(R"({"action":"click","event_type":"view","type":"buy"})");
  CHECK(decode.name(Dimension::kType, event.type) == "buy");
  check_rejects(decode, {{"{}", "missing_field type"},
                         {R"({"type":" "})", "missing_field type"},
                         {R"({"type":null})", "missing_field type"},
                         {R"({"action":3})", "wrong_type action"},
                         {R"({"type":"a","type":"b"})", "duplicate_key type"},
                         {R"({"type":")" + std::string(257, 't') + "\"}", "too_large type"}});
}

TEST_CASE("json_decoder: names are given once, for all streams of the lane") {
  Decoding decode(Role::kTransactions);
  StreamConfig listings;
  listings.role = Role::kListings;
  decode.decoder->bind(PartitionSlot{0}, listings);
  REQUIRE(decode(kSale) == Decoder::Outcome::kEvents);
  const NameId product = decode.batch.events[0].product;
  CHECK(decode.batch.names.size() == 4);
  decode.batch.clear();
  const Message message{PartitionSlot{0}, 1, from_us(Decoding::kRecordUs), true, {},
      R"({"product_id":"p1"})"};
  REQUIRE(decode.decoder->decode(message, decode.batch) == Decoder::Outcome::kEvents);
  CHECK(decode.batch.events[0].product == product);
  REQUIRE(decode.batch.names.size() == 2);  // USD and "listing"
  CHECK(decode.batch.names[0].text == "USD");
  CHECK(decode.batch.names[0].id == NameId{1});
  REQUIRE(decode(kSale) == Decoder::Outcome::kEvents);
  CHECK(decode.batch.names.size() == 2);
}

TEST_CASE("json_decoder: rounded amounts and capped names are counted") {
  Decoding decode(Role::kInteractions);
  for (std::uint32_t i = 0; i < kDimensionCap[3] + 10; ++i) {
    REQUIRE(decode("{\"type\":\"t" + std::to_string(i) + "\"}") == Decoder::Outcome::kEvents);
  }
  CHECK(decode.metrics.names_capped.get() == 10);
  CHECK(decode.batch.events.back().type == kOtherName);
  CHECK(decode.batch.names.size() == kDimensionCap[3]);

  Decoding sales(Role::kTransactions);
  CHECK(sales.event(R"({"product_id":"p","amount":0.0000015})").amount_micros == 2);
  CHECK(sales.event(R"({"product_id":"p","amount":0.5})").amount_micros == 500'000);
  CHECK(sales.reject(R"({"product_id":"p","amount":0.0000015,"quantity":"x"})") == "bad_number quantity");
  CHECK(sales.metrics.money_rounded.get() == 1);
}

}  // namespace retailpulse
