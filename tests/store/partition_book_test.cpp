// What a store knows of its partitions' logs: last record, halts, new logs, the cluster.
#include <unistd.h>

#include <filesystem>

#include <fmt/format.h>

#include <retailpulse/store.h>

#include "support/catch.h"
#include "support/store_rows.h"

namespace retailpulse::testing {
namespace {

constexpr PartitionSlot kSlot{0};

class Store {
 public:
  Store() { open(); }
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  ~Store() {
    store_.reset();
    std::filesystem::remove_all(folder_);
  }

  void open() {
    store_.reset();
    StoreOptions options;
    options.config.directory = folder_;
    options.zone = "UTC";
    auto opened = open_store(options);
    REQUIRE(opened.ok());
    store_ = std::move(opened).value();
    REQUIRE(store_->bind(kSlot, "orders", 3, 10).ok());
  }
  // One record at next - 1, or none.
  void advance(Offset next, Fingerprint last, const CommitContext& context = {}) {
    Epoch epoch;
    PartitionAdvance a;
    a.slot = kSlot;
    a.begin = partition().next;
    a.next = next;
    a.last = last;
    if (last.offset >= 0) a.records = a.counts[static_cast<std::size_t>(Bucket::kFiltered)] = 1;
    epoch.advances.push_back(a);
    const Epoch* const epochs[] = {&epoch};
    REQUIRE(store_->commit(epochs, {}, context).ok());
  }
  void commit(const CommitContext& context) { REQUIRE(store_->commit({}, {}, context).ok()); }
  StoredPartition partition() {
    auto found = store_->partitions();
    REQUIRE(found.ok());
    REQUIRE(found.value().size() == 1);
    return found.value().front();
  }
  std::string row(const std::string& sql) {
    auto db = Database::open(store_->path(), Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    const auto rows = texts_of(db.value(), sql);
    return rows.empty() ? "" : rows.front();
  }
  RollupStore& operator*() { return *store_; }

 private:
  const std::string folder_ = fmt::format("{}/rp-book-{}",
                                          std::filesystem::temp_directory_path().string(), getpid());
  std::unique_ptr<RollupStore> store_;
};

constexpr Fingerprint kRecord{11, 1'795'341'600'000'000, 0xfedcba9876543210, 4};

TEST_CASE("book: the last record of a commit is known after a restart") {
  Store store;
  CHECK(store.partition().last == Fingerprint{});
  store.advance(12, kRecord);
  store.open();
  CHECK(store.partition().last == kRecord);
  SECTION("an advance without a record keeps it") {
    store.advance(15, {});
    CHECK(store.partition().last == kRecord);
    CHECK(store.partition().next == 15);
  }
  SECTION("a record without an epoch takes the old one's away") {
    const Fingerprint plain{12, 5, 7, -1};
    store.advance(13, plain);
    CHECK(store.partition().last == plain);
  }
}

TEST_CASE("book: a halt stays until the partition is read again") {
  Store store;
  store.advance(12, kRecord);
  CommitContext halt;
  halt.halted = {{kSlot, "another log"}};
  store.commit(halt);
  store.open();
  CHECK(store.partition().halted == "another log");
  store.commit({});
  CHECK(store.partition().halted == "another log");
  store.advance(12, {});
  CHECK(store.partition().halted.empty());
}

TEST_CASE("book: a new log begins at its start; the numbers of the old one stay") {
  Store store;
  store.advance(12, kRecord);
  CommitContext halt;
  halt.halted = {{kSlot, "another log"}};
  store.commit(halt);
  const NewLog logs[] = {{"orders", 3, 5}};
  REQUIRE((*store).begin_logs(logs).ok());
  store.open();
  const StoredPartition p = store.partition();
  CHECK(p.next == 5);
  CHECK(p.halted.empty());
  CHECK(p.last == Fingerprint{});
  CHECK(store.row("SELECT first_offset||' '||incarnation||' '||consumed FROM partitions") ==
        "5 2 1");
  CHECK(store.row("SELECT old_first||' '||old_next||' '||new_first||' '||incarnation||' '||why "
                  "FROM log_history") == "10 12 5 2 another log");
  store.advance(6, {5, 1, 2, 0});
  CHECK(store.partition().next == 6);
}

TEST_CASE("book: the first cluster that is committed stays, until the shop moves") {
  Store store;
  CHECK((*store).cluster_id().empty());
  store.commit({});
  CHECK((*store).cluster_id().empty());
  CommitContext first;
  first.cluster_id = "first";
  store.commit(first);
  CommitContext second;
  second.cluster_id = "second";
  store.commit(second);
  store.open();
  CHECK((*store).cluster_id() == "first");
  REQUIRE((*store).move_to_cluster("second").ok());
  store.open();
  CHECK((*store).cluster_id() == "second");
}

}  // namespace
}  // namespace retailpulse::testing
