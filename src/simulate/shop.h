// Shop: visitors who look, search, fill carts, buy, complain and send things back, as facts.
//
// A discrete event simulation: a heap of what is due next, in shop time. It knows nothing of
// Kafka, JSON, disorder or dirt (simulator.h adds those), so what it says is what happened.
//
// Thread:     one; owned by the Simulator.
// Invariants: now() never goes backwards; a fact's time is now(), cut to a millisecond mostly.
// Limits:     about kSessionsWanted sessions at a time (at high rates visitors click faster
//             instead), kAfterSalesMax refunds and ratings waiting.
// Test:       tests/simulate/simulator_test.cpp
#pragma once

#include <cstdint>
#include <vector>

#include "simulate/catalogue.h"
#include "simulate/fact.h"
#include "simulate/popularity.h"
#include "simulate/random.h"
#include "simulate/simulator_config.h"

namespace retailpulse::simulate {

inline constexpr std::uint32_t kNoProduct = 0xffffffffU;

class Shop {
 public:
  explicit Shop(const SimulatorConfig& config);
  // Goes to the next happening and appends what it makes known; often one fact, sometimes none.
  void step(std::vector<Fact>& out);
  [[nodiscard]] std::int64_t now_us() const { return now_us_; }
  [[nodiscard]] const Catalogue& catalogue() const { return catalogue_; }

 private:
  enum class Kind : std::uint8_t {
    kArrival,
    kSession,
    kAfterSale,
    kFirstListing,
    kPriceChange,
    kCategoryChange,
    kFlashBegin,
    kFlashEnd,
    kLaunchListing,
    kDrift
  };
  struct Due {
    std::int64_t at_us;
    std::uint64_t sequence;  // equal moments: first come, first served
    Kind kind;
    std::uint32_t index;
  };
  struct Later {
    bool operator()(const Due& a, const Due& b) const {
      return a.at_us != b.at_us ? a.at_us > b.at_us : a.sequence > b.sequence;
    }
  };
  struct Session {
    std::uint64_t id = 0;
    std::uint64_t user = 0;
    std::uint32_t browse_left = 0;
    std::uint8_t cart_left = 0;   // cart_add events still to come
    std::uint8_t line_count = 0;  // what is bought in the end
    std::uint8_t currency = 0;
    bool checks_out = false;
    bool buys = false;
    bool hurried = false;  // came for a flash sale
    bool sheds = false;    // takes something out of the cart again
    std::uint32_t last_product = kNoProduct;
    std::array<std::uint32_t, kLinesMax> products{};  // kNoProduct: chosen at the till
  };

  void schedule(std::int64_t at_us, Kind kind, std::uint32_t index = 0);
  void schedule_in(double seconds, Kind kind, std::uint32_t index = 0);
  void handle(const Due& due, std::vector<Fact>& out);

  // Visitors.
  void arrive(std::vector<Fact>& out);
  void plan(Session& session);
  std::uint32_t planned_records(const Session& session) const;
  void visit(std::uint32_t index, std::vector<Fact>& out);
  bool act(Session& session, std::vector<Fact>& out);  // false: the session is over
  void browse(Session& session, std::vector<Fact>& out);
  Fact& interaction(const Session& session, Action action, std::vector<Fact>& out);
  std::uint32_t wanted_product();

  // Sales (shop_sales.cpp).
  void buy(const Session& session, std::vector<Fact>& out);
  FactLine sell(std::uint32_t product, std::uint8_t currency);
  std::uint32_t launch(std::uint32_t product);
  void plan_after_sale(const Fact& sale, std::uint64_t session);
  void plan_refund(const Fact& sale);
  void after_sale(std::uint32_t index, std::vector<Fact>& out);
  void stray_refund(std::vector<Fact>& out);
  void add_after_sale(double median_s, const Fact& fact);

  // The catalogue and what moves it (shop_events.cpp).
  void list(std::uint32_t product, std::vector<Fact>& out);
  void first_listing(std::uint32_t index, std::vector<Fact>& out);
  void change_category(std::vector<Fact>& out);
  void begin_flash(std::vector<Fact>& out);
  void end_flash(std::vector<Fact>& out);
  void drift();
  double flash_level() const;  // 0..1, with ramps
  double traffic() const;      // times the average

  Fact& add_fact(EventKind kind, std::vector<Fact>& out);
  std::int64_t stamp();

  SimulatorConfig config_;
  Random random_;
  Catalogue catalogue_;
  Popularity popularity_;
  std::vector<std::uint32_t> by_rank_;  // rank -> product
  std::vector<Due> due_;                // heap, earliest first
  std::vector<Session> sessions_;
  std::vector<std::uint32_t> free_sessions_;
  std::vector<Fact> after_sales_;
  std::vector<std::uint32_t> free_after_sales_;
  std::vector<std::uint32_t> browse_lengths_;  // quantile table
  std::vector<std::uint32_t> flash_products_;
  std::int64_t flash_begin_us_ = 0;
  std::int64_t flash_end_us_ = 0;  // no flash sale: equal to its beginning
  std::int64_t now_us_ = 0;
  std::uint64_t sequence_ = 0;
  std::uint64_t next_id_ = 0;
  std::uint64_t next_session_ = 0;
  std::uint64_t next_order_ = 0;
  std::uint32_t launched_ = 0;
  double planned_records_ = 0;  // of all sessions so far: how many a session gives
  double planned_sessions_ = 0;
  double pace_ = 1;  // gaps between clicks are multiplied by it
};

}  // namespace retailpulse::simulate
