#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "app/config_lines.h"
#include "app/config_load.h"
#include "app/config_values.h"
#include "support/catch.h"

using namespace retailpulse;
namespace fs = std::filesystem;

namespace {

std::string slurp(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::string lines_of(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

std::vector<fs::path> files(const std::string& prefix) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::directory_iterator("tests/config")) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(prefix) && name.ends_with(".json")) found.push_back(entry.path());
  }
  std::sort(found.begin(), found.end());
  return found;
}

struct Scratch {
  fs::path path =
      fs::temp_directory_path() / ("retailpulse-config-test-" + std::to_string(getpid()));
  explicit Scratch(const std::string& text) { std::ofstream(path) << text; }
  ~Scratch() { fs::remove(path); }
};

ConfigLoader load(const std::string& text, const Environment& environment = {}) {
  const Scratch file(text);
  fs::permissions(file.path, fs::perms::owner_read | fs::perms::owner_write);
  ConfigLoader loader;
  loader.file(file.path.string());
  loader.environment(environment);
  loader.check();
  return loader;
}

}  // namespace

TEST_CASE("bad configurations: all errors at once, in the sentences beside the file") {
  const auto bad = files("bad_");
  REQUIRE(bad.size() >= 20);
  for (const fs::path& path : bad) {
    fs::path expected = path;
    expected.replace_extension(".txt");
    CAPTURE(path.string());
    REQUIRE(fs::exists(expected));
    ConfigLoader loader;
    loader.file(path.string());
    loader.check();
    CHECK(lines_of(loader.errors()) == slurp(expected));
    CHECK(!loader.errors().empty());
  }
}

TEST_CASE("good configurations have no errors") {
  for (const fs::path& path : files("good_")) {
    CAPTURE(path.string());
    ConfigLoader loader;
    loader.file(path.string());
    loader.check();
    CHECK(lines_of(loader.errors()).empty());
  }
  ConfigLoader loader;
  loader.file("tests/config/good_mapping.json");
  const Config& config = loader.config();
  REQUIRE(config.streams.size() == 2);
  CHECK(config.streams[0].role == Role::kInteractions);
  CHECK(config.streams[1].fields.at("amount") == "order.total");
  CHECK(config.streams[1].record_time);
  CHECK(config.streams[1].currency == "EUR");
  CHECK(config.kafka.properties.at("fetch.wait.max.ms") == "10");
  CHECK(config.time.out_of_order == std::chrono::seconds{30});
  CHECK(config.start.ago == std::chrono::hours{24 * 7});
}

TEST_CASE("config/retailpulse.json names every setting, with its default") {
  ConfigLoader loader;
  loader.file("config/retailpulse.json");
  loader.check();
  REQUIRE(lines_of(loader.errors()).empty());
  const ConfigLoader nothing;
  CHECK(loader.show(false) == nothing.show(false));
  const ConfigLines lines(slurp("config/retailpulse.json"));
  for (const ConfigField& field : config_fields()) {
    std::string pointer = "/" + field.path;
    std::replace(pointer.begin(), pointer.end(), '.', '/');
    CAPTURE(field.path);
    CHECK(lines.line_of(pointer) > 0);
  }
}

TEST_CASE("every default is itself in range, and every field takes what it shows") {
  for (const ConfigField& field : config_fields()) {
    Config config;
    CAPTURE(field.path);
    CHECK(field.set(config, field.get(Config{})));
    CHECK(field.get(config) == field.get(Config{}));
    CHECK(!field.meaning.empty());
    CHECK(!field.set(config, Json(nullptr)));
    CHECK(!field.set(config, Json::object()));
    CHECK(!field.set(config, Json(1.5)));
    CHECK(field.get(config) == field.get(Config{}));  // a refused value changes nothing
  }
}

TEST_CASE("flags > environment > file > defaults, and origins say so") {
  const Scratch file(
      R"({"http": {"port": 1111}, "time": {"out_of_order": "7s"}, "store": {"directory": "/a"}})");
  ConfigLoader loader;
  loader.file(file.path.string());
  loader.environment({{"RETAILPULSE_HTTP_PORT", "2222"},
                      {"RETAILPULSE_STORE_DIRECTORY", "/b"},
                      {"RETAILPULSE_HTTP_ALLOWED_HOSTS", "a.example,b.example"}});
  loader.flag("http.port", "3333", "--port");
  loader.check();
  REQUIRE(lines_of(loader.errors()).empty());
  CHECK(loader.config().http.port == 3333);
  CHECK(loader.config().store.directory == "/b");
  CHECK(loader.config().time.out_of_order == std::chrono::seconds{7});
  CHECK(loader.config().http.allowed_hosts == std::vector<std::string>{"a.example", "b.example"});
  const std::string shown = loader.show(true);
  CHECK(shown.find("http.port = 3333    (flag --port)\n") != std::string::npos);
  CHECK(shown.find("store.directory = \"/b\"    (environment RETAILPULSE_STORE_DIRECTORY)\n") !=
        std::string::npos);
  CHECK(shown.find("time.out_of_order = \"7s\"    (file " + file.path.string() + ":1)\n") !=
        std::string::npos);
  CHECK(shown.find("pipeline.lanes = 0    (default)\n") != std::string::npos);
}

TEST_CASE("environment: properties, secrets from files, slips") {
  const Scratch secret("canary-of-sixteen-or-more\n");
  ConfigLoader loader;
  loader.environment({{"RETAILPULSE_KAFKA__SASL_PASSWORD_FILE", secret.path.string()},
                      {"RETAILPULSE_KAFKA__SECURITY_PROTOCOL", "SASL_SSL"},
                      {"RETAILPULSE_HTTP_TOKEN_FILE", secret.path.string()},
                      {"RETAILPULSE_HTTP_PROT", "1"},
                      {"RETAILPULSE_BIN", "/x"},
                      {"RETAILPULSE_PIPELINE_LANES", "many"}});
  CHECK(loader.config().kafka.properties.at("sasl.password") == "canary-of-sixteen-or-more");
  CHECK(loader.config().kafka.properties.at("security.protocol") == "SASL_SSL");
  CHECK(loader.config().http.token == "canary-of-sixteen-or-more");
  CHECK(lines_of(loader.errors()) ==
        "RETAILPULSE_PIPELINE_LANES: pipeline.lanes is \"many\"; it must be a whole number from 0 "
        "to 64.\n");
  CHECK(lines_of(loader.warnings()) ==
        "RETAILPULSE_HTTP_PROT: nobody reads this variable; did you mean RETAILPULSE_HTTP_PORT?\n");
  CHECK(loader.show(true).find("canary") == std::string::npos);
  CHECK(loader.show(true).find("kafka.properties.sasl.password = (set, not shown)") !=
        std::string::npos);

  ConfigLoader missing;
  missing.environment({{"RETAILPULSE_HTTP_TOKEN_FILE", "/nonexistent/token"}});
  CHECK(lines_of(missing.errors()) ==
        "RETAILPULSE_HTTP_TOKEN_FILE: cannot read the file /nonexistent/token.\n");
}

TEST_CASE("a file with a secret that others may read is warned of") {
  const Scratch file(R"({"http": {"token": "0123456789abcdef012345"}})");
  fs::permissions(file.path, fs::perms::others_read, fs::perm_options::add);
  ConfigLoader loader;
  loader.file(file.path.string());
  REQUIRE(loader.errors().empty());
  CHECK(loader.warnings().size() == 1);
  CHECK(load(R"({"http": {"token": "0123456789abcdef012345"}})").warnings().empty());
}

TEST_CASE("flag -t: native names need no role, others do, a file's mapping is kept") {
  const Scratch file(
      R"({"streams": [{"topic": "orders", "role": "transactions", "fields": {"amount": "sum"}}]})");
  ConfigLoader loader;
  loader.file(file.path.string());
  loader.topics({"feedback", "orders", "clicks=interactions"});
  REQUIRE(lines_of(loader.errors()).empty());
  REQUIRE(loader.config().streams.size() == 3);
  CHECK(loader.config().streams[0].role == Role::kFeedback);
  CHECK(loader.config().streams[1].fields.at("amount") == "sum");
  CHECK(loader.config().streams[2].role == Role::kInteractions);

  ConfigLoader bad;
  bad.topics({"visits", "orders=transaction", "=feedback"});
  CHECK(
      lines_of(bad.errors()) ==
      "-t: what is topic visits? Write -t visits=ROLE; ROLE is one of transactions, "
      "product_listings, feedback, "
      "interactions.\n"
      "-t: \"transaction\" is no role; did you mean transactions? it must be one of transactions, "
      "product_listings, feedback, interactions.\n"
      "-t: \"=feedback\" names no topic; write TOPIC or TOPIC=ROLE.\n");
}

TEST_CASE("flag -X: checked, and our own names are used where we have them") {
  ConfigLoader loader;
  loader.properties(
      {"bootstrap.servers=a:1", "sasl.username=me=you", "plugin.library.paths=x", "novalue", "=x"});
  CHECK(loader.config().kafka.bootstrap == "a:1");
  CHECK(loader.config().kafka.properties.at("sasl.username") == "me=you");
  CHECK(loader.errors().size() == 3);
  CHECK(!loader.config().kafka.properties.contains("plugin.library.paths"));
}

TEST_CASE("hostile texts are shown harmless and short") {
  const ConfigLoader loader =
      load("{\"http\": {\"address\": [\"" + std::string(5000, 'x') + "\"]}, \"a\\u001b[31mb\": 1}");
  REQUIRE(loader.errors().size() == 2);
  for (const std::string& error : loader.errors()) {
    CHECK(error.size() < 400);
    CHECK(error.find('\x1b') == std::string::npos);
  }
  std::string nested = "{\"streams\": [";
  for (int i = 0; i < 200; ++i) nested += "1,";
  CHECK(load(nested + "1]}").errors().size() == ConfigLoader::kErrorsShown + 1);
  CHECK(load(std::string(2 << 20, ' ')).errors().size() == 1);
  CHECK(load("").errors().size() == 1);
  CHECK(load("{\"kafka\": \xff}").errors().size() == 1);
}

TEST_CASE("a syntax error never shows what was read") {
  for (const char* text :
       {"{\"http\": {\"token\": \"canary-1\n", "{\"http\": {\"token\": canary-1}}",
        "{\"a\": \"canary-1\" \"canary-1\"}", "{\"canary-1\" \"\\x\"}", "{\"canary-1"}) {
    const ConfigLoader loader = load(text);
    CAPTURE(text);
    REQUIRE(loader.errors().size() == 1);
    CHECK(loader.errors()[0].find("canary") == std::string::npos);
    CHECK(loader.errors()[0].find("this is no JSON") != std::string::npos);
  }
}

TEST_CASE("lines: comments and line ends of all kinds") {
  const ConfigLines lines(
      "// one\n{ /* two\nthree */ \"a\": [ 1,\n {\"b\": \"x\\\"}\"} ],\n\"c\": null, \"a\": 2}");
  CHECK(lines.line_of("") == 2);
  CHECK(lines.line_of("/a") == 3);
  CHECK(lines.line_of("/a/1") == 4);
  CHECK(lines.line_of("/a/1/b") == 4);
  CHECK(lines.line_of("/c") == 5);
  CHECK(lines.line_of("/d") == 0);
  CHECK(lines.twice() == std::vector<std::string>{"/a"});
}
