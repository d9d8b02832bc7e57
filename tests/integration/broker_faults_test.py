"""A broker that nobody hears, refuses or holds back: the page says so in time, and nothing is lost.

The broker is a scripted one; a proxy stands before it that stalls, resets and forgets connections.
"""

import pathlib
import re
import subprocess
import sys
import time
import unittest
import urllib.request

import scripted
import stage

STALE_WITHIN = 5        # seconds until an answer says since when records may be missing
REFUSED_WITHIN = 10     # until a right that was taken away is on the page
BLOCKED_WITHIN = 15     # until an open transaction is
RECOVERED_WITHIN = 10   # after the fault is over
IDLE_AFTER = 5          # the product's own default
MEMORY_MOST = 384       # MiB: 84 and three times the largest answer that the client takes


class BrokerFaultsTest(stage.Stage):
    def setUp(self):
        self.random = stage.seeded()
        self.broker = scripted.ScriptedBroker()
        self.addCleanup(self.broker.stop)
        self.broker.do("topic", "orders", 2)
        self.count = 0
        self.cents = 0
        self.data = self.new_data()

    def sell(self, count, partition=0, kept=True, producer=-1):
        records = []
        for _ in range(count):
            self.count += kept
            cents = self.random.randrange(1, 10**5)
            self.cents += cents * kept
            records.append({"transaction_id": f"{self.random.getrandbits(60)}", "product_id": "p",
                            "amount": f"{cents // 100}.{cents % 100:02}"})
        self.broker.append("orders", partition, records, producer)

    def run_it(self, *more):
        run = self.start("run", "-b", self.broker.address, "-t", "orders=transactions", "--data",
                         self.data, "--port", 0, "--zone", "UTC", "--from", "earliest",
                         *more).wait_for_page()
        run.wait_for_consumed(self.count, 20)
        return run

    def state(self, run):
        return run.status()["state"]

    def wait_for(self, run, condition, seconds, what):
        """How long it took until the state fulfilled a condition."""
        begun = time.monotonic()
        stage.wait_until(lambda: condition(self.state(run)), seconds,
                         lambda: f"{what}: {self.state(run)}; {run.told()}")
        return time.monotonic() - begun

    def idle(self, run):
        return [row["idle"] for row in run.get("api/v1/partitions")["rows"]]

    def finish_exactly(self, run):
        run.wait_for_consumed(self.count, RECOVERED_WITHIN)
        self.assertEqual(run.terminate()[0], 0, run.told())
        with stage.open_store(self.data) as db:
            [row] = db.execute("SELECT sum(orders), sum(gross_micros) FROM totals WHERE tier=0")
            self.assertEqual(row, (self.count, self.cents * 10**4))

    def test_a_right_taken_away_is_shown_and_not_called_idle(self):
        self.sell(50)
        run = self.run_it()
        self.broker.do("refuse", "orders", 0, 1, 29, -1)
        took = self.wait_for(run, lambda s: "No right to read" in s["reason"], REFUSED_WITHIN,
                             "the lost right is shown")
        self.assertIsNotNone(self.state(run)["stale_since"])
        self.wait_for(run, lambda s: s["name"] == "degraded", REFUSED_WITHIN, "brokers do answer")
        time.sleep(max(0, IDLE_AFTER + 1 - took))
        self.assertEqual(self.idle(run), [False, False])
        self.sell(20)
        self.broker.do("allow", "orders", 0)
        self.wait_for(run, lambda s: s["name"] == "live" and s["stale_since"] is None,
                      RECOVERED_WITHIN, "it recovers")
        self.finish_exactly(run)

    def test_an_open_transaction_is_shown_and_not_called_idle(self):
        self.sell(50)
        run = self.run_it()
        self.sell(5, kept=False, producer=7)
        self.sell(20)
        begun = time.monotonic()
        stage.wait_until(lambda: "blocked by an open transaction since" in self.state(run)["reason"],
                         BLOCKED_WITHIN, lambda: f"the transaction is shown: {run.told()}")
        self.assertEqual(self.state(run)["name"], "degraded")
        while time.monotonic() < begun + IDLE_AFTER + 4:
            self.assertFalse(self.idle(run)[0], "what is held back is not idle")
            time.sleep(0.2)
        blocked = [row["blocked_since"] for row in run.get("api/v1/partitions")["rows"]]
        self.assertIsNotNone(blocked[0])
        self.assertIsNone(blocked[1])
        with stage.open_store(self.data) as db:
            [(idle,)] = db.execute("SELECT idle FROM partition_state WHERE partition=0").fetchall()
            self.assertEqual(idle, 0)
        self.broker.do("end", "orders", 0, 7, "abort")
        self.wait_for(run, lambda s: s["name"] == "live", RECOVERED_WITHIN, "it goes on")
        self.finish_exactly(run)

    def test_huge_messages_are_dead_letters_and_then_a_clear_halt(self):
        self.sell(20)
        run = self.run_it()
        sizes = (1, 100, 1023, 1025, 8 << 10, 64 << 10)  # KiB
        for size in sizes:
            self.broker.append("orders", 0, ["x" * (size << 10)])
            self.sell(5)
        run.wait_for_consumed(self.count + len(sizes), 20)
        reasons = [row["reason"] for row in run.get("api/v1/rejects")["rows"]]
        self.assertEqual(sorted(reasons), ["bad_json"] * 3 + ["too_large"] * 3)
        status = pathlib.Path(f"/proc/{run.popen.pid}/status").read_text()
        peak = int(re.search(r"VmHWM:\s+(\d+) kB", status).group(1)) >> 10
        print(f"peak {peak} MiB", file=sys.stderr)
        self.assertLess(peak, MEMORY_MOST)

        # Beyond what the client takes at all: said, with what to do, and others are read on.
        counted = self.count
        self.broker.append("orders", 0, ["x" * (101 << 20)])
        self.broker.append("orders", 0, ["behind"])
        self.sell(30, partition=1)
        self.wait_for(run, lambda s: s["name"] == "degraded"
                      and "receive.message.max.bytes" in s["reason"], 20, "it is told")
        run.wait_for_consumed(counted + 30 + len(sizes), 20)
        self.finish_exactly(run)

    def test_a_silent_broker_makes_every_answer_stale_and_each_fault_passes(self):
        proxy = scripted.Proxy(int(self.broker.address.rsplit(":", 1)[1]))
        self.addCleanup(proxy.stop)
        self.broker.do("node", 1, "port", proxy.port)
        self.broker.address = f"127.0.0.1:{proxy.port}"
        self.sell(50)
        self.sell(10, partition=1)
        run = self.run_it()

        def heals(what):
            self.sell(10, partition=0)
            self.sell(10, partition=1)
            begun = time.monotonic()
            run.wait_for_consumed(self.count, RECOVERED_WITHIN)
            took = time.monotonic() - begun
            self.assertLess(took, RECOVERED_WITHIN, what)
            self.wait_for(run, lambda s: s["stale_since"] is None, RECOVERED_WITHIN, what)

        # Held up: everybody is told within five seconds, by whatever they ask.
        proxy.link.passes = False
        took = self.wait_for(run, lambda s: s["stale_since"] is not None, STALE_WITHIN, "a stall")
        self.assertLess(took, STALE_WITHIN)
        self.assertEqual(self.state(run)["name"], "reconnecting")
        for path in ("kpis", "series.csv", "top.ndjson", "partitions", "ledger", "status"):
            with urllib.request.urlopen(f"{run.page}api/v1/{path}", timeout=10) as answer:
                for header in ("RetailPulse-Stale-Since", "RetailPulse-Lag",
                               "RetailPulse-Watermark"):
                    self.assertTrue(answer.headers[header], f"{path} says {header}")
        self.assertEqual(self.idle(run), [False, False])
        proxy.link.passes = True
        heals("after a stall")

        proxy.forget()  # half open, for good
        heals("half open")
        proxy.link.accept = False
        proxy.reset()
        time.sleep(1)
        proxy.link.accept = True
        heals("reset and refused")
        proxy.link.cut_after = 300
        heals("cut in the middle of an answer")
        proxy.link.delay, proxy.link.bytes_per_second = 0.2, 20_000
        heals("slow")
        self.finish_exactly(run)


def side_by_side():
    """Every test in a process of its own, at once: they wait for seconds and do little else."""
    names = unittest.defaultTestLoader.getTestCaseNames(BrokerFaultsTest)
    children = [subprocess.Popen([sys.executable, "-B", __file__, f"BrokerFaultsTest.{name}"])
                for name in names]
    codes = [child.wait() for child in children]
    sys.exit(max(codes, key=abs))


if __name__ == "__main__":
    if len(sys.argv) > 1:
        stage.main()
    else:
        side_by_side()
