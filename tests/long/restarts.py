#!/usr/bin/env python3
"""A real broker that is stopped or killed one to three times in a row, the next time as soon as the
page says live again, while records trickle in; then one record for every partition must be counted soon.

    tests/long/restarts.py [CYCLES]   default: 100 cycles, about 20 s each

RETAILPULSE_SEED=N repeats a run. The last line is the summary; exit 1 when something is wrong."""

import pathlib
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import stage          # noqa: E402

TOPIC = "orders"
PARTITIONS = 24
LIVE_WITHIN = 10       # seconds after the broker is back
COUNTED_WITHIN = 5     # seconds after the last record was written


def sale(number):
    return {"transaction_id": str(number), "product_id": "p", "amount": 1}


def trickle(broker, first, count):
    """Writes fifty records a second beside us, wherever the client puts them."""
    tool = subprocess.Popen(broker.produce_command(TOPIC, "--each", 20), stdin=subprocess.PIPE,
                            stdout=subprocess.DEVNULL)
    tool.stdin.write(stage.lines_of(sale(first + i) for i in range(count)))  # less than a pipe holds
    tool.stdin.close()
    return tool


def restart(broker, run, dice):
    """Seconds until the page says live."""
    broker.stop(kill=dice.random() < 0.6)
    time.sleep(dice.choice([0, dice.uniform(0, 2)]))
    broker.start()
    back = time.monotonic()
    stage.wait_until(lambda: run.status()["state"]["name"] == "live", 60, run.reached, 0.02)
    return time.monotonic() - back


def cycle(broker, run, dice, number):
    """How many records were written, and the longest times until live and until all was counted."""
    written = dice.randrange(50, 800)
    tool = trickle(broker, number, written)
    time.sleep(dice.uniform(0, 1))
    slowest = max(restart(broker, run, dice) for _ in range(dice.randrange(1, 4)))
    if tool.wait(120) != 0:
        raise AssertionError("not every record was written")
    for partition in range(PARTITIONS):
        broker.produce(TOPIC, [sale(number + written + partition)], partition=partition)
    written += PARTITIONS
    done = time.monotonic()
    run.wait_for_consumed(number + written, 60)
    return written, slowest, time.monotonic() - done


def main():
    cycles = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    dice, written, live, counted = stage.seeded(), 0, 0.0, 0.0
    with tempfile.TemporaryDirectory(prefix="retailpulse-restarts.") as name:
        folder = pathlib.Path(name)
        broker = stage.Broker(folder / "broker").start()
        try:
            broker.create(TOPIC, PARTITIONS)
            run = stage.Process(
                ["run", "-b", broker.address, "-t", f"{TOPIC}=transactions", "--data", folder / "data",
                 "--port", "0", "--zone", "UTC", "--from", "earliest"], folder, "run").wait_for_page()
            for number in range(cycles):
                more, until_live, until_counted = cycle(broker, run, dice, written)
                written, live, counted = written + more, max(live, until_live), max(counted, until_counted)
                if number % 10 == 9:
                    print(f"{number + 1} cycles, {written} records, slowest: live {live:.1f} s, "
                          f"counted {counted:.1f} s", flush=True)
            ledger = run.status()["ledger"]
            code, _ = run.terminate()
        finally:
            broker.stop(kill=True)
    wrong = [f"{k} {v}" for k, v in ledger.items() if v and k not in ("consumed", "counted", "late")]
    wrong += [] if ledger["counted"] == written else [f"counted {ledger['counted']} of {written}"]
    wrong += [f"exit code {code}"] if code else []
    print(f"{cycles} cycles, {written} records; wrong: {wrong or 0}; slowest: live {live:.1f} s after the broker, "
          f"counted {counted:.1f} s after the last record")
    sys.exit(0 if not wrong and live <= LIVE_WITHIN and counted <= COUNTED_WITHIN else 1)


if __name__ == "__main__":
    main()
