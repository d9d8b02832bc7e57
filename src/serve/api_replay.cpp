// Handler: rejects/replay.
#include "serve/api_answer.h"
#include "serve/api_body.h"
#include "serve/api_handlers.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kReplayDefault = 500;

Result<ReplayQuery> query_of(const Request& request) {
  const auto body = parse_body(request, {"topic", "reason", "limit", "after"});
  if (!body.ok()) return body.status();
  const auto topic = text_member(body.value(), "topic");
  if (!topic.ok()) return topic.status();
  const auto reason = text_member(body.value(), "reason");
  if (!reason.ok()) return reason.status();
  const auto limit = number_member(body.value(), "limit", kReplayDefault, 1, kReplayMax);
  if (!limit.ok()) return limit.status();
  const auto after = number_member(body.value(), "after", 0, 0, INT64_MAX);
  if (!after.ok()) return after.status();
  return ReplayQuery{topic.value(), reason.value(), after.value(),
                     static_cast<std::size_t>(limit.value())};
}

std::string json_of(const ReplayReport& report) {
  JsonWriter json;
  json.open_object().field("frame", report.frame).key("records").open_array();
  for (const ReplayedRecord& row : report.records) {
    json.open_object()
        .field("id", row.id)
        .field("topic", row.topic)
        .field("partition", std::int64_t{row.partition})
        .field("offset", row.offset)
        .field("outcome", kReplayOutcomeNames[static_cast<std::size_t>(row.outcome)])
        .field("reason", row.reason)
        .field("field", row.field)
        .close_object();
  }
  json.close_array().key("next");
  if (report.next) json.number(*report.next);
  else json.null();
  json.close_object();
  return json.take();
}

}  // namespace

Reply post_replay(const ApiContext& context, const Request& request) {
  const auto query = query_of(request);
  if (!query.ok()) return status_reply(query.status());
  if (context.replayer == nullptr) {
    return status_reply(Status(Code::kUnavailable, "this program replays nothing"));
  }
  const auto report = context.replayer->replay(query.value());
  if (report.ok()) return json_reply(json_of(report.value()));
  return report.status().code() == Code::kBusy ? too_many(report.status())
                                               : status_reply(report.status());
}

}  // namespace retailpulse
