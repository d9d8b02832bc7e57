// Router: our own table of literal paths, and a few prefixes, to handlers.
//
// The library's routes are regular expressions, which recurse once for each byte of a path; a map
// lookup has no such depth.
//
// Thread:     frozen once the server has started; answer() from any thread.
// Invariants: a path has at most one handler for reading and one for POST.
// Test:       tests/serve/router_test.cpp
#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "serve/http.h"

namespace retailpulse {

class Router {
 public:
  // GET and HEAD of exactly this path.
  void get(std::string path, Handler handler);
  // GET and HEAD of every path that begins with `prefix` (which ends with '/') and goes on;
  // Request::rest is what follows. The longest prefix wins; exact paths come first.
  void get_prefix(std::string prefix, Handler handler);
  void post(std::string path, Handler handler);
  // GET and HEAD of what nothing else answers; a Reply of status 404 is final.
  void otherwise(Handler handler);

  // Calls the handler, or answers 404 or 405. Fills request.rest. Lets exceptions through.
  [[nodiscard]] Reply answer(Request& request) const;

 private:
  [[nodiscard]] const Handler* find_reader(Request& request) const;

  std::map<std::string, Handler, std::less<>> readers_;
  std::map<std::string, Handler, std::less<>> prefixes_;
  std::map<std::string, Handler, std::less<>> writers_;
  Handler otherwise_;
};

}  // namespace retailpulse
