"""A stage that stands still is named by /healthz within ten seconds, and by the page; none is without
reason.

Every stage of a demo is stopped at a failpoint, all demos at once; one demo goes on undisturbed.
"""

import json
import re
import time
import urllib.error
import urllib.request

import stage

PROGRAM = stage.TOOLS / "retailpulse_failpoints"
SEEN_WITHIN = 10
# stage -> (failpoint, hit): when the demo is well under way
STALLS = {"main": ("watch", 100), "rp-src-0": ("poll", 200), "rp-agg-0": ("fold", 100),
          "rp-commit": ("publish", 30)}


class HealthTest(stage.Stage):
    def demo(self, name, **environment):
        arguments = ["demo", "--port", "0", "--data", self.new_data(), "--lanes", 1]
        process = stage.Process(arguments, self.folder, name, stage.environment(**environment), PROGRAM)
        self.addCleanup(process.kill)
        return process.wait_for_page(30)

    @staticmethod
    def health(process):
        try:
            with urllib.request.urlopen(process.page + "healthz", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def test_each_stage_that_stands_still_is_named(self):
        quiet = self.demo("quiet")
        demos = {name: self.demo(name, FAILPOINT_STALL=f"{point}:{hit}")
                 for name, (point, hit) in STALLS.items()}
        stood, seen = {}, {}

        def all_seen():
            self.assertEqual(self.health(quiet)[0], 200, quiet.told())
            for name, process in demos.items():
                if name not in stood and re.search("^standing still at", process.err, re.MULTILINE):
                    stood[name] = time.monotonic()
                if name in seen:
                    continue
                code, body = self.health(process)
                if code == 503:
                    seen[name] = time.monotonic()
                    self.assertIn(name, stood, "it stands still before it is called so")
                    self.assertEqual(body, {"status": "still", "stages": [name]})
            return len(seen) == len(demos)

        stage.wait_until(all_seen, 45, lambda: f"seen {sorted(seen)}, stood {sorted(stood)}", 0.2)
        for name, process in demos.items():
            took = seen[name] - stood[name]
            print(f"{name}: 503 after {took:.1f} s", flush=True)
            self.assertLess(took, SEEN_WITHIN)
            state = process.status()["state"]
            self.assertEqual(state["name"], "degraded", state)
            self.assertIn(name, state["reason"])
        self.assertEqual(self.health(quiet), (200, {"status": "ok"}))
        self.assertEqual(quiet.status()["state"]["name"], "live")


if __name__ == "__main__":
    stage.main()
