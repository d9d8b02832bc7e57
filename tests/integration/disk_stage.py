"""A shop on a mock cluster with its judge, small disks, and disks that fail. No Java is needed."""

import ctypes
import ctypes.util
import json
import mmap
import os
import pathlib
import struct
import subprocess
import urllib.error
import urllib.request

import stage

ZONE = "Europe/Berlin"
WRITE, TRUNCATE, SYNC = 1, 2, 4
FOR_EVER = -1


class Shop:
    """The tool shop_feed: records for the program, and the prefix oracle."""

    def __init__(self, seed):
        self.popen = subprocess.Popen([stage.TOOLS / "shop_feed", "--seed", str(seed)], text=True,
                                      stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      preexec_fn=stage.die_with_parent)
        told = self._answer()
        self.bootstrap, self.topics = told["bootstrap"], told["topics"]
        self.given = 0

    def _answer(self):
        line = self.popen.stdout.readline()
        if not line:
            raise AssertionError(f"shop_feed ended with {self.popen.wait()}")
        return json.loads(line)

    def _ask(self, line):
        self.popen.stdin.write(line + "\n")
        self.popen.stdin.flush()
        return self._answer()

    def give(self, records):
        self.given = self._ask(f"give {records}")["given"]

    def check(self, data):
        return self._ask(f"check {data}/retailpulse.db")

    def checkpoint(self, data):
        return self._ask(f"checkpoint {data}/retailpulse.db")["moved"]

    def close(self):
        self.popen.stdin.close()
        self.popen.stdout.close()
        self.popen.wait(20)


class FaultBoard:
    """What the preloaded library lets fail, and what it saw."""

    def __init__(self, path):
        path.write_bytes(bytes(32))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 32)
        self.environment = {"DISK_FAULT": str(path),
                            "LD_PRELOAD": str(stage.TOOLS / "libdisk_fault.so")}

    def fail(self, calls, error, times):
        struct.pack_into("=iiiii", self.map, 0, calls, error, times, 0, 0)

    def heal(self):
        struct.pack_into("=i", self.map, 0, 0)

    @property
    def failed(self):
        return struct.unpack_from("=i", self.map, 12)[0]

    @property
    def after(self):
        """Calls that came after the first failure and were let through."""
        return struct.unpack_from("=i", self.map, 16)[0]


def own_mounts():
    """From now on what this process mounts is seen by it and its children alone."""
    libc = ctypes.CDLL(None, use_errno=True)
    new_user, new_mounts, recursive, private = 0x10000000, 0x00020000, 0x4000, 1 << 18
    user, group = os.getuid(), os.getgid()
    if libc.unshare(new_mounts if user == 0 else new_mounts | new_user) != 0:
        stage.unavailable(f"no mounts of our own: {os.strerror(ctypes.get_errno())}")
    if user != 0:
        pathlib.Path("/proc/self/setgroups").write_text("deny", encoding="ascii")
        pathlib.Path("/proc/self/uid_map").write_text(f"0 {user} 1", encoding="ascii")
        pathlib.Path("/proc/self/gid_map").write_text(f"0 {group} 1", encoding="ascii")
    if libc.mount(b"none", b"/", None, recursive | private, None) != 0:
        stage.unavailable(f"mounts are not private: {os.strerror(ctypes.get_errno())}")


def mount(source, target, kind, flags=0, options=""):
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.mount(source.encode(), str(target).encode(), kind.encode(), flags, options.encode()) != 0:
        stage.unavailable(f"cannot mount {kind}: {os.strerror(ctypes.get_errno())}")


def unmount(target):
    ctypes.CDLL(None).umount2(str(target).encode(), 2)


class DiskStage(stage.Stage):
    def setUp(self):
        self.random = stage.seeded()
        self.shop = Shop(self.random.randrange(1 << 31))
        self.addCleanup(self.shop.close)

    def run_arguments(self, data, *more):
        arguments = ["run", "-b", self.shop.bootstrap, "--data", data, "--port", "0", "--zone", ZONE,
                     "--from", "earliest", "-X", "fetch.wait.max.ms=10", *more]
        for topic in self.shop.topics:
            arguments += ["-t", f"{topic}={topic}"]
        return arguments

    def begin(self, data, *more, **environment):
        run = self.start(*self.run_arguments(data, *more), env=stage.environment(**environment))
        return run.wait_for_page()

    def state(self, run):
        return run.status()["state"]

    def wait_for_state(self, run, name, seconds=10):
        stage.wait_until(lambda: self.state(run)["name"] == name, seconds,
                         lambda: f"the page says {name}: {self.state(run)}; {run.told()}")
        return self.state(run)

    def ready(self, run):
        """Status and body of /readyz."""
        try:
            with urllib.request.urlopen(run.page + "readyz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as refused:
            with refused:
                return refused.code, json.load(refused)

    def agree_with_oracle(self, data, whole=True):
        told = self.shop.check(data)
        self.assertEqual((told["faults"], told["lost"], told["doubled"]), ([], 0, 0))
        if whole:
            self.assertEqual(told["records"], self.shop.given)

    def goes_on(self, run, seconds=20):
        run.wait_for_consumed(self.shop.given, seconds)
        stage.wait_until(lambda: self.ready(run)[0] == 200, 10, lambda: str(self.ready(run)))
