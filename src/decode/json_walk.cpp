#include "decode/json_walk.h"

#include <algorithm>
#include <bit>
#include <cstring>

#include <simdjson.h>

#include "decode/json_fault.h"

namespace retailpulse {
namespace {

namespace ondemand = simdjson::ondemand;

constexpr std::size_t kFirstBytes = 4096;
constexpr std::uint32_t kNoNode = FieldPlan::kUnmapped;

bool is_blank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

std::string_view without_blanks_behind(std::string_view token) {
  while (!token.empty() && is_blank(token.back())) token.remove_suffix(1);
  return token;
}

// One walk. Members return false at the first fault; nothing is read after that.
class Walk {
 public:
  Walk(FieldPlan& plan, RecordFields& out, const char* end, bool has_escapes)
      : plan_(plan), out_(out), end_(end), has_escapes_(has_escapes) {}

  bool object(ondemand::object& object, std::uint32_t node, int depth) {
    std::uint32_t* guess = node == kNoNode ? nullptr : &plan_.node(node).next;
    for (auto&& result : object) {
      if (result.error() != simdjson::SUCCESS) return false;
      ondemand::field& field = result.value_unsafe();
      std::uint32_t next = kNoNode;
      if (!key(field, node, guess, next)) return false;
      if (!value(field.value(), next, depth)) return false;
    }
    return true;
  }

  [[nodiscard]] JsonWalker::Outcome outcome() const { return outcome_; }
  void begin_object() { serial_ = plan_.next_serial(); }

 private:
  // Which node a key leads to, kNoNode if nobody asked; also checks the key's escapes.
  bool key(ondemand::field& field, std::uint32_t parent, std::uint32_t*& guess,
           std::uint32_t& next) {
    const char* const raw = field.key().raw();
    if (has_escapes_ && escaped(raw)) {
      std::string_view text;
      if (field.unescaped_key().get(text) != simdjson::SUCCESS) return false;
      if (parent != kNoNode) next = plan_.match_text(parent, text);
    } else if (parent != kNoNode) {
      next = plan_.match(parent, raw, end_, guess);
    }
    if (next != kNoNode) note_key(next);
    return true;
  }

  [[nodiscard]] bool escaped(const char* raw) const {
    while (raw != end_ && *raw != '"' && *raw != '\\') ++raw;
    return raw != end_ && *raw == '\\';
  }

  void note_key(std::uint32_t node) {
    std::uint64_t& seen = plan_.node(node).seen;
    if (seen == serial_ && outcome_.result == JsonWalker::Result::kOk) {
      outcome_ = {JsonWalker::Result::kDuplicateKey, node, item_};
    }
    seen = serial_;
  }

  bool value(ondemand::value& value, std::uint32_t node, int depth) {
    const std::string_view token = value.raw_json_token();
    const char first = token.empty() ? '\0' : token.front();
    if (first == '"') return string(value, token, node);
    if (first == '{') return nested_object(value, node, depth);
    if (first == '[') return array(value, node, depth);
    if (first >= 'a') return literal(without_blanks_behind(token), node);
    const std::string_view number = without_blanks_behind(token);
    if (!is_json_number(number)) return false;
    store(node, ValueKind::kNumber, number);
    return true;
  }

  // A token ends where the next one begins, so a string's closing quote is its last byte. It must
  // be consumed as a string: skipping would take `"a":` for a key.
  bool string(ondemand::value& value, std::string_view token, std::uint32_t node) {
    token = without_blanks_behind(token);
    if (has_escapes_ && std::memchr(token.data(), '\\', token.size()) != nullptr) {
      std::string_view text;
      if (value.get_string().get(text) != simdjson::SUCCESS) return false;
      store(node, ValueKind::kString, text);
      return true;
    }
    ondemand::raw_json_string raw;
    if (value.get_raw_json_string().get(raw) != simdjson::SUCCESS) return false;
    if (token.size() < 2 || token.back() != '"') return false;
    store(node, ValueKind::kString, token.substr(1, token.size() - 2));
    return true;
  }

  bool literal(std::string_view token, std::uint32_t node) {
    if (token == "null") {
      store(node, ValueKind::kNull, {});
    } else if (token == "true" || token == "false") {
      store(node, ValueKind::kBool, {});
    } else {
      return false;
    }
    return true;
  }

  bool nested_object(ondemand::value& value, std::uint32_t node, int depth) {
    ondemand::object inner;
    if (depth == kJsonDepthMax || value.get_object().get(inner) != simdjson::SUCCESS) return false;
    store(node, ValueKind::kObject, {});
    return object(inner, node, depth + 1);
  }

  bool array(ondemand::value& value, std::uint32_t node, int depth) {
    ondemand::array inner;
    if (depth == kJsonDepthMax || value.get_array().get(inner) != simdjson::SUCCESS) return false;
    const bool items = node != kNoNode && item_ < 0 && (plan_.node(node).fields & kItemsBit) != 0;
    store(node, ValueKind::kArray, {});
    for (auto&& result : inner) {
      if (result.error() != simdjson::SUCCESS) return false;
      ondemand::value& element = result.value_unsafe();
      if (!(items ? item(element, depth + 1) : this->value(element, kNoNode, depth + 1))) {
        return false;
      }
    }
    return true;
  }

  // An element of the items array: its fields go into a row of their own.
  bool item(ondemand::value& element, int depth) {
    if (out_.items.size() == kItemsMax) {
      out_.too_many_items = true;
      return value(element, kNoNode, depth);
    }
    const std::uint64_t record_serial = serial_;
    item_ = static_cast<int>(out_.items.size());
    out_.items.emplace_back();
    begin_object();
    const bool ok = value(element, plan_.item_root(), depth);
    serial_ = record_serial;
    item_ = -1;
    return ok;
  }

  void store(std::uint32_t node, ValueKind kind, std::string_view text) {
    if (node == kNoNode) return;
    if (node == plan_.item_root()) {
      out_.items.back().kind = kind;
      return;
    }
    std::uint32_t fields = plan_.node(node).fields;
    FieldValue* const values = item_ < 0 ? out_.values.data() : out_.items.back().values.data();
    for (; fields != 0; fields &= fields - 1) values[std::countr_zero(fields)].set(kind, text);
  }

  static constexpr std::uint32_t kItemsBit = 1U << static_cast<unsigned>(Field::kItems);

  FieldPlan& plan_;
  RecordFields& out_;
  const char* const end_;
  const bool has_escapes_;
  int item_ = -1;
  std::uint64_t serial_ = 0;
  JsonWalker::Outcome outcome_;
};

}  // namespace

struct JsonWalker::Parser {
  ondemand::parser parser;
  std::unique_ptr<char[]> bytes;
  std::size_t capacity = 0;

  // Powers of two, so that slowly growing records do not allocate each time.
  bool reserve(std::size_t size) {
    if (size <= capacity) return true;
    const std::size_t wider = std::max(kFirstBytes, std::bit_ceil(size));
    if (parser.allocate(wider) != simdjson::SUCCESS) return false;
    bytes = std::make_unique<char[]>(wider + simdjson::SIMDJSON_PADDING);
    capacity = wider;
    return true;
  }
};

JsonWalker::JsonWalker() : parser_(std::make_unique<Parser>()) {}
JsonWalker::~JsonWalker() = default;

JsonWalker::Outcome JsonWalker::walk(std::string_view value, FieldPlan& plan, RecordFields& out) {
  const Outcome fault{Result::kFault};
  if (value.empty() || value.size() > kValueBytesMax) return fault;
  if (!parser_->reserve(value.size())) return fault;
  char* const begin = parser_->bytes.get();
  char* const end = begin + value.size();
  std::memcpy(begin, value.data(), value.size());
  copy_ = {begin, value.size()};
  // A bracket left behind by a longer record must not close this one.
  std::memset(end, 0, simdjson::SIMDJSON_PADDING);

  ondemand::document document;
  const simdjson::padded_string_view padded(begin, value.size(),
                                            parser_->capacity + simdjson::SIMDJSON_PADDING);
  if (parser_->parser.iterate(padded).get(document) != simdjson::SUCCESS) return fault;
  ondemand::object root;
  const auto opened = document.get_object().get(root);
  if (opened == simdjson::INCORRECT_TYPE) return Outcome{Result::kNotAnObject};
  if (opened != simdjson::SUCCESS) return fault;

  Walk walk(plan, out, end, std::memchr(begin, '\\', value.size()) != nullptr);
  walk.begin_object();
  if (!walk.object(root, 0, 1)) return fault;
  const char* rest = nullptr;
  if (document.current_location().get(rest) != simdjson::OUT_OF_BOUNDS) return fault;
  return walk.outcome();
}

}  // namespace retailpulse
