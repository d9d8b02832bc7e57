"""A scripted broker as a child process, and a TCP proxy that breaks what passes through it.

The broker (tests/tools/scripted_broker.cpp says which lines it takes) does what a real one cannot be
asked for; the proxy stands before any broker whose advertised address is the proxy's.
"""

import json
import socket
import struct
import subprocess
import threading
import time

import stage


class ScriptedBroker:
    """The child, one line at a time."""

    def __init__(self, nodes=1):
        self.child = subprocess.Popen(
            [stage.TOOLS / "scripted_broker", str(nodes)], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, preexec_fn=stage.die_with_parent)
        self.address = self.child.stdout.readline().strip()

    def stop(self):
        self.child.stdin.close()
        self.child.wait(20)

    def do(self, *words, lines=()):
        """Sends one command; its answer."""
        text = " ".join(map(str, words))
        self.child.stdin.write("".join(f"{line}\n" for line in (text, *lines)))
        self.child.stdin.flush()
        answer = self.child.stdout.readline().strip()
        if not answer or answer.startswith("error"):
            raise AssertionError(f"{text}: {answer}")
        return answer

    def append(self, topic, partition, records, producer=-1, gzip=False):
        """One batch; of a transaction when a producer is named. Records are dicts or texts."""
        lines = [r if isinstance(r, str) else json.dumps(r, separators=(",", ":")) for r in records]
        self.do("append", topic, partition, len(lines), producer, *(["gzip"] if gzip else []),
                lines=lines)

    def state(self):
        return json.loads(self.do("state"))


class Link:
    """What the proxy does to the bytes; changed at any time by a test."""

    def __init__(self):
        self.accept = True          # False: new connections are refused (reset)
        self.passes = True          # False: a stall: bytes wait, and go on when it is over
        self.delay = 0.0            # seconds, before each piece
        self.bytes_per_second = 0   # 0: as fast as it goes
        self.cut_after = None       # reset the connection after so many bytes of the broker's
        self.flip = None            # flip this bit, counted from now in the broker's bytes


class Proxy:
    """Listens on 127.0.0.1 and passes on to `upstream`, a port, through `link`."""

    def __init__(self, upstream=0):
        self.upstream = upstream
        self.link = Link()
        self.pairs = []
        self.dead = set()           # half open: bytes are taken and none is passed on
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.closed = False
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        self.closed = True
        self.listener.close()
        self.reset()

    def forget(self):
        """Every connection stays open and says nothing any more; new ones work."""
        with self.lock:
            self.dead.update(self.pairs)

    def reset(self):
        """RST to both sides of every connection."""
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            self._reset(pair)

    @staticmethod
    def _reset(pair):
        for end in pair:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                end.shutdown(socket.SHUT_RD)  # wakes the thread that waits on it
                end.close()
            except OSError:
                pass

    def _accept(self):
        while not self.closed:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            try:
                if not self.link.accept:
                    raise OSError("refused")
                broker = socket.create_connection(("127.0.0.1", self.upstream), timeout=5)
                broker.settimeout(None)
            except OSError:
                self._reset([client])
                continue
            for end in (client, broker):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, broker)
            with self.lock:
                self.pairs.append(pair)
            for source, target in ((client, broker), (broker, client)):
                threading.Thread(target=self._pump, args=(source, target, pair), daemon=True).start()

    def _pump(self, source, target, pair):
        from_broker = source is pair[1]
        link = self.link
        try:
            while data := source.recv(65536):
                if link.delay:
                    time.sleep(link.delay)
                while not link.passes and not self.closed:
                    time.sleep(0.01)
                if pair in self.dead:
                    continue
                if from_broker:
                    data = self._damage(data, target)
                target.sendall(data)
                if link.bytes_per_second:
                    time.sleep(len(data) / link.bytes_per_second)
        except OSError:
            pass
        self._reset(pair)
        with self.lock:
            self.dead.discard(pair)
            if pair in self.pairs:
                self.pairs.remove(pair)

    def _damage(self, data, target):
        link = self.link
        if link.flip is not None:
            at, link.flip = link.flip, link.flip - 8 * len(data)
            if at < 8 * len(data):
                link.flip = None
                changed = bytearray(data)
                changed[at // 8] ^= 1 << (at % 8)
                data = bytes(changed)
        if link.cut_after is not None:
            left, link.cut_after = link.cut_after, link.cut_after - len(data)
            if left < len(data):
                link.cut_after = None
                target.sendall(data[:left])
                raise OSError("cut")
        return data
