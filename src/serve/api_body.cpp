#include "serve/api_body.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace retailpulse {
namespace {

using Json = nlohmann::json;

Status wrong(std::string sentence) { return Status(Code::kInvalid, std::move(sentence)); }

Result<BodyValue> value_of(std::string_view name, const Json& value) {
  if (value.is_string()) return BodyValue(value.get<std::string>());
  if (value.is_number_unsigned() && value.get<std::uint64_t>() > INT64_MAX) {
    return wrong(fmt::format("{} is too large a number", name));
  }
  if (value.is_number_integer()) return BodyValue(value.get<std::int64_t>());
  return wrong(fmt::format("{} is a text or a whole number", name));
}

// Nothing that nests is taken, so the parser never goes deep either.
bool is_shallow(const std::string& text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (quoted) {
      if (text[i] == '\\') ++i;
      else quoted = text[i] != '"';
    } else if (text[i] == '"') {
      quoted = true;
    } else if ((text[i] == '{' || text[i] == '[') && ++depth > 1) {
      return false;
    } else if ((text[i] == '}' || text[i] == ']') && depth > 0) {
      --depth;
    }
  }
  return true;
}

}  // namespace

Result<Body> parse_body(const Request& request, const std::vector<std::string_view>& names) {
  if (request.body.empty()) return Body();
  const Json json = is_shallow(request.body) ? Json::parse(request.body, nullptr, false) : Json();
  if (!json.is_object()) return wrong("the body is not one flat JSON object");
  Body body;
  for (const auto& [name, value] : json.items()) {
    if (std::find(names.begin(), names.end(), name) == names.end()) {
      return wrong(fmt::format("there is no member \"{}\" here; there are: {}", name.substr(0, 40),
                               fmt::join(names, ", ")));
    }
    auto taken = value_of(name, value);
    if (!taken.ok()) return taken.status();
    body.emplace(name, std::move(taken).value());
  }
  return body;
}

Result<std::string> text_member(const Body& body, std::string_view name,
                                std::string_view otherwise) {
  const auto found = body.find(name);
  if (found == body.end()) return std::string(otherwise);
  if (const auto* text = std::get_if<std::string>(&found->second)) return *text;
  return wrong(fmt::format("{} is a text", name));
}

Result<std::int64_t> number_member(const Body& body, std::string_view name, std::int64_t otherwise,
                                   std::int64_t least, std::int64_t most) {
  const auto found = body.find(name);
  if (found == body.end()) return otherwise;
  const auto* number = std::get_if<std::int64_t>(&found->second);
  if (number != nullptr && *number >= least && *number <= most) return *number;
  return wrong(fmt::format("{} is a whole number from {} to {}", name, least, most));
}

}  // namespace retailpulse
