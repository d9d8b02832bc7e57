#include "app/command_line.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <optional>

#include "app/command_words.h"
#include "app/config_values.h"

namespace retailpulse {
namespace {

bool is_file(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISREG(info.st_mode);
}

std::string variable(const Environment& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

// -c, else RETAILPULSE_CONFIG, else the first that is there.
std::string choose_file(const CommandWords& words, const Environment& environment) {
  if (words.config_file) return *words.config_file;
  if (std::string named = variable(environment, "RETAILPULSE_CONFIG"); !named.empty()) return named;
  std::string home = variable(environment, "XDG_CONFIG_HOME");
  if (home.empty() && !variable(environment, "HOME").empty())
    home = variable(environment, "HOME") + "/.config";
  std::vector<std::string> places{"./retailpulse.json", "/etc/retailpulse/retailpulse.json"};
  if (!home.empty()) places.insert(places.begin() + 1, home + "/retailpulse/retailpulse.json");
  const auto found = std::find_if(places.begin(), places.end(), is_file);
  return found == places.end() ? "" : *found;
}

void apply_flags(const CommandWords& words, ConfigLoader& loader) {
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

// One simulated record is too large on purpose, and must reach the topic to be rejected.
void let_big_records_out(Config& config) {
  config.kafka.properties.emplace("message.max.bytes", "2000000");
}

void plan_demo(const CommandWords& words, ConfigLoader& loader, CommandLine& line) {
  const bool data = std::any_of(words.fields.begin(), words.fields.end(),
                                [](const auto& field) { return field.first == "store.directory"; });
  line.demo.throw_away = !data;
  line.demo.open_browser = words.open_browser;
  loader.native_topics();
  loader.config().start.kind = StartPoint::Kind::kEarliest;
  let_big_records_out(loader.config());
  line.simulate.shop = live_shop();
  line.simulate.shop.rate = words.rate.value_or(80);
  line.simulate.shop.seed = words.seed.value_or(1);
  line.simulate.live = true;
  line.simulate.speed = 1;
}

std::optional<EventTime> read_moment(const char* flag, const std::string& text, CommandLine& line) {
  const auto moment = parse_moment(text);
  if (moment && *moment >= TimeConfig{}.earliest) return moment;
  fail(line, kExitUsage,
       fmt::format("{}: {} is no moment; write 2024-11-25T00:00:00Z.", flag,
                   shown_value(Json(text))));
  return std::nullopt;
}

// A file gets a shop of its own days; Kafka gets one that is open now, because brokers and readers
// judge records by their age. `now` is when the command was given.
void plan_times(const CommandWords& words, EventTime now, SimulateOptions& options,
                CommandLine& line) {
  if (words.duration) {
    const auto duration = parse_duration(*words.duration);
    if (!duration || *duration == Duration{0}) {
      fail(line, kExitUsage,
           fmt::format("--duration: {} is no duration; write 30s, 15m or 2h.",
                       shown_value(Json(*words.duration))));
    } else {
      options.duration = *duration;
    }
  }
  if (words.start) {
    const auto start = read_moment("--start", *words.start, line);
    if (start) options.shop.start = *start;
    return;
  }
  if (!words.out.empty()) return;  // the fixed start
  const double shop_seconds = options.count > 0
                                  ? static_cast<double>(options.count) / options.shop.rate
                                  : static_cast<double>(options.duration.count()) / 1e6;
  const bool ends_now = !options.live && options.speed == 0;
  options.shop.start = now - Duration{ends_now ? static_cast<std::int64_t>(shop_seconds * 1e6) : 0};
}

void plan_simulate(const CommandWords& words, EventTime now, CommandLine& line) {
  SimulateOptions& options = line.simulate;
  Config& config = line.config;
  let_big_records_out(config);
  const bool to_file = !words.out.empty();
  options.live = !to_file && !words.speed && !words.start;
  options.speed = words.speed.value_or(options.live ? 1 : 0);
  if (!to_file) options.shop = live_shop();
  if (!options.live) options.shop.profile = SimulatorConfig::Profile::kDay;
  if (words.profile) {
    options.shop.profile =
        *words.profile == "day" ? SimulatorConfig::Profile::kDay : SimulatorConfig::Profile::kWave;
  }
  if (words.mix == "sales") options.shop.mix = SimulatorConfig::Mix::kSales;
  options.shop.seed = words.seed.value_or(1);
  options.shop.rate = words.rate.value_or(1000);
  options.shop.products = words.products.value_or(options.shop.products);
  // Kafka's topics have as many as they have; a file has as many as it says.
  options.shop.partitions = words.partitions.value_or(to_file ? options.shop.partitions : 0);
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

void plan_sql(const CommandWords& words, CommandLine& line) {
  line.sql.query = words.query;
  if (words.format == "csv") line.sql.format = SqlOptions::Format::kCsv;
  if (words.format == "json") line.sql.format = SqlOptions::Format::kJson;
}

void require_run(const Config& config, CommandLine& line) {
  if (config.kafka.bootstrap.empty()) {
    fail(line, kExitUsage,
         "No broker is named; add -b HOST:PORT, or kafka.bootstrap to the configuration.");
  }
  if (config.streams.empty()) {
    fail(line, kExitUsage,
         fmt::format("No topic is named; add -t TOPIC[=ROLE], where ROLE is one of {}, or "
                     "streams to the configuration.",
                     fmt::join(role_names(), ", ")));
  }
}

// TOPIC or TOPIC=FROM
void plan_new_logs(const CommandWords& words, CommandLine& line) {
  for (const std::string& word : words.new_logs) {
    const auto equals = word.find('=');
    NewLogStart log;
    log.topic = word.substr(0, equals);
    if (equals != std::string::npos) {
      const auto start = parse_start(word.substr(equals + 1));
      if (!start) {
        fail(line, kExitUsage,
             fmt::format("--new-log: {} says no place to begin; write TOPIC, TOPIC=latest, "
                         "TOPIC=last:1h or TOPIC=2024-11-25T00:00:00Z.", shown_value(Json(word))));
        continue;
      }
      log.start = *start;
    }
    const auto& streams = line.config.streams;
    if (std::none_of(streams.begin(), streams.end(),
                     [&](const StreamConfig& s) { return s.topic == log.topic; })) {
      fail(line, kExitUsage,
           fmt::format("--new-log: {} is not one of the topics that are read.",
                       shown_value(Json(log.topic))));
    }
    line.config.new_logs.push_back(std::move(log));
  }
  line.config.new_cluster = words.new_cluster;
}

void plan_verify(const CommandWords& words, CommandLine& line) {
  if (words.from) line.verify.from = read_moment("--from", *words.from, line);
  if (words.to) line.verify.to = read_moment("--to", *words.to, line);
  if (line.verify.from && line.verify.to && *line.verify.to <= *line.verify.from) {
    fail(line, kExitUsage, "--to: must be later than --from.");
  }
  require_run(line.config, line);
}

void finish(const CommandWords& words, const ConfigLoader& loader, const Clock& clock,
            CommandLine& line) {
  line.config = loader.config();
  line.config.exit_at_end = words.exit_at_end;
  line.config.require_healthy = words.require_healthy;
  line.warnings = loader.warnings();
  if (!loader.errors().empty()) {
    for (const std::string& error : loader.errors()) fail(line, kExitConfig, error);
    return;
  }
  switch (line.command) {
    case Command::kRun:
      plan_new_logs(words, line);
      return require_run(line.config, line);
    case Command::kSimulate:
      return plan_simulate(words, clock.wall(), line);
    case Command::kSql:
      return plan_sql(words, line);
    case Command::kVerify:
      return plan_verify(words, line);
    case Command::kConfigShow:
      line.output = loader.show(words.origin);
      return;
    case Command::kConfigCheck:
      line.output = line.config_file.empty() ? "OK (no file; flags, environment and defaults)\n"
                                             : fmt::format("OK: {}\n", line.config_file);
      return;
    default:
      return;
  }
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments,
                               const Environment& environment, const Clock& clock) {
  CommandLine line;
  const CommandWords words = split_command_line(arguments, line);
  line.command = words.command;
  if (line.command == Command::kNone || line.command == Command::kVersion) return line;

  ConfigLoader loader;
  if (line.command != Command::kDemo) {
    line.config_file = choose_file(words, environment);
    if (!line.config_file.empty()) loader.file(line.config_file);
  }
  loader.environment(environment);
  apply_flags(words, loader);
  if (line.command == Command::kDemo) plan_demo(words, loader, line);
  loader.check();
  finish(words, loader, clock, line);
  return line;
}

}  // namespace retailpulse
