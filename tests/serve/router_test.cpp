#include "serve/router.h"

#include <array>
#include <filesystem>
#include <fstream>

#include <unistd.h>
#include <zlib.h>

#include "serve/content_coding.h"
#include "serve/static_files.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

Handler says(std::string text) {
  return [text = std::move(text)](const Request&) { return json_reply(text); };
}

Request get(std::string path, std::string accept_encoding = {}) {
  Request request;
  request.method = "GET";
  request.path = std::move(path);
  request.accept_encoding = std::move(accept_encoding);
  return request;
}

std::string unzip(const std::string& packed) {
  z_stream stream{};
  REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
  std::string in = packed;
  std::string out(1 << 20, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(in.data());
  stream.avail_in = static_cast<uInt>(in.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
  out.resize(stream.total_out);
  inflateEnd(&stream);
  return out;
}

constexpr std::array<Asset, 3> kTable{{
    {"/", "text/html; charset=utf-8", "\"p1\"", "\"p1z\"", "<html>", "ZZ", false},
    {"/a/app.0f3a9c21.js", "text/javascript; charset=utf-8", "\"a1\"", "\"a1z\"", "let x", "YY",
     true},
    {"/a/i.00000000.svg", "image/svg+xml", "\"s1\"", "", "<svg>", "", true},
}};

}  // namespace

TEST_CASE("router: exact paths, the longest prefix, then the rest") {
  Router router;
  router.get("/a", says("a"));
  router.get_prefix("/p/", says("p"));
  router.get_prefix("/p/q/", [](const Request& request) { return json_reply(request.rest); });
  router.get("/p/exact", says("exact"));
  router.post("/w", says("w"));
  const auto ask = [&](std::string method, std::string path) {
    Request request = get(std::move(path));
    request.method = std::move(method);
    return router.answer(request);
  };
  CHECK(*ask("GET", "/a").body == "a");
  CHECK(*ask("HEAD", "/a").body == "a");
  CHECK(ask("POST", "/a").status == 405);
  CHECK(ask("GET", "/a/").status == 404);
  CHECK(ask("GET", "/p/").status == 404);  // a prefix alone is no product
  CHECK(*ask("GET", "/p/1").body == "p");
  CHECK(*ask("GET", "/p/exact").body == "exact");
  CHECK(*ask("GET", "/p/q/x/../y").body == "x/../y");
  CHECK(*ask("POST", "/w").body == "w");
  CHECK(ask("GET", "/w").status == 405);
  CHECK(ask("POST", "/none").status == 404);
  CHECK(ask("GET", "").status == 404);
  router.otherwise(says("rest"));
  CHECK(*ask("GET", "/none").body == "rest");
}

TEST_CASE("router: a long path costs no stack") {
  Router router;
  router.get_prefix("/p/", says("p"));
  Request request = get("/p/" + std::string(1'000'000, 'a'));
  CHECK(*router.answer(request).body == "p");
}

TEST_CASE("problem: hostile text stays JSON") {
  const Reply reply = problem(400, "Bad", "a \"quote\" \xff <b>");
  CHECK(reply.status == 400);
  CHECK(reply.content_type == "application/problem+json; charset=utf-8");
  CHECK(*reply.body ==
        "{\"type\":\"about:blank\",\"title\":\"Bad\",\"status\":400,"
        "\"detail\":\"a \\\"quote\\\" \xef\xbf\xbd <b>\"}\n");
}

TEST_CASE("content coding: Accept-Encoding is read with its weights") {
  for (const char* yes : {"gzip", "GZIP", "br, gzip", "gzip;q=0.1", "*", "br;q=1, *;q=0.5",
                          "deflate , gzip ; q=1.0", "identity;q=0, gzip"}) {
    CAPTURE(yes);
    CHECK(accepts_gzip(yes));
  }
  for (const char* no : {"", "br", "gzip;q=0", "gzip;q=0.000", "*;q=0", "gzip;q=0, *", "gzipx",
                         "xgzip", ",,,", "identity"}) {
    CAPTURE(no);
    CHECK_FALSE(accepts_gzip(no));
  }
}

TEST_CASE("content coding: big texts are packed, once, with a tag of their own") {
  const std::string text(5000, 'x');
  Reply reply = json_reply(text);
  reply.etag = "\"7\"";
  negotiate(get("/", "gzip"), reply);
  CHECK(reply.content_encoding == "gzip");
  CHECK(reply.etag == "\"7-gzip\"");
  CHECK(unzip(*reply.body) == text);
  const std::string packed = *reply.body;
  negotiate(get("/", "gzip"), reply);
  CHECK(*reply.body == packed);

  Reply small = json_reply(std::string(100, 'x'));
  negotiate(get("/", "gzip"), small);
  CHECK(small.content_encoding.empty());
  Reply refused = json_reply(text);
  negotiate(get("/", "br"), refused);
  CHECK(refused.content_encoding.empty());
  Reply picture = json_reply(text);
  picture.content_type = "image/png";
  negotiate(get("/", "gzip"), picture);
  CHECK(picture.content_encoding.empty());
}

TEST_CASE("content coding: 304 when the client has the bytes of that encoding") {
  const auto status = [](const std::string& if_none_match, const std::string& accept) {
    Request request = get("/", accept);
    request.if_none_match = if_none_match;
    Reply reply = json_reply(std::string(5000, 'x'));
    reply.etag = "\"7\"";
    negotiate(request, reply);
    CHECK((reply.status == 304) == (reply.body == nullptr));
    CHECK(!reply.etag.empty());
    return reply.status;
  };
  CHECK(status("\"7\"", "") == 304);
  CHECK(status("W/\"7\"", "") == 304);
  CHECK(status("\"1\", \"7\"", "") == 304);
  CHECK(status("*", "") == 304);
  CHECK(status("\"7-gzip\"", "gzip") == 304);
  CHECK(status("\"7\"", "gzip") == 200);
  CHECK(status("\"7-gzip\"", "") == 200);
  CHECK(status("\"8\"", "") == 200);
  CHECK(status("7", "") == 200);
  CHECK(status("", "") == 200);
}

TEST_CASE("static files: the table, precompressed") {
  const StaticFiles files(kTable, "");
  const Reply page = files.find(get("/"));
  CHECK(*page.body == "<html>");
  CHECK(page.cache_control == "no-cache");
  CHECK(page.etag == "\"p1\"");
  const Reply packed = files.find(get("/", "gzip"));
  CHECK(*packed.body == "ZZ");
  CHECK(packed.content_encoding == "gzip");
  CHECK(packed.etag == "\"p1z\"");
  const Reply script = files.find(get("/a/app.0f3a9c21.js"));
  CHECK(script.cache_control == "public, max-age=31536000, immutable");
  const Reply picture = files.find(get("/a/i.00000000.svg", "gzip"));
  CHECK(*picture.body == "<svg>");
  for (const char* none : {"/a", "/a/", "/a/app.js", "//", "/index.html", "/../etc/passwd"}) {
    CAPTURE(none);
    CHECK(files.find(get(none)).status == 404);
  }
}

TEST_CASE("static files: from disk only below the root") {
  namespace fs = std::filesystem;
  const fs::path base = fs::temp_directory_path() / ("rp-web-" + std::to_string(::getpid()));
  fs::remove_all(base);
  fs::create_directories(base / "web/js");
  fs::create_directories(base / "web-secret");
  std::ofstream(base / "web/index.html") << "page";
  std::ofstream(base / "web/js/m.js") << "code";
  std::ofstream(base / "secret.txt") << "secret";
  std::ofstream(base / "web-secret/s.txt") << "secret";
  fs::create_symlink(base / "secret.txt", base / "web/link.txt");
  const StaticFiles files(kTable, fs::canonical(base / "web").native());
  const Reply page = files.find(get("/"));
  CHECK(*page.body == "page");
  CHECK(page.cache_control == "no-store");
  CHECK(page.content_type == "text/html; charset=utf-8");
  CHECK(*files.find(get("/js/m.js")).body == "code");
  CHECK(*files.find(get("/js/../js/m.js")).body == "code");
  CHECK(*files.find(get("/app.js")).body == "let x");  // the embedded file, name without hash
  for (const char* none : {"/../secret.txt", "/link.txt", "/js", "/js/", "/js/../../secret.txt",
                           "/../web-secret/s.txt", "//etc/passwd", "/none.js",
                           "/./../secret.txt"}) {
    CAPTURE(none);
    CHECK(files.find(get(none)).status == 404);
  }
  fs::remove_all(base);
}

TEST_CASE("static files: a directory that is none, and files for other machines, are refused") {
  Router router;
  HttpConfig config;
  config.web_dir = "/no/such/directory";
  CHECK(add_static_routes(router, config).code() == Code::kConfig);
  config.web_dir = "/tmp";
  config.address = "0.0.0.0";
  CHECK(add_static_routes(router, config).code() == Code::kConfig);
  config.web_dir.clear();
  CHECK(add_static_routes(router, config).ok());
  Request request = get("/");
  CHECK(router.answer(request).status == 200);  // the page that was built in
}

}  // namespace retailpulse
