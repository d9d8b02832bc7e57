#include "serve/router.h"

#include "base/check.h"

namespace retailpulse {
namespace {

Reply method_not_allowed(std::string_view allow) {
  Reply reply = problem(405, "Method Not Allowed", "This path does not take this method.");
  reply.headers.emplace_back("Allow", allow);
  return reply;
}

Reply not_found() {
  return problem(404, "Not Found",
                 "There is nothing at this path; /api/v1/openapi.json lists what there is.");
}

}  // namespace

void Router::get(std::string path, Handler handler) {
  const bool fresh = readers_.emplace(std::move(path), std::move(handler)).second;
  RP_CHECK(fresh, "two handlers for one path");
}

void Router::get_prefix(std::string prefix, Handler handler) {
  RP_CHECK(!prefix.empty() && prefix.back() == '/', "a prefix ends with '/'");
  const bool fresh = prefixes_.emplace(std::move(prefix), std::move(handler)).second;
  RP_CHECK(fresh, "two handlers for one prefix");
}

void Router::post(std::string path, Handler handler) {
  const bool fresh = writers_.emplace(std::move(path), std::move(handler)).second;
  RP_CHECK(fresh, "two handlers for one path");
}

void Router::otherwise(Handler handler) { otherwise_ = std::move(handler); }

const Handler* Router::find_reader(Request& request) const {
  if (const auto exact = readers_.find(request.path); exact != readers_.end()) {
    return &exact->second;
  }
  const Handler* found = nullptr;
  std::size_t longest = 0;
  for (const auto& [prefix, handler] : prefixes_) {
    if (prefix.size() > longest && request.path.size() > prefix.size() &&
        request.path.compare(0, prefix.size(), prefix) == 0) {
      found = &handler;
      longest = prefix.size();
    }
  }
  if (found != nullptr) request.rest = request.path.substr(longest);
  return found;
}

Reply Router::answer(Request& request) const {
  const auto writer = writers_.find(request.path);
  const Handler* reader = find_reader(request);
  if (request.method == "POST") {
    if (writer != writers_.end()) return writer->second(request);
    return reader != nullptr ? method_not_allowed("GET, HEAD") : not_found();
  }
  if (reader != nullptr) return (*reader)(request);
  if (writer != writers_.end()) return method_not_allowed("POST");
  return otherwise_ ? otherwise_(request) : not_found();
}

}  // namespace retailpulse
