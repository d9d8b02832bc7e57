"""Every compression codec of Kafka, alone and mixed within one partition: totals exact."""

import datetime

import oracle
import stage

CODECS = {"none": 0, "gzip": 1, "snappy": 2, "lz4": 3, "zstd": 4}  # numbers of the record batch
RECORDS = 3000
BEGIN = datetime.datetime(2024, 11, 25, 8, tzinfo=datetime.timezone.utc)


class CodecsTest(stage.KafkaStage):
    def setUp(self):
        self.random = stage.seeded()
        self.till = oracle.Till()

    def sales(self, label, count):
        """Sales of products that no other label has, with texts that compress well and badly."""
        records = []
        for i in range(count):
            at = BEGIN + datetime.timedelta(seconds=self.random.randrange(7200))
            product = f"{label}-{self.random.randrange(40)}"
            amount = f"{self.random.randrange(1, 10**6) / 100:.2f}"
            quantity = str(self.random.randrange(1, 9))
            currency = self.random.choice(["USD", "EUR", "JPY"])
            if currency == "JPY":
                amount = amount[:-3]
            self.till.sale(at, product, amount, currency=currency, quantity=quantity)
            records.append({
                "transaction_id": f"{label}-{i}", "product_id": product, "amount": amount,
                "quantity": int(quantity), "currency": currency, "timestamp": oracle.utc(at),
                "note": "the same words again " * 5 + f"{self.random.getrandbits(256):x}"})
        return records

    def test_each_codec_and_all_of_them_in_one_partition(self):
        topics = []
        for codec in CODECS:
            topic = f"sales-{codec}"
            self.broker.create(topic)
            self.broker.produce(topic, self.sales(codec, RECORDS), "-z", codec)
            self.assertEqual(self.broker.batch_codecs(topic), {CODECS[codec]},
                             "the producer did not write what the test is about")
            topics.append(f"{topic}=transactions")
        self.broker.create("mixed")
        topics.append("mixed=transactions")
        for i, codec in enumerate(reversed(CODECS)):
            self.broker.produce("mixed", self.sales(f"mixed{i}", 200), "-z", codec)
        self.assertEqual(self.broker.batch_codecs("mixed"), set(CODECS.values()))

        data = self.new_data()
        summary = self.run_to_end(topics, data)
        written = (RECORDS + 200) * len(CODECS)
        self.assertEqual((summary["consumed"], summary["counted"]), (written, written))
        with stage.open_store(data) as db:
            self.agree(oracle.differences(self.till.expectation(), db))
            self.agree(oracle.unsound(db))


if __name__ == "__main__":
    stage.main()
