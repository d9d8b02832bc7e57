#include "serve/frame_maker.h"

#include <thread>

#include <nlohmann/json.hpp>

#include "support/catch.h"
#include "support/manual_clock.h"
#include "support/shop_file.h"

#include "fixed_pipeline.h"

namespace retailpulse::testing {
namespace {

using Json = nlohmann::json;
constexpr Duration kShort = std::chrono::milliseconds{20};

struct Setup {
  Setup() {
    shop.book({.us = kTenOClock - 1, .gross_micros = 1'000'000});
    commit(5);
    auto opened = open_history(shop.path(), clock);
    REQUIRE(opened.ok());
    history = std::move(opened).value();
    maker = std::make_unique<FrameMaker>(*history, pipeline, shop.zone(), clock);
  }
  void commit(std::int64_t frame) {
    shop.watermark(kTenOClock + frame, frame);
    pipeline.commit(static_cast<std::uint64_t>(frame));
  }
  ShopFile shop;
  ManualClock clock{from_us(kTenOClock)};
  FixedPipeline pipeline;
  std::unique_ptr<HistoryReader> history;
  std::unique_ptr<FrameMaker> maker;
};

TEST_CASE("frame maker: the first frame is a snapshot, the next one has a delta against it") {
  Setup s;
  const Frame first = s.maker->next({}, 0, kShort);
  REQUIRE(first.snapshot);
  CHECK_FALSE(first.delta);
  CHECK(first.number == 5);
  s.clock.step(std::chrono::seconds{1});
  s.commit(9);
  const Frame second = s.maker->next({}, first.number, kShort);
  REQUIRE(second.delta);
  CHECK(second.number == 9);
  CHECK(second.base == first.number);
  CHECK(Json::parse(*second.delta)["frame"] == 9);
  CHECK(second.delta->size() < second.snapshot->size() / 2);
}

TEST_CASE("frame maker: nothing new gives nothing") {
  Setup s;
  const Frame first = s.maker->next({}, 0, kShort);
  CHECK_FALSE(s.maker->next({}, first.number, kShort).snapshot);
}

TEST_CASE("frame maker: without commits a page still learns that the brokers are gone") {
  Setup s;
  const Frame first = s.maker->next({}, 0, kShort);
  s.clock.step(std::chrono::seconds{2});
  CHECK_FALSE(s.maker->next({}, first.number, kShort).snapshot);  // the same state is no news
  PipelineStatus status;
  status.state = PipelineState::kReconnecting;
  s.pipeline.set(status);
  const Frame second = s.maker->next({}, first.number, kShort);
  REQUIRE(second.delta);
  CHECK(second.number > first.number);
  const Json delta = Json::parse(*second.delta);
  CHECK(delta["state"]["name"] == "reconnecting");
  CHECK(delta["frame"] == 5);  // the numbers are those of the same commit
  CHECK_FALSE(delta.contains("kpis"));
  s.clock.step(std::chrono::seconds{2});
  s.commit(6);  // numbers go on rising
  CHECK(s.maker->next({}, second.number, kShort).number > second.number);
}

TEST_CASE("frame maker: at most four frames a second for a scope") {
  Setup s;
  const Frame first = s.maker->next({}, 0, kShort);
  s.clock.step(std::chrono::milliseconds{100});
  s.commit(6);
  CHECK_FALSE(s.maker->next({}, first.number, kShort).snapshot);
  s.clock.step(std::chrono::milliseconds{150});
  CHECK(s.maker->next({}, first.number, kShort).number == 6);
}

TEST_CASE("frame maker: another default currency is a snapshot, not a delta") {
  Setup s;
  const Frame first = s.maker->next({}, 0, kShort);
  for (int i = 0; i < 2; ++i) s.shop.book({.us = kTenOClock - 1, .currency = "USD"});
  s.clock.step(std::chrono::seconds{1});
  s.commit(6);
  const Frame second = s.maker->next({}, first.number, kShort);
  REQUIRE(second.snapshot);
  CHECK_FALSE(second.delta);
}

TEST_CASE("frame maker: who polls shares a frame for a quarter of a second") {
  Setup s;
  const auto one = s.maker->present({});
  const auto two = s.maker->present({});
  REQUIRE(one.ok());
  CHECK(one.value() == two.value());
  s.clock.step(FrameMaker::kFrameGap);
  CHECK(s.maker->present({}).value() != one.value());
}

TEST_CASE("frame maker: a stop ends the wait; many scopes are forgotten, not kept for ever") {
  Setup s;
  for (std::size_t i = 0; i < 3 * FrameMaker::kScopesMax; ++i) {
    REQUIRE(s.maker->present({"C" + std::to_string(i), ""}).ok());
  }
  const Frame first = s.maker->next({}, 0, kShort);
  std::thread stopper([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds{50});
    s.pipeline.stop();
  });
  CHECK_FALSE(s.maker->next({}, first.number, std::chrono::seconds{30}).snapshot);
  stopper.join();
}

TEST_CASE("frame maker: two makers have different boots") {
  Setup a;
  const FrameMaker other(*a.history, a.pipeline, a.shop.zone(), system_clock());
  CHECK(a.maker->boot() != other.boot());
  CHECK(a.maker->boot().size() == 12);
}

}  // namespace
}  // namespace retailpulse::testing
