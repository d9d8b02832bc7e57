// Catalogue: the products of the simulated shop, named after what their shelf holds, and a few with
// names as hostile as real ones.
//
// Thread: frozen after construction, but for price and category of a product, which the shop sets.
// Limits: `products` on sale from the start and kLaunchesMax that are launched during the run.
// Test:   tests/simulate/simulator_test.cpp
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "simulate/random.h"

namespace retailpulse::simulate {

inline constexpr std::uint32_t kLaunchesMax = 4096;

struct Product {
  std::string id;
  std::string name_json;  // quoted and escaped
  std::uint8_t category = 0;
  std::int64_t price_micros = 0;  // in the first currency
  double quality = 0.5;           // 0..1: what its ratings lean to
};

class Catalogue {
 public:
  Catalogue(std::uint32_t products, Random& random);
  [[nodiscard]] std::uint32_t size() const { return size_; }  // without launches
  [[nodiscard]] const Product& at(std::uint32_t index) const { return products_[index]; }
  [[nodiscard]] Product& at(std::uint32_t index) { return products_[index]; }

 private:
  std::uint32_t size_;
  std::vector<Product> products_;
};

[[nodiscard]] std::size_t category_count();
[[nodiscard]] std::string_view category_name(std::size_t index);  // UTF-8 that JSON need not escape
[[nodiscard]] bool sold_by_weight(std::size_t category);  // else only whole pieces

// Comments and search phrases, quoted and escaped.
[[nodiscard]] std::size_t comment_count();
[[nodiscard]] std::string_view comment_json(std::size_t index);
[[nodiscard]] std::size_t phrase_count();
[[nodiscard]] std::string_view phrase_json(std::size_t index);

}  // namespace retailpulse::simulate
