"""Time on a real broker: pruned days, wrong clocks, clock steps, suspend (T7, T8, T11 of faults.md)."""

import datetime
import glob
import os
import re
import signal
import subprocess
import time
import urllib.request

import oracle
import stage

NOW = datetime.datetime(2024, 11, 25, 18, tzinfo=datetime.timezone.utc)
MINUTE = datetime.timedelta(minutes=1)
DAY = datetime.timedelta(days=1)
STOPPED = float(os.environ.get("RETAILPULSE_STOP_SECONDS", "5"))  # matrix: ten minutes
RECOVERY = 10  # seconds


class TimeTest(stage.KafkaStage):
    def setUp(self):
        self.till = oracle.Till()
        self.number = 0

    def sale(self, at, kept=True):
        self.number += 1
        if kept:
            self.till.sale(at, "mug", "2.50")
        return {"transaction_id": f"t{self.number}", "product_id": "mug", "amount": "2.50",
                "timestamp": at.isoformat()}

    def settings(self, data, text):
        path = data / "settings.json"
        path.write_text(text)
        return ["-c", path]

    def verify(self, topic, data, *more):
        told = subprocess.run(
            [stage.PROGRAM, "verify", "-b", self.broker.address, "--data", data, "--zone", "UTC", "-t",
             f"{topic}=transactions", *more],
            capture_output=True, text=True, check=False, timeout=60, env=stage.environment())
        self.assertEqual(told.returncode, 0, told.stdout + told.stderr)
        self.assertRegex(told.stdout, "^OK: ")

    def test_days_that_were_pruned_stay_gone(self):
        """T7: a shop that keeps 30 days gets 60 old ones again; day by day, over restarts."""
        self.broker.create("old", 2)
        data = self.new_data()
        keep = self.settings(data, '{"store": {"retention": {"day": "30d"}}}')
        first = NOW - 60 * DAY
        sealed = (NOW - 30 * DAY).replace(hour=0)
        self.broker.produce("old", [self.sale(first + n * DAY, first + n * DAY >= sealed)
                                    for n in range(61)], partition=0)
        self.broker.produce("old", [self.sale(NOW)], partition=1)
        self.run_to_end(["old=transactions"], data, *keep)
        with stage.open_store(data) as db:
            self.assertEqual(db.execute("SELECT sum(records) FROM ledger WHERE bucket<>'counted'").fetchone()[0],
                             None, "nothing came after its day was sealed")
        # Late enough for the watermark of the run before to have sealed the days.
        self.broker.produce("old", [self.sale(NOW)], partition=0)
        self.run_to_end(["old=transactions"], data, *keep)
        refused = 0
        for part in range(3):
            records = []
            for n in range(61):
                at = first + n * DAY + part * MINUTE
                refused += at < sealed
                records.append(self.sale(at, at >= sealed))
            self.broker.produce("old", records, partition=1)
            summary = self.run_to_end(["old=transactions"], data, *keep)
            self.assertEqual(summary["too_late"], refused // (part + 1), summary)
        with stage.open_store(data) as db:
            seal = db.execute("SELECT sealed_day_us FROM clock").fetchone()[0]
            self.assertEqual(seal, int(sealed.timestamp() * 1_000_000))
            ledger = dict(db.execute("SELECT bucket,sum(records) FROM ledger GROUP BY 1"))
            self.assertEqual(ledger, {"counted": self.number - refused, "too_late": refused})
            days = db.execute("SELECT min(day),count(*),sum(orders) FROM totals_by_day").fetchone()
            self.assertEqual(days, ("2024-10-26", 31, self.number - refused - 30))
            self.agree(oracle.differences(self.till.expectation("minutes"), db))
        run = self.start_run(["old=transactions"], data, *keep)
        kept = {tier["tier"]: tier["kept_from"] for tier in run.status()["store"]["retention"]}
        self.assertEqual(kept["1d"], "2024-10-26", "the seal is told")
        self.assertEqual(run.terminate()[0], 0, run.told())
        self.verify("old", data, *keep)

    def test_a_producer_whose_clock_is_wrong(self):
        """T11: one of eight partitions ten minutes fast, then slow."""
        for minutes in (10, -10):
            with self.subTest(minutes=minutes):
                topic, data, self.till = f"wrong{minutes + 10}", self.new_data(), oracle.Till()
                self.broker.create(topic, 8)
                for partition in range(8):
                    wrong = minutes * MINUTE if partition == 3 else 0 * MINUTE
                    self.broker.produce(topic, [
                        self.sale(NOW + wrong + datetime.timedelta(seconds=n)) for n in range(100)],
                        partition=partition)
                run = self.start_run([f"{topic}=transactions"], data, "--from", "earliest",
                                     *self.settings(data, '{"time": {"idle_after": "1h"}}'))
                run.wait_for_consumed(800, 20)
                rows = run.get("api/v1/partitions")["rows"]
                for row in rows:
                    expected = 60 * minutes if row["partition"] == 3 else 0
                    self.assertLess(abs(row["skew_s"] - expected), 1, row)
                    self.assertEqual(row["late"], 0, row)
                slowest = NOW + min(minutes, 0) * MINUTE + datetime.timedelta(seconds=99 - 5)
                self.assertEqual(run.status()["watermark_us"], int(slowest.timestamp() * 1_000_000))
                self.assertEqual(run.terminate()[0], 0, run.told())
                with stage.open_store(data) as db:
                    self.agree(oracle.differences(self.till.expectation(), db))
                    self.assertEqual(db.execute("SELECT bucket,sum(records) FROM ledger").fetchall(),
                                     [("counted", 800)])

    def live(self, count):
        now = datetime.datetime.now(datetime.timezone.utc)
        return [self.sale(now) for _ in range(count)]

    def no_negative_span(self, run):
        status = run.status()
        self.assertGreaterEqual(status["process"]["uptime_s"], 0)
        self.assertGreaterEqual(status["lag"]["seconds"], 0, status["lag"])
        with urllib.request.urlopen(run.page + "metrics", timeout=10) as answer:
            for line in answer.read().decode().splitlines():
                if not line.startswith("#"):
                    self.assertGreaterEqual(float(line.rsplit(" ", 1)[1]), 0, line)
        return status

    def test_clock_steps_and_suspend(self):
        """T8: the wall clock jumps an hour forward and back; then the process is stopped for a while."""
        library = glob.glob("/usr/lib/*/faketime/libfaketimeMT.so.1")
        if not library:
            stage.unavailable("libfaketime is not installed (Debian: faketime)")
        self.broker.create("live", 4)
        data, offset = self.new_data(), self.folder / "offset"
        offset.write_text("+0\n")
        run = self.start(*self.run_arguments(["live=transactions"], data, "--from", "earliest"),
                         env=stage.environment(
                             LD_PRELOAD=library[0], FAKETIME_TIMESTAMP_FILE=str(offset),
                             FAKETIME_CACHE_DURATION="1", FAKETIME_DONT_FAKE_MONOTONIC="1",
                             DONT_FAKE_MONOTONIC="1")).wait_for_page()
        slowest, watermark = 0.0, 0

        def sell(what):
            nonlocal slowest, watermark
            for partition in range(4):
                self.broker.produce("live", self.live(25), partition=partition)
            begun = time.monotonic()
            run.wait_for_consumed(self.number, RECOVERY)
            stage.wait_until(lambda: run.status()["state"]["name"] == "live", RECOVERY,
                             lambda: f"live after {what}: {run.status()['state']}")
            slowest = max(slowest, time.monotonic() - begun)
            status = self.no_negative_span(run)
            self.assertGreaterEqual(status["watermark_us"] or 0, watermark, what)
            watermark = status["watermark_us"] or 0
            return status

        sell("the start")
        for step in (3600, 0, -3600, 0):
            offset.write_text(f"{step:+d}\n")
            time.sleep(1.2)
            status = sell(f"{step} s")
            told = datetime.datetime.fromisoformat(status["wall"].replace("Z", "+00:00"))
            self.assertLess(abs(told.timestamp() - time.time() - step), 5, "the step was felt")
        run.signal(signal.SIGSTOP)
        time.sleep(STOPPED)
        for partition in range(4):
            self.broker.produce("live", self.live(25), partition=partition)
        run.signal(signal.SIGCONT)
        sell("being stopped")
        print(f"five steps and {STOPPED:.0f} s stopped: slowest recovery {slowest:.2f} s", flush=True)
        self.assertEqual(run.terminate()[0], 0, run.told())
        with stage.open_store(data) as db:
            self.agree(oracle.differences(self.till.expectation(), db))
            self.assertEqual(dict(db.execute("SELECT bucket,sum(records) FROM ledger GROUP BY 1")),
                             {"counted": self.number})


if __name__ == "__main__":
    stage.main()
