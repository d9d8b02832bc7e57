"""Decimals as Python's Decimal sees them. RETAILPULSE_DECIMALS is for tests/long/decimals."""

import decimal
import os
import re
import subprocess

import stage

COUNT = int(os.environ.get("RETAILPULSE_DECIMALS", "100000"))
LEAST, MOST = -(2**63 - 1), 2**63 - 1  # so that each can be negated
NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
EDGES = ["0.1", "0.2", "0.30000000000000004", "1e308", "1e-308", "1e400", "-0", "-0.0", "0e999999999",
         "NaN", "nan", "Infinity", "-Infinity", "", "-", "+1", ".5", "1.", "1.e5", "0x10", "1_000", "1,5",
         "00", "01", "-01", "1e", "1e+", "1E+2", "2.5", "3.5", "-2.5", "0.5", "1.5", "0.0000005", "0.0000015",
         "0.00000050000000000000000000000000001", "9223372036854775807", "9223372036854775808",
         "-9223372036854775808", "-9223372036854775809", "9223372036854.775807", "9223372036854.7758075",
         "9223372036854.7758065", "9223372036854.775808", "-9223372036854.775808", "9007199254740993",
         "9" * 400, "0." + "9" * 400, "1e-400", "5e-7", "4.9999999e-7", "1e18", "1e19", "１", "1 ", " 1"]


def told_by_python(scale, text):
    if not NUMBER.fullmatch(text, 0) or not text.isascii():
        return "no number"
    sign, digits, exponent = decimal.Decimal(text).as_tuple()
    digits, exponent = int("".join(map(str, digits))), exponent + scale
    if digits == 0:
        return "exact 0"
    if exponent > 40:
        return "out of range"
    if exponent >= 0:
        value, exact = digits * 10**exponent, True
    elif -exponent > 1000:
        value, exact = 0, False
    else:
        whole, rest = divmod(digits, 10**-exponent)
        half = 10**-exponent
        value = whole + (2 * rest > half or (2 * rest == half and whole % 2 == 1))
        exact = rest == 0
    value = -value if sign else value
    if not LEAST <= value <= MOST:
        return "out of range"
    return f"{'exact' if exact else 'rounded'} {value}"


def random_text(random):
    digits = "".join(random.choice("0555999012345678") for _ in range(random.randrange(1, 24)))
    text = digits.lstrip("0") or "0"
    if random.random() < 0.7:
        text += "." + "".join(random.choice("0000559123") for _ in range(random.randrange(1, 20)))
    if random.random() < 0.25:
        text += random.choice("eE") + random.choice(["", "+", "-"]) + str(random.randrange(25))
    return random.choice(["", "", "-"]) + text


class DecimalTest(stage.Stage):
    def test_python_agrees(self):
        random = stage.seeded()
        decimal.getcontext().prec = 1000
        cases = [(scale, text) for scale in (0, 2, 3, 6) for text in EDGES]
        cases += [(random.choice((0, 2, 3, 6)), random_text(random))
                  for _ in range(COUNT - len(cases))]
        lines = "".join(f"{scale} {text}\n" for scale, text in cases)
        run = subprocess.run([stage.TOOLS / "decimals"], input=lines, capture_output=True, text=True,
                             check=True, timeout=300)
        answers = run.stdout.splitlines()
        self.assertEqual(len(answers), len(cases))
        kinds, wrong = {}, []
        for (scale, text), answer in zip(cases, answers):
            expected = told_by_python(scale, text)
            kinds[expected.split()[0]] = kinds.get(expected.split()[0], 0) + 1
            if answer != expected:
                wrong.append(f"{text!r} times 10^{scale}: {answer}, Python says {expected}")
        print(f"{len(cases)} decimals, {len(wrong)} differ; by kind {kinds}", flush=True)
        self.assertEqual(wrong[:10], [])


if __name__ == "__main__":
    stage.main()
