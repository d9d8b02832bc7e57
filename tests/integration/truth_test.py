"""simulate --truth, then run -e: every number of the truth file, to the last digit.

The simulated shop is late, out of order, doubled, dirty and now and then in the future; the truth
is counted from what happened, not from the bytes.
"""

import oracle
import stage


class TruthStage(stage.KafkaStage):
    def shop(self, *options):
        seed = stage.seeded().randrange(1 << 31)
        self.broker.create_native()
        truth = self.folder / "truth.json"
        shop = self.simulate(truth, "--seed", seed, *options)
        self.assertEqual(shop.wait(120), 0, shop.told())
        return truth

    def judge(self, truth, data, summary):
        expected = oracle.from_truth(truth)
        with stage.open_store(data) as db:
            self.assertEqual(oracle.differences(expected, db), [])
            self.assertEqual(oracle.unsound(db), [])
        self.assertEqual(summary["consumed"], oracle.truth_records(truth))
        for bucket in ("counted", "rejected", "duplicate", "too_late"):
            wanted = sum(n for (_, b, _), (n,) in expected["ledger"].items() if b == bucket)
            self.assertEqual(summary[bucket], wanted, bucket)


class BusyQuarterOfAnHour(TruthStage):
    """Minute by minute, with one lane and with three: lanes change nothing."""

    def test_every_number_with_any_number_of_lanes(self):
        truth = self.shop("--start", "2024-11-25T10:00:00Z", "--rate", 300, "--count", 250_000,
                          "--truth-minutes", "--zone", "UTC")
        for lanes in (1, 3):
            with self.subTest(lanes=lanes):
                data = self.new_data()
                summary = self.run_to_end(stage.NATIVE_TOPICS, data, "--lanes", lanes)
                self.judge(truth, data, summary)


class FiveDaysInNewYork(TruthStage):
    """Days of a zone, one of them of 25 hours, and minutes older than minutes are kept."""

    def test_every_number(self):
        zone = ("--zone", "America/New_York")
        truth = self.shop("--start", "2024-11-01T20:00:00Z", "--rate", 0.5, "--duration", "108h",
                          "--products", 800, *zone)
        data = self.new_data()
        summary = self.run_to_end(stage.NATIVE_TOPICS, data, *zone)
        self.judge(truth, data, summary)
        self.assertIn(("2024-11-03", "USD"), oracle.from_truth(truth)["days"])


del TruthStage  # only what is below it has tests

if __name__ == "__main__":
    stage.main()
