"""Prints malformed HTTP requests for a server at a port, each with the statuses of all answers until the connection is closed.

    http_cases.py PORT       a line for each case: FAMILY BYTES STATUSES, with tabs between

The client sends BYTES and then closes its side. Behind nearly every request stands a second, whole one for the canary: a refusal
must close the connection, so that what follows is never taken for a request; where it is answered, the first was taken whole.
"h" behind a status: the answer to a HEAD. Rules are those of RFC 9112 and 3986 and of the guard, written down family by family.
"""
import itertools
import random
import re
import string
import sys
from urllib.parse import unquote_to_bytes

PORT = int(sys.argv[1])
HOST = f"localhost:{PORT}"
CANARY = f"GET /api/v1/canary HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode()
TOKEN = (string.ascii_letters + string.digits + "!#$%&'*+-.^_`|~").encode()
JSON = "Content-Type: application/json\r\nX-RetailPulse: 1\r\n"
dice = random.Random(20)


def raw(text):
    return text if isinstance(text, bytes) else text.encode("latin-1")


def request(line="GET /api/v1/status", headers="", host=HOST):
    return raw(line) + raw(f" HTTP/1.1\r\nHost: {host}\r\n") + raw(headers) + b"\r\n"


def case(family, data, *statuses, canary=True):
    """One status: it must be the last. A second one is the canary's."""
    print(family, (raw(data) + (CANARY if canary else b"")).hex(), " ".join(map(str, statuses)), sep="\t")


def request_lines():
    for method in ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "Get", "GETT", "X", "PRI", "M-SEARCH",
                   "BREW", "!", "'", "GET~"]:
        case("method", request(f"{method} /api/v1/status"), 405)
    for method in ["G(T", "GET,", "GE T", "\"GET\"", "GET/", "G\tET", "", "\xc0ET", "G\x00T", "[GET]", "GET:", "{GET}", "GET;", "@",
                   "GET\\"]:
        case("method", request(f"{method} /api/v1/status"), 400)
    for version in ["HTTP/2.0", "HTTP/1.2", "HTTP/0.9", "HTTP/3.0", "HTTP/9.9", "HTTP/1,1", "HTTP/1.:", "HTTP/x.1"]:
        case("version", f"GET /api/v1/status {version}\r\nHost: {HOST}\r\n\r\n", 505)
    for version in ["HTTP/1", "HTTP/11.1", "HTTP/1.10", "http/1.1", "Http/1.1", "HTTPS/1.1", "HTTP 1.1", "HTTP/ 1.1", "HTTP/1.1\x00",
                    "HTTP/1.1 ", "ICY/1.1", "", "H", "HTTP/1.1\t", "RTSP/1.0"]:
        case("version", f"GET /api/v1/status {version}\r\nHost: {HOST}\r\n\r\n", 400)
    for line in ["GET", "GET ", "GET /", " GET / HTTP/1.1", "GET  / HTTP/1.1", "GET /  HTTP/1.1", "GET\t/\tHTTP/1.1", "GET / / HTTP/1.1",
                 "/ HTTP/1.1", "HTTP/1.1 200 OK", ":", "\x00", "GET / HTTP/1.1 x",
                 "\x16\x03\x01\x02", "SSH-2.0-OpenSSH", "\r", "*1", "EHLO x", "{\"a\":1}"]:
        case("request line", f"{line}\r\nHost: {HOST}\r\n\r\n", 400)
    for target in ["http://localhost/", f"http://{HOST}/api/v1/status", "http://evil.example/", "//evil.example/x?y", "*", "api/v1/status",
                   "evil.example:443", "?x", "\\api", "%2fapi", "javascript:1", "file:///etc/passwd"]:
        case("target form", request(f"GET {target}"), *([404, 200] if target.startswith("//") else [421]))
    for byte in range(256):
        ok = 0x21 <= byte <= 0x7e and chr(byte) not in "#%"
        case("byte in target", request(b"GET /api/v1/status?q=" + bytes([byte])), *([200, 200] if ok else [400]))
    case("http/1.0", f"GET /api/v1/status HTTP/1.0\r\nHost: {HOST}\r\n\r\n", 200)
    case("http/2 preface", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505)


def headers():
    for byte in range(256):
        ok = byte in TOKEN or byte == ord(":")
        case("byte in name", request(headers=b"X-" + bytes([byte]) + b"Y: 1\r\n"), *([200, 200] if ok else [400]))
        ok = byte == 9 or (byte >= 0x20 and byte != 0x7f)
        case("byte in value", request(headers=b"X-A: b" + bytes([byte]) + b"c\r\n"), *([200, 200] if ok else [400]))
    for line in [" X: 1", "\tX: 1", "X : 1", "X\t: 1", ": 1", "X", "X 1", "X: 1\r\n folded", "X: 1\r\n\tfolded", " ", "\x00: 1",
                 "X\x00: 1", "X: \x00", "X: a\nY: b", "X: a\rY: b", "X: a\x0bb", "X: a\x0cb",
                 "X: a\r\r\nY: b", "X: a\n", "\r", "\n", "\nX: 1", "Content-Length : 0", "Transfer-Encoding : chunked",
                 "Transfer-Encoding\x0b: chunked", " Transfer-Encoding: chunked",
                 "X: 1\r\n Transfer-Encoding: chunked", "Transfer-Encoding:\x0bchunked", "Host\x00: x", "\xefHost: x", "(comment): x",
                 "X@Y: 1", "X/Y: 1", "\"X\": 1", "X,Y: 1"]:
        case("header line", request(headers=line + "\r\n"), 400)
    for before, between in itertools.product(["\n", "\r", "\r\n\n", "\n\r"], ["\n", "\r"]):  # ends of lines that are none
        case("line ends", f"GET /api/v1/status HTTP/1.1{between}Host: {HOST}{between}{before}\r\n\r\n", 400)
    case("line ends", f"GET /api/v1/status HTTP/1.1\nHost: {HOST}\n\n", 400)
    for n in range(1, 6):
        case("empty lines before", b"\r\n" * n + request(), 200, 200)
        case("empty lines before", b"\n" * n + request(), 400)
    for name in ["Transfer-Encoding", "transfer-encoding", "TRANSFER-ENCODING", "Transfer-encodinG"]:
        for coding in ["chunked", "identity", "Chunked", "xchunked", "chunked, identity", "gzip, chunked", "\"chunked\"", "chunked;q=1",
                       "", "\tchunked", "chunked\t", "chunk\x80ed"]:
            case("transfer-encoding", request("POST /api/v1/echo", f"{JSON}{name}: {coding}\r\nContent-Length: 5\r\n") + b"0\r\n\r\n", 411)
    for name in ["Transfer_Encoding", "Transfer-Encodings", "XTransfer-Encoding", "Transfer--Encoding",
                 "TransferEncoding"]:  # other names: the length counts
        case("transfer-encoding", request("POST /api/v1/echo", f"{JSON}{name}: chunked\r\nContent-Length: 5\r\n") + b"0\r\n\r\n", 200, 200)


def bodies():
    for size in ["5", "05", "5;x=y", "5 ", " 5", "0x5", "+5", "-5", "-2", "5\r\n5", "FFFFFFFF", "FFFFFFFFFFFFFFFF", "10000000000000000",
                 "", "g", "5\n", "5\x00", "5;" + "x" * 5000, "00000000000000000005", "5.0", "5,5"]:
        for end in ("0\r\n\r\n", "0\r\nX: smuggled\r\n\r\n", "", "-1\r\n\r\n"):
            case("chunk sizes", request("POST /api/v1/echo", JSON + "Transfer-Encoding: chunked\r\n") + raw(f"{size}\r\nhello\r\n{end}"),
                 411)
    wrong = ["-1", "+1", "1e3", "0x10", "5,5", "5, 5", "5 5", "", "five", "\xb2", "65537", "999999999", "9999999999",
             "18446744073709551616", "18446744073709551621", "-0", "5.", "5;", "\"5\"", "5\tx", "0b1", "1_0"]
    for length, (line, more) in itertools.product(wrong,
                                                  [("GET /api/v1/status", ""), ("POST /api/v1/echo", JSON), ("HEAD /api/v1/status", "")]):
        case("content-length", request(line, f"{more}Content-Length: {length}\r\n") + b"hello", "413h" if line[0] == "H" else 413)
    for first, second in [("5", "5"), ("0", "5"), ("5", "0"), ("5", "6"), ("", "5"), ("0", "0")]:
        case("content-length twice", request("POST /api/v1/echo",
                                             f"{JSON}Content-Length: {first}\r\nContent-Length: {second}\r\n") + b"hello", 413)
    for length in (1, 5, 100, 65536):
        case("body of GET", request("GET /api/v1/status", f"Content-Length: {length}\r\n") + b"x" * length, 400)
    for length in (0, 1, 5, 1000, 65536):
        body = (CANARY * (length // len(CANARY) + 1))[:length]  # a body that looks like requests is no request
        case("body is no request", request("POST /api/v1/echo", f"{JSON}Content-Length: {length}\r\n") + body, 200, 200)
        case("body is no request", request("POST /api/v1/none", f"{JSON}Content-Length: {length}\r\n") + body, 404, 200)
        if length:
            case("body is cut", request("POST /api/v1/echo", f"{JSON}Content-Length: {length}\r\n") + body[:-1], 408, canary=False)
    for length in ("00", "000000005", "0000"):
        n = int(length)
        case("content-length", request("POST /api/v1/echo", f"{JSON}Content-Length: {length}\r\n") + b"x" * n, 200, 200)
    for header in ["Content-Encoding: gzip", "Content-Encoding: identity", "content-encoding:",
                   "Content-Type: multipart/form-data; boundary=x", "Content-Type: Multipart/Mixed"]:
        case("coding", request("POST /api/v1/echo", f"X-RetailPulse: 1\r\n{header}\r\nContent-Length: 5\r\n") + b"hello", 415)
    for header in ["Expect: 100-continue", "Expect: x", "Upgrade: websocket", "Upgrade: h2c\r\nConnection: Upgrade, HTTP2-Settings",
                   "expect:"]:
        case("expect, upgrade", request(headers=header + "\r\n"), 417)
    for kind in ["text/plain", "application/x-www-form-urlencoded", "", "application/jsonx", "application", "text/json", "*/*",
                 "application/json/x", "applicationjson"]:
        case("content-type", request("POST /api/v1/echo", f"X-RetailPulse: 1\r\nContent-Type: {kind}\r\n"), 415)


def hosts():
    for host in ["", "localhost", "127.0.0.1", "[::1]", "::1", "evil.example", f"evil.example:{PORT}", f"localhost:{PORT + 1}",
                 "localhost:80", f"localhost:0{PORT}", f"localhost.:{PORT}",
                 f"localhost.evil.example:{PORT}", f"xlocalhost:{PORT}", f"127.0.0.1.nip.io:{PORT}", f"127.1:{PORT}", f"2130706433:{PORT}",
                 f"0x7f.1:{PORT}", f"0177.0.0.1:{PORT}", f"127.0.0.2:{PORT}",
                 f"0.0.0.0:{PORT}", f"0:{PORT}", f"[::]:{PORT}", f"[0:0:0:0:0:0:0:1]:{PORT}", f"[::ffff:127.0.0.1]:{PORT}",
                 f"[::1%25lo]:{PORT}", f"[::1]{PORT}", f"user@localhost:{PORT}",
                 f"localhost:{PORT}@evil.example", f"http://localhost:{PORT}", f"localhost:{PORT}/", f"localhost:{PORT}?",
                 f"localhost:{PORT}#", f"localhost%3A{PORT}", f"%6cocalhost:{PORT}",
                 f"localhost:{PORT}, evil.example", f"localhost:{PORT} evil.example", f"\"localhost\":{PORT}", f"localhost:+{PORT}",
                 f"localhost:-{PORT}", f"localhost:{PORT}.", f"localhost:{PORT}0",
                 "localhost:65536", "*", f"*:{PORT}", f"192.168.0.7:{PORT}", "metadata.google.internal", f"localhost:{PORT}\t.evil",
                 f"\xe2\x80\x8blocalhost:{PORT}", f"l\xf6calhost:{PORT}",
                 "a" * 255, f"{'a.' * 3000}:{PORT}", f"localhost\\:{PORT}", f"localhost;:{PORT}", f"localhost:{PORT};",
                 f"[localhost]:{PORT}", f"localhost::{PORT}", ":", f":{PORT}"]:
        for path in ("/", "/api/v1/status", "/metrics"):
            case("host", request("GET " + path, host=host), 421)
    for host in [f"localhost:{PORT}", f"LOCALHOST:{PORT}", f"127.0.0.1:{PORT}", f"[::1]:{PORT}", f" localhost:{PORT} ",
                 f"\tlocalhost:{PORT}\t"]:
        case("host", request(host=host), 200, 200)
    for second in [HOST, "evil.example", "", "x, y"]:
        for name in ("Host", "host", "HOST"):
            case("host twice", request(headers=f"{name}: {second}\r\n"), 400)
    for line in ["GET / HTTP/1.1", "GET / HTTP/1.0", "GET /api/v1/status HTTP/1.1"]:
        case("no host", f"{line}\r\n\r\n", 421)
        case("no host", f"{line}\r\nX-Forwarded-Host: {HOST}\r\nForwarded: host={HOST}\r\n\r\n", 421)


def origins():
    for origin in ["null", "http://evil.example", f"http://localhost:{PORT + 1}", "http://localhost", f"http://127.0.0.1:{PORT}",
                   f"localhost:{PORT}", "file://", f"http://localhost:{PORT}.evil.example",
                   f"http://evil.example/http://localhost:{PORT}", f"http://localhost:{PORT}/", f"http://user@localhost:{PORT}", "x",
                   "://"]:
        case("origin", request(headers=f"Origin: {origin}\r\n"), 403)
        case("origin", request("POST /api/v1/echo", f"{JSON}Origin: {origin}\r\n"), 403)
    for site in ["cross-site", "same-site", "SAME-ORIGIN", "same-origin, cross-site", "x", "\xff"]:
        for line in ("GET /api/v1/status", "GET /%61pi/v1/status", "GET /metrics", "GET /api/v1/stream"):
            case("sec-fetch-site", request(line, f"Sec-Fetch-Site: {site}\r\n"), 403)
    case("origin twice", request(headers=f"Origin: http://{HOST}\r\nOrigin: http://{HOST}\r\n"), 403)
    for headers_of in ["", "Content-Type: application/json\r\n", "Content-Type: text/plain\r\n"]:
        case("post from nowhere", request("POST /api/v1/echo", headers_of), 403)


def paths():
    """Only /index.html is there; beside the folder lies a file that must never be read."""
    ups = ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "..;", "%c0%ae%c0%ae", "%uff0e%uff0e", "...", "..%5c..", "..\\..",
           "%e3%80%82%e3%80%82", "%ef%bc%8e%ef%bc%8e"]
    slashes = ["/", "%2f", "%5c", "\\", "//", "%252f", "%c0%af", "/./"]
    for up, slash, n in itertools.product(ups, slashes, (1, 3)):
        files(f"/{(up + slash) * n}secret.txt")
    for path in ["/link", "/link/", "/folder", "/folder/", "/folder/link", "/.", "/..", "/./", "//", "/etc/passwd", "//etc/passwd",
                 "/%2fetc%2fpasswd", "/proc/self/environ", "/index.html%00.txt", "/index.html/",
                 "/index.html/../secret.txt", "/folder/../../secret.txt", "/~", "/.git/config", "/secret.txt", "/CON",
                 "/index.html::$DATA", "/INDEX.HTML", "/index.html.", "/%", "/%2", "/%zz", "/%00", "/%0a", "/%0d%0aX-Evil:1",
                 "/%7f", "/%80", "/%c3", "/%ed%a0%80", "/%f4%90%80%80", "/%ff%fe", "/a" * 500, "/" + "%41" * 300]:
        files(path)


def files(path):
    decoded = unquote_to_bytes(path)
    good = not re.search(r"%(?![0-9A-Fa-f]{2})", path) and not re.search(rb"[\x00-\x1f\x7f]", decoded)
    try:
        decoded.decode()
    except UnicodeDecodeError:
        good = False
    case("path", request(b"GET " + path.encode()), *([404, 200] if good else [400]))


def floods():
    for n in (0, 1, 62, 63):
        case("headers", request(headers="X: y\r\n" * n), 200, 200)
    for n in (64, 65, 100, 1000, 4000):
        case("headers", request(headers="X: y\r\n" * n), 431)
    for n in (1, 1000, 8185, 8192 - 3):
        case("header line length", request(headers=f"X: {'y' * n}\r\n"), 200, 200)
        case("header line length", request(headers=f"{'X' * n}: \r\n"), *([200, 200] if n < 8190 else [431]))
    for n in (8190, 8192, 10000, 20000, 100000):
        case("header line length", request(headers=f"X: {'y' * n}\r\n"), 431)
        case("header name length", request(headers=f"{'X' * n}: y\r\n"), 431)
    for n, status in ((1000, [404, 200]), (1024, [404, 200]), (1025, [414]), (4000, [414]), (8100, [414]), (9000, [431]), (20000, [431])):
        case("path length", request("GET /" + "a" * (n - 1)), *status)
    for n, status in ((2048, [200, 200]), (2049, [414]), (7000, [414])):
        case("query length", request("GET /api/v1/status?" + "a" * n), *status)
    for n, status in ((1, [200, 200]), (32, [200, 200]), (33, [400]), (500, [400])):
        case("query pairs", request("GET /api/v1/status?" + "&".join("a=1" for _ in range(n))), *status)
        case("query pairs", request("GET /api/v1/status?" + "&" * n), 200, 200)
    for query in ["a=%", "a=%4", "a=%zz", "%00=1", "a=%0d%0aX-Evil:1", "a=%ff", "a=%c0%af", "%ed%a0%80", "a=\x7f", "a=1&b=%"]:
        case("query", request("GET /api/v1/status?" + query), 400)
    for header in ["Range: bytes=" + "0-1," * 1000, "Range: bytes=" + "-" * 4000, "Accept: " + "a/b;q=1," * 500,
                   "Accept-Encoding: " + "gzip;q=0.1," * 400, "If-None-Match: " + '"x",' * 1000, "Cookie: " + "a=b; " * 1000,
                   "Connection: " + "x," * 2000, "Last-Event-ID: " + "9" * 4000,
                   "Content-Disposition: form-data; filename*=" + "a'" * 2000, "X-Forwarded-For: ", "REMOTE_ADDR: 1.2.3.4",
                   "Accept-Language: " + "-" * 8000]:
        case("long lists", request(headers=header + "\r\n"), 200, 200)


def cuts():
    whole = request("POST /api/v1/echo", JSON + "Content-Length: 5\r\n")
    for n in range(len(whole)):
        case("head is cut", whole[:n], canary=False)
    for data in [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200), b"\x80\x2e\x01\x00\x02", bytes(1000), b"\xff" * 5000,
                 b"*3\r\n$3\r\nSET\r\n", b"\x00\x00\x00\x10\x00\x12\x00\x03"]:
        case("other protocols", data, canary=False)
    for _ in range(60):  # no empty line, so no request: whatever comes is at most refused for its size
        case("noise", bytes(dice.randrange(256) for _ in range(dice.randrange(1, 2000))).replace(b"\n", b""), canary=False)
    for n in (16384, 20000, 200000):
        case("endless head", b"A" * n, 431, canary=False)
        case("endless head", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * (n // 6 + 1), 431, canary=False)


for family in (request_lines, headers, bodies, hosts, origins, paths, floods, cuts):
    family()
