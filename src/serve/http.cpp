#include "serve/http.h"

#include <nlohmann/json.hpp>

namespace retailpulse {

std::string_view query_value(const Request& request, std::string_view key,
                             std::string_view otherwise) {
  const auto found = request.query.find(key);
  return found == request.query.end() ? otherwise : std::string_view(found->second);
}

Reply json_reply(std::string body) {
  Reply reply;
  reply.content_type = kJsonType;
  reply.body = std::make_shared<const std::string>(std::move(body));
  return reply;
}

Reply problem(int status, std::string_view title, std::string_view detail) {
  const nlohmann::ordered_json body = {
      {"type", "about:blank"}, {"title", title}, {"status", status}, {"detail", detail}};
  Reply reply =
      json_reply(body.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n");
  reply.status = status;
  reply.content_type = "application/problem+json; charset=utf-8";
  return reply;
}

}  // namespace retailpulse
