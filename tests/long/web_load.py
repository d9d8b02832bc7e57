#!/usr/bin/env python3
"""Rows H1 to H4 and H7 of the fault list at full size, against the release program.

    tests/long/web_load.py [--scale 1.0] [--reads 100000] [--only H1,H2]

--scale 0.1 is a tenth of the clients. Nothing here is random. The last line is the summary."""

import argparse
import os
import pathlib
import sys
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import stage          # noqa: E402
import web_client as web    # noqa: E402
import web_load as load     # noqa: E402


def h1(port, scale):
    """Slow senders: one byte in four seconds each; the others' p99."""
    alone = web.times_of(port, "/api/v1/status", 1000, 0.005)
    with load.beside(load.slow_senders, port, int(1000 * scale), 4.0):
        time.sleep(5)
        among = web.times_of(port, "/api/v1/status", 1000, 0.005)
    a, b = (web.percentile(times, 0.99) * 1e3 for times in (alone, among))
    return f"H1 {int(1000 * scale)} slow senders: p99 {a:.1f} -> {b:.1f} ms, {b / a:.2f} x", b < 300


def h2(demo, port, scale):
    """Streams nobody reads: commits, memory, and the pauses of a page that reads."""
    before, memory = load.commit_times(port), web.resident_kb(demo.popen.pid)
    calm = load.StreamWatch(port, 20)
    alone = load.commit_p99(before, load.commit_times(port))
    with load.beside(load.stopped_readers, port, int(1000 * scale)):
        time.sleep(3)
        before = load.commit_times(port)
        watch = load.StreamWatch(port, 30)
        among = load.commit_p99(before, load.commit_times(port))
        grown = web.resident_kb(demo.popen.pid) - memory
    return (f"H2 {int(1000 * scale)} stopped readers: commit p99 <= {alone[0] * 1e3:.0f} -> "
            f"{among[0] * 1e3:.0f} ms ({among[1]} commits); longest pause of a page "
            f"{calm.longest:.2f} -> {watch.longest:.2f} s; memory +{grown / 1024:.0f} MB",
            grown < 100 * 1024 and watch.longest < 5)


def h3(port, scale):
    with load.beside(load.good_readers, port, int(200 * scale)) as told:
        load.last(told)
        times, failures = load.steady_requests(port, "/api/v1/status", 50, 60 * max(scale, 0.1))
        fed, cut = load.last(told)
    return (f"H3 {int(200 * scale)} streams + 50 requests/s: {len(times)} answers, p99 "
            f"{web.percentile(times, 0.99) * 1e3:.1f} ms, failures {len(failures)}, cut {cut}",
            not failures and cut == 0 and fed == int(200 * scale))


def h4(folder, scale):
    demo, data = load.start_demo(folder, "few", nofile=128)
    try:
        port = load.settled(demo)
        with load.beside(load.hungry, port, int(1000 * scale)):
            time.sleep(2)
            stalled, grown = load.stalls(data, 60 * max(scale, 0.1))
        return (f"H4 128 descriptors, {int(1000 * scale)} hungry clients: +{grown} records, "
                f"stalls {stalled}", stalled == 0)
    finally:
        demo.kill()


def h7(port, reads):
    answers, frames, faults = load.torn_reads(port, 2, reads // 2)
    for fault in faults:
        print(fault)
    return f"H7 {answers} answers of {frames} frames: torn {len(faults)}", not faults


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--reads", type=int, default=100_000)
    parser.add_argument("--only", default="H1,H2,H3,H4,H7")
    options = parser.parse_args()
    os.environ.setdefault("RETAILPULSE_REQUIRE_ALL", "1")

    class Long(stage.Stage):
        def runTest(self):
            rows = options.only.split(",")
            demo, _ = load.start_demo(self.folder, "long", sse_clients_max=1200,
                                      connections_max=1500)
            self.addCleanup(demo.kill)
            port = load.settled(demo)
            work = {"H1": lambda: h1(port, options.scale),
                    "H2": lambda: h2(demo, port, options.scale),
                    "H3": lambda: h3(port, options.scale),
                    "H4": lambda: h4(self.folder, options.scale),
                    "H7": lambda: h7(port, options.reads)}
            results = []
            for row in rows:
                results.append(work[row]())
                print(results[-1][0], "" if results[-1][1] else "FAILED", flush=True)
            print("web_load: " + "; ".join(f"{row} {'ok' if good else 'FAILED'}"
                                           for row, (_, good) in zip(rows, results)), flush=True)
            self.assertTrue(all(good for _, good in results), demo.err[-2000:])

    suite = stage.unittest.TestSuite([Long()])  # which also prepares the class
    result = stage.unittest.TextTestRunner(verbosity=0).run(suite)
    sys.exit(0 if result.wasSuccessful() else 1)


if __name__ == "__main__":
    main()
