#!/usr/bin/env python3
"""Rows D7 and D10 of the fault list: readers and the write-ahead log.

    tests/long/disk_readers.py [--minutes 60] [--readers 16] [--rate 2000]

While records come, 16 clients ask for long answers in a loop, one asks and never reads, three
processes with the machine's own SQLite hold read transactions of a second that overlap, and one
with ours moves the log into the file twice a second. The last line is the summary."""

import argparse
import contextlib
import multiprocessing
import os
import pathlib
import random
import socket
import sqlite3
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import disk_stage as disk     # noqa: E402
import stage                  # noqa: E402
import web_client as web      # noqa: E402
import web_load as load       # noqa: E402

MB = 1 << 20
LONG_ANSWERS = ("/api/v1/series?measure=net&by=product&step=1m&from=2000-01-01",
                "/api/v1/breakdown?dimension=product&from=2000-01-01", "/api/v1/frame")


def ask_for_ever(port, readers):
    stage.die_with_parent()

    def loop(number):
        while True:
            with contextlib.suppress(OSError):
                web.ask(port, LONG_ANSWERS[number % len(LONG_ANSWERS)], timeout=30)
    for number in range(readers):
        threading.Thread(target=loop, args=(number,), daemon=True).start()
    time.sleep(1e9)


def hold_snapshots(data, offset):
    stage.die_with_parent()
    time.sleep(offset)
    db = sqlite3.connect(f"file:{data}/retailpulse.db?mode=ro", uri=True, isolation_level=None)
    while True:
        db.execute("BEGIN")
        db.execute("SELECT sum(lines) FROM totals").fetchone()
        time.sleep(1)
        db.execute("COMMIT")


def hung_client(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    s.connect(("127.0.0.1", port))
    s.sendall(web.request(port, LONG_ANSWERS[0]))
    return s


def feed(shop, data, rate, seconds):
    """Gives records and watches the log; its greatest size."""
    wal, greatest, begun = data / "retailpulse.db-wal", 0, time.monotonic()
    while time.monotonic() < begun + seconds:
        shop.give(rate // 4)
        shop.checkpoint(data)
        greatest = max(greatest, wal.stat().st_size)
        late = begun + shop.given / rate - time.monotonic()
        time.sleep(max(0.0, min(late, 0.5)))
        greatest = max(greatest, wal.stat().st_size)
    return greatest


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--readers", type=int, default=16)
    parser.add_argument("--rate", type=int, default=2000)
    asked = parser.parse_args()
    seed = int(os.environ.get("RETAILPULSE_SEED") or random.SystemRandom().randrange(1 << 31))
    disk.DiskStage.setUpClass()
    try:
        test = disk.DiskStage()
        shop, data = disk.Shop(seed), test.new_data()
        test.shop = shop
        run = test.begin(data)
        port = web.port_of(run.page)
        feed(shop, data, asked.rate, 10)
        before = load.commit_times(port)
        feed(shop, data, asked.rate, 30)
        alone = load.commit_p99(before, load.commit_times(port))
        others = [multiprocessing.Process(target=ask_for_ever, args=(port, asked.readers))]
        others += [multiprocessing.Process(target=hold_snapshots, args=(data, i / 3)) for i in range(3)]
        for other in others:
            other.start()
        hung = hung_client(port)
        before = load.commit_times(port)
        greatest = feed(shop, data, asked.rate, asked.minutes * 60)
        among = load.commit_p99(before, load.commit_times(port))
        for other in others:
            other.kill()
        hung.close()
        run.wait_for_consumed(shop.given, 60)
        code = run.terminate(20)[0]
        told = shop.check(data)
        with contextlib.closing(stage.open_store(data)) as db:
            [[whole]] = db.execute("PRAGMA integrity_check")
        good = (code, whole, told["faults"]) == (0, "ok", []) and greatest <= 64 * MB
        print(f"seed {seed}: {asked.minutes:g} min, {shop.given} records, {asked.readers} readers, a hung "
              f"client, SQLite {sqlite3.sqlite_version} reading: log <= {greatest / MB:.0f} MB; commit "
              f"p99 <= {alone[0] * 1e3:.0f} -> {among[0] * 1e3:.0f} ms ({among[1]} commits); integrity "
              f"{whole}, lost {told['lost']}, doubled {told['doubled']}")
        return 0 if good else 1
    finally:
        disk.DiskStage.doClassCleanups()


if __name__ == "__main__":
    sys.exit(main())
