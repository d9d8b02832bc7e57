// The bad-input corpus of records: what the decoder makes of each, against the model in Python.
#include <retailpulse/decoder.h>

#include <cstdio>

#include "decode/decoding.h"
#include "support/catch.h"
#include "support/corpus.h"

namespace retailpulse {
namespace {

using testing::CorpusLine;
using testing::hex;

std::map<std::string, std::string> mapping_of(const std::string& stream) {
  if (stream != "mapped") return {};
  return {{"product_id", "p.id"}, {"amount", "p.sum.value"}, {"timestamp", "at"},
          {"items", "p.lines"}, {"items.amount", "cost.value"}};
}

Role role_of(const std::string& stream) {
  for (std::size_t i = 0; i < kRoleNames.size(); ++i) {
    if (kRoleNames[i] == stream) return static_cast<Role>(i);
  }
  return Role::kTransactions;
}

// One decoder for each stream and zone, kept for all cases: nothing may stay for the next.
Decoding& decoding_of(const std::string& stream, const std::string& zone) {
  static std::map<std::string, std::unique_ptr<Decoding>> all;
  std::unique_ptr<Decoding>& found = all[stream + "@" + zone];
  if (found == nullptr) {
    TimeConfig time;
    time.zone = zone;
    found = std::make_unique<Decoding>(role_of(stream), mapping_of(stream), time);
    found->stream.record_time = stream == "kafka_time";
  }
  return *found;
}

std::string kind_name(EventKind kind) {
  constexpr const char* kNames[] = {"sale", "refund", "cancel", "listing", "rating", "interaction"};
  return kNames[static_cast<std::size_t>(kind)];
}

// As shop_model.py writes an event.
std::string event_text(Decoding& decode, const Event& event) {
  const auto name = [&](Dimension dimension, NameId id) {
    return id == kNoName ? "-" : "=" + hex(decode.name(dimension, id));
  };
  std::string text = kind_name(event.kind);
  const auto add = [&text](const std::string& cell) { text += "|" + cell; };
  add(std::to_string(to_us(event.time)));
  add((event.flags & kFutureStamp) != 0 ? "1" : "0");
  add(name(Dimension::kProduct, event.product));
  add(name(Dimension::kCategory, event.category));
  add(name(Dimension::kCurrency, event.currency));
  add(name(Dimension::kType, event.type));
  add(std::to_string(event.amount_micros));
  add(std::to_string(event.quantity_milli));
  add(std::to_string(event.rating_milli));
  if (event.kind == EventKind::kListing) {
    const Listing& listing = decode.batch.listings.at(event.listing);
    add("=" + hex(listing.name));
    add(listing.has_price ? std::to_string(listing.price_micros) : "-");
    add(listing.deleted ? "1" : "0");
  }
  return text;
}

std::string found_for(const CorpusLine& line) {
  Decoding& decode = decoding_of(line.at(0), line.at(1));
  decode.forget();
  const std::string key = testing::unpack_bytes(line.at(3));
  const bool null = line.at(4) == "-";
  const std::string value = null ? std::string() : testing::unpack_bytes(line.at(4));
  Message message;
  message.slot = PartitionSlot{3};
  message.offset = decode.offset++;
  message.record_time = from_us(std::stoll(line.at(2)));
  message.has_value = !null;
  message.key = key;
  message.value = value;
  const Decoder::Outcome outcome = decode.decoder->decode(message, decode.batch);
  if (outcome == Decoder::Outcome::kRejected) {
    if (decode.batch.rejects.size() != 1 || !decode.batch.events.empty()) return "broken";
    const Reject& reject = decode.batch.rejects[0];
    if (reject.raw != value.substr(0, kRejectRawBytes)) return "another sample";
    std::string text = "reject ";
    text += kReasonNames[static_cast<std::size_t>(reject.reason)];
    return reject.field.empty() ? text : text + " " + reject.field;
  }
  std::string text;
  const std::vector<Event> events = decode.batch.events;  // name() empties lists of the batch
  for (const Event& event : events) text += (text.empty() ? "" : ";") + event_text(decode, event);
  return text;
}

// The one of the alternatives that was found, else all of them.
std::string chosen(const std::string& expected, const std::string& found) {
  for (std::size_t at = 0; at <= expected.size();) {
    const std::size_t end = std::min(expected.find(" or ", at), expected.size());
    if (expected.substr(at, end - at) == found) return found;
    at = end + 4;
  }
  return expected;
}

void check_category(const std::string& category, std::size_t least) {
  const std::vector<CorpusLine> lines = testing::read_corpus("records.py " + category);
  if (lines.empty()) return;
  testing::Verdicts verdicts;
  for (const CorpusLine& line : lines) {
    REQUIRE(line.size() == 6);
    const std::string found = found_for(line);
    const std::string bytes = testing::unpack_bytes(line[4].substr(0, 600));
    verdicts.check(line[0] + " " + line[1] + " " + bytes, chosen(line[5], found), found);
  }
  std::printf("corpus %-11s %5zu cases, %zu wrong\n", category.c_str(), verdicts.cases(),
              verdicts.wrong());
  INFO(verdicts.report());
  CHECK(verdicts.cases() >= least);
  CHECK(verdicts.wrong() == 0);
}

}  // namespace

TEST_CASE("corpus: JSON syntax") { check_category("json", 2000); }
TEST_CASE("corpus: UTF-8") { check_category("utf8", 500); }
TEST_CASE("corpus: numbers") { check_category("numbers", 600); }
TEST_CASE("corpus: money") { check_category("money", 300); }
TEST_CASE("corpus: timestamps") { check_category("timestamps", 1000); }
TEST_CASE("corpus: structure") { check_category("structure", 800); }
TEST_CASE("corpus: size") { check_category("size", 100); }
TEST_CASE("corpus: Kafka records") { check_category("kafka", 400); }

}  // namespace retailpulse
