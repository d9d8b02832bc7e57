"""Secrets stay where they were given: not in logs, answers, the store, the process list or an error;
not on the wire in clear. And what the process takes from itself when it starts."""

import pathlib
import socket
import ssl
import struct
import subprocess
import threading
import time

import stage
import web_client as web

CANARIES = {name: f"canary-{name}-9Q4xW" for name in (
    "sasl.password", "ssl.key.password", "ssl.keystore.password", "sasl.oauthbearer.client.secret",
    "http.token")}


class Listener(threading.Thread):
    """Takes connections one after the other and gives each to `serve`; keeps what was received."""

    def __init__(self, serve):
        super().__init__(daemon=True)
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.serve, self.received, self.tries = serve, b"", 0
        self.start()

    @property
    def address(self):
        return f"127.0.0.1:{self.socket.getsockname()[1]}"

    def run(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.one, args=(connection,), daemon=True).start()

    def one(self, connection):
        connection.settimeout(10)
        self.tries += 1
        try:
            self.serve(self, connection)
        except (OSError, ssl.SSLError, struct.error):
            pass
        connection.close()

    def take(self, connection, size):
        data = b""
        while len(data) < size:
            more = connection.recv(size - len(data))
            if not more:
                raise OSError("closed")
            data += more
        self.received += data
        return data


def spiteful_broker(listener, connection):
    """Speaks just enough Kafka to be told the password, and says it aloud in its refusal."""
    while True:
        size, = struct.unpack(">i", listener.take(connection, 4))
        body = listener.take(connection, size)
        api, version, correlation = struct.unpack(">hhi", body[:8])
        if api == 18:  # ApiVersions
            keys = [(18, 0, 0), (17, 0, 1), (36, 0, 0), (3, 0, 4)]
            answer = struct.pack(">hi", 0 if version == 0 else 35, len(keys))
            answer += b"".join(struct.pack(">hhh", *key) for key in keys)
        elif api == 17:  # SaslHandshake
            answer = struct.pack(">hi", 0, 1) + struct.pack(">h", 5) + b"PLAIN"
        elif api == 36:  # SaslAuthenticate
            said = b"your password " + body.rsplit(b"\0", 1)[1] + b" is wrong"
            answer = struct.pack(">hh", 58, len(said)) + said + struct.pack(">i", 0)
        else:
            return
        connection.sendall(struct.pack(">ii", 4 + len(answer), correlation) + answer)


class Canary(stage.Stage):
    def hits(self, *texts):
        data = b"".join(t if isinstance(t, bytes) else t.encode() for t in texts)
        return [name for name, value in CANARIES.items() if value.encode() in data]

    def given(self, folder):
        """Arguments and environment that carry each canary in another way."""
        properties = folder / "client.properties"
        properties.write_text(
            "security.protocol=SASL_PLAINTEXT\nsasl.mechanism=PLAIN\nsasl.jaas.config=org.apache"
            ".kafka.common.security.plain.PlainLoginModule required username=\"me\" "
            f"password=\"{CANARIES['sasl.password']}\";\n")
        config = folder / "shop.json"
        config.write_text('{"kafka": {"properties": {"ssl.key.password": '
                          f'"{CANARIES["ssl.key.password"]}", "debug": "all", "log_level": 7}}}}}}')
        token = folder / "token"
        token.write_text(CANARIES["http.token"] + "\n")
        for path in (properties, config, token):
            path.chmod(0o600)
        env = stage.environment(
            RETAILPULSE_KAFKA__SASL_OAUTHBEARER_CLIENT_SECRET=
            CANARIES["sasl.oauthbearer.client.secret"],
            RETAILPULSE_HTTP_TOKEN_FILE=str(token))
        return ["-c", config, "-F", properties, "-t", "transactions", "-X",
                f"ssl.keystore.password={CANARIES['ssl.keystore.password']}"], env

    def test_canaries_are_nowhere(self):
        broker, folder, data = Listener(spiteful_broker), self.new_data(), self.new_data()
        flags, env = self.given(folder)
        process = self.start("run", "-b", broker.address, *flags, "--data", data, "--port", "0",
                             env=env).wait_for_page()
        stage.wait_until(lambda: CANARIES["sasl.password"].encode() in broker.received, 20,
                         process.told)
        stage.wait_until(lambda: "is wrong" in process.err, 10, process.told)
        time.sleep(1)
        port = web.port_of(process.page)
        bearer = [("Authorization", f"Bearer {CANARIES['http.token']}")]
        answers = [web.ask(port, path, headers=bearer).all() for path in (
            "/", "/metrics", "/healthz", "/readyz", "/api/v1/status", "/api/v1/frame",
            "/api/v1/partitions", "/api/v1/ledger", "/api/v1/rejects", "/api/v1/config",
            "/api/config", "/api/openapi.json", "/nothing", "/api/v1/series?from=nonsense")]
        answers += [web.ask(port, path).all() for path in ("/", "/api/v1/status")]
        self.assertIn(b"is wrong", b"".join(answers), "the broker's refusal is told on the page")
        proc = pathlib.Path(f"/proc/{process.popen.pid}")
        seen = {
            "logs": process.err + process.out, "answers": b"".join(answers),
            "process list": (proc / "cmdline").read_bytes(),
            "store": b"".join(p.read_bytes() for p in sorted(data.iterdir()))}
        self.assertEqual(process.terminate(10)[0], 0, process.told())
        seen["store after the end"] = b"".join(p.read_bytes() for p in sorted(data.iterdir()))
        for place, content in seen.items():
            self.assertEqual(self.hits(content), [], f"found in the {place}")
        self.assertRegex(process.err, "ssl.keystore.password: a secret on the command line")
        self.assertIn("(set, not shown)", self.shown(flags, env))

    def shown(self, flags, env):
        show = self.finish("config", "show", "--origin", *flags, env=env, seconds=20)
        self.assertEqual(self.hits(show.out, show.err), [])
        return show.out

    def test_errors_do_not_repeat_them(self):
        folder = self.new_data()
        wrong = folder / "wrong.json"
        value = CANARIES["sasl.password"]
        for text in (f'{{"kafka": {{"properties": {{"sasl.pasword": "{value}"}}}}}}',
                     f'{{"kafka": {{"properties": {{"ssl.key.password": "{value}",}}}}',
                     f'{{"http": {{"token": "{value} with blanks"}}}}',
                     f'{{"http": {{"token": ["{value}"]}}}}',
                     f'{{"kafka": {{"properties": {{"sasl.password": ["{value}"]}}}}}}'):
            wrong.write_text(text)
            wrong.chmod(0o600)
            process = self.start("config", "check", "-c", wrong)
            self.assertEqual(process.wait(20), 78, process.told())
            self.assertEqual(self.hits(process.out, process.err), [], text)
        for flag in (f"sasl.jaas.config={value}", f"ssl_key={value}", f"sasl.passwort={value}"):
            process = self.start("config", "check", "-X", flag)
            self.assertEqual(process.wait(20), 78, process.told())
            self.assertEqual(self.hits(process.out, process.err), [], flag)

    def test_a_file_with_secrets_that_others_may_read_is_told(self):
        folder = self.new_data()
        flags, env = self.given(folder)
        quiet = self.finish("config", "check", *flags, env=env, seconds=20)
        self.assertNotIn("others may read it", quiet.err)
        for name in ("shop.json", "client.properties"):
            (folder / name).chmod(0o644)
            told = self.finish("config", "check", *flags, env=env, seconds=20)
            self.assertRegex(told.err, f"{name}: holds a secret and others may read it")
            (folder / name).chmod(0o600)

    def test_what_the_process_takes_from_itself(self):
        data = self.new_data() / "made"
        process = self.start("run", "-b", "127.0.0.1:1", "-t", "transactions", "--data", data,
                             "--port", "0").wait_for_page()
        proc = pathlib.Path(f"/proc/{process.popen.pid}")
        self.assertRegex((proc / "limits").read_text(), r"Max core file size +0 +0 ")
        self.assertRegex((proc / "status").read_text(), r"NoNewPrivs:\s+1")
        self.assertEqual(data.stat().st_mode & 0o777, 0o700)
        for path in data.iterdir():
            self.assertEqual(path.stat().st_mode & 0o077, 0, path)

    def test_a_password_in_clear_stays_on_this_machine(self):
        def run(brokers, *properties):
            flags = [word for each in properties for word in ("-X", each)]
            return self.start("run", "-b", brokers, "-t", "transactions", "--data",
                              self.new_data(), "--port", "0", "--require-healthy", *flags)
        plain = ("security.protocol=SASL_PLAINTEXT", "sasl.username=me", "sasl.password=secret")
        for brokers in ("192.0.2.1:9092", "localhost.evil.invalid:9092", "127.evil.invalid:9092",
                        "127.0.0.1:9092,192.0.2.1:9092", "localhost:9092,evil.invalid:9092"):
            for mechanism in ("sasl.mechanism=PLAIN", "sasl.mechanisms=PLAIN"):
                process = run(brokers, *plain, mechanism)
                self.assertEqual(process.wait(20), 78, (brokers, mechanism, process.told()))
                self.assertRegex(process.err, "unencrypted.*sasl_ssl")
        for brokers in ("127.0.0.1:1", "localhost:1", "[::1]:1"):
            process = run(brokers, *plain, "sasl.mechanism=PLAIN")
            self.assertEqual(process.wait(20), 69, (brokers, process.told()))


def openssl(folder, *words):
    subprocess.run(["openssl", *map(str, words)], cwd=folder, check=True, capture_output=True)


class Tls(stage.Stage):
    """Brokers that are not who they say they are."""

    PASSWORD = "canary-on-the-wire-3fK"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.keys = cls.folder / "keys"
        cls.keys.mkdir()
        for name in ("ca", "other"):
            openssl(cls.keys, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                    f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
        cls.certificate("good", "ca", "IP:127.0.0.1", 30)
        cls.certificate("expired", "ca", "IP:127.0.0.1", -1)
        cls.certificate("wrong-host", "ca", "DNS:broker.invalid", 30)
        cls.certificate("wrong-ca", "other", "IP:127.0.0.1", 30)
        openssl(cls.keys, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj",
                "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
                "self-signed.key", "-out", "self-signed.pem")

    @classmethod
    def certificate(cls, name, ca, host, days):
        openssl(cls.keys, "req", "-newkey", "rsa:2048", "-nodes", "-subj", f"/CN={name}", "-keyout",
                f"{name}.key", "-out", f"{name}.csr")
        extension = cls.keys / f"{name}.ext"
        extension.write_text(f"subjectAltName={host}\n")
        openssl(cls.keys, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{ca}.pem", "-CAkey",
                f"{ca}.key", "-CAcreateserial", "-days", days, "-extfile", extension, "-out",
                f"{name}.pem")

    def broker(self, name, newest=None):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if newest is not None:
            context.set_ciphers("ALL:@SECLEVEL=0")
            context.minimum_version = context.maximum_version = newest
        context.load_cert_chain(self.keys / f"{name}.pem", self.keys / f"{name}.key")

        def serve(listener, connection):
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            inside = context.wrap_bio(incoming, outgoing, server_side=True)
            while True:
                try:
                    listener.inside += inside.read(65536)
                except ssl.SSLWantReadError:
                    pass
                finally:
                    connection.sendall(outgoing.read())
                raw = connection.recv(65536)
                if not raw:
                    return
                listener.received += raw  # as it is on the wire
                incoming.write(raw)
        listener = Listener(serve)
        listener.inside = b""
        return listener

    def connect(self, broker, *more):
        return self.start("run", "-b", broker.address, "-t", "transactions", "--data",
                          self.new_data(), "--port", "0", "--require-healthy", "-X",
                          "security.protocol=sasl_ssl", "-X", "sasl.mechanism=PLAIN", "-X",
                          "sasl.username=me", "-X", f"sasl.password={self.PASSWORD}", "-X",
                          f"ssl.ca.location={self.keys / 'ca.pem'}", *more)

    def test_each_certificate_is_wrong_in_one_way(self):
        for name in ("good", "expired", "wrong-host", "self-signed", "wrong-ca"):
            check = subprocess.run(
                ["openssl", "verify", "-CAfile", "ca.pem", "-verify_ip", "127.0.0.1",
                 f"{name}.pem"], cwd=self.keys, capture_output=True, text=True, check=False)
            why = {"good": "OK", "expired": "expired", "wrong-host": "IP address mismatch",
                   "self-signed": "self-signed", "wrong-ca": "unable to get local issuer"}[name]
            self.assertIn(why, check.stdout + check.stderr)

    def test_wrong_brokers_are_told_nothing(self):
        brokers = {name: self.broker(name) for name in ("expired", "wrong-host", "self-signed",
                                                        "wrong-ca")}
        brokers["TLS 1.0"] = self.broker("good", ssl.TLSVersion.TLSv1)
        runs = {name: self.connect(broker) for name, broker in brokers.items()}
        for name, process in runs.items():
            with self.subTest(broker=name):
                self.assertEqual(process.wait(30), 69, process.told())
                self.assertGreater(brokers[name].tries, 0)
                self.assertGreater(len(brokers[name].received), 0)
                self.assertEqual(brokers[name].inside, b"", "something was said to a stranger")
                self.assertNotIn(self.PASSWORD.encode(), brokers[name].received)
                self.assertNotIn(self.PASSWORD, process.err)
                self.assertRegex(process.err, "SSL handshake failed|SSL routines")

    def test_the_right_one_is_spoken_to_and_nothing_is_in_clear(self):
        broker = self.broker("good")
        process = self.connect(broker)
        stage.wait_until(lambda: broker.inside, 15, process.told)  # the first request of Kafka
        self.assertNotIn(self.PASSWORD.encode(), broker.received)

    def test_leaving_out_the_check_is_told_aloud(self):
        broker = self.broker("wrong-host")
        process = self.connect(broker, "-X", "ssl.endpoint.identification.algorithm=none")
        stage.wait_until(lambda: broker.inside, 15, process.told)
        self.assertRegex(process.err, "identity is not verified")


if __name__ == "__main__":
    stage.main()
