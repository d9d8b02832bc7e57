"""T9: the shop's days against Python's zoneinfo: zones with every kind of change, 2000 to 2040.

All zones are in tests/long/zone_days.py."""

import pathlib
import sys

import stage

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "long"))

import zone_days  # noqa: E402

# At midnight, over midnight, half hours, quarters, backwards by name, Ramadan, a day left out, rules
# that ended, and one that has none.
ZONES = ["Africa/Cairo", "Africa/Casablanca", "America/Havana", "America/Nuuk", "America/Santiago",
         "America/St_Johns", "Antarctica/Troll", "Asia/Beirut", "Asia/Gaza", "Asia/Kathmandu",
         "Asia/Tehran", "Australia/Lord_Howe", "Europe/Berlin", "Europe/Dublin", "Pacific/Apia",
         "Pacific/Chatham", "UTC"]


class ZoneDaysTest(stage.Stage):
    def test_days_are_those_of_zoneinfo(self):
        different, days, odd = zone_days.compare(ZONES, 2000, 2040)
        print(f"{days} days compared, {odd} after a change of the clocks", flush=True)
        self.assertEqual(different, [])
        self.assertGreater(odd, 500)


if __name__ == "__main__":
    stage.main()
