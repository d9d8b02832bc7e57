"""The web rules, each as an assertion against the running program: who may ask, in what words, how
much of it, and what every answer bears."""

import hashlib
import itertools
import json
import pathlib
import socket
import sqlite3
import time

import stage
import web_client as web

POLICY = {
    "default-src": "'none'", "script-src": "'self'", "style-src": "'self'",
    "img-src": "'self' data:", "connect-src": "'self'", "manifest-src": "'self'",
    "frame-ancestors": "'none'", "base-uri": "'none'", "form-action": "'none'",
    "require-trusted-types-for": "'script'", "trusted-types": "'none'"}
STREAM = "/api/v1/stream?range=1h"
CANARY = "canary-of-a-file-7d1f"  # in files that nobody should read
SECRET_FILE = "secret-file.txt"
SIGNS_OF_A_FILE = (CANARY.encode(), b"root:x:", b"SQLite format 3", b"Linux version", b"\x7fELF")


def wrong_hosts(port):
    """Everything that is not exactly one of ours."""
    return [
        "localhost", "127.0.0.1", "[::1]", "::1", f"::1:{port}", "localhost:80", "localhost:",
        f"localhost:{port + 1}", f"localhost:0{port}", f"localhost:{port} ,evil",
        f"localhost:{port}:{port}", f"localhost.:{port}", f"localhost.evil.example:{port}",
        f"evil.example:{port}", "evil.example", f"evil-localhost:{port}", f"localhostx:{port}",
        f"xlocalhost:{port}", f"127.0.0.1.nip.io:{port}", f"127.0.0.1.:{port}", f"127.1:{port}",
        f"127.0.1:{port}", f"2130706433:{port}", f"0x7f000001:{port}", f"0177.0.0.1:{port}",
        f"127.0.0.2:{port}", f"0.0.0.0:{port}", f"0:{port}", f"[::]:{port}",
        f"[0:0:0:0:0:0:0:1]:{port}", f"[::ffff:127.0.0.1]:{port}", f"[::1%25lo]:{port}",
        "[::1]:80", f"[::1]{port}", f"[::1:{port}", f"user@localhost:{port}",
        f"user:pw@localhost:{port}", f"localhost:{port}@evil.example", f"http://localhost:{port}",
        f"//localhost:{port}", f"localhost:{port}/", f"localhost:{port}/x", f"localhost:{port}?x",
        f"localhost:{port}#x", f"localhost%3A{port}", f"localhost%00:{port}",
        f"%6cocalhost:{port}", f"localhost:{port}%0d%0aX: y", f"local host:{port}",
        f"\"localhost\":{port}", "localhost:8o80", f"localhost:+{port}", f"localhost:-{port}",
        f"localhost:{port}.", f"localhost:{port}0", "localhost:65536", "*", f"*:{port}",
        f"192.168.0.7:{port}", f"169.254.169.254:{port}", f"rebind.network:{port}",
        f"localtest.me:{port}", f"lvh.me:{port}", f"localhost;:{port}", f"localhost,:{port}"]


def traversals():
    """300 ways to ask for a file that is not of the page."""
    ups = ["..", "%2e%2e", ".%2e", "%2e.", "..;", "....", "%252e%252e", "..%00", "%c0%ae%c0%ae",
           "..%5c", "%e0%80%ae", "..%c0%af"]
    seps = ["/", "%2f", "//", "\\", "%5c"]
    files = ["etc/passwd", "proc/self/cmdline", "retailpulse.db", SECRET_FILE, "proc/version"]
    paths = [f"/{up}{sep}{up}{sep}{up}{sep}{up}{sep}{file}"
             for up, sep, file in itertools.product(ups, seps, files)]
    assert len(paths) == 300
    heads = ["/a/", "/a/..", "/api/v1/products/", "/static/", "/./", "/.git/", "/~root/", "/file:/"]
    return paths + [f"{head}{file}" for head in heads for file in files] + [
        "/" + str(stage.PROGRAM), "//etc/passwd", "/etc/passwd", "/proc/self/environ",
        "/retailpulse.db", "/retailpulse.db-wal", "/index.html/../../etc/passwd"]


class OfADemo(stage.Stage):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.folder / "data"
        env = stage.environment(RETAILPULSE_HTTP_CONNECTIONS_MAX="64")
        cls.demo = stage.Process(["demo", "--port", "0", "--data", cls.data, "--zone", "UTC"],
                                 cls.folder, "demo", env)
        cls.addClassCleanup(cls.demo.kill)
        cls.demo.wait_for_page()
        (cls.data / SECRET_FILE).write_text(CANARY)
        (cls.folder / SECRET_FILE).write_text(CANARY)
        cls.port = web.port_of(cls.demo.page)
        cls.paths = sorted(cls.demo.get("api/openapi.json")["paths"])
        page = web.ask(cls.port).body.decode()
        cls.asset = page.split('src="', 1)[1].split('"', 1)[0]

    def ask(self, *arguments, **more):
        return web.ask(self.port, *arguments, **more)

    def test_only_our_own_hosts_are_answered(self):
        wrong, served = wrong_hosts(self.port), []
        self.assertGreaterEqual(len(wrong), 60)
        for target in ("/", self.asset, "/api/v1/status", "/metrics", STREAM):
            for host in wrong:
                answer = self.ask(target, host=host)
                if answer.status != 421 or b"RetailPulse" in answer.body:
                    served.append((target, host, answer.status))
            for host in ("localhost", "LocalHost", "127.0.0.1", "[::1]"):
                answer = self.ask(target, host=f"{host}:{self.port}")
                self.assertEqual(answer.status, 200, (target, host))
        self.assertEqual(served, [])
        print(f"{len(wrong)} wrong hosts x 5 paths: served 0", flush=True)

    def test_a_host_that_is_missing_double_or_contradicted(self):
        self.assertEqual(self.ask(host="").status, 421)
        self.assertEqual(web.send(self.port, b"GET / HTTP/1.0\r\n\r\n").status, 421)
        right = f"localhost:{self.port}"
        for other in (right, "evil.example"):
            self.assertEqual(self.ask(headers=[("Host", other)]).status, 400)
            self.assertEqual(self.ask(headers=[("hOST", other)]).status, 400)
        for target in (f"http://{right}/", "http://evil.example/", f"https://{right}/api/v1/status",
                       "*", "evil.example:80"):
            self.assertEqual(self.ask(target).status, 421, target)
        # Who claims to forward does not change who we are.
        for name in ("X-Forwarded-Host", "Forwarded", "X-Host", "X-Original-Host"):
            self.assertEqual(self.ask(host="evil.example", headers=[(name, right)]).status, 421)

    def test_every_answer_bears_the_rules_and_none_opens_a_door(self):
        requests = [("GET", path, []) for path in [*self.paths, "/", self.asset, "/metrics",
                    "/healthz", "/readyz", "/licences.txt", "/nothing", "/api/v1/nothing",
                    "/%zz", STREAM, "/api/v1/series?step=1parsec"]]
        requests += [("HEAD", "/", []), ("PUT", "/", []), ("OPTIONS", "/api/v1/status", []),
                     ("POST", "/api/v1/status", []), ("TRACE", "/", []),
                     ("GET", "/", [("Host", "twice")])]
        origin = [("Origin", "https://evil.example")]
        requests += [(method, path, headers + origin) for method, path, headers in requests]
        requests += [("OPTIONS", path, origin + [("Access-Control-Request-Method", "POST"),
                      ("Access-Control-Request-Private-Network", "true")]) for path in self.paths]
        for method, path, headers in requests:
            with self.subTest(method=method, path=path, headers=headers):
                self.judge(self.ask(path, method, headers=headers))
        self.judge(self.ask(host="evil.example"))
        self.judge(web.send(self.port, b"rubbish\r\n\r\n"))
        self.judge(self.ask("/" + "x" * 3000))

    def judge(self, answer):
        self.assertGreater(answer.status, 0)
        self.assertEqual([n for n, _ in answer.headers if n.startswith("access-control-")], [])
        policies = [v for n, v in answer.headers if n == "content-security-policy"]
        self.assertEqual(len(policies), 1, answer.headers)
        rules = dict(rule.strip().split(" ", 1) for rule in policies[0].split(";"))
        self.assertEqual(rules, POLICY)
        for name, value in (("x-content-type-options", "nosniff"),
                            ("cross-origin-resource-policy", "same-origin"),
                            ("cross-origin-opener-policy", "same-origin"),
                            ("referrer-policy", "no-referrer")):
            self.assertEqual([v for n, v in answer.headers if n == name], [value], name)
        self.assertEqual([n for n, _ in answer.headers if n in ("server", "set-cookie")], [])

    def test_pages_of_other_sites_get_nothing_of_the_api(self):
        guarded = [path for path in self.paths if path.startswith(("/api", "/metrics"))]
        self.assertGreater(len(guarded), 20)
        for path in guarded:
            for headers in ([("Origin", "https://evil.example")], [("Origin", "null")],
                            [("Sec-Fetch-Site", "cross-site")], [("Sec-Fetch-Site", "same-site")],
                            [("Origin", f"http://localhost:{self.port + 1}")],
                            [("Origin", f"https://localhost.evil.example:{self.port}")]):
                answer = self.ask(path.replace("{id}", "1"), headers=headers)
                self.assertEqual(answer.status, 403, (path, headers))
        for path in ("/%61pi/v1/status", "/api%2fv1/status", "/metrics"):
            answer = self.ask(path, headers=[("Sec-Fetch-Site", "cross-site")])
            self.assertEqual(answer.status, 403, path)

    def test_a_write_needs_json_and_a_sign_that_no_other_site_can_give(self):
        posts = [p for p, methods in self.demo.get("api/openapi.json")["paths"].items()
                 if "post" in methods]
        json_type = ("Content-Type", "application/json")
        own = ("X-RetailPulse", "1")
        for path in [*posts, "/api/v1/status", "/"]:
            for headers, status in (
                    ([], 403), ([json_type], 403), ([own], 415),
                    ([own, ("Content-Type", "text/plain")], 415),
                    ([own, ("Content-Type", "application/x-www-form-urlencoded")], 415),
                    ([own, ("Content-Type", "multipart/form-data; boundary=x")], 415),
                    ([own, json_type, ("Origin", "https://evil.example")], 403),
                    ([own, json_type, ("Origin", "null")], 403),
                    ([own, json_type, ("Sec-Fetch-Site", "cross-site")], 403),
                    ([own, json_type, ("Sec-Fetch-Site", "same-site")], 403)):
                answer = self.ask(path, "POST", headers=[*headers, ("Content-Length", "2")],
                                  body=b"{}")
                self.assertEqual(answer.status, status, (path, headers))
        for method in ("PUT", "DELETE", "PATCH", "CONNECT", "TRACE", "OPTIONS", "PROPFIND"):
            self.assertEqual(self.ask("/api/v1/status", method).status, 405, method)

    def test_limits(self):
        line = ("X", "y" * (8 * 1024))
        for expected, answer in (
                (414, self.ask("/" + "p" * 1024)),
                (414, self.ask("/?" + "q" * 2049)),
                (431, self.ask(headers=[line])),
                (431, self.ask(headers=[("X", "y")] * 64)),
                (431, self.ask(headers=[("X", "y" * 8000)] * 3)),
                (431, web.send(self.port, b"GET /" + b"z" * 200_000)),
                (413, self.ask("/api/v1/x", "POST", headers=[("Content-Length", "65537")])),
                (413, self.ask("/api/v1/x", "POST", headers=[("Content-Length", "-1")])),
                (411, self.ask("/api/v1/x", "POST", headers=[("Transfer-Encoding", "chunked")])),
                (415, self.ask("/api/v1/x", "POST", headers=[("Content-Encoding", "gzip")])),
                (413, self.ask(headers=[("Content-Length", "5"), ("Content-Length", "6")])),
                (417, self.ask(headers=[("Upgrade", "websocket"), ("Connection", "Upgrade")])),
                (417, self.ask(headers=[("Upgrade", "h2c")])),
                (505, web.send(self.port, b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"))):
            self.assertEqual(answer.status, expected, answer.body[:200])
        self.assertEqual(self.ask(headers=[("X", "y" * 7000)] * 2).status, 200)

    def test_connections_have_a_cap_and_newcomers_a_place(self):
        idle = [web.connect(self.port) for _ in range(300)]
        begun = time.monotonic()
        self.assertEqual(self.ask("/api/v1/status").status, 200)
        self.assertLess(time.monotonic() - begun, 2)
        threads = [path.read_text() for path in
                   pathlib.Path(f"/proc/{self.demo.popen.pid}/task").glob("*/comm")]
        self.assertLessEqual(sum(name == "rp-http-conn\n" for name in threads), 64 + 64 // 8)
        for s in idle:
            s.close()

    def test_300_paths_read_no_file(self):
        paths = traversals()
        self.assertGreaterEqual(len(paths), 300)
        for path in paths:
            answer = self.ask(path.replace("\\", "%5c"))
            self.judge_no_file(path, answer)
            self.judge_no_file(path, web.send(self.port, web.request(self.port, path)))
        print(f"{len(paths)} paths: files read 0", flush=True)

    def judge_no_file(self, path, answer):
        self.assertIn(answer.status, (400, 404, 421), path)
        for sign in SIGNS_OF_A_FILE:
            self.assertNotIn(sign, answer.all(), path)

    def test_a_burst_of_300_is_not_refused(self):
        sockets = []
        for _ in range(300):
            s = socket.socket()
            s.setblocking(False)
            s.connect_ex(("127.0.0.1", self.port))
            sockets.append(s)
        time.sleep(0.5)
        errors = [s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) for s in sockets]
        self.assertEqual([e for e in errors if e], [], "connects were refused")
        for s in sockets:
            s.close()
        self.assertEqual(self.ask("/api/v1/status").status, 200)


class AtRest(stage.Stage):
    """A store that nobody writes to: its brokers do not answer, its pages do."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.data = cls.folder / "data"
        demo = stage.Process(["demo", "--port", "0", "--data", cls.data, "--zone", "UTC"],
                             cls.folder, "demo")
        demo.wait_for_page()
        demo.wait_for_consumed(5000, 30)
        if demo.terminate(10)[0] != 0:
            raise AssertionError(demo.told())
        cls.quiet = stage.Process(
            ["run", "-b", "127.0.0.1:1", "-t", "transactions", "-t", "product_listings", "-t",
             "feedback", "-t", "interactions", "--data", cls.data, "--port", "0", "--zone", "UTC"],
            cls.folder, "quiet")
        cls.addClassCleanup(cls.quiet.kill)
        cls.quiet.wait_for_page()
        cls.port = web.port_of(cls.quiet.page)

    def content(self):
        """A hash of every row of the store."""
        db = sqlite3.connect(f"{(self.data / 'retailpulse.db').as_uri()}?mode=ro", uri=True)
        with db:
            return hashlib.sha256("\n".join(db.iterdump()).encode()).hexdigest()

    def test_no_get_changes_anything(self):
        before, asked = self.content(), 0
        files = sorted(path.name for path in self.data.iterdir())
        words = ["", "?limit=1", "?from=now-1h&to=now", "?delete=1&method=DELETE&_method=POST",
                 "?q=DELETE%20FROM%20totals", "?sql=DROP%20TABLE%20ledger"]
        headers = [("X-HTTP-Method-Override", "DELETE"), ("X-Method-Override", "POST")]
        for path in [*self.quiet.get("api/openapi.json")["paths"], "/", "/metrics", "/healthz",
                     "/-/quit", "/-/reload", "/api/v1/sql", "/api/v1/rejects/replay",
                     "/api/v1/jobs/x/run", "/admin", "/shutdown"]:
            for more in words:
                for method in ("GET", "HEAD"):
                    target = path.replace("{id}", "1") + more
                    answer = web.ask(self.port, target, method, headers=headers)
                    self.assertIn(answer.status, (200, 400, 404, 405, 422, 503), (target, method))
                    asked += 1
        self.assertEqual(self.content(), before, "a GET changed the store")
        self.assertEqual(sorted(path.name for path in self.data.iterdir()), files)
        self.assertGreater(asked, 200)

    def test_what_is_over_a_limit_costs_no_memory(self):
        def flood(times):
            for _ in range(times):
                web.ask(self.port, "/" + "p" * 100_000)
                web.ask(self.port, headers=[("X", "y" * 100_000)])
                web.ask(self.port, headers=[("X", "y")] * 1000)
                web.ask(self.port, "/api/v1/sql", "POST", body=b"z" * 300_000, headers=[
                    ("Content-Type", "application/json"), ("X-RetailPulse", "1"),
                    ("Content-Length", "300000")])
                web.ask(self.port, "/api/v1/sql", "POST", body=b"10000\r\n" + b"z" * 300_000,
                        headers=[("Transfer-Encoding", "chunked")])
        flood(40)  # what a first answer of each kind keeps
        before = web.resident_kb(self.quiet.popen.pid)
        flood(100)
        grown = web.resident_kb(self.quiet.popen.pid) - before
        print(f"500 requests over a limit, up to 300 kB each: memory grew {grown} kB", flush=True)
        self.assertLessEqual(grown, 1024)

    def test_data_files_are_their_owners(self):
        for path in self.data.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)
        self.assertEqual(self.data.stat().st_mode & 0o077, 0, self.data)

    def test_files_of_a_developer_stay_below_their_folder(self):
        folder = self.new_data()
        (folder / "index.html").write_text("<!doctype html>mine")
        outside = self.new_data() / SECRET_FILE
        outside.write_text(CANARY)
        (folder / "link.txt").symlink_to(outside)
        (folder / "up").symlink_to(outside.parent)
        process = self.start("run", "-b", "127.0.0.1:1", "-t", "transactions", "--data",
                             self.new_data(), "--port", "0", "--web-dir", folder).wait_for_page()
        port = web.port_of(process.page)
        self.assertIn(b"mine", web.ask(port).body)
        for name in ("uPlot.iife.min.js", "uPlot.min.css"):  # not in web/ either: from the program
            self.assertIn(b"plot", web.ask(port, f"/vendor/{name}").body.lower())
        for path in [*traversals(), "/link.txt", f"/up/{SECRET_FILE}", "/./link.txt"]:
            answer = web.send(port, web.request(port, path.replace("\\", "%5c")))
            for sign in SIGNS_OF_A_FILE:
                self.assertNotIn(sign, answer.all(), path)


class OffLoopback(stage.Stage):
    TOKEN = "kJ3mPq8vR2xT5wZ7nB4cL9dF"

    def run_at(self, address, **env):
        return self.start("run", "-b", "127.0.0.1:1", "-t", "transactions", "--data",
                          self.new_data(), "--port", "0", "--address", address,
                          env=stage.environment(**env))

    def test_without_a_token_nothing_starts(self):
        for address in ("0.0.0.0", "::", "192.168.1.5", "127.evil"):
            for token in (None, "", "short", "x" * 21):
                env = {} if token is None else {"RETAILPULSE_HTTP_TOKEN": token}
                process = self.run_at(address, **env)
                self.assertEqual(process.wait(20), 78, (address, token, process.told()))
                self.assertNotIn("listening on", process.err)
                self.assertRegex(process.err, "token")

    def test_the_token_is_asked_for_everywhere_and_never_taken_from_an_address(self):
        process = self.run_at("0.0.0.0", RETAILPULSE_HTTP_TOKEN=self.TOKEN)
        process.wait_for_page()
        self.assertRegex(process.err, "proxy with TLS")
        port = web.port_of(process.page)
        right = [("Authorization", f"Bearer {self.TOKEN}")]
        answer = web.ask(port, "/api/openapi.json", headers=right)
        paths = [*json.loads(answer.body)["paths"], "/", "/metrics", "/healthz", "/readyz", STREAM,
                 "/licences.txt", "/nothing"]
        for path in paths:
            for target in (path, f"{path}?token={self.TOKEN}", f"{path}?access_token={self.TOKEN}",
                           f"{path}?authorization=Bearer%20{self.TOKEN}"):
                answer = web.ask(port, target.replace("{id}", "1"))
                self.assertEqual(answer.status, 401, target)
        for headers in ([("Cookie", f"token={self.TOKEN}")], [("X-Token", self.TOKEN)],
                        [("Authorization", self.TOKEN)], [("Proxy-Authorization", self.TOKEN)],
                        [*right, *right]):
            self.assertEqual(web.ask(port, headers=headers).status, 401, headers)
        for length in range(len(self.TOKEN)):
            for wrong in (self.TOKEN[:length], self.TOKEN[:length] + "!" + self.TOKEN[length + 1:]):
                headers = [("Authorization", f"Bearer {wrong}")]
                self.assertEqual(web.ask(port, headers=headers).status, 401, wrong)
        self.assertEqual(web.ask(port, headers=right).status, 200)
        # A name from elsewhere that leads here (rebinding) is refused before the token is looked at.
        self.assertEqual(web.ask(port, host="evil.example", headers=right).status, 421)
        self.assertNotIn(self.TOKEN, process.err + process.out)


if __name__ == "__main__":
    stage.main()
