"""kill -9 at random moments under load, twenty times: the final store equals the truth."""

import time

import oracle
import stage

ROUNDS = 20
LONGEST = 1.5          # seconds from start to kill
RECORDS = 400_000
RATE_MAX = 16_000      # records per second: there is load in every round


class KillTest(stage.KafkaStage):
    def consumed(self, data):
        """As the store says after a kill, read as any tool would."""
        try:
            with stage.open_store(data) as db:
                [[integrity]] = db.execute("PRAGMA quick_check")
                self.assertEqual(integrity, "ok")
                rows = db.execute(
                    "SELECT consumed,(SELECT ifnull(sum(records),0) FROM ledger l WHERE"
                    " l.topic=p.topic AND l.partition=p.partition) FROM partitions p").fetchall()
        except stage.sqlite3.OperationalError:
            return 0  # killed before there was a store
        for consumed, filed in rows:
            self.assertEqual(consumed, filed, "the ledger balances after every kill")
        return sum(row[0] for row in rows)

    def test_twenty_kills(self):
        random = stage.seeded()
        self.broker.create_native()
        truth, data = self.folder / "truth.json", self.new_data()
        shop = self.simulate(truth, "--seed", random.randrange(1 << 31), "--start",
                             "2024-11-25T10:00:00Z", "--rate", 300, "--count", RECORDS,
                             "--rate-max", RATE_MAX)
        killed_at_work = 0
        before = 0
        for number in range(ROUNDS):
            # A third within the first moments: while the store is opened or mended.
            moment = random.uniform(0, LONGEST if number % 3 else 0.15)
            durability = random.choice(["normal", "full"])
            run = self.start(*self.run_arguments(stage.NATIVE_TOPICS, data, "--from", "earliest",
                                                 "--durability", durability))
            time.sleep(moment)
            self.assertIsNone(run.popen.poll(), f"round {number}: {run.told()}")
            run.kill()
            consumed = self.consumed(data)
            self.assertGreaterEqual(consumed, before, f"round {number} forgot what was committed")
            killed_at_work += consumed > before
            before = consumed
        self.assertGreater(killed_at_work, ROUNDS // 4, "most kills hit a process that had begun")
        self.assertEqual(shop.wait(120), 0, shop.told())
        records = oracle.truth_records(truth)

        summary = self.run_to_end(stage.NATIVE_TOPICS, data)
        self.assertEqual(before + summary["consumed"], records)
        ends = sum(sum(self.broker.ends(topic).values()) for topic in stage.NATIVE_TOPICS)
        with stage.open_store(data) as db:
            self.agree(oracle.differences(oracle.from_truth(truth), db))
            self.agree(oracle.unsound(db))
            [[next_offsets]] = db.execute("SELECT sum(next_offset) FROM partitions")
        self.assertEqual((next_offsets, ends), (records, records))


if __name__ == "__main__":
    stage.main()
