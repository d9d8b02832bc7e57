#!/usr/bin/env python3
"""Rows K2 and K13 of the fault list at full size, against the release program and a scripted broker.

    tests/long/broker_faults.py chaos [CYCLES]     default: 500 cycles
    tests/long/broker_faults.py growth [RECORDS]   default: 1,000,000 records, 4 -> 8 -> 16 partitions

RETAILPULSE_SEED=N repeats a run. The last line is the summary; exit 1 when something is wrong."""

import pathlib
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "integration"))

import scripted       # noqa: E402
import stage          # noqa: E402

RECOVERED_WITHIN = 10
SEEN_WITHIN = 35


class Shop:
    """A topic on a scripted broker, what was sold, and the program that counts it."""

    def __init__(self, folder, random, nodes, partitions):
        self.random, self.data = random, folder / "data"
        self.broker = scripted.ScriptedBroker(nodes)
        self.broker.do("topic", "orders", partitions)
        self.count = self.cents = 0
        self.partitions = partitions
        self.folder = folder
        self.address = self.broker.address

    def sell(self, partition, count):
        records = []
        for _ in range(count):
            cents = self.random.randrange(1, 10**5)
            self.cents += cents
            records.append(f'{{"transaction_id":"{self.random.getrandbits(60)}","product_id":"p",'
                           f'"amount":"{cents // 100}.{cents % 100:02}"}}')
        self.count += count
        self.broker.append("orders", partition, records)

    def start(self):
        self.run = stage.Process(
            ["run", "-b", self.address, "-t", "orders=transactions", "--data", self.data, "--port",
             "0", "--zone", "UTC", "--from", "earliest"], self.folder, "run").wait_for_page()
        self.run.wait_for_consumed(self.count, 20)

    def faults(self):
        """Ends the program; what its store says wrong."""
        code, _ = self.run.terminate()
        with stage.open_store(self.data) as db:
            [row] = db.execute("SELECT sum(orders), sum(gross_micros) FROM totals WHERE tier=0")
            [(gaps,)] = db.execute("SELECT count(*) FROM gaps")
        wrong = [] if row == (self.count, self.cents * 10**4) else [f"{row} of {self.count} records"]
        return wrong + ([f"exit code {code}"] if code else []) + ([f"{gaps} gaps"] if gaps else [])


class Chaos:
    """One fault each time; `heal` ends it, and everything must be counted soon after."""

    def __init__(self, shop):
        self.shop, self.random = shop, shop.random
        self.proxies = []
        for node, address in enumerate(shop.broker.address.split(","), 1):
            proxy = scripted.Proxy(int(address.rsplit(":", 1)[1]))
            shop.broker.do("node", node, "port", proxy.port)
            self.proxies.append(proxy)
        shop.address = ",".join(f"127.0.0.1:{p.port}" for p in self.proxies)

    def inflict(self, fault):
        proxy = self.random.choice(self.proxies)
        node = self.proxies.index(proxy) + 1
        link, do = proxy.link, self.shop.broker.do
        if fault == "stall":
            link.passes = False
        elif fault == "half open":
            proxy.forget()
        elif fault == "reset":
            proxy.reset()
        elif fault == "refused":
            link.accept = False
            proxy.reset()
        elif fault == "cut":
            link.cut_after = self.random.randrange(2000)
        elif fault == "slow":
            link.delay, link.bytes_per_second = 0.1, 50_000
        elif fault == "node down":
            do("node", node, "down")
        elif fault == "leaders move":
            for partition in range(self.shop.partitions):
                do("leader", "orders", partition, self.random.randrange(1, 3))
        elif fault == "node silent":
            do("node", node, "silent")
        return lambda: self.heal(link, node)

    def heal(self, link, node):
        link.passes = link.accept = True
        link.delay = link.bytes_per_second = 0
        self.shop.broker.do("node", node, "up")
        self.shop.broker.do("node", node, "speaking")


FAULTS = ("stall", "half open", "reset", "refused", "cut", "slow", "node down", "leaders move",
          "node silent")


def chaos(folder, random, cycles):
    shop = Shop(folder, random, nodes=2, partitions=4)
    trouble = Chaos(shop)
    shop.sell(0, 10)
    shop.start()
    slowest = dict.fromkeys(FAULTS, 0.0)
    for cycle in range(cycles):
        fault = FAULTS[cycle % len(FAULTS)]
        heal = trouble.inflict(fault)
        until = time.monotonic() + random.uniform(0.1, 3)
        while time.monotonic() < until:
            shop.sell(random.randrange(shop.partitions), random.randrange(1, 30))
            time.sleep(random.uniform(0, 0.3))
        heal()
        healed = time.monotonic()
        shop.sell(random.randrange(shop.partitions), 5)
        shop.run.wait_for_consumed(shop.count, 60)
        slowest[fault] = max(slowest[fault], time.monotonic() - healed)
        if cycle % 50 == 49:
            print(f"{cycle + 1} cycles, {shop.count} records, slowest recovery "
                  f"{max(slowest.values()):.1f} s", flush=True)
    wrong = shop.faults()
    late = [f"{k} {v:.1f} s" for k, v in slowest.items() if v > RECOVERED_WITHIN]
    told = ", ".join(f"{k} {v:.1f}" for k, v in slowest.items())
    print(f"{cycles} cycles, {shop.count} records; wrong: {wrong or 0}; slowest recovery in s: {told}")
    return not wrong and not late


def growth(folder, random, records):
    shop = Shop(folder, random, nodes=1, partitions=4)
    for partition in range(4):
        shop.sell(partition, records // 16)
    shop.start()
    seen = []
    for total in (8, 16):
        before = shop.partitions
        shop.broker.do("grow", "orders", total)
        grown = time.monotonic()
        shop.partitions = total
        share = records * (total - before) // 16 // total
        for partition in list(range(before, total)) + list(range(before)):  # new ones first
            for left in range(share, 0, -1000):
                shop.sell(partition, min(left, 1000))
        stage.wait_until(lambda: len(shop.run.get("api/v1/partitions")["rows"]) == total, 60,
                         "the new partitions are seen", 0.2)
        seen.append(time.monotonic() - grown)
    shop.run.wait_for_consumed(shop.count, 60)
    wrong = shop.faults()
    print(f"{shop.count} records, 4 -> 8 -> 16 partitions; wrong: {wrong or 0}; seen after "
          f"{', '.join(f'{s:.1f} s' for s in seen)}")
    return not wrong and max(seen) <= SEEN_WITHIN


def main():
    what = sys.argv[1] if len(sys.argv) > 1 else "chaos"
    number = int(sys.argv[2]) if len(sys.argv) > 2 else {"chaos": 500, "growth": 1_000_000}[what]
    with tempfile.TemporaryDirectory(prefix="retailpulse-broker.") as folder:
        good = {"chaos": chaos, "growth": growth}[what](pathlib.Path(folder), stage.seeded(), number)
    sys.exit(0 if good else 1)


if __name__ == "__main__":
    main()
