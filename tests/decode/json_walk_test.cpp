#include "decode/json_walk.h"

#include <cstring>
#include <random>
#include <string>

#include <sys/mman.h>
#include <unistd.h>

#include "decode/json_fault.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

using Paths = std::map<std::string, std::string>;

struct Walking {
  explicit Walking(Paths fields = {}) : plan(stream(std::move(fields))) {}
  static StreamConfig stream(Paths fields) {
    StreamConfig config;
    config.fields = std::move(fields);
    return config;
  }
  JsonWalker::Result operator()(std::string_view value) {
    out.clear();
    outcome = walker.walk(value, plan, out);
    return outcome.result;
  }
  std::string text(Field field) const { return std::string(out[field].text()); }

  FieldPlan plan;
  RecordFields out;
  JsonWalker walker;
  JsonWalker::Outcome outcome;
};

using Result = JsonWalker::Result;

}  // namespace

TEST_CASE("json_walk: texts of fields, whatever stands around them") {
  Walking walk;
  REQUIRE(walk(R"( { "x" : [ 1 , { "amount" : 7 } ] , "amount" : -12.50e0 , "op" : "a\"b\u00e9" ,)"
               R"( "user_id" : "" , "category" : null , "currency" : true , "order_id" : {"op":1} ,)"
               R"( "session_id":[1,"2"], "product_id" : "p" } )") == Result::kOk);
  CHECK(walk.text(Field::kAmount) == "-12.50e0");
  CHECK(walk.out[Field::kAmount].kind == ValueKind::kNumber);
  CHECK(walk.text(Field::kOp) == "a\"b\xc3\xa9");
  CHECK(walk.out[Field::kUser].kind == ValueKind::kString);
  CHECK(walk.text(Field::kUser).empty());
  CHECK(walk.out[Field::kCategory].kind == ValueKind::kNull);
  CHECK(walk.out[Field::kCurrency].kind == ValueKind::kBool);
  CHECK(walk.out[Field::kOrder].kind == ValueKind::kObject);
  CHECK(walk.out[Field::kSession].kind == ValueKind::kArray);
  CHECK(walk.text(Field::kProduct) == "p");
  CHECK(walk.out[Field::kTimestamp].kind == ValueKind::kAbsent);
}

TEST_CASE("json_walk: nested paths, a path that begins another, one key for two fields") {
  Walking walk({{"amount", "order.total"}, {"currency", "order.money.code"}, {"category", "order"},
                {"user_id", "order.total"}});
  REQUIRE(walk(R"({"total":1,"order":{"total":2,"money":{"x":3,"code":"EUR"}},"money":{"code":"X"}})") ==
          Result::kOk);
  CHECK(walk.text(Field::kAmount) == "2");
  CHECK(walk.text(Field::kUser) == "2");
  CHECK(walk.text(Field::kCurrency) == "EUR");
  CHECK(walk.out[Field::kCategory].kind == ValueKind::kObject);
  REQUIRE(walk(R"({"order":"text"})") == Result::kOk);
  CHECK(walk.text(Field::kCategory) == "text");
  CHECK(walk.out[Field::kAmount].kind == ValueKind::kAbsent);
}

TEST_CASE("json_walk: items give a row each, and keep out of the record's fields") {
  Walking walk({{"items", "cart.lines"}, {"items.amount", "price.value"}});
  REQUIRE(walk(R"({"cart":{"lines":[{"product_id":"a","price":{"value":1}},{"amount":9},[2],"x",null,)"
               R"({"price":{"value":3},"lines":[{"product_id":"q"}]}]},"amount":5})") == Result::kOk);
  REQUIRE(walk.out.items.size() == 6);
  const auto value = [&walk](std::size_t item, Field field) {
    return std::string(walk.out.items[item].values[static_cast<std::size_t>(field)].text());
  };
  CHECK(value(0, Field::kProduct) == "a");
  CHECK(value(0, Field::kAmount) == "1");
  CHECK(value(1, Field::kAmount).empty());
  CHECK(walk.out.items[1].kind == ValueKind::kObject);
  CHECK(walk.out.items[2].kind == ValueKind::kArray);
  CHECK(walk.out.items[3].kind == ValueKind::kString);
  CHECK(walk.out.items[4].kind == ValueKind::kNull);
  CHECK(value(5, Field::kAmount) == "3");
  CHECK(value(5, Field::kProduct).empty());
  CHECK(walk.text(Field::kAmount) == "5");
  CHECK(walk.text(Field::kProduct).empty());
}

TEST_CASE("json_walk: a mapped key twice is a duplicate, in the record, a parent or one item") {
  Walking walk(Paths{{"amount", "order.total"}});
  CHECK(walk(R"({"x":1,"x":2,"y":{"x":3},"order":{"x":1,"x":2}})") == Result::kOk);
  CHECK(walk(R"({"product_id":"a","product_id":"a"})") == Result::kDuplicateKey);
  CHECK(walk.plan.node(walk.outcome.node).path == "product_id");
  CHECK(walk(R"({"product_id":"a","product\u005fid":"a"})") == Result::kDuplicateKey);
  CHECK(walk(R"({"order":{"total":1,"total":1}})") == Result::kDuplicateKey);
  CHECK(walk.plan.node(walk.outcome.node).path == "order.total");
  CHECK(walk(R"({"order":{},"order":{"total":1}})") == Result::kDuplicateKey);
  CHECK(walk.plan.node(walk.outcome.node).path == "order");
  CHECK(walk(R"({"items":[{"amount":1},{"amount":1}]})") == Result::kOk);
  CHECK(walk(R"({"items":[{"amount":1},{"amount":1,"amount":2}],"product_id":1})") == Result::kDuplicateKey);
  CHECK(walk.outcome.item == 1);
  CHECK(walk(R"({"items":[],"items":[]})") == Result::kDuplicateKey);
  CHECK(walk(R"({"product_id":"a","product_id":"a")") == Result::kFault);  // broken JSON goes first
}

TEST_CASE("json_walk: keys with escapes are compared unescaped") {
  Walking walk({{"amount", "b\"etrag"}, {"category", "größe"}});
  REQUIRE(walk(R"({"b\"etrag":1,"gr\u00f6\u00dfe":"L","product\u005fid":"p"})") == Result::kOk);
  CHECK(walk.text(Field::kAmount) == "1");
  CHECK(walk.text(Field::kCategory) == "L");
  CHECK(walk.text(Field::kProduct) == "p");
  REQUIRE(walk("{\"größe\":\"M\"}") == Result::kOk);
  CHECK(walk.text(Field::kCategory) == "M");
  CHECK(walk(R"({"\q":1})") == Result::kFault);
}

TEST_CASE("json_walk: what it accepts has no fault, also where simdjson would not look") {
  Walking walk;
  for (const char* text :
       {"{\"a\":\"x\":1}", "{\"a\":1:2}", "{\"a\":{\"b\":\"x\":1}}", "{\"a\":[1 2]}",
       "{\"a\":[\"x\":1]}",
        "{\"a\":01}", "{\"a\":1.}", "{\"a\":-}", "{\"a\":tru}", "{\"a\":nulll}",
        "{\"a\":truefalse}",
        "{\"a\":\"\\x\"}", "{\"a\":[\"\\u12\"]}", "{\"a\":\"\\ud800\"}", "{\"a\":\"\\udc00\"}",
        "{\"\\ud800\":1}", "{\"a\":1}}", "{\"a\":1},{}", "{\"a\":1}x", "{\"a\":{\"b\":1}",
        "{\"a\":[{}",
        "{,}", "{\"a\"}", "{\"a\":}", "{\"a\":,}", "{\"a\":1,}", "{\"a\":[1,]}", "{\"a\":[,1]}",
        "{1:2}",
        "{\"a\":1]", "{\"a\":[1}", "{\"a\":\"b}", "{\"a\":NaN}", "{\"a\":\x01}", "{\"a\":\"\x01\"}",
        "{\"a\":\"\xff\"}", "{\"a\":1\xc3\xa9}", "{\"a\"\"b\"}", "{\"a\":\"x\"\"y\"}",
        "{\"a\":x\"y\"}", "}{", "{", "}"}) {
    CAPTURE(text);
    CHECK(json_fault(text) != Reason::kNone);
    CHECK(walk(text) != Result::kOk);
  }
  CHECK(walk("[{}]") == Result::kNotAnObject);
  CHECK(walk("\"text\"") == Result::kNotAnObject);
  CHECK(walk("12") == Result::kNotAnObject);
  CHECK(walk("{}") == Result::kOk);
}

TEST_CASE("json_walk: a longer record leaves nothing behind that closes a shorter one") {
  Walking walk;
  REQUIRE(walk("{\"a\":{\"b\":1}}}") == Result::kFault);
  const std::string longer = "{\"a\":{\"b\":1}}" + std::string(40, ' ');
  for (std::size_t n = 1; n < 13; ++n) {
    REQUIRE(walk(longer) == Result::kOk);
    CAPTURE(n);
    CHECK(walk(std::string_view(longer).substr(0, n)) == Result::kFault);
  }
}

TEST_CASE("json_walk: depth is limited") {
  Walking walk;
  const auto nested = [](int n) {
    return "{\"a\":" + std::string(static_cast<std::size_t>(n), '[') +
        std::string(static_cast<std::size_t>(n), ']') + "}";
  };
  CHECK(walk(nested(kJsonDepthMax - 1)) == Result::kOk);
  CHECK(walk(nested(kJsonDepthMax)) == Result::kFault);
  CHECK(walk(nested(100'000)) == Result::kFault);
}

TEST_CASE("json_walk: a value that ends with its page is not read beyond") {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const pages = mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
      -1, 0);
  REQUIRE(pages != MAP_FAILED);
  REQUIRE(mprotect(static_cast<char*>(pages) + page, page, PROT_NONE) == 0);
  Walking walk;
  for (const std::string text : {R"({"product_id":"p"})", R"({"a":1,"amount":12.5})",
      R"({"op":"\u00e9")"}) {
    for (std::size_t gap = 0; gap < 80; ++gap) {
      char* const at = static_cast<char*>(pages) + page - gap - text.size();
      std::memcpy(at, text.data(), text.size());
      CAPTURE(text, gap);
      REQUIRE(walk({at, text.size()}) == (text.back() == '}' ? Result::kOk : Result::kFault));
    }
  }
  munmap(pages, 2 * page);
}

TEST_CASE("json_walk: mutated documents are accepted exactly when they have no fault") {
  const std::uint64_t seed = 271'828;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string documents[] = {
      R"({"product_id":"p1","amount":-12.5e1,"items":[{"amount":1,"x":[true,false,null]},{}],"t":"\u00e9\ud83d\ude00\\"})",
      "{\"a\":{\"b\":[[],{},\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\"]},\"user_id\":\"\",\"n\":0.0}",
  };
  const std::string bytes = "{}[]:,\"\\ \n0123456789-+.eEtrufalsn/\x01\x7f\x80\xc3\xed\xf0\xffudD8";
  Walking walk;
  int accepted = 0;
  for (int i = 0; i < 200'000; ++i) {
    std::string text = documents[i % 2];
    for (std::uint64_t edits = 1 + random() % 3; edits > 0; --edits) {
      const std::size_t at = random() % text.size();
      const char byte = bytes[random() % bytes.size()];
      switch (random() % 4) {
        case 0: text[at] = byte; break;
        case 1: text.insert(at, 1, byte); break;
        case 2: text.erase(at, 1); break;
        default: std::swap(text[at], text[random() % text.size()]); break;
      }
    }
    const Reason fault = json_fault(text);
    const Result result = walk(text);
    CAPTURE(text, static_cast<int>(fault), static_cast<int>(result));
    const bool object = text.find_first_not_of(" \t\r\n") == text.find('{');
    REQUIRE((fault == Reason::kNone && object) == (result == Result::kOk));
    if (result == Result::kNotAnObject) REQUIRE(!object);
    accepted += result == Result::kOk ? 1 : 0;
  }
  CHECK(accepted > 1'000);
}

}  // namespace retailpulse
