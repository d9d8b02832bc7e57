// Bytes that nobody meant: cut, changed and random ones. Whatever comes in, one outcome comes out.
#include <random>
#include <string>

#include <nlohmann/json.hpp>

#include <retailpulse/decoder.h>

#include "decode/json_fault.h"
#include "decode/decoding.h"
#include "support/catch.h"

namespace retailpulse {
namespace {

constexpr std::string_view kRecords[] = {
    R"({"transaction_id":"t1","user_id":"u","amount":-12.5e1,"currency":"usd","timestamp":"2025-06-15T15:06:40.5+02:00",)"
    R"("order_id":"\u00e9\ud83d\ude00","op":"sale","items":[{"product_id":"a","amount":"1.5","quantity":2},{"product_id":7,"amount":0}]})",
    R"({"product_id":"p","name":"n\\","category":"c","price":1.5,"currency":"EUR","timestamp":1750000000,"op":"delete"})",
    R"({"feedback_id":1,"product_id":"p","user_id":null,"rating":"4.5","comment":"fine","timestamp":1750000000123})",
    R"({"interaction_id":"i","type":"View","user_id":"u","session_id":"s","product_id":"p","timestamp":1750000000.25})",
};

// The batch grew as decode() promises; false says it did not.
bool consistent(const EventBatch& batch, Decoder::Outcome outcome) {
  if (outcome == Decoder::Outcome::kRejected) {
    return batch.events.empty() && batch.listings.empty() && batch.rejects.size() == 1 &&
           batch.rejects[0].reason != Reason::kNone &&
           batch.rejects[0].raw.size() <= kRejectRawBytes;
  }
  if (outcome != Decoder::Outcome::kEvents) return false;
  if (batch.events.empty() || !batch.rejects.empty()) return false;
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    const Event& event = batch.events[i];
    if (((event.flags & kFirstOfRecord) != 0) != (i == 0)) return false;
    if (event.amount_micros < 0 || event.quantity_milli < 0) return false;
    if (event.kind == EventKind::kListing && event.listing >= batch.listings.size()) return false;
  }
  return true;
}

}  // namespace

TEST_CASE("hostile_bytes: a record cut at any byte is truncated, never taken") {
  for (std::size_t role = 0; role < 4; ++role) {
    Decoding decode(static_cast<Role>(role));
    const std::string_view whole = kRecords[role];
    REQUIRE(decode(whole) == Decoder::Outcome::kEvents);
    for (std::size_t n = 1; n < whole.size(); ++n) {
      CAPTURE(role, n);
      REQUIRE(decode.reject(whole.substr(0, n)) == "truncated");
      REQUIRE(decode(whole) == Decoder::Outcome::kEvents);  // nothing stays behind
    }
  }
}

TEST_CASE("hostile_bytes: any byte behind a record is trailing, unless it is blank") {
  Decoding decode(Role::kInteractions);
  for (int byte = 0; byte < 256; ++byte) {
    const std::string value = std::string(kRecords[3]) + static_cast<char>(byte);
    CAPTURE(byte);
    const bool blank = byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
    CHECK(decode.reject(value) == (blank ? "" : "trailing_bytes"));
  }
}

// Whatever stands behind the last field that is wanted is read too. The judge is another parser.
TEST_CASE("hostile_bytes: of 5,000 cut records with other tails none is wrongly taken") {
  const std::uint64_t seed = std::random_device{}();
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  constexpr std::string_view kTails[] = {"", "}", "]", "\"", "\"}", "]}", ",}", ":1}", "null", "}}",
                                         "\\", "{", ",\"x\":}", ",\"x\":tru}", ",\"x\":01}",
                                         ",\"x\":[1,]}"};
  int taken = 0;
  for (int i = 0; i < 5'000; ++i) {
    const std::size_t role = random() % 4;
    Decoding decode(static_cast<Role>(role));
    const std::string_view whole = kRecords[role];
    // Half of them lose nothing but the last brace: all that is wanted is there.
    const std::size_t n = random() % 2 == 0 ? whole.size() - 1 : 1 + random() % (whole.size() - 1);
    std::string value(whole.substr(0, n));
    if (random() % 4 == 0) {
      for (std::uint64_t more = 1 + random() % 12; more > 0; --more) {
        value += static_cast<char>(random());
      }
    } else {
      value += kTails[random() % std::size(kTails)];
    }
    CAPTURE(role, value);
    const bool accepted = decode(value) == Decoder::Outcome::kEvents;
    if (accepted) REQUIRE(nlohmann::json::accept(value));
    taken += accepted ? 1 : 0;
  }
  CHECK(taken > 50);  // some tails make it whole again
}

TEST_CASE("hostile_bytes: changed bytes give one consistent outcome") {
  const std::uint64_t seed = 161'803;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  for (std::size_t role = 0; role < 4; ++role) {
    Decoding decode(static_cast<Role>(role));
    for (int i = 0; i < 50'000; ++i) {
      std::string value(kRecords[i % 4 == 0 ? random() % 4 : role]);
      for (std::uint64_t edits = 1 + random() % 4; edits > 0 && !value.empty(); --edits) {
        const std::size_t at = random() % value.size();
        const std::size_t to = random() % value.size();
        switch (random() % 5) {
          case 0: value[at] = static_cast<char>(random()); break;
          case 1: value.insert(at, 1, static_cast<char>(random())); break;
          case 2: value.erase(at, random() % 8); break;
          case 3: value.insert(to, value.substr(at, random() % 24)); break;
          default: value[at] = value[to]; break;
        }
      }
      decode.batch.clear();
      const Decoder::Outcome outcome = decode(value);
      CAPTURE(role, value);
      REQUIRE(consistent(decode.batch, outcome));
      if (outcome == Decoder::Outcome::kEvents) REQUIRE(json_fault(value) == Reason::kNone);
    }
  }
}

TEST_CASE("hostile_bytes: the same bytes give the same events, whatever was read before") {
  const std::uint64_t seed = 55;
  INFO("seed " << seed);
  std::mt19937_64 random(seed);
  Decoding used(Role::kTransactions);
  for (int i = 0; i < 2'000; ++i) {
    std::string noise(random() % 200, ' ');
    for (char& c : noise) c = static_cast<char>(random());
    (void)used(noise);
    // Keys in another order, so that the expected order is wrong.
    (void)used(i % 2 == 0 ? R"({"amount":1,"product_id":"p"})"
        : R"({"product_id":"p","x":0,"amount":1})");
    used.forget();
    used.offset = 100;
    Decoding fresh(Role::kTransactions);
    REQUIRE(used(kRecords[0]) == Decoder::Outcome::kEvents);
    REQUIRE(fresh(kRecords[0]) == Decoder::Outcome::kEvents);
    REQUIRE(used.batch.events.size() == fresh.batch.events.size());
    for (std::size_t e = 0; e < fresh.batch.events.size(); ++e) {
      REQUIRE(used.batch.events[e].amount_micros == fresh.batch.events[e].amount_micros);
      REQUIRE(used.batch.events[e].record_id == fresh.batch.events[e].record_id);
      REQUIRE(used.batch.events[e].order == fresh.batch.events[e].order);
    }
  }
}

}  // namespace retailpulse
