"""A backlog whose partitions advance out of step: nothing is lost, refused or called late."""

import datetime

import oracle
import stage

NOW = datetime.datetime(2024, 11, 25, 18, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
TOPIC = "sales=transactions"
# Small queues: the consumer cannot even the partitions out by reading far ahead.
SMALL_QUEUES = ["-X", "queued.max.messages.kbytes=64", "-X", "queued.min.messages=100", "-X",
                "fetch.message.max.bytes=8192"]


class SkewTest(stage.KafkaStage):
    def setUp(self):
        self.random = stage.seeded()
        self.till = oracle.Till()
        self.count = 0

    def in_order(self, begin, end, count):
        """Sales whose times never go back."""
        records = []
        for i in range(count):
            self.count += 1
            at = begin + (end - begin) * i / count
            product, amount = f"p{self.random.randrange(200)}", f"{self.random.randrange(1, 99999)}"
            self.till.sale(at, product, amount)
            records.append({"transaction_id": f"t{self.count}", "product_id": product,
                            "amount": int(amount), "timestamp": at.isoformat()})
        return records

    def judge(self, data, *left_out):
        with stage.open_store(data) as db:
            self.agree(oracle.differences(self.till.expectation(*left_out), db))
            self.agree(oracle.unsound(db))
            [[late, refused, consumed]] = db.execute(
                "SELECT sum(late),(SELECT ifnull(sum(records),0) FROM ledger"
                " WHERE bucket<>'counted'),sum(consumed) FROM partitions")
        self.assertEqual(late, 0, "each partition is in order, so nothing is late")
        self.assertEqual(refused, 0)
        self.assertEqual(consumed, self.count)

    def test_one_partition_holds_hours_the_others_minutes(self):
        self.broker.create("sales", 4)
        self.broker.produce("sales", self.in_order(NOW - 20 * HOUR, NOW, 60_000), partition=0)
        self.broker.produce("sales", self.in_order(NOW - HOUR / 60, NOW, 300), partition=1)
        self.broker.produce("sales", self.in_order(NOW - 20 * HOUR, NOW - 10 * HOUR, 20_000),
                            partition=2)  # partition 3 is empty
        data = self.new_data()
        self.run_to_end([TOPIC], data, *SMALL_QUEUES)
        self.judge(data)

        # The shop's clock stands at NOW. Partition 3 begins ten days back, older than minutes are
        # kept, while partition 1 goes on.
        old = NOW - 240 * HOUR
        self.broker.produce("sales", self.in_order(old, old + 6 * HOUR, 15_000), partition=3)
        self.broker.produce("sales", self.in_order(NOW, NOW + HOUR, 3_000), partition=1)
        self.run_to_end([TOPIC], data, *SMALL_QUEUES)
        self.judge(data, "minutes")

    def test_the_new_partition_is_read_long_before_the_old_one(self):
        """While it is live and idle: the young partition is at its end and silent for a while."""
        self.broker.create("live", 2)
        topics = ["live=transactions"]
        data = self.new_data()
        self.broker.produce("live", self.in_order(NOW - HOUR / 60, NOW, 500), partition=0)
        settings = data / "settings.json"
        settings.write_text('{"time": {"idle_after": "1s"}}')
        run = self.start_run(topics, data, "--from", "earliest", "-c", settings, *SMALL_QUEUES)
        run.wait_for_consumed(500, 20)
        stage.wait_until(lambda: run.status()["watermark_us"], 20, "both partitions are idle")
        self.broker.produce("live", self.in_order(NOW - 48 * HOUR, NOW - 2 * HOUR, 20_000),
                            partition=1)
        run.wait_for_consumed(self.count, 60)
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.run_to_end(topics, data, seconds=30)
        self.judge(data, "minutes")


if __name__ == "__main__":
    stage.main()
