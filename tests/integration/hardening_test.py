"""How the program was built, read from the file itself; and how little its service may do."""

import re
import shutil
import subprocess

import stage

EXPOSURE_MAX = 2.0
LANDING_PAD = b"\xf3\x0f\x1e\xfa"  # endbr64, at each function that may be jumped to


def read(*flags):
    run = subprocess.run(["readelf", "-W", *flags, stage.PROGRAM], capture_output=True, text=True,
                         check=True)
    return run.stdout


class TheProgram(stage.Stage):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if shutil.which("readelf") is None:
            stage.unavailable("there is no readelf (Debian package: binutils)")
        version = subprocess.run([stage.PROGRAM, "version"], capture_output=True, text=True,
                                 check=True)
        if ", release," not in version.stdout:
            stage.unavailable(f"{stage.PROGRAM} is no release build: only those are hardened")

    def test_it_is_placed_anywhere(self):
        self.assertRegex(read("-h"), r"Type:\s+DYN")
        self.assertRegex(read("-d"), r"FLAGS_1.*\bPIE\b")

    def test_its_tables_are_read_only_once_it_runs(self):
        self.assertRegex(read("-l"), r"GNU_RELRO")
        self.assertRegex(read("-d"), r"BIND_NOW")

    def test_nothing_can_be_written_and_run(self):
        segments = re.findall(r"^\s+(\S+)\s+0x\S+ 0x\S+ 0x\S+ 0x\S+ 0x\S+ ([R ][W ][E ])",
                              read("-l"), re.MULTILINE)
        stack = [flags for name, flags in segments if name == "GNU_STACK"]
        self.assertEqual(stack, ["RW "])
        self.assertGreater(len(segments), 8)
        self.assertEqual([s for s in segments if "W" in s[1] and "E" in s[1]], [])

    def test_stacks_and_buffers_are_guarded(self):
        symbols = read("--dyn-syms")
        self.assertIn("__stack_chk_fail", symbols)
        checked = set(re.findall(r"\b(__\w+_chk)\b", symbols)) - {"__stack_chk_fail"}
        self.assertGreaterEqual(len(checked), 5, "few calls are fortified")

    def test_jumps_land_where_they_may(self):
        # The mark on the whole file needs a C runtime that bears it too; Debian 12's does not.
        machine = read("-h")
        if "X86-64" not in machine:
            self.skipTest("landing pads are for x86-64")
        self.assertGreater(stage.PROGRAM.read_bytes().count(LANDING_PAD), 5000)

    def test_libraries_come_from_the_system_alone(self):
        self.assertNotRegex(read("-d"), r"RPATH|RUNPATH")


class TheService(stage.Stage):
    UNIT = stage.SOURCE / "config/retailpulse.service"

    def analyze(self, *words):
        if shutil.which("systemd-analyze") is None:
            stage.unavailable("there is no systemd-analyze (Debian package: systemd)")
        return subprocess.run(["systemd-analyze", "--no-pager", *map(str, words)],
                              capture_output=True, text=True, check=False)

    def test_it_may_do_little(self):
        run = self.analyze("security", "--offline=true", self.UNIT)
        told = re.search(r"Overall exposure level.*: ([\d.]+)", run.stdout)
        self.assertIsNotNone(told, run.stdout + run.stderr)
        print(f"exposure of the service: {told.group(1)}", flush=True)
        self.assertLessEqual(float(told.group(1)), EXPOSURE_MAX)

    def test_a_service_without_its_walls_would_be_seen(self):
        open_unit = self.new_data() / "retailpulse.service"
        text = self.UNIT.read_text().split("# A user of its own", maxsplit=1)[0]
        open_unit.write_text(text + "[Install]\nWantedBy=multi-user.target\n")
        run = self.analyze("security", "--offline=true", open_unit)
        told = re.search(r"Overall exposure level.*: ([\d.]+)", run.stdout)
        self.assertGreater(float(told.group(1)), EXPOSURE_MAX)

    def test_its_words_are_understood(self):
        """By systemd, and what it starts by the program."""
        unit = self.new_data() / "retailpulse.service"
        text = self.UNIT.read_text()
        unit.write_text(text.replace("/usr/local/bin/retailpulse", str(stage.PROGRAM)))
        run = self.analyze("verify", unit)
        self.assertNotIn("retailpulse.service:", run.stderr)
        words = re.search(r"^ExecStart=\S+ (.*)$", text, re.MULTILINE).group(1).split()
        config = self.new_data() / "shop.json"
        config.write_text('{"kafka": {"bootstrap": "127.0.0.1:1"}, "streams": '
                          '[{"topic": "transactions"}], "http": {"port": 0}}')
        words[words.index("-c") + 1] = config
        words[words.index("--data") + 1] = self.new_data()
        process = self.start(*words, "--require-healthy")
        self.assertEqual(process.wait(30), 69, process.told())


if __name__ == "__main__":
    stage.main()
