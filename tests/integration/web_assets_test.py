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
        for name in ("index.bundle", "w", "logo"):
            [path] = [p for p in table if re.fullmatch(rf"/a/{name}\.[0-9a-f]{{8}}\.(js|svg)", p)]
            self.assertIn(path, served)
        # What the page's module imports is in its bundle, in the order in which it is needed.
        self.assertEqual([p for p in table if "line" in p or "deep" in p or "app" in p], [])
        self.assertLess(served.index("draw = 1"), served.index("new Worker"))
        self.assertIn('href="/metrics"', served)
        self.assertIn('href="#x"', served)

    def test_a_bundle_does_what_the_modules_do(self):
        files = {
            "index.html": '<script src="first.js" defer></script>\n<script type="module" src="app.js">'
                          '</script>',
            "first.js": "var before = 'b';",
            "app.js": "import {twice, kTwo as two} from './math.js';\nimport * as text from './text.js';\n"
                      "import './side.js';\nconst k = 1;\n"
                      "console.log(globalThis.before, twice(k), two, text.shout('x'), new text.Loud().k, seen);",
            "math.js": "import {shout} from './text.js';\nconst k = 2;\nexport const kTwo = k;\n"
                       "export function twice(n) {\n  return n * k + shout('').length;\n}",
            "text.js": "const k = '!';\nexport const shout = (t) => t + k;\nclass Loud {\n  k = k;\n}\n"
                       "export {Loud};",
            "side.js": "globalThis.seen = 'side';",
        }
        run = self.embed(files)
        self.assertEqual(run.returncode, 0, run.stderr)
        script = self.served().split("var before", 1)[1].split("\0", 1)[0]
        script = "var before" + script[:script.rindex("})();") + len("})();")]
        node = subprocess.run(["node", "--input-type=module", "-e", script], capture_output=True,
                              text=True, check=False)
        self.assertEqual(node.stdout, "b 3 2 x! ! side\n", node.stderr)

    def test_what_cannot_be_bundled_is_an_error(self):
        run = self.embed({"index.html": '<script type="module" src="app.js"></script>',
                          "app.js": "export default 1;"})
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("app.js: cannot be bundled", run.stderr)

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
