"""simulate --truth, then run -e: every number of the truth file, to the last digit.

The simulated shop is late, out of order, doubled, dirty and now and then in the future; the truth
is counted from what happened, not from the bytes.
"""

import shutil
import sqlite3

import oracle
import stage

# What a lost, doubled or misplaced record would leave behind. The judge must see each of them.
DAMAGE = {
    "days": "UPDATE totals SET orders=orders+1 WHERE tier=3 AND lines>0",
    "minutes": "UPDATE totals SET gross_micros=gross_micros-1 WHERE tier=1 AND pane_us="
               "(SELECT max(pane_us) FROM totals WHERE tier=1)",
    "categories_by_day": "UPDATE categories SET units_milli=units_milli+1 WHERE tier=3",
    "categories_by_minute": "DELETE FROM categories WHERE tier=1 AND pane_us="
                            "(SELECT min(pane_us) FROM categories WHERE tier=1 AND lines>0)",
    "products_by_day": "UPDATE products SET refunds_micros=refunds_micros+1 WHERE tier=3 AND"
                       " product=(SELECT max(product) FROM products)",
    "ratings": "UPDATE ratings SET five=five+1,four=four-1 WHERE tier=3 AND four>0",
    "types": "UPDATE types SET events=events+1 WHERE tier=1 AND pane_us="
             "(SELECT max(pane_us) FROM types WHERE tier=1)",
    "ledger": "UPDATE ledger_counts SET records=records+1 WHERE reason='bad_json'",
}


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
            self.agree(oracle.differences(expected, db))
            self.agree(oracle.unsound(db))
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
        self.judge_the_judge(oracle.from_truth(truth), data)

    def judge_the_judge(self, expected, data):
        for section, sql in DAMAGE.items():
            damaged = self.new_data() / "retailpulse.db"
            shutil.copy(data / "retailpulse.db", damaged)
            with sqlite3.connect(damaged) as db:
                self.assertGreater(db.execute(sql).rowcount, 0, sql)
                db.commit()
                self.assertTrue(oracle.differences({section: expected[section]}, db), sql)


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
