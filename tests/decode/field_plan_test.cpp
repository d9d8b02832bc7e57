#include "decode/field_plan.h"

#include <set>

#include "support/catch.h"

namespace retailpulse {
namespace {

FieldPlan plan_of(Role role, std::map<std::string, std::string> fields = {}) {
  StreamConfig stream;
  stream.role = role;
  stream.fields = std::move(fields);
  return FieldPlan(stream);
}

}  // namespace

TEST_CASE("field_plan: every role has its names, each once") {
  for (const Role role : {Role::kTransactions, Role::kListings, Role::kFeedback,
      Role::kInteractions}) {
    std::set<std::string_view> seen;
    for (const FieldName& name : field_names(role)) {
      CAPTURE(name.name);
      CHECK(seen.insert(name.name).second);
      CHECK(name.of_item == (name.name.substr(0, 6) == "items."));
    }
    CHECK(seen.contains("timestamp"));
  }
}

TEST_CASE("field_plan: paths for messages are those of the configuration") {
  FieldPlan native = plan_of(Role::kTransactions);
  CHECK(native.path_of(Field::kAmount, -1) == "amount");
  CHECK(native.path_of(Field::kAmount, 3) == "items[3].amount");
  CHECK(native.path_of(Field::kNone, 3) == "items[3]");
  CHECK(native.path_of(Field::kNone, -1).empty());

  FieldPlan mapped = plan_of(Role::kTransactions, {{"amount", "order.total.gross"},
                                                   {"items", "order.lines"},
                                                   {"items.amount", "price.value"}});
  CHECK(mapped.path_of(Field::kAmount, -1) == "order.total.gross");
  CHECK(mapped.path_of(Field::kAmount, 12) == "order.lines[12].price.value");
  CHECK(mapped.path_of(Field::kProduct, 0) == "order.lines[0].product_id");
  CHECK(mapped.path_of(Field::kUser, -1) == "user_id");
}

TEST_CASE("field_plan: a mapped name hides its aliases, an unmapped one does not") {
  FieldPlan native = plan_of(Role::kInteractions);
  CHECK(native.path_of(Field::kTypeAlias2, -1) == "action");
  FieldPlan mapped = plan_of(Role::kInteractions, {{"type", "what"}});
  CHECK(mapped.path_of(Field::kType, -1) == "what");
  CHECK(mapped.path_of(Field::kTypeAlias, -1).empty());
  CHECK(mapped.path_of(Field::kIdAlias, -1) == "event_id");
}

TEST_CASE("field_plan: keys are found in any order, also long ones and prefixes of others") {
  FieldPlan plan = plan_of(Role::kTransactions,
                           {{"amount", "a"},
                            {"quantity", "ab"},
                            {"category", "a_rather_long_key_name_of_a_field"},
                            {"order_id", "a_rather_long_key_name_of_a_fiend"}});
  const auto find = [&plan](std::string key) {
    const std::size_t size = key.size() + 1;
    key += "\":" + std::string(64, ' ');
    std::uint32_t* guess = &plan.node(0).next;
    const std::uint32_t node = plan.match(0, key.data(), key.data() + size, guess);
    return node == FieldPlan::kUnmapped ? std::string("-") : plan.node(node).path;
  };
  for (int round = 0; round < 3; ++round) {
    for (const char* key : {"ab", "a", "a_rather_long_key_name_of_a_field",
        "a_rather_long_key_name_of_a_fiend", "user_id"}) {
      CAPTURE(key, round);
      CHECK(find(key) == key);
    }
    for (const char* key : {"", "b", "abc", "amount", "a_rather_long_key_name_of_a_fie", "user_i",
        "user_idx"}) {
      CAPTURE(key, round);
      CHECK(find(key) == "-");
    }
  }
}

TEST_CASE("field_plan: a long key is not compared past the end of the record") {
  FieldPlan plan = plan_of(Role::kListings, {{"name", std::string(200, 'n')}});
  const std::string text = std::string(30, 'n');
  const std::string padded = text + std::string(64, '\0');
  std::uint32_t* guess = &plan.node(0).next;
  CHECK(plan.match(0, padded.data(), padded.data() + text.size(), guess) == FieldPlan::kUnmapped);
}

}  // namespace retailpulse
