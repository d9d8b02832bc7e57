#include "decode/record_shapes.h"

#include <cstring>
#include <random>
#include <string>

#include <fmt/format.h>
#include <sys/mman.h>
#include <unistd.h>

#include "decode/json_walk.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

// Walks everything and learns it, as the decoder does, and compares with what the shapes say.
struct Reading {
  explicit Reading(std::map<std::string, std::string> fields = {}) : plan(stream(fields)) {}
  static StreamConfig stream(const std::map<std::string, std::string>& fields) {
    StreamConfig config;
    config.fields = {fields.begin(), fields.end()};
    return config;
  }
  bool learn(std::string_view record) {
    found.clear();
    const bool whole = walker.walk(record, plan, found).result == JsonWalker::Result::kOk;
    if (whole) shapes.learn(walker.copy(), found);
    return whole;
  }
  bool read(std::string_view record) {
    out.clear();
    return shapes.read(record, out);
  }
  std::string text(Field field) const { return std::string(out[field].text()); }

  FieldPlan plan;
  JsonWalker walker;
  RecordShapes shapes;
  RecordFields found;
  RecordFields out;
};

template <std::size_t kCount>
bool same_values(const std::array<FieldValue, kCount>& a, const std::array<FieldValue, kCount>& b) {
  for (std::size_t i = 0; i < kCount; ++i) {
    if (a[i].kind != b[i].kind) return false;
    const bool text = a[i].kind == ValueKind::kString || a[i].kind == ValueKind::kNumber;
    if (text && a[i].text() != b[i].text()) return false;
  }
  return true;
}

bool same_fields(const RecordFields& a, const RecordFields& b) {
  if (!same_values(a.values, b.values) || a.items.size() != b.items.size()) return false;
  for (std::size_t i = 0; i < a.items.size(); ++i) {
    if (a.items[i].kind != b.items[i].kind || !same_values(a.items[i].values, b.items[i].values)) {
      return false;
    }
  }
  return a.too_many_items == b.too_many_items;
}

std::string mutated(std::string text, std::mt19937_64& random) {
  static const std::string kBytes = "{}[]:,\"\\ \n0123456789-+.eEtrufalsn/\x01\x1f\x7f\x80\xc3\xa9uD";
  for (std::uint64_t edits = random() % 3; edits > 0; --edits) {
    const std::size_t at = random() % text.size();
    const char byte = kBytes[random() % kBytes.size()];
    switch (random() % 4) {
      case 0: text[at] = byte; break;
      case 1: text.insert(at, 1, byte); break;
      case 2: text.erase(at, 1); break;
      default: std::swap(text[at], text[random() % text.size()]); break;
    }
    if (text.empty()) text = "{";
  }
  return text;
}

}  // namespace

TEST_CASE("record_shapes: other values between the same bytes are read without a walk") {
  Reading shop;
  const auto record = [](std::string_view id, std::string_view amount, std::string_view note) {
    return fmt::format(R"({{"transaction_id": "{}", "note":["{}",1.5, true], "amount" :{}, "op":null}})",
                       id, note, amount);
  };
  CHECK_FALSE(shop.read(record("a", "1", "x")));
  REQUIRE(shop.learn(record("a", "1", "x")));
  const std::string other = record("another one, much longer", "-1234567.75", "");
  REQUIRE(shop.read(other));
  CHECK(shop.text(Field::kId) == "another one, much longer");
  CHECK(shop.text(Field::kAmount) == "-1234567.75");
  CHECK(shop.out[Field::kAmount].kind == ValueKind::kNumber);
  CHECK(shop.out[Field::kOp].kind == ValueKind::kNull);
  CHECK(shop.out[Field::kProduct].kind == ValueKind::kAbsent);
}

TEST_CASE("record_shapes: what is not plain is left to the walk") {
  Reading shop;
  REQUIRE(shop.learn(R"({"amount":1,"product_id":"p","quantity":2})"));
  CHECK(shop.read(R"({"amount":7.5,"product_id":"","quantity":0})"));
  for (const char* record :
       {R"({"amount":1e5,"product_id":"p","quantity":2})", R"({"amount":1,"product_id":"p\n","quantity":2})",
        "{\"amount\":1,\"product_id\":\"\xc3\xa9\",\"quantity\":2}",
        "{\"amount\":1,\"product_id\":\"\x01\",\"quantity\":2}",
        R"({"amount":01,"product_id":"p","quantity":2})", R"({"amount":1.,"product_id":"p","quantity":2})",
        R"({"amount":-,"product_id":"p","quantity":2})", R"({"amount":,"product_id":"p","quantity":2})",
        R"({"amount":"1","product_id":"p","quantity":2})", R"({"amount":1,"product_id":"p","quantity":2} )",
        R"({"amount":1,"product_id":"p","quantity":2)", R"({"amount":1,"product_id":"p)",
        R"({"product_id":"p","amount":1,"quantity":2})", "{", "{}", ""}) {
    CAPTURE(record);
    CHECK_FALSE(shop.read(record));
  }
}

TEST_CASE("record_shapes: an exponent, an escape or a foreign letter is never learned") {
  Reading shop;
  for (const char* record : {R"({"amount":1e5,"quantity":1})", R"({"x\u0041":1,"amount":1})",
                             "{\"\xc3\xa9\":1,\"amount\":1}", R"({"amount":-0.5E1,"quantity":1})"}) {
    CAPTURE(record);
    REQUIRE(shop.learn(record));
    CHECK_FALSE(shop.read(record));
  }
}

TEST_CASE("record_shapes: fields that come and go, and a value that changes its kind") {
  Reading shop;
  REQUIRE(shop.learn(R"({"user_id":"u","amount":1,"currency":"EUR"})"));
  REQUIRE(shop.learn(R"({"amount":1,"currency":"EUR"})"));
  REQUIRE(shop.learn(R"({"user_id":"u","amount":"1","currency":"EUR"})"));
  REQUIRE(shop.learn(R"({"user_id":null,"amount":1})"));
  REQUIRE(shop.read(R"({"user_id":"w","amount":"12","currency":"USD"})"));
  CHECK(shop.out[Field::kAmount].kind == ValueKind::kString);
  REQUIRE(shop.read(R"({"user_id":"w","amount":12,"currency":"USD"})"));
  CHECK(shop.out[Field::kAmount].kind == ValueKind::kNumber);
  REQUIRE(shop.read(R"({"user_id":null,"amount":12})"));
  CHECK(shop.out[Field::kUser].kind == ValueKind::kNull);
  CHECK(shop.out[Field::kCurrency].kind == ValueKind::kAbsent);
  REQUIRE(shop.read(R"({"amount":3,"currency":"USD"})"));
  CHECK(shop.text(Field::kCurrency) == "USD");
}

TEST_CASE("record_shapes: items keep their rows, also those that are no objects") {
  Reading shop({{"items", "cart.lines"}, {"items.amount", "price"}});
  REQUIRE(shop.learn(R"({"cart":{"lines":[{"product_id":"a","price":1},7,{},null,"x"]},"amount":5})"));
  REQUIRE(shop.read(R"({"cart":{"lines":[{"product_id":"bc","price":2.5},8,{},null,"y"]},"amount":6})"));
  REQUIRE(shop.learn(R"({"cart":{"lines":[{"product_id":"bc","price":2.5},8,{},null,"y"]},"amount":6})"));
  CHECK(same_fields(shop.out, shop.found));
  CHECK(shop.out.items[0].values[static_cast<std::size_t>(Field::kAmount)].text() == "2.5");
}

TEST_CASE("record_shapes: a record that ends with its page is not read beyond") {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  void* const pages =
      mmap(nullptr, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  REQUIRE(pages != MAP_FAILED);
  REQUIRE(mprotect(static_cast<char*>(pages) + page, page, PROT_NONE) == 0);
  Reading shop;
  const std::string whole = R"({"product_id":"a product","amount":12.5})";
  REQUIRE(shop.learn(whole));
  for (std::size_t size = 1; size <= whole.size(); ++size) {
    char* const at = static_cast<char*>(pages) + page - size;
    std::memcpy(at, whole.data(), size);
    CAPTURE(size);
    CHECK(shop.read({at, size}) == (size == whole.size()));
  }
  munmap(pages, 2 * page);
}

TEST_CASE("record_shapes: values of any length are found, whatever follows them") {
  const auto digits = [](std::size_t n) { return std::string("12345678901234567890").substr(0, n); };
  for (const char* rest : {"}", R"(,"x":1})", R"(,"user_id":"somebody of this name"})"}) {
    Reading shop;
    REQUIRE(shop.learn(std::string(R"({"currency":"EUR","amount":1)") + rest));
    REQUIRE(shop.learn(std::string(R"({"currency":"EUR","product_id":"")") + rest));
    for (std::size_t size = 1; size <= 60; ++size) {
      std::string number = size <= 20 ? digits(size) : digits(size / 3) + "." + digits(size % 20 + 1);
      for (std::string value : {R"("amount":)" + number, R"("amount":-)" + number,
                                R"("product_id":")" + std::string(size, '~') + '"'}) {
        const std::string record = R"({"currency":"EUR",)" + value + rest;
        const std::vector<char> tight(record.begin(), record.end());  // for the address sanitizer
        CAPTURE(record);
        CHECK(shop.read({tight.data(), tight.size()}));
        REQUIRE(shop.learn(record));
        CHECK(same_fields(shop.out, shop.found));
      }
    }
  }
}

TEST_CASE("record_shapes: what is read is what the walk finds, after any history") {
  const std::uint64_t seed = 314'159;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  const std::string documents[] = {
      R"({"product_id":"p1","amount":-12.5,"items":[{"amount":1,"x":[true,false,null]},{},3],"t":[[],{}]})",
      R"({"product_id":"p1","amount":"7","quantity":0,"op":null,"user_id":{"a":1}})",
      R"( {"amount":0.0 ,"user_id":"a long user id 0123456789" , "category":true})",
      R"({"items":[{"product_id":"q","quantity":2},{"product_id":"r","quantity":1}],"currency":"EUR"})",
  };
  Reading shop;
  int read = 0;
  for (int i = 0; i < 200'000; ++i) {
    const std::string record = mutated(documents[random() % std::size(documents)], random);
    const bool known = shop.read(record);
    const bool whole = shop.learn(record);
    CAPTURE(record);
    if (known) {
      REQUIRE(whole);
      REQUIRE(same_fields(shop.out, shop.found));
      ++read;
    }
  }
  CHECK(read > 50'000);  // a third is not changed at all
}

TEST_CASE("record_shapes: a stream without a shape costs bounded memory, and learns again later") {
  Reading shop;
  for (int i = 0; i < 1296; ++i) {
    REQUIRE(shop.learn(fmt::format(R"({{"k{}":1,"l{}":1,"m{}":"x","n{}":2}})", i % 6, i / 6 % 6,
                                   i / 36 % 6, i / 216)));
  }
  CHECK(shop.shapes.nodes() <= RecordShapes::kNodesMax + RecordShapes::kPartsMax);
  const std::string usual = R"({"amount":1,"product_id":"p"})";
  std::uint32_t learned = 0;
  for (; learned < 2 * RecordShapes::kPatience && !shop.read(usual); ++learned) {
    REQUIRE(shop.learn(usual));
  }
  CHECK(learned > RecordShapes::kPatience / 2);  // it was full
  CHECK(shop.read(usual));
}

}  // namespace retailpulse
