#include "base/escape.h"

#include "support/catch.h"

namespace retailpulse {
namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

std::string csv(std::string_view text) {
  std::string out;
  append_csv_cell(out, text);
  return out;
}

TEST_CASE("escape: JSON strings cannot end themselves, a script or a line") {
  CHECK(json("") == "\"\"");
  CHECK(json("a\"b\\c") == "\"a\\\"b\\\\c\"");
  CHECK(json("<>&") == "\"\\u003c\\u003e\\u0026\"");
  CHECK(json("\xe2\x80\xa8\xe2\x80\xa9") == "\"\\u2028\\u2029\"");
  CHECK(json(std::string_view("\n\r\t\0\x7f", 5)) == "\"\\u000a\\u000d\\u0009\\u0000\\u007f\"");
  CHECK(json("\xc2\x9b") == "\"\\u009b\"");
  CHECK(json("\xc3\xa9\xe6\x97\xa5\xf0\x9f\x91\x9f") ==
        "\"\xc3\xa9\xe6\x97\xa5\xf0\x9f\x91\x9f\"");
}

TEST_CASE("escape: bytes that are not UTF-8 become U+FFFD, one for each") {
  const std::string r = "\xef\xbf\xbd";
  CHECK(json("\xff") == "\"" + r + "\"");
  CHECK(json("a\xc3") == "\"a" + r + "\"");
  CHECK(json("\xc0\xaf") == "\"" + r + r + "\"");                  // overlong
  CHECK(json("\xe0\x80\xaf") == "\"" + r + r + r + "\"");          // overlong
  CHECK(json("\xed\xa0\x80") == "\"" + r + r + r + "\"");          // surrogate
  CHECK(json("\xf4\x90\x80\x80") == "\"" + r + r + r + r + "\"");  // above U+10FFFF
  CHECK(json("\xe6\x97<") == "\"" + r + r + "\\u003c\"");          // cut short
}

TEST_CASE("escape: a CSV cell is one cell and no formula") {
  CHECK(csv("plain") == "plain");
  CHECK(csv("a,b") == "\"a,b\"");
  CHECK(csv("a\"b") == "\"a\"\"b\"");
  CHECK(csv("a\nb") == "\"a\nb\"");
  CHECK(csv("=1+1") == "'=1+1");
  CHECK(csv("@x") == "'@x");
  CHECK(csv("+49 30") == "'+49 30");
  CHECK(csv("-12.50") == "-12.50");
  CHECK(csv("-12.50-cmd") == "'-12.50-cmd");
  CHECK(csv("\t=1") == "'\t=1");
  CHECK(csv("\n=1") == "\"'\n=1\"");
  CHECK(csv("\xef\xbc\x9d" "1+1") == "'\xef\xbc\x9d" "1+1");  // the wide = of East Asian texts
}

TEST_CASE("escape: a terminal sees no control characters") {
  CHECK(terminal_text("a\x1b[31mb\n") == "a\\x1b[31mb\\x0a");
  CHECK(terminal_text("\xe2\x80\xae") == "\\u{202e}");
  CHECK(terminal_text("\xc3\xa9") == "\xc3\xa9");
  CHECK(code_points("a\xc3\xa9") == 2);
}

}  // namespace
}  // namespace retailpulse
