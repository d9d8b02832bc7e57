"""Writes bad configuration files into a folder and prints what the loader must say of each.

    config_cases.py FOLDER      a line for each case: FILE LINE WORDS, with tabs between

One of the sentences must begin with FILE:LINE (LINE 0: with FILE alone) and hold WORDS; "ok" for LINE: there must be none.
"canary" stands where secrets stand, and may never be repeated.
"""
import itertools
import json
import os
import re
import sys

FOLDER = sys.argv[1]
count = itertools.count()
WRONG = ["null", "true", "[]", "{}", "1.5", "-1", "[1]", '{"a":1}', "1e400", "9223372036854775808", "-9223372036854775809",
         "18446744073709551616", '"\\u0000"', '"\\u001b[31m\\n"', '"%s"' % ("x" * 3000)]
# What may stand in a field, besides of what is wrong for it. Of WRONG, the numbers of those that are right.
DURATIONS = ['""', '"0"', '"5"', '"5 s"', '"s"', '"-5s"', '"1.5s"', '"5S"', '"5sec"', '"5s5s"', '"99999999999999999999s"',
             '"9223372036854775807d"', '"\\uff15s"', '"1e3s"', '" 5s"', '"5s "', "5", '"0x5s"', '"+5s"', '"PT5S"']
NUMBERS = ['"8080"', '""', "65536000000", "-0.5", "1e2"]
MOMENTS = ['""', '"2025"', '"2025-01-01"', '"2025-01-01T00:00:00"', '"2025-02-30T00:00:00Z"', '"1969-12-31T23:59:59Z"',
           '"2200-01-02T00:00:00Z"', '"2025-01-01T25:00:00Z"', '"now"', "1750000000"]
FIELDS = {
    "kafka.group": ['""'], "kafka.discovery": DURATIONS + ['"999ms"', '"61m"'],
    "time.zone": ['"Mars/Olympus"', '"UTC+25"', '"../../etc/passwd"', '"/etc/localtime"', '"europe/berlin "', '"Europe\\\\Berlin"'],
    "time.out_of_order": DURATIONS + ['"25h"', '"2d"'], "time.future_skew": DURATIONS + ['"366d"', '"0s"'],
    "time.idle_after": DURATIONS + ['"0s"', '"2d"'], "time.earliest": MOMENTS, "time.latest": MOMENTS,
    "start": ['""', '"Earliest"', '"last:"', '"last:5"', '"last:-5h"', '"first"', '"-24h"', '"2025-01-01"'], "store.directory": ['""'],
    "store.durability": ['""', '"FULL"', '"safe"'],
    "store.retention.ten_seconds": DURATIONS + ['"59s"', '"3651d"'], "store.retention.minute": DURATIONS + ['"59m"'],
    "store.retention.quarter": DURATIONS + ['"23h"'], "store.retention.day": DURATIONS + ['"23h"', '"73001d"'],
    "store.retention.orders": DURATIONS + ['"59m"'], "store.retention.rejects": NUMBERS + ["10000001"], "http.address": ['""'],
    "http.port": NUMBERS + ["65536", "-1"], "http.sse_clients_max": NUMBERS + ["10001"],
    "http.connections_max": NUMBERS + ["7", "65537"],
    "http.allowed_hosts": ['""', '"a.example"', '[""]', '["a b"]', '["a:80"]', '["http://a"]', '["a", 1]', '["a/b"]', '["a@b"]', '[null]',
                           '[["a"]]'],
    "http.token": ['"canary"', '"canary canary canary"', '"canary-canary-canary\\u00e9"', '"canary-canary-can\\n"', '["canary"]',
                   '{"canary":1}', '"%s"' % ("canary" * 50)], "pipeline.lanes": NUMBERS + ["65"],
    "pipeline.commit_interval": DURATIONS + ['"9ms"', '"61s"', '"1us"'],
}
RIGHT_ANYWAY = {"http.allowed_hosts": ["[]"], "kafka.group": WRONG[13:], "time.zone": [], "store.directory": WRONG[13:], "http.address": []}


def case(text, line, words=""):
    name = f"{FOLDER}/{next(count)}.json"
    with open(name, "wb") as file:
        file.write(text if isinstance(text, bytes) else text.encode())
    os.chmod(name, 0o600)
    print(name, line, words, sep="\t")


def in_section(path, value):
    """The text with a value at a path, and the line of the value's key."""
    parts = path.split(".")
    text = "".join("{\n" + f'{json.dumps(part)}: ' for part in parts) + value + "\n}" * len(parts)
    return text, len(parts) + 1


def is_json(text):
    try:
        json.loads(re.sub(r"//[^\n]*|/\*.*?\*/", "", text, flags=re.S), parse_constant=lambda name: 1 / 0)
        return True
    except (ValueError, ZeroDivisionError, RecursionError):
        return False


def values():
    for path, wrong in FIELDS.items():
        for value in wrong + [value for value in WRONG if value not in RIGHT_ANYWAY.get(path, []) and value not in wrong]:
            text, line = in_section(path, value)
            if value == "1e400":
                case(text, 0, "this is no JSON: a number is too large")
            elif path == "http.token" and value == WRONG[14]:
                case(text, line, "http.token is not right")
            elif path == "http.address" and value in WRONG[13:]:
                case(text, line, "which other machines can reach")
            elif value == "-1" and path == "http.port":
                case(text, line, "http.port is -1; it must be a whole number from 0 to 65535.")
            else:
                case(text, line, f"{path} is ")
    for section in ("kafka", "kafka.properties", "time", "store", "store.retention", "http", "pipeline", "streams"):
        for value in ("null", "0", '"x"', "true", '"canary"' if section == "kafka.properties" else "1.5",
                      "[]" if section != "streams" else "{}"):
            text, line = in_section(section, value)
            case(text, line, f"{section} is ")


def keys():
    for path in FIELDS:
        section, _, key = path.rpartition(".")
        for wrong in (key[:-1], key + "s", key.upper(), key[1:] + key[0], "x" * 50, "\x1b[31m", "", "a/b", "a~0b", "__proto__"):
            if f"{section}.{wrong}".strip(".") not in FIELDS:
                text, line = in_section(f"{section}.{'KEY'}".strip("."), "1")
                case(text.replace('"KEY"', json.dumps(wrong)), line, "unknown key")
        text, line = in_section(path, "KEEP")
        case(text.replace("KEEP", f'"x",\n{json.dumps(key)}: "y"'), line, f"{path} is given twice")


def syntax():
    good = '{\n  // why\n  "http": {"port": 8080, "allowed_hosts": ["a", "b"]}, /* more\n */ "time": {"zone": "UTC"}\n}'
    case(good, "ok")
    for n in range(len(good)):
        if not is_json(good[:n]):
            case(good[:n], 0, "this is no JSON")
    for text in ["{,}", "{'http':{}}", "{http:{}}", "{\"http\" {}}", "{\"http\":}", "{\"http\":{},}", "{} {}", "{}x", "{\"a\":NaN}",
                 "{\"a\":+1}", "{\"a\":01}", "{\"a\":0x1}", "{\"a\":.5}", "{\"a\":'x'}", "{\"a\":\"\t\"}", "{\"a\":\"\\x\"}",
                 "{\"a\":\"\\ud800\"}", "# x\n{}", "- a: 1", "[http]\nport=1", "http.port=8080", "<config/>", "{\"a\":undefined}",
                 "{\"a\":True}", "{\"a\":1;\"b\":2}", "\x00", "{\x00}", "{\"canary\":canary}", "{\"token\":\"canary", "/*", "//", "/",
                 "{/}", "}"]:
        case(text, 0, "this is no JSON")
    for text in [b"{\"a\":\"\xff\"}", b"{\"a\":\"\xc0\xaf\"}", b"{\"\xed\xa0\x80\":1}", "{}".encode("utf-16"), "{}".encode("utf-16-le"),
                 "{}".encode("utf-32"), b"\x1f\x8b\x08", b"\xff\xfe", bytes(range(256)), b"SQLite format 3\0"]:
        case(text, 0, "this is no JSON")
    for text in ("[]", "1", "\"x\"", "null", "true", "[{}]"):
        case(text, 1, "must be one JSON object")
    case(b"\xef\xbb\xbf{\"http\": {\n\"port\": -1}}", 2, "http.port is -1")  # some editors begin a file so
    case(b"\xef\xbb\xbf{}", "ok")
    case("{\r\n\"http\": {\r\n\"port\": -1}}", 3, "http.port is -1")


def sizes():
    for depth in (65, 100, 10000, 500000):
        for before, behind in (("[", "]"), ('{"a":', "}")):
            if depth * len(before + behind) < 1 << 20:
                case('{"streams":' + before * depth + behind * depth + "}", 0, "nested deeper than 64")
                case('{"http":{"port":' + before * depth + behind * depth + "}}", 0, "nested deeper than 64")
        case('{"http":' + "[" * depth, 0, "nested deeper than 64")
    case('{"http":{"port":' + "[" * 60 + "]" * 60 + "}}", 1, "http.port is ")
    case(" " * ((1 << 20) + 1), 0, "larger than 1 MiB")
    case("{}" + " " * ((1 << 20) - 2), "ok")
    case('{"a":"' + "x" * 900_000 + '"}', 1, "unknown key")
    case('{"' + "k" * 900_000 + '":1}', 1, "unknown key")
    case("{" + ",".join(f'"k{i}":{i}' for i in range(20000)) + "}", 1, "unknown key")
    case('{"streams":[' + ",".join("1" for _ in range(100000)) + "]}", 1, "streams[0] is 1")
    case('{"http":{"port":' + "9" * 900_000 + "}}", 0, "")
    case("// " + "x" * 1_000_000 + "\n{}", "ok")
    case("\n" * 1_000_000 + "{\"http\":{\"port\":-1}}", 1_000_001, "http.port is -1")


def streams():
    def stream(**members):
        return json.dumps({"streams": [{"topic": "t", "role": "transactions", **members}]})
    case(stream(), "ok")
    for topic in ["", "x" * 250, "a b", "a/b", "\u00e9", "a\x00b", ".", "..", "a,b", "^.*", "a\nb", None, 1, [], {}, True]:
        case(stream(topic=topic), 1, "streams[0].topic is ")
    for role in ["", "transaction", "TRANSACTIONS", "sale", None, 0, [], ["transactions"], "\x1b[2J"]:
        case(stream(role=role), 1, "streams[0].role is ")
    for currency in ["", "eur", "EURO", "\u20ac", "EU", None, 978, ["EUR"], "E\x00R"]:
        case(stream(currency=currency), 1, "streams[0].currency is ")
    for time in ["", "Kafka", "now", None, 1, {}]:
        case(stream(time=time), 1, "streams[0].time is ")
    for fields in [None, 1, "amount", [], ["amount"]]:
        case(stream(fields=fields), 1, "streams[0].fields is ")
    for name, path in [("amount", 1), ("amount", None), ("amount", ["a", "b"]), ("amount", {"a": "b"}), ("amount", "a..b"),
                       ("amount", ".a"), ("amount", "a."), ("amount", "."), ("amount", ".".join("abcdefghijklmnopq")),
                       ("amount", "x" * 1001)]:
        case(stream(fields={name: path}), 1, "streams[0].fields.amount is ")
    for name in ["Amount", "amount ", "total", "items.total", "items.items.amount", "rating", "\x1b[31m", "x" * 5000]:
        case(stream(fields={name: "a"}), 1, "unknown key")
    case(stream(fields={"amount": ".".join("abcdefghijklmnop")}), "ok")
    case(json.dumps({"streams": [{"topic": "t", "role": "feedback"}] * 2}), 1, "named twice")
    case('{"streams":[{"role":"feedback"}]}', 1, "streams[0] has no \"topic\"")
    case('{"streams":[{"topic":"t"}]}', 1, "streams[0] has no \"role\"")
    case('{"streams":[{}]}', 1, "streams[0] has no \"topic\"")


def properties():
    refused = ["plugin.library.paths", "ssl.engine.location", "ssl.providers", "sasl.kerberos.kinit.cmd", "enable.auto.commit",
               "auto.offset.reset", "isolation.level", "check.crcs", "enable.partition.eof", "group.instance.id",
               "test.mock.num.brokers", "rebalance_cb", "log_cb", "opaque", "no.such.property", "", " ", "SASL.PASSWORD", "sasl.password ",
               "\x1b[31m", "x" * 3000, "debug\x00"]
    for name in refused:
        case(json.dumps({"kafka": {"properties": {name: "canary"}}}), 1, "")
    for name, value in itertools.product(["sasl.password", "ssl.key.password", "fetch.wait.max.ms"],
                                         ["null", '["canary"]', '{"canary":"canary"}', "1.5", '[]']):
        case(f'{{"kafka":{{"properties":{{"{name}":{value}}}}}}}', 1, f"kafka.properties.{name} must be")


def files():
    print(f"{FOLDER}/nothing.json", 0, "cannot be read", sep="\t")
    os.makedirs(f"{FOLDER}/folder.json")
    print(f"{FOLDER}/folder.json", 0, "cannot be read", sep="\t")
    for link, target in [("loop.json", "loop.json"), ("a.json", "b.json"), ("b.json", "a.json"), ("dangling.json", "nowhere"),
                         ("zero.json", "/dev/zero"), ("null.json", "/dev/null"), ("up.json", "..")]:
        os.symlink(target, f"{FOLDER}/{link}")
        print(f"{FOLDER}/{link}", 0, "cannot be read", sep="\t")


for family in (values, keys, syntax, sizes, streams, properties, files):
    family()
