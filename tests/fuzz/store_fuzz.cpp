// Aggregator and store as a machine of offsets: the bytes are records and steps (read, commit,
// crash, commit the same epoch twice, commit epochs in the wrong order). After every step the
// file's offsets are the model's; at the end its numbers are the slow twin's.
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>

#include <retailpulse/store.h>

#include "base/check.h"
#include "store/sqlite.h"
#include "support/event_builder.h"
#include "support/fact_encoder.h"
#include "support/naive_model.h"
#include "window/aggregator.h"

namespace retailpulse::testing {
namespace {

constexpr std::uint32_t kPartitions = 3;
constexpr std::size_t kFactsMax = 60;
constexpr std::size_t kStepsMax = 12;

// Reads the input from the left; zeros when it has ended.
struct Bytes {
  const std::uint8_t* data;
  std::size_t size;
  std::uint8_t next() { return size == 0 ? std::uint8_t{0} : (--size, *data++); }
};

TimeConfig berlin() {
  TimeConfig time;
  time.zone = "Europe/Berlin";
  return time;
}

// A record of four bytes: kind, who and what, how much, when (around the change to summer time).
Fact fact_of(Bytes& in) {
  const std::uint8_t kind = in.next();
  const std::uint8_t what = in.next();
  const std::int64_t amount = in.next();
  const std::int64_t when = in.next();
  Fact fact;
  fact.time = utc("2026-03-28 22:50:00") + std::chrono::seconds{when * 60 + amount % 60};
  if (what % 3 != 0) fact.id = "id" + std::to_string(what % 16);
  if (what % 5 != 0) fact.visitor = "v" + std::to_string(what % 7);
  fact.product = "p" + std::to_string(what % 4);
  switch (kind % 8) {
    case 0:
      fact.bucket = Bucket::kRejected;
      fact.reason = Reason::kBadJson;
      return fact;
    case 1: fact.bucket = Bucket::kFiltered; return fact;
    case 2:
      fact.kind = EventKind::kFeedback;
      fact.type = "rating";
      fact.rating_milli = 1000 + what % 5 * 1000;
      return fact;
    case 3: fact.type = "view"; return fact;
    case 4: fact.kind = EventKind::kRefund; fact.type = "refund"; break;
    default: fact.kind = EventKind::kSale; fact.type = "sale"; break;
  }
  if (kind % 16 >= 8) fact.order = "o" + std::to_string(what % 8);
  for (int line = 0; line <= kind % 3; ++line) {
    const std::string product = "p" + std::to_string((what + line) % 4);
    fact.lines.push_back({product, what % 2 == 0 ? "c" : "", "EUR", (amount + 1) * 10'000, 1000});
  }
  return fact;
}

class Machine {
 public:
  explicit Machine(Bytes& in) : folder_(make_folder()) {
    options_.config.directory = folder_;
    options_.zone = berlin().zone;
    const std::size_t count = in.next() % kFactsMax;
    NaiveModel model(berlin());
    for (std::size_t i = 0; i < count; ++i) {
      Fact fact = fact_of(in);
      fact.partition = static_cast<std::uint32_t>(i) % kPartitions;
      fact.offset = static_cast<Offset>(facts_[fact.partition].size());
      model.add(fact);
      facts_[fact.partition].push_back(std::move(fact));
    }
    const Rows all = model.rows();
    expected_ = only(all, "totals|");
    const Rows types = only(all, "types|");
    expected_.insert(expected_.end(), types.begin(), types.end());
    std::sort(expected_.begin(), expected_.end());
    start();
  }
  ~Machine() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void step(std::uint8_t what) {
    switch (what % 8) {
      case 0: start(); break;                             // a crash: only the file is left
      case 1: case 2: RP_CHECK(commit(cut()), "a commit in order"); break;
      case 3: same_epoch_twice(); break;
      case 4: wrong_order(what); break;
      default: read(what); break;
    }
    check_offsets();
  }

  void finish() {
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      while (at_[p] < facts_[p].size()) read(static_cast<std::uint8_t>(p));
    }
    RP_CHECK(commit(cut()), "the last commit");
    check_offsets();
    check_rows();
  }

 private:
  static std::string make_folder() {
    std::string name = "/dev/shm/retailpulse-fuzz-XXXXXX";
    RP_CHECK(mkdtemp(name.data()) != nullptr, "a folder");
    return name;
  }

  void start() {
    store_.reset();
    auto store = open_store(options_);
    RP_CHECK(store.ok(), "the store opens");
    store_ = std::move(store).value();
    encoder_ = FactEncoder();
    aggregator_ = std::make_unique<Aggregator>(LaneId{0}, time_, metrics_);
    aggregator_->adopt();
    auto stored = store_->partitions();
    RP_CHECK(stored.ok(), "its offsets can be read");
    for (std::uint32_t p = 0; p < kPartitions; ++p) {
      RP_CHECK(store_->bind(PartitionSlot{p}, "t", static_cast<std::int32_t>(p), 0).ok(), "bound");
      at_[p] = 0;
      StoredPartition from;
      for (const StoredPartition& known : stored.value()) {
        if (known.partition == static_cast<std::int32_t>(p)) from = known;
      }
      at_[p] = static_cast<std::size_t>(from.next);
      aggregator_->restore(PartitionSlot{p}, from.next, from.max_event_us, from.recent_ids);
    }
  }

  void read(std::uint8_t what) {
    aggregator_->adopt();
    const std::uint32_t p = what % kPartitions;
    EventBatch batch;
    for (int n = 0; n <= what / 16 && at_[p] < facts_[p].size(); ++n) {
      encoder_.append(facts_[p][at_[p]++], batch);
    }
    aggregator_->fold(batch);
  }

  std::unique_ptr<Epoch> cut() {
    aggregator_->adopt();
    return aggregator_->cut_epoch();
  }

  // False when it was refused.
  bool commit(const std::unique_ptr<Epoch>& epoch) {
    const Epoch* const parts[] = {epoch.get()};
    const auto report = store_->commit(parts, {}, CommitContext{});
    if (!report.ok()) return false;
    for (const PartitionAdvance& advance : epoch->advances) {
      committed_[index_of(advance.slot)] = advance.next;
    }
    RP_CHECK(store_->maintain().ok(), "kept in order");
    return true;
  }

  void same_epoch_twice() {
    const auto epoch = cut();
    RP_CHECK(commit(epoch), "the first time");
    const bool moves = std::any_of(epoch->advances.begin(), epoch->advances.end(),
                                   [](const PartitionAdvance& a) { return a.begin != a.next; });
    const auto before = committed_;
    RP_CHECK(!moves || !commit(epoch), "what is committed cannot be committed again");
    RP_CHECK(committed_ == before, "nor moves anything");
    if (moves) start();  // a refusal ends the process
  }

  void wrong_order(std::uint8_t what) {
    const auto first = cut();
    read(what);
    const auto second = cut();
    const auto& moved = second->advances;
    const bool touch = std::any_of(moved.begin(), moved.end(), [&](const PartitionAdvance& a) {
      return a.begin != a.next && a.begin != committed_[index_of(a.slot)];
    });
    if (!touch || !first->names.empty()) {  // names come with the first epoch that uses them
      RP_CHECK(commit(first) && commit(second), "in order");
      return;
    }
    RP_CHECK(!commit(second), "an epoch is taken only where the one before it ended");
    start();
  }

  void check_offsets() {
    auto stored = store_->partitions();
    RP_CHECK(stored.ok(), "offsets");
    for (const StoredPartition& row : stored.value()) {
      const auto p = static_cast<std::size_t>(row.partition);
      RP_CHECK(row.next == committed_[p], "the model's offset");
    }
  }

  void check_rows() {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    RP_CHECK(db.ok(), "readable");
    Rows rows = total_rows(db.value());
    const Rows types = type_rows(db.value());
    rows.insert(rows.end(), types.begin(), types.end());
    std::sort(rows.begin(), rows.end());
    if (rows != expected_) std::fputs(difference(expected_, rows).c_str(), stderr);
    RP_CHECK(rows == expected_, "the twin's numbers");
    const auto unbalanced = db.value().integer(
        "SELECT count(*) FROM partition_state p WHERE consumed <> next_offset OR consumed <> "
        "(SELECT total(records) FROM ledger_counts l WHERE l.slot_id = p.slot_id)");
    RP_CHECK(unbalanced.ok() && unbalanced.value() == 0, "every record in one bucket");
  }

  static std::string pane_of_row(const Statement& row) {
    const auto tier = static_cast<Tier>(row.integer(0));
    return fmt::format("{}|{}", kTierNames[static_cast<std::size_t>(tier)],
                       pane_text(tier, row.integer(1)));
  }

  static Rows total_rows(Database& db) {
    auto query = db.prepare(
        "SELECT tier,pane_us,text,orders,lines,units_milli,gross_micros,refunds_micros "
        "FROM totals JOIN names ON dimension=2 AND id=currency");
    RP_CHECK(query.ok(), "prepared");
    Statement& row = query.value();
    Rows rows;
    while (row.step().value()) {
      const Sales sales{row.integer(3), row.integer(4), row.integer(5), row.integer(6),
                        row.integer(7)};
      rows.push_back(
          fmt::format("totals|{}|{}|{}", pane_of_row(row), row.text(2), sales_text(sales)));
    }
    return rows;
  }

  static Rows type_rows(Database& db) {
    auto query = db.prepare(
        "SELECT tier,pane_us,text,events FROM types JOIN names ON dimension=3 AND id=type");
    RP_CHECK(query.ok(), "prepared");
    Statement& row = query.value();
    Rows rows;
    while (row.step().value()) {
      rows.push_back(
          fmt::format("types|{}|{}|events={}", pane_of_row(row), row.text(2), row.integer(3)));
    }
    return rows;
  }

  const TimeConfig time_ = berlin();
  const std::string folder_;
  StoreOptions options_;
  std::array<std::vector<Fact>, kPartitions> facts_;
  Rows expected_;
  AggregatorMetrics metrics_;
  FactEncoder encoder_;
  std::unique_ptr<Aggregator> aggregator_;
  std::unique_ptr<RollupStore> store_;
  std::array<std::size_t, kPartitions> at_{};
  std::array<Offset, kPartitions> committed_{};
};

}  // namespace
}  // namespace retailpulse::testing

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace retailpulse::testing;
  Bytes in{data, size};
  Machine machine(in);
  for (std::size_t i = 0; i < kStepsMax && in.size > 0; ++i) machine.step(in.next());
  machine.finish();
  return 0;
}
