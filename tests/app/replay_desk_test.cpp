// Replays through the real pipeline: lane, decoder, committer and store, with a source of our own.
#include "app/replay_desk.h"

#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <memory>
#include <sstream>
#include <thread>

#include <fmt/format.h>

#include <retailpulse/decoder.h>
#include <retailpulse/metrics.h>
#include <retailpulse/sql.h>
#include <retailpulse/store.h>

#include "app/committer.h"
#include "app/lane.h"
#include "app/status_board.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

using namespace std::chrono_literals;

// Gives the values of one partition, offset by offset, when the test puts them there.
class ScriptedSource final : public Source {
 public:
  explicit ScriptedSource(std::vector<std::string>& log) : log_(log) {}
  void add(std::vector<PartitionStart> partitions) override {
    for (const PartitionStart& p : partitions) next_ = p.offset;
    added_ = true;
  }
  Status poll(MessageSink& sink, Duration) override {
    const MutexLock lock(mutex_);
    if (!added_) return {};
    for (; next_ < static_cast<Offset>(log_.size()); ++next_) {
      const std::string& value = log_[static_cast<std::size_t>(next_)];
      const Message message{PartitionSlot{0}, next_, from_us(kRecordUs), true, {}, value};
      if (!sink.on_message(message)) {
        ++next_;
        return {};
      }
    }
    sink.on_end(PartitionSlot{0}, next_);
    std::this_thread::sleep_for(1ms);
    return {};
  }
  void ack(std::span<const std::pair<PartitionSlot, Offset>>) override {}
  std::vector<SourceNotice> take_notices() override { return {}; }
  void put(std::string value) {
    const MutexLock lock(mutex_);
    log_.push_back(std::move(value));
  }

  static constexpr std::int64_t kRecordUs = 1'767'261'600'000'000;  // 2026-01-01T10:00:00Z

 private:
  Mutex mutex_;
  std::vector<std::string>& log_;
  Offset next_ = 0;
  bool added_ = false;
};

// A shop's pipeline over a folder and a log of values; a new one goes on where the last left off.
class Pipeline {
 public:
  Pipeline(const std::string& folder, std::vector<std::string>& log,
           std::map<std::string, std::string> fields) {
    config_.store.directory = folder;
    config_.time.zone = "UTC";
    config_.store.retention.rejects = 100;
    stream_.topic = "orders";
    stream_.fields = std::move(fields);
    auto store = open_store({config_.store, {}, config_.time.zone, false});
    REQUIRE(store.ok());
    store_ = std::move(store).value();
    auto desk = ReplayDesk::open(store_->path(), system_clock());
    REQUIRE(desk.ok());
    desk_ = std::move(desk).value();
    board_ = std::make_unique<StatusBoard>(system_clock(), metrics_, false);
    committer_ = std::make_unique<Committer>(config_, system_clock(), *store_, *board_, metrics_,
                                             *desk_);
    auto source = std::make_unique<ScriptedSource>(log);
    source_ = source.get();
    lane_ = std::make_unique<Lane>(LaneId{0}, config_.time, std::move(source),
                                   make_json_decoder(config_.time), metrics_, committer_->signal());
    start();
  }
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;
  ~Pipeline() { stop(); }

  void put(std::string value) { source_->put(std::move(value)); }
  ReplayDesk& desk() { return *desk_; }
  // Until the store has gone so far.
  void reach(Offset next) {
    for (int i = 0; i < 5000 && number("SELECT max(next_offset) FROM partitions") < next; ++i) {
      std::this_thread::sleep_for(1ms);
    }
    REQUIRE(number("SELECT max(next_offset) FROM partitions") == next);
  }
  ReplayReport replay(const ReplayQuery& query = {}) {
    auto report = desk_->replay(query);
    INFO((report.ok() ? "ok" : report.status().message()));
    REQUIRE(report.ok());
    return report.value();
  }
  std::int64_t number(const std::string& sql) {
    const std::string text = rows(sql);
    return text.empty() || text.front() == '\n' ? 0 : std::stoll(text);  // no row, or NULL
  }
  std::string rows(const std::string& sql) {
    std::ostringstream out;
    const auto done = run_sql(store_->path(), sql, {}, SqlFormat::kCsv, system_clock(), out);
    REQUIRE(done.ok());
    const std::string text = out.str();
    return text.substr(text.find('\n') + 1);  // without the names
  }
  void stop() {
    lane_->stop_reading();
    committer_->signal().raise();
    board_->set_stopping();
    committer_->join();
    lane_->join();
    desk_->stop();
  }

 private:
  void start() {
    const auto stored = store_->partitions();
    REQUIRE(stored.ok());
    PartitionStart start{PartitionSlot{0}, "orders", 0, 0};
    SlotStart restored;
    if (!stored.value().empty()) {
      const StoredPartition& p = stored.value().front();
      start.offset = p.next;
      restored = {PartitionSlot{0}, p.next, p.max_event_us, p.recent_ids};
    }
    board_->add_partition(PartitionSlot{0}, {"orders", 0}, start.offset, start.offset, "");
    committer_->add(start, restored.max_event_us);
    std::vector<LanePartition> one;
    one.push_back({start, &stream_, restored});
    lane_->add(std::move(one));
    desk_->add(start, *lane_);
    lane_->start(store_->floor_us(), [](const Status&) {});
    committer_->start({lane_.get()}, [] {});
  }

  Config config_;
  StreamConfig stream_;
  Metrics metrics_{1};
  std::unique_ptr<RollupStore> store_;
  std::unique_ptr<ReplayDesk> desk_;
  std::unique_ptr<StatusBoard> board_;
  std::unique_ptr<Committer> committer_;
  std::unique_ptr<Lane> lane_;
  ScriptedSource* source_ = nullptr;
};

class Folder {
 public:
  Folder()
      : path_(std::filesystem::temp_directory_path() /
              fmt::format("rp-replay-{}-{}", getpid(), ++made_)) {}
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string path() const { return path_; }

 private:
  static inline int made_ = 0;
  std::filesystem::path path_;
};

const std::map<std::string, std::string> kFixed{{"product_id", "sku"}};

std::string good(int id) {
  return fmt::format(R"({{"transaction_id":"t{}","product_id":"p","amount":"1.00",)"
                     R"("timestamp":"2026-01-01T10:00:{:02}Z"}})", id, id % 60);
}
std::string bad(int id, std::string_view amount = "2.50") {
  return fmt::format(R"({{"transaction_id":"t{}","sku":"q","amount":"{}",)"
                     R"("timestamp":"2026-01-01T09:30:00Z"}})", id, amount);
}
std::map<ReplayOutcome, int> sums(const ReplayReport& report) {
  std::map<ReplayOutcome, int> sums;
  for (const ReplayedRecord& r : report.records) ++sums[r.outcome];
  return sums;
}
constexpr const char* kLedger = "SELECT bucket,reason,records FROM ledger ORDER BY 1,2";
constexpr const char* kNet = "SELECT sum(net_micros),sum(orders) FROM totals_by_day";

TEST_CASE("replay: nothing changes while the mapping is the old one") {
  const Folder folder;
  std::vector<std::string> log;
  Pipeline shop(folder.path(), log, {});
  for (int i = 0; i < 3; ++i) shop.put(bad(i));
  shop.put("{");
  shop.reach(4);
  const std::string ledger = shop.rows(kLedger);
  const auto report = shop.replay();
  CHECK(sums(report) == std::map<ReplayOutcome, int>{{ReplayOutcome::kStillRejected, 4}});
  CHECK(report.records.front().reason == "missing_field");
  CHECK(report.records.front().field == "product_id");
  CHECK(report.records.back().reason == "truncated");
  CHECK(shop.rows(kLedger) == ledger);
  CHECK(shop.number("SELECT count(*) FROM rejects") == 4);
}

TEST_CASE("replay: after the mapping was corrected, every record enters once") {
  const Folder folder;
  std::vector<std::string> log;
  {
    Pipeline before(folder.path(), log, {});
    before.put(good(1));
    for (int i = 10; i < 15; ++i) before.put(bad(i));
    before.put("not json");
    before.put(bad(20, std::string(3000, '1')));  // longer than what is kept
    before.put(bad(11));                          // a copy
    before.reach(9);
    CHECK(before.number("SELECT sum(records) FROM ledger WHERE bucket='rejected'") == 8);
  }
  Pipeline shop(folder.path(), log, kFixed);
  CHECK(shop.number(kNet) == 1'000'000);
  CHECK(shop.number("SELECT sum(records) FROM ledger WHERE bucket='rejected'") == 8);
  const auto first = shop.replay();
  CHECK(sums(first) == std::map<ReplayOutcome, int>{{ReplayOutcome::kCounted, 5},
                                                    {ReplayOutcome::kDuplicate, 1},
                                                    {ReplayOutcome::kStillRejected, 1},
                                                    {ReplayOutcome::kCut, 1}});
  CHECK(first.records.front().offset == 1);
  CHECK(first.records.back().outcome == ReplayOutcome::kDuplicate);  // the later copy
  CHECK_FALSE(first.next.has_value());
  CHECK(shop.rows(kNet) == "13500000,6\n");
  CHECK(shop.number("SELECT records FROM ledger WHERE bucket='counted'") == 6);
  CHECK(shop.number("SELECT records FROM ledger WHERE bucket='duplicate'") == 1);
  CHECK(shop.number("SELECT sum(records) FROM ledger WHERE bucket='rejected'") == 2);
  CHECK(shop.number("SELECT sum(records) FROM ledger") == 9);
  CHECK(shop.number("SELECT count(*) FROM rejects") == 2);
  CHECK(shop.number("SELECT late FROM partition_state") == 0);
  // The commit that the answer names holds it.
  CHECK(static_cast<std::int64_t>(first.frame) <= shop.number("SELECT frame FROM clock"));

  const auto second = shop.replay();
  CHECK(sums(second) == std::map<ReplayOutcome, int>{{ReplayOutcome::kStillRejected, 1},
                                                     {ReplayOutcome::kCut, 1}});
  CHECK(shop.rows(kNet) == "13500000,6\n");
  // A copy that comes over Kafka later is a duplicate of the replayed one, also after a restart.
  shop.put(bad(12));
  shop.reach(10);
  CHECK(shop.number("SELECT records FROM ledger WHERE bucket='duplicate'") == 2);
  shop.stop();
}

TEST_CASE("replay: a replayed id is remembered across a restart") {
  const Folder folder;
  std::vector<std::string> log;
  {
    Pipeline before(folder.path(), log, {});
    before.put(bad(1));
    before.reach(1);
  }
  {
    Pipeline fixed(folder.path(), log, kFixed);
    CHECK(sums(fixed.replay())[ReplayOutcome::kCounted] == 1);
  }
  Pipeline again(folder.path(), log, kFixed);
  CHECK(again.replay().records.empty());
  again.put(bad(1));
  again.reach(2);
  CHECK(again.rows(kLedger) == "counted,,1\nduplicate,,1\n");
}

TEST_CASE("replay: a copy that was counted meanwhile makes the rejected one a duplicate") {
  const Folder folder;
  std::vector<std::string> log;
  {
    Pipeline before(folder.path(), log, {});
    before.put(bad(1));
    before.reach(1);
  }
  Pipeline shop(folder.path(), log, kFixed);
  shop.put(bad(1));
  shop.reach(2);
  CHECK(sums(shop.replay())[ReplayOutcome::kDuplicate] == 1);
  CHECK(shop.rows(kLedger) == "counted,,1\nduplicate,,1\n");
  CHECK(shop.rows(kNet) == "2500000,1\n");
}

TEST_CASE("replay: filters and pages take what they name, while records keep coming") {
  const Folder folder;
  std::vector<std::string> log;
  {
    Pipeline before(folder.path(), log, {});
    for (int i = 0; i < 40; ++i) before.put(i % 4 == 0 ? "{" : bad(i));
    before.reach(40);
  }
  Pipeline shop(folder.path(), log, kFixed);
  std::atomic<bool> enough{false};
  std::thread customers([&] {
    for (int i = 1000; !enough; ++i) {
      shop.put(bad(i));
      std::this_thread::sleep_for(100us);
    }
  });
  CHECK(shop.replay({.topic = "other"}).records.empty());
  int counted = 0;
  ReplayQuery query{.reason = "missing_field", .limit = 7};
  for (;;) {
    const auto report = shop.replay(query);
    CHECK(report.records.size() <= 7);
    counted += sums(report)[ReplayOutcome::kCounted];
    if (!report.next) break;
    query.before = *report.next;
  }
  CHECK(counted == 30);
  CHECK(sums(shop.replay()) == std::map<ReplayOutcome, int>{{ReplayOutcome::kStillRejected, 10}});
  enough = true;
  customers.join();
  shop.reach(static_cast<Offset>(log.size()));
  CHECK(shop.number("SELECT records FROM ledger WHERE bucket='counted'") ==
        static_cast<std::int64_t>(log.size()) - 10);
  CHECK(shop.rows(kNet) == fmt::format("{},{}\n", (log.size() - 10) * 2'500'000, log.size() - 10));
}

TEST_CASE("replay: one at a time, and nobody waits for a pipeline that has ended") {
  const Folder folder;
  std::vector<std::string> log;
  Pipeline shop(folder.path(), log, {});
  shop.put("{");
  shop.reach(1);
  // A lane that takes its time.
  std::atomic<bool> given{false};
  shop.desk().add({PartitionSlot{0}, "orders", 0, 0},
                  [&](std::vector<ReplayOrder>) { given = true; });
  Status waited;
  std::thread asker([&] { waited = shop.desk().replay({}).status(); });
  while (!given) std::this_thread::sleep_for(1ms);
  CHECK(shop.desk().replay({}).status().code() == Code::kBusy);
  shop.desk().stop();
  asker.join();
  CHECK(waited.code() == Code::kTimeout);
  CHECK(shop.desk().replay({}).status().code() == Code::kUnavailable);
}

}  // namespace
}  // namespace retailpulse
