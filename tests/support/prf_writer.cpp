#include "support/prf_writer.h"

namespace retailpulse::testing {

Status PrfWriter::give(std::uint64_t n, Producer& producer) {
  total_ += n;
  for (std::uint32_t slot = 0; slot < shop_.slots(); ++slot) {
    const auto end = static_cast<Offset>(shop_.share(slot, total_));
    for (; ends_[slot] < end; ++ends_[slot]) {
      const PrfRecord record = shop_.record(slot, ends_[slot]);
      const Status given = producer.produce(
          {.topic = topics_[slot / shop_.partitions()],
           .partition = static_cast<std::int32_t>(slot % shop_.partitions()),
           .value = record.value,
           .tombstone = record.tombstone,
           .timestamp_ms = record.record_ms});
      if (!given.ok()) return given;
    }
  }
  return {};
}

}  // namespace retailpulse::testing
