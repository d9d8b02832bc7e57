#!/usr/bin/env python3
"""Full pipeline against a bare librdkafka consume loop: same topic, same run, interleaved.

Usage: bench/ingest.py [--records N] [--rounds N] [--partitions N] [--codec lz4] [--stall] [-X NAME=VALUE ...]
Checks first that the store's sums by category are exact. Prints a table for bench/README.md. --stall adds the pipeline
with a queue of 1 MB, which is full all the time: as it is set up, and with the back-off of a second that librdkafka
has of itself.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

from harness import BINARY, Broker, find_tool, last_json, machine, spread


TOPIC = "transactions"
SMALL_QUEUE = ["-X", "queued.max.messages.kbytes=1024"]
OWN_BACKOFF = ["-X", "fetch.queue.backoff.ms=1000"]


def pipeline(address, folder, extra):
    shutil.rmtree(folder, ignore_errors=True)
    command = [BINARY, "run", "-b", address, "--from", "earliest", "-e", "--port", "0", "--data", folder, *extra]
    return last_json(command + ["-t", TOPIC])


def write_transactions(path, count, rate):
    """One line a record, about 240 bytes, Zipf products; and the exact sums by currency and by category."""
    random = __import__("random").Random(7)
    categories = ["Home", "Garden", "Fashion", "Electronics", "Sports", "Books", "Toys", "Food"]
    weights = [1 / (rank + 1) ** 0.66 for rank in range(5000)]
    products = random.choices(range(5000), weights, k=count)
    start = 1_767_225_600_000  # 2026-01-01
    by_category = {}
    with open(path, "w") as out:
        for number, product in enumerate(products):
            cents = random.randrange(99, 20_000)
            category = categories[product % 8]
            orders, gross = by_category.get(category, (0, 0))
            by_category[category] = (orders + 1, gross + cents * 10_000)
            out.write(f'{{"transaction_id":"t-{number:012d}","user_id":"user-{product * 7919 % 100003:07d}",'
                      f'"session_id":"s-{number // 3:012d}","product_id":"product-{product:06d}",'
                      f'"category":"{category}","currency":"EUR","quantity":1,"amount":{cents // 100}.{cents % 100:02d},'
                      f'"timestamp":{start + number * 1000 // rate}}}\n')
    return by_category


def check(folder, wanted):
    """The store's sums must be the truth before anything is timed."""
    rows = json.loads(subprocess.run(
        [BINARY, "sql", "--data", folder, "--format", "json",
         "SELECT category, sum(orders) orders, sum(gross_micros) gross FROM categories_by_day GROUP BY category"],
        check=True, capture_output=True, text=True).stdout)
    store = {row["category"]: (int(row["orders"]), int(row["gross"])) for row in rows}
    if store != wanted:
        raise SystemExit(f"the numbers are wrong, nothing is measured: store {store}, truth {wanted}")


def row(name, runs):
    rate = spread([r["consumed"] / r["elapsed_s"] / 1e6 for r in runs])
    cpu = spread([r["cpu_s"] / r["consumed"] * 1e6 for r in runs])
    return (f"| {name} | {rate[0]:.2f} [{rate[1]:.2f}–{rate[2]:.2f}] "
            f"| {cpu[0]:.2f} [{cpu[1]:.2f}–{cpu[2]:.2f}] |")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--records", type=int, default=2_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--rate", type=int, default=5_000, help="records per second of event time")
    parser.add_argument("--codec", default="none")
    parser.add_argument("--stall", action="store_true")
    parser.add_argument("-X", action="append", default=[])
    words = parser.parse_args()
    extra = [part for x in words.X for part in ("-X", x)]
    bare = find_tool("bare_consume_bench")
    with Broker() as broker, tempfile.TemporaryDirectory() as folder:
        broker.create(TOPIC, words.partitions)
        lines = os.path.join(folder, "lines")
        truth = write_transactions(lines, words.records, words.rate)
        with open(lines) as source:
            subprocess.run([find_tool("produce"), "-b", broker.address, "-t", TOPIC, "-z", words.codec],
                           stdin=source, stdout=subprocess.DEVNULL, check=True)
        os.remove(lines)
        data = os.path.join(folder, "data")
        pipeline(broker.address, data, extra + ["--zone", "UTC"])  # warms the page cache, checks
        check(data, truth)
        bares, fulls, ratios = [], [], []
        for number in range(words.rounds):
            pair = [lambda: bares.append(last_json([bare, broker.address, TOPIC])),
                    lambda: fulls.append(pipeline(broker.address, data, extra + ["--zone", "UTC"]))]
            for step in pair if number % 2 == 0 else reversed(pair):
                step()
            ratios.append(bares[-1]["elapsed_s"] / fulls[-1]["elapsed_s"])
            print(f"round {number + 1}: ratio {ratios[-1]:.2f}", file=sys.stderr)
        full = [[pipeline(broker.address, data, extra + ["--zone", "UTC"] + SMALL_QUEUE + more)]
                for more in ([], OWN_BACKOFF) if words.stall]
    ratio = spread(ratios)
    print(f"{machine()}\n{words.records} transactions, {words.partitions} partitions, {words.codec}, "
          f"{words.rounds} rounds, median [least–greatest]; whole processes, start to exit\n")
    print("| | M records/s | CPU µs per record |\n| --- | --- | --- |")
    print(row("bare librdkafka consume", bares))
    print(row("full pipeline with commits", fulls))
    for name, runs in zip(["with a queue of 1 MB", "the same and a back-off of one second"], full):
        print(row(name, runs))
    print(f"\nratio {ratio[0]:.2f} [{ratio[1]:.2f}–{ratio[2]:.2f}], "
          f"greatest RSS {max(r['max_rss_bytes'] for r in fulls) / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
