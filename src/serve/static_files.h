// StaticFiles: the dashboard's files, from the table in the program or, in development, from disk.
//
// Thread:     frozen; find() from any thread.
// Invariants: from disk, only regular files whose real path lies under the real root are read.
// Limits:     kDevFileBytesMax for a file from disk.
// Test:       tests/serve/router_test.cpp
#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <retailpulse/config.h>
#include <retailpulse/status.h>

#include "serve/assets.h"
#include "serve/http.h"
#include "serve/router.h"

namespace retailpulse {

inline constexpr std::size_t kDevFileBytesMax = 16 * 1024 * 1024;

class StaticFiles {
 public:
  // `web_dir` is a real directory or empty.
  StaticFiles(std::span<const Asset> table, std::string web_dir);

  // The file at the request's path in the encoding the client takes, or 404.
  [[nodiscard]] Reply find(const Request& request) const;

 private:
  struct File {
    const Asset* asset;
    std::shared_ptr<const std::string> identity;
    std::shared_ptr<const std::string> gzip;  // null: there is none
  };
  [[nodiscard]] Reply reply_with(const File& file, const Request& request) const;
  [[nodiscard]] std::optional<Reply> find_on_disk(std::string_view path) const;
  // In the table by the name without its hash: files that are not in web/ itself, such as uPlot.
  [[nodiscard]] const File* find_unhashed(std::string_view path) const;

  std::map<std::string_view, File> files_;
  std::string root_;                          // real path with a '/' at its end; empty: no disk
};

// Adds the dashboard to `router` as what answers all other paths. kConfig when config.web_dir is
// no directory, or is set although other machines can reach this one.
Status add_static_routes(Router& router, const HttpConfig& config);

}  // namespace retailpulse
