"""The judge: what the store must show, and every place where it shows something else.

Numbers are compared as whole numbers: micros of a currency unit, thousandths of a piece or a star.
An expectation comes from `simulate --truth` (from_truth) or from the records a test wrote itself
(Till); nothing here shares code with the product.
"""

import collections
import datetime
import decimal
import json
import re

FIXED_TYPES = {"sale": "sale", "refund": "refund", "cancel": "cancel", "feedback": "rating",
               "listing": "listing"}
CURRENCY_DIGITS = {"JPY": 0, "KWD": 3}
MEASURES = ("orders", "lines", "units_milli", "gross_micros", "refunds_micros", "net_micros")
MONEY_VIEWS = ("totals_by_minute", "totals_by_day", "categories_by_minute", "categories_by_day",
               "products_by_day")
SHOWN = 5  # differences of a section that are told


def scaled(text, digits):
    """Exact decimal text -> whole number of 10^-digits."""
    value = decimal.Decimal(text).scaleb(digits)
    if value != value.to_integral_value():
        raise AssertionError(f"{text} has more than {digits} decimals")
    return int(value)


def micros_of(text):
    """An amount of money as the product keeps it: a tie in the seventh decimal goes to the even."""
    value = decimal.Decimal(text).scaleb(6)
    return int(value.to_integral_value(decimal.ROUND_HALF_EVEN))


def utc(moment):
    return moment.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Till:
    """Expected sales of records that a test writes: one currency for each sale."""

    def __init__(self, zone=datetime.timezone.utc):
        self.zone = zone
        self.sections = collections.defaultdict(lambda: collections.defaultdict(lambda: [0] * 6))
        self.orders = collections.defaultdict(set)

    def sale(self, at, product, amount, *, currency="USD", quantity="1", order=None,
             category="(unknown)"):
        """A sale line. Lines of an order come in order of time. `order` None: one of its own."""
        micros, milli = micros_of(amount), scaled(quantity, 3)
        self._add(at, product, category, currency, order or object(), (1, milli, micros, 0))

    def refund(self, at, product, amount, *, currency="USD", category="(unknown)"):
        self._add(at, product, category, currency, None, (0, 0, 0, micros_of(amount)))

    def _add(self, at, product, category, currency, order, numbers):
        local = at.astimezone(self.zone)
        day, minute = local.strftime("%Y-%m-%d"), utc(at.replace(second=0, microsecond=0))
        for section, key, what in (
                ("totals", (currency,), ()), ("days", (day, currency), ()),
                ("minutes", (minute, currency), ()),
                ("products", (product, currency), ("product", product)),
                ("products_by_day", (day, product, currency), ("product", product)),
                ("categories_by_day", (day, category, currency), ("category", category))):
            seen = self.orders[section, currency, what]
            row = self.sections[section][key]
            row[0] += 1 if order is not None and order not in seen else 0
            for i, number in enumerate(numbers, 1):
                row[i] += number
            row[5] = row[3] - row[4]
            if order is not None:
                seen.add(order)

    def expectation(self, *left_out):
        return {name: {key: tuple(row) for key, row in rows.items()}
                for name, rows in self.sections.items() if name not in left_out}


def from_truth(path):
    """The expectation that `simulate --truth` wrote."""
    with open(path, encoding="utf8") as file:
        truth = json.load(file)
    expected = {}
    for section, depth in (("totals", 1), ("days", 2), ("minutes", 2), ("products", 2),
                           ("products_by_day", 3), ("categories_by_day", 3),
                           ("categories_by_minute", 3)):
        if section in truth:
            expected[section] = {key: tuple(row[m] for m in MEASURES)
                                 for key, row in _leaves(truth[section], depth)}
    ratings = truth["ratings"]
    expected["ratings"] = {key: (row["n"], row["sum_milli"], *row["stars"])
                           for key, row in _leaves(ratings["products_by_day"], 2)}
    expected["ratings_total"] = {(): (ratings["n"], ratings["sum_milli"], *ratings["stars"])}
    kinds = truth["types"]["records_by_kind"]
    expected["types"] = {(name,): (n,) for name, n in truth["types"]["actions"].items()}
    expected["types"] |= {(name,): (kinds[kind],) for kind, name in FIXED_TYPES.items()}
    if "actions_by_minute" in truth["types"]:
        expected["actions_by_minute"] = {
            key: (n,) for key, n in _leaves(truth["types"]["actions_by_minute"], 2)}
    expected["ledger"] = _truth_ledger(truth["ledger"])
    return expected


def truth_records(path):
    with open(path, encoding="utf8") as file:
        return json.load(file)["ledger"]["records"]


def _leaves(tree, depth, key=()):
    for name, child in tree.items():
        if depth == 1:
            yield (*key, name), child
        else:
            yield from _leaves(child, depth - 1, (*key, name))


def _truth_ledger(ledger):
    rows = {}
    for topic, row in ledger["topics"].items():
        rows[topic, "counted", ""] = (row["counted"],)
        rows[topic, "duplicate", ""] = (row["duplicate"],)
        for reason, records in row["reasons"].items():
            rows[topic, "rejected", reason] = (records,)
    return rows


_SALES = ",".join(f"sum({measure})" for measure in MEASURES)
_STARS = "sum(ratings),sum(sum_milli),sum(one),sum(two),sum(three),sum(four),sum(five)"
_KNOWN_TYPES = ",".join(f"'{name}'" for name in FIXED_TYPES.values())
_SECTIONS = {
    # name: (keys, values, the rest of the SELECT)
    "totals": ("currency", _SALES, "totals_by_day"),
    "days": ("day,currency", _SALES, "totals_by_day"),
    "minutes": ("minute,currency", _SALES, "totals_by_minute"),
    "products": ("product_id,currency", _SALES, "products_by_day"),
    "products_by_day": ("day,product_id,currency", _SALES, "products_by_day"),
    "categories_by_day": ("day,category,currency", _SALES, "categories_by_day"),
    "categories_by_minute": ("minute,category,currency", _SALES, "categories_by_minute"),
    "ratings": ("day,product_id", _STARS, "ratings_by_day"),
    "ratings_total": ("", _STARS, "ratings_by_day"),
    "types": ("type", "sum(events)", "events_by_minute"),
    "actions_by_minute": ("minute,type", "sum(events)",
                          f"events_by_minute WHERE type NOT IN ({_KNOWN_TYPES})"),
    "ledger": ("topic,bucket,reason", "sum(records)", "ledger"),
}


def read(db, section):
    """A section of the store, in the form of an expectation."""
    keys, values, source = _SECTIONS[section]
    grouped = f" GROUP BY {keys}" if keys else ""
    count = len(keys.split(",")) if keys else 0
    rows = db.execute(f"SELECT {keys}{',' if keys else ''}{values} FROM {source}{grouped}")
    return {row[:count]: row[count:] for row in rows}


def differences(expected, db):
    """One line for every number of the expectation that the store does not show, and back."""
    faults = []
    for section, wanted in expected.items():
        wanted = {key: row for key, row in wanted.items() if any(row)}
        found = {key: row for key, row in read(db, section).items() if any(row)}
        keys = sorted(set(wanted) | set(found))
        wrong = [key for key in keys if wanted.get(key) != found.get(key)]
        faults += [f"{section} {key}: expected {wanted.get(key)}, found {found.get(key)}"
                   for key in wrong[:SHOWN]]
        if len(wrong) > SHOWN:
            faults.append(f"{section}: {len(wrong) - SHOWN} more differences")
    return faults


def unsound(db):
    """Faults that no expectation is needed for: ledger, offsets, texts, file."""
    faults = [f"integrity: {row[0]}" for row in db.execute("PRAGMA integrity_check")
              if row[0] != "ok"]
    for row in db.execute(
            "SELECT topic,partition,consumed,next_offset,end_offset,(SELECT ifnull(sum(records),0)"
            " FROM ledger l WHERE l.topic=p.topic AND l.partition=p.partition) AS filed"
            " FROM partitions p"):
        topic, partition, consumed, next_offset, end_offset, filed = row
        if consumed != filed:
            faults.append(f"{topic}/{partition}: consumed {consumed} but {filed} in the ledger")
        if next_offset != end_offset:
            faults.append(f"{topic}/{partition}: next offset {next_offset}, end {end_offset}")
    for key, net in db.execute(
            "SELECT currency,sum(net_micros) FROM totals_by_day GROUP BY currency").fetchall():
        for view in ("totals_by_minute", "categories_by_day", "products_by_day"):
            [[other]] = db.execute(f"SELECT sum(net_micros) FROM {view} WHERE currency=?", (key,))
            if other != net:
                faults.append(f"net of {key}: {net} in totals_by_day but {other} in {view}")
    return faults + wrong_texts(db)


def wrong_texts(db):
    """Money texts that are not exactly their micros, or not written as the currency is."""
    faults = []
    for view in MONEY_VIEWS:
        for name in ("gross", "refunds", "net"):
            for currency, text, micros in db.execute(
                    f"SELECT DISTINCT currency,{name},{name}_micros FROM {view}"):
                digits = CURRENCY_DIGITS.get(currency, 2)
                form = re.fullmatch(r"-?(?:0|[1-9]\d*)(?:\.(\d+))?", text)
                decimals = form[1] or "" if form else ""
                good = form and scaled(text, 6) == micros and len(decimals) >= digits and (
                    len(decimals) == digits or not decimals.endswith("0"))
                if not good:
                    faults.append(f"{view}.{name}: {text!r} for {micros} micros of {currency}")
    return faults[:SHOWN]
