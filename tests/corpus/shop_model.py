"""The second opinion on a record: what RetailPulse must make of it, from Python's own json, re, zoneinfo and int.

It shares no code with src/decode. A judgement is one line: "reject REASON FIELD", or the events with every value. Where the
contract leaves a choice (a wrong byte where no text may stand is both bad_json and bad_utf8), alternatives stand with " or ".
"""
import calendar
import collections
import datetime
import json
import re
import sys
import zoneinfo

sys.set_int_max_str_digits(0)
RECORD_US = 1_750_000_000_000_000  # 2025-06-15T15:06:40Z: when Kafka got every record
EARLIEST_US, LATEST_US = 946_684_800_000_000, 4_102_444_800_000_000  # 2000 and 2100
DEPTH_MAX, VALUE_BYTES_MAX, NAME_BYTES_MAX, ITEMS_MAX = 32, 1 << 20, 256, 1000
BLANKS = " \t\n\r"
NUMBER = re.compile(r"(-?)(0|[1-9][0-9]*)(?:\.([0-9]+))?(?:[eE]([+-]?[0-9]+))?")
STRING = re.compile(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)', re.S)


class Reject(Exception):
    def __init__(self, reason, field=""):
        super().__init__(f"reject {reason} {field}".strip())


class Token(str):
    """A number as it was written."""


class Object(dict):
    def __init__(self, pairs):
        super().__init__(pairs)
        counts = collections.Counter(key for key, _ in pairs) if len(pairs) != len(self) else {}
        self.twice = {key for key, count in counts.items() if count > 1}


# --- Is it JSON, and if not, why ------------------------------------------------------------------
def load(text):
    def refuse(name):
        raise ValueError(name)
    value = json.loads(text, parse_int=Token, parse_float=Token, parse_constant=refuse, object_pairs_hook=Object)
    if "\\u" in text:
        json.dumps(value, ensure_ascii=False).encode()  # half a pair of surrogates is no text
    return value


def is_whole(text):
    try:
        load(text)
        return True
    except ValueError:
        return False


ENDS = ['"', 'n"', '0"', '00"', '000"', '0000"', '\\udc00"', '0\\udc00"', '00\\udc00"', '000\\udc00"', 'udc00"', 'dc00"', 'c00"']
REST = ["", "0", "rue", "ue", "e", "alse", "lse", "se", "ull", "ll", "l", ":0", '"":0', *ENDS, *(end + ":0" for end in ENDS)]


def is_viable(text):
    """Can something follow that makes it whole? Tries an end for whatever may be open."""
    still_open = []
    for c in STRING.sub("", text):
        if c in "{[":
            still_open.append("}" if c == "{" else "]")
        elif c in "}]":
            if not still_open or still_open.pop() != c:
                return False
    close = "".join(reversed(still_open))
    return any(is_whole(text + rest + close) for rest in REST)


def too_deep_at(text):
    depth = 0
    for token in re.finditer(r'"(?:[^"\\]|\\.)*(?:"|\\?\Z)|[{}\[\]]', text, re.S):
        depth += {"{": 1, "[": 1, "}": -1, "]": -1}.get(token[0], 0)
        if depth > DEPTH_MAX:
            return token.start()
    return None


def text_fault(text):
    """None, or why this text is not one whole document: its first fault from the left."""
    if not text.strip(BLANKS):
        return "empty_value"
    deep = too_deep_at(text)
    head = text if deep is None else text[:deep]
    if deep is None and is_whole(head):
        return None
    if is_viable(head):
        return "truncated" if deep is None else "too_deep"
    good, bad = 0, len(head)  # is_viable() holds for every prefix up to the first fault, and for none behind it
    while bad - good > 1:
        middle = (good + bad) // 2
        good, bad = (middle, bad) if is_viable(head[:middle]) else (good, middle)
    if not is_whole(head[:good]):
        return "bad_json"
    return "trailing_bytes or reject bad_json" if re.fullmatch("-?00?[0-9]", head[:bad].strip(BLANKS)) else "trailing_bytes"  # "01"


def syntax_fault(value):
    """The text of the value, or its fault."""
    foreign = [b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"{\0", b"\0{\0"]
    notes = ["(UTF-8 byte order mark)"] + ["(UTF-16)"] * 4
    for begin, note in zip(foreign, notes):
        if value.startswith(begin):
            raise Reject("unsupported_encoding", note)
    if value.startswith(b"\0") and len(value) >= 5:
        raise Reject("unsupported_encoding", "(Confluent prefix)")
    try:
        text = value.decode()
        fault = text_fault(text)
    except UnicodeDecodeError as error:
        fault = text_fault(value[:error.start].decode())
        if fault is None:
            fault = "trailing_bytes"
        elif fault in ("truncated", "empty_value"):
            in_string = is_viable(value[:error.start].decode() + "\u00e9")
            cut = error.reason == "unexpected end of data"
            fault = "bad_json or reject bad_utf8" if not in_string else "truncated" if cut else "bad_utf8"
    if fault:
        raise Reject(fault)
    return text


# --- What values mean -----------------------------------------------------------------------------
def scaled(token, scale):
    """token * 10^scale, rounded half to even; None when it is no JSON number."""
    match = NUMBER.fullmatch(token)
    if not match:
        return None
    digits = match[2] + (match[3] or "")
    shift = int(match[4] or 0) - len(match[3] or "") + scale
    n = int(digits)
    if n == 0 or shift < -len(digits) - 2:
        return 0
    if shift > 60:
        return 10 ** 60
    if shift >= 0:
        n *= 10 ** shift
    else:
        n, rest = divmod(n, 10 ** -shift)
        half = 5 * 10 ** (-shift - 1)
        n += rest > half or (rest == half and n % 2 == 1)
    return -n if match[1] else n


def number_text(value, field):
    if isinstance(value, Token):
        return value
    if not isinstance(value, str):
        raise Reject("wrong_type", field)
    return value.strip(BLANKS)


def money(value, field):
    micros = scaled(number_text(value, field), 6)
    if micros is None or abs(micros) > 10 ** 16:
        raise Reject("bad_money", field)
    return micros


def quantity(value, field):
    milli = scaled(number_text(value, field), 3)
    if milli is None or abs(milli) > 10 ** 12:
        raise Reject("bad_number", field)
    return milli


def rating(value, field):
    text = number_text(value, field)
    nanos = scaled(text, 9)  # compared with nine decimals
    if nanos is None:
        raise Reject("bad_number", field)
    if not 10 ** 9 <= nanos <= 5 * 10 ** 9:
        raise Reject("rating_out_of_range", field)
    return scaled(text, 3)


def name(value, field):
    if not isinstance(value, str):
        raise Reject("wrong_type", field)
    if len(value.encode()) > NAME_BYTES_MAX:
        raise Reject("too_large", field)
    return str(value)


def currency(value, field):
    if isinstance(value, Token) or not isinstance(value, str):
        raise Reject("wrong_type", field)
    if not re.fullmatch("[A-Za-z]{3}", value):
        raise Reject("bad_currency", field)
    return value.upper()


def word(value, field, words):
    if isinstance(value, Token) or not isinstance(value, str):
        raise Reject("wrong_type", field)
    folded = ascii_lower(value.strip(BLANKS))
    if folded not in words:
        raise Reject("unknown_op", field)
    return words[folded]


def ascii_lower(text):
    return "".join(c.lower() if "A" <= c <= "Z" else c for c in text)


# --- Time -----------------------------------------------------------------------------------------
ISO = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?"
                 r"([Zz]| ?UTC| ?GMT| ?[+-][0-9]{2}(?::?[0-9]{2})?Z?)?)?")


def epoch_us(token):
    if scaled(token, 0) is None:
        return None
    for scale in (6, 3, 0):
        if abs(scaled(token, scale)) < 10 ** 17:
            return scaled(token, scale)
    return scaled(token, 0) // 1000  # nanoseconds


def local_us(days, in_day_us, zone):
    """A wall clock's reading: the earlier of two moments; in a gap the moment at which it ends."""
    tz = zoneinfo.ZoneInfo(zone)
    wall = datetime.datetime(1970, 1, 1) + datetime.timedelta(days=days, microseconds=in_day_us)
    if not 1900 < wall.year < 2200:
        return (days * 86_400_000_000) + in_day_us  # out of range in every zone
    early, late = (wall.replace(fold=fold, tzinfo=tz).utcoffset() for fold in (0, 1))
    low, high = wall - late, wall - early
    if early < late:  # a gap: between low and high the offset changes
        offset = lambda t: t.replace(tzinfo=datetime.timezone.utc).astimezone(tz).utcoffset()
        before = offset(low)
        while high - low > datetime.timedelta(microseconds=1):
            middle = low + (high - low) // 2
            low, high = (middle, high) if offset(middle) == before else (low, middle)
    return (high - datetime.datetime(1970, 1, 1)) // datetime.timedelta(microseconds=1)


def text_us(text, zone):
    unsigned = text[1:] if text.startswith("-") else text
    if unsigned[:1] in set("0123456789") and unsigned and (len(unsigned) < 5 or unsigned[4] != "-"):
        return epoch_us(str(int(text)) if re.fullmatch("-?[0-9]{1,18}", text) else text)  # digits may be padded
    match = ISO.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in match.groups()[:6])
    like = year if year else 4  # Python has no year 0; it is a leap year and out of range
    if not 1 <= month <= 12 or not 1 <= day <= calendar.monthrange(like, month)[1]:
        return None
    if hour > 23 or minute > 59 or second > 60:
        return None
    if not year:
        return -(10 ** 17)
    fraction = int((match[7] or "").ljust(6, "0")[:6])
    in_day = (hour * 60 + minute) * 60_000_000 + (59_999_999 if second == 60 else second * 1_000_000 + fraction)
    days = datetime.date(year, month, day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    offset = (match[8] or "").strip()
    if not offset:
        return local_us(days, in_day, zone)
    signed = re.fullmatch("([+-])([0-9]{2}):?([0-9]{2})?(Z?)", offset)
    minutes = 0
    if signed:
        hours, rest = int(signed[2]), int(signed[3] or 0)
        minutes = (hours * 60 + rest) * (-1 if signed[1] == "-" else 1)
        if hours > 23 or rest > 59 or (signed[4] and minutes):
            return None
    return days * 86_400_000_000 + in_day - minutes * 60_000_000


# --- One record of a stream -----------------------------------------------------------------------
OPS = {"sale": "sale", "order": "sale", "purchase": "sale", "refund": "refund", "return": "refund", "cancel": "cancel",
       "cancelled": "cancel", "canceled": "cancel"}
LISTING_OPS = {"upsert": 0, "insert": 0, "create": 0, "update": 0, "delete": 1, "remove": 1}
ITEM_FIELDS = ["product_id", "amount", "quantity", "category"]
FIELDS = {
    "transactions": ["transaction_id", "user_id", "session_id", "product_id", "amount", "timestamp", "quantity", "currency",
                     "category", "order_id", "op", "items"],
    "product_listings": ["product_id", "name", "category", "price", "currency", "timestamp", "op"],
    "feedback": ["feedback_id", "product_id", "user_id", "rating", "timestamp"],
    "interactions": ["interaction_id", "event_id", "type", "event_type", "action", "user_id", "session_id", "product_id", "timestamp"],
}
MAPPED = {"product_id": "p.id", "amount": "p.sum.value", "timestamp": "at", "items": "p.lines", "items.amount": "cost.value"}


class Stream:
    def __init__(self, role="transactions", zone="UTC", fields=None, record_time=False):
        self.role, self.zone, self.fields, self.record_time = role, zone, fields or {}, record_time

    def paths(self, item=False):
        if item:
            return {field: self.fields.get("items." + field, field) for field in ITEM_FIELDS}
        return {field: self.fields.get(field, field) for field in FIELDS[self.role]}


def look_up(node, paths, place=""):
    """The values at the paths; a key on a path that comes twice is a fault."""
    steps = {path[:i] for path in map(lambda p: tuple(p.split(".")), paths.values()) for i in range(1, len(path) + 1)}

    def check(at, done):
        for key in at.twice if isinstance(at, Object) else ():
            if done + (key,) in steps:
                raise Reject("duplicate_key", place + ".".join(done + (key,)))
        if isinstance(at, Object):
            for key, below in at.items():
                if done + (key,) in steps:
                    check(below, done + (key,))
    check(node, ())
    values = {}
    for field, path in paths.items():
        at = node
        for key in path.split("."):
            at = at.get(key) if isinstance(at, Object) else None
        values[field] = at
    return values


def event(kind, t, record_us, **values):
    base = {"product": None, "category": None, "currency": None, "type": kind, "amount": 0, "quantity": 0, "rating": 0}
    base.update(values)
    text = lambda s: "-" if s is None else "=" + s.encode().hex()
    more = [text(values["name"]), values["price"], values["deleted"]] if kind == "listing" else []
    future = int(t - 3_600_000_000 > record_us)
    return "|".join(map(str, [kind, t, future, text(base["product"]), text(base["category"]), text(base["currency"]), text(base["type"]),
                              base["amount"], base["quantity"], base["rating"], *more]))


class Reader:
    def __init__(self, stream, record_us):
        self.stream, self.record_us, self.paths = stream, record_us, stream.paths()

    def read(self, root):
        self.values = look_up(root, self.paths)
        lines = self.values.get("items")
        below = [look_up(item, self.stream.paths(item=True), f"{self.paths['items']}[{i}].")
                 for i, item in enumerate(lines[:ITEMS_MAX])] if isinstance(lines, list) else []
        t = self.time()
        for field in ("user_id", "session_id", "order_id", "transaction_id", "feedback_id"):
            if self.values.get(field) is not None:
                name(self.values[field], self.paths[field])
        return ";".join(getattr(self, self.stream.role)(t, lines, below))

    def time(self):
        value = self.values["timestamp"]
        if self.stream.record_time or value is None:
            if not EARLIEST_US <= self.record_us < LATEST_US:
                raise Reject("time_out_of_range", "$ts")
            return self.record_us
        field = self.paths["timestamp"]
        if not isinstance(value, str):
            raise Reject("wrong_type", field)
        us = epoch_us(value) if isinstance(value, Token) else text_us(value.strip(BLANKS), self.stream.zone)
        if us is None:
            raise Reject("bad_time", field)
        if not EARLIEST_US <= us < LATEST_US:
            raise Reject("time_out_of_range", field)
        return us

    def currency(self):
        value = self.values["currency"]
        return "USD" if value is None else currency(value, self.paths["currency"])

    @staticmethod
    def category(value, field):
        return None if value is None else name(value, field).strip(BLANKS) or None

    @staticmethod
    def product(value, field):
        if value is None or not name(value, field):
            raise Reject("missing_field", field)
        return name(value, field)

    def transactions(self, t, lines, below):
        values, paths = self.values, self.paths
        op = "sale" if values["op"] is None else word(values["op"], paths["op"], OPS)
        if lines is not None and not isinstance(lines, list):
            raise Reject("wrong_type", paths["items"])
        if lines is not None and not lines:
            raise Reject("missing_field", paths["items"])
        if lines is not None and len(lines) > ITEMS_MAX:
            raise Reject("too_many_items", paths["items"])
        money_of = self.currency()
        category = self.category(values["category"], paths["category"])
        if lines is None:
            return [self.line(t, op, values, paths, "", money_of, category)]
        events = []
        for i, item in enumerate(lines):
            place = f"{paths['items']}[{i}]"
            if not isinstance(item, Object):
                raise Reject("wrong_type", place)
            events.append(self.line(t, op, below[i], self.stream.paths(item=True), place + ".", money_of, category))
        return events

    def line(self, t, op, values, paths, place, money_of, category):
        at = lambda field: place + paths[field]
        product = self.product(values["product_id"], at("product_id"))
        if place:
            category = self.category(values["category"], at("category")) or category
        if values["amount"] is None:
            raise Reject("missing_field", at("amount"))
        amount = money(values["amount"], at("amount"))
        if op == "sale" and amount < 0:
            op = "refund"
        pieces = 1000 if values["quantity"] is None else quantity(values["quantity"], at("quantity"))
        if op == "sale" and pieces < 0:
            raise Reject("bad_number", at("quantity"))
        return event(op, t, self.record_us, product=product, category=category, currency=money_of, amount=abs(amount), quantity=abs(pieces))

    def product_listings(self, t, *_):
        values, paths = self.values, self.paths
        deleted = 0 if values["op"] is None else word(values["op"], paths["op"], LISTING_OPS)
        product = self.product(values["product_id"], paths["product_id"])
        shown = "" if values["name"] is None else name(values["name"], paths["name"]).strip(BLANKS)
        money_of = self.currency()
        category = self.category(values["category"], paths["category"])
        price = "-"
        if values["price"] is not None:
            price = money(values["price"], paths["price"])
            if price < 0:
                raise Reject("bad_money", paths["price"])
        return [event("listing", t, self.record_us, product=product, category=category, currency=money_of, name=shown, price=price,
                      deleted=deleted)]

    def feedback(self, t, *_):
        product = self.product(self.values["product_id"], self.paths["product_id"])
        if self.values["rating"] is None:
            raise Reject("missing_field", self.paths["rating"])
        return [event("rating", t, self.record_us, product=product, rating=rating(self.values["rating"], self.paths["rating"]))]

    def interactions(self, t, *_):
        given = [f for f in ("type", "event_type", "action") if self.values[f] is not None]
        field = given[0] if given else "type"
        value = self.values[field]
        if value is None:
            raise Reject("missing_field", field)
        if isinstance(value, Token) or not isinstance(value, str):
            raise Reject("wrong_type", field)
        kind = ascii_lower(value.strip(BLANKS))
        if len(kind.encode()) > NAME_BYTES_MAX:
            raise Reject("too_large", field)
        if not kind:
            raise Reject("missing_field", field)
        ids = [f for f in ("interaction_id", "event_id") if self.values[f] is not None]
        if ids:
            name(self.values[ids[0]], ids[0])
        product = self.values["product_id"]
        product = None if product is None else name(product, "product_id") or None
        return [event("interaction", t, self.record_us, product=product, type=kind)]


def judge(stream, value, record_us=RECORD_US):
    """`value`: bytes, or None for a tombstone."""
    try:
        if value is None:
            raise Reject("null_value")
        if not value:
            raise Reject("empty_value")
        if len(value) > VALUE_BYTES_MAX:
            raise Reject("too_large")
        root = load(syntax_fault(value))
        if not isinstance(root, Object):
            raise Reject("wrong_type")
        return Reader(stream, record_us).read(root)
    except Reject as fault:
        return str(fault)
