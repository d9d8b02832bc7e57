// kafka_wire: the primitives of Kafka's protocol, big-endian, as the scripted broker needs them.
//
// Thread: any (one owner).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace retailpulse::testing {

class WireWriter {
 public:
  void i8(int n) { integer(n, 1); }
  void i16(int n) { integer(n, 2); }
  void i32(std::int64_t n) { integer(n, 4); }
  void i64(std::int64_t n) { integer(n, 8); }
  void raw(std::string_view bytes) { out_ += bytes; }
  void uvarint(std::uint64_t n) {
    for (; n >= 0x80; n >>= 7) out_ += static_cast<char>((n & 0x7F) | 0x80);
    out_ += static_cast<char>(n);
  }
  void text(std::string_view s) {
    i16(static_cast<int>(s.size()));
    raw(s);
  }
  // Flexible versions: lengths are varints, one too great, and tags follow each structure.
  void compact_text(std::string_view s) {
    uvarint(s.size() + 1);
    raw(s);
  }
  void compact_count(std::size_t n) { uvarint(n + 1); }
  void no_tags() { uvarint(0); }
  [[nodiscard]] const std::string& bytes() const { return out_; }

 private:
  void integer(std::int64_t n, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) {
      out_ += static_cast<char>(static_cast<std::uint64_t>(n) >> (8 * i));
    }
  }
  std::string out_;
};

// Reading beyond the end gives zeros and makes ok() false.
class WireReader {
 public:
  explicit WireReader(std::string_view in) : in_(in) {}
  std::int16_t i16() { return static_cast<std::int16_t>(integer(2)); }
  std::int32_t i32() { return static_cast<std::int32_t>(integer(4)); }
  std::int64_t i64() { return integer(8); }
  std::int8_t i8() { return static_cast<std::int8_t>(integer(1)); }
  std::string text() {  // null is empty
    const auto size = i16();
    return size < 0 ? std::string() : std::string(raw(static_cast<std::size_t>(size)));
  }
  std::uint64_t uvarint() {
    std::uint64_t n = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      const auto byte = static_cast<unsigned char>(integer(1));
      n |= static_cast<std::uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) break;
    }
    return n;
  }
  std::optional<std::string> compact_text() {
    const auto size = uvarint();
    if (size == 0) return std::nullopt;
    return std::string(raw(size - 1));
  }
  std::string_view raw(std::size_t size) {
    if (size > in_.size()) {
      ok_ = false;
      in_ = {};
      return {};
    }
    const auto out = in_.substr(0, size);
    in_.remove_prefix(size);
    return out;
  }
  [[nodiscard]] bool ok() const { return ok_; }

 private:
  std::int64_t integer(std::size_t size) {
    const auto bytes = raw(size);
    if (bytes.empty()) return 0;
    std::uint64_t n = (bytes[0] & 0x80) != 0 ? ~std::uint64_t{0} : 0;
    for (const char byte : bytes) n = (n << 8) | static_cast<unsigned char>(byte);
    return static_cast<std::int64_t>(n);
  }
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace retailpulse::testing
