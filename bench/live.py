#!/usr/bin/env python3
"""A live shop: CPU, memory, and how long a record takes from the producer to the page's stream.

Usage: bench/live.py [--rate 20000] [--seconds 30]
Probes are interactions of a type of their own, sent through a second producer while the shop runs; the time is
taken when the stream's frame first counts that type.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from harness import BINARY, TOPICS, Broker, find_tool, machine


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
    with urllib.request.urlopen(url + "api/v1/stream") as stream:
        for raw in stream:
            if not raw.startswith(b"data:"):
                continue
            now = time.monotonic()
            for name in re.findall(rb'"name":"probe_(\d+)"', raw):
                seen.setdefault(int(name), now)


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def rss_mib(pid):
    return next(int(line.split()[1]) / 1024 for line in open(f"/proc/{pid}/status") if line.startswith("VmHWM"))


def send_probes(address, count, sent):
    producer = subprocess.Popen([find_tool("produce"), "-b", address, "-t", "interactions", "--linger-ms", "0"],
                                stdin=subprocess.PIPE, text=True, bufsize=1)
    for number in range(count):
        sent[number] = time.monotonic()
        producer.stdin.write(json.dumps({"type": f"probe_{number}", "user_id": "probe"}) + "\n")
        producer.stdin.flush()
        time.sleep(0.1037)  # out of step with frames and commits
    producer.stdin.close()
    producer.wait()


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--seconds", type=int, default=30)
    words = parser.parse_args()
    with Broker() as broker, tempfile.TemporaryDirectory() as folder:
        for topic in TOPICS:
            broker.create(topic, 8)
        process, url = start_run(broker.address, os.path.join(folder, "data"))
        shop = subprocess.Popen([BINARY, "simulate", "-b", broker.address, "--rate", str(words.rate), "--seed", "3"],
                                stdout=subprocess.DEVNULL)
        seen, sent = {}, {}
        threading.Thread(target=watch_stream, args=(url, seen), daemon=True).start()
        time.sleep(8)  # the shop is open, the catalogue is known
        begun, cpu = time.monotonic(), cpu_seconds(process.pid)
        status = json.load(urllib.request.urlopen(url + "api/v1/status"))["ledger"]["consumed"]
        probes = min(280, int(words.seconds / 0.1037))
        send_probes(broker.address, probes, sent)
        elapsed, cpu = time.monotonic() - begun, cpu_seconds(process.pid) - cpu
        consumed = json.load(urllib.request.urlopen(url + "api/v1/status"))["ledger"]["consumed"] - status
        time.sleep(2)
        metrics = urllib.request.urlopen(url + "metrics").read().decode()
        for child in (shop, process):
            child.send_signal(signal.SIGTERM)
            child.wait()
        took = [seen[n] - sent[n] for n in sent if n in seen]
        if len(took) < len(sent) * 0.99:
            raise SystemExit(f"only {len(took)} of {len(sent)} probes were seen")
        print(machine())
        print(f"\n| asked/s | counted/s | CPU of one core | greatest RSS MiB | record -> stream p50 ms | p99 ms |"
              f"\n| --- | --- | --- | --- | --- | --- |\n| {words.rate} | {consumed / elapsed:.0f} "
              f"| {100 * cpu / elapsed:.0f} % | {rss_mib_of(metrics):.0f} "
              f"| {1000 * percentile(took, .5):.0f} | {1000 * percentile(took, .99):.0f} |")
        print("\n" + commit_line(metrics), file=sys.stderr)


def rss_mib_of(metrics):
    found = re.search(r"process_resident_memory_bytes (\S+)", metrics)
    return float(found.group(1)) / 2**20 if found else float("nan")


def commit_line(metrics):
    return "\n".join(line for line in metrics.splitlines() if "commit" in line and not line.startswith("#"))[:1500]


if __name__ == "__main__":
    main()
