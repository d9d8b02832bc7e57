"""The SQL console against the running program: a seeded sample of hostile statements writes nothing,
takes no longer than it may and does not disturb counting. tests/long/sql_attacks asks 2,000."""

import hashlib
import http.client
import json
import os
import pathlib
import random
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

import sql_attacks  # noqa: E402
import stage  # noqa: E402

WALL = 2.0      # after which a statement is killed
ANSWER = 2.2    # within which there is an answer
COUNT = int(os.environ.get("RETAILPULSE_SQL_ATTACKS") or 200)
SLOW = int(os.environ.get("RETAILPULSE_SQL_SLOW") or 4)
SECONDS = float(os.environ.get("RETAILPULSE_SQL_SECONDS") or 4)
UNDISTURBED = 0.4  # of the pace without a console: the two statements want both cores of a small machine


def ask(page, query, headers=None, body=None):
    """Status, answer and seconds of one POST."""
    address = urllib.parse.urlsplit(page).netloc
    connection = http.client.HTTPConnection(address, timeout=30)
    sent = {"Content-Type": "application/json", "X-RetailPulse": "1"} if headers is None else headers
    begun = time.monotonic()
    connection.request("POST", "/api/v1/sql",
                       json.dumps({"query": query}) if body is None else body, sent)
    reply = connection.getresponse()
    text = reply.read()
    took = time.monotonic() - begun
    connection.close()
    return reply.status, json.loads(text), took


def prints(data):
    """What must stay: every file of the data folder, by content."""
    return {p.name: hashlib.sha256(p.read_bytes()).hexdigest()
            for p in sorted(pathlib.Path(data).iterdir()) if not p.name.endswith("-shm")}


class SqlConsoleTest(stage.Stage):
    def filled(self):
        """The folder of a store that a demo shop has filled."""
        data = self.new_data()
        demo = self.start("demo", "--data", data, "--port", "0", "--rate", "300").wait_for_page()
        demo.wait_for_consumed(500, 30)
        demo.terminate()
        return data

    def at_rest(self, data):
        """A running program that counts nothing: its broker is not there."""
        return self.start("run", "-b", "127.0.0.1:1", "-t", "transactions", "--data", data, "--port",
                          "0", "--zone", stage.open_store(data).execute(
                              "SELECT value FROM meta WHERE key='zone'").fetchone()[0]
                          ).wait_for_page()

    def test_hostile_statements_write_nothing_and_end_in_time(self):
        dice = stage.seeded()
        data = self.filled()
        program = self.at_rest(data)
        path = pathlib.Path(self.folder, "must-not-be")
        status, answer, _ = ask(program.page, "SELECT sum(records) FROM ledger")
        self.assertEqual(status, 200, answer)
        consumed = answer["rows"][0][0]
        self.assertGreaterEqual(consumed, 500)
        before = prints(data)
        outcomes, slowest, wrong = {}, 0.0, []
        for kind, statement in sql_attacks.statements(dice, COUNT, path, SLOW):
            status, answer, took = ask(program.page, statement)
            slowest = max(slowest, took)
            outcomes[status] = outcomes.get(status, 0) + 1
            if took > ANSWER:
                wrong.append(f"{took:.2f} s: {kind}: {statement[:200]!r}")
            if status not in (200, 400, 503) or (status != 200 and len(answer["detail"]) < 10):
                wrong.append(f"{status} {answer}: {kind}: {statement[:200]!r}")
            if status == 200 and kind in ("write", "pragma", "several", "transaction", "slow"):
                if kind != "slow" or not answer["truncated"]:
                    wrong.append(f"answered: {kind}: {statement[:200]!r}: {str(answer)[:200]}")
            if status == 200 and any(len(row) != len(answer["columns"]) for row in answer["rows"]):
                wrong.append(f"rows and columns differ: {statement[:200]!r}")
        print(f"{COUNT} hostile statements: {outcomes}, slowest {slowest:.2f} s, "
              f"{len(wrong)} wrong", file=sys.stderr)
        self.assertEqual(wrong, [])
        self.assertFalse(path.exists())
        self.assertEqual(prints(data), before, "a file of the store changed")
        status, answer, _ = ask(program.page, "SELECT sum(records) FROM ledger")
        self.assertEqual((status, answer["rows"]), (200, [[consumed]]))
        self.assertIsNone(program.popen.poll(), program.told())

    def test_counting_goes_on_beside_endless_statements(self):
        demo = self.start("demo", "--data", self.new_data(), "--port", "0", "--rate", "500").wait_for_page()
        demo.wait_for_consumed(1000, 30)
        counts = lambda: (demo.status()["frame"], demo.status()["ledger"]["consumed"])  # noqa: E731

        def pace():
            frame, consumed = counts()
            time.sleep(SECONDS)
            then = counts()
            return (then[0] - frame) / SECONDS, (then[1] - consumed) / SECONDS
        alone = pace()
        stop = threading.Event()
        asked = []

        def torment(statement):
            while not stop.is_set():
                asked.append(ask(demo.page, statement)[::2])
        tormentors = [threading.Thread(target=torment, args=(statement,))
                      for statement in (sql_attacks.SLOW[0], sql_attacks.SLOW[6])]
        for each in tormentors:
            each.start()
        beside = pace()
        # The third is told at once that there is no place.
        status, answer, took = ask(demo.page, "SELECT 1")
        stop.set()
        for each in tormentors:
            each.join()
        print(f"alone {alone[0]:.1f} commits/s {alone[1]:.0f} records/s, beside two endless "
              f"statements {beside[0]:.1f} and {beside[1]:.0f}; {len(asked)} asked, slowest "
              f"{max(t for _, t in asked):.2f} s", file=sys.stderr)
        self.assertIn(status, (429, 200), answer)
        self.assertLess(took, 1.0)
        self.assertGreater(beside[0], alone[0] * UNDISTURBED)
        self.assertGreater(beside[1], alone[1] * UNDISTURBED)
        self.assertLess(max(t for _, t in asked), ANSWER)

    def test_only_our_own_page_may_ask(self):
        program = self.at_rest(self.filled())
        good = {"Content-Type": "application/json", "X-RetailPulse": "1"}
        own = program.page.rstrip("/")
        self.assertEqual(ask(program.page, "SELECT 1", {**good, "Origin": own})[0], 200)
        for bad in ({"Content-Type": "application/json"},
                    {"Content-Type": "text/plain", "X-RetailPulse": "1"},
                    {"Content-Type": "application/x-www-form-urlencoded", "X-RetailPulse": "1"},
                    {**good, "Origin": "http://evil.example"}, {**good, "Origin": "null"},
                    {**good, "Sec-Fetch-Site": "cross-site"}, {**good, "Sec-Fetch-Site": "same-site"},
                    {**good, "Host": "evil.example"}):
            status, _, _ = ask(program.page, "SELECT 1", bad)
            self.assertIn(status, (403, 415, 421), bad)
        for body in ("", "[]", "{", '{"query":1}', '{"query":"SELECT 1","x":1}', "query=SELECT"):
            self.assertEqual(ask(program.page, "", body=body)[0], 400, body)


if __name__ == "__main__":
    stage.main()
