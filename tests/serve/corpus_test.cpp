// The bad-input corpus of the web side: malformed requests to a running server, and hostile texts
// of events on their way out.
#include <algorithm>
#include <cstdio>
#include <fstream>

#include <nlohmann/json.hpp>

#include "base/escape.h"
#include "serve/api.h"
#include "serve/raw_client.h"
#include "serve/static_files.h"
#include "support/catch.h"
#include "support/corpus.h"
#include "support/shop_file.h"

#include "fixed_pipeline.h"

namespace retailpulse::testing {
namespace {

using test::RawClient;
using test::RunningServer;
namespace fs = std::filesystem;

// A folder with one page, and beside it what nobody may read.
class WebFolder {
 public:
  WebFolder() {
    std::string name = fs::temp_directory_path() / "retailpulse-web-XXXXXX";
    path_ = mkdtemp(name.data());
    fs::create_directories(path_ + "/web/folder");
    std::ofstream(path_ + "/web/index.html") << "PAGE";
    std::ofstream(path_ + "/secret.txt") << "SECRET";
    fs::create_symlink("../secret.txt", path_ + "/web/link");
    fs::create_symlink("../../secret.txt", path_ + "/web/folder/link");
  }
  ~WebFolder() { fs::remove_all(path_); }
  [[nodiscard]] std::string web() const { return path_ + "/web"; }

 private:
  std::string path_;
};

Router routes(const std::string& web) {
  Router router;
  router.get("/api/v1/status", [](const Request&) { return json_reply("{}"); });
  router.get("/api/v1/canary", [](const Request&) { return json_reply("{}"); });
  router.post("/api/v1/echo", [](const Request& request) { return json_reply(request.body); });
  HttpConfig config;
  config.web_dir = web;
  if (!add_static_routes(router, config).ok()) throw std::runtime_error("no routes for files");
  return router;
}

// All that comes until the server closes.
std::string everything_from(RawClient& client) {
  (void)client.wait_closed(std::chrono::seconds{20});
  return client.buffer();
}

// The statuses of all answers, with what is wrong about them.
std::string statuses_of(std::string bytes, const std::string& expected) {
  std::string out;
  while (!bytes.empty()) {
    const std::size_t end = bytes.find("\r\n\r\n");
    if (end == std::string::npos || bytes.rfind("HTTP/1.1 ", 0) != 0) return out + " broken";
    std::string head = bytes.substr(0, end + 2);
    for (const char* name : {"Content-Security-Policy: ", "X-Content-Type-Options: nosniff"}) {
      if (head.find(name) == std::string::npos) out += " unguarded";
    }
    if (head.find("X-Evil") != std::string::npos) out += " split";
    const std::size_t at = head.find("Content-Length: ");
    std::size_t length = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    const std::string status = head.substr(9, 3);
    const bool bodiless = expected == status + "h";
    out += (out.empty() ? "" : " ") + status + (bodiless ? "h" : "");
    if (bodiless) length = 0;
    const std::string body = bytes.substr(end + 4, length);
    if (body.size() < length) return out + " cut";
    if (body.find("SECRET") != std::string::npos) out += " leaked";
    bytes.erase(0, end + 4 + length);
  }
  return out;
}

}  // namespace

TEST_CASE("corpus: malformed HTTP requests") {
  const WebFolder folder;
  const RunningServer running(routes(folder.web()));
  const auto lines = read_corpus("http_cases.py " + std::to_string(running.port()));
  if (lines.empty()) return;
  Verdicts verdicts;
  for (const CorpusLine& line : lines) {
    REQUIRE(line.size() == 3);
    const std::string request = unpack_bytes(line[1]);
    RawClient client(running.port());
    (void)client.send(request);  // a refusal may close before all is sent
    ::shutdown(client.fd(), SHUT_WR);
    const std::string found = statuses_of(everything_from(client), line[2]);
    verdicts.check(line[0] + ": " + request, line[2], found);
  }
  CHECK(running.ask("GET /api/v1/status").status == 200);
  std::printf("corpus http        %5zu cases, %zu wrong\n", verdicts.cases(), verdicts.wrong());
  INFO(verdicts.report());
  CHECK(verdicts.cases() >= 1200);
  CHECK(verdicts.wrong() == 0);
}

namespace {

struct HostileText {
  std::string text, json, csv, terminal;
};

std::vector<HostileText> hostile_texts() {
  std::vector<HostileText> out;
  for (const CorpusLine& line : read_corpus("text_cases.py")) {
    out.push_back({unpack_bytes(line.at(0)), unpack_bytes(line.at(1)), unpack_bytes(line.at(2)),
                   unpack_bytes(line.at(3))});
  }
  return out;
}

// What a script, a page or a terminal could take for more than text.
bool is_harmless_json(const std::string& body) {
  return std::none_of(body.begin(), body.end(), [](char c) {
           const auto u = static_cast<unsigned char>(c);
           return (u < 0x20 && c != '\n') || u == 0x7f || c == '<' || c == '>' || c == '&';
         }) &&
         body.find("\xe2\x80\xa8") == std::string::npos;
}

void put_into(ShopFile& shop, const std::vector<HostileText>& texts) {
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const std::string& text = texts[i].text;
    if (text.empty()) continue;
    const std::int64_t at = kTenOClock - 60 * kSecondUs;
    shop.list(text, text, text);  // id, name and category
    const auto n = static_cast<std::int64_t>(i + 1);
    shop.book({.us = at, .product = text, .gross_micros = n * 10'000});
    shop.events(at, text, n);
  }
  shop.watermark(kTenOClock, 1);
}

struct HostileApi {
  explicit HostileApi(const ShopFile& shop)
      : history(open_history(shop.path(), system_clock()).value()),
        frames(*history, pipeline, shop.zone(), system_clock()) {
    ApiContext context{*history, pipeline, frames, shop.zone(), system_clock(), {{"a", "b"}}};
    for (Route& route : api_routes(context)) {
      if (route.prefix) router.get_prefix(route.path, route.handler);
      else router.get(route.path, route.handler);
    }
  }
  std::string get(const std::string& path, const std::string& dimension) {
    Request request;
    request.method = "GET";
    request.path = path;
    if (!dimension.empty()) request.query = {{"dimension", dimension}, {"n", "1000"}};
    const Reply reply = router.answer(request);
    return reply.status == 200 && reply.body ? *reply.body : "";
  }
  FixedPipeline pipeline;
  std::unique_ptr<HistoryReader> history;
  FrameMaker frames;
  Router router;
};

}  // namespace

TEST_CASE("corpus: hostile texts as JSON, as CSV and for a terminal") {
  Verdicts verdicts;
  for (const HostileText& hostile : hostile_texts()) {
    std::string json;
    append_json_string(json, hostile.text);
    std::string csv;
    append_csv_cell(csv, hostile.text);
    verdicts.check("json " + hostile.text, hostile.json, json);
    verdicts.check("csv " + hostile.text, hostile.csv, csv);
    verdicts.check("terminal " + hostile.text, hostile.terminal, terminal_text(hostile.text));
  }
  INFO(verdicts.report());
  CHECK(verdicts.wrong() == 0);
}

TEST_CASE("corpus: hostile texts in every text field of every answer") {
  const std::vector<HostileText> texts = hostile_texts();
  if (texts.empty()) return;
  ShopFile shop;
  shop.sql("BEGIN");
  put_into(shop, texts);
  shop.sql("COMMIT");
  HostileApi api(shop);
  Verdicts verdicts;
  for (const char* dimension : {"product", "category", "type"}) {
    const std::string json = api.get("/api/v1/breakdown", dimension);
    const std::string csv = "\n" + api.get("/api/v1/breakdown.csv", dimension);
    const std::string ndjson = api.get("/api/v1/breakdown.ndjson", dimension);
    CHECK(is_harmless_json(json));
    CHECK(is_harmless_json(ndjson));
    CHECK(nlohmann::json::parse(json)["rows"].size() + 1 >= texts.size());
    for (const HostileText& hostile : texts) {
      if (hostile.text.empty()) continue;
      const std::string what = std::string(dimension) + " " + hostile.text;
      const auto check = [&](const std::string& body, const std::string& cell) {
        const bool there = body.find(cell) != std::string::npos;
        verdicts.check(what, "is there", there ? "is there" : cell + " is not there");
      };
      check(json, ":" + hostile.json);
      check(ndjson, ":" + hostile.json);
      check(csv, "\n" + hostile.csv + ",");
    }
  }
  const std::string frame = api.get("/api/v1/frame", "");
  CHECK(is_harmless_json(frame));
  CHECK(nlohmann::json::accept(frame));
  std::printf("corpus texts       %5zu texts, %zu of %zu places wrong\n", texts.size(),
              verdicts.wrong(), verdicts.cases());
  INFO(verdicts.report());
  CHECK(texts.size() >= 500);
  CHECK(verdicts.wrong() == 0);
}

}  // namespace retailpulse::testing
