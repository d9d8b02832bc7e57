// JsonWriter: appends JSON to a string, member by member, in the order it is told.
//
// Frames are compared and sent as text, so the same facts must give the same bytes; and building
// a tree first would cost more than the queries. Texts are escaped by base/escape.h.
//
// Thread: one at a time.
// Test:   tests/serve/frame_test.cpp
#pragma once

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace retailpulse {

class JsonWriter {
 public:
  JsonWriter& open_object() { return open('{'); }
  JsonWriter& close_object() { return close('}'); }
  JsonWriter& open_array() { return open('['); }
  JsonWriter& close_array() { return close(']'); }
  JsonWriter& key(std::string_view name);

  JsonWriter& text(std::string_view value);
  JsonWriter& raw(std::string_view json);  // a finished value
  JsonWriter& null() { return raw("null"); }
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  JsonWriter& number(Number value) { return raw(std::to_string(value)); }
  JsonWriter& real(double value, int decimals);  // null when it is not finite

  // key() and value in one.
  JsonWriter& field(std::string_view name, std::string_view value) { return key(name).text(value); }
  JsonWriter& field(std::string_view name, const char* value) { return key(name).text(value); }
  template <std::integral Number>
    requires(!std::same_as<Number, bool>)
  JsonWriter& field(std::string_view name, Number value) { return key(name).number(value); }
  JsonWriter& field(std::string_view name, const std::optional<std::int64_t>& value) {
    return value ? key(name).number(*value) : key(name).null();
  }
  JsonWriter& flag(std::string_view name, bool value) { return key(name).boolean(value); }

  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  void separate();

  std::string out_;
  bool comma_ = false;  // the next value or key follows another one
};

}  // namespace retailpulse
