#!/usr/bin/env python3
"""Row P4 of the fault list: the writer is held up for long while a backlog of a real broker is waiting.

    tests/long/full_ring.py [SECONDS] [RECORDS]        default: 600 3000000

Memory must stand still once every place is taken, the rings must have been full, and in the end
the store must be the truth of the simulated shop."""

import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import blocked_writer  # noqa: E402
import oracle          # noqa: E402
import stage           # noqa: E402

SECONDS = int(sys.argv[1]) if len(sys.argv) > 1 else 600
RECORDS = int(sys.argv[2]) if len(sys.argv) > 2 else 3_000_000


class FullRing(stage.KafkaStage):
    def test_nothing_is_lost_and_memory_stands_still(self):
        seed = stage.seeded().randrange(1 << 31)
        self.broker.create_native()
        truth = self.folder / "truth.json"
        shop = self.simulate(truth, "--seed", seed, "--start", "2024-11-25T10:00:00Z", "--rate",
                             300, "--count", RECORDS, "--zone", "UTC")
        self.assertEqual(shop.wait(600), 0, shop.told())
        data = self.new_data()
        run = self.start_run(stage.NATIVE_TOPICS, data, "--from", "earliest")
        told = blocked_writer.hold(self, run, data, SECONDS)
        print(f"seed {seed}: {told}", flush=True)
        self.assertGreater(told["ring_full"], 0, "the ring was full")
        run.wait_for_consumed(RECORDS, 600)
        self.assertEqual(run.terminate(10)[0], 0, run.told())
        with stage.open_store(data) as db:
            self.agree(oracle.differences(oracle.from_truth(truth), db))
            self.agree(oracle.unsound(db))


if __name__ == "__main__":
    del sys.argv[1:]
    stage.main()
