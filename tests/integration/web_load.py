"""Clients that behave badly, as processes of their own, and what well-behaved ones see meanwhile.

tests/integration/web_load_test.py runs it small, tests/long/web_load.py as large as the fault list
asks for."""

import concurrent.futures
import contextlib
import hashlib
import http.client
import json
import multiprocessing
import pathlib
import re
import resource
import selectors
import socket
import time

import stage
import web_client as web

STREAM = "/api/v1/stream?range=15m"


@contextlib.contextmanager
def beside(work, *arguments):
    """Runs work(queue, *arguments) in a process of its own until the block is left."""
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    process = context.Process(target=work, args=(queue, *arguments), daemon=True)
    process.start()
    try:
        yield queue
    finally:
        process.terminate()
        process.join()


def stubborn(connect_one, count, dribble, pause):
    """`count` sockets that are opened anew when the server closes them; each says `dribble` after
    each `pause`."""
    sockets = {}
    while True:
        for i in range(count):
            try:
                if i not in sockets:
                    sockets[i] = connect_one()
                if dribble:
                    sockets[i].send(dribble)
                elif not alive(sockets[i]):
                    sockets.pop(i).close()
            except OSError:
                if i in sockets:
                    sockets.pop(i).close()
        time.sleep(pause)


def alive(s):
    """False when the server has ended it. What it says is not read: that is the attack."""
    try:
        return s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 1)[0] == 1  # established
    except OSError:
        return False


def slow_senders(_, port, count, pause):
    def one():
        s = web.connect(port, 5)
        s.setblocking(False)
        s.send(b"GET / HTTP/1.1\r\nHost: ")
        return s
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
    stubborn(one, count, b"x", pause)


def stopped_readers(_, port, count):
    def one():
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        s.settimeout(5)
        s.connect(("127.0.0.1", port))
        s.sendall(web.request(port, STREAM))
        return s
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
    stubborn(one, count, b"", 0.5)


def good_readers(queue, port, count):
    """`count` streams that are read; puts (streams that gave a frame, cut streams) each second."""
    selector = selectors.DefaultSelector()
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))
    fed, cut = set(), 0
    for i in range(count):
        s = web.connect(port)
        s.sendall(web.request(port, STREAM))
        s.setblocking(False)
        selector.register(s, selectors.EVENT_READ, i)
    told = time.monotonic()
    while True:
        for key, _ in selector.select(0.2):
            try:
                data = key.fileobj.recv(1 << 18)
            except OSError:
                data = b""
            if not data:
                cut += 1
                selector.unregister(key.fileobj)
            elif b"\ndata: " in data:
                fed.add(key.data)
        if time.monotonic() - told > 1:
            told = time.monotonic()
            queue.put((len(fed), cut))


def last(queue):
    """The newest of what a process beside has said."""
    value = queue.get(timeout=20)
    while not queue.empty():
        value = queue.get()
    return value


def steady_requests(port, target, rate, seconds):
    """`rate` requests a second; (seconds that each took, failures)."""
    def one(due):
        time.sleep(max(0, due - time.monotonic()))
        try:
            return web.times_of(port, target, 1)[0]
        except (OSError, AssertionError, http.client.HTTPException) as failure:
            return failure
    begun = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(one, [begun + i / rate for i in range(int(rate * seconds))]))
    return (sorted(a for a in answers if isinstance(a, float)),
            [a for a in answers if not isinstance(a, float)])


class StreamWatch:
    """The longest pause between two frames of one live page."""

    def __init__(self, port, seconds):
        self.frames, self.longest, at = 0, 0.0, time.monotonic()
        end = at + seconds
        with web.connect(port) as s:
            s.sendall(web.request(port, STREAM))
            while time.monotonic() < end:
                data = s.recv(1 << 18)
                if not data:
                    raise AssertionError("the stream of a live page was cut")
                if b"event: " in data:
                    now = time.monotonic()
                    self.frames, self.longest, at = self.frames + 1, max(self.longest, now - at), now


def commit_times(port):
    """{upper bound in seconds: commits} since the start."""
    text = web.ask(port, "/metrics").body.decode()
    return {float(le.replace("+Inf", "inf")): int(count) for le, count in
            re.findall(r'retailpulse_db_commit_seconds_bucket\{le="([^"]+)"\} (\d+)', text)}


def commit_p99(before, after):
    """Upper bound of the bucket in which 99 % of the commits in between are."""
    total = max(after.values()) - max(before.values())
    return next(le for le in sorted(after) if after[le] - before.get(le, 0) >= 0.99 * total), total


def consumed_in(data):
    with contextlib.closing(stage.open_store(data)) as db:
        return db.execute("SELECT ifnull(sum(next_offset),0) FROM partitions").fetchone()[0]


def stalls(data, seconds, step=1.0):
    """Steps during which the store did not grow; and how far it grew in all."""
    marks, end = [consumed_in(data)], time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(step)
        marks.append(consumed_in(data))
    return sum(b <= a for a, b in zip(marks, marks[1:])), marks[-1] - marks[0]


def hungry(_, port, count):
    """Opens and keeps as many connections as it can, each asking for something from the store."""
    ask = web.request(port, "/api/v1/series?from=now-6h&to=now")
    resource.setrlimit(resource.RLIMIT_NOFILE, (count + 100, count + 100))

    def one():
        s = web.connect(port, 5)
        s.setblocking(False)
        return s
    stubborn(one, count, ask, 0.05)


# --- Torn answers ---------------------------------------------------------------------------------

def micros(text):
    whole, _, fraction = str(text).partition(".")
    sign = -1 if whole.startswith("-") else 1
    return int(whole) * 1_000_000 + sign * int((fraction + "000000")[:6])


def torn(frame):
    """What in one frame of the page cannot be of one moment."""
    faults = []
    net = micros(frame["kpis"]["net_revenue"]["value"])
    sums = {
        "categories": sum(micros(row["net"]) for row in frame["categories"]),
        "top products": sum(micros(row["net"]) for row in frame["top_products"]["by_revenue"])
                        + micros(frame["top_products"]["other"]["net"])}
    faults += [f"{name} sum to {value}, net revenue is {net}"
               for name, value in sums.items() if value != net]
    ledger = dict(frame["ledger"])
    consumed = ledger.pop("consumed")
    for mark in ("late", "future"):  # of records that are in a bucket already
        ledger.pop(mark)
    if sum(ledger.values()) != consumed:
        faults.append(f"the ledger's buckets sum to {sum(ledger.values())} of {consumed}")
    faults += [f"pane {pane['start_us']} is {pane['state']} at {frame['watermark_us']}"
               for pane in frame["series"]["panes"]
               if (pane["start_us"] + frame["series"]["step_us"] <= frame["watermark_us"])
               == (pane["state"] == "provisional")]
    return faults


# What is not of the store, and so moves between two answers of one frame.
OF_THE_MOMENT = ("wall_us", "wall", "delay_s", "state", "rate", "lag")


BUCKETS = ("counted", "filtered", "rejected", "duplicate", "superseded", "too_late")


def read_frames(queue, port, count, seconds):
    """Asks until both are over; puts [(frame, hash of the answer)], faults and how often."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    seen, faults, asked, end = {}, [], 0, time.monotonic() + seconds

    def get(path):
        connection.request("GET", path, headers={"Host": f"localhost:{port}"})
        return json.loads(connection.getresponse().read())
    while asked < count or time.monotonic() < end:
        frame, asked = get("/api/v1/frame?range=15m"), asked + 2
        ledger = get("/api/v1/status")["ledger"]
        if sum(ledger.get(bucket, 0) for bucket in BUCKETS) != ledger["consumed"]:
            faults.append(f"the ledger of the status is of two moments: {ledger}")
        faults += [f"frame {frame['frame']}: {fault}" for fault in torn(frame)]
        kept = {key: value for key, value in frame.items() if key not in OF_THE_MOMENT}
        digest = hashlib.sha256(json.dumps(kept, sort_keys=True).encode()).hexdigest()
        if seen.setdefault(frame["frame"], digest) != digest:
            faults.append(f"two different answers for frame {frame['frame']}")
    connection.close()
    queue.put((sorted(seen.items()), faults[:20], asked))


def torn_reads(port, readers, each, seconds=0):
    """(answers, frames seen, faults) of several readers at once."""
    with contextlib.ExitStack() as stack:
        queues = [stack.enter_context(beside(read_frames, port, each, seconds)) for _ in range(readers)]
        parts = [queue.get(timeout=3600) for queue in queues]
    frames, faults = {}, []
    for seen, more, _ in parts:
        faults += more
        for number, digest in seen:
            if frames.setdefault(number, digest) != digest:
                faults.append(f"two readers were given different frames {number}")
    return sum(count for _, _, count in parts), len(frames), faults


def start_demo(folder, name, rate=1000, nofile=None, **env):
    """A busy demo and its data folder."""
    data = pathlib.Path(folder, f"data-{name}")
    limits = {} if nofile is None else {"nofile": nofile}
    process = stage.Process(
        ["demo", "--port", "0", "--data", data, "--zone", "UTC", "--rate", rate], folder, name,
        stage.environment(**{f"RETAILPULSE_HTTP_{k.upper()}": str(v) for k, v in env.items()}),
        **limits)
    process.wait_for_page()
    return process, data


def settled(process):
    """Waits until the history that a demo begins with is in the store."""
    stage.wait_until(lambda: process.status()["lag"]["records"] < 5000
                     and process.status()["ledger"]["consumed"] > 50_000, 60, process.told, 0.5)
    return web.port_of(process.page)
