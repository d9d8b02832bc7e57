#include "support/record_batch.h"

#include <zlib.h>

#include <algorithm>
#include <array>

#include "base/check.h"
#include "support/kafka_wire.h"

namespace retailpulse::testing {
namespace {

constexpr std::int16_t kGzip = 1;
constexpr std::int16_t kTransactionalBit = 1 << 4;
constexpr std::int16_t kControlBit = 1 << 5;

void put_varint(WireWriter& out, std::int64_t n) {
  out.uvarint((static_cast<std::uint64_t>(n) << 1) ^ static_cast<std::uint64_t>(n >> 63));
}

void put_bytes(WireWriter& out, const std::string* bytes) {
  put_varint(out, bytes == nullptr ? -1 : static_cast<std::int64_t>(bytes->size()));
  if (bytes != nullptr) out.raw(*bytes);
}

std::string encode_record(const ScriptedRecord& record, std::int32_t delta,
                          std::int64_t first_ms) {
  WireWriter body;
  body.i8(0);
  put_varint(body, record.timestamp_ms - first_ms);
  put_varint(body, delta);
  put_bytes(body, record.key ? &*record.key : nullptr);
  put_bytes(body, record.tombstone ? nullptr : &record.value);
  put_varint(body, static_cast<std::int64_t>(record.headers.size()));
  for (const auto& [name, value] : record.headers) {
    put_bytes(body, &name);
    put_bytes(body, &value);
  }
  WireWriter out;
  put_varint(out, static_cast<std::int64_t>(body.bytes().size()));
  out.raw(body.bytes());
  return out.bytes();
}

std::string gzipped(const std::string& plain) {
  z_stream stream{};
  RP_CHECK(deflateInit2(&stream, 1, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) == Z_OK, "zlib");
  std::string out(deflateBound(&stream, plain.size()) + 64, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
  stream.avail_in = static_cast<uInt>(plain.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  RP_CHECK(deflate(&stream, Z_FINISH) == Z_STREAM_END, "zlib");
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

bool is_control(BatchKind kind) { return kind == BatchKind::kCommit || kind == BatchKind::kAbort; }

std::vector<ScriptedRecord> records_of(const BatchSpec& spec) {
  if (!is_control(spec.kind)) return spec.records;
  WireWriter key;
  key.i16(0);
  key.i16(spec.kind == BatchKind::kCommit ? 1 : 0);
  WireWriter value;
  value.i16(0);
  value.i32(0);
  return {{.value = value.bytes(), .key = key.bytes()}};
}

std::int32_t next_delta(const ScriptedRecord& record, std::int32_t before) {
  return record.offset_delta < 0 ? before + 1 : record.offset_delta;
}

}  // namespace

std::int32_t offsets_of(const BatchSpec& spec) {
  std::int32_t delta = -1;
  for (const ScriptedRecord& record : records_of(spec)) delta = next_delta(record, delta);
  return std::max(delta, spec.last_offset_delta) + 1;
}

std::string encode_batch(const BatchSpec& spec, Offset base, std::int32_t leader_epoch) {
  const std::vector<ScriptedRecord> records = records_of(spec);
  const std::int64_t first_ms = records.empty() ? 0 : records.front().timestamp_ms;
  std::int64_t greatest_ms = first_ms;
  std::string encoded;
  std::int32_t delta = -1;
  for (const ScriptedRecord& record : records) {
    delta = next_delta(record, delta);
    greatest_ms = std::max(greatest_ms, record.timestamp_ms);
    encoded += encode_record(record, delta, first_ms);
  }
  WireWriter covered;  // what the checksum covers
  covered.i16(static_cast<std::int16_t>((spec.gzip ? kGzip : 0) |
                                        (spec.kind == BatchKind::kPlain ? 0 : kTransactionalBit) |
                                        (is_control(spec.kind) ? kControlBit : 0)));
  covered.i32(offsets_of(spec) - 1);
  covered.i64(first_ms);
  covered.i64(greatest_ms);
  covered.i64(spec.producer_id);
  covered.i16(spec.producer_id < 0 ? -1 : 0);
  covered.i32(-1);
  covered.i32(static_cast<std::int32_t>(records.size()));
  covered.raw(spec.gzip ? gzipped(encoded) : encoded);

  WireWriter out;
  out.i64(base);
  out.i32(static_cast<std::int32_t>(covered.bytes().size() + kChecksummedFrom - 12));
  out.i32(leader_epoch);
  out.i8(2);  // the format
  out.i32(static_cast<std::int32_t>(crc32c(covered.bytes())));
  out.raw(covered.bytes());
  return out.bytes();
}

BatchSpec numbered_batch(const std::string& prefix, int first, int count) {
  BatchSpec spec;
  for (int i = first; i < first + count; ++i) {
    spec.records.push_back({.value = prefix + std::to_string(i)});
  }
  return spec;
}

std::uint32_t crc32c(std::string_view bytes) {
  static const std::array<std::uint32_t, 256> kTable = [] {
    std::array<std::uint32_t, 256> table{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t c = i;
      for (int bit = 0; bit < 8; ++bit) c = (c & 1) != 0 ? (c >> 1) ^ 0x82F63B78U : c >> 1;
      table[i] = c;
    }
    return table;
  }();
  std::uint32_t c = 0xFFFFFFFFU;
  for (const char byte : bytes) c = kTable[(c ^ static_cast<unsigned char>(byte)) & 0xFF] ^ (c >> 8);
  return c ^ 0xFFFFFFFFU;
}

}  // namespace retailpulse::testing
