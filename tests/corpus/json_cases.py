"""JSON that is cut, continued, misspelt or in another encoding, and texts that are not UTF-8 or only look strange."""
import itertools
import re
import unicodedata

RECORDS = [
    ("transactions", '{"transaction_id":"t1","user_id":"u","amount":-12.5e1,"currency":"usd","timestamp":"2025-06-15T15:06:40.5+02:00",'
     '"order_id":"\\u00e9\\ud83d\\ude00","op":"sale","items":[{"product_id":"a","amount":"1.5","quantity":2},{"product_id":7,"amount":0}]}'),
    ("product_listings",
     '{"product_id":"p","name":"n\\\\\\"","category":"c","price":1.5,"currency":"EUR","timestamp":1750000000,"op":"delete"}'),
    ("feedback", '{"feedback_id":1,"product_id":"p","user_id":null,"rating":"4.5","comment":"\u20ac fine","timestamp":1750000000123}'),
    ("interactions",
     '{ "interaction_id" : "i" , "type" : "View" , "x" : [ true , false , null , { } , [ ] ] , "user_id" : "u\U0001f600" }'),
]
# Values as in test suites for JSON parsers: right, wrong, and those on which parsers disagree.
GOOD = """0 -0 1 -1 0.5 1e3 1E+3 1e-3 -0.0e0 true false null "" "a" "\\"\\\\\\/\\b\\f\\n\\r\\t" "\\u0000" "\\uD834\\uDD1E" "\x7f" [] {} [[]]
[{}] {"":0} {"a":{"b":[1,2,{"c":null}]}} [1,2] "\u2028" "\ufeff" 123456789012345678901234567890 1e400 -1e-400 [""] {"a":"b","c":"d"}
"\\u0061" "{}" "[1" "\\\\" 20e1 1.0"""
BAD = """+1 01 -01 1. .5 -.5 1e 1e+ 1e1.5 0x10 1_000 1,5 0b1 NaN Infinity -Infinity nan inf -inf +Infinity tru True TRUE nul Null fals undefined
none 'a' "a "\\x41" "\\u12" "\\u12G4" "\\U0041" "\\'" "\\a" "\\" "\t" "\x00" "\x1f" "\\ud800" "\\udc00" "\\ud800\\ud800" "\\ud800x"
"\\uD800\\u0041" "\\udbff\\" [ ] { } [1 [1, [,1] [1,] [1,,2] [1;2] [1:2] (1) {1:2} {a:1} {'a':1} {"a" {"a": {"a":1 {"a":1, {"a":1,} {"a"} {"a",1}
{"a":1;"b":2} {"a"=1} {"a":} {:1} {,} {"a":1:2} {"a":1} } ]] [[ }{ ][ [} {] [1} {"a":1] // /**/1 # -- 1-2 1+2 --1 -- - +0 1/2 0.e1 0e 1e-- $ $a @
`a` \\ "a"b "a""b" 1a a1 truefalse nullnull \u00a0 \u2028 \ufeff1 \uff11 \u0661 1\u0661 \u2212\u0031 \u201ca\u201d *1 &a !a ~ ^ %20 <!-- <a/>
yes no on off ok -Inf +inf 1f 1L 1n 0o7 00 -00 1.2.3 1..2 1e5e5 e5 E5 .e5 1E 0x 0X1F #1 ?1 [... [null, {"a":null"""
GOOD, BAD = re.split("[ \n]+", GOOD), re.split("[ \n]+", BAD) + ['"\n"', '"\r"', '" \n "']
BLANKS = ["", " ", "\t", "\n", "\r", "\r\n  ", "\x0b", "\x0c", "\xa0", "\u3000", "\ufeff", "\x00", "\x1c"]


def syntax(case, random):
    for stream, text in RECORDS:
        yield case(text, stream, "ok")
        data = text.encode()
        for n in range(len(data)):  # cut at every byte
            yield case(data[:n], stream, "reject truncated" if n else "reject empty_value")
    stream, text = RECORDS[3]
    for byte in range(256):  # every byte behind it, before it and inside of its first string
        blank = byte in b" \t\n\r"
        yield case(text.encode() + bytes([byte]), stream, "ok" if blank else "reject trailing_bytes")
        yield case(bytes([byte]) + text.encode(), stream, "ok" if blank else None)
        yield case(text.encode().replace(b'"i"', b'"i' + bytes([byte]) + b'"'), stream)
    for value in GOOD:
        yield case(f'{{"product_id":"p","amount":1,"x":{value}}}', expected="ok")
        yield case(value)
    for value in BAD:
        yield case(f'{{"product_id":"p","amount":1,"x":{value}}}')
        yield case(value)
    for blank, at in itertools.product(BLANKS, range(4)):
        parts = ['{"product_id":', '"p",', '"amount":1', '}']
        parts.insert(at, blank)
        yield case("".join(parts))
    for (stream, text), encoding in itertools.product(RECORDS, ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le",
                                                                "utf-32-be", "utf-7", "cp1252", "shift_jis", "cp500"]):
        yield case(text.encode(encoding, "replace"), stream)
    yield None
    while True:  # one to three slips of a pen
        stream, text = random.choice(RECORDS)
        data = bytearray(text.encode())
        for _ in range(random.choice([1, 1, 2, 3])):
            at, to = random.randrange(len(data)), random.randrange(len(data))
            kind = random.randrange(5)
            if kind == 0:
                del data[at:at + random.randrange(1, 5)]
            elif kind == 1:
                data.insert(at, random.choice(b'{}[],:"\\0e.-tfn \x00'))
            elif kind == 2:
                data[at], data[to] = data[to], data[at]
            elif kind == 3:
                data[at] = random.randrange(256)
            else:
                data[at:at] = data[to:to + random.randrange(1, 12)]
        yield case(bytes(data), stream)


PLACES = [('{"product_id":"p","amount":1,"category":"', '"}'), ('{"product_id":"', '","amount":1}'),
          ('{"product_id":"p","amount":1,"', '":0}'),
          ('{"product_id":"p","amount":1,"x":["', '"]}'), ('{"product_id":"p","amount":1,"x":', '}')]
WRONG_BYTES = [
    b"\x80", b"\xbf", b"\xc0\x80", b"\xc0\xaf", b"\xc1\xbf", b"\xc2", b"\xc2\x41", b"\xc3\x28", b"\xdf", b"\xe0\x80\xaf", b"\xe0\x9f\xbf",
    b"\xe2\x82",
    b"\xe2\x28\xa1", b"\xe2\x82\x28", b"\xed\xa0\x80", b"\xed\xaf\xbf", b"\xed\xb0\x80", b"\xed\xbf\xbf", b"\xed\xa0\xbd\xed\xb8\x80",
    b"\xef\xbf",
    b"\xf0\x80\x80\xaf", b"\xf0\x8f\xbf\xbf", b"\xf0\x9f\x98", b"\xf0\x28\x8c\xbc", b"\xf0\x90\x28\xbc", b"\xf4\x90\x80\x80",
    b"\xf4\xbf\xbf\xbf",
    b"\xf5\x80\x80\x80", b"\xf8\x88\x80\x80\x80", b"\xfc\x84\x80\x80\x80\x80", b"\xfe", b"\xff", b"\xfe\xff", b"\xff\xfe", b"a\x80b",
    b"\xe4\xb8\xad\x80",
]
STRANGE_TEXTS = [
    "\ufffe", "\uffff", "\U0001ffff", "\U0010ffff", "\ufdd0", "\ufffd", "\ue000", "\U000f0000", "\x7f", "\x80", "\x9b31m", "\u0085",
    "\u00ad", "\u200b", "\u200c",
    "\u200d", "\u200e", "\u200f", "\u2028", "\u2029", "\u202a", "\u202e", "\u2066", "\u2069", "\u2060", "\ufeff", "\u061c", "\u180e",
    "a\u0300" * 20,
    "\u0e49" * 30, "\U0001f468\u200d\U0001f469\u200d\U0001f467", "\U0001f1e9\U0001f1ea", "\u05d0\u05d1", "\u0627\u0644", "\u4e2d\u6587",
    "\uff21", "\u0391", "\u0410",
    "\u0130", "\u0131", "\u00df", "\u1e9e", "\ufb01", "\u212b", "\u1100\u1161", "\uac00", "\U000e0041", "\ufe0f", "\u3164", "\u2800",
]


def utf8(case, random):
    for wrong, (before, behind) in itertools.product(WRONG_BYTES, PLACES):
        yield case(before.encode() + wrong + behind.encode())
    for text, (before, behind) in itertools.product(STRANGE_TEXTS, PLACES[:3]):
        yield case(before + text + behind, expected="ok")
    for text in ["\u00e9", "\u00c5ngstr\u00f6m", "\u1ea9", "\ud55c\uae00", "\u30ac", "\u0958"]:
        for form in ("NFC", "NFD", "NFKC", "NFKD"):  # the same letters: two names, as nothing is folded
            for before, behind in PLACES[:2]:
                yield case(before + unicodedata.normalize(form, text) + behind, expected="ok")
    yield None
    while True:
        before, behind = random.choice(PLACES)
        yield case(before.encode() + bytes(random.choice([0x61, 0xc3, 0xa9, 0xe2, 0x82, 0xac, 0xf0, 0x9f, 0x98, 0x80, 0xed, 0xa0, 0xf4,
                                                          0xff])
                                           for _ in range(random.randrange(1, 7))) + behind.encode())
