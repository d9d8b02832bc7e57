#include <filesystem>
#include <system_error>
#include <utility>

#include <retailpulse/history.h>

#include "base/thread_safety.h"
#include "store/history_view.h"

namespace retailpulse {
namespace {

std::uint64_t bytes_of(const std::string& path) {
  std::error_code error;
  const auto bytes = std::filesystem::file_size(path, error);
  return error ? 0 : bytes;
}

class PooledReader final : public HistoryReader {
 public:
  PooledReader(std::string path, const Clock& clock, Duration deadline)
      : path_(std::move(path)), clock_(clock), deadline_(deadline) {}

  Status read(const std::function<void(HistoryView&)>& body) override {
    auto taken = take();
    if (!taken.ok()) return taken.status();
    auto connection = std::move(taken).value();
    if (Status status = connection->begin(deadline_); !status.ok()) return status;
    StoreView view(*connection);
    if (connection->failure().ok()) body(view);  // throws: the connection is closed, not pooled
    connection->end();
    Status status = connection->failure();
    if (status.ok() || status.code() == Code::kTimeout) give_back(std::move(connection));
    return status;
  }

  [[nodiscard]] StoreSize size() const override {
    return {path_, bytes_of(path_), bytes_of(path_ + "-wal")};
  }

  // One connection, to find out now whether the file can be read.
  Status probe() {
    auto connection = take();
    if (!connection.ok()) return connection.status();
    give_back(std::move(connection).value());
    return read([](HistoryView&) {});
  }

 private:
  using Connection = std::unique_ptr<HistoryConnection>;

  Result<Connection> take() {
    {
      MutexLock lock(mutex_);
      if (!idle_.empty()) {
        Connection connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return HistoryConnection::open(path_, clock_);
  }

  void give_back(Connection connection) {
    MutexLock lock(mutex_);
    if (idle_.size() < kHistoryConnectionsMax) idle_.push_back(std::move(connection));
  }

  const std::string path_;
  const Clock& clock_;
  const Duration deadline_;
  Mutex mutex_;
  std::vector<Connection> idle_ RP_GUARDED_BY(mutex_);
};

}  // namespace

Result<std::unique_ptr<HistoryReader>> open_history(const std::string& path, const Clock& clock,
                                                    Duration deadline) {
  auto reader = std::make_unique<PooledReader>(path, clock, deadline);
  if (Status status = reader->probe(); !status.ok()) return status;
  return std::unique_ptr<HistoryReader>(std::move(reader));
}

}  // namespace retailpulse
