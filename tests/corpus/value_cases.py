"""Numbers, amounts of money and times, in every way that producers write them and in some that they should not."""
import itertools

WHOLE = [n + d for n in (0, 10 ** 9, 2 ** 31, 2 ** 32, 2 ** 53, 10 ** 10, 10 ** 12, 10 ** 15, 10 ** 16, 2 ** 62, 2 ** 63, 2 ** 64,
                         10 ** 18, 10 ** 19, 10 ** 40)
         for d in (-1, 0, 1)]
STRANGE = ["1e400", "-1e400", "1e-400", "1E5", "1e+05", "1e05", "1e0005", "1.0e-6", "5e-7", "15e-7", "25e-7", "-5e-7", "0.0000005",
           "0.00000050000000000001", "0.0000015",
           "1e99999", "1e-99999", "0e99999", "-0", "-0.0", "0.0", "0e0", "1e9999999999999999999999", "1e-9999999999999999999999", "0" * 2,
           "007", "-007", "+1", "1.", ".1", "0x1F",
           "1f", "1d", "1,000", "1 000", "1'000", "1_000", "\u0661", "\uff11", "\u221e", "NaN", "nan", "-nan", "Infinity", "-Infinity",
           "inf", "1e", "1e+", "--1", "1-", "",
           " ", " 1", "1 ", "\\t1\\n", "\\u00a01", "1\\u0000", "true", "null", "1/2", "1:2", "50%", "$5", "1 EUR", "9" * 40,
           "0." + "9" * 40, "0." + "0" * 40 + "1", "1." + "0" * 300,
           "1" + "0" * 300 + "e-300", "0." + "0" * 300 + "1e301", "0." + "0" * 12000 + "1e12001", "1" + "0" * 12000 + "e-12000"]
FIELDS = [("transactions", '{"product_id":"p","amount":%s}'), ("transactions", '{"product_id":"p","amount":1,"quantity":%s}'),
          ("feedback", '{"product_id":"p","rating":%s}'), ("product_listings", '{"product_id":"p","price":%s}')]


def numbers(case, random):
    for n, (stream, record) in itertools.product(WHOLE, FIELDS[:2]):
        for text in (f"{n}", f"-{n}", f'"{n}"'):
            yield case(record % text, stream)
    for text, (stream, record) in itertools.product(STRANGE, FIELDS):
        yield case(record % f'"{text}"', stream)
    yield None
    while True:
        stream, record = random.choice(FIELDS)
        text = "".join(random.choice("0123456789") for _ in range(random.randrange(1, 20))).lstrip("0") or "0"
        if random.random() < 0.7:
            text += "." + "".join(random.choice("0059") for _ in range(random.randrange(1, 14)))
        if random.random() < 0.3:
            text += random.choice("eE") + random.choice(["", "+", "-"]) + str(random.randrange(25))
        yield case(record % (random.choice(["", "", "-"]) + text), stream)


def money(case, random):
    def sale(amount, more=""):
        return case(f'{{"product_id":"p","amount":{amount}{more}}}')
    for text in ["1,5", "1.234,56", "1,234.56", "1 234,56", "1'234.56", "1.234.567", "12,34,567.89", "\u20ac5", "5\u20ac", "$5", "5 USD",
                 "USD 5", "(5)", "5-", "+5", "5CR", "five",
                 "\u00bd", "1e2", "0,00", "--", "n/a", "-", ".", ",", "1 000 000", "1\u202f000", "\uff15", "5\u066b5", "0.1.2", "1/3",
                 "5.-", "Fr. 5.\u2013"]:
        yield sale(f'"{text}"', "")
    for code, digits in itertools.product(["JPY", "KRW", "KWD", "BHD", "TND", "CLF", "USD", "EUR", "XXX", "ZZZ", "CHF"], range(8)):
        amount = "12" + ("." + "3456785"[:digits] if digits else "")
        yield sale(amount, f',"currency":"{code}"')  # as written, whatever the currency is used to
    for code in ["", "U", "US", "USDX", "U\\u0000D", "\u20ac", "us$", " USD", "USD ", "840", "usd", "UsD", "\u0410BC", "\u212aRW", "U D",
                 "null", "BTC.X"]:
        yield sale("1", f',"currency":"{code}"')
    for value in ["840", "true", "[]", "{}", '["USD"]', "null", "1.5"]:
        yield sale("1", f',"currency":{value}')
    for amount, op, pieces in itertools.product(["5", "-5", "0", "-0", "-0.0000001", "10000000000", "10000000000.000001",
                                                 "-10000000000.0000004"],
                                                ["sale", "refund", "cancel"], ["1", "-1"]):
        yield sale(amount, f',"op":"{op}","quantity":{pieces}')
    for op in ["Refund", " refund ", "REFUNDED", "", "sale;refund", "s\u0430le", "CANCELED", "return\\u0000", "chargeback", "Purchase",
               "ORDER"]:
        yield sale("5", f',"op":"{op}"')
    for value in ["1", "true", "[]", "{}", "null"]:
        yield sale("5", f',"op":{value}')
    yield None
    while True:
        digits = "".join(random.choice("0123456789") for _ in range(random.randrange(1, 12))).lstrip("0") or "0"
        yield sale(f'"{random.choice(["", "-"])}{digits}.{random.randrange(10 ** random.randrange(1, 10)):05d}"')


ZONES = ["Europe/Berlin", "America/New_York", "America/Sao_Paulo", "Asia/Kolkata", "Australia/Lord_Howe", "Africa/Cairo", "Pacific/Apia",
         "Asia/Tehran", "Europe/Dublin"]


def timestamps(case, random):
    def at(text, zone="UTC"):
        return case(f'{{"product_id":"p","amount":1,"timestamp":{text}}}', zone=zone)

    def quoted(text, zone="UTC"):
        return at(f'"{text}"', zone)
    for seconds, unit in itertools.product([0, 1, -1, 946_684_799, 946_684_800, 1_750_000_000, 4_102_444_799, 4_102_444_800,
                                            99_999_999_999], range(0, 10, 3)):
        for text in (f"{seconds * 10 ** unit}", f"{seconds * 10 ** unit}.5", f"{seconds * 10 ** unit}.0000005"):
            yield at(text)
            yield quoted(text)
    for n in [10 ** 11, 10 ** 14, 10 ** 17, 2 ** 63, 10 ** 18, 10 ** 20]:
        for d in (-1, 0, 1):
            yield at(f"{n + d}")
            yield at(f"-{n + d}")
    for text in ["1.75e9", "1.75E12", "175e7", "1750000000.1234567891", "17500000000000000000e-10", "1e400", "-0", "01750000000",
                 "+1750000000", "1750000000 ", " 1750000000",
                 "1750000000Z", "1_750_000_000", "0x684EEA80", "1750000000.", "1,750,000,000", "\u0661\u0667", "2025", "20250615",
                 "202506", "12:00", "2025-166", "2025-W24-7"]:
        yield quoted(text)
    offsets = ["", "Z", "z", "+00:00", "-00:00", "+0000", "+00", "+02:00", "+0200", "+02", "-11:30", "+14:00", "+23:59", "+24:00",
               "+02:60", "+2:00", "+02:0", "+020", "+", "-",
               " UTC", "UTC", " GMT", "gmt", " Z", "+00:00Z", "+02:00Z", "ZZ", " +02:00", "[Europe/Berlin]", "+02:00[Europe/Berlin]",
               "EST", "\u221202:00", "+02:00:00", "Z "]
    for offset in offsets:
        yield quoted("2025-06-15T15:06:40" + offset)
        yield quoted("2025-06-15 15:06" + offset)
    for clock in ["00:00:00", "23:59:59", "23:59:60", "12:34:60", "23:59:61", "24:00:00", "25:00:00", "12:60:00", "12:5:00", "12:34", "12",
                  "1234", "12:34:5", "12:34:56.", "12:34:56.1",
                  "12:34:56,1", "12:34:56.123456", "12:34:56.1234567", "12:34:56.999999999", "12:34:56.1234567890", "12:34:60.9",
                  "12.5:00", "-1:00:00", "12:34:56.-1", "12:34:5a"]:
        for offset in ("Z", "+01:00", ""):
            yield quoted(f"2025-06-15T{clock}{offset}")
    for day in ["0000-01-01", "0000-02-29", "0001-01-01", "1582-10-10", "1900-02-29", "1969-12-31", "1970-01-01", "1999-12-31",
                "2000-01-01", "2000-02-29", "2023-02-29", "2024-02-29", "2024-02-30",
                "2025-00-10", "2025-13-01", "2025-04-31", "2025-06-00", "2025-06-32", "2038-01-19", "2099-12-31", "2100-01-01",
                "2100-02-29", "9999-12-31", "12025-06-15",
                "225-06-15", "25-06-15", "2025/06/15", "2025.06.15", "15-06-2025", "06/15/2025", "15.06.2025", "2025-6-15", "2025-06-5",
                "-2025-06-15", "+2025-06-15"]:
        for rest in ("", "T00:00:00Z", "T23:59:59.999999Z", "T12:00:00", "T", " ", "t12:00z", "_12:00Z"):
            yield quoted(day + rest)
    for text in ["", " ", "now", "today", "null", "yesterday", "0", "never", "Sun, 15 Jun 2025 15:06:40 GMT", "Jun 15, 2025",
                 "2025-06-15T15:06:40\\u0000Z", "\u0662\u0660\u0662\u0665-06-15",
                 "2025\u201306\u201315", "2025-06-15T15:06:40Z; DROP TABLE x", "/Date(1750000000000)/", "P1D", "\\ud83d\\ude00"]:
        yield quoted(text)
    for value in ["true", "false", "null", "[]", "{}", "[1750000000]", '{"$date":1750000000000}']:
        yield at(value)
    for zone, (month, day) in itertools.product(ZONES, [(3, 30), (3, 9), (4, 6), (10, 26), (10, 5), (11, 2), (4, 25), (10, 31)]):
        for hour in ("00:30:00", "01:59:59.999999", "02:30:00"):  # gaps, overlaps and their edges
            yield quoted(f"2025-{month:02d}-{day:02d}T{hour}", zone)
    yield None
    while True:
        year, zone = random.randrange(2000, 2037), random.choice(ZONES)
        yield quoted(f"{year}-{random.randrange(1, 13):02d}-{random.randrange(1, 32):02d}{random.choice('Tt ')}{random.randrange(25):02d}:{random.randrange(60):02d}:"
                     f"{random.randrange(61):02d}{random.choice(['', '.5', ',123456789'])}{random.choice(['', '', 'Z', '+05:30', '-0930'])}", zone)
