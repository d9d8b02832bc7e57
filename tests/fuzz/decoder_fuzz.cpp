// Any bytes, under each role, natively named and mapped: one outcome, and a batch that says so.
//
// The first byte of the input chooses role and mapping; the rest is the value.
#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string_view>

#include <retailpulse/decoder.h>

#include "base/check.h"
#include "decode/json_fault.h"

namespace retailpulse {
namespace {

constexpr std::int64_t kRecordUs = 1'750'000'000'000'000;

struct Fuzzed {
  Fuzzed() {
    TimeConfig time;
    time.zone = "Europe/Berlin";
    decoder = make_json_decoder(time);
    for (std::size_t i = 0; i < streams.size(); ++i) {
      streams[i].topic = "fuzz";
      streams[i].role = static_cast<Role>(i % 4);
      if (i >= 4) {
        streams[i].fields = {{"product_id", "p.id"}, {"amount", "p.a"}, {"items", "p.items"},
                             {"items.amount", "a.b"}, {"type", "p"},    {"rating", "p.id"}};
      }
      decoder->bind(PartitionSlot{static_cast<std::uint32_t>(i)}, streams[i]);
    }
  }
  std::array<StreamConfig, 8> streams;
  std::unique_ptr<Decoder> decoder;
  EventBatch batch;
};

bool is_syntax(Reason reason) {
  return reason == Reason::kBadUtf8 || reason == Reason::kBadJson || reason == Reason::kTruncated ||
         reason == Reason::kTrailingBytes || reason == Reason::kTooDeep;
}

void check_events(const EventBatch& batch, const Message& message) {
  RP_CHECK(!batch.events.empty() && batch.rejects.empty(), "events only");
  RP_CHECK(batch.events.size() <= kItemsMax, "at most kItemsMax lines");
  for (std::size_t i = 0; i < batch.events.size(); ++i) {
    const Event& event = batch.events[i];
    RP_CHECK(((event.flags & kFirstOfRecord) != 0) == (i == 0), "the first event is marked");
    RP_CHECK(event.slot == message.slot && event.offset == message.offset, "where it stood");
    RP_CHECK(event.amount_micros >= 0 && event.quantity_milli >= 0, "never negative");
    RP_CHECK(event.type != kNoName, "every event has a type");
    RP_CHECK(event.kind != EventKind::kListing || event.listing < batch.listings.size(), "listing");
    RP_CHECK(event.kind != EventKind::kFeedback ||
                 (event.rating_milli >= 1'000 && event.rating_milli <= 5'000), "rating");
    RP_CHECK(batch.events.size() == 1 || event.order != 0, "lines share an order");
  }
  RP_CHECK(json_fault(message.value) == Reason::kNone, "only whole JSON is taken");
}

void check_reject(const EventBatch& batch, const Message& message) {
  RP_CHECK(batch.events.empty() && batch.listings.empty(), "nothing stays of a rejected record");
  RP_CHECK(batch.rejects.size() == 1, "one reject");
  const Reject& reject = batch.rejects[0];
  RP_CHECK(reject.reason != Reason::kNone, "a reason");
  RP_CHECK(reject.raw == message.value.substr(0, kRejectRawBytes), "the first bytes");
  if (!is_syntax(reject.reason) && reject.reason != Reason::kUnsupportedEncoding &&
      reject.reason != Reason::kEmptyValue && reject.reason != Reason::kTooLarge) {
    RP_CHECK(json_fault(message.value) == Reason::kNone, "its meaning is at fault, not its JSON");
  }
  if (is_syntax(reject.reason)) {
    RP_CHECK(json_fault(message.value) == reject.reason, "the same fault");
  }
}

void decode_one(std::string_view bytes) {
  static Fuzzed fuzzed;
  if (bytes.empty()) return;
  const auto slot = static_cast<std::uint32_t>(static_cast<unsigned char>(bytes[0]) % 8);
  const Message message{PartitionSlot{slot}, 7, from_us(kRecordUs), true, {}, bytes.substr(1)};
  fuzzed.batch.clear();
  const Decoder::Outcome outcome = fuzzed.decoder->decode(message, fuzzed.batch);
  for (const NewName& name : fuzzed.batch.names) {
    RP_CHECK(name.text.size() <= kNameBytesMax, "names are bounded");
  }
  if (outcome == Decoder::Outcome::kEvents) {
    check_events(fuzzed.batch, message);
  } else {
    RP_CHECK(outcome == Decoder::Outcome::kRejected, "nothing is filtered");
    check_reject(fuzzed.batch, message);
  }
}

}  // namespace
}  // namespace retailpulse

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  retailpulse::decode_one({reinterpret_cast<const char*>(data), size});
  return 0;
}
