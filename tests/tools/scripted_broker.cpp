// scripted_broker: a ScriptedBroker as a program, led by the lines of its standard input.
//
//   scripted_broker [NODES]
//
// Prints its address, then "ok", an answer, or "error: WHY" for each line; ends with its input.
//
//   topic NAME PARTITIONS              makes it, or makes it anew; grow NAME PARTITIONS: adds some
//   append TOPIC P COUNT [PRODUCER [gzip]]   then COUNT lines, each a value; of a transaction when
//                                      PRODUCER is not negative. Record times are now
//   end TOPIC P PRODUCER commit|abort  ends a transaction
//   cut TOPIC P END                    the log ends there now; delete TOPIC P BEGIN: begins there
//   hold TOPIC P OFFSET                the last stable offset; -1: as it is
//   epoch TOPIC P EPOCH                of the leader; leader TOPIC P NODE: moves, in the next epoch
//   refuse TOPIC P API ERROR TIMES     the next requests fail; TIMES -1: for good; allow TOPIC P
//   flip TOPIC P BIT                   in the next fetched batch
//   from TOPIC P OFFSET                the next fetch is answered from there
//   node N up|down|silent|speaking|delay MS|cut BYTES|port PORT
//   id CLUSTER | group ERROR | drop | state
#include <chrono>
#include <cstdio>
#include <functional>
#include <iostream>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>

#include <fmt/format.h>

#include "support/scripted_broker.h"

using namespace retailpulse;
using namespace retailpulse::testing;

namespace {

using Words = std::istringstream;

template <class T>
T next(Words& words) {
  T out{};
  if (!(words >> out)) throw std::runtime_error("a word is missing or no number");
  return out;
}

ScriptedPartition& partition(ScriptedCluster& c, Words& words) {
  const auto topic = next<std::string>(words);
  const auto number = next<std::int32_t>(words);
  const auto it = c.topics.find(topic);
  const bool there = it != c.topics.end() && number >= 0 &&
                     static_cast<std::size_t>(number) < it->second.partitions.size();
  if (!there) throw std::runtime_error("there is no such partition");
  return c.at(topic, number);
}

BatchSpec read_batch(Words& words) {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
  BatchSpec spec;
  std::string line;
  for (auto left = next<int>(words); left > 0 && std::getline(std::cin, line); --left) {
    spec.records.push_back({.value = line, .timestamp_ms = ms});
  }
  std::string gzip;
  if (words >> spec.producer_id && spec.producer_id >= 0) spec.kind = BatchKind::kTransactional;
  spec.gzip = static_cast<bool>(words >> gzip) && gzip == "gzip";
  return spec;
}

void change_node(ScriptedCluster& c, Words& words) {
  ScriptedNode& node = c.nodes.at(next<std::size_t>(words) - 1);
  const auto what = next<std::string>(words);
  if (what == "up" || what == "down") node.up = what == "up";
  else if (what == "silent" || what == "speaking") node.silent = what == "silent";
  else if (what == "delay") node.delay = std::chrono::milliseconds{next<int>(words)};
  else if (what == "cut") node.cut_after = next<std::int64_t>(words);
  else if (what == "port") node.advertised_port = next<int>(words);
  else throw std::runtime_error("a node cannot be " + what);
}

std::string state_of(const ScriptedCluster& c) {
  std::string requests;
  for (const auto& [api, count] : c.requests) {
    requests += fmt::format("{}\"{}\":{}", requests.empty() ? "" : ",", api, count);
  }
  std::string group;
  for (const auto& [id, offset] : c.group_offsets) {
    group += fmt::format("{}\"{}/{}\":{}", group.empty() ? "" : ",", id.first, id.second, offset);
  }
  return fmt::format("{{\"connections\":{},\"requests\":{{{}}},\"group\":{{{}}}}}", c.connections,
                     requests, group);
}

using Command = std::function<std::string(ScriptedCluster&, Words&)>;

template <class Change>
Command on_partition(Change change) {
  return [change](ScriptedCluster& c, Words& words) {
    change(partition(c, words), words);
    return std::string("ok");
  };
}

std::map<std::string, Command> log_commands() {
  using P = ScriptedPartition;
  std::map<std::string, Command> all;
  all["append"] = on_partition([](P& p, Words& w) { p.log.append(read_batch(w), p.epoch); });
  all["end"] = on_partition([](P& p, Words& w) {
    const auto producer = next<std::int64_t>(w);
    const bool commit = next<std::string>(w) == "commit";
    p.log.end_transaction(producer, commit ? BatchKind::kCommit : BatchKind::kAbort, p.epoch);
  });
  all["cut"] = on_partition([](P& p, Words& w) { p.log.cut_back(next<Offset>(w)); });
  all["delete"] = on_partition([](P& p, Words& w) { p.log.delete_below(next<Offset>(w)); });
  all["hold"] = on_partition([](P& p, Words& w) {
    const auto offset = next<Offset>(w);
    p.log.hold_stable(offset < 0 ? std::nullopt : std::optional<Offset>(offset));
  });
  return all;
}

std::map<std::string, Command> commands() {
  using P = ScriptedPartition;
  std::map<std::string, Command> all = log_commands();
  all["epoch"] = on_partition([](P& p, Words& w) { p.epoch = next<std::int32_t>(w); });
  all["leader"] = on_partition([](P& p, Words& w) {
    p.leader = next<std::int32_t>(w);
    ++p.epoch;
  });
  all["refuse"] = on_partition([](P& p, Words& w) {
    const auto api = next<std::int16_t>(w);
    const auto error = next<std::int16_t>(w);
    p.refusals.push_back({api, next<int>(w), error});
  });
  all["allow"] = on_partition([](P& p, Words&) { p.refusals.clear(); });
  all["flip"] = on_partition([](P& p, Words& w) { p.flips.push_back(next<std::uint64_t>(w)); });
  all["from"] = on_partition([](P& p, Words& w) { p.answer_from.push_back(next<Offset>(w)); });
  all["topic"] = [](ScriptedCluster& c, Words& w) {
    const auto name = next<std::string>(w);
    c.add_topic(name, next<int>(w));
    return std::string("ok");
  };
  all["grow"] = [](ScriptedCluster& c, Words& w) {
    const auto name = next<std::string>(w);
    c.topics.at(name).partitions.resize(next<std::size_t>(w));
    return std::string("ok");
  };
  all["node"] = [](ScriptedCluster& c, Words& w) {
    change_node(c, w);
    return std::string("ok");
  };
  all["id"] = [](ScriptedCluster& c, Words& w) {
    c.id = next<std::string>(w);
    return std::string("ok");
  };
  all["group"] = [](ScriptedCluster& c, Words& w) {
    c.group_error = next<std::int16_t>(w);
    return std::string("ok");
  };
  all["state"] = [](ScriptedCluster& c, Words&) { return state_of(c); };
  return all;
}

}  // namespace

int main(int argc, char** argv) {
  ScriptedBroker broker(argc > 1 ? std::atoi(argv[1]) : 1);
  const auto all = commands();
  std::cout << broker.bootstrap() << std::endl;
  std::string line;
  while (std::getline(std::cin, line)) {
    Words words(line);
    std::string word;
    words >> word;
    std::string answer = "ok";
    const auto it = all.find(word);
    try {
      if (word == "drop") broker.drop_connections();
      else if (it == all.end()) answer = "error: no such command: " + word;
      else broker.edit([&](ScriptedCluster& c) { answer = it->second(c, words); });
    } catch (const std::exception& e) {
      answer = std::string("error: ") + e.what();
    }
    std::cout << answer << std::endl;
  }
  return 0;
}
