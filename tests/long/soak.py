#!/usr/bin/env python3
"""A shop with late, duplicate and bad records for an hour, beside readers that take their time.

    tests/long/soak.py [--minutes 60] [--rate 20000] [--warm-up 35]

Prints how RSS, WAL, file descriptors and delay went, minute by minute, their slopes after the warm-up, and
whether the final store equals the simulator's truth to the last digit. The seed is printed
(RETAILPULSE_SEED repeats it). The last line is the summary; exit code 1 when a bound does not hold."""

import argparse
import os
import pathlib
import sys
import threading
import time
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import oracle         # noqa: E402
import stage          # noqa: E402
import web_client as web    # noqa: E402

SAMPLE_EVERY = 5.0
LONG_READ = 10.0       # seconds that another program holds one read transaction, again and again
RSS_MIB_AN_HOUR_MAX = 4.0
RSS_MIB_MAX = 128.0
WAL_MIB_MAX = 512.0    # while the long reader holds its transaction nothing can be checkpointed away
PATHS = ("api/v1/kpis?from=now-1h", "api/v1/series?measure=net&from=now-6h",
         "api/v1/top?dimension=product&measure=net&n=10", "api/v1/partitions", "metrics")


class LongReader(threading.Thread):
    """Another tool that reads the store in long transactions."""

    def __init__(self, data):
        super().__init__(daemon=True)
        self.data = data
        self.reads = 0

    def run(self):
        while True:
            with stage.open_store(self.data) as db:
                db.execute("BEGIN")
                db.execute("SELECT sum(net_micros) FROM totals_by_day").fetchall()
                time.sleep(LONG_READ)
                db.execute("SELECT count(*) FROM products_by_day").fetchall()
                db.execute("ROLLBACK")
                self.reads += 1
            db.close()
            time.sleep(LONG_READ / 2)


class Pages(threading.Thread):
    """A page that asks for history once a second, and one that keeps the stream open."""

    def __init__(self, page):
        super().__init__(daemon=True)
        self.page = page
        self.answers = 0
        self.frames = 0
        self.faults = []
        threading.Thread(target=self.stream, daemon=True).start()

    def run(self):
        while True:
            for path in PATHS:
                try:
                    with urllib.request.urlopen(self.page + path, timeout=10) as answer:
                        answer.read()
                    self.answers += 1
                except OSError as fault:
                    self.faults.append(f"{path}: {fault}")
                time.sleep(1)

    def stream(self):
        with urllib.request.urlopen(self.page + "api/v1/stream") as stream:
            for line in stream:
                self.frames += line.startswith(b"data:")


def sample(run, data):
    pid = run.popen.pid
    wal = pathlib.Path(data, "retailpulse.db-wal")
    status = run.status()
    return {"rss": web.resident_kb(pid) / 1024,
            "wal": wal.stat().st_size / 2**20 if wal.exists() else 0.0,
            "fds": float(len(os.listdir(f"/proc/{pid}/fd"))),
            "lag": float(status["lag"]["records"])}


def slope_an_hour(times, values):
    """Least squares, per hour."""
    mean_t, mean_v = sum(times) / len(times), sum(values) / len(values)
    spread = sum((t - mean_t) ** 2 for t in times)
    return 3600 * sum((t - mean_t) * (v - mean_v) for t, v in zip(times, values)) / spread


def cpu_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def watch(run, shop, data):
    times, samples, begun = [], [], time.monotonic()
    while shop.popen.poll() is None:
        time.sleep(SAMPLE_EVERY)
        times.append(time.monotonic() - begun)
        samples.append(sample(run, data))
        if len(samples) % int(60 / SAMPLE_EVERY) == 0:
            minute = samples[-int(60 / SAMPLE_EVERY):]
            print(f"{times[-1] / 60:5.1f} min: " + ", ".join(
                f"{name} <= {max(s[name] for s in minute):.1f}" for name in samples[0]), flush=True)
    return times, samples


def judge(times, samples, warm_up):
    """What is wrong with how it went, and the sentence about it."""
    kept = [(t, s) for t, s in zip(times, samples) if t >= warm_up * 60]
    if len(kept) < 10:
        return ["too short: nothing is left after the warm-up"], ""
    late = [t for t, _ in kept]
    slope = {name: slope_an_hour(late, [s[name] for _, s in kept]) for name in samples[0]}
    top = {name: max(s[name] for s in samples) for name in samples[0]}
    faults = []
    if slope["rss"] > RSS_MIB_AN_HOUR_MAX:
        faults.append(f"RSS grows by {slope['rss']:.1f} MiB an hour")
    if top["rss"] > RSS_MIB_MAX:
        faults.append(f"RSS reached {top['rss']:.0f} MiB")
    if top["wal"] > WAL_MIB_MAX:
        faults.append(f"the WAL reached {top['wal']:.0f} MiB")
    if slope["fds"] > 1:
        faults.append(f"file descriptors grow by {slope['fds']:.1f} an hour")
    return faults, (f"RSS <= {top['rss']:.0f} MiB, {slope['rss']:+.2f} MiB/h; WAL <= {top['wal']:.0f} MiB, "
                    f"{slope['wal']:+.1f} MiB/h; descriptors <= {top['fds']:.0f}, {slope['fds']:+.2f}/h; "
                    f"lag <= {top['lag']:.0f} records")


class Soak(stage.KafkaStage):
    words = None

    def test_soak(self):
        words = self.words
        seed = stage.seeded().randrange(1 << 31)
        self.broker.create_native(8)
        truth, data = self.folder / "truth.json", self.new_data()
        run = self.start_run(stage.NATIVE_TOPICS, data, "--from", "earliest")
        shop = self.simulate(truth, "--seed", seed, "--rate", words.rate, "--duration",
                             f"{words.minutes}m", "--zone", "UTC")
        stage.wait_until(lambda: run.status()["ledger"]["consumed"] > 0, 60, run.told)
        reader, pages = LongReader(data), Pages(run.page)
        reader.start()
        pages.start()
        cpu, begun = cpu_seconds(run.popen.pid), time.monotonic()
        times, samples = watch(run, shop, data)
        self.assertEqual(shop.wait(60), 0, shop.told())
        records = oracle.truth_records(truth)
        share = (cpu_seconds(run.popen.pid) - cpu) / (time.monotonic() - begun)
        run.wait_for_consumed(records, 60)
        page_faults = list(pages.faults)  # later ones are the end of the program
        self.assertEqual(run.terminate(10)[0], 0, run.told())
        with stage.open_store(data) as db:
            wrong = oracle.differences(oracle.from_truth(truth), db) + oracle.unsound(db)
        faults, told = judge(times, samples, words.warm_up)
        faults += [f"{len(page_faults)} answers failed, first {page_faults[0]}"] if page_faults else []
        print(f"{'FAILED' if wrong or faults else 'OK'}: {records} records in {words.minutes} min at {words.rate}/s, "
              f"{100 * share:.0f} % of a core; {told}; {pages.answers} answers, {pages.frames} frames, "
              f"{reader.reads} long reads; differences from the truth: {len(wrong)}", flush=True)
        self.agree(wrong)
        self.assertEqual(faults, [])


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--rate", type=int, default=20_000)
    # What has a limit must have reached it: a partition of feedback gets its 32,769th id, and with it the last
    # doubling of its recent ids (8 times 0.75 MiB), after half an hour.
    parser.add_argument("--warm-up", type=int, default=35, help="minutes that do not count for the slopes")
    Soak.words = parser.parse_args()
    # Kept short of the disk: what is read is deleted after a while, a minute's check at a time.
    stage.BROKER_SETTINGS += ["log.segment.bytes=33554432", "log.retention.bytes=134217728",
                              "log.retention.check.interval.ms=30000"]
    sys.argv = sys.argv[:1]
    stage.main()


if __name__ == "__main__":
    main()
