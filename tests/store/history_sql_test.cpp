#include <retailpulse/sql.h>

#include <filesystem>
#include <sstream>

#include "support/catch.h"
#include "support/shop_file.h"

namespace retailpulse::testing {
namespace {

struct Answer {
  Status status;
  SqlOutcome outcome;
  std::string text;
};

Answer ask(const ShopFile& shop, const std::string& sql, SqlFormat format = SqlFormat::kCsv,
           const SqlLimits& limits = {}) {
  std::ostringstream out;
  auto result = run_sql(shop.path(), sql, limits, format, system_clock(), out);
  if (!result.ok()) return {result.status(), {}, out.str()};
  return {{}, result.value(), out.str()};
}

TEST_CASE("sql: a table, CSV and JSON of the same rows") {
  ShopFile shop;
  shop.book({.us = kTenOClock, .gross_micros = 12'500'000});
  const std::string sql = "SELECT minute, net, orders, NULL AS empty FROM totals_by_minute";
  CHECK(ask(shop, sql).text == "minute,net,orders,empty\n2026-11-22T10:00:00Z,12.50,1,\n");
  CHECK(ask(shop, sql, SqlFormat::kJson).text ==
        "[\n{\"minute\":\"2026-11-22T10:00:00Z\",\"net\":\"12.50\",\"orders\":1,"
        "\"empty\":null}\n]\n");
  CHECK(ask(shop, sql, SqlFormat::kTable).text ==
        "minute                net    orders  empty\n"
        "--------------------  -----  ------  -----\n"
        "2026-11-22T10:00:00Z  12.50       1  NULL\n");
  CHECK(ask(shop, "SELECT 1 WHERE 0", SqlFormat::kJson).text == "[]\n");
  CHECK(ask(shop, "SELECT 1 AS x WHERE 0").text == "x\n");
}

TEST_CASE("sql: only reading is allowed") {
  ShopFile shop;
  shop.book({.us = kTenOClock});
  const std::string before = shop.rows("SELECT * FROM totals");
  for (const char* sql :
       {"DELETE FROM totals", "UPDATE totals SET orders=9", "INSERT INTO meta VALUES('a','b')",
        "DROP TABLE totals", "CREATE TABLE x(a)", "CREATE TEMP TABLE x(a)", "PRAGMA journal_mode=DELETE",
        "PRAGMA table_info(totals)", "SELECT * FROM pragma_table_info('totals')",
        "ATTACH ':memory:' AS x", "ATTACH '/etc/passwd' AS x", "DETACH main", "BEGIN", "COMMIT",
        "SAVEPOINT a", "VACUUM", "VACUUM INTO '/tmp/rp-vacuum'", "REINDEX", "ANALYZE",
        "SELECT load_extension('x')", "WITH a AS (SELECT 1) DELETE FROM totals",
        "CREATE VIRTUAL TABLE x USING fts5(a)"}) {
    CAPTURE(sql);
    const Answer answer = ask(shop, sql);
    CHECK(answer.status.code() == Code::kInvalid);
    CHECK_FALSE(answer.status.message().empty());
  }
  CHECK(shop.rows("SELECT * FROM totals") == before);
  CHECK_FALSE(std::filesystem::exists("/tmp/rp-vacuum"));
}

TEST_CASE("sql: one statement; blanks, comments and a semicolon may follow") {
  ShopFile shop;
  CHECK(ask(shop, "SELECT 1; -- done\n /* really */ ;").status.ok());
  CHECK(ask(shop, "SELECT 1; SELECT 2").status.message() == "give one SQL statement at a time");
  CHECK(ask(shop, "SELECT 1; nonsense").status.code() == Code::kInvalid);
  CHECK(ask(shop, "").status.code() == Code::kInvalid);
  CHECK(ask(shop, " -- nothing").status.code() == Code::kInvalid);
  CHECK(ask(shop, "SELEC 1").status.message().find("syntax error") != std::string::npos);
  CHECK(ask(shop, "SELECT 'Pragmatic' LIKE 'pragma%' AS x").text == "x\n1\n");
}

TEST_CASE("sql: limits end the result and say so") {
  ShopFile shop;
  const std::string numbers =
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n) SELECT i FROM n";
  SqlLimits limits;
  limits.rows_max = 10;
  const Answer ten = ask(shop, numbers, SqlFormat::kCsv, limits);
  CHECK(ten.status.ok());
  CHECK(ten.outcome.rows == 10);
  CHECK(ten.outcome.truncated);
  CHECK_FALSE(ask(shop, numbers + " LIMIT 10", SqlFormat::kCsv, limits).outcome.truncated);
  limits = {};
  limits.deadline = std::chrono::milliseconds{50};
  const Answer late = ask(shop, numbers + " WHERE i<0", SqlFormat::kCsv, limits);
  CHECK(late.status.code() == Code::kTimeout);
}

TEST_CASE("sql: a stranger reads the store's tables and views and calls what is on the list") {
  ShopFile shop;
  shop.book({.us = kTenOClock, .gross_micros = -12'500'000});
  SqlLimits limits;
  limits.trust = SqlTrust::kStranger;
  const auto stranger = [&](const std::string& sql) {
    return ask(shop, sql, SqlFormat::kMembers, limits);
  };
  // Every view works: what they call is allowed.
  for (const char* view : {"totals_by_minute", "totals_by_day", "categories_by_minute",
                           "categories_by_day", "products_by_day", "ratings_by_day",
                           "events_by_minute", "ledger", "partitions", "rejects"}) {
    CAPTURE(view);
    const Answer answer = stranger(std::string("SELECT * FROM ") + view);
    CAPTURE(answer.status.message());
    CHECK(answer.status.ok());
  }
  CHECK(stranger("SELECT net, orders, NULL FROM totals_by_day").text ==
        "\"columns\":[\"net\",\"orders\",\"NULL\"],\"rows\":[\n[\"-12.50\",1,null]]");
  CHECK(stranger("SELECT 9007199254740993 a, -5 a WHERE 1").text ==
        "\"columns\":[\"a\",\"a\"],\"rows\":[\n[\"9007199254740993\",-5]]");
  CHECK(stranger("SELECT count(*) FROM totals").status.ok());
  CHECK(stranger("SELECT 1").outcome.frame == ask(shop, "SELECT frame FROM clock").outcome.frame);
  for (const char* sql :
       {"SELECT * FROM sqlite_schema", "SELECT sql FROM sqlite_master",
        "SELECT count(*) FROM sqlite_schema",
        "SELECT name FROM pragma_table_list", "SELECT * FROM json_each('[1]')",
        "SELECT * FROM dbstat", "SELECT printf('%d',1)", "SELECT format('%d',1)",
        "SELECT zeroblob(10)", "SELECT replace('a','a','b')", "SELECT sqlite_version()",
        "SELECT randomblob(9)", "SELECT load_extension('x')", "SELECT readfile('/etc/passwd')",
        "SELECT json('[]')", "SELECT edit('x')", "SELECT * FROM generate_series(1,9)",
        "SELECT char(65)", "SELECT fts5()", "SELECT changes()"}) {
    CAPTURE(sql);
    const Answer answer = stranger(sql);
    CHECK(answer.status.code() == Code::kInvalid);
    CHECK_FALSE(answer.status.message().empty());
  }
  CHECK(stranger("SELECT PRINTF('%d',1)").status.message() ==
        "the function printf cannot be used here");
  CHECK(stranger("SELECT * FROM sqlite_schema").status.message() ==
        "sqlite_master cannot be read here, only the tables and views of the store");
}

TEST_CASE("sql: a NUL in the text ends in a sentence, not in a loop") {
  ShopFile shop;
  for (const std::string& sql : {std::string("SELECT 1\0", 9), std::string("\0SELECT 1", 9),
                                 std::string("SELECT 1;\0DROP TABLE totals", 27)}) {
    CHECK(ask(shop, sql).status.message() == "the text of the statement has a NUL byte");
  }
}

TEST_CASE("sql: hostile text stays text in every format") {
  ShopFile shop;
  const std::string evil = "=cmd|' /C calc'!A0\x1b[31m</script>\"\n\xff";
  shop.list("p1", evil, "x");
  const std::string sql = "SELECT name FROM catalog";
  const std::string csv = ask(shop, sql).text;
  CHECK(csv.find("\"'=cmd") != std::string::npos);
  const std::string json = ask(shop, sql, SqlFormat::kJson).text;
  CHECK(json.find("</script>") == std::string::npos);
  CHECK(json.find('\x1b') == std::string::npos);
  CHECK(json.find("\\u003c/script\\u003e\\\"\\u000a\xef\xbf\xbd") != std::string::npos);
  const std::string table = ask(shop, sql, SqlFormat::kTable).text;
  CHECK(table.find('\x1b') == std::string::npos);
  CHECK(table.find("\\x1b[31m") != std::string::npos);
  CHECK(ask(shop, "SELECT '-12.50' AS x").text == "x\n-12.50\n");
  CHECK(ask(shop, "SELECT 1.0 AS a, 0.1 AS b, 9e999 AS c", SqlFormat::kJson).text ==
        "[\n{\"a\":1.0,\"b\":0.1,\"c\":null}\n]\n");
}

TEST_CASE("sql: a store left by a crash, with commits in its WAL, can be read") {
  ShopFile shop;
  shop.book({.us = kTenOClock, .gross_micros = 1'000'000});
  // What a killed process leaves: the file and its -wal, no -shm.
  ShopFile left;
  left.close();
  for (const char* suffix : {"", "-wal"}) {
    std::filesystem::copy_file(shop.path() + suffix, left.path() + suffix,
                               std::filesystem::copy_options::overwrite_existing);
  }
  REQUIRE(std::filesystem::file_size(left.path() + "-wal") > 0);
  CHECK(ask(left, "SELECT net FROM totals_by_minute").text == "net\n1.00\n");
}

TEST_CASE("sql: a file that cannot have a -shm beside it is read as it is") {
  ShopFile shop;
  shop.book({.us = kTenOClock, .gross_micros = 1'000'000});
  shop.close();  // the last connection empties the WAL
  std::filesystem::create_directory(shop.path() + "-shm");  // stands in its way, for root too
  CHECK(ask(shop, "SELECT net FROM totals_by_minute").text == "net\n1.00\n");
}

TEST_CASE("sql: no store is a sentence that says where it looked") {
  ShopFile shop;
  std::ostringstream out;
  const auto result = run_sql("/tmp/rp-nowhere/retailpulse.db", "SELECT 1", {}, SqlFormat::kCsv,
                              system_clock(), out);
  REQUIRE_FALSE(result.ok());
  CHECK(result.status().code() == Code::kStorage);
  CHECK(result.status().message().find("/tmp/rp-nowhere") != std::string::npos);
}

}  // namespace
}  // namespace retailpulse::testing
