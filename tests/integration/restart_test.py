"""The broker stops and crashes under load: nothing lost, nothing twice, and the page says so."""

import oracle
import stage

RECORDS = 36_000
RATE = 1200                # records per second, so about 30 s of load
RECONNECTING_WITHIN = 10   # seconds until the page says that no broker answers
LIVE_WITHIN = 30           # seconds after the broker is back


class RestartTest(stage.KafkaStage):
    def setUp(self):
        self.broker.start()

    def wait_for_state(self, run, name, seconds):
        stage.wait_until(lambda: run.status()["state"]["name"] == name, seconds,
                         lambda: f"the page says {name}: {run.status()['state']}; {run.told()}")

    def outage(self, run, kill):
        before = run.status()["ledger"]["consumed"]
        self.broker.stop(kill=kill)
        self.wait_for_state(run, "reconnecting", RECONNECTING_WITHIN)
        self.assertTrue(run.status()["state"]["reason"], "a state has a reason")
        self.broker.start()
        self.wait_for_state(run, "live", LIVE_WITHIN)
        stage.wait_until(lambda: run.status()["ledger"]["consumed"] > before, LIVE_WITHIN,
                         "reading goes on")

    def test_broker_stops_and_crashes_under_load(self):
        random = stage.seeded()
        self.broker.create_native()
        data, truth = self.new_data(), self.folder / "truth.json"
        run = self.start_run(stage.NATIVE_TOPICS, data, "--from", "earliest")
        shop = self.simulate(truth, "--seed", random.randrange(1 << 31), "--count", RECORDS,
                             "--rate", RATE)
        stage.wait_until(lambda: run.status()["ledger"]["consumed"] > 1000, 20, run.told)
        self.outage(run, kill=False)
        self.outage(run, kill=True)
        self.assertIsNone(shop.popen.poll(), "the load lasted through both outages")
        self.assertEqual(shop.wait(120), 0, shop.told())
        records = oracle.truth_records(truth)
        self.assertEqual(records, RECORDS)
        run.wait_for_consumed(records, 30)
        self.assertEqual(run.terminate()[0], 0, run.told())

        self.run_to_end(stage.NATIVE_TOPICS, data, seconds=30)
        with stage.open_store(data) as db:
            self.agree(oracle.differences(oracle.from_truth(truth), db))
            self.agree(oracle.unsound(db))
            self.assertEqual(db.execute("SELECT count(*) FROM gaps").fetchone(), (0,))

    def test_sigterm_while_no_broker_answers(self):
        self.broker.create("quiet")
        data = self.new_data()
        run = self.start_run(["quiet=transactions"], data, "--from", "earliest")
        self.broker.produce("quiet", [{"transaction_id": "1", "product_id": "p", "amount": 1}])
        run.wait_for_consumed(1, 20)
        self.broker.stop(kill=True)
        self.wait_for_state(run, "reconnecting", RECONNECTING_WITHIN)
        code, took = run.terminate(20)
        self.assertEqual(code, 0, run.told())
        self.assertLess(took, 5)
        with stage.open_store(data) as db:
            one_sale = {"totals": {("USD",): (1, 1, 1000, 10**6, 0, 10**6)}}
            self.agree(oracle.differences(one_sale, db))


if __name__ == "__main__":
    stage.main()
