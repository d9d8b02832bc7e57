#include "app/command_words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <sstream>

#include "app/config_fields.h"
#include "app/config_values.h"

namespace retailpulse {
namespace {

constexpr const char* kReadFolder = "where retailpulse.db is [./retailpulse-data]";

// What the table says of a field, and what holds when nobody sets it.
std::string field_help(const ConfigField& field) {
  const Json value = field.get(Config{});
  const std::string text = value.is_string() ? value.get<std::string>() : value.dump();
  return text.empty() ? field.meaning : fmt::format("{} [{}]", field.meaning, text);
}

// A flag that sets a field; unless `help` is given, it comes from the table.
void add_field(CLI::App& app, CommandWords& words, const std::string& flags,
               const std::string& path, const std::string& type, const std::string& help = {}) {
  const std::string shown = flags.substr(flags.find("--"));
  app.add_option_function<std::string>(
         flags,
         [&words, path, shown](const std::string& text) {
           words.fields.emplace_back(path, text);
           words.flags.push_back(shown);
         },
         help.empty() ? field_help(*find_config_field(path)) : help)
      ->type_name(type);
}

// CLI11 writes a check's own words after the type: here the help text says what is allowed.
CLI::Validator between(double least, double most) {
  return CLI::Validator(CLI::Range(least, most)).description("");
}

CLI::Validator one_of(const std::vector<std::string>& words) {
  return CLI::Validator(CLI::IsMember(words)).description("");
}

void add_kafka_flags(CLI::App& app, CommandWords& words) {
  add_field(app, words, "-b,--bootstrap", "kafka.bootstrap", "HOST:PORT");
  app.add_option("-X", words.properties, "a property of librdkafka, repeatable")
      ->type_name("NAME=VALUE")
      ->type_size(1)
      ->allow_extra_args(false);
  app.add_option("-F", words.client_properties, "a Java client.properties file")->type_name("FILE");
}

void add_config_flag(CLI::App& app, CommandWords& words) {
  app.add_option("-c,--config", words.config_file, "configuration, JSON with comments")
      ->type_name("FILE");
}

void add_store_flags(CLI::App& app, CommandWords& words, const std::string& folder = {}) {
  add_field(app, words, "--data", "store.directory", "DIR", folder);
  add_field(app, words, "--durability", "store.durability", "normal|full");
  add_field(app, words, "--zone", "time.zone", "ZONE");
}

void add_http_flags(CLI::App& app, CommandWords& words) {
  add_field(app, words, "--port", "http.port", "PORT");
  add_field(app, words, "--address", "http.address", "ADDRESS");
  add_field(app, words, "--web-dir", "http.web_dir", "DIR");
  add_field(app, words, "--lanes", "pipeline.lanes", "N");
}

void add_topic_flag(CLI::App& app, CommandWords& words) {
  app.add_option(
         "-t,--topic", words.topics,
         "a topic to read, repeatable; the roles are transactions, product_listings, feedback, "
         "interactions, and a topic named so needs no role")
      ->type_name("TOPIC[=ROLE]")
      ->type_size(1)
      ->allow_extra_args(false);
}

void add_run_flags(CLI::App& app, CommandWords& words) {
  add_kafka_flags(app, words);
  add_topic_flag(app, words);
  add_config_flag(app, words);
  add_field(app, words, "--from", "start", "earliest|latest|last:24h|TIME");
  app.add_option("--new-log", words.new_logs,
                 "count the log that this topic has now after the one it had; only when `run` has "
                 "said that it is another one; FROM as for --from [earliest]")
      ->type_name("TOPIC[=FROM]")
      ->type_size(1)
      ->allow_extra_args(false);
  app.add_option("--new-cluster", words.new_cluster, "the topics moved to the cluster of this id")
      ->type_name("ID");
  app.add_flag("-e,--exit", words.exit_at_end, "leave when all that is there now has been counted");
  app.add_flag("--require-healthy", words.require_healthy,
               "leave with exit code 69 when no broker answers at the start");
  add_http_flags(app, words);
  add_store_flags(app, words);
}

void add_simulate_flags(CLI::App& app, CommandWords& words) {
  add_kafka_flags(app, words);
  add_config_flag(app, words);
  app.add_option("--out", words.out,
                 "write to a file instead of Kafka: topic, partition, key, value; - is stdout")
      ->type_name("FILE");
  app.add_option("--truth", words.truth_file, "write the exact totals, as JSON")->type_name("FILE");
  app.add_flag("--truth-minutes", words.truth_minutes, "also totals of each minute");
  app.add_option("--seed", words.seed, "the same seed gives the same bytes [1]")->type_name("N");
  app.add_option("--rate", words.rate, "records per second of the shop's time [1000]")
      ->type_name("N")
      ->check(between(0.01, 1e7));
  app.add_option("--count", words.count, "stop after so many records")->type_name("N");
  app.add_option("--duration", words.duration, "stop after so much of the shop's time")
      ->type_name("30s|2h");
  app.add_option("--speed", words.speed,
                 "the shop's clock runs so many times faster; 0: as fast as possible")
      ->type_name("N")
      ->check(between(0, 1e6));
  app.add_option("--rate-max", words.rate_max, "never more records per second of our time")
      ->type_name("N")
      ->check(between(1, 1e9));
  app.add_option("--start", words.start, "when the shop opens")->type_name("TIME");
  app.add_option("--products", words.products, "size of the catalogue, up to 150000 [5000]")
      ->type_name("N")
      ->check(between(1, 150'000));
  app.add_option("--partitions", words.partitions,
                 "of each topic [those of the topics; 4 in a file]")
      ->type_name("N")
      ->check(between(1, 1024));
  app.add_option("--mix", words.mix, "sales: no visitors, only what is sold [shop]")
      ->type_name("shop|sales")
      ->check(one_of({"shop", "sales"}));
  app.add_option("--profile", words.profile, "wave: busy at any hour; day: as shops are")
      ->type_name("wave|day")
      ->check(one_of({"wave", "day"}));
  app.add_option("--shape", words.shape, "how records are written [native]")
      ->type_name("native")
      ->check(one_of({"native"}));
  add_field(app, words, "--zone", "time.zone", "ZONE");
}

struct Parser {
  CLI::App app{"RetailPulse: live, exact numbers of a shop from its Kafka topics", "retailpulse"};
  CommandWords words;
  CLI::App* demo;
  CLI::App* run;
  CLI::App* simulate;
  CLI::App* sql;
  CLI::App* verify;
  CLI::App* config;
  CLI::App* config_check;
  CLI::App* config_show;
  CLI::App* version;

  Parser() {
    app.require_subcommand(1);
    app.footer("retailpulse COMMAND --help tells more. Try: retailpulse demo");
    demo = app.add_subcommand("demo",
                              "a shop, a Kafka and the dashboard in one process; needs nothing");
    run = app.add_subcommand("run", "read topics, keep the numbers, serve the dashboard");
    simulate =
        app.add_subcommand("simulate", "write a simulated shop's records to Kafka or a file");
    sql = app.add_subcommand("sql", "read-only SQL over the store");
    verify = app.add_subcommand(
        "verify", "read Kafka again, count again, and compare with what the store says");
    config = app.add_subcommand("config", "check or show the configuration");
    version = app.add_subcommand("version", "versions of the program and of what it is made of");
    config->require_subcommand(1);
    config_check = config->add_subcommand("check", "all errors at once, exit 78; or OK");
    config_show = config->add_subcommand("show", "every setting and its value");
    add_demo();
    add_run_flags(*run, words);
    run->footer(
        "Example: retailpulse run -b localhost:9092 -t transactions -t orders=transactions");
    add_simulate_flags(*simulate, words);
    simulate->footer("Example: retailpulse simulate -b localhost:9092 --rate 2000 --seed 7");
    add_sql();
    add_verify();
    add_run_flags(*config_check, words);
    config_check->footer("Example: retailpulse config check -c shop.json");
    add_run_flags(*config_show, words);
    config_show->add_flag("--origin", words.origin, "also where each value comes from");
    config_show->footer("Example: retailpulse config show --origin -c shop.json");
  }

  void add_demo() {
    add_http_flags(*demo, words);
    add_store_flags(*demo, words, "keeps the store there [a folder that goes with the demo]");
    demo->add_option("--seed", words.seed, "the same seed gives the same shop [1]")->type_name("N");
    demo->add_option("--rate", words.rate, "records per second, up to 200000 [80]")
        ->type_name("N")
        ->check(between(1, 200'000));
    demo->add_flag("--open", words.open_browser, "open the page in the browser");
    demo->footer("Example: retailpulse demo --port 8080");
  }

  void add_sql() {
    sql->add_option("query", words.query, "one SELECT")->required()->type_name("SQL");
    add_field(*sql, words, "--data", "store.directory", "DIR", kReadFolder);
    add_config_flag(*sql, words);
    sql->add_option("--format", words.format, "how rows are written [table]")
        ->type_name("table|csv|json")
        ->check(one_of({"table", "csv", "json"}));
    sql->footer("Example: retailpulse sql \"SELECT * FROM totals_by_day\" --format csv");
  }

  void add_verify() {
    add_kafka_flags(*verify, words);
    add_topic_flag(*verify, words);
    add_config_flag(*verify, words);
    add_field(*verify, words, "--data", "store.directory", "DIR", kReadFolder);
    add_field(*verify, words, "--zone", "time.zone", "ZONE");
    verify->add_option("--from", words.from, "compare from this event time on")->type_name("TIME");
    verify->add_option("--to", words.to, "compare up to this event time")->type_name("TIME");
    verify->footer("Example: retailpulse verify -b localhost:9092 -t transactions "
                   "--from 2026-11-01T00:00:00Z");
  }

  [[nodiscard]] Command command() const {
    if (demo->parsed()) return Command::kDemo;
    if (run->parsed()) return Command::kRun;
    if (simulate->parsed()) return Command::kSimulate;
    if (sql->parsed()) return Command::kSql;
    if (verify->parsed()) return Command::kVerify;
    if (config_check->parsed()) return Command::kConfigCheck;
    if (config_show->parsed()) return Command::kConfigShow;
    return Command::kVersion;
  }
};

const std::vector<std::string> kCommands{"demo",   "run",    "simulate", "sql",
                                         "verify", "config", "version"};

// The end of a sentence about an unknown word.
std::string hint(const std::string& word, const std::vector<std::string>& known) {
  const std::string meant = nearest(word, known);
  return meant.empty() ? "." : fmt::format("; did you mean {}?", meant);
}

// The first flag that the command does not have, or "".
std::string unknown_flag(const CLI::App& command, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument.size() < 2 || argument[0] != '-') continue;
    const std::string flag = argument.substr(0, argument.find('='));
    const std::string name = flag.compare(0, 2, "--") == 0 ? flag : flag.substr(0, 2);
    if (command.get_option_no_throw(name) == nullptr) return name;
  }
  return "";
}

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> flags;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) flags.push_back("--" + name);
  }
  return flags;
}

// What is wrong with a line that CLI11 refused, in a sentence that says what to do.
std::string complaint(const Parser& parser, const std::vector<std::string>& arguments,
                      const CLI::ParseError& refusal) {
  if (arguments.empty()) return parser.app.help();
  const std::string& first = arguments[0];
  const bool known = std::find(kCommands.begin(), kCommands.end(), first) != kCommands.end();
  if (!known && first[0] != '-') {
    return fmt::format("{} is no command{} There are {}.\n", first, hint(first, kCommands),
                       fmt::join(kCommands, ", "));
  }
  const auto chosen = parser.app.get_subcommands();
  if (chosen.empty()) return fmt::format("{}\nSee retailpulse --help.\n", refusal.what());
  if (chosen[0] == parser.config && parser.config->get_subcommands().empty()) {
    return "Say which: retailpulse config check, or retailpulse config show.\n";
  }
  const CLI::App& command =
      chosen[0] == parser.config ? *parser.config->get_subcommands()[0] : *chosen[0];
  const std::string name = chosen[0] == &command ? first : first + " " + command.get_name();
  const std::string flag = unknown_flag(command, arguments);
  if (refusal.get_exit_code() == static_cast<int>(CLI::ExitCodes::ExtrasError) && !flag.empty()) {
    return fmt::format("{} is no flag of {}{} See retailpulse {} --help.\n", flag, name,
                       hint(flag, flags_of(command)), name);
  }
  if (chosen[0] == parser.sql && parser.words.query.empty()) {
    return "Give one statement, such as: retailpulse sql \"SELECT * FROM totals_by_day\"\n";
  }
  return fmt::format("{}\nSee retailpulse {} --help.\n", refusal.what(), name);
}

}  // namespace

CommandWords split_command_line(const std::vector<std::string>& arguments, CommandLine& line) {
  Parser parser;
  try {
    std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());  // as CLI11 takes them
    if (reversed.size() == 1 && reversed[0] == "--version") reversed[0] = "version";
    if (reversed.size() == 1 && reversed[0] == "help") reversed[0] = "--help";
    parser.app.parse(std::move(reversed));
    parser.words.command = parser.command();
  } catch (const CLI::ParseError& outcome) {
    std::ostringstream out;
    std::ostringstream error;
    const int code = parser.app.exit(outcome, out, error);
    line.exit_code = code == 0 ? 0 : kExitUsage;
    line.output = out.str();
    if (code != 0) line.error = complaint(parser, arguments, outcome);
  }
  return std::move(parser.words);
}

}  // namespace retailpulse
