"""Prints the bad-input corpus of one category of records, each case with what the model says of it.

    records.py CATEGORY      a line for each case: STREAM ZONE RECORD_US KEY VALUE EXPECTED, with tabs between

KEY and VALUE are bytes in hex, "61*1000" is a repetition, "-" is null. Everything follows from SEED.
"""
import random
import sys

import json_cases
import record_cases
import value_cases
from shop_model import MAPPED, RECORD_US, Stream, judge

SEED = 20
CATEGORIES = {  # with the least number of cases
    "json": (json_cases.syntax, 2000), "utf8": (json_cases.utf8, 500), "numbers": (value_cases.numbers, 600),
    "money": (value_cases.money, 300), "timestamps": (value_cases.timestamps, 1000), "structure": (record_cases.structure, 800),
    "size": (record_cases.size, 100), "kafka": (record_cases.kafka, 400),
}
STREAMS = {
    "transactions": {}, "product_listings": {"role": "product_listings"}, "feedback": {"role": "feedback"},
    "interactions": {"role": "interactions"}, "mapped": {"fields": MAPPED}, "kafka_time": {"record_time": True},
}


class Case:
    def __init__(self, value, stream="transactions", expected=None, zone="UTC", record_us=RECORD_US, key=b"", packed=None):
        self.value = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
        self.stream, self.expected, self.zone, self.record_us, self.key, self.packed = stream, expected, zone, record_us, key, packed

    def line(self):
        verdict = judge(Stream(zone=self.zone, **STREAMS[self.stream]), self.value, self.record_us)
        if self.expected is not None:  # what the generator knows by construction must agree with the model
            assert self.expected == verdict or (self.expected == "ok" and not verdict.startswith("reject")), \
                (self.value[:300], self.expected, verdict)
        value = "-" if self.value is None else self.packed or self.value.hex()
        return "\t".join([self.stream, self.zone, str(self.record_us), self.key.hex(), value, verdict])


def distinct(cases, wanted):
    """All up to the None that ends what is written down, then as many of the random ones as are wanted still."""
    seen = set()
    written_down = True
    for case in cases:
        written_down = written_down and case is not None
        if not written_down and len(seen) >= wanted:
            return
        mark = case and (case.stream, case.zone, case.record_us, case.key, case.value)
        if case and mark not in seen:
            seen.add(mark)
            yield case


def main():
    make, wanted = CATEGORIES[sys.argv[1]]
    for case in distinct(make(Case, random.Random(f"{SEED} {sys.argv[1]}")), wanted):
        print(case.line())


if __name__ == "__main__":
    main()
