"""Transactional producers: what was aborted or is open is not counted, and not waited for."""

import datetime
import subprocess

import oracle
import stage

BEGIN = datetime.datetime(2024, 11, 25, 8, tzinfo=datetime.timezone.utc)
TOPIC = "sales=transactions"


class OpenTransaction:
    """A producer whose transaction stays open until commit() or abort()."""

    def __init__(self, broker, topic, name, fate):
        flags = ["-p", 0, "--transaction", name, *(["--abort"] if fate == "abort" else [])]
        self.process = subprocess.Popen(
            broker.produce_command(topic, *flags), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            preexec_fn=stage.die_with_parent)

    def write(self, records):
        self.process.stdin.write(stage.lines_of(records))
        self.process.stdin.flush()

    def end(self):
        self.process.communicate(timeout=60)
        if self.process.returncode != 0:
            raise AssertionError(f"produce ended with {self.process.returncode}")


class TransactionsTest(stage.KafkaStage):
    def setUp(self):
        self.random = stage.seeded()
        self.till = oracle.Till()
        self.count = 0
        self.counted = 0

    def sales(self, count, kept):
        """Records; those of a transaction that will be committed go into the till."""
        records = []
        for _ in range(count):
            self.count += 1
            at = BEGIN + datetime.timedelta(milliseconds=self.count)
            product = f"{'kept' if kept else 'aborted'}-{self.count % 17}"
            amount = f"{self.random.randrange(1, 10**5) / 100:.2f}"
            if kept:
                self.till.sale(at, product, amount)
                self.counted += 1
            records.append({"transaction_id": f"t{self.count}", "product_id": product,
                            "amount": amount, "timestamp": oracle.utc(at)})
        return records

    def judge(self, data):
        with stage.open_store(data) as db:
            self.agree(oracle.differences(self.till.expectation(), db))
            self.agree(oracle.unsound(db))

    def written_by(self, topic, name, fate, count, codec):
        flags = ["--transaction", name, "-z", codec, *(["--abort"] if fate == "abort" else [])]
        self.broker.produce(topic, self.sales(count, fate == "commit"), *flags)

    def test_committed_and_aborted_in_turns_and_an_aborted_tail(self):
        self.broker.create("sales")
        for i in range(8):
            fate = "abort" if i % 2 else "commit"
            count = self.random.randrange(1, 400)
            codec = self.random.choice(["none", "lz4", "zstd"])
            self.written_by("sales", f"turn-{i % 3}", fate, count, codec)
        self.broker.produce("sales", self.sales(50, True))  # not transactional, in between
        self.written_by("sales", "tail", "abort", 20_000, "lz4")
        self.written_by("sales", "tail", "abort", 1, "none")
        [end] = self.broker.ends("sales").values()
        self.assertGreater(end, self.count, "there are no control records in the log")

        data = self.new_data()
        summary = self.run_to_end([TOPIC], data)
        self.assertEqual((summary["consumed"], summary["counted"]), (self.counted, self.counted))
        self.judge(data)
        with stage.open_store(data) as db:
            [[next_offset]] = db.execute("SELECT next_offset FROM partitions").fetchall()
        self.assertEqual(next_offset, end, "the position stands behind the aborted tail")
        # Nothing new: ends at once, counts nothing again.
        again = self.run_to_end([TOPIC], data, seconds=30)
        self.assertEqual(again["consumed"], 0)
        self.judge(data)

    def test_a_log_with_nothing_but_aborted_records(self):
        self.broker.create("void")
        self.written_by("void", "void", "abort", 500, "zstd")
        data = self.new_data()
        summary = self.run_to_end(["void=transactions"], data, seconds=30)
        self.assertEqual(summary["consumed"], 0)
        self.judge(data)

    def test_open_transactions_that_overlap(self):
        self.broker.create("open")
        topics = ["open=transactions"]
        data = self.new_data()
        first, doomed_records, lasting_records = self.sales(100, True), self.sales(300, False), self.sales(200, True)
        self.broker.produce("open", first)
        [before] = self.broker.ends("open").values()
        doomed = OpenTransaction(self.broker, "open", "doomed", "abort")
        lasting = OpenTransaction(self.broker, "open", "lasting", "commit")
        doomed.write(doomed_records)
        lasting.write(lasting_records[:120])
        written = len(stage.lines_of(first + doomed_records + lasting_records[:120]))
        log = self.broker.folder / "data/open-0"
        stage.wait_until(lambda: sum(f.stat().st_size for f in log.glob("*.log")) > written, 20,
                         "the open transactions reach the broker")
        self.written_by("open", "inner", "commit", 150, "lz4")  # ends within the others
        [stable] = self.broker.ends("open").values()
        self.assertEqual(stable, before, "a transaction is open")

        # Everything up to the last stable offset, and no waiting for the rest.
        summary = self.run_to_end(topics, data, seconds=30)
        self.assertEqual(summary["counted"], 100)

        live = self.start_run(topics, data)
        lasting.write(lasting_records[120:])
        doomed.end()
        lasting.end()
        live.wait_for_consumed(self.counted, 30)
        self.assertEqual(live.terminate()[0], 0, live.told())
        summary = self.run_to_end(topics, data, seconds=30)
        self.assertEqual(summary["consumed"], 0, "the run before left nothing")
        self.judge(data)


if __name__ == "__main__":
    stage.main()
