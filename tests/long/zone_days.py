#!/usr/bin/env python3
"""Row T9: when every civil day begins, in every zone, against Python's zoneinfo.

    tests/long/zone_days.py [--years 2000-2040] [--zones Europe/Berlin,Asia/Gaza]

Nothing here is random. The last line is the summary."""

import argparse
import collections
import datetime
import os
import pathlib
import subprocess
import sys
import zoneinfo

SOURCE = pathlib.Path(__file__).resolve().parents[2]
TOOLS = pathlib.Path(os.environ.get("RETAILPULSE_TOOLS") or SOURCE / "build/release/tools")
UTC = datetime.timezone.utc
DAY = datetime.timedelta(days=1)
NOT_IANA = {"localtime", "Factory"}  # this machine's, and a placeholder


def gap_end(zone, midnight):
    """The first second at which the clocks show `midnight` or later, when they never show it."""
    early = int(midnight.replace(tzinfo=UTC).timestamp()) - 26 * 3600
    late = early + 52 * 3600
    while late - early > 1:
        middle = (early + late) // 2
        shown = datetime.datetime.fromtimestamp(middle, zone).replace(tzinfo=None)
        if shown >= midnight:
            late = middle
        else:
            early = middle
    return late


def day_begin(zone, midnight):
    moment = midnight.replace(tzinfo=zone).astimezone(UTC)
    if moment.astimezone(zone).replace(tzinfo=None) == midnight:
        return int(moment.timestamp())
    return gap_end(zone, midnight)


def days_of(name, first, last):
    """As the tool prints them; and how many days were looked at."""
    zone = zoneinfo.ZoneInfo(name)
    out, before, count = [], None, 0
    midnight = datetime.datetime(first, 1, 1)
    while midnight.year <= last:
        begin = day_begin(zone, midnight)
        if before is None or begin - before != 86400:
            out.append(f"{name} {midnight:%Y-%m-%d} {begin}")
        before = begin
        midnight += DAY
        count += 1
    return out, count


def compare(names, first, last):
    """The days that differ, how many were compared, and how many had not 24 hours."""
    run = subprocess.run([TOOLS / "zone_days", str(first), str(last)], text=True, check=False,
                         input="\n".join(names) + "\n", capture_output=True)
    if run.returncode != 0:
        raise AssertionError(run.stderr)
    ours = collections.defaultdict(list)
    for line in run.stdout.splitlines():
        ours[line.split(" ", 1)[0]].append(line)
    different, days, odd = [], 0, 0
    for name in names:
        theirs, count = days_of(name, first, last)
        days += count
        odd += len(theirs) - 1
        different += sorted(set(theirs) ^ set(ours[name]))
    return different, days, odd


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--years", default="2000-2040")
    parser.add_argument("--zones", default="")
    options = parser.parse_args()
    first, last = (int(year) for year in options.years.split("-"))
    names = options.zones.split(",") if options.zones else sorted(
        zoneinfo.available_timezones() - NOT_IANA)
    different, days, odd = compare(names, first, last)
    for line in different[:20]:
        print(line)
    print(f"{len(names)} zones, {first} to {last}: {days} days compared, {odd} of them after a change of "
          f"the clocks; mismatches {len(different)}")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
