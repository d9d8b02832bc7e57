// The verdict on every setting: what a change of it does to numbers that are stored. A setting that
// is missing here fails the test, so that nobody adds one without an answer.
#include "app/meaning.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "app/config_fields.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

enum class Verdict { kHarmless, kRecorded, kFixedByStore };

struct Answer {
  const char* path;
  Verdict verdict;
  Json other;       // a value that is not the default
  const char* why;
};

const std::vector<Answer>& answers() {
  static const std::vector<Answer> all{
      {"kafka.bootstrap", Verdict::kHarmless, "other:9092",
       "where to ask; another cluster behind it is for the resume fingerprint to notice"},
      {"kafka.group", Verdict::kHarmless, "g", "offsets there are advisory"},
      {"kafka.discovery", Verdict::kHarmless, "20s", "when a partition is found, not what is in it"},
      {"time.zone", Verdict::kFixedByStore, "Asia/Tokyo", "whose days the stored days are"},
      {"time.out_of_order", Verdict::kRecorded, "9s", "what is called late, and when panes are final"},
      {"time.future_skew", Verdict::kRecorded, "2h", "what is called future and moves no watermark"},
      {"time.idle_after", Verdict::kHarmless, "9s", "when a silent partition stops holding panes open"},
      {"time.earliest", Verdict::kRecorded, "2001-01-01T00:00:00Z", "what is rejected"},
      {"time.latest", Verdict::kRecorded, "2099-01-01T00:00:00Z", "what is rejected"},
      {"store.directory", Verdict::kHarmless, "/elsewhere", "another folder is another store"},
      {"store.durability", Verdict::kHarmless, "full", "when the disk has it"},
      {"store.retention.ten_seconds", Verdict::kHarmless, "4h", "seals never go back"},
      {"store.retention.minute", Verdict::kHarmless, "40h", "seals never go back"},
      {"store.retention.quarter", Verdict::kHarmless, "480h", "seals never go back"},
      {"store.retention.day", Verdict::kRecorded, "900000h", "what is too late for any pane"},
      {"store.retention.orders", Verdict::kRecorded, "500h", "which late lines still join their order"},
      {"store.retention.rejects", Verdict::kHarmless, 5, "kept samples; the ledger counts all"},
      {"http.address", Verdict::kHarmless, "127.0.0.2", "reading"},
      {"http.port", Verdict::kHarmless, 1, "reading"},
      {"http.sse_clients_max", Verdict::kHarmless, 1, "reading"},
      {"http.connections_max", Verdict::kHarmless, 9, "reading"},
      {"http.allowed_hosts", Verdict::kHarmless, Json::array({"shop.test"}), "reading"},
      {"http.token", Verdict::kHarmless, "0123456789abcdefghijklmnop", "reading"},
      {"http.web_dir", Verdict::kHarmless, "web", "reading"},
      {"pipeline.lanes", Verdict::kHarmless, 3, "everything is merge: store_twin_test"},
      {"pipeline.commit_interval", Verdict::kHarmless, "1s", "everything is merge: store_twin_test"},
      {"start", Verdict::kHarmless, "earliest", "for partitions that the store does not know yet"},
  };
  return all;
}

std::map<std::string, std::string> values_of(const Config& config) {
  std::map<std::string, std::string> values;
  for (const Setting& setting : meaning_of(config)) {
    CHECK(values.emplace(setting.name, setting.value).second);
  }
  return values;
}

Config two_streams() {
  Config config;
  config.streams.resize(2);
  config.streams[0].topic = "orders";
  config.streams[1].topic = "stars";
  config.streams[1].role = Role::kFeedback;
  return config;
}

// Names that differ.
std::set<std::string> changed(const Config& from, const Config& to) {
  const auto was = values_of(from), is = values_of(to);
  std::set<std::string> names;
  for (const auto& [name, value] : is) {
    const auto at = was.find(name);
    if (at == was.end() || at->second != value) names.insert(name);
  }
  return names;
}

}  // namespace

TEST_CASE("meaning: every setting has a verdict, and what is recorded agrees with it") {
  for (const ConfigField& field : config_fields()) {
    const auto answer = std::find_if(answers().begin(), answers().end(),
                                     [&](const Answer& a) { return field.path == a.path; });
    INFO(field.path << ": say what it does to stored numbers");
    REQUIRE(answer != answers().end());
    Config config = two_streams();
    REQUIRE(field.set(config, answer->other));
    REQUIRE(field.get(config) != field.get(two_streams()));
    const bool recorded = answer->verdict == Verdict::kRecorded;
    CHECK(changed(two_streams(), config) ==
          (recorded ? std::set<std::string>{field.path} : std::set<std::string>{}));
    CHECK(std::string(answer->why).size() > 5);
  }
  CHECK(answers().size() == config_fields().size());
}

TEST_CASE("meaning: of a stream its role is fixed, all else is recorded") {
  const Config before = two_streams();
  Config config = before;
  config.streams[0].role = Role::kInteractions;
  CHECK(changed(before, config) == std::set<std::string>{"streams.orders.role"});
  config = before;
  config.streams[1].fields["rating"] = "stars.given";
  CHECK(changed(before, config) == std::set<std::string>{"streams.stars.fields"});
  config = before;
  config.streams[0].record_time = true;
  CHECK(changed(before, config) == std::set<std::string>{"streams.orders.time"});
  config = before;
  config.streams[0].currency = "CHF";
  CHECK(changed(before, config) == std::set<std::string>{"streams.orders.currency"});
  config = before;
  config.kafka.properties["fetch.wait.max.ms"] = "7";  // none that is accepted changes a record
  CHECK(changed(before, config).empty());
  std::swap(config.streams[0], config.streams[1]);
  CHECK(changed(before, config).empty());
  for (const Setting& setting : meaning_of(before)) {
    CAPTURE(setting.name);
    CHECK(setting.fixed == (setting.name.ends_with(".role")));
    CHECK(setting.topic.empty() == !setting.name.starts_with("streams."));
  }
}

}  // namespace retailpulse
