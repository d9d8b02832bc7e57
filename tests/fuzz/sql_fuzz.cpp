// Any SQL text over a store: it may fail, but it changes nothing and ends in time.
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <streambuf>
#include <string>

#include <retailpulse/sql.h>

#include "base/check.h"
#include "support/shop_file.h"

namespace retailpulse::testing {
namespace {

class Nowhere : public std::streambuf {
 protected:
  int overflow(int c) override { return c; }
  std::streamsize xsputn(const char*, std::streamsize n) override { return n; }
};

// What a statement could change, as one number for each.
std::string state_of(ShopFile& shop) {
  return shop.rows("SELECT count(*),sum(gross_micros) FROM totals") +
         shop.rows("SELECT count(*) FROM sqlite_schema") +
         shop.rows("SELECT group_concat(key||value) FROM meta") + shop.rows("PRAGMA journal_mode") +
         shop.rows("PRAGMA user_version");
}

void run(const std::string& sql) {
  static ShopFile shop("UTC");
  static const std::string before = [] {
    shop.list("p1", "Shoe", "Shoes");
    for (int i = 0; i < 20; ++i) {
      shop.book({.us = kTenOClock - i * 60 * kSecondUs, .gross_micros = 1});
    }
    shop.watermark(kTenOClock);
    return state_of(shop);
  }();
  Nowhere nowhere;
  std::ostream out(&nowhere);
  SqlLimits limits;
  limits.rows_max = 100;
  limits.bytes_max = 100'000;
  limits.deadline = std::chrono::milliseconds{200};
  const auto format = static_cast<SqlFormat>(sql.size() % 3);
  const auto result = run_sql(shop.path(), sql, limits, format, system_clock(), out);
  if (result.ok()) {
    RP_CHECK(result.value().rows <= limits.rows_max, "no more rows than allowed");
  } else {
    RP_CHECK(!result.status().message().empty(), "a sentence");
  }
  static unsigned runs = 0;
  if (++runs % 16 == 0) RP_CHECK(state_of(shop) == before, "nothing was changed");
}

}  // namespace
}  // namespace retailpulse::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  retailpulse::testing::run(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}
