#include "app/status_board.h"

#include "support/catch.h"

using namespace retailpulse;

TEST_CASE("status board: while no broker answers, the fullest account of it stays") {
  const Metrics metrics(1);
  StatusBoard board(system_clock(), metrics, false);
  const std::string bare = "no broker answers at k:1.";
  board.set_reachable(false, bare);
  CHECK(board.status().reason == bare);
  board.set_reachable(false, bare + " Connection refused. Is the port right?");
  board.set_reachable(false, bare);  // said again, with less
  CHECK(board.status().reason == bare + " Connection refused. Is the port right?");
  board.set_reachable(false, "the topic is gone");
  CHECK(board.status().reason == "the topic is gone");
  board.set_reachable(true, "");
  board.set_reachable(false, bare);  // a new fault is told anew
  CHECK(board.status().reason == bare);
  CHECK(board.status().state == PipelineState::kReconnecting);
}
