// NativeShape: writes facts as the JSON of the four native topics.
//
// Thread: one; it remembers the last second it wrote.
// Test:   tests/simulate/simulator_test.cpp
#pragma once

#include <array>
#include <string>

#include "simulate/catalogue.h"
#include "simulate/fact.h"

namespace retailpulse::simulate {

class NativeShape {
 public:
  explicit NativeShape(const Catalogue& catalogue) : catalogue_(catalogue) {}
  // Both replace what the string held.
  void write_value(const Fact& fact, std::string& out);
  void write_key(const Fact& fact, std::string& out) const;

 private:
  void write_transaction(const Fact& fact, std::string& out);
  void write_line(const FactLine& line, int digits, std::string& out) const;
  void write_listing(const Fact& fact, std::string& out) const;
  void write_time(EventTime time, std::string& out);

  const Catalogue& catalogue_;
  std::int64_t second_ = INT64_MIN;
  std::array<char, 19> second_text_{};  // "2024-11-25T00:00:00"
};

// Whether records of this kind bear an id, so that a copy of them can be recognised.
[[nodiscard]] constexpr bool has_id(EventKind kind) { return kind != EventKind::kListing; }

}  // namespace retailpulse::simulate
