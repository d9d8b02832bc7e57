"""Records of a wrong shape or size, and what a Kafka record may hold besides a value that is JSON."""
import gzip
import itertools
import json
import lzma
import pickle
import struct
import zlib

WHOLE = {
    "transactions": {"transaction_id": "t", "user_id": "u", "session_id": "s", "product_id": "p", "amount": 12.5, "timestamp": 1750000000,
                     "quantity": 2, "currency": "EUR", "category": "c", "order_id": "o", "op": "sale"},
    "product_listings": {"product_id": "p", "name": "n", "category": "c", "price": 1, "currency": "EUR", "timestamp": 1750000000,
                         "op": "update"},
    "feedback": {"feedback_id": "f", "product_id": "p", "user_id": "u", "rating": 4, "timestamp": 1750000000},
    "interactions": {"interaction_id": "i", "type": "view", "user_id": "u", "session_id": "s", "product_id": "p", "timestamp": 1750000000},
    "mapped": {"p": {"id": "m", "sum": {"value": 3}}, "at": 1750000000},
}
ITEMS = {"order_id": "o", "items": [{"product_id": "a", "amount": 1, "category": "c"}, {"product_id": "b", "amount": 2, "quantity": 3}]}
WRONG = ["null", "true", "false", "0", "-1", "1.5", '""', '" "', '"x"', "[]", "{}", "[1]", '["p"]', '{"a":1}', '{"$oid":"1"}',
         '"' + "x" * 256 + '"', '"' + "x" * 257 + '"', '"null"', '"\\u0000"']


def dump(record):
    return json.dumps(record, separators=(",", ":"))


def without(record, key):
    return {k: v for k, v in record.items() if k != key}


def structure(case, random):
    for stream, record in WHOLE.items():
        yield case(dump(record), stream, "ok")
        for key in record:
            yield case(dump(without(record, key)), stream)
            for value in WRONG:  # the wrong type or value in each field
                yield case(dump({**record, key: 0}).replace(f'"{key}":0', f'"{key}":{value}'), stream)
            for again in (record[key], 7, None):  # the key twice
                yield case(dump(record)[:-1] + f',"{key}":{json.dumps(again)}}}', stream)
            yield case(dump(record)[:-1] + f',"\\u{ord(key[0]):04x}{key[1:]}":1}}', stream)  # twice, the second time in disguise
            yield case(dump({k.upper() if k == key else k: v for k, v in record.items()}), stream)
        yield case(dump(list(record.items())), stream)
        yield case(dump([record]), stream)
        yield case(dump({"payload": record}), stream)
        yield case(dump({"schema": {}, "payload": record}), stream)
    for items in (None, [], {}, 0, "x", [None], [1], ["x"], [[]], [{}], [{"product_id": "a"}], [{"amount": 1}], [ITEMS["items"][0], {}],
                  [ITEMS["items"][0]] * 2):
        yield case(dump({**ITEMS, "items": items}))
    for key, value in itertools.product(["product_id", "amount", "quantity", "category"], WRONG):
        yield case(dump({"items": [ITEMS["items"][0], {"product_id": "b", "amount": 2, key: 0}]}).replace(f'"{key}":0', f'"{key}":{value}'))
    for n in (999, 1000, 1001, 5000):
        yield case(dump({"items": [{"product_id": f"p{i % 7}", "amount": 1} for i in range(n)]}))
    yield case('{"product_id":"p","amount":1,"items":[{"product_id":"a","amount":1,"amount":2}]}',
               expected="reject duplicate_key items[0].amount")
    yield case('{"p":{"id":"a","id":"b"},"at":1}', "mapped", "reject duplicate_key p.id")
    yield case('{"p":{"id":"a"},"p":{"id":"b"}}', "mapped", "reject duplicate_key p")
    yield case('{"p":[{"id":"a"}],"at":1750000000}', "mapped", "reject missing_field p.id")
    yield case('{"p":{"lines":[{"product_id":"a","cost":{"value":1}},{"product_id":"b","cost":{"value":"x"}}]},"at":1750000000}', "mapped",
               "reject bad_money p.lines[1].cost.value")
    for depth in (1, 2, 16, 30, 31, 32, 33, 100, 1000, 10000):
        for before, behind in (("[", "]"), ('{"a":', "}"), ('[{"b":', "}]")):
            value = before * depth + "1" + behind * depth
            yield case(f'{{"product_id":"p","amount":1,"x":{value}}}')
            yield case(value)
            yield case(f'{{"product_id":"p","amount":1,"x":{before * depth}')
    for keys in (100, 1000, 50000):
        yield case('{"product_id":"p","amount":1' + "".join(f',"k{i}":{i}' for i in range(keys)) + "}", expected="ok")
        yield case('{"product_id":"p","amount":1' + ',"k":0' * 2 * keys + "}", expected="ok")  # twice, but nobody asked for it
    yield None
    while True:  # any field of one record in another, and any two fields exchanged
        stream, other = random.choice(list(WHOLE)), random.choice(list(WHOLE))
        record = dict(WHOLE[stream])
        a, b = random.choice(list(record)), random.choice(list(record))
        record[a], record[b] = record[b], record[a]
        if random.random() < 0.5:
            record = {**WHOLE[other], **record} if random.random() < 0.5 else {k: WHOLE[other].get(k) for k in record}
        pairs = list(record.items())
        random.shuffle(pairs)
        yield case(dump(dict(pairs)), stream)


def size(case, random):
    def padded(before, unit, count, behind, **more):
        whole = before.encode() + unit * count + behind.encode()
        return case(whole, packed=f"{before.encode().hex()} {unit.hex()}*{count} {behind.encode().hex()}", **more)
    head = '{"product_id":"p","amount":1,"x":"'
    for total in (0, 1, 2, 63, 64, 65, 4095, 4096, 4097, 65535, 65536, 65537, (1 << 20) - 1, 1 << 20):  # up to the limit
        if total > len(head) + 2:
            yield padded(head, b"a", total - len(head) - 2, '"}', expected="ok")
            yield padded(head, b"a", total - len(head), "", expected="reject truncated")
        yield case(b" " * total, expected="reject empty_value")
    for total in ((1 << 20) + 1, 1 << 21, 16 << 20, 64 << 20):  # beyond it
        yield padded(head, b"a", total - len(head) - 2, '"}', expected="reject too_large")
        yield padded("", b"\x00", total, "", expected="reject too_large")
        yield padded("[", b"[", total, "", expected="reject too_large")
    for n in (1, 255, 256, 257, 1000, 65536, 1_000_000):
        for field in ("product_id", "category", "user_id", "transaction_id", "order_id", "session_id"):
            yield padded('{"product_id":"p","amount":1,"%s":"' % field if field != "product_id" else '{"amount":1,"product_id":"', b"a", n,
                         '"}')
    for n in (127, 128, 129):
        yield padded('{"product_id":"', "\u00e9".encode(), n, '","amount":1}')
        yield padded('{"amount":1,"product_id":"', b"\\u00e9", n, '"}')
        yield padded('{"product_id":"p","amount":1', b" ", n * 1000, "}", expected="ok")
    for n in (10, 1000, 65536):
        yield padded('{"type":"', b"A", n, '"}', stream="interactions")
        yield padded('{"type":"view', b" ", n, '"}', stream="interactions")
        yield padded('{"product_id":"p","amount":0.', b"0", n, "1}")
        yield padded('{"product_id":"p","amount":', b"9", n, "}")
    yield None
    for n in itertools.count(2):
        yield padded('{"product_id":"p","amount":1,"', b"k", n * 1000, '":1}', expected="ok")


def kafka(case, random):
    text = dump(WHOLE["transactions"]).encode()
    keys = [b"", b"k", b"\0", b"\xff" * 10, b"k" * 65536, b"\xe2\x82", b'{"product_id":"other"}', bytes(range(256))]
    for key, stream in itertools.product(keys, WHOLE):  # the key is nobody's business
        yield case(dump(WHOLE[stream]), stream, "ok", key=key)
        yield case(None, stream, "reject null_value", key=key)
        yield case(b"", stream, "reject empty_value", key=key)
    for record_us in (-1000, 0, 1, 946_684_799_999_999, 946_684_800_000_000, 4_102_444_799_999_999, 4_102_444_800_000_000,
                      253_402_300_800_000_000,
                      -62_135_596_800_000_000, (2 ** 63 - 1) // 1000 * 1000, -(2 ** 63) // 1000 * 1000 + 1000):
        yield case(text, record_us=record_us, expected="ok")  # it has a time of its own
        yield case(text, "kafka_time", record_us=record_us)
        yield case('{"product_id":"p","amount":1}', record_us=record_us)
        yield case('{"type":"view","timestamp":null}', "interactions", record_us=record_us)
    foreign = [gzip.compress(text, mtime=0), zlib.compress(text), lzma.compress(text), pickle.dumps(WHOLE["transactions"]),
               b"\x04\x22\x4d\x18" + text,  # lz4
               b"\x28\xb5\x2f\xfd" + text, b"\x82SNAPPY\0" + text, b"Obj\x01\x04" + text, b"PAR1" + text,
               b"\x0a\x01p\x11" + struct.pack("<d", 12.5),  # protobuf
               b"\x83\xaaproduct_id\xa1p", b"\xa2\x6aproduct_id\x61p", b"<sale product='p'/>", b"p;12,5;EUR", b"product_id=p&amount=1",
               b"product_id: p\namount: 1\n", b"\x1f\x8b",
               b"--1\n" + text, b"data: " + text, text + b"\n" + text, text + b"," + text, b'"' + text.replace(b'"', b'\\"') + b'"',
               text.hex().encode()]
    for value in foreign:
        yield case(value)
        for prefix in (b"\0\0\0\0\x01", b"\0", b"\0\0\0\0", b"\x01" * 16,
                       b"\xff\xff\xff\xff"):  # as serializers with a schema registry write
            yield case(prefix + value)
    for n in range(8):
        yield case(b"\0" * n)
        yield case(b"\0\0\0\0\x07" + text[:n])
    yield None
    while True:
        yield case(bytes(random.randrange(256) for _ in range(random.randrange(1, 200))), random.choice(list(WHOLE)),
                   key=random.choice(keys[:4]))
