"""The topic is not the one that was read: deleted records, a topic created anew, another cluster.

What was counted stays, nothing of another log is counted unasked, and the person is told which
partition and which offsets.
"""

import hashlib
import json
import pathlib
import sqlite3
import time
import urllib.error
import urllib.request

import oracle
import stage

DECISION = 78  # exit code: a person must decide
ROLE = "=transactions"


def sales(count, first=0):
    return [{"transaction_id": f"t{i}", "product_id": "p", "amount": "1.00",
             "timestamp": "2024-11-25T08:00:00Z"} for i in range(first, first + count)]


class LogTest(stage.KafkaStage):
    def count_all(self, topic, data, *more, code=0):
        arguments = self.run_arguments([topic + ROLE], data, "--from", "earliest", *more, "-e")
        return self.finish(*arguments, seconds=60, code=code)

    def recreate(self, topic, records):
        self.broker.tool(topic, "--delete-topic")
        stage.wait_until(lambda: self.created(topic), 20, "the topic can be created anew", 0.2)
        if records:
            self.broker.produce(topic, records)

    def created(self, topic):
        try:
            self.broker.create(topic)
            return True
        except AssertionError:  # the old one is still being deleted
            return False

    def partition(self, data):
        with stage.open_store(data) as db:
            db.row_factory = sqlite3.Row
            return dict(db.execute("SELECT * FROM partitions").fetchone())

    def lines(self, data):
        with stage.open_store(data) as db:
            # A halted partition does not reach the end of the log that is there now.
            self.agree([f for f in oracle.unsound(db) if "next offset" not in f])
            return db.execute("SELECT sum(lines) FROM totals_by_day").fetchone()[0]

    def test_a_topic_created_anew_while_we_were_away(self):
        for length in (50, 100, 250):  # shorter, equal, longer than what was read
            with self.subTest(length=length):
                topic, data = f"anew-{length}", self.new_data()
                self.broker.create(topic)
                self.broker.produce(topic, sales(100))
                self.count_all(topic, data)
                self.recreate(topic, sales(length, first=1000))

                told = self.count_all(topic, data, code=DECISION).err
                self.assertIn(f"topic '{topic}', partition 0", told)
                self.assertIn("before 100" if length < 100 else "offset 99", told)
                self.assertIn(f"--new-log {topic}", told)
                self.assertEqual(self.lines(data), 100, "nothing of the new log is counted")
                kept = self.partition(data)
                self.assertEqual((kept["next_offset"], kept["incarnation"]), (100, 1))
                self.assertIn("created anew", kept["halted"])

                self.count_all(topic, data, "--new-log", topic)
                self.assertEqual(self.lines(data), 100 + length)
                now = self.partition(data)
                self.assertEqual((now["next_offset"], now["incarnation"], now["halted"]),
                                 (length, 2, None))
                again = self.count_all(topic, data, "--new-log", topic, code=DECISION)
                self.assertIn("no partition of this topic waits", again.err)
                self.assertEqual(self.count_all(topic, data).summary()["consumed"], 0)

    def test_a_topic_created_anew_while_it_is_read(self):
        self.broker.create("live")
        self.broker.produce("live", sales(100))
        data = self.new_data()
        run = self.start_run(["live" + ROLE], data, "--from", "earliest")
        run.wait_for_consumed(100, 20)
        self.recreate("live", sales(250, first=1000))
        stage.wait_until(lambda: run.status()["state"]["name"] == "degraded", 40,
                         lambda: f"{run.status()['state']}; {run.told()}", 0.2)
        state = run.status()["state"]
        self.assertIn("topic 'live', partition 0", state["reason"])
        self.assertEqual(run.status()["ledger"]["consumed"], 100)
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(run.page + "readyz", timeout=10)
        self.assertEqual(refused.exception.code, 503)
        self.assertIn("partition 0", json.load(refused.exception)["reason"])
        with urllib.request.urlopen(run.page + "metrics", timeout=10) as answer:
            self.assertIn(b"\nretailpulse_partitions_halted 1\n", answer.read())
        row = run.get("api/v1/partitions")["rows"][0]
        self.assertIn("partition 0", row["halted"])
        self.assertEqual((row["idle"], row["at_end"]), (False, False))
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.count_all("live", data, "--new-log", "live=latest")
        self.broker.produce("live", sales(5, first=5000))
        self.assertEqual(self.count_all("live", data).summary()["consumed"], 5)

    def test_records_deleted_before_they_were_read(self):
        self.broker.create("kept-short")
        self.broker.produce("kept-short", sales(100))
        data = self.new_data()
        self.count_all("kept-short", data)
        self.broker.produce("kept-short", sales(100, first=100))
        self.broker.tool("kept-short", "--delete-records", "kept-short:0:130")
        run = self.start_run(["kept-short" + ROLE], data)
        run.wait_for_consumed(170, 20)
        lost = run.status()["lost"]
        self.assertEqual((lost["ranges"], lost["offsets"]), (1, 30))
        self.assertIn("offsets 100 to 129 of topic 'kept-short', partition 0", lost["lately"])
        with urllib.request.urlopen(run.page + "metrics", timeout=10) as answer:
            self.assertIn(b"\nretailpulse_lost_offsets_total 30\n", answer.read())
        self.assertEqual(run.get("api/v1/partitions")["rows"][0]["lost"], 30)
        self.assertEqual(run.get("api/v1/frame")["lost"]["lately"], lost["lately"])
        self.assertEqual(run.terminate()[0], 0, run.told())
        with stage.open_store(data) as db:
            self.assertEqual(db.execute("SELECT from_offset,to_offset FROM gaps").fetchall(),
                             [(100, 130)])

    def test_another_cluster(self):
        self.broker.create("here")
        self.broker.produce("here", sales(10))
        data = self.new_data()
        self.count_all("here", data)
        with stage.open_store(data) as db:
            here = db.execute("SELECT value FROM meta WHERE key='cluster_id'").fetchone()[0]
        path = pathlib.Path(data, "retailpulse.db")
        with sqlite3.connect(path) as db:  # as if it had been counted elsewhere
            db.execute("UPDATE meta SET value='elsewhere' WHERE key='cluster_id'")
        with sqlite3.connect(path) as db:
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        for flags in ((), ("--new-cluster", "nowhere")):
            refused = self.count_all("here", data, *flags, code=DECISION)
            self.assertIn(f"is cluster {here}", refused.err)
            self.assertIn("are of cluster elsewhere", refused.err)
            self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), before)
        begun = time.monotonic()
        watched = self.start(*self.run_arguments(["here" + ROLE], data))
        self.assertEqual(watched.wait(20), DECISION, watched.told())
        self.assertLess(time.monotonic() - begun, 10)
        self.broker.produce("here", sales(5, first=10))
        moved = self.count_all("here", data, "--new-cluster", here)
        self.assertEqual(moved.summary()["consumed"], 5)
        self.assertEqual(self.lines(data), 15)


if __name__ == "__main__":
    stage.main()
