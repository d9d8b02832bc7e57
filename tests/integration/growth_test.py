"""A topic grows from 1 to 4 partitions while it is read: what was written unnoticed counts."""

import datetime
import time

import oracle
import stage

BEGIN = datetime.datetime(2024, 11, 25, 8, tzinfo=datetime.timezone.utc)
SEEN_WITHIN = 30  # seconds, as promised


class GrowthTest(stage.KafkaStage):
    def setUp(self):
        self.random = stage.seeded()
        self.till = oracle.Till()
        self.count = 0

    def sales(self, count, kept=True):
        records = []
        for _ in range(count):
            self.count += 1
            at = BEGIN + datetime.timedelta(milliseconds=10 * self.count)
            product = f"p{self.random.randrange(50)}"
            amount = f"{self.random.randrange(1, 99999) / 100:.2f}"
            if kept:
                self.till.sale(at, product, amount)
            records.append({"transaction_id": f"t{self.count}", "product_id": product,
                            "amount": amount, "timestamp": oracle.utc(at)})
        return records

    def known_partitions(self, run):
        return len(run.get("api/v1/partitions")["rows"])

    def test_one_to_four_partitions(self):
        self.broker.create("sales")
        # Read from the latest offset on: what was there is not wanted. A new partition of a known
        # topic begins at its beginning all the same.
        self.broker.produce("sales", self.sales(1000, kept=False))
        data = self.new_data()
        run = self.start_run(["sales=transactions"], data, "--from", "latest")
        stage.wait_until(lambda: self.known_partitions(run) == 1, 10, "the first partition is read")
        self.broker.produce("sales", self.sales(500))
        run.wait_for_consumed(500, 20)

        self.broker.add_partitions("sales", 4)
        grown = time.monotonic()
        for partition in (1, 2, 3):
            self.broker.produce("sales", self.sales(2000), partition=partition)
        self.assertEqual(self.known_partitions(run), 1,
                         "written before discovery, which is what this test is about")
        self.broker.produce("sales", self.sales(500))
        left = SEEN_WITHIN - (time.monotonic() - grown)
        stage.wait_until(lambda: self.known_partitions(run) == 4, left,
                         lambda: f"the new partitions are seen; {run.told()}", 0.2)
        for partition in (3, 2, 1, 0):
            self.broker.produce("sales", self.sales(300), partition=partition)
        run.wait_for_consumed(self.count - 1000, 20)
        self.assertEqual(run.terminate()[0], 0, run.told())

        summary = self.run_to_end(["sales=transactions"], data, seconds=30)
        self.assertEqual(summary["consumed"], 0, "everything was committed")
        with stage.open_store(data) as db:
            self.agree(oracle.differences(self.till.expectation(), db))
            self.agree(oracle.unsound(db))
            rows = db.execute("SELECT partition,consumed FROM partitions ORDER BY partition")
            self.assertEqual(rows.fetchall(), [(0, 1300), (1, 2300), (2, 2300), (3, 2300)])


if __name__ == "__main__":
    stage.main()
