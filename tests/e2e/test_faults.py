"""What breaks outside is reported inside as it is, recorded, and never degrades to "allowed" (G3, G4, G6)."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import unittest

from harness import Running, WeirTest, also_as_ordinary_user, descendants, main, processes, wait_until
from standins.authority import Authority
from standins.server import Server, echo

OPEN = "rules:\n  - hosts: [\"*.test.example\"]\n"


@also_as_ordinary_user
class Upstream(WeirTest):
    def assert_error(self, answer, status, code, done):
        self.assert_verdict(answer, status, code, done)
        self.assertTrue(answer["headers"]["x-weir-verdict"].startswith("error "), answer)

    def test_a_server_that_refuses_the_connection(self):
        server = self.https("api.test.example")
        self.policy(OPEN, api=server)
        server.close()
        done = self.inside("report(answer=get('/'))")
        self.assert_error(done.report["answer"], 502, "upstream_refused", done)

    def test_certificates_that_are_not_right(self):
        strangers = os.path.join(self.standins_folder, "strangers")
        os.mkdir(strangers)
        stranger = Server(Authority(strangers, "somebody else").server_context("stranger.test.example"), {"/": echo})
        self.addCleanup(stranger.close)
        servers = {"expired": self.https("expired.test.example", expired=True),
                   "wrong": self.https("another.test.example"),
                   "selfsigned": self.https("selfsigned.test.example", self_signed=True),
                   "stranger": stranger}
        self.policy(OPEN, **servers)
        done = self.inside(f"report(seen={{name: get('/', host=name + '.test.example') for name in {list(servers)}}})")
        for name, answer in done.report["seen"].items():
            with self.subTest(name):
                self.assert_error(answer, 502, "upstream_certificate", done)
        for name, server in servers.items():
            self.assertEqual(server.requests, [], f"{name} got a request")

    def test_a_certificate_fault_does_not_let_the_credential_out(self):
        wrong = self.https("another.test.example")
        self.environment["TOKEN"] = "real-token-value-123456"
        self.policy("credentials:\n  t:\n    from: env:TOKEN\n    hosts: [api.test.example]\n"
                    "    inject: {header: Authorization, format: \"Bearer {secret}\"}\n" + OPEN, api=wrong)
        done = self.inside("report(answer=get('/'))")
        self.assert_error(done.report["answer"], 502, "upstream_certificate", done)
        self.assertEqual(wrong.requests, [])

    def test_a_server_that_does_not_speak_tls(self):
        listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(listener.close)

        def greet():
            with listener.accept()[0] as sock:
                sock.sendall(b"220 mail.test.example ready\r\n")
                sock.recv(100)

        threading.Thread(target=greet, daemon=True).start()
        self.policy(OPEN, api=f"127.0.0.1:{listener.getsockname()[1]}")
        done = self.inside("report(answer=get('/'))")
        self.assertEqual(done.report["answer"]["status"], 502, done)
        self.assertTrue(done.report["answer"]["headers"]["x-weir-verdict"].startswith("error upstream_"), done)

    def test_a_server_that_resets_before_it_answers(self):
        server = self.https("api.test.example", routes={"/": lambda request, connection: connection.reset()})
        self.policy(OPEN, api=server)
        done = self.inside("report(answer=ask(request('POST', '/', body='x')))")
        self.assert_error(done.report["answer"], 502, "upstream_reset", done)

    def test_a_server_that_resets_mid_body(self):
        def cut(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 5000)
            connection.reset()

        server = self.https("api.test.example", routes={"/cut": cut, "/": echo})
        self.policy(OPEN, api=server)
        done = self.inside("""
            answer = get("/cut")
            report(status=answer["status"], size=len(answer["body"]), complete=answer["complete"],
                   after=get("/after")["status"])
        """)
        self.assertEqual(done.report["after"], 200, done)
        if done.report["status"] == 200:
            self.assertFalse(done.report["complete"], "a cut body looks whole inside\n" + str(done))
            self.assertLessEqual(done.report["size"], 5000)
            over = done.of("egress.response", status=200)[0]
            self.assertNotIn(over["end"], ("complete", "done", "ok", "finished"), done)

    def test_a_chunked_answer_that_is_cut_does_not_look_whole(self):
        def cut(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n")
            connection.sock.unwrap()
            connection.end()

        self.policy(OPEN, api=self.https("api.test.example", routes={"/cut": cut}))
        done = self.inside("""
            answer = get("/cut")
            report(status=answer["status"], complete=answer["complete"])
        """)
        self.assertFalse(done.report["status"] == 200 and done.report["complete"], done)

    def test_an_answer_until_close_that_is_cut_does_not_look_whole(self):
        """A TCP end without TLS's close_notify may be an attacker's."""
        def cut(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nhello")
            connection.reset()

        self.policy(OPEN, api=self.https("api.test.example", routes={"/cut": cut}))
        done = self.inside("""
            wire = Wire()
            wire.send(request(path="/cut"))
            wire._until(b"\\r\\n\\r\\n")
            def drain():
                while wire.sock.recv(4096):
                    pass
            report(ended=failure(drain))
        """)
        ends = [d["end"] for d in done.of("egress.response")]
        self.assertNotIn("complete", ends, done)

    def test_rubbish_instead_of_an_answer(self):
        rubbish = {
            "/words": b"hello, is it me you are looking for?\r\n\r\n",
            "/octets": bytes(range(256)) * 16,
            "/version": b"HTTP/9.9 200 OK\r\nContent-Length: 0\r\n\r\n",
            "/status": b"HTTP/1.1 2x0 OK\r\nContent-Length: 0\r\n\r\n",
            "/both": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            "/lengths": b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
            "/fold": b"HTTP/1.1 200 OK\r\nX-A: 1\r\n 2\r\nContent-Length: 0\r\n\r\n",
            "/name": b"HTTP/1.1 200 OK\r\nX A: 1\r\nContent-Length: 0\r\n\r\n",
            "/switch": b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\nhello",
            "/endless": b"HTTP/1.1 200 OK\r\n" + b"X-Pad: " + b"p" * (1 << 20) + b"\r\n\r\n",
        }

        def serve(request, connection):
            connection.send(rubbish[request.path])
            connection.sock.unwrap()
            connection.end()

        self.policy(OPEN, api=self.https("api.test.example", routes={"/": echo, **{p: serve for p in rubbish}}))
        done = self.inside(f"report(seen={{path: get(path) for path in {list(rubbish)}}}, after=get('/after')['status'])")
        for path, answer in done.report["seen"].items():
            with self.subTest(path):
                self.assertEqual(answer and answer["status"], 502, f"{answer}\n{done}")
                self.assertTrue(answer["headers"]["x-weir-verdict"].startswith("error upstream_"), answer)
        self.assertEqual(done.report["after"], 200, done)

    def test_bytes_after_an_answer_do_not_answer_the_next_request(self):
        def twice(request, connection):
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfirst"
            connection.send(answer + b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nforged")

        self.policy(OPEN, api=self.https("api.test.example", routes={"/": echo, "/twice": twice}))
        done = self.inside("""
            wire = Wire()
            first = wire.send(request(path="/twice")).answer().body.decode()
            try:
                got = wire.send(request(path="/next")).answer()
                second = got and got.body.decode()
            except OSError:
                second = get("/next")["body"]
            report(first=first, second=second)
        """)
        self.assertEqual(done.report["first"], "first", done)
        self.assertNotEqual(done.report["second"], "forged", "an answer was taken for another request's\n" + str(done))

    def test_a_name_that_does_not_resolve(self):
        self.policy("rules:\n  - hosts: [nowhere.invalid]\n")
        done = self.inside("report(answer=get('/', host='nowhere.invalid', tls=False))", deadline=120)
        self.assertIn(done.report["answer"]["status"], (502, 504), done)
        self.assertTrue(done.report["answer"]["headers"]["x-weir-verdict"].startswith("error upstream_"), done)


@also_as_ordinary_user
class Processes(WeirTest):
    def setUp(self):
        super().setUp()
        self.server = self.https("api.test.example")
        self.policy(OPEN, api=self.server)

    def test_G4_when_the_proxy_dies_nothing_goes_out_and_the_stream_says_so(self):
        running = self.start_python("""
            before = get("/before")["status"]
            sync("before")
            def try_it():
                got = get("/after", timeout=20)
                assert got is None or got["status"] >= 500, got
                raise ConnectionResetError(104, "refused by a status or a close")
            report(before=before, after=failure(try_it), name=failure(lambda: socket.getaddrinfo("other.test.example", 443)))
            sync("after")
            sys.exit(7)
        """)
        running.reached("before")
        os.kill(running.proxy(), signal.SIGKILL)
        failed = running.wait_for_event("proxy.failed")
        self.assertTrue(failed)
        running.go("before")
        running.reached("after", deadline=60)
        running.go("after")
        done = running.finish()
        self.assertEqual(done.status, 7, done)
        self.assertEqual(done.report["before"], 200, done)
        self.assertNotIn(done.report["after"], (None, "timeout"), done)
        self.assertNotIn("/after", self.server.paths())
        self.assertEqual(done.events[-1]["type"], "session.ended", done)
        self.assertEqual(self.weir("log", "verify").status, 0)

    def test_G6_when_the_keeper_dies_the_sandbox_and_the_proxy_die_with_it(self):
        running = self.start_inside("sh", "-c", "sleep 100 & touch up.reached; sleep 100")
        running.reached("up")
        proxy = running.proxy()
        # The tree is gathered now: orphans have another parent later.
        below = [pid for pid, _ in descendants(running.pid)]
        self.assertIn(proxy, below)
        self.assertGreaterEqual(len(below), 3, descendants(running.pid))
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        wait_until(lambda: not set(below) & set(processes()), f"{below} to end")
        self.assertEqual(self.weir("log", "verify").status, 0)

    def test_G6_a_second_run_after_a_kill_works(self):
        running = self.start_inside("sh", "-c", "touch up.reached; sleep 100")
        running.reached("up")
        os.kill(running.pid, signal.SIGKILL)
        running.process.wait()
        done = self.inside("report(status=get('/')['status'])")
        self.assertEqual(done.report, {"status": 200}, done)

    def test_the_end_of_the_command_ends_all_that_it_left_behind(self):
        running = self.start_inside("sh", "-c", "setsid sleep 1000 & (trap '' TERM HUP; sleep 1000) & touch up.reached; "
                                    "while [ ! -e up.go ]; do sleep 0.05; done; exit 3")
        running.reached("up")
        below = [pid for pid, _ in descendants(running.pid)]
        running.go("up")
        done = running.finish()
        self.assertEqual(done.status, 3, done)
        wait_until(lambda: not set(below) & set(processes()), f"{below} to end")

    def test_SIGTERM_to_the_keeper_ends_the_session_in_order(self):
        running = self.start_inside("sh", "-c", "touch up.reached; sleep 100")
        running.reached("up")
        running.process.send_signal(signal.SIGTERM)
        done = running.finish()
        self.assertNotEqual(done.status, 0, done)
        self.assertEqual(done.events[-1]["type"], "session.ended", done)
        self.assertEqual(self.weir("log", "verify").status, 0)

    def test_G6_a_run_leaves_no_process_and_no_file_outside_its_folders(self):
        before = {name for name in os.listdir("/tmp")}
        done = self.inside("report(status=get('/')['status'])")
        self.assertEqual(done.report, {"status": 200}, done)
        left = {name for name in set(os.listdir("/tmp")) - before if "weir" in name and not name.startswith("weir-e2e-")}
        self.assertEqual(left, set(), done)


@unittest.skipUnless(os.getuid() == 0 and shutil.which("unshare"), "needs root to mount a small file system")
@also_as_ordinary_user
class FullDisk(WeirTest):
    """The event store on a tmpfs of 256 KiB, in a mount namespace of its own."""

    def test_G3_when_the_store_is_full_requests_are_refused_and_what_was_written_stays(self):
        server = self.https("api.test.example")
        self.policy("rules:\n  - hosts: [api.test.example]\n", api=server)
        out = self.folder("copy")
        run = " ".join(["run", "--policy", self.policy_file, "--", *self.script("""
            pad = "p" * 1500
            statuses, first = [], None
            for n in range(400):
                got = get(f"/{n}?{pad}")
                statuses.append(got["status"])
                if got["status"] != 200:
                    first = first or got
                    if len(statuses) - statuses.index(503) > 20:
                        break
            report(allowed=statuses.count(200), refused=statuses.count(503), rest=[s for s in statuses if s not in (200, 503)],
                   first=first, last=statuses[-1])
            sys.exit(5)
        """)])
        weir = " ".join(self.weir_command())
        script = (f"mount -t tmpfs -o size=256k,mode=700,uid={self.uid},gid={self.gid} weir-small {self.state}\n"
                  f"{weir} {run}; status=$?\n"
                  f"cp -r {self.state}/. {out}/; {weir} log verify >&2 || echo verify-failed >&2\n"
                  "exit $status\n")
        user, self.user = self.user, None  # the wrapper is root's; weir inside it is not
        wrapper = self.start_wrapped(["unshare", "--mount", "--propagation", "private", "sh", "-c", script])
        self.user = user
        wrapper.state = out
        done = wrapper.finish(120)
        self.assertEqual(done.status, 5, done)
        self.assertGreater(done.report["allowed"], 10, done)
        self.assertGreater(done.report["refused"], 10, done)
        self.assertEqual(done.report["rest"], [], done)
        self.assertEqual(done.report["last"], 503, done)
        self.assert_verdict(done.report["first"], 503, "store_unavailable", done)
        self.assertNotIn("verify-failed", done.err, done)
        # What the server saw, the record holds: no request went out unrecorded.
        seen = {request.path for request in server.requests}
        recorded = {d["path"].partition("?")[0] for d in done.of("egress.request")}
        self.assertLessEqual(seen, recorded, "requests went upstream without an event")
        self.assertEqual([e["seq"] for e in done.events], list(range(1, len(done.events) + 1)), done)

    def start_wrapped(self, command):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   env=self.environment, cwd=self.project, text=True, errors="replace")
        self.addCleanup(self.reap, process)
        return Running(self, process, self.state)


@also_as_ordinary_user
class Secrets(WeirTest):
    """G4: a credential that cannot be had refuses the request; it never goes out without."""

    def test_G4_a_secret_that_disappears_while_running_refuses(self):
        server = self.https("api.test.example")
        secret = self.write("secret", "s3cr3t-value-0123456789", folder=self.root, mode=0o600)
        self.policy(f"credentials:\n  t:\n    from: file:{secret}\n    hosts: [api.test.example]\n"
                    "    inject: {header: Authorization, format: \"Bearer {secret}\"}\n"
                    "rules:\n  - hosts: [api.test.example]\n", api=server)
        running = self.start_python("""
            sync("up")
            report(answer=get("/"))
        """)
        running.reached("up")
        os.unlink(secret)
        running.go("up")
        done = running.finish()
        answer = done.report["answer"]
        if answer["status"] == 200:  # it was read at the start: then it must have been used
            self.assertEqual(server.requests[0].get("authorization"), "Bearer s3cr3t-value-0123456789")
        else:
            self.assert_verdict(answer, 503, "credential_unavailable", done)
            self.assertEqual(server.requests, [])


if __name__ == "__main__":
    main()
