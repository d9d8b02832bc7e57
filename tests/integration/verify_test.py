"""verify: agrees with a store that is right, and names each kind of damage."""

import shutil
import sqlite3
import subprocess

import stage

DAMAGE = {
    "totals 1d": "UPDATE totals SET gross_micros=gross_micros+1 WHERE tier=3",
    "totals 1m": "UPDATE totals SET orders=orders-1 WHERE tier=1 AND pane_us="
                 "(SELECT max(pane_us) FROM totals WHERE tier=1)",
    "categories 1m": "DELETE FROM categories WHERE tier=1 AND pane_us="
                     "(SELECT min(pane_us) FROM categories WHERE tier=1 AND lines>0)",
    "products 1d": "UPDATE products SET units_milli=units_milli+1 WHERE tier=3 AND product="
                   "(SELECT max(product) FROM products)",
    "types 1m": "UPDATE types SET events=events+1 WHERE tier=1 AND pane_us="
                "(SELECT max(pane_us) FROM types WHERE tier=1)",
    "ratings 1d": "UPDATE ratings SET five=five+1,four=four-1 WHERE tier=3 AND four>0",
    "ledger of": "UPDATE ledger_counts SET records=records+1 WHERE bucket='duplicate'",
}


class Verify(stage.KafkaStage):
    def verify(self, data, *options, topics=stage.NATIVE_TOPICS):
        topics = [word for topic in topics for word in ("-t", topic)]
        return subprocess.run(
            [stage.PROGRAM, "verify", "-b", self.broker.address, "--data", data, "--zone", "UTC", *topics, *options],
            capture_output=True, text=True, check=False, timeout=120, env=stage.environment())

    def test_agrees_or_names_the_damage(self):
        seed = stage.seeded().randrange(1 << 31)
        self.broker.create_native()
        shop = self.simulate(self.folder / "truth.json", "--seed", seed, "--start", "2024-11-25T10:00:00Z",
                             "--rate", 100, "--count", 60_000, "--zone", "UTC")
        self.assertEqual(shop.wait(120), 0, shop.told())
        data = self.new_data()
        self.run_to_end(stage.NATIVE_TOPICS, data, "--zone", "UTC")
        told = self.verify(data)
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        self.assertRegex(told.stdout, r"^OK: \d{5,} records of 16 partitions counted again; \d{4,} sums")
        part = self.verify(data, "--from", "2024-11-25T10:03:30Z", "--to", "2024-11-25T10:05:00Z")
        self.assertEqual(part.returncode, 0, part.stdout + part.stderr)
        for place, sql in DAMAGE.items():
            with self.subTest(place):
                damaged = self.new_data()
                shutil.copy(data / "retailpulse.db", damaged / "retailpulse.db")
                with sqlite3.connect(damaged / "retailpulse.db") as db:
                    self.assertGreater(db.execute(sql).rowcount, 0, sql)
                    db.commit()
                told = self.verify(damaged)
                self.assertEqual(told.returncode, 1, told.stdout + told.stderr)
                self.assertIn(f"DIFFERENT: {place}", told.stdout)

    def test_records_that_are_gone_are_not_passed_over(self):
        self.broker.create("gone", 1)
        sale = {"transaction_id": "a", "product_id": "p", "amount": 1, "timestamp": 1732528800000}
        later = {**sale, "transaction_id": "b", "timestamp": 1732701600000}
        self.broker.tool("gone", lines=stage.lines_of([sale, later]))
        data = self.new_data()
        self.run_to_end(["gone=transactions"], data, "--zone", "UTC")
        self.broker.tool("gone", "--delete-records", "gone:0:1")
        told = self.verify(data, topics=["gone=transactions"])
        self.assertEqual(told.returncode, 1, told.stdout + told.stderr)
        self.assertIn("no longer has offsets 0 to 0 of gone/0", told.stderr)
        told = self.verify(data, "--from", "2024-11-27T00:00:00Z", topics=["gone=transactions"])
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        self.assertIn("assumed", told.stdout)


if __name__ == "__main__":
    stage.main()
