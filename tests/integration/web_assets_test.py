"""web/embed.mjs: hashed names, rewritten references, and errors that name the place."""

import pathlib
import re
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class WebAssetsTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.web = pathlib.Path(self.folder.name, "web")
        self.out = pathlib.Path(self.folder.name, "out")
        self.web.mkdir()

    def embed(self, files):
        for name, text in files.items():
            path = self.web / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return subprocess.run(
            ["node", ROOT / "web/embed.mjs", "--web", self.web, "--out", self.out],
            capture_output=True, text=True, check=False)

    def table(self):
        return re.findall(r'\.path = "([^"]+)"', (self.out / "assets.cpp").read_text())

    def served(self):
        return (self.out / "assets.bin").read_bytes().decode("utf8", "replace")

    def test_nothing_to_embed_still_gives_a_page(self):
        self.assertEqual(self.embed({}).returncode, 0)
        self.assertIn("/", self.table())

    def test_references_lead_to_hashed_names(self):
        run = self.embed({
            "index.html": '<link rel="icon" href="logo.svg"><script type="module" src="app.js"></script>'
                          '<a href="/metrics">m</a><a href="#x">x</a>',
            "app.js": "import {draw} from './charts/line.js';\nnew Worker(new URL('w.js', import.meta.url));",
            "charts/line.js": 'export {draw} from "../deep.js";',
            "deep.js": "export const draw = 1;",
            "w.js": "",
            "logo.svg": "<svg/>",
        })
        self.assertEqual(run.returncode, 0, run.stderr)
        table, served = self.table(), self.served()
        self.assertEqual(table, sorted(table))
        for name in ("app", "charts/line", "deep", "w", "logo"):
            [path] = [p for p in table if re.fullmatch(rf"/a/{name}\.[0-9a-f]{{8}}\.(js|svg)", p)]
            self.assertIn(path, served)
        self.assertIn('href="/metrics"', served)
        self.assertIn('href="#x"', served)

    def test_a_name_changes_with_what_it_refers_to(self):
        names = []
        for value in "12":
            self.embed({"app.js": "import './deep.js';", "deep.js": f"export default {value};"})
            names.append([p for p in self.table() if p.startswith("/a/app.")])
        self.assertNotEqual(names[0], names[1])

    def test_a_reference_to_nothing_is_an_error(self):
        run = self.embed({"index.html": '<script src="gone.js"></script>'})
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("index.html: no file for 'gone.js'", run.stderr)

    def test_a_circle_is_an_error(self):
        run = self.embed({"a.js": "import './b.js';", "b.js": "import './a.js';"})
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("a.js -> b.js -> a.js", run.stderr)


if __name__ == "__main__":
    unittest.main()
