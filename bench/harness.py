"""What the benches share: a real broker in a temporary folder, JSON of a command, the machine's name."""
import json
import os
import platform
import shutil
import subprocess
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
BUILD = os.environ.get("RETAILPULSE_BUILD", os.path.join(ROOT, "build", "release"))
BINARY = os.path.join(BUILD, "retailpulse")
TOPICS = ["transactions", "product_listings", "feedback", "interactions"]


class Broker:
    """Apache Kafka, one broker, stopped and removed at the end."""

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="retailpulse-bench-")
        started = subprocess.run([os.path.join(ROOT, "tests/kafka/start"), "--dir", self.folder,
                                  "--set", "log.retention.ms=-1"],  # records are as old as their events
                                 check=True, capture_output=True, text=True)
        self.address = started.stdout.strip().splitlines()[-1]
        return self

    def __exit__(self, *_):
        subprocess.run([os.path.join(ROOT, "tests/kafka/stop"), self.folder], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)

    def create(self, topic, partitions):
        run_tool("produce", "-b", self.address, "-t", topic, "--create", str(partitions))


def run_tool(name, *arguments):
    tool = find_tool(name)
    return subprocess.run([tool, *arguments], check=True, stdin=subprocess.DEVNULL)


def find_tool(name):
    for folder, _, files in os.walk(BUILD):
        if name in files and os.access(os.path.join(folder, name), os.X_OK):
            return os.path.join(folder, name)
    raise SystemExit(f"{name} is not built below {BUILD}")


def last_json(command, **options):
    done = subprocess.run(command, check=True, capture_output=True, text=True, **options)
    return json.loads(done.stdout.strip().splitlines()[-1])


def machine():
    model = next((line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo")
                  if line.startswith("model name")), platform.machine())
    commit = subprocess.run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"],
                            capture_output=True, text=True).stdout.strip()
    return f"{os.cpu_count()} x {model}, {platform.system()} {platform.release()}, commit {commit}"


def spread(values):
    ordered = sorted(values)
    middle = ordered[len(ordered) // 2] if len(ordered) % 2 else sum(ordered[len(ordered) // 2 - 1:][:2]) / 2
    return middle, ordered[0], ordered[-1]
