#include "serve/api_answer.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/decimal.h"
#include "base/escape.h"
#include "base/hash.h"
#include "serve/frame_facts.h"
#include "serve/frame_text.h"

namespace retailpulse {
namespace {

constexpr StoredId kNoCurrency = UINT32_MAX;  // no row has it

std::shared_ptr<const std::string> shared(std::string text) {
  return std::make_shared<const std::string>(std::move(text));
}

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() >= end.size() && text.substr(text.size() - end.size()) == end;
}

std::string csv_text(const RowSet& set) {
  std::string out;
  const auto line = [&out](const auto& cells, auto text_of) {
    for (std::size_t i = 0; i < cells.size(); ++i) {
      if (i > 0) out += ',';
      append_csv_cell(out, text_of(cells[i]));
    }
    out += "\r\n";
  };
  line(set.columns, [](std::string_view name) { return name; });
  for (const auto& row : set.rows) {
    line(row, [](const Cell& cell) { return std::string_view(cell.text()); });
  }
  return out;
}

void write_row(JsonWriter& json, const RowSet& set, const std::vector<Cell>& row) {
  json.open_object();
  for (std::size_t i = 0; i < row.size(); ++i) {
    json.key(set.columns[i]);
    row[i].write(json);
  }
  json.close_object();
}

std::string ndjson_text(const RowSet& set) {
  std::string out;
  for (const auto& row : set.rows) {
    JsonWriter json;
    write_row(json, set, row);
    out += json.take() + "\n";
  }
  return out;
}

// Strong: the hash of the bytes that are sent.
void set_etag(Reply& reply) {
  reply.etag = fmt::format("\"{:016x}\"", hash64(*reply.body));
  reply.cache_control = "no-cache";
}

void say_age(Reply& reply, const std::optional<std::int64_t>& watermark_us,
             const PipelineStatus& status) {
  if (watermark_us) reply.headers.emplace_back("RetailPulse-Watermark", utc_text(*watermark_us));
  reply.headers.emplace_back("RetailPulse-Lag", std::to_string(status.lag_records));
  if (const auto since = stale_since(status)) {
    reply.headers.emplace_back("RetailPulse-Stale-Since", utc_text(*since));
  }
}

std::string joined(const std::vector<std::string_view>& words) {
  return fmt::format("{}", fmt::join(words, ", "));
}

}  // namespace

Cell Cell::json(std::string value) {
  Cell cell(std::move(value));
  cell.kind_ = Kind::kJson;
  return cell;
}

void Cell::write(JsonWriter& json) const {
  switch (kind_) {
    case Kind::kNull: json.null(); break;
    case Kind::kText: json.text(value_); break;
    case Kind::kJson: json.raw(value_); break;
  }
}

void write_rows(JsonWriter& json, const RowSet& set) {
  json.open_array();
  for (const auto& row : set.rows) write_row(json, set, row);
  json.close_array();
}

RowFormat row_format(const Request& request) {
  if (ends_with(request.path, ".csv")) return RowFormat::kCsv;
  if (ends_with(request.path, ".ndjson")) return RowFormat::kNdjson;
  // The first type that is named and known; weights are not looked at.
  const auto place = [&](std::string_view type) { return request.accept.find(type); };
  const std::size_t csv = place("text/csv");
  const std::size_t ndjson = std::min(place("application/x-ndjson"), place("application/ndjson"));
  const std::size_t json = std::min(place("application/json"), place("*/*"));
  if (csv < ndjson && csv < json) return RowFormat::kCsv;
  return ndjson < json ? RowFormat::kNdjson : RowFormat::kJson;
}

Reply rows_reply(const Request& request, std::uint64_t frame, const std::string& head,
                 const RowSet& rows) {
  const RowFormat format = row_format(request);
  if (format == RowFormat::kJson) {
    JsonWriter json;
    json.raw(head).key("rows");
    write_rows(json, rows);
    return object_reply(json.take() + "}");
  }
  Reply reply;
  reply.content_type = format == RowFormat::kCsv ? "text/csv; charset=utf-8; header=present"
                                                 : "application/x-ndjson";
  reply.body = shared(format == RowFormat::kCsv ? csv_text(rows) : ndjson_text(rows));
  reply.headers.emplace_back("RetailPulse-Frame", std::to_string(frame));
  set_etag(reply);
  return reply;
}

Reply object_reply(std::string json) {
  Reply reply = json_reply(std::move(json));
  set_etag(reply);
  return reply;
}

Reply status_reply(const Status& status) {
  switch (status.code()) {
    case Code::kInvalid: return problem(400, "Bad Request", status.message());
    case Code::kNotFound: return problem(404, "Not Found", status.message());
    default: break;
  }
  Reply reply = problem(503, "Service Unavailable", status.message());
  reply.headers.emplace_back("Retry-After", "2");
  return reply;
}

Reply too_many(const Status& status) {
  Reply reply = problem(429, "Too Many Requests", status.message());
  reply.headers.emplace_back("Retry-After", "1");
  return reply;
}

Status check_parameters(const Request& request, const std::vector<Parameter>& parameters) {
  for (const auto& [name, value] : request.query) {
    const auto known = std::find_if(parameters.begin(), parameters.end(),
                                    [n = std::string_view(name)](const Parameter& p) {
                                      return p.name == n;
                                    });
    if (known == parameters.end()) {
      std::vector<std::string_view> names;
      for (const Parameter& p : parameters) names.push_back(p.name);
      return Status(Code::kInvalid,
                    fmt::format("there is no parameter \"{}\" here; {}", name.substr(0, 40),
                                names.empty() ? "this path takes none"
                                              : "there are: " + joined(names)));
    }
    const auto& values = known->values;
    if (!values.empty() && std::find(values.begin(), values.end(), value) == values.end()) {
      return Status(Code::kInvalid, fmt::format("\"{}\" is not a {}; it is one of: {}",
                                                value.substr(0, 40), name, joined(values)));
    }
  }
  return {};
}

Result<std::int64_t> number_parameter(const Request& request, std::string_view name,
                                      std::int64_t otherwise, std::int64_t least,
                                      std::int64_t most) {
  const std::string_view text = query_value(request, name);
  if (text.empty()) return otherwise;
  std::int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || value < least ||
      value > most) {
    return Status(Code::kInvalid, fmt::format("{} is \"{}\"; it is a whole number from {} to {}",
                                              name, text.substr(0, 40), least, most));
  }
  return value;
}

View open_view(HistoryView& history, const ApiContext& context, const Request& request) {
  View view{history, data_clock(history.clock(), context.zone), {}, {}, {}};
  view.stale_since_us = stale_since(context.pipeline.status());
  view.currency = choose_currency(history, view.clock, query_value(request, "currency"),
                                  view.currencies);
  const std::string_view code = query_value(request, "currency");
  // Sums of a currency in which nothing was sold are zero, not those of another one.
  if (!code.empty() && view.currency.code != code) {
    view.currency = {kNoCurrency, std::string(code), currency_digits(code)};
  }
  return view;
}

void begin_answer(JsonWriter& json, const View& view) {
  json.open_object().field("frame", view.history.clock().frame);
  write_moment(json, "watermark", view.history.clock().watermark_us);
  write_moment(json, "stale_since", view.stale_since_us);
}

void write_range(JsonWriter& json, const Cut& cut) {
  json.field("from", utc_text(cut.range.from_us))
      .field("from_us", cut.range.from_us)
      .field("to", utc_text(cut.range.to_us))
      .field("to_us", cut.range.to_us)
      .field("tier", kTierNames[static_cast<std::size_t>(cut.window.tier)]);
}

std::string_view range_state(const View& view, const Cut& cut) {
  const auto& watermark = view.history.clock().watermark_us;
  if (!watermark || cut.range.to_us > *watermark) return "provisional";
  for (const TotalPane& pane : view.history.total_panes(cut.window)) {
    if (pane.revision > 0) return "revised";
  }
  return "final";
}

Reply answer(const ApiContext& context,
             const std::function<Result<Reply>(HistoryView&)>& body) {
  Result<Reply> made = Status(Code::kStorage, "nothing was read");
  std::optional<std::int64_t> watermark_us;
  const Status read = context.history.read([&](HistoryView& view) {
    watermark_us = view.clock().watermark_us;
    made = body(view);
  });
  // A view that failed gave incomplete rows: what was made of them is not sent.
  if (!read.ok()) return status_reply(read);
  if (!made.ok()) return status_reply(made.status());
  Reply reply = std::move(made).value();
  say_age(reply, watermark_us, context.pipeline.status());
  return reply;
}

}  // namespace retailpulse
