#!/usr/bin/env python3
"""Full pipeline against a bare librdkafka consume loop: same topics, same run, interleaved.

Usage: bench/ingest.py [--records N] [--rounds N] [--mix sales|shop] [-X NAME=VALUE ...]
Checks first that the pipeline's totals equal the simulator's truth. Prints a table for bench/README.md.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile

from harness import BINARY, TOPICS, Broker, find_tool, last_json, machine, spread


def pipeline(address, folder, extra):
    shutil.rmtree(folder, ignore_errors=True)
    command = [BINARY, "run", "-b", address, "--from", "earliest", "-e", "--port", "0", "--data", folder, *extra]
    for topic in TOPICS:
        command += ["-t", topic]
    return last_json(command)


def check(folder, truth_file):
    """The store's sums must be the truth before anything is timed."""
    truth = json.load(open(truth_file))
    rows = json.loads(subprocess.run(
        [BINARY, "sql", "--data", folder, "--format", "json",
         "SELECT currency, sum(gross_micros) gross, sum(refunds_micros) refunds, sum(orders) orders "
         "FROM totals_by_day GROUP BY currency"], check=True, capture_output=True, text=True).stdout)
    store = {row["currency"]: (row["gross"], row["refunds"], row["orders"]) for row in rows}
    wanted = {name: (t["gross_micros"], t["refunds_micros"], t["orders"])
              for name, t in truth["totals"].items()} if isinstance(truth["totals"], dict) else \
             {t["currency"]: (t["gross_micros"], t["refunds_micros"], t["orders"]) for t in truth["totals"]}
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
    parser.add_argument("--mix", default="sales")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("-X", action="append", default=[])
    words = parser.parse_args()
    extra = [part for x in words.X for part in ("-X", x)]
    bare = find_tool("bare_consume_bench")
    with Broker() as broker, tempfile.TemporaryDirectory() as folder:
        for topic in TOPICS:
            broker.create(topic, words.partitions)
        truth = os.path.join(folder, "truth.json")
        subprocess.run([BINARY, "simulate", "-b", broker.address, "--mix", words.mix, "--seed", "7",
                        "--count", str(words.records), "--rate", str(words.rate), "--speed", "0",
                        "--truth", truth, "--zone", "UTC"], check=True, stdout=subprocess.DEVNULL)
        data = os.path.join(folder, "data")
        pipeline(broker.address, data, extra + ["--zone", "UTC"])  # warms the page cache, checks
        check(data, truth)
        bares, fulls, ratios = [], [], []
        for number in range(words.rounds):
            pair = [lambda: bares.append(last_json([bare, broker.address, *TOPICS])),
                    lambda: fulls.append(pipeline(broker.address, data, extra + ["--zone", "UTC"]))]
            for step in pair if number % 2 == 0 else reversed(pair):
                step()
            ratios.append(bares[-1]["elapsed_s"] / fulls[-1]["elapsed_s"])
            print(f"round {number + 1}: ratio {ratios[-1]:.2f}", file=sys.stderr)
    ratio = spread(ratios)
    print(f"{machine()}\n{words.records} records, mix {words.mix}, {words.partitions} partitions a topic, "
          f"{words.rounds} rounds, median [least–greatest]; whole processes, start to exit\n")
    print("| | M records/s | CPU µs per record |\n| --- | --- | --- |")
    print(row("bare librdkafka consume", bares))
    print(row("full pipeline with commits", fulls))
    print(f"\nratio {ratio[0]:.2f} [{ratio[1]:.2f}–{ratio[2]:.2f}], "
          f"greatest RSS {max(r['max_rss_bytes'] for r in fulls) / 2**20:.0f} MiB")


if __name__ == "__main__":
    main()
