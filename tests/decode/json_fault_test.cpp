#include "decode/json_fault.h"

#include <string>

#include "support/catch.h"

namespace retailpulse {

TEST_CASE("json_fault: the first fault of a text, by name") {
  using namespace std::string_literals;
  struct Row {
    std::string text;
    Reason reason;
  };
  const Row rows[] = {
      {"{}", Reason::kNone},
      {" [1, -0.5e+3, true, false, null, \"\\u00e9\\n\", {\"a\":[]}] \r\n", Reason::kNone},
      {"0", Reason::kNone},
      {"\"\\ud83d\\ude00\"", Reason::kNone},
      {"\"\xf0\x9f\x98\x80 \xc3\xa9 \xe2\x82\xac \x7f\"", Reason::kNone},
      {"", Reason::kEmptyValue},
      {" \n\t\r", Reason::kEmptyValue},
      {"{", Reason::kTruncated},
      {"{\"a", Reason::kTruncated},
      {"{\"a\"", Reason::kTruncated},
      {"{\"a\":", Reason::kTruncated},
      {"{\"a\":1", Reason::kTruncated},
      {"{\"a\":1,", Reason::kTruncated},
      {"{\"a\":{\"b\":1}", Reason::kTruncated},
      {"[1,", Reason::kTruncated},
      {"tru", Reason::kTruncated},
      {"-", Reason::kTruncated},
      {"1.", Reason::kTruncated},
      {"1e", Reason::kTruncated},
      {"\"\\", Reason::kTruncated},
      {"\"\\u12", Reason::kTruncated},
      {"\"\\ud83d", Reason::kTruncated},
      {"\"\\ud83d\\", Reason::kTruncated},
      {"\"\xe2\x82", Reason::kTruncated},
      {"{} x", Reason::kTrailingBytes},
      {"{}{}", Reason::kTrailingBytes},
      {"{}}", Reason::kTrailingBytes},
      {"{}\0"s, Reason::kTrailingBytes},
      {"1 2", Reason::kTrailingBytes},
      {"{'a':1}", Reason::kBadJson},
      {"{a:1}", Reason::kBadJson},
      {"{\"a\" 1}", Reason::kBadJson},
      {"{\"a\":1,}", Reason::kBadJson},
      {"{\"a\":\"x\":1}", Reason::kBadJson},
      {"{\"a\":1 \"b\":2}", Reason::kBadJson},
      {"[1}", Reason::kBadJson},
      {"{\"a\":1]", Reason::kBadJson},
      {"[1,,2]", Reason::kBadJson},
      {"[,1]", Reason::kBadJson},
      {"01", Reason::kBadJson},
      {"-01", Reason::kBadJson},
      {"+1", Reason::kBadJson},
      {".5", Reason::kBadJson},
      {"1.e5", Reason::kBadJson},
      {"1e+x", Reason::kBadJson},
      {"NaN", Reason::kBadJson},
      {"-Infinity", Reason::kBadJson},
      {"True", Reason::kBadJson},
      {"nul}", Reason::kBadJson},
      {"\"\n\"", Reason::kBadJson},
      {"\"\0\""s, Reason::kBadJson},
      {"\"\\x\"", Reason::kBadJson},
      {"\"\\u12g4\"", Reason::kBadJson},
      {"\"\\udc00\"", Reason::kBadJson},
      {"\"\\ud800\"", Reason::kBadJson},
      {"\"\\ud800\\u0041\"", Reason::kBadJson},
      {"/* */ {}", Reason::kBadJson},
      {"\"\xff\"", Reason::kBadUtf8},
      {"\"\xc0\xaf\"", Reason::kBadUtf8},
      {"\"\xe0\x80\x80\"", Reason::kBadUtf8},
      {"\"\xed\xa0\x80\"", Reason::kBadUtf8},
      {"\"\xf4\x90\x80\x80\"", Reason::kBadUtf8},
      {"\"\xc3\"", Reason::kBadUtf8},
      {"\"\x80\"", Reason::kBadUtf8},
      {std::string(32, '[') + std::string(32, ']'), Reason::kNone},
      {std::string(33, '[') + std::string(33, ']'), Reason::kTooDeep},
      {std::string(10'000, '['), Reason::kTooDeep},
  };
  for (const Row& row : rows) {
    CAPTURE(row.text);
    CHECK(kReasonNames[static_cast<int>(json_fault(row.text))] == kReasonNames[static_cast<int>(row.reason)]);
  }
}

TEST_CASE("json_fault: every prefix of a document is truncated") {
  const std::string text =
      "{\"a\":[1,-2.5e-3,{\"b\":null,\"\\u00e9\\ud83d\\ude00\":\"\xe2\x82\xac\"}],\"c\":true,\"d\":{}}";
  REQUIRE(json_fault(text) == Reason::kNone);
  for (std::size_t n = 1; n < text.size(); ++n) {
    CAPTURE(n);
    CHECK(json_fault(text.substr(0, n)) == Reason::kTruncated);
  }
}

TEST_CASE("json_fault: is_json_number is the grammar of RFC 8259") {
  for (const char* text : {"0", "-0", "1", "10", "-12.50", "1e5", "1E-05", "0.0",
      "123456789012345678901234567890"}) {
    CAPTURE(text);
    CHECK(is_json_number(text));
  }
  for (const char* text : {"", "-", "00", "01", "-01", "+1", ".5", "1.", "1.e5", "1e", "1e+",
      "0x1", "1 ", " 1",
                           "1a", "NaN", "1,5", "--1", "1.2.3"}) {
    CAPTURE(text);
    CHECK_FALSE(is_json_number(text));
  }
}

}  // namespace retailpulse
