#include "decode/field_plan.h"

#include <algorithm>

namespace retailpulse {
namespace {

constexpr std::string_view kItemPrefix = "items.";

constexpr FieldName kTransactionFields[] = {
    {"transaction_id", Field::kId},
    {"user_id", Field::kUser},
    {"session_id", Field::kSession},
    {"product_id", Field::kProduct},
    {"amount", Field::kAmount},
    {"timestamp", Field::kTimestamp},
    {"quantity", Field::kQuantity},
    {"currency", Field::kCurrency},
    {"category", Field::kCategory},
    {"order_id", Field::kOrder},
    {"op", Field::kOp},
    {"items", Field::kItems},
    {"items.product_id", Field::kProduct, true},
    {"items.amount", Field::kAmount, true},
    {"items.quantity", Field::kQuantity, true},
    {"items.category", Field::kCategory, true},
    {"items.name", Field::kNone, true},
};
constexpr FieldName kListingFields[] = {
    {"product_id", Field::kProduct}, {"name", Field::kName},
    {"category", Field::kCategory},  {"price", Field::kPrice},
    {"currency", Field::kCurrency},  {"timestamp", Field::kTimestamp},
    {"op", Field::kOp},
};
constexpr FieldName kFeedbackFields[] = {
    {"feedback_id", Field::kId}, {"product_id", Field::kProduct},
    {"user_id", Field::kUser},   {"rating", Field::kRating},
    {"comment", Field::kNone},   {"timestamp", Field::kTimestamp},
};
constexpr FieldName kInteractionFields[] = {
    {"interaction_id", Field::kId},
    {"event_id", Field::kIdAlias, false, "interaction_id"},
    {"type", Field::kType},
    {"event_type", Field::kTypeAlias, false, "type"},
    {"action", Field::kTypeAlias2, false, "type"},
    {"user_id", Field::kUser},
    {"session_id", Field::kSession},
    {"product_id", Field::kProduct},
    {"timestamp", Field::kTimestamp},
};

std::uint32_t bit_of(Field field) { return 1U << static_cast<unsigned>(field); }

}  // namespace

std::span<const FieldName> field_names(Role role) {
  switch (role) {
    case Role::kTransactions: return kTransactionFields;
    case Role::kListings: return kListingFields;
    case Role::kFeedback: return kFeedbackFields;
    case Role::kInteractions: return kInteractionFields;
  }
  return {};
}

FieldPlan::FieldPlan(const StreamConfig& stream) : nodes_(2) {
  for (const FieldName& name : field_names(stream.role)) {
    const auto mapped = stream.fields.find(std::string(name.name));
    if (mapped != stream.fields.end()) {
      add(name, mapped->second);
    } else if (name.alias_of.empty() || !stream.fields.contains(std::string(name.alias_of))) {
      add(name, name.of_item ? name.name.substr(kItemPrefix.size()) : name.name);
    }
  }
}

void FieldPlan::add(const FieldName& name, std::string_view path) {
  if (name.field == Field::kItems) items_path_ = path;
  if (name.field == Field::kNone || path.empty()) return;
  std::uint32_t at = name.of_item ? item_root_ : 0;
  for (std::size_t depth = 0; !path.empty() && depth < kPathDepthMax; ++depth) {
    const std::string_view key = path.substr(0, path.find('.'));
    at = child(at, key);
    path.remove_prefix(std::min(path.size(), key.size() + 1));
  }
  if (path.empty()) nodes_[at].fields |= bit_of(name.field);
}

std::uint32_t FieldPlan::child(std::uint32_t parent, std::string_view name) {
  std::string quoted = std::string(name) + '"';
  for (const Key& key : nodes_[parent].keys) {
    if (key.quoted == quoted) return key.node;
  }
  Key key;
  key.node = static_cast<std::uint32_t>(nodes_.size());
  const std::size_t head = std::min(quoted.size(), sizeof(key.head));
  std::memcpy(&key.head, quoted.data(), head);
  std::memset(&key.mask, 0xff, head);
  nodes_[parent].first_bytes |= std::uint64_t{1} << (static_cast<unsigned char>(quoted[0]) % 64);
  key.quoted = std::move(quoted);
  Node node;
  node.path = nodes_[parent].path.empty() ? std::string(name)
                                          : nodes_[parent].path + "." + std::string(name);
  nodes_[parent].keys.push_back(std::move(key));
  nodes_.push_back(std::move(node));
  return static_cast<std::uint32_t>(nodes_.size() - 1);
}

bool FieldPlan::tail_equals(const Key& key, const char* raw, const char* end) {
  const std::size_t size = key.quoted.size();
  return static_cast<std::size_t>(end - raw) >= size &&
         std::memcmp(raw, key.quoted.data(), size) == 0;
}

// Not the expected key: look at all, and expect the one that is found the next time.
std::uint32_t FieldPlan::search(Node& node, const char* raw, const char* end,
                                std::uint32_t*& guess) {
  for (std::size_t i = 0; i < node.keys.size(); ++i) {
    if (!equals(node.keys[i], raw, end)) continue;
    *guess = static_cast<std::uint32_t>(i);
    guess = &node.keys[i].next;
    return node.keys[i].node;
  }
  return kUnmapped;
}

std::uint32_t FieldPlan::match_text(std::uint32_t parent, std::string_view key) const {
  for (const Key& candidate : nodes_[parent].keys) {
    if (std::string_view(candidate.quoted).substr(0, candidate.quoted.size() - 1) == key) {
      return candidate.node;
    }
  }
  return kUnmapped;
}

std::string FieldPlan::path_of(Field field, int item) const {
  if (field == Field::kNone) return in_item({}, item);
  std::vector<std::uint32_t> open{item < 0 ? 0U : item_root_};  // the record's tree or the items'
  while (!open.empty()) {
    const std::uint32_t index = open.back();
    open.pop_back();
    if ((nodes_[index].fields & bit_of(field)) != 0) return in_item(nodes_[index].path, item);
    for (const Key& key : nodes_[index].keys) open.push_back(key.node);
  }
  return {};
}

std::string FieldPlan::in_item(std::string_view path, int item) const {
  if (item < 0) return std::string(path);
  std::string whole = items_path_ + "[" + std::to_string(item) + "]";
  if (!path.empty()) whole += "." + std::string(path);
  return whole;
}

}  // namespace retailpulse
