#include "simulate/dirt.h"

#include <array>

#include "base/check.h"

namespace retailpulse::simulate {
namespace {

constexpr unsigned bit(Role role) { return 1U << static_cast<unsigned>(role); }
constexpr unsigned kTx = bit(Role::kTransactions);
constexpr unsigned kListing = bit(Role::kListings);
constexpr unsigned kRating = bit(Role::kFeedback);
constexpr unsigned kAction = bit(Role::kInteractions);
constexpr unsigned kAll = kTx | kListing | kRating | kAction;
constexpr unsigned kPlain = kTx | kRating | kAction;  // a null listing may mean: delete it

struct Spot {
  std::size_t begin;
  std::size_t end;
};

// Where the scalar value of a key stands; the first time the key occurs.
Spot value_of(const std::string& json, std::string_view key) {
  const std::size_t at = json.find(key);
  RP_CHECK(at != std::string::npos, "a dirt class fits the records it is applied to");
  const std::size_t begin = at + key.size();
  if (json[begin] == '"') return {begin, json.find('"', begin + 1) + 1};
  return {begin, json.find_first_of(",}", begin)};
}

void set(std::string& json, std::string_view key, std::string_view value) {
  const Spot spot = value_of(json, key);
  json.replace(spot.begin, spot.end - spot.begin, value);
}

// Takes a key, its value and the comma before it out.
void drop(std::string& json, std::string_view key) {
  const Spot spot = value_of(json, key);
  std::size_t begin = spot.begin - key.size();
  std::size_t end = spot.end;
  if (json[begin - 1] == ',') {
    --begin;
  } else if (json[end] == ',') {
    ++end;
  }
  json.erase(begin, end - begin);
}

void insert_first(std::string& json, std::string_view members) { json.insert(1, members); }

std::string repeated(std::string_view text, std::size_t times) {
  std::string out;
  out.reserve(text.size() * times);
  for (std::size_t i = 0; i < times; ++i) out.append(text);
  return out;
}

struct Edit {
  std::string& value;
  bool& has_value;
  std::uint32_t big_bytes;
  Random& random;
};

struct Way {
  DirtClass shown;
  void (*spoil)(Edit& edit);
};

constexpr std::array<Way, 27> kWays{{
    {{"null value", Reason::kNullValue, kPlain, 4},
     [](Edit& e) {
       e.value.clear();
       e.has_value = false;
     }},
    {{"empty value", Reason::kEmptyValue, kPlain, 4}, [](Edit& e) { e.value.clear(); }},
    {{"invalid UTF-8", Reason::kBadUtf8, kAll, 6},
     [](Edit& e) { insert_first(e.value, "\"note\":\"caf\xe9\xff\","); }},
    {{"overlong UTF-8", Reason::kBadUtf8, kAll, 2},
     [](Edit& e) { insert_first(e.value, "\"note\":\"\xc0\xaf\","); }},
    {{"Python dict", Reason::kBadJson, kAll, 6},
     [](Edit& e) {
       for (char& c : e.value) c = c == '"' ? '\'' : c;
     }},
    {{"bare word", Reason::kBadJson, kAll, 2},
     [](Edit& e) { insert_first(e.value, "\"brand\":nan,"); }},
    {{"truncated", Reason::kTruncated, kAll, 10},
     [](Edit& e) {
       std::size_t cut = 2 + e.random.below(e.value.size() - 3);
       while ((static_cast<unsigned char>(e.value[cut]) & 0xc0U) == 0x80U) --cut;  // whole letters
       e.value.resize(cut);
     }},
    {{"trailing bytes", Reason::kTrailingBytes, kAll, 5},
     [](Edit& e) { e.value.append(" {\"again\":1}"); }},
    {{"too deep", Reason::kTooDeep, kAll, 3},
     [](Edit& e) {
       insert_first(e.value, "\"extra\":" + repeated("[", 3000) + repeated("]", 3000) + ",");
     }},
    {{"too large", Reason::kTooLarge, kTx | kAction, 0},
     [](Edit& e) { insert_first(e.value, "\"note\":\"" + std::string(e.big_bytes, 'x') + "\","); }},
    {{"long id", Reason::kTooLarge, kPlain, 3},
     [](Edit& e) { set(e.value, "\"product_id\":", '"' + std::string(300, 'p') + '"'); }},
    {{"duplicate key", Reason::kDuplicateKey, kAll, 4},
     [](Edit& e) { insert_first(e.value, "\"timestamp\":\"2024-01-01T00:00:00Z\","); }},
    {{"wrong type", Reason::kWrongType, kAll, 5},
     [](Edit& e) { set(e.value, "\"product_id\":", "{\"id\":1}"); }},
    {{"not an object", Reason::kWrongType, kAll, 2},
     [](Edit& e) { e.value = "[" + e.value + "]"; }},
    {{"no amount", Reason::kMissingField, kTx, 8}, [](Edit& e) { drop(e.value, "\"amount\":"); }},
    {{"no rating", Reason::kMissingField, kRating, 8},
     [](Edit& e) { drop(e.value, "\"rating\":"); }},
    {{"no type", Reason::kMissingField, kAction, 4}, [](Edit& e) { drop(e.value, "\"type\":"); }},
    {{"bad time", Reason::kBadTime, kAll, 5},
     [](Edit& e) { set(e.value, "\"timestamp\":", "\"yesterday\""); }},
    {{"time of another age", Reason::kTimeOutOfRange, kAll, 5},
     [](Edit& e) {
       set(e.value, "\"timestamp\":",
           e.random.below(2) == 0 ? "\"1970-01-01T00:00:00Z\"" : "\"2199-12-31T23:59:59Z\"");
     }},
    {{"bad money", Reason::kBadMoney, kTx, 8},
     [](Edit& e) { set(e.value, "\"amount\":", "\"12,34,56\""); }},
    {{"not a number", Reason::kBadMoney, kTx, 4},
     [](Edit& e) { set(e.value, "\"amount\":", "\"NaN\""); }},
    {{"bad quantity", Reason::kBadNumber, kTx, 6},
     [](Edit& e) { set(e.value, "\"quantity\":", "\"many\""); }},
    {{"bad currency", Reason::kBadCurrency, kTx, 6},
     [](Edit& e) { set(e.value, "\"currency\":", "\"DOLLARS\""); }},
    {{"unknown op", Reason::kUnknownOp, kTx, 6},
     [](Edit& e) {
       if (e.value.find("\"op\":") != std::string::npos) drop(e.value, "\"op\":");
       insert_first(e.value, "\"op\":\"explode\",");
     }},
    {{"rating out of range", Reason::kRatingOutOfRange, kRating, 12},
     [](Edit& e) { set(e.value, "\"rating\":", "9"); }},
    {{"too many items", Reason::kTooManyItems, kTx, 1},
     [](Edit& e) {
       e.value =
           "{\"transaction_id\":\"t-x\",\"items\":[{\"product_id\":\"P-00001\",\"amount\":1}" +
           repeated(",{\"product_id\":\"P-00001\",\"amount\":1}", 1000) +
           "],\"timestamp\":\"2024-11-25T00:00:00Z\"}";
     }},
    {{"Confluent Avro", Reason::kUnsupportedEncoding, kAll, 4},
     [](Edit& e) { e.value.insert(0, std::string_view("\0\0\0\0\7", 5)); }},
}};
// A search has no product to spoil.
bool fits(const DirtClass& way, Role role, const std::string& value) {
  if ((way.roles & bit(role)) == 0) return false;
  const bool needs_product = way.name == "long id" || way.name == "wrong type";
  return !needs_product || value.find("\"product_id\":") != std::string::npos;
}

}  // namespace

std::size_t dirt_class_count() { return kWays.size(); }
const DirtClass& dirt_class(std::size_t index) { return kWays[index].shown; }

void apply_dirt(std::size_t index, std::uint32_t big_bytes, Random& random, std::string& value,
                bool& has_value) {
  Edit edit{value, has_value, big_bytes, random};
  kWays[index].spoil(edit);
}

Reason spoil(Role role, std::uint32_t big_bytes, Random& random, std::string& value,
             bool& has_value) {
  constexpr std::uint64_t kBigOneIn = 2000;  // of the dirty: it costs as much as 5,000 others
  unsigned sum = 0;
  for (const Way& way : kWays) sum += fits(way.shown, role, value) ? way.shown.weight : 0;
  auto at = static_cast<unsigned>(random.below(sum));
  const bool big =
      random.below(kBigOneIn) == 0 && (role == Role::kTransactions || role == Role::kInteractions);
  for (const Way& way : kWays) {
    if (!fits(way.shown, role, value)) continue;
    if (big ? way.shown.name == "too large" : at < way.shown.weight) {
      Edit edit{value, has_value, big_bytes, random};
      way.spoil(edit);
      return way.shown.reason;
    }
    at -= big ? 0 : way.shown.weight;
  }
  check_failed(__FILE__, __LINE__, "spoil", "weights are positive for every role");
}

}  // namespace retailpulse::simulate
