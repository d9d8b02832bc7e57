#include "serve/api.h"

#include <cmath>
#include <set>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "serve/openapi.h"
#include "serve/range.h"
#include "serve/router.h"
#include "support/catch.h"
#include "support/shop_file.h"

#include "fixed_pipeline.h"

namespace retailpulse::testing {
namespace {

using Json = nlohmann::json;
using Query = std::map<std::string, std::string, std::less<>>;
constexpr std::int64_t kMinute = 60 * kSecondUs;
constexpr std::int64_t kHour = 3600 * kSecondUs;

// Answers what a test tells it to, and keeps the question.
class FixedConsole final : public SqlConsole {
 public:
  Result<std::string> ask(const std::string& sql) override {
    asked = sql;
    return answer;
  }
  std::string asked;
  Result<std::string> answer = std::string("{}");
};

class FixedReplayer final : public Replayer {
 public:
  Result<ReplayReport> replay(const ReplayQuery& query) override {
    asked = query;
    return answer;
  }
  ReplayQuery asked;
  Result<ReplayReport> answer = ReplayReport{};
};

// The API over a ShopFile, asked as the server asks it.
class Api {
 public:
  explicit Api(const ShopFile& shop)
      : zone_(shop.zone()), history_(open(shop)),
        frames_(*history_, pipeline, zone_, system_clock()) {
    add_routes(router_, api_routes(context()));
  }
  ApiContext context() {
    return {*history_, pipeline, frames_, zone_, system_clock(), {{"retailpulse", "0.1.0"}},
            &console, &replayer};
  }
  Reply post(const std::string& path, const std::string& body) {
    Request request;
    request.method = "POST";
    request.path = path;
    request.body = body;
    return router_.answer(request);
  }
  Reply get(const std::string& path, const Query& query = {}, const std::string& accept = "") {
    Request request;
    request.method = "GET";
    request.path = path;
    request.query = query;
    request.accept = accept;
    return router_.answer(request);
  }
  Json json(const std::string& path, const Query& query = {}) {
    const Reply reply = get(path, query);
    CAPTURE(path);
    REQUIRE(reply.body);
    CAPTURE(*reply.body);
    REQUIRE(reply.status == 200);
    return Json::parse(*reply.body);
  }

  FixedPipeline pipeline;
  FixedConsole console;
  FixedReplayer replayer;

 private:
  static std::unique_ptr<HistoryReader> open(const ShopFile& shop) {
    auto reader = open_history(shop.path(), system_clock());
    REQUIRE(reader.ok());
    return std::move(reader).value();
  }
  Zone zone_;
  std::unique_ptr<HistoryReader> history_;
  FrameMaker frames_;
  Router router_;
};

void fill(ShopFile& shop) {
  shop.list("p1", "Red shoe", "Shoes");
  shop.list("p2", "Blue hat", "Hats");
  for (int i = 0; i < 50; ++i) {
    const std::int64_t at = kTenOClock - (i + 1) * kMinute;
    shop.book({.us = at, .product = "p1", .gross_micros = 19'990'000});
    shop.book({.us = at, .product = "p2", .gross_micros = 5'010'000,
               .refunds_micros = i % 5 == 0 ? 5'010'000 : 0, .units_milli = 2000});
    shop.book({.us = at, .product = "p3", .currency = "USD", .gross_micros = 1'000'000});
    shop.events(at, "view", 7);
    shop.events(at, "purchase", 3);
    shop.rate(at, i % 2 == 0 ? "p1" : "p2", 1 + i % 5);
  }
  shop.watermark(kTenOClock, 42);
}

TEST_CASE("api: page, answer and SQL give the same numbers") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  const Json frame = api.json("/api/v1/frame");
  const Json kpis = api.json("/api/v1/kpis");
  CHECK(frame["frame"] == 42);
  CHECK(kpis["frame"] == 42);
  CHECK(kpis["tier"] == "1d");
  for (const auto& [name, kpi] : kpis["kpis"].items()) {
    CAPTURE(name);
    CHECK(kpi["value"] == frame["kpis"][name]["value"]);
  }
  const auto net = kpis["kpis"]["net_revenue"]["value"].get<std::string>();
  CHECK(shop.rows("SELECT net FROM totals_by_day WHERE currency='EUR'") == net + "\n");
  CHECK(shop.rows("SELECT mean FROM ratings_by_day WHERE product_id='p1'") == "3.000\n");
  // Categories: page, breakdown, SQL.
  const Json breakdown = api.json("/api/v1/breakdown", {{"dimension", "category"}});
  for (std::size_t i = 0; i < frame["categories"].size(); ++i) {
    const Json& row = frame["categories"][i];
    CHECK(breakdown["rows"][i]["name"] == row["name"]);
    CHECK(breakdown["rows"][i]["net"] == row["net"]);
    CHECK(shop.rows("SELECT net FROM categories_by_day WHERE currency='EUR' AND category='" +
                    row["name"].get<std::string>() + "'") == row["net"].get<std::string>() + "\n");
  }
  // Products.
  const Json top = api.json("/api/v1/top");
  CHECK(top["rows"][0]["id"] == frame["top_products"]["by_revenue"][0]["id"]);
  CHECK(top["rows"][0]["net"] == frame["top_products"]["by_revenue"][0]["net"]);
  CHECK(shop.rows("SELECT net FROM products_by_day WHERE product_id='p1'") ==
        top["rows"][0]["net"].get<std::string>() + "\n");
  // The series, pane by pane.
  const Json series = api.json("/api/v1/series", {{"from", "now-1h"}, {"step", "1m"}});
  REQUIRE(series["rows"].size() == frame["series"]["panes"].size());
  for (std::size_t i = 0; i < series["rows"].size(); ++i) {
    CHECK(series["rows"][i]["start_us"] == frame["series"]["panes"][i]["start_us"]);
    CHECK(series["rows"][i]["value"] == frame["series"]["panes"][i]["net"]);
    CHECK(series["rows"][i]["state"] == frame["series"]["panes"][i]["state"]);
    CHECK(shop.rows("SELECT net FROM totals_by_minute WHERE currency='EUR' AND minute='" +
                    series["rows"][i]["start"].get<std::string>() + "'") ==
          series["rows"][i]["value"].get<std::string>() + "\n");
  }
}

TEST_CASE("api: rows and (other) sum to the total") {
  ShopFile shop;
  for (int i = 0; i < 40; ++i) {
    shop.book({.us = kTenOClock - 1, .product = "p" + std::to_string(i), .category = "c" + std::to_string(i),
               .gross_micros = (i + 1) * 10'000});
    shop.events(kTenOClock - 1, "t" + std::to_string(i), i + 1);
  }
  shop.watermark(kTenOClock);
  Api api(shop);
  for (const std::string dimension : {"product", "category"}) {
    const Json top = api.json("/api/v1/top", {{"dimension", dimension}, {"n", "3"}});
    REQUIRE(top["rows"].size() == 4);
    CHECK(top["others"] == 37);
    CHECK(top["rows"][0]["net"] == "0.40");
    CHECK(top["rows"][3]["name"] == "(other)");
    CHECK(top["rows"][3]["net"] == "7.03");  // 8.20 - 0.40 - 0.39 - 0.38
  }
  const Json types = api.json("/api/v1/top", {{"dimension", "type"}, {"n", "1"}});
  CHECK(types["rows"][0]["events"] == 40);
  CHECK(types["rows"][1]["events"] == 780);
}

TEST_CASE("api: a series by key names the greatest; the rest is (other)") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  const Json by = api.json("/api/v1/series", {{"by", "product"}, {"n", "1"}, {"measure", "units"},
                                              {"from", "now-15m"}, {"to", "now"}, {"step", "15m"}});
  REQUIRE(by["rows"].size() == 2);
  std::map<std::string, std::string> values;
  for (const Json& row : by["rows"]) {
    values[row["product"].get<std::string>()] = row["value"].get<std::string>();
  }
  CHECK(values == std::map<std::string, std::string>{{"p2", "30"}, {"(other)", "15"}});
  const Json events = api.json("/api/v1/series", {{"by", "type"}, {"from", "now-15m"}, {"to", "now"},
                                                  {"step", "15m"}});
  REQUIRE(events["rows"].size() == 2);
  const Json currencies = api.json(
      "/api/v1/series", {{"by", "currency"}, {"from", "now-15m"}, {"to", "now"}, {"step", "15m"}});
  REQUIRE(currencies["rows"].size() == 2);
  const Json ratings = api.json("/api/v1/series", {{"measure", "ratings"}, {"from", "now-15m"},
                                                   {"to", "now"}, {"step", "15m"}});
  CHECK(ratings["rows"][0]["value"] == 15);
  CHECK(ratings["rows"][0]["mean"] == "3.0");
}

TEST_CASE("api: the window really used is in the answer") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  const Json kpis = api.json("/api/v1/kpis", {{"from", "2026-11-22T09:30:30Z"}, {"to", "now"}});
  CHECK(kpis["from"] == "2026-11-22T09:30:00Z");
  CHECK(kpis["to"] == "2026-11-22T10:00:00Z");
  CHECK(kpis["tier"] == "1m");
  CHECK(kpis["state"] == "final");
  const Json odd = api.json("/api/v1/kpis", {{"from", "2026-11-22T09:30:30Z"},
                                             {"to", "2026-11-22T09:40:10Z"}});
  CHECK(odd["tier"] == "1m");
  CHECK(odd["to"] == "2026-11-22T09:41:00Z");
  CHECK(odd["kpis"]["orders"]["value"] == 22);  // p1 and p2 in eleven minutes
}

TEST_CASE("api: mistakes are answered by a sentence that says what is right") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  const std::pair<const char*, Query> kWrong[] = {
      {"/api/v1/kpis", {{"from", "noon"}}},
      {"/api/v1/kpis", {{"from", "now"}, {"to", "now-1h"}}},
      {"/api/v1/kpis", {{"frm", "now-1h"}}},
      {"/api/v1/frame", {{"range", "2h"}}},
      {"/api/v1/series", {{"measure", "profit"}}},
      {"/api/v1/series", {{"step", "7s"}}},
      {"/api/v1/series", {{"step", "1w"}}},
      {"/api/v1/series", {{"step", "-1m"}}},
      {"/api/v1/series", {{"step", "10s"}, {"from", "now-30d"}}},
      {"/api/v1/series", {{"step", "10s"}, {"by", "category"}}},
      {"/api/v1/series", {{"measure", "events"}, {"by", "category"}}},
      {"/api/v1/series", {{"measure", "net"}, {"by", "type"}}},
      {"/api/v1/top", {{"n", "0"}}},
      {"/api/v1/top", {{"n", "ten"}}},
      {"/api/v1/top", {{"dimension", "colour"}}},
      {"/api/v1/rejects", {{"limit", "100000"}}},
      {"/api/v1/status", {{"x", "1"}}}};
  for (const auto& [path, query] : kWrong) {
    CAPTURE(path, query);
    const Reply reply = api.get(path, query);
    CHECK(reply.status == 400);
    CHECK(reply.content_type.find("application/problem+json") == 0);
    const Json body = Json::parse(*reply.body);
    CHECK(body["status"] == 400);
    CHECK(body["detail"].get<std::string>().size() > 20);
  }
  CHECK(api.get("/api/v1/products/nothing").status == 404);
  CHECK(api.get("/api/v1/nothing").status == 404);
}

TEST_CASE("api: CSV and NDJSON by suffix or Accept") {
  ShopFile shop;
  shop.list("p1", "=HYPERLINK(\"http://x\")", "A, B");
  shop.book({.us = kTenOClock - 1, .product = "p1", .gross_micros = 1'500'000,
             .refunds_micros = 2'000'000});
  shop.watermark(kTenOClock, 7);
  Api api(shop);
  const std::string expected =
      "id,name,category,net,gross,refunds,orders,lines,units,share\r\n"
      "p1,\"'=HYPERLINK(\"\"http://x\"\")\",\"A, B\",-0.50,1.50,2.00,1,1,1,0\r\n";
  const Reply suffix = api.get("/api/v1/top.csv");
  CHECK(suffix.content_type.find("text/csv") == 0);
  CHECK(*suffix.body == expected);
  CHECK(*api.get("/api/v1/top", {}, "text/csv").body == expected);
  const std::pair<std::string, std::string> frame{"RetailPulse-Frame", "7"};
  CHECK(suffix.headers.at(0) == frame);
  const Reply lines = api.get("/api/v1/top", {}, "application/x-ndjson");
  CHECK(Json::parse(*lines.body)["net"] == "-0.50");
  CHECK(api.get("/api/v1/top", {}, "text/html,application/json;q=0.9,*/*;q=0.8").content_type ==
        kJsonType);
  for (const char* path : {"/api/v1/series.csv", "/api/v1/breakdown.ndjson", "/api/v1/rejects.csv",
                           "/api/v1/ledger.csv", "/api/v1/partitions.csv"}) {
    CAPTURE(path);
    CHECK(api.get(path).status == 200);
  }
}

TEST_CASE("api: hostile text is escaped in every answer") {
  ShopFile shop;
  const std::string evil = "</script><b>&\xe2\x80\xa9";
  shop.list(evil, evil, evil);
  shop.book({.us = kTenOClock - 1, .product = evil, .category = evil});
  shop.events(kTenOClock - 1, evil, 1);
  shop.watermark(kTenOClock);
  shop.sql(
      "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,idle,consumed,"
      "late,future) VALUES(1,'<t>',0,0,1,0,1,0,0);"
      "INSERT INTO ledger_counts VALUES(1,'rejected','bad_json',1);"
      "INSERT INTO reject_rows VALUES(1,1,0,'bad_json','<f>',0,x'3c623eff')");
  Api api(shop);
  for (const char* path : {"/api/v1/frame", "/api/v1/top", "/api/v1/breakdown", "/api/v1/rejects",
                           "/api/v1/ledger", "/api/v1/partitions", "/api/v1/status",
                           "/api/v1/rejects.ndjson"}) {
    CAPTURE(path);
    const Reply reply = api.get(path);
    REQUIRE(reply.status == 200);
    for (const char* raw : {"<", ">", "&", "\xe2\x80\xa9", "\xff"}) {
      CHECK(reply.body->find(raw) == std::string::npos);
    }
  }
  const Json product = api.json("/api/v1/products/" + evil);
  CHECK(product["id"] == evil);
}

TEST_CASE("api: one product") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  const Json product = api.json("/api/v1/products/p1");
  CHECK(product["name"] == "Red shoe");
  CHECK(product["category"] == "Shoes");
  CHECK(product["kpis"]["net_revenue"]["value"] == "999.50");
  CHECK(product["kpis"]["average_rating"]["n"] == 25);
  CHECK(product["stars"] == Json({5, 5, 5, 5, 5}));
  CHECK(product["trend"]["panes"].size() == 4);
  const Json dollars = api.json("/api/v1/products/p1", {{"currency", "USD"}});
  CHECK(dollars["kpis"]["net_revenue"]["value"] == "0.00");
}

TEST_CASE("api: a currency in which nothing was sold has zeros, not another one's sums") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  const Json kpis = api.json("/api/v1/kpis", {{"currency", "JPY"}});
  CHECK(kpis["currency"] == "JPY");
  CHECK(kpis["kpis"]["net_revenue"]["value"] == "0");
  CHECK(kpis["kpis"]["aov"]["value"].is_null());
}

TEST_CASE("api: status, ledger and partitions tell of the machine") {
  ShopFile shop;
  shop.sql(
      "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,end_offset,idle,"
      "consumed,late,future) VALUES(1,'orders',0,0,10,15,0,10,2,0);"
      "INSERT INTO ledger_counts VALUES(1,'counted','',9),(1,'rejected','bad_json',1)");
  shop.watermark(kTenOClock, 3);
  Api api(shop);
  PipelineStatus status;
  status.state = PipelineState::kReconnecting;
  status.reason = "no broker answers";
  status.partitions.push_back({"orders", 0, 10, 30, false, false});
  api.pipeline.set(status);
  shop.sql("UPDATE partition_state SET halted='another log',last_offset=9,incarnation=2;"
           "INSERT INTO meta VALUES('cluster_id','ours');INSERT INTO gaps VALUES(1,1,3,7,0)");
  const Json answer = api.json("/api/v1/status");
  CHECK(answer["sources"]["cluster_id"] == "ours");
  CHECK(answer["lost"]["offsets"] == 4);
  CHECK(answer["state"]["name"] == "reconnecting");
  CHECK(answer["ledger"]["consumed"] == 10);
  CHECK(answer["ledger"]["late"] == 2);
  CHECK(answer["store"]["frame"] == 3);
  CHECK(answer["store"]["bytes"].get<std::int64_t>() > 0);
  CHECK(answer["process"]["rss_bytes"].get<std::int64_t>() > 1'000'000);
  CHECK(answer["versions"]["retailpulse"] == "0.1.0");
  const Json ledger = api.json("/api/v1/ledger");
  CHECK(ledger["balanced"] == true);
  CHECK(ledger["rows"].size() == 2);
  const Json partition = api.json("/api/v1/partitions")["rows"][0];
  CHECK(partition["end_offset"] == 30);  // the newest that is known
  CHECK(partition["lag"] == 20);
  CHECK(partition["halted"] == "another log");
  CHECK(partition["incarnation"] == 2);
  CHECK(partition["last_offset"] == 9);
  CHECK(partition["lost"] == 4);
  shop.sql("UPDATE partition_state SET consumed=11");
  CHECK(api.json("/api/v1/ledger")["balanced"] == false);
}

TEST_CASE("T11: a partition whose producers' clocks are wrong says by how much") {
  ShopFile shop;
  const std::int64_t wrong = GENERATE(600, -600, 0);
  for (int p = 0; p < 8; ++p) {
    const std::int64_t watermark = kTenOClock + (p == 3 ? wrong : 0) * kSecondUs + p * 1000;
    shop.sql(fmt::format(
        "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,idle,consumed,"
        "late,future,watermark_us) VALUES({},'orders',{},0,10,0,0,0,0,{})", p + 1, p, watermark));
  }
  // Silence is no skew, and nothing is compared with it.
  shop.sql("INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,idle,consumed,"
           "late,future,watermark_us) VALUES(9,'orders',8,0,10,1,0,0,0,5),"
           "(10,'orders',9,0,0,0,0,0,0,NULL)");
  Api api(shop);
  const Json answer = api.json("/api/v1/partitions");
  for (const Json& row : answer["rows"]) {
    CAPTURE(row.dump());
    const int p = row["partition"].get<int>();
    if (p >= 8) {
      CHECK(row["skew_s"].is_null());
    } else {
      CHECK(std::abs(row["skew_s"].get<double>() - static_cast<double>(p == 3 ? wrong : 0)) < 1);
    }
  }
}

TEST_CASE("T8: a step of the wall clock makes no span negative") {
  ShopFile shop;
  Api api(shop);
  PipelineStatus status;
  status.started_wall_us = kTenOClock + 3600 * kSecondUs;  // an hour ahead of the clock now
  status.uptime_s = 12;
  api.pipeline.set(status);
  CHECK(api.json("/api/v1/status")["process"]["uptime_s"] == 12);
}

TEST_CASE("api: every answer says how old its numbers are") {
  ShopFile shop;
  shop.sql(
      "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,end_offset,idle,"
      "consumed,late,future) VALUES(1,'orders',0,0,10,15,0,10,2,0)");
  shop.watermark(kTenOClock, 3);
  Api api(shop);
  const auto header = [](const Reply& reply, std::string_view name) {
    for (const auto& [key, value] : reply.headers) {
      if (key == name) return value;
    }
    return std::string();
  };
  const std::vector<std::string> paths{"/api/v1/kpis", "/api/v1/series.csv", "/api/v1/top.ndjson",
                                       "/api/v1/partitions", "/api/v1/ledger.csv",
                                       "/api/v1/status"};
  CHECK(api.json("/api/v1/kpis")["stale_since"].is_null());
  for (const std::string& path : paths) {
    CAPTURE(path);
    CHECK(header(api.get(path), "RetailPulse-Stale-Since").empty());
    CHECK(header(api.get(path), "RetailPulse-Watermark") == utc_text(kTenOClock));
  }
  PipelineStatus status;
  status.stale_since_us = kTenOClock + 1'000'000;
  status.lag_records = 7;
  status.partitions.push_back({"orders", 0, 10, 30, false, false});
  status.partitions[0].blocked_since_us = kTenOClock;
  api.pipeline.set(status);
  for (const std::string& path : paths) {
    CAPTURE(path);
    CHECK(header(api.get(path), "RetailPulse-Stale-Since") == utc_text(kTenOClock + 1'000'000));
    CHECK(header(api.get(path), "RetailPulse-Lag") == "7");
  }
  const std::string since = utc_text(kTenOClock + 1'000'000);
  CHECK(api.json("/api/v1/kpis")["stale_since"] == since);
  CHECK(api.json("/api/v1/status")["state"]["stale_since"] == since);
  CHECK(api.json("/api/v1/frame")["state"]["stale_since"] == since);
  CHECK(api.json("/api/v1/partitions")["rows"][0]["blocked_since"] == utc_text(kTenOClock));
}

TEST_CASE("api: the description has every route, and only routes") {
  ShopFile shop;
  Api api(shop);
  const Json description = api.json("/api/v1/openapi.json");
  CHECK(description["openapi"] == "3.1.0");
  CHECK(api.json("/api/openapi.json") == description);
  std::set<std::string> described;
  for (const auto& [path, item] : description["paths"].items()) {
    const std::string verb = item.contains("get") ? "get" : "post";
    CHECK(item.size() == 1);
    CHECK(item.at(verb).contains("responses"));
    CHECK(item.at(verb).contains("requestBody") == (verb == "post"));
    described.insert(path);
  }
  // What the server answers by itself.
  for (const char* path : {"/api/v1/stream", "/healthz", "/readyz", "/metrics"}) {
    CAPTURE(path);
    CHECK(described.erase(path) == 1);
  }
  std::set<std::string> routed;
  for (const Route& route : api_routes(api.context())) {
    CHECK(route.handler);
    routed.insert(route.prefix ? route.path + "{id}" : route.path);
  }
  CHECK(described == routed);
  for (const Endpoint& endpoint : api_endpoints(api.context())) {
    CAPTURE(endpoint.path);
    CHECK(endpoint.handler);
    const std::string path = endpoint.path + (endpoint.rest.empty() ? "" : "{id}");
    for (const Parameter& parameter : endpoint.parameters) {
      const Json& listed = description["paths"][path]["get"]["parameters"];
      CHECK(std::any_of(listed.begin(), listed.end(),
                        [&](const Json& p) { return p["name"] == parameter.name; }));
    }
  }
}

TEST_CASE("api: an unchanged answer keeps its ETag, a changed one does not") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  const std::string etag = api.get("/api/v1/kpis").etag;
  CHECK_FALSE(etag.empty());
  CHECK(api.get("/api/v1/kpis").etag == etag);
  shop.book({.us = kTenOClock - kHour, .gross_micros = 1});
  CHECK(api.get("/api/v1/kpis").etag != etag);
}

TEST_CASE("api: a statement goes to the console as it is, and its answer comes back") {
  ShopFile shop;
  fill(shop);
  Api api(shop);
  api.console.answer = std::string(R"({"frame":7,"columns":["1"],"rows":[[1]]})");
  const Reply reply = api.post("/api/v1/sql", R"({"query":"SELECT \"a\u0000b\u2028\" -- x"})");
  CHECK(reply.status == 200);
  CHECK(*reply.body == R"({"frame":7,"columns":["1"],"rows":[[1]]})");
  CHECK(reply.cache_control == "no-store");
  CHECK(api.console.asked == std::string("SELECT \"a\0b\xe2\x80\xa8\" -- x", 20));
  const std::pair<Code, int> failures[] = {
      {Code::kInvalid, 400}, {Code::kTimeout, 503}, {Code::kBusy, 429}, {Code::kStorage, 503}};
  for (const auto& [code, status] : failures) {
    api.console.answer = Status(code, "a sentence with <b> and \xff");
    const Reply failed = api.post("/api/v1/sql", R"({"query":"x"})");
    CHECK(failed.status == status);
    CHECK(Json::parse(*failed.body)["detail"].get<std::string>().find("a sentence") == 0);
  }
  CHECK(api.get("/api/v1/sql").status == 405);
}

TEST_CASE("api: the body of a POST is one flat object with known members") {
  ShopFile shop;
  Api api(shop);
  for (const std::string& body :
       {std::string("[]"), std::string("{"), std::string("null"), std::string("\"x\""),
        std::string(R"({"query":1})"), std::string(R"({"query":["a"]})"),
        std::string(R"({"query":{"a":1}})"), std::string(R"({"sql":"SELECT 1"})"),
        std::string(R"({"query":"a"} x)"), std::string(R"({"query":null})"),
        std::string(R"({"query":18446744073709551615})"), std::string(R"({"query":1e400})"),
        std::string(R"({"query":"\xff"})") , std::string(60000, '['),
        R"({"query":)" + std::string(60000, '[')}) {
    CAPTURE(body.substr(0, 80));
    api.console.asked = "nothing";
    CHECK(api.post("/api/v1/sql", body).status == 400);
    CHECK(api.console.asked == "nothing");
  }
  CHECK(api.post("/api/v1/sql", "").status == 200);  // the console says that there is no statement
}

TEST_CASE("api: a replay says of every record what became of it") {
  ShopFile shop;
  Api api(shop);
  ReplayReport report;
  report.frame = 9;
  report.next = 3;
  report.records = {{4, "t<script>", 1, 77, ReplayOutcome::kStillRejected, "bad_time", "a.b"},
                    {5, "t", 0, 78, ReplayOutcome::kCounted, "", ""}};
  api.replayer.answer = report;
  const Reply reply = api.post("/api/v1/rejects/replay",
                               R"({"topic":"t","reason":"bad_time","limit":2,"after":8})");
  CHECK(reply.status == 200);
  CHECK(*reply.body ==
        R"({"frame":9,"records":[{"id":4,"topic":"t\u003cscript\u003e","partition":1,"offset":77,)"
        R"("outcome":"still_rejected","reason":"bad_time","field":"a.b"},{"id":5,"topic":"t",)"
        R"("partition":0,"offset":78,"outcome":"counted","reason":"","field":""}],"next":3})");
  CHECK(api.replayer.asked.topic == "t");
  CHECK(api.replayer.asked.reason == "bad_time");
  CHECK(api.replayer.asked.limit == 2);
  CHECK(api.replayer.asked.before == 8);
  CHECK(api.post("/api/v1/rejects/replay", "{}").status == 200);
  CHECK(api.replayer.asked.limit == 500);
  for (const char* body : {R"({"limit":0})", R"({"limit":1001})", R"({"limit":"1"})",
                           R"({"after":-1})", R"({"topic":1})", R"({"ids":[1]})", R"({"limit":1.5})", "[]"}) {
    CAPTURE(body);
    CHECK(api.post("/api/v1/rejects/replay", body).status == 400);
  }
  api.replayer.answer = Status(Code::kBusy, "a replay is under way");
  CHECK(api.post("/api/v1/rejects/replay", "{}").status == 429);
  api.replayer.answer = Status(Code::kTimeout, "not in time");
  CHECK(api.post("/api/v1/rejects/replay", "{}").status == 503);
  CHECK(api.get("/api/v1/rejects/replay").status == 405);  // never by a GET
}

TEST_CASE("api: rejects can be asked for by topic and reason, and say when they are cut") {
  ShopFile shop;
  shop.sql(
      "INSERT INTO partition_state(slot_id,topic,partition,first_offset,next_offset,idle,consumed,"
      "late,future) VALUES(1,'a',0,0,9,0,9,0,0),(2,'b',0,0,9,0,9,0,0)");
  shop.sql("INSERT INTO reject_rows VALUES(1,1,1,'bad_json','',0,x'ff3c'),"
           "(2,2,1,'bad_time','t',0,x'78'),(3,1,2,'bad_time','t',0,zeroblob(2048))");
  Api api(shop);
  const Json all = api.json("/api/v1/rejects");
  REQUIRE(all["rows"].size() == 3);
  CHECK(all["rows"][0]["truncated"] == true);
  CHECK(all["rows"][1]["truncated"] == false);
  CHECK(all["rows"][2]["raw"] == "\xef\xbf\xbd<");
  CHECK(api.json("/api/v1/rejects", {{"topic", "a"}})["rows"].size() == 2);
  CHECK(api.json("/api/v1/rejects", {{"topic", "a"}, {"reason", "bad_time"}})["rows"].size() == 1);
  CHECK(api.json("/api/v1/rejects", {{"topic", "a' OR 1=1 --"}})["rows"].empty());
  const Json first = api.json("/api/v1/rejects", {{"topic", "a"}, {"limit", "1"}});
  CHECK(first["next"] == 3);
  CHECK(api.json("/api/v1/rejects", {{"topic", "a"}, {"after", "3"}})["rows"][0]["id"] == 1);
}

}  // namespace
}  // namespace retailpulse::testing
