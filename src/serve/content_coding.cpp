#include "serve/content_coding.h"

#include <zlib.h>

#include <optional>

namespace retailpulse {
namespace {

constexpr int kGzipLevel = 1;
constexpr int kGzipWindow = 15 + 16;  // the largest window, with a gzip header
constexpr int kGzipMemory = 8;

bool equal_ignoring_case(std::string_view a, std::string_view lower) {
  return a.size() == lower.size() &&
         std::equal(a.begin(), a.end(), lower.begin(), [](char x, char y) {
           return (x >= 'A' && x <= 'Z' ? static_cast<char>(x | 0x20) : x) == y;
         });
}

// "gzip;q=0.0" -> name "gzip", refused.
bool is_refused(std::string_view parameters) {
  const std::size_t at = parameters.find("q=");
  if (at == std::string_view::npos) return false;
  const std::string_view weight = parameters.substr(at + 2);
  return weight.find_first_of("123456789") == std::string_view::npos;
}

bool is_text(std::string_view type) {
  return type.substr(0, 5) == "text/" || type.find("json") != std::string_view::npos ||
         type.find("openmetrics") != std::string_view::npos;
}

void become_not_modified(Reply& reply) {
  reply.status = 304;
  reply.body = nullptr;
  reply.content_encoding.clear();
}

}  // namespace

bool accepts_gzip(std::string_view accept_encoding) {
  std::optional<bool> named;
  bool any = false;
  for_each_element(accept_encoding, [&](std::string_view element) {
    const std::size_t semicolon = std::min(element.find(';'), element.size());
    std::string_view name = element.substr(0, semicolon);
    name = name.substr(0, name.find_last_not_of(" \t") + 1);
    const bool taken = !is_refused(element.substr(semicolon));
    if (equal_ignoring_case(name, "gzip") || equal_ignoring_case(name, "x-gzip")) named = taken;
    if (name == "*") any = taken;
  });
  return named.value_or(any);
}

std::string gzip(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, kGzipLevel, Z_DEFLATED, kGzipWindow, kGzipMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK) {
    return {};
  }
  std::string out(deflateBound(&stream, static_cast<uLong>(bytes.size())), '\0');
  // zlib does not write through next_in; its type lacks the const.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  const bool done = deflate(&stream, Z_FINISH) == Z_STREAM_END;
  out.resize(done ? stream.total_out : 0);
  deflateEnd(&stream);
  return out;
}

std::string gzip_etag(std::string_view etag) {
  if (etag.size() < 2) return std::string(etag);
  return std::string(etag.substr(0, etag.size() - 1)) + "-gzip\"";
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  if (etag.empty()) return false;
  bool found = false;
  for_each_element(if_none_match, [&](std::string_view element) {
    if (element.substr(0, 2) == "W/") element.remove_prefix(2);
    if (element == "*" || element == etag) found = true;
  });
  return found;
}

void negotiate(const Request& request, Reply& reply) {
  const bool ours = reply.content_encoding.empty() && is_text(reply.content_type);
  if (ours) reply.headers.emplace_back("Vary", "Accept-Encoding");
  const bool worthwhile =
      ours && reply.body != nullptr && reply.body->size() >= kGzipBytesMin;
  const bool zip = worthwhile && accepts_gzip(request.accept_encoding);
  if (zip) reply.etag = gzip_etag(reply.etag);
  if (reply.status == 200 && etag_matches(request.if_none_match, reply.etag)) {
    return become_not_modified(reply);
  }
  if (!zip) return;
  auto packed = std::make_shared<const std::string>(gzip(*reply.body));
  if (packed->empty()) return;
  reply.body = std::move(packed);
  reply.content_encoding = "gzip";
}

}  // namespace retailpulse
