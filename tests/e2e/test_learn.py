"""`weir run --learn` and `weir policy learn`: what a command did becomes the policy that allows it, and no more."""

import json
import os
import socketserver
import stat
import threading
import unittest

import shutil

from harness import WeirTest, also_as_ordinary_user, main, sessions
from standins.git_server import GitServer

NO_RULES = "limits: {connections: 64}\n"


class Shout(socketserver.StreamRequestHandler):
    """A protocol that is not HTTP: it answers a line in capitals."""

    def handle(self):
        self.wfile.write(self.rfile.readline().upper())


@also_as_ordinary_user
class Learn(WeirTest):
    def learned(self, name="weir.learned.yaml"):
        with open(os.path.join(self.project, name), encoding="utf-8") as file:
            return file.read()

    def under(self, policy, *command):
        """`weir run` of the command under the policy file of that name."""
        return self.weir("run", "--policy", policy, "--", *command)

    def test_what_was_learned_is_enough_and_no_more(self):
        self.policy(NO_RULES, api=self.https("api.test.example"))
        fetch = ["sh", "-ec", "curl -sSf https://api.test.example/v1/models; curl -sSf -d x https://api.test.example/v1/ask"]
        done = self.run_inside(*fetch, options=["--learn"])
        self.assertEqual(done.status, 0, done)
        self.assertIn("LEARNING", done.err, done)
        self.assertIn("weir: learned 2 rules for 1 host from 2 requests: weir.learned.yaml", done.err, done)
        self.assertEqual(stat.S_IMODE(os.stat(os.path.join(self.project, "weir.learned.yaml")).st_mode), 0o644)
        text = self.learned()
        self.assertIn("# 1 request\n", text)
        self.assertNotIn("default: log", text)
        self.assertEqual(self.weir("policy", "check", "weir.learned.yaml").status, 0, text)
        done = self.under("weir.learned.yaml", *fetch)
        self.assertEqual(done.status, 0, f"{done}\n{text}")
        for outside in ("https://api.test.example/v1/keys", "https://api.test.example/v1/ask"):
            done = self.under("weir.learned.yaml", "curl", "-sSf", outside)
            self.assertNotEqual(done.status, 0, f"{done}\n{text}")
            self.assert_recorded_denial(done, "no_rule", method="GET")

    @unittest.skipUnless(shutil.which("git"), "git is not installed")
    def test_git_clones_under_what_it_taught_and_cannot_push(self):
        git = GitServer(self.standins_folder)
        self.policy(NO_RULES, forge=self.https("forge.test.example", routes={"/": git}))
        clone = ["sh", "-ec", "rm -rf copy; git clone -q https://forge.test.example/org/project.git copy && cat copy/README"]
        done = self.run_inside(*clone, options=["--learn=clone.yaml"])
        self.assertEqual((done.status, done.out), (0, "a project\n"), done)
        done = self.under("clone.yaml", *clone)
        self.assertEqual((done.status, done.out), (0, "a project\n"), f"{done}\n{self.learned('clone.yaml')}")
        done = self.under("clone.yaml", "sh", "-ec", """
            cd copy; git config user.name t; git config user.email t@test.example
            echo more >> README; git commit -q -am "Add more"; git push -q origin HEAD:topic""")
        self.assertNotEqual(done.status, 0, done)
        self.assertNotIn("topic", git.branches())
        self.assert_recorded_denial(done, "no_rule", path="/org/project.git/git-receive-pack")

    def test_raw_connections_are_learned_too(self):
        server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Shout)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        port = server.server_address[1]
        self.policy(NO_RULES, resolve={"db.test.example": f"127.0.0.1:{port}"})
        talk = self.script(f"""
            import socket
            with socket.create_connection(("db.test.example", {port}), timeout=20) as connection:
                connection.sendall(b"\\0hello\\n")
                report(answer=connection.recv(100).decode())
        """)
        done = self.run_inside(*talk, options=["--learn"])
        self.assertEqual(done.report, {"answer": "\0HELLO\n"}, done)
        self.assertIn(f'tcp: ["db.test.example:{port}"]', self.learned(), done)
        done = self.under("weir.learned.yaml", *talk)
        self.assertEqual(done.report, {"answer": "\0HELLO\n"}, f"{done}\n{self.learned()}")

    def test_without_any_policy_it_starts_from_nothing(self):
        done = self.run_inside("true", options=["--learn"])
        self.assertEqual(done.status, 0, done)
        self.assertIn("learned 0 rules for 0 hosts from 0 requests", done.err, done)
        self.assertIn("version: 1", self.learned())
        self.assertEqual(self.weir("policy", "learn").status, 0)

    def test_the_policys_own_parts_are_kept(self):
        self.policy("""
            rules:
              - name: mine
                hosts: [api.test.example]
                methods: [GET]
              - name: never
                hosts: [api.test.example]
                paths: ["/secret/**"]
                action: deny
        """, api=self.https("api.test.example"))
        done = self.run_inside("sh", "-c", "for p in a secret/x; do curl -sS -o /dev/null https://api.test.example/$p; done",
                               options=["--learn"])
        text = self.learned()
        self.assertIn("name: mine", text)
        self.assertIn("name: never", text)
        self.assertIn("resolve:", text)
        self.assertIn("0 rules", text.splitlines()[0])
        self.assertIn("/secret/x", text, "what the policy's own rules refuse is said")
        self.assert_recorded_denial(done, "rule_denies")

    def test_nothing_that_is_there_is_overwritten(self):
        self.policy(NO_RULES, api=self.https("api.test.example"))
        self.write("weir.learned.yaml", "mine\n")
        victim = self.write("victim", "mine\n", folder=self.root)
        os.symlink(victim, os.path.join(self.project, "weir.learned.2.yaml"))
        os.symlink(os.path.join(self.root, "made"), os.path.join(self.project, "weir.learned.3.yaml"))
        done = self.run_inside("curl", "-sSf", "https://api.test.example/x", options=["--learn"])
        self.assertIn("weir.learned.4.yaml", done.err, done)
        self.assertEqual(self.learned(), "mine\n")
        self.assertEqual(self.learned("weir.learned.2.yaml"), "mine\n")
        self.assertFalse(os.path.exists(os.path.join(self.root, "made")))
        self.assertIn("/x", self.learned("weir.learned.4.yaml"))

    def test_G4_the_sandbox_cannot_lead_the_file_elsewhere(self):
        self.policy(NO_RULES, api=self.https("api.test.example"))
        os.mkdir(os.path.join(self.project, "out"))
        self.own(self.project)
        target = self.folder("target")
        done = self.run_inside("sh", "-c", f"mv out away; ln -s {target} out", options=["--learn=out/p.yaml"])
        self.assertEqual(done.status, 0, done)
        self.assertEqual(os.listdir(target), [])
        self.assertEqual(os.listdir(os.path.join(self.project, "away")), ["p.yaml"])

    def test_a_folder_that_is_not_there_is_an_error_before_anything_starts(self):
        self.policy(NO_RULES)
        done = self.run_inside("touch", "ran", options=["--learn=nowhere/p.yaml"])
        self.assertEqual(done.status, 2, done)
        self.assertIn("nowhere/p.yaml", done.err, done)
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))

    def test_a_session_can_be_learned_from_afterwards(self):
        self.policy("default: log", api=self.https("api.test.example"))
        self.run_inside("curl", "-sSf", "https://api.test.example/things/4711")
        session = os.path.basename(sessions(self.state)[-1])
        done = self.weir("policy", "learn", session[:12])
        self.assertEqual(done.status, 0, done)
        self.assertIn(f"# Learned from {session}: 1 rule for 1 host from 1 request.", done.out)
        self.assertIn('paths: ["/things/*"]', done.out)
        self.assertNotIn("default: log", done.out)
        done = self.weir("policy", "learn", session, "--output", "p.yaml")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(self.under("p.yaml", "curl", "-sSf", "https://api.test.example/things/4712").status, 0, done)
        done = self.weir("policy", "learn", session, "--output", "p.yaml")
        self.assertEqual((done.status, done.out), (2, ""), done)
        self.assertIn("p.yaml is there already", done.err)
        as_json = json.loads(self.weir("policy", "learn", "--json", session).out)
        self.assertEqual((as_json["rules"], as_json["hosts"], as_json["requests"]), (1, 1, 1), as_json)
        self.assertIn("version: 1", as_json["policy"])

    def test_denials_that_no_rule_made_are_learned_afterwards(self):
        self.policy("rules: [{hosts: [api.test.example], paths: [/a]}]", api=self.https("api.test.example"))
        self.run_inside("sh", "-c", "curl -sS -o /dev/null https://api.test.example/a; curl -sS -o /dev/null https://api.test.example/b")
        done = self.weir("policy", "learn")
        self.assertEqual(done.status, 0, done)
        self.assertIn("[/b]", done.out)

    def test_a_policy_that_has_changed_since_is_not_taken_for_the_sessions(self):
        path = self.policy("default: log", api=self.https("api.test.example"))
        self.run_inside("curl", "-sSf", "https://api.test.example/x")
        with open(path, "a", encoding="utf-8") as file:
            file.write("# changed\n")
        done = self.weir("policy", "learn")
        self.assertEqual((done.status, done.out), (2, ""), done)
        self.assertIn("has changed since", done.err)
        self.assertIn("--policy FILE", done.err)
        done = self.weir("policy", "learn", "--policy", path)
        self.assertEqual(done.status, 0, done)
        self.assertIn("[/x]", done.out)


if __name__ == "__main__":
    main()
