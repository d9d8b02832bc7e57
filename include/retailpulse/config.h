// Config: everything that can be set, as plain values with their defaults.
//
// Order of sources: flags > environment > file > these defaults (app/config_*.cpp). Nothing is
// clamped: a value outside its range is an error that names file, line, field, value and range.
//
// Thread: frozen after loading.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <retailpulse/types.h>

namespace retailpulse {

// Where canonical fields are found in a message: canonical name -> dotted path. A field that is
// not named keeps its native name (the canonical one). The full mapping language will replace
// this map behind the Decoder seam.
struct StreamConfig {
  std::string topic;
  Role role = Role::kTransactions;
  std::map<std::string, std::string> fields;  // e.g. {"amount", "order.total"}
  bool record_time = false;                   // "time": "kafka": the record time is the event time
  std::string currency = "USD";               // for records that name none
};

struct TimeConfig {
  std::string zone;                           // IANA name; empty: this machine's zone
  Duration out_of_order = std::chrono::seconds{5};
  Duration future_skew = std::chrono::hours{1};
  Duration idle_after = std::chrono::seconds{5};
  EventTime earliest = std::chrono::sys_days{std::chrono::year{2000} / 1 / 1};
  EventTime latest = std::chrono::sys_days{std::chrono::year{2100} / 1 / 1};
};

struct KafkaConfig {
  std::string bootstrap;
  std::map<std::string, std::string> properties;  // allow-listed librdkafka properties
  std::string group = "retailpulse";              // for advisory offset commits only
  Duration discovery = std::chrono::seconds{15};  // new partitions are seen within this
};

enum class Durability : std::uint8_t { kNormal, kFull };

// How long panes of a tier are kept, counted back from the data clock (the watermark).
struct RetentionConfig {
  Duration ten_seconds = std::chrono::hours{3};
  Duration minute = std::chrono::hours{36};
  Duration quarter = std::chrono::hours{24 * 14};
  Duration day = std::chrono::hours{24 * 36'500};  // the whole accepted range
  Duration orders = std::chrono::hours{24 * 400};  // how long lines can still join an order
  std::uint32_t rejects = 10'000;                  // rows
};

struct StoreConfig {
  std::string directory = "./retailpulse-data";
  Durability durability = Durability::kNormal;
  RetentionConfig retention;
};

struct HttpConfig {
  std::string address = "127.0.0.1";
  std::uint16_t port = 8080;                  // 0: any free one
  std::uint32_t sse_clients_max = 32;         // over it: 204, and the page polls
  std::uint32_t connections_max = 256;
  std::vector<std::string> allowed_hosts;     // besides localhost, 127.0.0.1 and [::1]
  std::string token;                          // required off loopback
  std::string web_dir;                        // development: serve web/ from here
};

// Where a partition without a stored offset starts.
struct StartPoint {
  enum class Kind : std::uint8_t { kEarliest, kLatest, kTime, kAgo };
  Kind kind = Kind::kAgo;
  EventTime time{};                           // kTime
  Duration ago = std::chrono::hours{24};      // kAgo
};

// A person's word on a partition whose log is not the one that was read: go on with this one.
struct NewLogStart {
  std::string topic;
  StartPoint start{StartPoint::Kind::kEarliest, {}, {}};
};

struct PipelineConfig {
  std::uint32_t lanes = 0;                    // 0: half the cores, at least 1, at most 4
  Duration commit_interval = std::chrono::milliseconds{50};  // shortest; stretched by its cost
};

struct Config {
  KafkaConfig kafka;
  std::vector<StreamConfig> streams;
  TimeConfig time;
  StoreConfig store;
  HttpConfig http;
  PipelineConfig pipeline;
  StartPoint start;
  std::vector<NewLogStart> new_logs;          // --new-log: for halted partitions, this time
  std::string new_cluster;                    // --new-cluster: the id of the one that is meant
  bool exit_at_end = false;                   // -e
  bool require_healthy = false;               // --require-healthy: no broker at the start is an end
};

}  // namespace retailpulse
