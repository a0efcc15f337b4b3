"""The record: complete, chained, readable, and tampering is found."""

import hashlib
import json
import os
import signal
import subprocess

from harness import PATIENCE, WeirTest, also_as_ordinary_user, main, sessions, wait_until


@also_as_ordinary_user
class Log(WeirTest):
    def setUp(self):
        super().setUp()
        self.server = self.https("api.test.example")
        self.policy("rules:\n  - name: open\n    hosts: [api.test.example]\n    paths: [\"/open/**\"]\n",
                    api=self.server)

    def run_some(self):
        done = self.inside("""
            get("/open/a")
            get("/closed")
            get("/open/b?c=d")
            dns_query("elsewhere.example")
            report(ok=True)
        """)
        return done

    def segment(self):
        return os.path.join(sessions(self.state)[-1], "00000001.jsonl")

    def lines(self):
        with open(self.segment(), "rb") as file:
            return file.read().splitlines(keepends=True)

    def rewrite(self, lines):
        with open(self.segment(), "wb") as file:
            file.writelines(lines)

    def test_the_chain_can_be_checked_with_nothing_but_sha256(self):
        done = self.run_some()
        previous = None
        for line in self.lines():
            event = json.loads(line)
            self.assertEqual(list(event)[-2:], ["prev", "hash"], line)
            if previous:
                self.assertEqual(event["prev"], previous["hash"])
            text = line.rstrip(b"\n").decode()
            canonical = text[:text.rindex(',"hash":')] + "}"
            self.assertEqual(event["hash"], "sha256:" + hashlib.sha256(canonical.encode()).hexdigest(), done)
            previous = event

    def test_verify_accepts_what_weir_wrote(self):
        self.run_some()
        done = self.weir("log", "verify")
        self.assertEqual(done.status, 0, done)

    def test_verify_finds_every_kind_of_tampering_and_names_the_line(self):
        self.run_some()
        good = self.lines()
        number = next(n for n, line in enumerate(good) if b'"egress.denied"' in line)
        forged = json.loads(good[number])
        forged["data"]["host"] = "harmless.example"
        own_hash = dict(forged)
        del own_hash["hash"]
        own_hash["hash"] = "sha256:" + hashlib.sha256(
            json.dumps(own_hash, separators=(",", ":"), ensure_ascii=False).encode()).hexdigest()

        def dump(event):
            return json.dumps(event, separators=(",", ":"), ensure_ascii=False).encode() + b"\n"

        cases = {
            "an edited line": good[:number] + [dump(forged)] + good[number + 1:],
            "an edited line with a hash of its own": good[:number] + [dump(own_hash)] + good[number + 1:],
            "a removed line": good[:number] + good[number + 1:],
            "a doubled line": good[:number] + [good[number]] + good[number:],
            "swapped lines": good[:number - 1] + [good[number], good[number - 1]] + good[number + 1:],
            "a removed first line": good[1:],
            "an octet more": good[:number] + [good[number].replace(b'"type"', b' "type"')] + good[number + 1:],
            "rubbish at the end": good + [b"rubbish\n"],
            "a foreign line": good[:number] + [b"{}\n"] + good[number:],
        }
        for name, lines in cases.items():
            with self.subTest(name):
                self.rewrite(lines)
                done = self.weir("log", "verify")
                self.assertEqual(done.status, 1, done)
                self.assertRegex(done.out + done.err, r"00000001\.jsonl", done)
                self.assertRegex(done.out + done.err, r"line \d+", done)
        self.rewrite(good)
        self.assertEqual(self.weir("log", "verify").status, 0)

    def test_denied_shows_what_was_refused_and_nothing_else(self):
        self.run_some()
        done = self.weir("log", "--denied")
        self.assertEqual(done.status, 0, done)
        self.assertIn("/closed", done.out, done)
        self.assertIn("elsewhere.example", done.out, done)
        self.assertNotIn("/open/a", done.out, done)

    def test_json_prints_the_stored_lines_as_they_are(self):
        self.run_some()
        session = os.path.basename(sessions(self.state)[-1])
        for arguments in (("log", session, "--json"), ("log", "--json")):
            done = self.weir(*arguments)
            self.assertEqual(done.status, 0, done)
            self.assertEqual(done.out.encode(), b"".join(self.lines()))

    def test_the_newest_session_is_shown_by_default(self):
        self.run_some()
        self.inside("get('/open/second'); report(ok=True)")
        self.assertEqual(len(sessions(self.state)), 2)
        done = self.weir("log")
        self.assertIn("/open/second", done.out, done)
        self.assertNotIn("/open/a", done.out, done)

    def test_the_log_for_people_drives_no_terminal(self):
        self.inside("""
            ask(b"GET /open/\\x1b[2Jx HTTP/1.1\\r\\nHost: api.test.example\\r\\n\\r\\n")
            get("/open/%1b%5b2J%0aforged")
            dns_query("x\\x1b]0;title\\x07.example")
            report(ok=True)
        """)
        done = self.weir("log")
        self.assertNotIn("\x1b", done.out, done)
        self.assertNotIn("\x07", done.out, done)
        self.assertFalse([line for line in done.out.splitlines() if line.startswith("forged")], done)

    def test_follow_shows_events_as_they_happen(self):
        running = self.start_python("""
            sync("up")
            get("/open/while-following")
            sync("asked")
        """)
        running.reached("up")
        follower = subprocess.Popen(self.weir_command("log", "-f"), stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                    env=self.environment, text=True)
        self.addCleanup(self.reap, follower)
        os.set_blocking(follower.stdout.fileno(), False)
        running.go("up")
        seen = ""

        def shown():
            nonlocal seen
            try:
                seen += os.read(follower.stdout.fileno(), 65536).decode()
            except BlockingIOError:
                pass
            return "/open/while-following" in seen

        wait_until(shown, "the follower to show the request")
        running.reached("asked")
        running.go("asked")
        running.finish()
        if follower.poll() is None:
            follower.send_signal(signal.SIGINT)
        follower.wait(20 * PATIENCE)

    def test_the_record_is_the_owners_alone(self):
        self.run_some()
        self.assertEqual(os.stat(sessions(self.state)[-1]).st_mode & 0o777, 0o700)
        self.assertEqual(os.stat(self.segment()).st_mode & 0o077, 0)
        self.assertEqual(os.stat(self.segment()).st_uid, self.uid)

    def test_two_sessions_at_once_are_apart(self):
        first = self.start_python("sync('one'); get('/open/one'); sync('one-done'); report(ok=True)")
        first.reached("one")
        done = self.run_inside("curl", "-sS", "https://api.test.example/open/two")
        self.assertEqual(done.status, 0, done)
        first.go("one")
        first.reached("one-done")
        first.go("one-done")
        self.assertEqual(first.finish().status, 0)
        texts = []
        for session in sessions(self.state):
            with open(os.path.join(session, "00000001.jsonl"), encoding="utf-8") as file:
                texts.append(file.read())
        self.assertEqual(sorted(("/open/one" in t, "/open/two" in t) for t in texts), [(False, True), (True, False)])


@also_as_ordinary_user
class Vault(WeirTest):
    def test_a_secret_from_the_store_is_injected(self):
        server = self.https("api.test.example")
        self.policy("credentials:\n  t:\n    from: store:api-token\n    hosts: [api.test.example]\n"
                    "    inject: {header: X-Api-Key, format: \"{secret}\"}\nrules:\n  - hosts: [api.test.example]\n",
                    api=server)
        setting = self.start("vault", "set", "api-token", stdin=subprocess.PIPE)
        setting.process.stdin.write("stored-secret-value-77\n")
        done = setting.finish()
        self.assertEqual(done.status, 0, done)
        self.assertNotIn("stored-secret-value-77", done.out + done.err)
        done = self.inside("report(status=get('/')['status'])")
        self.assertEqual(server.requests[0].all("x-api-key"), ["stored-secret-value-77"], done)
        for top in (self.data, self.config, self.state):
            for folder, _, files in os.walk(top):
                for name in files:
                    path = os.path.join(folder, name)
                    with open(path, "rb") as file:
                        self.assertNotIn(b"stored-secret-value-77", file.read(), path)
                    self.assertEqual(os.stat(path).st_mode & 0o077, 0, path)


if __name__ == "__main__":
    main()
