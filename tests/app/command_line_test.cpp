#include "app/command_line.h"

#include "app/config_values.h"
#include "support/catch.h"

using namespace retailpulse;
using namespace std::chrono_literals;

namespace {

class FixedClock final : public Clock {
 public:
  Duration monotonic() const override { return Duration{0}; }
  EventTime wall() const override { return now; }
  EventTime now = std::chrono::sys_days{std::chrono::year{2026} / 3 / 1} + 12h;
};

const Environment kEmpty{{"HOME", "/nonexistent"}};

CommandLine parse(const std::vector<std::string>& arguments,
                  const Environment& environment = kEmpty) {
  return parse_command_line(arguments, environment, FixedClock{});
}

}  // namespace

TEST_CASE("run: flags become configuration") {
  const CommandLine line = parse({"run",
                                  "-b",
                                  "k1:9092,k2:9092",
                                  "-t",
                                  "transactions",
                                  "-t",
                                  "orders=transactions",
                                  "-X",
                                  "security.protocol=SSL",
                                  "-X",
                                  "fetch.wait.max.ms=20",
                                  "--from",
                                  "earliest",
                                  "-e",
                                  "--port",
                                  "0",
                                  "--data",
                                  "/tmp/d",
                                  "--lanes",
                                  "2",
                                  "--zone",
                                  "Asia/Kathmandu",
                                  "--durability",
                                  "full",
                                  "--address",
                                  "127.0.0.2",
                                  "--web-dir",
                                  "web"});
  CHECK(line.error.empty());
  REQUIRE(line.command == Command::kRun);
  CHECK(line.config.kafka.bootstrap == "k1:9092,k2:9092");
  REQUIRE(line.config.streams.size() == 2);
  CHECK(line.config.streams[1].topic == "orders");
  CHECK(line.config.kafka.properties.size() == 2);
  CHECK(line.config.start.kind == StartPoint::Kind::kEarliest);
  CHECK(line.config.exit_at_end);
  CHECK(line.config.http.port == 0);
  CHECK(line.config.store.directory == "/tmp/d");
  CHECK(line.config.store.durability == Durability::kFull);
  CHECK(line.config.pipeline.lanes == 2);
  CHECK(line.config.time.zone == "Asia/Kathmandu");
}

TEST_CASE("run: what is missing or wrong is said, with the exit code for it") {
  const CommandLine nothing = parse({"run"});
  CHECK(nothing.command == Command::kNone);
  CHECK(nothing.exit_code == kExitUsage);
  CHECK(nothing.error.find("add -b HOST:PORT") != std::string::npos);
  CHECK(nothing.error.find("add -t TOPIC[=ROLE]") != std::string::npos);

  const CommandLine wrong =
      parse({"run", "-b", "k:1", "-t", "visits", "--port", "80800", "--from", "now"});
  CHECK(wrong.exit_code == kExitConfig);
  CHECK(wrong.error.find(
            "--port: http.port is \"80800\"; it must be a whole number from 0 to 65535.\n") !=
        std::string::npos);
  CHECK(wrong.error.find("--from: start is \"now\"") != std::string::npos);
  CHECK(wrong.error.find("-t: what is topic visits?") != std::string::npos);

  CHECK(parse({"run", "--no-such-flag"}).exit_code == kExitUsage);
  CHECK(parse({}).exit_code == kExitUsage);
  CHECK(parse({"fly"}).exit_code == kExitUsage);
  CHECK(parse({"run", "--token", "0123456789abcdef012345"}).exit_code ==
        kExitUsage);  // ps shows arguments
}

TEST_CASE("a word that is not known is named, with what was probably meant") {
  const auto error_of = [](const std::vector<std::string>& words) {
    const CommandLine line = parse(words);
    CHECK(line.command == Command::kNone);
    CHECK(line.exit_code == kExitUsage);
    return line.error;
  };
  CHECK(error_of({"verson"}) ==
        "verson is no command; did you mean version? There are demo, run, simulate, sql, verify, "
        "config, version.\n");
  CHECK(error_of({"fly"}).find("fly is no command. There are demo") == 0);
  CHECK(error_of({"demo", "--portt", "1"}) ==
        "--portt is no flag of demo; did you mean --port? See retailpulse demo --help.\n");
  CHECK(error_of({"config", "check", "--portt=1"}).find("did you mean --port? See retailpulse "
                                                        "config check --help.") !=
        std::string::npos);
  CHECK(error_of({"run", "-q"}) == "-q is no flag of run. See retailpulse run --help.\n");
  CHECK(error_of({"config"}).find("config check") != std::string::npos);
  CHECK(error_of({"sql"}).find("Give one statement") == 0);
  CHECK(error_of({"run", "-b"}).find("See retailpulse run --help.") != std::string::npos);
  CHECK(error_of({}).find("Subcommands:") != std::string::npos);
}

TEST_CASE("help says what holds when a flag is not given") {
  const std::string run = parse({"run", "--help"}).output;
  CHECK(run.find("[8080]") != std::string::npos);
  CHECK(run.find("[last:1d]") != std::string::npos);
  CHECK(run.find("[./retailpulse-data]") != std::string::npos);
  for (const char* command : {"demo", "simulate", "sql"}) {
    CHECK(parse({command, "--help"}).output.find(" in [") == std::string::npos);
  }
}

TEST_CASE("help is on stdout with an example and exit 0") {
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"--help"},
                                             {"run", "--help"},
                                             {"demo", "--help"},
                                             {"simulate", "--help"},
                                             {"sql", "--help"},
                                             {"config", "check", "--help"},
                                             {"config", "show", "--help"}}) {
    const CommandLine line = parse(arguments);
    CAPTURE(arguments.front());
    CHECK(line.command == Command::kNone);
    CHECK(line.exit_code == 0);
    CHECK(line.error.empty());
    CHECK((line.output.find("Example: retailpulse ") != std::string::npos ||
           line.output.find("Try: retailpulse demo") != std::string::npos));
  }
}

TEST_CASE("demo: a live shop, the native topics, a throw-away store") {
  const CommandLine line = parse({"demo", "--port", "0", "--seed", "9", "--rate", "250"});
  REQUIRE(line.command == Command::kDemo);
  CHECK(line.config.streams.size() == 4);
  CHECK(line.config.start.kind == StartPoint::Kind::kEarliest);
  CHECK(line.simulate.shop.seed == 9);
  CHECK(line.simulate.shop.rate == 250);
  CHECK(line.simulate.live);
  CHECK(line.demo.throw_away);
  CHECK(!parse({"demo", "--data", "/tmp/d"}).demo.throw_away);
  CHECK(parse({"demo", "--rate", "0"}).exit_code == kExitUsage);
}

TEST_CASE("simulate: a file has the shop's own days, Kafka the present") {
  const FixedClock clock;
  const CommandLine file =
      parse({"simulate", "--out", "x.tsv", "--count", "1000", "--seed", "3", "--mix", "sales"});
  REQUIRE(file.command == Command::kSimulate);
  CHECK(file.simulate.shop.start == SimulatorConfig{}.start);
  CHECK(file.simulate.speed == 0);
  CHECK(!file.simulate.live);
  CHECK(file.simulate.shop.mix == SimulatorConfig::Mix::kSales);
  CHECK(file.simulate.zone == "UTC");

  const CommandLine live = parse({"simulate", "-b", "k:1", "--rate", "50"});
  REQUIRE(live.command == Command::kSimulate);
  CHECK(live.simulate.live);
  CHECK(live.simulate.shop.start == clock.now);
  CHECK(live.simulate.shop.profile == SimulatorConfig::Profile::kWave);

  const CommandLine bulk =
      parse({"simulate", "-b", "k:1", "--rate", "1000", "--count", "3600000", "--speed", "0"});
  REQUIRE(bulk.command == Command::kSimulate);
  CHECK(!bulk.simulate.live);
  CHECK(bulk.simulate.shop.start == clock.now - 1h);

  const CommandLine dated =
      parse({"simulate", "-b", "k:1", "--start", "2026-01-02T03:04:05Z", "--duration", "2h"});
  CHECK(moment_text(dated.simulate.shop.start) == "2026-01-02T03:04:05Z");
  CHECK(dated.simulate.duration == Duration{2h});

  CHECK(parse({"simulate"}).error.find("-b HOST:PORT, or --out FILE") != std::string::npos);
  CHECK(parse({"simulate", "--out", "x"}).error.find("--count N or --duration") !=
        std::string::npos);
  CHECK(parse({"simulate", "--out", "x", "--duration", "soon"}).exit_code == kExitUsage);
  CHECK(parse({"simulate", "--out", "x", "--count", "1", "--start", "1984-01-01T00:00:00Z"})
            .exit_code == kExitUsage);
  CHECK(parse({"simulate", "--out", "x", "--count", "1", "--shape", "segment"}).exit_code ==
        kExitUsage);
}

TEST_CASE("sql, version, config") {
  const CommandLine sql = parse({"sql", "SELECT 1", "--format", "csv", "--data", "/tmp/d"});
  REQUIRE(sql.command == Command::kSql);
  CHECK(sql.sql.query == "SELECT 1");
  CHECK(sql.sql.format == SqlOptions::Format::kCsv);
  CHECK(sql.config.store.directory == "/tmp/d");
  CHECK(parse({"sql"}).exit_code == kExitUsage);
  CHECK(parse({"sql", "SELECT 1", "--format", "xml"}).exit_code == kExitUsage);

  CHECK(parse({"version"}).command == Command::kVersion);
  CHECK(parse({"--version"}).command == Command::kVersion);

  const CommandLine good = parse({"config", "check", "-c", "tests/config/good_mapping.json"});
  CHECK(good.command == Command::kConfigCheck);
  CHECK(good.output == "OK: tests/config/good_mapping.json\n");
  CHECK(good.exit_code == 0);

  const CommandLine bad = parse({"config", "check", "-c", "tests/config/bad_range.json"});
  CHECK(bad.exit_code == kExitConfig);
  CHECK(bad.output.empty());
  CHECK(bad.error.find("tests/config/bad_range.json:3: http.port is 99999") != std::string::npos);

  const CommandLine show =
      parse({"config", "show", "--origin", "-c", "tests/config/good_mapping.json", "--port", "81"});
  REQUIRE(show.command == Command::kConfigShow);
  CHECK(show.output.find("http.port = 81    (flag --port)") != std::string::npos);
  CHECK(parse({"config", "show", "-c", "/nonexistent.json"}).exit_code == kExitConfig);
}

TEST_CASE("the file may be named by the environment, and flags win over it") {
  Environment environment = kEmpty;
  environment["RETAILPULSE_CONFIG"] = "tests/config/good_mapping.json";
  const CommandLine line = parse({"run", "-b", "other:1"}, environment);
  REQUIRE(line.command == Command::kRun);
  CHECK(line.config_file == "tests/config/good_mapping.json");
  CHECK(line.config.kafka.bootstrap == "other:1");
  CHECK(line.config.streams.size() == 2);
}

TEST_CASE("run: a new log is named with where to begin in it") {
  const std::vector<std::string> run{"run", "-b", "k:1", "-t", "transactions", "-t",
                                     "orders=transactions"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), run.begin(), run.end());
    return parse(more);
  };
  const CommandLine line = with({"--new-log", "orders", "--new-log", "transactions=latest",
                                 "--new-cluster", "LkU7"});
  CHECK(line.error.empty());
  REQUIRE(line.config.new_logs.size() == 2);
  CHECK(line.config.new_logs[0].topic == "orders");
  CHECK(line.config.new_logs[0].start.kind == StartPoint::Kind::kEarliest);
  CHECK(line.config.new_logs[1].start.kind == StartPoint::Kind::kLatest);
  CHECK(line.config.new_cluster == "LkU7");
  const CommandLine nowhere = with({"--new-log", "orders=sometime"});
  CHECK(nowhere.exit_code == kExitUsage);
  CHECK(nowhere.error.find("TOPIC=latest") != std::string::npos);
  const CommandLine stranger = with({"--new-log", "order"});
  CHECK(stranger.exit_code == kExitUsage);
  CHECK(stranger.error.find("not one of the topics") != std::string::npos);
}
