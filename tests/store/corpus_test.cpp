// The bad-input corpus of store files: damaged databases and logs, opened as usual.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <retailpulse/history.h>
#include <retailpulse/sql.h>
#include <retailpulse/store.h>

#include "base/sanitizer.h"
#include "store/sqlite.h"
#include "support/catch.h"
#include "support/corpus.h"
#include "support/event_builder.h"
#include "support/fact_encoder.h"
#include "support/random_facts.h"
#include "window/aggregator.h"

namespace retailpulse::testing {
namespace {

namespace fs = std::filesystem;
constexpr const char* kFiles[] = {"retailpulse.db", "retailpulse.db-wal"};

class ImageFolder {
 public:
  ImageFolder() {
    std::string name = fs::temp_directory_path() / "retailpulse-images-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~ImageFolder() { fs::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  std::string path_;
};

StoreOptions options_in(const std::string& folder) {
  StoreOptions options;
  options.config.directory = folder;
  options.zone = "UTC";
  return options;
}

// Copies file and log of an open store, as a crash would leave them.
void copy_images(const std::string& from, const std::string& to) {
  fs::create_directories(to);
  for (const char* file : kFiles) {
    if (fs::exists(from + "/" + file)) {
      fs::copy_file(from + "/" + file, to + "/" + file, fs::copy_options::overwrite_existing);
    } else {
      std::ofstream(to + "/" + file).flush();
    }
  }
}

// Commits of one partition; the images after each are images/0, images/1, ...
int make_images(const std::string& folder, const std::string& images) {
  RandomShop shop;
  shop.partitions = 1;
  shop.records = 400;
  shop.begin = utc("2026-03-28 20:00:00");
  const std::vector<Fact> facts = random_facts(7, shop)[0];
  TimeConfig time;
  time.zone = "UTC";
  FactEncoder encoder;
  AggregatorMetrics metrics;
  Aggregator aggregator(LaneId{0}, time, metrics);
  aggregator.adopt();
  aggregator.restore(PartitionSlot{0}, 0, INT64_MIN, {});
  constexpr int kCommits = 6;
  std::unique_ptr<RollupStore> store;
  for (int commit = 0; commit < kCommits; ++commit) {
    if (commit == 0 || commit == 3) {  // after three commits all is moved from log to file
      if (store != nullptr) REQUIRE(store->close().ok());
      store.reset();
      store = open_store(options_in(folder)).value();
      REQUIRE(store->bind(PartitionSlot{0}, "t", 0, 0).ok());
    }
    EventBatch batch;
    const std::size_t part = facts.size() / kCommits;
    for (std::size_t i = 0; i < part; ++i) {
      encoder.append(facts[static_cast<std::size_t>(commit) * part + i], batch);
    }
    aggregator.fold(batch);
    const auto epoch = aggregator.cut_epoch();
    const Epoch* const parts[] = {epoch.get()};
    REQUIRE(store->commit(parts, {}, CommitContext{}).ok());
    copy_images(folder, images + "/" + std::to_string(commit));
    if (commit == 2) {  // the next process does not know this one's names
      encoder = FactEncoder();
    }
  }
  return kCommits;
}

void edit(const std::string& folder, const std::string& edits) {
  std::istringstream in(edits);
  for (std::string one; in >> one;) {
    const std::size_t first = one.find(':');
    const std::size_t second = one.find(':', first + 1);
    const std::string path = folder + "/" + kFiles[one.substr(0, first) == "db" ? 0 : 1];
    const std::string at = one.substr(first + 1, second - first - 1);
    if (at == "cut") {
      const auto size = std::stoul(one.substr(second + 1));
      if (size < fs::file_size(path)) fs::resize_file(path, size);
      continue;
    }
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(static_cast<std::streamoff>(std::stoul(at)));
    file << unpack_bytes(one.substr(second + 1));
  }
}

// Offsets, ledger and money, or "" when they cannot be read.
std::string numbers_in(const std::string& path) {
  auto db = Database::open(path, Database::Mode::kReadOnly);
  if (!db.ok()) return {};
  std::string out;
  for (const char* sql :
       {"SELECT group_concat(topic||partition||':'||next_offset||':'||consumed) "
        "FROM partition_state",
        "SELECT group_concat(bucket||reason||records) FROM "
        "(SELECT * FROM ledger_counts ORDER BY 1,2,3)",
        "SELECT group_concat(tier||pane_us||currency||orders||lines||gross_micros||refunds_micros) "
        "FROM (SELECT * FROM totals ORDER BY 1,2,3)",
        "SELECT group_concat(tier||pane_us||type||events) FROM "
        "(SELECT * FROM types ORDER BY 1,2,3)"}) {
    auto statement = db.value().prepare(sql);
    if (!statement.ok()) return {};
    const auto row = statement.value().step();
    if (!row.ok() || !row.value()) return {};
    out += std::string(statement.value().text(0)) + "\n";
  }
  return out;
}

// What the program makes of the files: "commit K", "changed", or "refused".
std::string opened(const std::string& folder, const std::vector<std::string>& known) {
  std::string numbers;
  {
    auto store = open_store(options_in(folder));
    if (!store.ok()) return store.status().message().empty() ? "no sentence" : "refused";
    if (!store.value()->partitions().ok()) return "refused";
    auto history = open_history(store.value()->path(), system_clock());
    if (!history.ok()) return "refused";
    const Status read = history.value()->read([](HistoryView& view) {
      (void)view.partitions();
      (void)view.ledger();
      (void)view.rejects({.limit = 1000});
      for (const Tier tier : {Tier::kMinute, Tier::kDay}) {
        (void)view.total_panes({tier, 0, INT64_MAX});
        (void)view.group_sums(Dimension::kProduct, {tier, 0, INT64_MAX});
      }
    });
    if (!read.ok()) return "refused";
    numbers = numbers_in(store.value()->path());
  }
  for (std::size_t k = 0; k < known.size(); ++k) {
    if (numbers == known[k]) return "commit " + std::to_string(k);
  }
  return numbers.empty() ? "refused" : "changed";
}

}  // namespace

TEST_CASE("corpus: damaged store files") {
  const ImageFolder folder;
  const std::string images = folder.path() + "/images";
  const int commits = make_images(folder.path() + "/made", images);
  std::vector<std::string> known;
  for (int k = 0; k < commits; ++k) {
    const std::string at = folder.path() + "/known";
    copy_images(images + "/" + std::to_string(k), at);
    known.push_back(numbers_in(at + "/retailpulse.db"));
    REQUIRE_FALSE(known.back().empty());
    fs::remove_all(at);
  }
  const auto lines = read_corpus("store_cases.py " + images);
  if (lines.empty()) return;
  Verdicts verdicts;
  std::map<std::string, std::size_t> outcomes;
  for (std::size_t i = 0; i < lines.size(); i += kSanitized ? 8 : 1) {
    const CorpusLine& line = lines[i];
    REQUIRE(line.size() == 2);
    const std::string at = folder.path() + "/case";
    copy_images(images + "/" + std::to_string(commits - 1), at);
    edit(at, line[0]);
    const std::string found = opened(at, known);
    ++outcomes[line[1].substr(0, 6) + " -> " + found.substr(0, 6)];
    // A whole file is opened with the numbers of its commit; a damaged one must not end the process.
    const bool whole = line[1].rfind("commit", 0) == 0;
    const std::string expected = whole ? line[1] : found == "no sentence" ? "a sentence" : found;
    verdicts.check(line[0], expected, found);
    CHECK(fs::exists(at + "/retailpulse.db"));  // never deleted
    fs::remove_all(at);
  }
  std::printf("corpus store files %5zu cases, %zu wrong\n", verdicts.cases(), verdicts.wrong());
  for (const auto& [what, times] : outcomes) std::printf("  %-18s %zu\n", what.c_str(), times);
  INFO(verdicts.report());
  CHECK(verdicts.cases() >= (kSanitized ? 60 : 500));
  CHECK(verdicts.wrong() == 0);
}

TEST_CASE("corpus: SQL with a zero byte is refused, wherever it stands") {
  const ImageFolder folder;
  make_images(folder.path() + "/made", folder.path() + "/images");
  for (const std::string& sql : {std::string("SELECT 1\0", 9), std::string("SELECT 1;\0 SELECT 2", 19),
                                 std::string("\0SELECT 1", 9), std::string("SELECT '\0'", 10)}) {
    std::ostringstream out;
    const auto result = run_sql(folder.path() + "/made/retailpulse.db", sql, SqlLimits{},
                                SqlFormat::kCsv, system_clock(), out);
    CHECK(result.status().code() == Code::kInvalid);
    CHECK(out.str().empty());
  }
}

}  // namespace retailpulse::testing
