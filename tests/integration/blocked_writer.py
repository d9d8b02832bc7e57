"""A writer that is held up while records pour in: nothing may be lost and memory may not grow."""

import contextlib
import os
import pathlib
import sqlite3
import time
import urllib.request

import stage
import web_client as web

RESIDENT_MAX_KB = 384 * 1024
GROWTH_MAX_KB = 16 * 1024      # once all places are taken
SETTLED_AFTER = 0.5            # part of the time


def metric(process, name):
    with urllib.request.urlopen(process.page + "metrics", timeout=10) as answer:
        text = answer.read().decode()
    return sum(float(line.split()[-1]) for line in text.splitlines()
               if line.startswith(f"retailpulse_{name}"))


@contextlib.contextmanager
def writer_blocked(data):
    """Holds the only place from which the store is written."""
    path = pathlib.Path(data, "retailpulse.db")
    stage.wait_until(path.exists, 20, "the store is made")
    other = sqlite3.connect(path, timeout=20, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def hold(test, run, data, seconds):
    """Blocks the writer of `run` for so long; what was seen, as a dict."""
    resident = []
    with writer_blocked(data):
        time.sleep(0.3)  # a commit that was under way has ended
        frame = run.status()["frame"]
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            resident.append(web.resident_kb(run.popen.pid))
            with urllib.request.urlopen(run.page + "healthz", timeout=10) as answer:
                test.assertEqual(answer.status, 200, "waiting is not standing still")
            time.sleep(0.1)
        test.assertEqual(run.status()["frame"], frame, "nothing is committed meanwhile")
        consumed = metric(run, "messages_consumed_total")
    settled = resident[int(len(resident) * SETTLED_AFTER):]
    told = {"seconds": seconds, "resident_max_kb": max(resident),
            "growth_kb": max(settled) - settled[0], "read_ahead": int(consumed),
            "ring_full": int(metric(run, "ring_full_total")),
            "cores": os.cpu_count()}
    test.assertLess(told["resident_max_kb"], RESIDENT_MAX_KB, told)
    test.assertLess(told["growth_kb"], GROWTH_MAX_KB, told)
    return told
