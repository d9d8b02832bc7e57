"""The command line as scripts use it: last lines, exit codes, signals, SQL, what errors say."""

import csv
import io
import json
import shutil
import signal
import socket
import time

import blocked_writer
import oracle
import stage

USAGE, UNAVAILABLE, STORAGE, CONFIG = 64, 69, 74, 78
SUMMARY_KEYS = {"consumed", "counted", "rejected", "duplicate", "too_late", "elapsed_s",
                "events_per_s", "cpu_s", "max_rss_bytes"}


def closed_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class WithoutBroker(stage.Stage):
    def check(self, text, *flags):
        path = self.new_data() / "shop.json"
        path.write_text(text)
        return self.start("config", "check", "-c", path, *flags)

    def test_usage_errors_exit_64_with_a_sentence(self):
        for words in ([], ["fly"], ["run"], ["run", "-b", "localhost:9092"],
                      ["run", "-b", "localhost:9092", "-t", "transactions", "--no-such-flag"],
                      ["sql"], ["simulate"]):
            with self.subTest(words=words):
                process = self.start(*words, name="usage")
                self.assertEqual(process.wait(20), USAGE, process.told())
                self.assertTrue(process.err.strip(), "an error has a sentence")
                self.assertEqual(process.out, "", "stdout is for results")

    def test_help_and_version_exit_0(self):
        for words in (["--help"], ["run", "--help"], ["sql", "--help"], ["simulate", "--help"],
                      ["config", "check", "--help"]):
            with self.subTest(words=words):
                process = self.finish(*words, seconds=20)
                self.assertRegex(process.out, "(?i)example|try: ")
        for words in (["version"], ["--version"]):
            self.assertRegex(self.finish(*words, seconds=20).out, r"(?i)librdkafka.* \d+\.\d+")

    def test_configuration_errors_are_told_all_at_once(self):
        process = self.check('// my shop\n{\n  "http": {"prot": 8080},\n'
                             '  "time": {"zone": "Mars/Olympus", "idle_after": "soon"}\n}\n')
        self.assertEqual(process.wait(20), CONFIG, process.told())
        self.assertRegex(process.err, r"shop\.json:3.*prot.*did you mean.*port")
        self.assertRegex(process.err, "Mars/Olympus")
        self.assertRegex(process.err, r"(?s)idle_after.*soon.*must be")

    def test_a_broken_file_says_where(self):
        process = self.check('{\n  "http": {"port": 1,,}\n}\n')
        self.assertEqual(process.wait(20), CONFIG, process.told())
        self.assertRegex(process.err, r"shop\.json:2")
        process = self.start("run", "-c", self.folder / "not-there.json")
        self.assertEqual(process.wait(20), CONFIG, process.told())
        self.assertIn("not-there.json", process.err)

    def test_good_configuration_and_what_counts(self):
        process = self.check('{"http": {"port": 8123}, /* why not */ "time": {"zone": "UTC"}}')
        self.assertEqual(process.wait(20), 0, process.told())
        self.assertIn("OK", process.out)
        path = self.new_data() / "shop.json"
        path.write_text('{"http": {"port": 1111}, "kafka": {"group": "file", "properties":'
                        ' {"sasl.password": "open-sesame"}}}')
        env = stage.environment(RETAILPULSE_HTTP_PORT="2222", RETAILPULSE_KAFKA_GROUP="environment")
        process = self.finish("config", "show", "--origin", "-c", path, "--port", "3333", env=env,
                              seconds=20)
        self.assertRegex(process.out, r"http\.port = 3333 .*flag")
        self.assertRegex(process.out, r'kafka\.group = "environment" .*environment')
        self.assertNotIn("open-sesame", process.out + process.err, "secrets are never shown")

    def test_values_out_of_range_and_properties_that_load_code(self):
        for flags in (["--port", "70000"], ["-X", "plugin.library.paths=evil.so"],
                      ["-X", "no.such.property=1"], ["-t", "orders=trousers"]):
            with self.subTest(flags=flags):
                process = self.start("config", "check", *flags)
                self.assertEqual(process.wait(20), CONFIG, process.told())

    def test_no_broker(self):
        address = f"127.0.0.1:{closed_port()}"
        arguments = ["run", "-b", address, "-t", "transactions", "--data", self.new_data(),
                     "--port", "0", "--zone", "UTC"]
        begun = time.monotonic()
        process = self.start(*arguments, "-e")
        self.assertEqual(process.wait(30), UNAVAILABLE, process.told())
        self.assertIn(address, process.err)
        self.assertLess(time.monotonic() - begun, 15)
        process = self.start(*arguments, "--require-healthy")
        self.assertEqual(process.wait(30), UNAVAILABLE, process.told())
        # Without -e the page comes up and says what is wrong.
        process = self.start(*arguments).wait_for_page()
        self.assertNotEqual(process.status()["state"]["name"], "live", "nothing was ever read")
        stage.wait_until(lambda: process.status()["state"]["name"] == "reconnecting", 10,
                         process.told)
        self.assertIn(address, process.status()["state"]["reason"])
        code, took = process.terminate(10)
        self.assertEqual(code, 0, process.told())
        self.assertLess(took, 5)

    def test_sql_without_a_store(self):
        process = self.start("sql", "SELECT 1", "--data", self.folder / "nowhere")
        self.assertEqual(process.wait(20), STORAGE, process.told())
        self.assertIn("nowhere", process.err)
        self.assertFalse((self.folder / "nowhere").exists(), "reading makes nothing")

    def test_a_store_that_cannot_be_made(self):
        occupied = self.folder / "occupied"
        occupied.write_text("not a folder")
        process = self.start("run", "-b", "127.0.0.1:1", "-t", "transactions", "--data", occupied,
                             "--port", "0")
        self.assertEqual(process.wait(20), STORAGE, process.told())
        self.assertEqual(occupied.read_text(), "not a folder")


class WithBroker(stage.KafkaStage):
    RECORDS = 120_000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker.create_native()
        cls.truth = cls.folder / "truth.json"
        shop = stage.Process(
            ["simulate", "-b", cls.broker.address, "--truth", cls.truth, "--zone", "UTC", "--seed",
             "7", "--start", "2024-11-25T10:00:00Z", "--rate", "300", "--count", cls.RECORDS],
            cls.folder, "shop")
        if shop.wait(120) != 0:
            raise AssertionError(shop.told())

    def query(self, data, sql, form="json"):
        process = self.finish("sql", sql, "--data", data, "--format", form, seconds=30)
        return json.loads(process.out) if form == "json" else process.out

    def consumed(self, data):
        [row] = self.query(data, "SELECT ifnull(sum(consumed),0) AS consumed FROM partitions")
        return row["consumed"]

    def judge(self, data):
        with stage.open_store(data) as db:
            self.agree(oracle.differences(oracle.from_truth(self.truth), db))
            self.agree(oracle.unsound(db))

    def test_the_last_line_of_stdout_is_the_summary(self):
        data = self.new_data()
        arguments = self.run_arguments(stage.NATIVE_TOPICS, data, "--from", "earliest", "-e")
        process = self.finish(*arguments)
        [line] = process.out.splitlines()
        summary = json.loads(line)
        self.assertLessEqual(SUMMARY_KEYS, set(summary))
        self.assertEqual(summary["consumed"], self.RECORDS)
        self.assertEqual(summary["consumed"], sum(summary.get(bucket, 0) for bucket in (
            "counted", "filtered", "rejected", "duplicate", "superseded", "too_late")))
        self.assertGreater(summary["cpu_s"], 0)
        self.assertGreater(summary["max_rss_bytes"], 1 << 20)
        self.assertAlmostEqual(summary["events_per_s"], summary["consumed"] / summary["elapsed_s"],
                               delta=0.01 * summary["events_per_s"] + 1)
        for promised in ("listening on http://127.0.0.1:", str(data), self.broker.address,
                         "product_listings"):
            self.assertIn(promised, process.err)

    def test_a_topic_that_is_not_there(self):
        arguments = self.run_arguments(["transaction=transactions"], self.new_data(), "-e")
        process = self.start(*arguments)
        self.assertNotEqual(process.wait(30), 0, process.told())
        self.assertRegex(process.err, "transaction.*transactions", "the nearest name is told")

    def test_a_writer_that_is_held_up_loses_nothing(self):
        data = self.new_data()
        run = self.start_run(stage.NATIVE_TOPICS, data, "--from", "earliest")
        print(blocked_writer.hold(self, run, data, 3), flush=True)
        run.wait_for_consumed(self.RECORDS, 60)
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.judge(data)

    def test_other_settings_over_stored_numbers(self):
        self.broker.create("orders")
        self.broker.produce("orders", [{"transaction_id": "1", "product_id": "p", "amount": 1}])
        data = self.new_data()
        self.run_to_end(["orders=transactions"], data)
        for topics, more, sentence in (
                (["orders=feedback"], (), r'streams.orders.role = "transactions"'),
                (["orders=transactions"], ("--zone", "Asia/Tokyo"), "in zone UTC")):
            with self.subTest(topics=topics, more=more):
                refused = self.start(*self.run_arguments(topics, data, "-e", *more))
                self.assertEqual(refused.wait(20), CONFIG, refused.told())
                self.assertRegex(refused.err, sentence)
        path = self.new_data() / "shop.json"
        path.write_text(json.dumps({"time": {"future_skew": "2h"}, "streams": [
            {"topic": "orders", "role": "transactions", "fields": {"amount": "total"}}]}))
        self.broker.produce("orders", [{"transaction_id": "2", "product_id": "p", "total": 2}])
        run = self.start(*self.run_arguments([], data, "-c", path)).wait_for_page()
        run.wait_for_consumed(2, 20)
        notices = " ".join(run.status()["notices"])
        for name in ("streams.orders.fields", "time.future_skew"):
            self.assertIn(f"{name} was ", notices)
        run.terminate()
        rows = self.query(data, "SELECT name,value FROM settings WHERE name IN "
                                "('streams.orders.fields','time.future_skew')")
        self.assertEqual([(row["name"], row["value"]) for row in rows],
                         [("time.future_skew", '"1h"'), ("streams.orders.fields", "{}"),
                          ("time.future_skew", '"2h"'),
                          ("streams.orders.fields", '{"amount":"total"}')])
        [row] = self.query(data, "SELECT sum(net_micros) AS net FROM totals_by_day")
        self.assertEqual(row["net"], 3_000_000)

    def test_a_second_process_on_the_same_data(self):
        data = self.new_data()
        first = self.start_run(stage.NATIVE_TOPICS, data, "--from", "earliest")
        arguments = self.run_arguments(stage.NATIVE_TOPICS, data, "--from", "earliest")
        for _ in range(3):
            begun = time.monotonic()
            second = self.start(*arguments)
            self.assertEqual(second.wait(10), STORAGE, second.told())
            self.assertLess(time.monotonic() - begun, 3)
            self.assertIn(str(data), second.err)
        first.wait_for_consumed(self.RECORDS, 60)
        self.assertEqual(first.terminate()[0], 0, first.told())
        self.run_to_end(stage.NATIVE_TOPICS, data)
        self.judge(data)

    def test_sigterm_and_sigint_commit_everything_and_end_soon(self):
        data = self.new_data()
        random = stage.seeded()
        arguments = self.run_arguments(stage.NATIVE_TOPICS, data, "--from", "earliest",
                                       "-X", "queued.max.messages.kbytes=256")
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
            process = self.start(*arguments)
            time.sleep(random.uniform(0.1, 0.6))
            begun = time.monotonic()
            process.signal(number)
            self.assertEqual(process.wait(10), 0, process.told())
            self.assertLess(time.monotonic() - begun, 5)
        before = self.consumed(data)
        # The file alone holds everything: who copies it after a stop loses nothing.
        copy = self.new_data()
        shutil.copy(data / "retailpulse.db", copy)
        self.assertEqual(self.consumed(copy), before)
        summary = self.run_to_end(stage.NATIVE_TOPICS, data)
        self.assertEqual(before + summary["consumed"], self.RECORDS)
        self.judge(data)

    def test_sql_while_running_and_after_a_kill(self):
        data = self.new_data()
        run = self.start_run(stage.NATIVE_TOPICS, data, "--from", "earliest")
        seen = [self.consumed(data) for _ in range(5)]
        self.assertEqual(seen, sorted(seen))
        run.wait_for_consumed(self.RECORDS, 60)
        self.assertEqual(self.consumed(data), self.RECORDS, "what the page shows is in the store")
        run.kill()
        self.assertEqual(self.consumed(data), self.RECORDS)
        self.judge_formats(data)
        for sql in ("DELETE FROM totals", "DROP VIEW ledger", "ATTACH ':memory:' AS other",
                    "PRAGMA journal_mode=DELETE", "SELECT nothing FROM nowhere"):
            with self.subTest(sql=sql):
                process = self.start("sql", sql, "--data", data)
                self.assertNotEqual(process.wait(20), 0, process.told())
                self.assertTrue(process.err.strip())
        self.run_to_end(stage.NATIVE_TOPICS, data)
        self.judge(data)

    def judge_formats(self, data):
        sql = "SELECT currency,sum(net_micros) AS net FROM totals_by_day GROUP BY 1 ORDER BY 1"
        rows = self.query(data, sql)
        with stage.open_store(data) as db:
            self.assertEqual([(r["currency"], r["net"]) for r in rows], db.execute(sql).fetchall())
        table = list(csv.reader(io.StringIO(self.query(data, sql, "csv"))))
        self.assertEqual(table[0], ["currency", "net"])
        self.assertEqual(table[1:], [[row["currency"], str(row["net"])] for row in rows])
        self.assertIn(rows[0]["currency"], self.query(data, sql, "table"))


if __name__ == "__main__":
    stage.main()
