#include "decode/name_table.h"

#include <map>
#include <random>
#include <string>

#include "support/catch.h"

namespace retailpulse {

TEST_CASE("name_table: ids count up from 0 and a text keeps its id") {
  NameTable table(Dimension::kProduct, 1000);
  std::vector<NewName> fresh;
  CHECK(table.intern("apple", fresh) == NameId{0});
  CHECK(table.intern("pear", fresh) == NameId{1});
  CHECK(table.intern("apple", fresh) == NameId{0});
  CHECK(table.intern("", fresh) == NameId{2});
  CHECK(table.intern(std::string_view("a\0b", 3), fresh) == NameId{3});
  CHECK(table.intern(std::string_view("a\0c", 3), fresh) == NameId{4});
  REQUIRE(fresh.size() == 5);
  for (std::size_t i = 0; i < fresh.size(); ++i) {
    CHECK(fresh[i].id == NameId{static_cast<std::uint32_t>(i)});
    CHECK(fresh[i].dimension == Dimension::kProduct);
  }
  CHECK(fresh[0].text == "apple");
  CHECK(fresh[3].text == std::string("a\0b", 3));
  CHECK(table.size() == 5);
}

TEST_CASE("name_table: texts that differ in one byte, or in their length, are not the same") {
  for (std::size_t size = 0; size <= 40; ++size) {
    const std::string text(size, 'a');
    CAPTURE(size);
    CHECK(same_text(text, std::string(size, 'a')));
    CHECK_FALSE(same_text(text, std::string(size + 1, 'a')));
    for (std::size_t at = 0; at < size; ++at) {
      std::string other = text;
      other[at] = static_cast<char>(other[at] ^ 0x80);
      CHECK_FALSE(same_text(text, other));
    }
  }
}

TEST_CASE("name_table: beyond the cap new texts are (other), old ones stay") {
  NameTable table(Dimension::kType, 3);
  std::vector<NewName> fresh;
  for (const char* text : {"a", "b", "c"}) CHECK(table.intern(text, fresh) != kOtherName);
  CHECK(table.intern("d", fresh) == kOtherName);
  CHECK(table.intern("d", fresh) == kOtherName);
  CHECK(table.intern("b", fresh) == NameId{1});
  CHECK(fresh.size() == 3);
}

TEST_CASE("name_table: agrees with a map over many random texts") {
  const std::uint64_t seed = 20'240'601;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  NameTable table(Dimension::kProduct, 40'000);
  std::map<std::string, NameId> expected;
  std::vector<NewName> fresh;
  for (int i = 0; i < 200'000; ++i) {
    std::string text(random() % 12, 'x');
    for (char& c : text) c = static_cast<char>('a' + random() % 4);
    if (i % 1000 == 0) text.assign(kNameBytesMax, static_cast<char>('a' + i / 1000 % 26));
    const NameId id = table.intern(text, fresh);
    const auto known = expected.find(text);
    if (known != expected.end()) {
      REQUIRE(id == known->second);
    } else if (expected.size() < 40'000) {
      REQUIRE(id == NameId{static_cast<std::uint32_t>(expected.size())});
      expected.emplace(text, id);
    } else {
      REQUIRE(id == kOtherName);
    }
  }
  REQUIRE(fresh.size() == expected.size());
  for (const NewName& name : fresh) REQUIRE(expected.at(name.text) == name.id);
}

}  // namespace retailpulse
