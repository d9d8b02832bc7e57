"""Killed anywhere, the store is always F(the records before its offsets); and the judge sees well.

The loop, its broker and the judge are the tool kill_loop; see its head for what a round does.
tests/long/kill_loop and kill_kafka run the same for longer.
"""

import json
import re
import signal
import subprocess

import stage

ROUNDS = 50
PLANT_ROUNDS = 24       # until a planted bug must have been noticed
HEADER = stage.SOURCE / "src/base/failpoint.h"
PROGRAM = stage.TOOLS / "retailpulse_failpoints"


def plants():
    names = re.search(r"kPlantNames\{(.*?)\}", HEADER.read_text(encoding="utf8"), re.DOTALL)
    return re.findall(r'"([a-z_]+)"', names.group(1))


class PrefixTest(stage.Stage):
    def loop(self, *arguments):
        command = [stage.TOOLS / "kill_loop", "--program", PROGRAM, *map(str, arguments)]
        return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)

    def test_fifty_rounds(self):
        seed = stage.seeded().randrange(1 << 31)
        run = self.loop("--rounds", ROUNDS, "--seed", seed)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        told = json.loads(run.stdout)
        print(run.stdout.strip(), flush=True)
        self.assertEqual((told["rounds"], told["lost"], told["doubled"]), (ROUNDS, 0, 0))
        self.assertGreater(told["with_progress"], ROUNDS // 5, "many rounds counted something")
        self.assertGreater(told["at_failpoints"], ROUNDS // 10, "failpoints are reached")

    def test_every_planted_bug_is_noticed(self):
        seed = stage.seeded().randrange(1 << 31)
        self.assertEqual(len(plants()), 12)
        missed = []
        for name in plants():
            run = self.loop("--rounds", PLANT_ROUNDS, "--seed", seed, "--plant", name)
            noticed = re.search(rf"^{name} noticed: .*$", run.stderr, re.MULTILINE)
            print(noticed[0] if noticed else f"{name} was not noticed", flush=True)
            if run.returncode != 0:
                missed.append(f"{name}: {run.stdout}{run.stderr}")
        self.assertEqual(missed, [])

    def test_a_new_store_is_made_whole_or_not_at_all(self):
        for statement in range(1, 1000):
            data = self.new_data()
            run = self.start_with({"FAILPOINT_AT": f"sql:{statement}"}, data)
            stage.wait_until(lambda: run.popen.poll() is not None or "listening" in run.err, 20, run.told)
            if run.popen.poll() is None:
                break  # it needs fewer statements to open
            self.assertEqual(run.popen.returncode, -signal.SIGKILL, run.told())
            if not (data / "retailpulse.db").exists():
                continue
            with stage.open_store(data) as db:
                [[tables]] = db.execute("SELECT count(*) FROM sqlite_schema")
                if tables:
                    rows = db.execute("SELECT value FROM meta WHERE key='zone'").fetchall()
                    self.assertEqual(rows, [("UTC",)], f"killed at statement {statement}")
        self.assertGreater(statement, 50, "tables, indexes and views are statements")

    def start_with(self, environment, data):
        type(self).names += 1
        arguments = ["run", "-b", "127.0.0.1:1", "-t", "transactions", "--data", data, "--port", "0",
                     "--zone", "UTC"]
        process = stage.Process(arguments, self.folder, f"failpoints-{self.names}",
                                stage.environment(**environment), PROGRAM)
        self.addCleanup(process.kill)
        return process

    def test_the_program_for_users_has_no_failpoints(self):
        self.assertIn(b"FAILPOINT_AT", PROGRAM.read_bytes())
        for text in (b"FAILPOINT_", *(name.encode() for name in plants())):
            self.assertNotIn(text, stage.PROGRAM.read_bytes())


if __name__ == "__main__":
    stage.main()
