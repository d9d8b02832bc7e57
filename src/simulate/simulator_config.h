// SimulatorConfig: the shop that is simulated, as plain values with their defaults.
//
// Thread: frozen.
#pragma once

#include <retailpulse/types.h>

#include <chrono>
#include <cstdint>

namespace retailpulse {

struct SimulatorConfig {
  // kDay: hours and weekdays as measured in shops. kWave: always busy, a gentle wave of minutes,
  // for watching live.
  enum class Profile : std::uint8_t { kDay, kWave };
  // kSales: only listings, transactions and feedback on them, for measuring.
  enum class Mix : std::uint8_t { kShop, kSales };

  std::uint64_t seed = 1;
  EventTime start = std::chrono::sys_days{std::chrono::year{2024} / 11 / 25};
  double rate = 1000;  // records per second of shop time, on average
  std::uint32_t products = 5000;
  std::uint32_t partitions = 4;  // of each topic
  Profile profile = Profile::kDay;
  Mix mix = Mix::kShop;

  double conversion = 0.04;     // sessions that buy
  double refunds = 0.10;        // of orders
  double feedback = 0.10;       // of order lines
  double launches = 0.005;      // sale lines of a product whose listing comes later
  double price_changes = 50;    // per hour of shop time
  double category_changes = 6;  // per hour
  // Refunds and ratings come days later in a real shop; these medians let a short run have some.
  Duration refund_after = std::chrono::minutes{10};
  Duration feedback_after = std::chrono::minutes{5};
  Duration listing_spread = std::chrono::seconds{5};  // the first listings take this long

  Duration flash_every = std::chrono::hours{6};  // mean time between flash sales
  Duration flash_length = std::chrono::minutes{15};
  double flash_traffic = 3;  // times the usual, at its height

  double out_of_order = 0.03;  // sent up to 30 s after they happened
  double late = 0.005;         // 1 to 60 min
  double very_late = 0.0005;   // 1 to 6 h
  double duplicates = 0.01;    // the same bytes again, within kDuplicateWithin records
  double dirt = 0.005;         // records that must be rejected
  double future = 0.0001;      // stamped hours ahead
  std::uint32_t big_record_bytes = 1'100'000;  // the too large one, rare
};

inline constexpr std::uint32_t kDuplicateWithin = 2000;  // records of the same partition

// What `demo` and a live `simulate` show: busy at any hour, and a flash sale every few minutes.
[[nodiscard]] inline SimulatorConfig live_shop() {
  SimulatorConfig config;
  config.profile = SimulatorConfig::Profile::kWave;
  config.conversion = 0.08;
  config.flash_every = std::chrono::minutes{14};
  config.flash_length = std::chrono::seconds{270};  // a peak is three minutes or more
  config.flash_traffic = 2;
  config.refund_after = std::chrono::minutes{4};
  config.feedback_after = std::chrono::minutes{2};
  return config;
}

}  // namespace retailpulse
