#include "serve/static_files.h"

#include <array>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "serve/content_coding.h"
#include "serve/guard.h"

namespace retailpulse {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 8> kMimes{{
    {".html", "text/html; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".json", "application/json"},
    {".svg", "image/svg+xml"},
    {".txt", "text/plain; charset=utf-8"},
    {".webmanifest", "application/manifest+json"},
    {".png", "image/png"},
}};

std::string_view mime_of(std::string_view path) {
  for (const auto& [ending, mime] : kMimes) {
    if (path.size() > ending.size() && path.substr(path.size() - ending.size()) == ending) {
      return mime;
    }
  }
  return "application/octet-stream";
}

Reply not_found() { return problem(404, "Not Found", "There is nothing at this path."); }

// Contents of a regular file below `root` (which ends with '/'), symbolic links resolved.
std::shared_ptr<const std::string> read_below(const std::string& root, std::string_view path) {
  std::error_code failed;
  const auto real = std::filesystem::canonical(root + std::string(path.substr(1)), failed);
  if (failed || real.native().compare(0, root.size(), root) != 0) return nullptr;
  if (!std::filesystem::is_regular_file(real, failed)) return nullptr;
  const auto size = std::filesystem::file_size(real, failed);
  if (failed || size > kDevFileBytesMax) return nullptr;
  std::ifstream in(real, std::ios::binary);
  std::string bytes(static_cast<std::size_t>(size), '\0');
  if (!in.read(bytes.data(), static_cast<std::streamsize>(size))) return nullptr;
  return std::make_shared<const std::string>(std::move(bytes));
}

// "/a/vendor/x.min.0f3a9c21.js" -> "/vendor/x.min.js"; "" for a name without a hash.
std::string without_hash(std::string_view path) {
  const std::size_t dot = path.rfind('.');
  if (path.substr(0, 3) != "/a/" || dot == std::string_view::npos || dot == 0) return {};
  const std::size_t hash = path.rfind('.', dot - 1);
  if (hash == std::string_view::npos) return {};
  return std::string(path.substr(2, hash - 2)) + std::string(path.substr(dot));
}

}  // namespace

StaticFiles::StaticFiles(std::span<const Asset> table, std::string web_dir)
    : root_(std::move(web_dir)) {
  if (!root_.empty() && root_.back() != '/') root_.push_back('/');
  for (const Asset& asset : table) {
    File file{&asset, std::make_shared<const std::string>(asset.identity), nullptr};
    if (!asset.gzip.empty()) file.gzip = std::make_shared<const std::string>(asset.gzip);
    files_.emplace(asset.path, std::move(file));
  }
}

Reply StaticFiles::reply_with(const File& file, const Request& request) const {
  const Asset& asset = *file.asset;
  Reply reply;
  reply.content_type = asset.mime;
  if (!root_.empty()) {
    reply.cache_control = "no-store";
  } else {
    reply.cache_control = asset.immutable ? "public, max-age=31536000, immutable" : "no-cache";
  }
  const bool zip = file.gzip != nullptr && accepts_gzip(request.accept_encoding);
  reply.body = zip ? file.gzip : file.identity;
  reply.etag = zip ? asset.etag_gzip : asset.etag;
  // "identity" keeps the server from compressing an asset that did not get smaller.
  reply.content_encoding = zip ? "gzip" : "identity";
  reply.headers.emplace_back("Vary", "Accept-Encoding");
  return reply;
}

std::optional<Reply> StaticFiles::find_on_disk(std::string_view path) const {
  std::string name(path == "/" ? "/index" : path);
  if (name.find('.') == std::string::npos) name += ".html";  // "/sql" is the page sql.html
  auto bytes = read_below(root_, name);
  if (bytes == nullptr) return std::nullopt;
  Reply reply;
  reply.content_type = mime_of(name);
  reply.body = std::move(bytes);
  return reply;
}

const StaticFiles::File* StaticFiles::find_unhashed(std::string_view path) const {
  for (const auto& [hashed, file] : files_) {
    if (without_hash(hashed) == path) return &file;
  }
  return nullptr;
}

Reply StaticFiles::find(const Request& request) const {
  if (!root_.empty()) {
    if (auto reply = find_on_disk(request.path)) return std::move(*reply);
    const File* file = find_unhashed(request.path);
    return file != nullptr ? reply_with(*file, request) : not_found();
  }
  const auto found = files_.find(request.path);
  return found != files_.end() ? reply_with(found->second, request) : not_found();
}

Status add_static_routes(Router& router, const HttpConfig& config) {
  std::string root;
  if (!config.web_dir.empty()) {
    if (!is_loopback(config.address)) {
      return {Code::kConfig, "http.web_dir: files are served from disk for development only, so "
                             "http.address must be 127.0.0.1"};
    }
    std::error_code failed;
    root = std::filesystem::canonical(config.web_dir, failed).native();
    if (failed || !std::filesystem::is_directory(root, failed)) {
      return {Code::kConfig, fmt::format("http.web_dir: '{}' is not a directory", config.web_dir)};
    }
  }
  auto files = std::make_shared<const StaticFiles>(assets(), std::move(root));
  router.otherwise([files](const Request& request) { return files->find(request); });
  return {};
}

}  // namespace retailpulse
