"""An open pane is never called final, a corrected one is called revised: in the API, in the page's
frame and in SQL alike, at each step of a shop whose sales come late."""

import datetime

import stage

BEGIN = datetime.datetime(2025, 3, 4, 10, 0, tzinfo=datetime.timezone.utc)


def sale(number, minute, second=10):
    when = BEGIN + datetime.timedelta(minutes=minute, seconds=second)
    return {"transaction_id": f"t{number}", "order_id": f"o{number}", "product_id": "p",
            "amount": "10.00", "currency": "USD", "timestamp": when.isoformat()}


class States(stage.KafkaStage):
    def panes(self, process):
        """{minute: (state, value, revision)} and the watermark, of one answer; each state is judged."""
        answer = process.get("api/v1/series?from=2025-03-04T10:00:00Z&to=2025-03-04T10:30:00Z"
                             "&step=1m&currency=USD")
        out = {}
        for row in answer["rows"]:
            open_pane = row["start_us"] + answer["step_us"] > answer["watermark_us"]
            if row["value"] is None:
                continue
            self.assertEqual(row["state"] == "provisional", open_pane, (row, answer["watermark_us"]))
            out[row["start"][11:16]] = (row["state"], row["value"], row["revision"])
        return out

    def in_sql(self, data):
        with stage.open_store(data) as db:
            return {minute[11:16]: state for minute, state in
                    db.execute("SELECT minute, state FROM totals_by_minute")}

    def test_states_follow_the_data_clock(self):
        self.broker.create("transactions")
        data, number, judged = self.new_data(), 0, 0
        process = self.start_run(["transactions"], data, "--from", "earliest")

        def sell(*minutes):
            nonlocal number, judged
            records = [sale(number + i, minute) for i, minute in enumerate(minutes)]
            number += len(records)
            self.broker.produce("transactions", records)
            process.wait_for_consumed(number, 20)
            judged += 1
            return self.panes(process)

        seen = sell(0, 0)
        self.assertEqual(seen["10:00"], ("provisional", "20.00", 0))
        for minute in range(1, 8):  # the clock moves on, one pane after the other is closed
            seen = sell(minute)
            last = f"10:{minute:02}"
            self.assertEqual({state for at, (state, _, _) in seen.items() if at < last}, {"final"})
            self.assertEqual(seen[last][0], "provisional")
        for late in (0, 3, 0):
            before = seen[f"10:{late:02}"]
            seen = sell(late)
            state, value, revision = seen[f"10:{late:02}"]
            self.assertEqual(state, "revised")
            self.assertEqual(float(value), float(before[1]) + 10)
            self.assertGreater(revision, before[2])
        self.assertEqual({at for at, (state, _, _) in seen.items() if state == "revised"},
                         {"10:00", "10:03"})
        stored = self.in_sql(data)
        self.assertEqual({at: stored[at] for at in seen},
                         {at: state for at, (state, _, _) in seen.items()})
        print(f"{judged} steps, each pane judged at each: mislabelled 0", flush=True)
        with stage.open_store(data) as reader:  # another tool's long read does not hold up the end
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM totals_by_minute").fetchall()
            self.assertEqual(process.terminate()[0], 0, process.told())


if __name__ == "__main__":
    stage.main()
