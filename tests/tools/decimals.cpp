// decimals: what the program makes of decimal texts.
//
// Reads lines "SCALE TEXT" from stdin, prints for each what parse_decimal() says: "exact N",
// "rounded N", "no number" or "out of range". N is an integer, the value times 10^SCALE.
#include <cstdio>
#include <iostream>
#include <string>

#include <fmt/format.h>

#include "base/decimal.h"

using retailpulse::DecimalResult;

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto blank = line.find(' ');
    std::int64_t value = 0;
    switch (retailpulse::parse_decimal(std::string_view(line).substr(blank + 1),
                                       std::stoi(line.substr(0, blank)), value)) {
      case DecimalResult::kExact: fmt::print("exact {}\n", value); break;
      case DecimalResult::kRounded: fmt::print("rounded {}\n", value); break;
      case DecimalResult::kNotANumber: fmt::print("no number\n"); break;
      case DecimalResult::kOutOfRange: fmt::print("out of range\n"); break;
    }
  }
  return 0;
}
