// The files of the dashboard, compiled into the program.
//
// The table is generated at build time (web/embed.mjs): index.html is "/", NAME.html is "/NAME",
// every other file has a name with the hash of its content, "/a/<name>.<hash>.<ext>", which may be
// cached for ever.
//
// Thread: any (constant data).
#pragma once

#include <span>
#include <string_view>

namespace retailpulse {

struct Asset {
  std::string_view path;       // as in the request, for example "/a/app.0f3a9c21.js"
  std::string_view mime;       // complete Content-Type, with charset where there is one
  std::string_view etag;       // strong and quoted, of `identity`
  std::string_view etag_gzip;  // strong and quoted, of `gzip`; empty when there is no gzip
  std::string_view identity;   // the bytes as they are
  std::string_view gzip;       // the bytes compressed; empty when that would not help
  bool immutable;              // the path holds a content hash: Cache-Control immutable, else no-cache
};

// All assets, sorted by path (bytewise), so that a lookup may search by halves.
std::span<const Asset> assets();

}  // namespace retailpulse
