#!/usr/bin/env python3
"""A live shop: CPU, memory, and how long a record takes from the producer to the store and to the page's stream.

Usage: bench/live.py [--rate 20000 100000] [--seconds 30]
Probes are sales of a category of their own, sent through a second producer (which waits 5 ms for company) while the
shop runs. Taken are the times when the store first holds their money, looked at every few milliseconds by another
SQLite, and when a frame of the stream does. The producer of the shop and the broker share the machine.
"""
import argparse
import json
import os
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from harness import BINARY, TOPICS, Broker, find_tool, machine


PROBE_AMOUNT = 1_000_000_000
PROBE_EVERY = 0.1037  # seconds; out of step with frames and commits
WARM_UP = 10          # probes that are not measured: their producer still connects
LOOK_EVERY = 0.004
COMMITTED = """SELECT coalesce(sum(gross_micros), 0) FROM categories
 WHERE tier = 3 AND category = (SELECT id FROM names WHERE dimension = 1 AND text = 'PROBE')"""


def start_run(address, folder):
    command = [BINARY, "run", "-b", address, "--from", "earliest", "--port", "0", "--data", folder, "--zone", "UTC"]
    for topic in TOPICS:
        command += ["-t", topic]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    for line in process.stderr:
        found = re.search(r"listening on (\S+)", line)
        if found:
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return process, found.group(1)
    raise SystemExit("the page did not come up")


def watch_stream(url, seen):
    """Each probe adds PROBE_AMOUNT to a category of its own, so its sum tells how many were counted."""
    with urllib.request.urlopen(url + "api/v1/stream") as stream:
        for raw in stream:
            found = re.search(rb'"name":"PROBE","net":"(\d+)', raw) if raw.startswith(b"data:") else None
            if found:
                now = time.monotonic()
                for number in range(len(seen), int(found.group(1)) // PROBE_AMOUNT):
                    seen.append(now)


def watch_store(path, seen, done):
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    while not done.is_set():
        counted = store.execute(COMMITTED).fetchone()[0] // (PROBE_AMOUNT * 1_000_000)
        now = time.monotonic()
        for _ in range(len(seen), counted):
            seen.append(now)
        time.sleep(LOOK_EVERY)
    store.close()


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def send_probes(address, count):
    sent = []
    producer = subprocess.Popen([find_tool("produce"), "-b", address, "-t", "transactions"],
                                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True, bufsize=1)
    for number in range(count):
        record = {"transaction_id": f"probe-{number}", "product_id": "PROBE", "category": "PROBE", "currency": "USD",
                  "amount": PROBE_AMOUNT, "timestamp": int(time.time() * 1000)}
        sent.append(time.monotonic())
        producer.stdin.write(json.dumps(record) + "\n")
        time.sleep(PROBE_EVERY)
    producer.stdin.close()
    producer.wait()
    return sent


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def stopping(child):
    child.send_signal(signal.SIGTERM)
    try:
        child.wait(10)
    except subprocess.TimeoutExpired:
        child.kill()


def delays(sent, seen, where):
    if len(seen) < len(sent):
        raise SystemExit(f"only {len(seen)} of {len(sent)} probes were seen in the {where}")
    took = [1000 * (at - when) for at, when in zip(seen, sent)][WARM_UP:]
    return f"{percentile(took, .5):.0f} / {percentile(took, .99):.0f}"


def measure(process, url, address, data, seconds):
    streamed, committed, done = [], [], threading.Event()
    threading.Thread(target=watch_stream, args=(url, streamed), daemon=True).start()
    time.sleep(8)  # the shop is open, the catalogue is known
    looking = threading.Thread(target=watch_store, args=(os.path.join(data, "retailpulse.db"), committed, done))
    looking.start()
    begun, cpu, consumed = time.monotonic(), cpu_seconds(process.pid), counted(url)
    sent = send_probes(address, WARM_UP + int(seconds / PROBE_EVERY))
    elapsed = time.monotonic() - begun
    cpu, consumed = cpu_seconds(process.pid) - cpu, counted(url) - consumed
    time.sleep(2)
    done.set()
    looking.join()
    return (f"{consumed / elapsed:.0f} | {100 * cpu / elapsed:.0f} % | {rss_mib(process.pid):.0f} "
            f"| {delays(sent, committed, 'store')} | {delays(sent, streamed, 'stream')} |")


def counted(url):
    return json.load(urllib.request.urlopen(url + "api/v1/status"))["ledger"]["consumed"]


def rss_mib(pid):
    return next(int(line.split()[1]) / 1024 for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--seconds", type=int, default=30)
    words = parser.parse_args()
    print(f"{machine()}\n")
    print("| asked/s | consumed/s | CPU of one core | greatest RSS MiB | sent → committed p50 / p99 ms "
          "| sent → stream p50 / p99 ms |")
    print("| --- | --- | --- | --- | --- | --- |")
    for rate in words.rate:
        with Broker() as broker, tempfile.TemporaryDirectory() as folder:
            for topic in TOPICS:
                broker.create(topic, 8)
            data = os.path.join(folder, "data")
            process, url = start_run(broker.address, data)
            shop = subprocess.Popen([BINARY, "simulate", "-b", broker.address, "--rate", str(rate), "--seed", "3"],
                                    stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                print(f"| {rate} | {measure(process, url, broker.address, data, words.seconds)}", flush=True)
            finally:
                stopping(shop)
                stopping(process)


if __name__ == "__main__":
    main()
