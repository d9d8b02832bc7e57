// The Decoder for JSON messages of the four native roles.
//
// Three steps: RecordShapes finds the texts of the fields in a record that is written like an
// earlier one, JsonWalker in any other; field_values says what they mean; RecordReader makes events
// of them. A record is taken whole or not at all.
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <retailpulse/decoder.h>

#include "base/check.h"
#include "base/zone.h"
#include "decode/field_plan.h"
#include "decode/json_fault.h"
#include "decode/json_walk.h"
#include "decode/record_reader.h"
#include "decode/record_shapes.h"

namespace retailpulse {
namespace {

struct Stream {
  explicit Stream(const StreamConfig& c) : config(&c), plan(c) {}
  const StreamConfig* config;
  FieldPlan plan;
  RecordShapes shapes;
  NameId currency = kNoName;
};

// What the first bytes betray when the value is no JSON text in UTF-8; null if nothing.
const char* foreign_encoding(std::string_view value) {
  using namespace std::string_view_literals;
  const auto begins = [value](std::string_view bytes) {
    return value.substr(0, bytes.size()) == bytes;
  };
  if (begins("\xef\xbb\xbf"sv)) return "(UTF-8 byte order mark)";
  if (begins("\xff\xfe"sv) || begins("\xfe\xff"sv) || begins("{\0"sv) || begins("\0{\0"sv)) {
    return "(UTF-16)";
  }
  // A zero byte and a schema id of four bytes, as schema registry serializers write.
  if (value.size() >= 5 && begins("\0"sv)) return "(Confluent prefix)";
  return nullptr;
}

Fault encoding_fault(std::string_view value) {
  const char* const note = foreign_encoding(value);
  return note == nullptr ? Fault{} : Fault{Reason::kUnsupportedEncoding, Field::kNone, -1, note};
}

std::string place_of(const Fault& fault, const FieldPlan& plan) {
  if (fault.note == nullptr) return plan.path_of(fault.field, fault.item);
  return plan.in_item(fault.note, fault.item);
}

class JsonDecoder final : public Decoder {
 public:
  JsonDecoder(const TimeConfig& time, Zone zone, ConsumerMetrics* metrics)
      : reader_(time, std::move(zone), metrics), metrics_(metrics) {}

  void bind(PartitionSlot slot, const StreamConfig& config) override {
    const auto index = static_cast<std::size_t>(slot);
    if (by_slot_.size() <= index) by_slot_.resize(index + 1, nullptr);
    by_slot_[index] = &stream_of(config);
  }

  Outcome decode(const Message& message, EventBatch& out) override {
    const auto index = static_cast<std::size_t>(message.slot);
    RP_CHECK(index < by_slot_.size() && by_slot_[index] != nullptr, "bind() comes before decode()");
    Stream& stream = *by_slot_[index];
    const std::size_t events = out.events.size();
    const std::size_t listings = out.listings.size();
    Record record{message, *stream.config, fields_, stream.currency, out};
    Fault fault = walk(message, stream);
    if (!fault) fault = reader_.read(record);
    if (fault) {
      out.events.resize(events);
      out.listings.resize(listings);
      reject(message, fault, stream.plan, out);
      return Outcome::kRejected;
    }
    if (record.rounded && metrics_ != nullptr) metrics_->money_rounded.add();
    return Outcome::kEvents;
  }

 private:
  Stream& stream_of(const StreamConfig& config) {
    for (const auto& known : streams_) {
      if (known->config == &config) return *known;
    }
    return *streams_.emplace_back(std::make_unique<Stream>(config));
  }

  Fault walk(const Message& message, Stream& stream) {
    FieldPlan& plan = stream.plan;
    const std::string_view value = message.value;
    if (!message.has_value) return {Reason::kNullValue};
    if (value.empty()) return {Reason::kEmptyValue};
    if (value.size() > kValueBytesMax) return {Reason::kTooLarge};
    if (value.front() != '{') {
      if (const Fault fault = encoding_fault(value)) return fault;
    }
    fields_.clear();
    if (stream.shapes.read(value, fields_)) return {};
    fields_.clear();
    const JsonWalker::Outcome outcome = walker_.walk(value, plan, fields_);
    if (outcome.result == JsonWalker::Result::kOk) {
      stream.shapes.learn(walker_.copy(), fields_);
      return {};
    }
    if (outcome.result == JsonWalker::Result::kDuplicateKey) {
      return {Reason::kDuplicateKey, Field::kNone, outcome.item, plan.node(outcome.node).path.c_str()};
    }
    if (const Fault fault = encoding_fault(value)) return fault;
    if (const Reason reason = json_fault(value); reason != Reason::kNone) return {reason};
    const bool whole = outcome.result == JsonWalker::Result::kNotAnObject;
    return {whole ? Reason::kWrongType : Reason::kBadJson};
  }

  static void reject(const Message& message, const Fault& fault, const FieldPlan& plan,
                     EventBatch& out) {
    Reject reject;
    reject.slot = message.slot;
    reject.offset = message.offset;
    reject.reason = fault.reason;
    reject.record_time = message.record_time;
    reject.field = place_of(fault, plan);
    if (message.has_value) reject.raw = message.value.substr(0, kRejectRawBytes);
    out.rejects.push_back(std::move(reject));
  }

  JsonWalker walker_;
  RecordFields fields_;
  RecordReader reader_;
  ConsumerMetrics* const metrics_;
  std::vector<std::unique_ptr<Stream>> streams_;  // one for each StreamConfig
  std::vector<Stream*> by_slot_;
};

}  // namespace

std::unique_ptr<Decoder> make_json_decoder(const TimeConfig& time, ConsumerMetrics* metrics) {
  Result<Zone> zone = Zone::find(time.zone);
  RP_CHECK(zone.ok(), "the zone was checked with the configuration");
  return std::make_unique<JsonDecoder>(time, std::move(zone).value(), metrics);
}

}  // namespace retailpulse
