// Handler: sql. The statement goes to the console as it is; nothing here looks at it.
#include <algorithm>

#include "serve/api_answer.h"
#include "serve/api_body.h"
#include "serve/api_handlers.h"

namespace retailpulse {

Reply post_sql(const ApiContext& context, const Request& request) {
  const auto body = parse_body(request, {"query"});
  if (!body.ok()) return status_reply(body.status());
  const auto query = text_member(body.value(), "query");
  if (!query.ok()) return status_reply(query.status());
  if (context.console == nullptr) {
    return status_reply(Status(Code::kUnavailable, "this program has no SQL console"));
  }
  auto answer = context.console->ask(query.value());
  if (answer.ok()) return json_reply(std::move(answer).value());
  return answer.status().code() == Code::kBusy ? too_many(answer.status())
                                               : status_reply(answer.status());
}

}  // namespace retailpulse
