"""What an integration test stands on: a real Kafka broker, the product as a process, its store.

Every test file has its own broker and temporary folder. Both go away with the test process, however
it ends: a guardian process holds the other end of a pipe and cleans up when the pipe closes.

Without Java or the broker's jars a test is skipped with the reason (exit code 77), except where
nothing may be skipped (RETAILPULSE_REQUIRE_ALL=1). RETAILPULSE_KEEP=1 keeps the folders.
"""

import ctypes
import json
import os
import pathlib
import random
import re
import resource
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

SOURCE = pathlib.Path(os.environ.get("RETAILPULSE_SOURCE")
                      or pathlib.Path(__file__).resolve().parents[2])
PROGRAM = pathlib.Path(os.environ.get("RETAILPULSE_BIN")
                       or SOURCE / "build/release/retailpulse").resolve()
TOOLS = pathlib.Path(os.environ.get("RETAILPULSE_TOOLS") or PROGRAM.parent / "tools").resolve()
CACHE = pathlib.Path(os.environ.get("RETAILPULSE_CACHE")
                     or pathlib.Path.home() / ".cache/retailpulse")
NATIVE_TOPICS = ("transactions", "product_listings", "feedback", "interactions")
SKIPPED = 77
# Records of the tests are as old as their events: they never expire. A test may add to it.
BROKER_SETTINGS = ["log.retention.ms=-1"]


def unavailable(reason):
    """Skips the test, or fails it where nothing may be skipped."""
    if os.environ.get("RETAILPULSE_REQUIRE_ALL") == "1":
        raise AssertionError(f"nothing may be skipped here: {reason}")
    print(f"skipped: {reason}", file=sys.stderr, flush=True)
    raise unittest.SkipTest(reason)


def seeded():
    """A random number generator whose seed is printed and can be given again."""
    seed = int(os.environ.get("RETAILPULSE_SEED") or random.SystemRandom().randrange(1 << 31))
    print(f"seed {seed} (RETAILPULSE_SEED={seed} repeats it)", file=sys.stderr, flush=True)
    return random.Random(seed)


def wait_until(condition, seconds, what, pause=0.05):
    """The first true answer of `condition`; fails with `what` when there is none in time."""
    deadline = time.monotonic() + seconds
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(pause)


def die_with_parent():
    """In a child: no process outlives a test that was killed."""
    pr_set_pdeathsig = 1
    ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGKILL)


def prepare_child(nofile):
    die_with_parent()
    if nofile is not None:  # at most so many open files
        resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))


def environment(**changes):
    """Ours without what would configure the product."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("RETAILPULSE_")}
    return {**clean, **changes}


def lines_of(records):
    """Records (dicts, or texts as they are) as the lines that `produce` reads."""
    return b"".join((r if isinstance(r, str) else json.dumps(r, separators=(",", ":"))).encode()
                    + b"\n" for r in records)


class Broker:
    """One Apache Kafka broker. Topics are created by the test."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.address = ""

    def start(self):
        command = [SOURCE / "tests/kafka/start", "--dir", self.folder]
        for setting in BROKER_SETTINGS:
            command += ["--set", setting]
        run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                             check=False, timeout=300)
        if run.returncode == SKIPPED:
            unavailable(run.stderr.strip())
        if run.returncode != 0:
            raise AssertionError(f"the broker did not start: {run.stderr}")
        self.address = run.stdout.strip()
        return self

    def stop(self, kill=False):
        command = [SOURCE / "tests/kafka/stop", *(["--kill"] if kill else []), self.folder]
        subprocess.run(command, check=True, timeout=120)

    def produce_command(self, topic, *flags):
        return [TOOLS / "produce", "-b", self.address, "-t", topic, *map(str, flags)]

    def tool(self, topic, *flags, lines=b""):
        run = subprocess.run(self.produce_command(topic, *flags), input=lines, capture_output=True,
                             check=False, timeout=300)
        if run.returncode != 0:
            raise AssertionError(f"produce {flags}: {run.stderr.decode()}")
        return json.loads(run.stdout)

    def create(self, topic, partitions=1):
        self.tool(topic, "--create", partitions)

    def create_native(self, partitions=4):
        for topic in NATIVE_TOPICS:
            self.create(topic, partitions)

    def add_partitions(self, topic, total):
        self.tool(topic, "--add-partitions", total)

    def produce(self, topic, records, *flags, partition=0):
        flags = flags if partition is None else ("-p", partition, *flags)
        done = self.tool(topic, *flags, lines=lines_of(records))["produced"]
        if done != len(records):
            raise AssertionError(f"{done} of {len(records)} records were produced")

    def ends(self, topic):
        """End offset by partition."""
        rows = self.tool(topic, "--offsets")["offsets"]
        return {row["partition"]: row["end"] for row in rows}

    def batch_codecs(self, topic, partition=0):
        """Codec numbers of the record batches on the broker's disk."""
        codecs = set()
        for path in sorted((self.folder / "data" / f"{topic}-{partition}").glob("*.log")):
            data, at = path.read_bytes(), 0
            while at + 23 <= len(data):
                length = int.from_bytes(data[at + 8:at + 12], "big")
                if length == 0:
                    break
                codecs.add(int.from_bytes(data[at + 21:at + 23], "big") & 7)
                at += 12 + length
        return codecs


class Process:
    """A started `retailpulse`, its output in files."""

    def __init__(self, arguments, folder, name, env=None, program=PROGRAM, nofile=None):
        self.out_path = pathlib.Path(folder, f"{name}.out")
        self.err_path = pathlib.Path(folder, f"{name}.err")
        self.arguments = [str(a) for a in arguments]
        with open(self.out_path, "wb") as out, open(self.err_path, "wb") as err:
            self.popen = subprocess.Popen(
                [program, *self.arguments], stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                cwd=folder, env=env or environment(),
                preexec_fn=lambda: prepare_child(nofile))
        self.page = ""

    @property
    def out(self):
        return self.out_path.read_text(errors="replace")

    @property
    def err(self):
        return self.err_path.read_text(errors="replace")

    def told(self):
        """What a failed test wants to know."""
        code = self.popen.poll()
        return f"retailpulse {' '.join(self.arguments)}\n exit {code}\n{self.out}{self.err[-4000:]}"

    def signal(self, number):
        self.popen.send_signal(number)

    def kill(self):
        if self.popen.poll() is None:
            self.popen.kill()
        self.popen.wait()

    def wait(self, seconds):
        """The exit code."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still running after {seconds} s: {self.told()}") from None

    def terminate(self, seconds=5):
        """SIGTERM; the exit code and how long it took."""
        begun = time.monotonic()
        self.signal(signal.SIGTERM)
        code = self.wait(seconds)
        return code, time.monotonic() - begun

    def wait_for_page(self, seconds=20):
        def listening():
            if self.popen.poll() is not None:
                raise AssertionError(f"it ended before the page was ready: {self.told()}")
            return re.search(r"^listening on (http://127\.0\.0\.1:\d+/)$", self.err, re.MULTILINE)
        self.page = wait_until(listening, seconds, self.told).group(1)
        return self

    def get(self, path):
        with urllib.request.urlopen(self.page + path, timeout=10) as answer:
            return json.load(answer)

    def status(self):
        return self.get("api/v1/status")

    def wait_for_consumed(self, records, seconds):
        """Until so many records are in the ledger, no more and no less."""
        def consumed():
            if self.popen.poll() is not None:
                raise AssertionError(f"it ended: {self.told()}")
            return self.status()["ledger"]["consumed"]
        wait_until(lambda: consumed() >= records, seconds,
                   lambda: f"{records} records, but {self.status()['ledger']}; "
                           f"{self.reached()}; {self.told()}", 0.1)

    def reached(self):
        """How far each partition is, for a message."""
        rows = self.get("api/v1/partitions")["rows"]
        return ", ".join(f"{p['topic']}/{p['partition']}: {p['next_offset']} of {p['end_offset']}"
                         for p in rows)

    def summary(self):
        """The JSON object in the last line of stdout."""
        return json.loads(self.out.splitlines()[-1])


class Stage(unittest.TestCase):
    """A test with a temporary folder and processes that end with it."""

    @classmethod
    def setUpClass(cls):
        if not PROGRAM.exists():
            raise AssertionError(f"there is no program to test at {PROGRAM}")
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="retailpulse-test."))
        cls.names = 0
        cls.addClassCleanup(cls._guard())

    @classmethod
    def _guard(cls):
        """Starts the guardian; what it returns lets it clean up and waits for it."""
        keep = os.environ.get("RETAILPULSE_KEEP") == "1"
        script = ('read -r _; trap "" TERM INT HUP; '
                  '[ ! -d "$2/broker" ] || "$1" --kill "$2/broker"; '
                  + ("" if keep else 'rm -rf "$2"'))
        guardian = subprocess.Popen(
            ["sh", "-c", script, "guardian", SOURCE / "tests/kafka/stop", cls.folder],
            stdin=subprocess.PIPE, start_new_session=True)

        def finish():
            guardian.stdin.close()
            guardian.wait(60)
            if keep:
                print(f"kept {cls.folder}", file=sys.stderr)
        return finish

    def start(self, *arguments, name=None, env=None):
        type(self).names += 1
        process = Process(arguments, self.folder, f"{name or arguments[0]}-{self.names}", env)
        self.addCleanup(process.kill)
        return process

    def finish(self, *arguments, seconds=120, code=0, env=None):
        """Runs to its end and asks for an exit code."""
        process = self.start(*arguments, env=env)
        self.assertEqual(process.wait(seconds), code, process.told())
        return process

    def agree(self, faults):
        """Fails with all the faults that the oracle found."""
        if faults:
            self.fail("\n  ".join(["the store is wrong:", *faults]))

    def new_data(self):
        return pathlib.Path(tempfile.mkdtemp(prefix="data.", dir=self.folder))


class KafkaStage(Stage):
    """A Stage with a broker for all tests of the class."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.broker = Broker(cls.folder / "broker").start()

    def run_arguments(self, topics, data, *more):
        flags = [word for topic in topics for word in ("-t", topic)]
        zone = [] if "--zone" in more else ["--zone", "UTC"]
        return ["run", "-b", self.broker.address, *flags, "--data", data, "--port", "0", *zone,
                *more]

    def run_to_end(self, topics, data, *more, seconds=120):
        """run --from earliest -e; its summary. No topics: the configuration names them."""
        arguments = self.run_arguments(topics, data, "--from", "earliest", *more, "-e")
        return self.finish(*arguments, seconds=seconds).summary()

    def start_run(self, topics, data, *more):
        return self.start(*self.run_arguments(topics, data, *more)).wait_for_page()

    def simulate(self, truth, *more):
        """A running simulate that will write the truth file."""
        return self.start("simulate", "-b", self.broker.address, "--truth", truth, *more)


def open_store(data):
    """A read-only connection to the store of a data folder."""
    path = pathlib.Path(data, "retailpulse.db").resolve()
    return sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=10)


def main():
    """unittest.main, but a file whose tests were all skipped exits with 77."""
    program = unittest.main(module="__main__", exit=False, verbosity=2)
    result = program.result
    if not result.wasSuccessful():
        sys.exit(1)
    ran = result.testsRun - sum(1 for test, _ in result.skipped if isinstance(test, Stage))
    sys.exit(SKIPPED if result.skipped and ran == 0 else 0)
