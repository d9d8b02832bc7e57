// Fact: one thing that happened in the simulated shop, before anybody writes it down.
//
// Truth is counted from facts, never from bytes, so that it shares no code with the pipeline.
//
// Thread: moved.
// Limits: kLinesMax lines.
#pragma once

#include <retailpulse/event.h>
#include <retailpulse/types.h>

#include <array>
#include <cstdint>
#include <string_view>

namespace retailpulse::simulate {

enum class Action : std::uint8_t {
  kView,
  kSearch,
  kClick,
  kCartAdd,
  kCartRemove,
  kCheckout,
  kPurchase,
  kWishlist
};
inline constexpr std::array<std::string_view, 8> kActionNames{
    "view", "search", "click", "cart_add", "cart_remove", "checkout", "purchase", "wishlist"};

inline constexpr std::array<std::string_view, 5> kCurrencies{"USD", "EUR", "GBP", "JPY", "KWD"};
inline constexpr std::array<int, 5> kCurrencyDigits{2, 2, 2, 0, 3};

inline constexpr std::size_t kLinesMax = 14;
inline constexpr std::uint8_t kNoCategory = 0xff;

struct FactLine {
  std::uint32_t product = 0;                // index into the catalogue
  std::uint8_t own_category = kNoCategory;  // absent: the listing decides
  std::int64_t amount_micros = 0;           // of the line, never negative
  std::int64_t quantity_milli = kMilliPerPiece;
};

struct Fact {
  EventTime time{};
  std::uint64_t id = 0;
  std::uint64_t user = 0;         // 0: nobody known
  std::uint64_t session = 0;      // 0: none
  std::uint64_t order = 0;        // 0: no order id; a sale is then an order of its own
  std::int64_t price_micros = 0;  // listing
  std::uint32_t product = 0;      // listing, feedback, interaction with has_product
  std::int32_t rating_milli = 0;  // feedback
  std::uint32_t text = 0;         // comment or search phrase
  EventKind kind = EventKind::kInteraction;
  Action action = Action::kView;  // interaction
  std::uint8_t currency = 0;      // index into kCurrencies
  std::uint8_t category = 0;      // listing
  bool has_product = false;
  bool as_items = false;        // sale: all lines in one record's items[]
  std::uint8_t line_count = 0;  // sale, refund, cancel
  std::array<FactLine, kLinesMax> lines{};
};

[[nodiscard]] constexpr Role role_of(EventKind kind) {
  switch (kind) {
    case EventKind::kListing:
      return Role::kListings;
    case EventKind::kFeedback:
      return Role::kFeedback;
    case EventKind::kInteraction:
      return Role::kInteractions;
    default:
      return Role::kTransactions;
  }
}

}  // namespace retailpulse::simulate
