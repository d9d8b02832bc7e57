"""A client that says what a test wants, however wrong: raw bytes to the page's port."""

import http.client
import pathlib
import socket
import time


class Answer:
    def __init__(self, status=0, headers=(), body=b""):
        self.status = status          # 0: the server closed without a word
        self.headers = list(headers)  # (name in lower case, value)
        self.body = body

    def header(self, name):
        return next((value for key, value in self.headers if key == name), "")

    def all(self):
        """Everything that came, as bytes."""
        return repr(self.headers).encode() + self.body


def port_of(page):
    return int(page.rstrip("/").rsplit(":", 1)[1])


def connect(port, timeout=10):
    s = socket.create_connection(("127.0.0.1", port), timeout)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return s


def read_answer(s, head_only=False):
    """One answer; of an event stream its beginning."""
    data = b""
    while b"\r\n\r\n" not in data:
        try:
            more = s.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            return Answer(body=data)
        data += more
    head, body = data.split(b"\r\n\r\n", 1)
    lines = head.decode("latin1").split("\r\n")
    headers = [(n.lower(), v.strip()) for n, _, v in (line.partition(":") for line in lines[1:])]
    answer = Answer(int(lines[0].split()[1]), headers, body)
    length = int(answer.header("content-length") or 0)
    while not head_only and len(answer.body) < length:
        try:
            more = s.recv(65536)
        except ConnectionError:
            more = b""
        if not more:
            break
        answer.body += more
    return answer


def send(port, raw, timeout=10):
    """The answer to these bytes."""
    with connect(port, timeout) as s:
        try:
            s.sendall(raw)
        except ConnectionError:
            pass  # refused before all was sent: the answer says why
        return read_answer(s, raw.startswith(b"HEAD "))


def request(port, target="/", method="GET", host=None, headers=(), body=b""):
    """A request of which each part can be wrong. `host` None: the right one; "": no Host line."""
    lines = [f"{method} {target} HTTP/1.1"]
    if host != "":
        lines.append(f"Host: {host or f'localhost:{port}'}")
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode("latin1") + b"\r\n\r\n" + body


def ask(port, target="/", method="GET", host=None, headers=(), body=b"", timeout=10):
    return send(port, request(port, target, method, host, headers, body), timeout)


def times_of(port, target, count, pause=0.0):
    """Seconds that each of `count` requests took, each on a connection of its own; all must be
    answered with 200."""
    took = []
    for _ in range(count):
        begun = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        connection.request("GET", target, headers={"Host": f"localhost:{port}"})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status != 200:
            raise AssertionError(f"{target}: {answer.status}")
        took.append(time.perf_counter() - begun)
        time.sleep(pause)
    return sorted(took)


def percentile(ordered, share):
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def resident_kb(pid):
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise AssertionError(f"process {pid} is gone")
