// Settings through the whole store: opened, closed, opened with others.
#include "store/settings_book.h"

#include <unistd.h>

#include <filesystem>

#include "support/catch.h"
#include "support/store_rows.h"

namespace retailpulse::testing {
namespace {

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "retailpulse-settings-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  [[nodiscard]] Result<std::unique_ptr<RollupStore>> open(std::vector<Setting> settings) const {
    StoreOptions options;
    options.config.directory = path_;
    options.zone = "UTC";
    options.settings = std::move(settings);
    return open_store(options);
  }
  [[nodiscard]] Rows rows() const {
    auto db = Database::open(path_ + "/retailpulse.db", Database::Mode::kReadOnly);
    REQUIRE(db.ok());
    return texts_of(db.value(), "SELECT name||'='||value||' @'||since_frame FROM settings");
  }

 private:
  std::string path_;
};

// One record of the topic, or none.
void read(RollupStore& store, std::uint64_t records) {
  REQUIRE(store.bind(PartitionSlot{0}, "t", 0, 0).ok());
  Epoch epoch;
  PartitionAdvance advance;
  advance.next = static_cast<Offset>(records);
  advance.records = records;
  advance.counts[0] = records;
  epoch.advances.push_back(advance);
  const Epoch* part = &epoch;
  REQUIRE(store.commit({&part, 1}, {}, CommitContext{}).ok());
}

}  // namespace

TEST_CASE("settings: every value stays, with the commit from which it holds") {
  const Folder folder;
  {
    auto store = folder.open({{"skew", "1h", "", false}, {"t.role", "sales", "t", true}});
    REQUIRE(store.ok());
    CHECK(store.value()->setting_changes().empty());
    read(*store.value(), 1);
  }
  {
    auto store = folder.open({{"skew", "1h", "", false}, {"t.role", "sales", "t", true}});
    REQUIRE(store.ok());
    CHECK(store.value()->setting_changes().empty());
  }
  auto store = folder.open(
      {{"skew", "2h", "", false}, {"t.role", "sales", "t", true}, {"u.role", "stars", "u", true}});
  REQUIRE(store.ok());
  REQUIRE(store.value()->setting_changes().size() == 1);
  CHECK(store.value()->setting_changes()[0].find("skew was 1h and is 2h") == 0);
  CHECK(folder.rows() == Rows{"skew=1h @0", "t.role=sales @0", "skew=2h @1", "u.role=stars @1"});
}

TEST_CASE("settings: a fixed one is refused once its topic has numbers, and nothing is written") {
  const Folder folder;
  {
    auto store = folder.open({{"t.role", "sales", "t", true}});
    REQUIRE(store.ok());
    read(*store.value(), 0);
  }
  {
    auto store = folder.open({{"t.role", "stars", "t", true}});  // a slip, mended in time
    REQUIRE(store.ok());
    read(*store.value(), 1);
  }
  {
    auto store = folder.open({{"skew", "2h", "", false}, {"t.role", "sales", "t", true}});
    REQUIRE(!store.ok());
    CHECK(store.status().code() == Code::kConfig);
    CHECK(store.status().message().find("t.role = stars, and sales is asked for") !=
          std::string::npos);
  }
  CHECK(folder.rows() == Rows{"t.role=sales @0", "t.role=stars @1"});
  CHECK(folder.open({{"t.role", "stars", "t", true}}).ok());
}

}  // namespace retailpulse::testing
