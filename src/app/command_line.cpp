#include "app/command_line.h"

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "app/config_values.h"

namespace retailpulse {
namespace {

// What CLI11 fills in; texts, because the fields of the configuration judge them.
struct Words {
  std::vector<std::string> topics;
  std::vector<std::string> properties;
  std::optional<std::string> config_file;
  std::optional<std::string> client_properties;
  std::vector<std::pair<std::string, std::string>> fields;  // path, text; with its flag in `flags`
  std::vector<std::string> flags;
  bool exit_at_end = false;
  bool open_browser = false;
  bool origin = false;
  bool truth_minutes = false;
  std::optional<std::uint64_t> seed;
  std::optional<double> rate;
  std::optional<double> rate_max;
  std::optional<double> speed;
  std::optional<std::uint64_t> count;
  std::optional<std::uint32_t> products;
  std::optional<std::uint32_t> partitions;
  std::optional<std::string> duration;
  std::optional<std::string> start;
  std::optional<std::string> mix;
  std::optional<std::string> profile;
  std::string shape = "native";
  std::string truth_file;
  std::string out;
  std::string query;
  std::string format = "table";
};

// A flag that sets a field; help text and type come from the table.
void add_field(CLI::App& app, Words& words, const std::string& flags, const std::string& path,
               const std::string& type) {
  const std::string shown = flags.substr(flags.find("--"));
  app.add_option_function<std::string>(
         flags,
         [&words, path, shown](const std::string& text) {
           words.fields.emplace_back(path, text);
           words.flags.push_back(shown);
         },
         find_config_field(path)->meaning)
      ->type_name(type);
}

void add_kafka_flags(CLI::App& app, Words& words) {
  add_field(app, words, "-b,--bootstrap", "kafka.bootstrap", "HOST:PORT");
  app.add_option("-X", words.properties, "a property of librdkafka, repeatable")
      ->type_name("NAME=VALUE")->type_size(1)->allow_extra_args(false);
  app.add_option("-F", words.client_properties, "a Java client.properties file")->type_name("FILE");
}

void add_config_flag(CLI::App& app, Words& words) {
  app.add_option("-c,--config", words.config_file, "configuration, JSON with comments")->type_name("FILE");
}

void add_store_flags(CLI::App& app, Words& words) {
  add_field(app, words, "--data", "store.directory", "DIR");
  add_field(app, words, "--durability", "store.durability", "normal|full");
  add_field(app, words, "--zone", "time.zone", "ZONE");
}

void add_http_flags(CLI::App& app, Words& words) {
  add_field(app, words, "--port", "http.port", "PORT");
  add_field(app, words, "--address", "http.address", "ADDRESS");
  add_field(app, words, "--web-dir", "http.web_dir", "DIR");
  add_field(app, words, "--lanes", "pipeline.lanes", "N");
}

void add_run_flags(CLI::App& app, Words& words) {
  add_kafka_flags(app, words);
  app.add_option("-t,--topic", words.topics,
                 "a topic to read, repeatable; the roles are transactions, product_listings, feedback, "
                 "interactions, and a topic named so needs no role")
      ->type_name("TOPIC[=ROLE]")->type_size(1)->allow_extra_args(false);
  add_config_flag(app, words);
  add_field(app, words, "--from", "start", "earliest|latest|last:24h|TIME");
  app.add_flag("-e,--exit", words.exit_at_end, "leave when all that is there now has been counted");
  add_http_flags(app, words);
  add_store_flags(app, words);
}

void add_simulate_flags(CLI::App& app, Words& words) {
  add_kafka_flags(app, words);
  add_config_flag(app, words);
  app.add_option("--out", words.out, "write to a file instead of Kafka: topic, partition, key, value; - is stdout")->type_name("FILE");
  app.add_option("--truth", words.truth_file, "write the exact totals, as JSON")->type_name("FILE");
  app.add_flag("--truth-minutes", words.truth_minutes, "also totals of each minute");
  app.add_option("--seed", words.seed, "the same seed gives the same bytes [1]")->type_name("N");
  app.add_option("--rate", words.rate, "records per second of the shop's time [1000]")
      ->type_name("N")->check(CLI::Range(0.01, 1e7));
  app.add_option("--count", words.count, "stop after so many records")->type_name("N");
  app.add_option("--duration", words.duration, "stop after so much of the shop's time")->type_name("30s|2h");
  app.add_option("--speed", words.speed, "the shop's clock runs so many times faster; 0: as fast as possible")
      ->type_name("N")->check(CLI::Range(0.0, 1e6));
  app.add_option("--rate-max", words.rate_max, "never more records per second of our time")
      ->type_name("N")->check(CLI::Range(1.0, 1e9));
  app.add_option("--start", words.start, "when the shop opens")->type_name("TIME");
  app.add_option("--products", words.products, "size of the catalogue [5000]")
      ->type_name("N")->check(CLI::Range(1, 150'000));
  app.add_option("--partitions", words.partitions, "of each topic [4]")->type_name("N")->check(CLI::Range(1, 1024));
  app.add_option("--mix", words.mix, "sales: no visitors, only what is sold [shop]")
      ->type_name("shop|sales")->check(CLI::IsMember({"shop", "sales"}));
  app.add_option("--profile", words.profile, "wave: busy at any hour; day: as shops are")
      ->type_name("wave|day")->check(CLI::IsMember({"wave", "day"}));
  app.add_option("--shape", words.shape, "how records are written [native]")
      ->type_name("native")->check(CLI::IsMember({"native"}));
  add_field(app, words, "--zone", "time.zone", "ZONE");
}

struct Parser {
  CLI::App app{"RetailPulse: live, exact numbers of a shop from its Kafka topics", "retailpulse"};
  Words words;
  CLI::App* demo;
  CLI::App* run;
  CLI::App* simulate;
  CLI::App* sql;
  CLI::App* config;
  CLI::App* config_check;
  CLI::App* config_show;
  CLI::App* version;

  Parser() {
    app.require_subcommand(1);
    app.footer("retailpulse COMMAND --help tells more. Try: retailpulse demo");
    demo = app.add_subcommand("demo", "a shop, a Kafka and the dashboard in one process; needs nothing");
    run = app.add_subcommand("run", "read topics, keep the numbers, serve the dashboard");
    simulate = app.add_subcommand("simulate", "write a simulated shop's records to Kafka or a file");
    sql = app.add_subcommand("sql", "read-only SQL over the store");
    config = app.add_subcommand("config", "check or show the configuration");
    version = app.add_subcommand("version", "versions of the program and of what it is made of");
    config->require_subcommand(1);
    config_check = config->add_subcommand("check", "all errors at once, exit 78; or OK");
    config_show = config->add_subcommand("show", "every setting and its value");
    add_demo();
    add_run_flags(*run, words);
    run->footer("Example: retailpulse run -b localhost:9092 -t transactions -t orders=transactions");
    add_simulate_flags(*simulate, words);
    simulate->footer("Example: retailpulse simulate -b localhost:9092 --rate 2000 --seed 7");
    add_sql();
    add_run_flags(*config_check, words);
    config_check->footer("Example: retailpulse config check -c shop.json");
    add_run_flags(*config_show, words);
    config_show->add_flag("--origin", words.origin, "also where each value comes from");
    config_show->footer("Example: retailpulse config show --origin -c shop.json");
  }

  void add_demo() {
    add_http_flags(*demo, words);
    add_store_flags(*demo, words);
    demo->add_option("--seed", words.seed, "the same seed gives the same shop [1]")->type_name("N");
    demo->add_option("--rate", words.rate, "records per second [80]")->type_name("N")->check(CLI::Range(1.0, 200'000.0));
    demo->add_flag("--open", words.open_browser, "open the page in the browser");
    demo->footer("Example: retailpulse demo --port 8080");
  }

  void add_sql() {
    sql->add_option("query", words.query, "one SELECT")->required()->type_name("SQL");
    add_field(*sql, words, "--data", "store.directory", "DIR");
    add_config_flag(*sql, words);
    sql->add_option("--format", words.format, "table, csv or json [table]")
        ->type_name("table|csv|json")->check(CLI::IsMember({"table", "csv", "json"}));
    sql->footer("Example: retailpulse sql \"SELECT * FROM totals_by_day\" --format csv");
  }

  [[nodiscard]] Command command() const {
    if (demo->parsed()) return Command::kDemo;
    if (run->parsed()) return Command::kRun;
    if (simulate->parsed()) return Command::kSimulate;
    if (sql->parsed()) return Command::kSql;
    if (config_check->parsed()) return Command::kConfigCheck;
    if (config_show->parsed()) return Command::kConfigShow;
    return Command::kVersion;
  }
};

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// -c, else RETAILPULSE_CONFIG, else the first that is there.
std::string choose_file(const Words& words, const Environment& environment) {
  if (words.config_file) return *words.config_file;
  if (std::string named = variable(environment, "RETAILPULSE_CONFIG"); !named.empty()) return named;
  std::string home = variable(environment, "XDG_CONFIG_HOME");
  if (home.empty() && !variable(environment, "HOME").empty()) home = variable(environment, "HOME") + "/.config";
  std::vector<std::string> places{"./retailpulse.json", "/etc/retailpulse/retailpulse.json"};
  if (!home.empty()) places.insert(places.begin() + 1, home + "/retailpulse/retailpulse.json");
  const auto found = std::find_if(places.begin(), places.end(), is_file);
  return found == places.end() ? "" : *found;
}

void apply_flags(const Words& words, ConfigLoader& loader) {
  if (words.client_properties) loader.client_properties(*words.client_properties);
  loader.properties(words.properties);
  for (std::size_t i = 0; i < words.fields.size(); ++i) {
    loader.flag(words.fields[i].first, words.fields[i].second, words.flags[i]);
  }
  loader.topics(words.topics);
}

void fail(CommandLine& line, int exit_code, const std::string& sentence) {
  line.command = Command::kNone;
  line.exit_code = exit_code;
  line.error += sentence + "\n";
}

void plan_demo(const Words& words, ConfigLoader& loader, CommandLine& line) {
  const bool data = std::any_of(words.fields.begin(), words.fields.end(),
                                [](const auto& field) { return field.first == "store.directory"; });
  line.demo.throw_away = !data;
  line.demo.open_browser = words.open_browser;
  loader.native_topics();
  loader.config().start.kind = StartPoint::Kind::kEarliest;
  line.simulate.shop = live_shop();
  line.simulate.shop.rate = words.rate.value_or(80);
  line.simulate.shop.seed = words.seed.value_or(1);
  line.simulate.live = true;
  line.simulate.speed = 1;
}

// A file gets a shop of its own days; Kafka gets one that is open now, because brokers and readers
// judge records by their age. `now` is when the command was given.
void plan_times(const Words& words, EventTime now, SimulateOptions& options, CommandLine& line) {
  if (words.duration) {
    const auto duration = parse_duration(*words.duration);
    if (!duration || *duration == Duration{0}) {
      fail(line, kExitUsage, fmt::format("--duration: {} is no duration; write 30s, 15m or 2h.", shown_value(Json(*words.duration))));
    } else {
      options.duration = *duration;
    }
  }
  if (words.start) {
    const auto start = parse_moment(*words.start);
    if (!start || *start < TimeConfig{}.earliest) {
      fail(line, kExitUsage, fmt::format("--start: {} is no moment; write 2024-11-25T00:00:00Z.", shown_value(Json(*words.start))));
    } else {
      options.shop.start = *start;
    }
    return;
  }
  if (!words.out.empty()) return;  // the fixed start
  const double shop_seconds = options.count > 0 ? static_cast<double>(options.count) / options.shop.rate
                                                : static_cast<double>(options.duration.count()) / 1e6;
  const bool ends_now = !options.live && options.speed == 0;
  options.shop.start = now - Duration{ends_now ? static_cast<std::int64_t>(shop_seconds * 1e6) : 0};
}

void plan_simulate(const Words& words, EventTime now, const Config& config, CommandLine& line) {
  SimulateOptions& options = line.simulate;
  const bool to_file = !words.out.empty();
  options.live = !to_file && !words.speed && !words.start;
  options.speed = words.speed.value_or(options.live ? 1 : 0);
  if (!to_file) options.shop = live_shop();
  if (!options.live) options.shop.profile = SimulatorConfig::Profile::kDay;
  if (words.profile) {
    options.shop.profile = *words.profile == "day" ? SimulatorConfig::Profile::kDay : SimulatorConfig::Profile::kWave;
  }
  if (words.mix == "sales") options.shop.mix = SimulatorConfig::Mix::kSales;
  options.shop.seed = words.seed.value_or(1);
  options.shop.rate = words.rate.value_or(1000);
  options.shop.products = words.products.value_or(options.shop.products);
  options.shop.partitions = words.partitions.value_or(options.shop.partitions);
  options.rate_max = words.rate_max.value_or(0);
  options.count = words.count.value_or(0);
  options.truth_file = words.truth_file;
  options.truth_minutes = words.truth_minutes;
  options.out = words.out;
  options.zone = config.time.zone.empty() ? "UTC" : config.time.zone;
  plan_times(words, now, options, line);
  const bool endless = options.count == 0 && options.duration == Duration{0};
  if (to_file && endless && options.speed == 0) {
    fail(line, kExitUsage, "--out: a file needs an end; add --count N or --duration 2h.");
  }
  if (!to_file && config.kafka.bootstrap.empty()) {
    fail(line, kExitUsage, "No broker is named; add -b HOST:PORT, or --out FILE to write a file.");
  }
}

void plan_sql(const Words& words, CommandLine& line) {
  line.sql.query = words.query;
  if (words.format == "csv") line.sql.format = SqlOptions::Format::kCsv;
  if (words.format == "json") line.sql.format = SqlOptions::Format::kJson;
}

void require_run(const Config& config, CommandLine& line) {
  if (config.kafka.bootstrap.empty()) {
    fail(line, kExitUsage, "No broker is named; add -b HOST:PORT, or kafka.bootstrap to the configuration.");
  }
  if (config.streams.empty()) {
    fail(line, kExitUsage, fmt::format("No topic is named; add -t TOPIC[=ROLE], where ROLE is one of {}, or "
                                       "streams to the configuration.", fmt::join(role_names(), ", ")));
  }
}

void finish(const Parser& parser, const ConfigLoader& loader, const Clock& clock, CommandLine& line) {
  line.config = loader.config();
  line.config.exit_at_end = parser.words.exit_at_end;
  line.warnings = loader.warnings();
  if (!loader.errors().empty()) {
    for (const std::string& error : loader.errors()) fail(line, kExitConfig, error);
    return;
  }
  switch (line.command) {
    case Command::kRun: return require_run(line.config, line);
    case Command::kSimulate: return plan_simulate(parser.words, clock.wall(), line.config, line);
    case Command::kSql: return plan_sql(parser.words, line);
    case Command::kConfigShow: line.output = loader.show(parser.words.origin); return;
    case Command::kConfigCheck:
      line.output = line.config_file.empty() ? "OK (no file; flags, environment and defaults)\n"
                                             : fmt::format("OK: {}\n", line.config_file);
      return;
    default: return;
  }
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments,
                               const Environment& environment, const Clock& clock) {
  Parser parser;
  CommandLine line;
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    if (reversed.size() == 1 && reversed[0] == "--version") reversed[0] = "version";
    parser.app.parse(std::move(reversed));
  } catch (const CLI::ParseError& outcome) {
    std::ostringstream out;
    std::ostringstream error;
    const int code = parser.app.exit(outcome, out, error);
    line.exit_code = code == 0 ? 0 : kExitUsage;
    line.output = out.str();
    line.error = error.str();
    return line;
  }
  line.command = parser.command();
  if (line.command == Command::kVersion) return line;

  ConfigLoader loader;
  if (line.command != Command::kDemo) {
    line.config_file = choose_file(parser.words, environment);
    if (!line.config_file.empty()) loader.file(line.config_file);
  }
  loader.environment(environment);
  apply_flags(parser.words, loader);
  if (line.command == Command::kDemo) plan_demo(parser.words, loader, line);
  loader.check();
  finish(parser, loader, clock, line);
  return line;
}

}  // namespace retailpulse
