// Decoding: a decoder with one bound stream, and what it made of the last value.
//
// Thread: any, one at a time.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <retailpulse/decoder.h>
#include <retailpulse/metrics.h>

namespace retailpulse {

struct Decoding {
  static constexpr std::int64_t kRecordUs = 1'750'000'000'000'000;  // 2025-06-15T15:06:40Z

  explicit Decoding(Role role, std::map<std::string, std::string> fields = {},
                    TimeConfig with = utc())
      : time(std::move(with)) {
    stream.topic = "topic";
    stream.role = role;
    stream.fields = std::move(fields);
    decoder = make_json_decoder(time, &metrics);
    decoder->bind(PartitionSlot{3}, stream);
  }

  static TimeConfig utc() {
    TimeConfig config;
    config.zone = "UTC";
    return config;
  }

  Decoder::Outcome operator()(std::string_view value) {
    const Message message{PartitionSlot{3}, offset++, from_us(record_us), true, {}, value};
    return decoder->decode(message, batch);
  }

  // The event of a value that gives exactly one, else an event of amount -1.
  Event event(std::string_view value) {
    forget();
    const bool one = (*this)(value) == Decoder::Outcome::kEvents && batch.events.size() == 1;
    Event none;
    none.amount_micros = -1;
    return one ? batch.events[0] : none;
  }

  // "reason field" of a value that is rejected, "" if it is not.
  std::string reject(std::string_view value) {
    forget();
    if ((*this)(value) != Decoder::Outcome::kRejected) return {};
    if (batch.rejects.size() != 1 || batch.events.size() + batch.listings.size() > 0) {
      return "broken";
    }
    const Reject& last = batch.rejects[0];
    std::string text(kReasonNames[static_cast<std::size_t>(last.reason)]);
    return last.field.empty() ? text : text + " " + last.field;
  }

  // Empties the batch, but remembers the names.
  void forget() {
    for (NewName& fresh : batch.names) names.push_back(std::move(fresh));
    batch.clear();
  }

  // The text of a name id that this decoder gave out.
  std::string name(Dimension dimension, NameId id) {
    for (NewName& fresh : batch.names) names.push_back(std::move(fresh));
    batch.names.clear();
    if (id == kNoName) return "(none)";
    if (id == kOtherName) return "(other)";
    for (const NewName& known : names) {
      if (known.dimension == dimension && known.id == id) return known.text;
    }
    return "(unknown id)";
  }

  TimeConfig time;
  StreamConfig stream;
  ConsumerMetrics metrics;
  std::unique_ptr<Decoder> decoder;
  EventBatch batch;
  std::vector<NewName> names;
  Offset offset = 100;
  std::int64_t record_us = kRecordUs;
};

}  // namespace retailpulse
