"""Rejected records are replayed after a mapping fix: each enters once, through kills and repeats."""

import collections
import http.client
import json
import threading
import time
import urllib.parse

import stage

GOOD, BAD, HOPELESS, COPIES = 300, 400, 20, 30
KILLS = 6
CUT = 3000  # bytes of a record that is kept in part


def sale(number, key, note=""):
    record = {"transaction_id": f"t{number}", key: f"p{number % 7}", "amount": f"{number % 90 + 1}.25",
              "timestamp": f"2024-11-25T10:{number // 60 % 60:02}:{number % 60:02}Z"}
    return {**record, "note": note} if note else record


def amount(numbers):
    return sum((n % 90 + 1) * 1_000_000 + 250_000 for n in numbers)


def post(page, body):
    """The answer, or None when the program went away."""
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(page).netloc, timeout=30)
    try:
        connection.request("POST", "/api/v1/rejects/replay", json.dumps(body),
                           {"Content-Type": "application/json", "X-RetailPulse": "1"})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    except (OSError, http.client.HTTPException, ValueError):
        return None
    finally:
        connection.close()


class ReplayTest(stage.KafkaStage):
    def test_each_record_enters_once_through_kills(self):
        random = stage.seeded()
        self.broker.create("orders", 2)
        numbers = range(GOOD, GOOD + BAD)
        for partition in (0, 1):
            mine = [n for n in numbers if n % 2 == partition]
            self.broker.produce("orders", [sale(n, "product_id") for n in range(GOOD) if n % 2 == partition]
                                + [sale(n, "sku") for n in mine] + ["{"] * (HOPELESS // 2)
                                + [sale(n, "sku") for n in mine[:COPIES // 2]]
                                + [sale(9000 + partition, "sku", "<img src=x onerror=alert(1)>" * (CUT // 28))],
                                partition=partition)
        total = GOOD + BAD + HOPELESS + COPIES + 2
        data = self.new_data()
        summary = self.run_to_end(["orders=transactions"], data)
        self.assertEqual((summary["counted"], summary["rejected"]), (GOOD, total - GOOD))

        config = self.folder / "fixed.json"
        config.write_text(json.dumps({"streams": [{
            "topic": "orders", "role": "transactions", "currency": "USD",
            "fields": {"product_id": "sku"}}]}))
        arguments = ["run", "-b", self.broker.address, "-c", config, "--data", data, "--port", "0",
                     "--zone", "UTC"]
        counted = 0
        for _ in range(KILLS):
            run = self.reading(arguments)
            asked = threading.Thread(target=self.replay_all, args=(run.page, random.randrange(3, 60)))
            asked.start()
            time.sleep(random.uniform(0, 0.5))
            run.kill()
            asked.join()
            with stage.open_store(data) as db:
                before, counted = counted, self.sound(db, total)
            self.assertGreaterEqual(counted, before)
        run = self.reading(arguments)
        self.replay_all(run.page, 500)
        status, answer = post(run.page, {})
        self.assertEqual(status, 200, answer)
        self.assertEqual(len(answer["records"]), HOPELESS + 2)
        self.assertEqual({r["outcome"] for r in answer["records"]}, {"still_rejected", "cut"})
        with stage.open_store(data) as db:
            self.assertEqual(self.sound(db, total), BAD)
            ledger = dict(db.execute("SELECT bucket,sum(records) FROM ledger GROUP BY bucket"))
            self.assertEqual(ledger, {"counted": GOOD + BAD, "duplicate": COPIES, "rejected": HOPELESS + 2})
        raw = [row["raw"] for row in run.get("api/v1/rejects")["rows"] if row["truncated"]]
        self.assertEqual(len(raw), 2)
        self.assertTrue(all(len(text) == 2048 and "<img" in text for text in raw))
        # What is read from here on is judged like everything else: a copy of a replayed one is a duplicate.
        self.broker.produce("orders", [sale(numbers[0], "sku")], partition=numbers[0] % 2)
        run.wait_for_consumed(total + 1, 20)
        with stage.open_store(data) as db:
            self.assertEqual(self.sound(db, total + 1), BAD)
        self.assertEqual(run.terminate()[0], 0)

    def reading(self, arguments):
        """A running program that has found its partitions."""
        run = self.start(*arguments).wait_for_page()
        stage.wait_until(lambda: {row["at_end"] for row in run.get("api/v1/partitions")["rows"]}
                         == {True}, 20, run.told)
        return run

    def replay_all(self, page, limit):
        """In pages until all was tried or the program is gone."""
        after = 0
        while after is not None:
            answer = post(page, {"limit": limit, "after": after})
            if answer is None:
                return
            status, body = answer
            self.assertIn(status, (200, 429, 503), body)
            if status == 200:
                after = body["next"]

    def sound(self, db, total):
        """How many of the bad records entered; every number must be that of exactly these."""
        copies = collections.Counter({f"t{n}": 1 for n in range(GOOD, GOOD + BAD)})
        for partition in (0, 1):
            mine = [n for n in range(GOOD, GOOD + BAD) if n % 2 == partition]
            copies.update(f"t{n}" for n in mine[:COPIES // 2])
        left = collections.Counter(
            json.loads(raw)["transaction_id"] for raw, in db.execute(
                "SELECT raw FROM reject_rows WHERE reason='missing_field' AND length(raw)<2048"))
        # Of two copies one is counted and the other a duplicate, in whatever order they are tried.
        entered = [name for name in copies if left[name] < copies[name]]
        gone = sum(copies.values()) - sum(left.values())
        ledger = dict(db.execute("SELECT bucket,sum(records) FROM ledger GROUP BY bucket"))
        late = total - (GOOD + sum(copies.values()) + HOPELESS + 2)  # copies that came afterwards
        self.assertEqual(ledger.get("counted"), GOOD + len(entered))
        self.assertEqual(ledger.get("duplicate", 0), gone - len(entered) + late)
        self.assertEqual(sum(ledger.values()), total)
        [[net, lines]] = db.execute("SELECT sum(net_micros),sum(lines) FROM totals_by_day")
        self.assertEqual(lines, GOOD + len(entered))
        self.assertEqual(net, amount(range(GOOD)) + amount(int(name[1:]) for name in entered))
        self.assertEqual(list(db.execute("PRAGMA integrity_check")), [("ok",)])
        return len(entered)


if __name__ == "__main__":
    stage.main()
