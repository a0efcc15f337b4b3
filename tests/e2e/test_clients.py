"""Real clients through the gate, as their users run them: nothing in them is configured for weir."""

import base64
import os
import shutil
import unittest

from harness import PYTHON, WeirTest, also_as_ordinary_user, main
from standins.git_server import GitServer
from standins.registries import add_npm_registry, add_simple_index
from standins.server import Events, chunked_with_trailers, echo

OPEN = """
rules:
  - name: the test's hosts
    hosts: ["*.test.example"]
"""


def need(program):
    return unittest.skipUnless(shutil.which(program), f"{program} is not installed")


@also_as_ordinary_user
class Programs(WeirTest):
    def test_curl_fetches_over_https_and_over_plain_http(self):
        self.policy(OPEN, api=self.https("api.test.example"), plain=self.http())
        done = self.run_inside("curl", "-sS", "https://api.test.example/a?b=c")
        self.assertEqual((done.status, done.report["target"]), (0, "/a?b=c"), done)
        done = self.run_inside("curl", "-sS", "http://plain.test.example/x")
        self.assertEqual((done.status, done.report["target"]), (0, "/x"), done)
        self.assertTrue(done.of("egress.request", scheme="http", host="plain.test.example", port=80, path="/x"), done)

    def test_each_request_is_recorded_before_and_after(self):
        self.policy(OPEN, api=self.https("api.test.example"))
        done = self.run_inside("curl", "-sS", "-d", "12345", "https://api.test.example/things?id=7")
        asked = done.of("egress.request")
        self.assertEqual(len(asked), 1, done)
        for key, value in {"method": "POST", "scheme": "https", "host": "api.test.example", "port": 443,
                           "verdict": "allow", "rule": "the test's hosts"}.items():
            self.assertEqual(asked[0][key], value, done)
        self.assertTrue(asked[0]["path"].startswith("/things"), done)
        over = done.of("egress.response", request=asked[0]["request"])
        self.assertEqual(len(over), 1, done)
        self.assertEqual(over[0]["status"], 200, done)
        kinds = [e["type"] for e in done.events]
        self.assertLess(kinds.index("egress.request"), kinds.index("egress.response"), done)
        self.assertEqual((kinds[0], kinds[-1]), ("session.started", "session.ended"), done)
        self.assertTrue(done.of("dns.query", name="api.test.example", verdict="answered"), done)

    def test_curl_learns_why_a_host_is_refused(self):
        self.policy("rules:\n  - hosts: [api.test.example]\n    paths: [/open/**]\n",
                    api=self.https("api.test.example"))
        done = self.run_inside("curl", "-sS", "-i", "https://api.test.example/closed")
        self.assertIn("403", done.out.splitlines()[0], done)
        self.assertIn("x-weir-verdict: deny no_rule", done.out.lower(), done)
        self.assert_recorded_denial(done, "no_rule", host="api.test.example", path="/closed")
        done = self.run_inside("curl", "-sS", "https://other.test.example/")
        self.assertEqual(done.status, 6, done)  # curl: could not resolve host
        self.assertTrue(done.of("dns.query", name="other.test.example", verdict="refused"), done)

    def test_curl_uploads_with_expect_100_continue(self):
        self.policy(OPEN, api=self.https("api.test.example"))
        self.write("body", b"x" * 3_000_000)
        done = self.run_inside("curl", "-sS", "-v", "-H", "Expect: 100-continue", "--expect100-timeout", "50",
                               "--data-binary", "@body", "https://api.test.example/up")
        self.assertEqual((done.status, done.report["size"]), (0, 3_000_000), done)

    @need("wget")
    def test_wget_fetches(self):
        self.policy(OPEN, api=self.https("api.test.example"))
        done = self.run_inside("wget", "-q", "-O", "-", "https://api.test.example/w")
        self.assertEqual((done.status, done.report["target"]), (0, "/w"), done)

    def test_python_fetches_with_urllib(self):
        self.policy(OPEN, api=self.https("api.test.example"))
        done = self.inside("""
            with urllib.request.urlopen("https://api.test.example/py", timeout=30) as got:
                report(status=got.status, target=json.load(got)["target"])
        """)
        self.assertEqual(done.report, {"status": 200, "target": "/py"}, done)

    def test_pip_installs_from_an_index(self):
        server = self.https("index.test.example")
        add_simple_index(server)
        self.policy("rules:\n  - hosts: [index.test.example]\n    methods: [GET, HEAD]\n", index=server)
        done = self.run_inside(PYTHON, "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check",
                               "--isolated", "--index-url", "https://index.test.example/simple/", "--target", "lib",
                               "weir-sample", deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(os.path.exists(os.path.join(self.project, "lib/weir_sample.py")), done)

    @need("node")
    def test_node_fetches(self):
        self.policy(OPEN, api=self.https("api.test.example"))
        self.write("fetch.mjs", """
            const got = await fetch("https://api.test.example/node", {method: "POST", body: "hello"});
            console.log(JSON.stringify(await got.json()));
        """)
        done = self.run_inside("node", "fetch.mjs")
        self.assertEqual(done.status, 0, done)
        self.assertEqual((done.report["target"], done.report["body"]), ("/node", "hello"), done)

    @need("npm")
    def test_npm_installs_a_scoped_package_from_a_registry(self):
        server = self.https("npm.test.example")
        add_npm_registry(server, "npm.test.example")
        self.policy("rules:\n  - hosts: [npm.test.example]\n    methods: [GET, HEAD]\n    paths: [\"/**\"]\n"
                    "    encoded_slash: allow\n", npm=server)
        self.write("package.json", '{"name": "p", "version": "1.0.0"}')
        done = self.run_inside("npm", "install", "--no-audit", "--no-fund", "--registry",
                               "https://npm.test.example/", "@weir/sample", deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(os.path.exists(os.path.join(self.project, "node_modules/@weir/sample/index.js")), done)

    @unittest.skipUnless(shutil.which("go") or os.path.exists("/usr/local/go/bin/go"), "go is not installed")
    def test_go_fetches(self):
        self.policy(OPEN, api=self.https("api.test.example"))
        self.write("go.mod", "module probe\n\ngo 1.19\n")
        self.write("main.go", """
            package main

            import ("fmt"; "io"; "net/http"; "os"; "strings")

            func main() {
                got, err := http.Post("https://api.test.example/go", "text/plain", strings.NewReader("hello"))
                if err != nil { fmt.Println(err); os.Exit(1) }
                body, _ := io.ReadAll(got.Body)
                fmt.Println(string(body))
            }
        """)
        import subprocess
        cache = os.path.join(os.environ.get("XDG_CACHE_HOME", os.path.expanduser("~/.cache")), "go-build")
        subprocess.run([shutil.which("go") or "/usr/local/go/bin/go", "build", "-o", "probe", "."], cwd=self.project,
                       check=True, env={**os.environ, "CGO_ENABLED": "0", "GOFLAGS": "-mod=mod", "GOCACHE": cache,
                                        "GOTOOLCHAIN": "local"})
        os.chmod(os.path.join(self.project, "probe"), 0o755)
        done = self.run_inside("./probe")
        self.assertEqual(done.status, 0, done)
        self.assertEqual((done.report["target"], done.report["body"]), ("/go", "hello"), done)


@also_as_ordinary_user
class Git(WeirTest):
    def setUp(self):
        super().setUp()
        self.git = GitServer(self.standins_folder)
        self.server = self.https("forge.test.example", routes={"/": self.git})

    CLONE = ["sh", "-ec", "git clone -q https://forge.test.example/org/project.git copy && cat copy/README"]
    PUSH = ["sh", "-ec", """
        git clone -q https://forge.test.example/org/project.git copy && cd copy
        git config user.name t && git config user.email t@test.example
        echo more >> README && git commit -q -am "Add more" && git push -q origin HEAD:topic
    """]

    def test_git_clones_and_pushes(self):
        self.policy("rules:\n  - hosts: [forge.test.example]\n", forge=self.server)
        done = self.run_inside(*self.PUSH)
        self.assertEqual(done.status, 0, done)
        self.assertIn("topic", self.git.branches())

    def test_git_clones_but_may_not_push(self):
        self.policy("""
            rules:
              - name: look
                hosts: [forge.test.example]
                methods: [GET, HEAD]
              - name: clone, never push
                hosts: [forge.test.example]
                methods: [POST]
                paths: ["/*/*/git-upload-pack"]
        """, forge=self.server)
        done = self.run_inside(*self.CLONE)
        self.assertEqual((done.status, done.out), (0, "a project\n"), done)
        done = self.run_inside("sh", "-ec", "rm -rf copy; " + self.PUSH[2])
        self.assertNotEqual(done.status, 0, done)
        self.assertNotIn("topic", self.git.branches())
        self.assert_recorded_denial(done, "no_rule", method="POST", path="/org/project.git/git-receive-pack")
        self.assertNotIn("/org/project.git/git-receive-pack", self.server.paths())

    def test_git_uses_a_token_that_it_never_sees(self):
        token = "ghp_realtokenrealtokenrealtoken12345"
        wanted = "Basic " + base64.b64encode(f"x-access-token:{token}".encode()).decode()
        self.write("value", wanted, folder=self.root, mode=0o600)
        self.policy(f"""
            credentials:
              forge:
                from: file:{self.root}/value
                hosts: [forge.test.example]
                inject: {{header: Authorization, format: "{{secret}}"}}
            rules:
              - hosts: [forge.test.example]
        """, forge=self.server)
        done = self.run_inside(*self.PUSH)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(all(request.all("authorization") == [wanted] for request in self.server.requests))
        self.assertIn("topic", self.git.branches())


@also_as_ordinary_user
class Http(WeirTest):
    """HTTP/1.1 as such, by hand."""

    def setUp(self):
        super().setUp()
        self.server = self.https("api.test.example")
        self.policy(OPEN, api=self.server)

    def test_many_requests_share_a_connection(self):
        done = self.inside("""
            wire = Wire()
            got = [wire.send(request(path=f"/{n}")).answer() for n in range(50)]
            report(targets=[json.loads(a.body)["target"] for a in got])
        """)
        self.assertEqual(done.report["targets"], [f"/{n}" for n in range(50)], done)
        self.assertEqual(len(done.of("egress.request")), 50, done)
        self.assertLess(self.server.connections, 5, "upstream connections are not kept")

    def test_a_request_in_one_segment_with_the_end_of_the_handshake_is_answered(self):
        done = self.inside("""
            import ssl
            def ask():
                sock = socket.create_connection(("api.test.example", 443), timeout=20)
                came, goes = ssl.MemoryBIO(), ssl.MemoryBIO()
                tls = ssl.create_default_context().wrap_bio(came, goes, server_hostname="api.test.example")
                while True:
                    try:
                        tls.do_handshake()
                        break
                    except ssl.SSLWantReadError:
                        sock.sendall(goes.read())
                        came.write(sock.recv(65536))
                tls.write(request())
                sock.sendall(goes.read())  # the client's Finished and the request
                while True:
                    try:
                        return tls.read(65536)[:12].decode()
                    except ssl.SSLWantReadError:
                        came.write(sock.recv(65536))
            report(answers=[ask() for _ in range(20)])
        """)
        self.assertEqual(done.report["answers"], ["HTTP/1.1 200"] * 20, done)

    def test_a_refusal_does_not_end_the_connection_for_the_next_request(self):
        self.policy("rules:\n  - hosts: [api.test.example]\n    methods: [GET]\n", api=self.server)
        done = self.inside("""
            wire = Wire()
            report(statuses=[wire.send(request(m)).answer(m).status for m in ("GET", "DELETE", "GET")])
        """)
        self.assertEqual(done.report["statuses"], [200, 403, 200], done)

    def test_pipelined_requests_are_answered_in_order(self):
        done = self.inside("""
            wire = Wire()
            wire.send(b"".join(request("POST", f"/{n}", body=f"body {n}") for n in range(20)))
            got = [json.loads(wire.answer().body) for n in range(20)]
            report(got=[(a["target"], a["body"]) for a in got])
        """)
        self.assertEqual(done.report["got"], [[f"/{n}", f"body {n}"] for n in range(20)], done)

    def test_expect_100_continue_gets_its_continue_before_the_body(self):
        done = self.inside("""
            wire = Wire()
            head = request("POST", "/", headers=[("Content-Length", "200000"), ("Expect", "100-continue")])
            first = wire.send(head).answer()
            last = wire.send(b"y" * 200000).answer()
            report(first=first.status, last=last.status, size=json.loads(last.body)["size"])
        """)
        self.assertEqual(done.report, {"first": 100, "last": 200, "size": 200000}, done)

    def test_a_refused_request_with_expect_gets_no_continue(self):
        self.policy("rules:\n  - hosts: [api.test.example]\n    methods: [GET]\n", api=self.server)
        done = self.inside("""
            wire = Wire()
            head = request("POST", "/", headers=[("Content-Length", "200000"), ("Expect", "100-continue")])
            report(first=wire.send(head).answer().status)
        """)
        self.assertEqual(done.report, {"first": 403}, done)
        self.assertEqual(self.server.requests, [])

    def test_a_chunked_upload_arrives_whole(self):
        done = self.inside("""
            wire = Wire()
            wire.send(request("POST", "/", headers=[("Transfer-Encoding", "chunked"), ("Trailer", "X-Sum")]))
            for part in ("hello", ", ", "world"):
                wire.send(f"{len(part):x}\\r\\n{part}\\r\\n")
            got = json.loads(wire.send("0\\r\\nX-Sum: 9\\r\\n\\r\\n").answer().body)
            report(body=got["body"], trailers=got["trailers"])
        """)
        self.assertEqual(done.report["body"], "hello, world", done)
        self.assertIn(["X-Sum", "9"], done.report["trailers"], done)

    def test_a_chunked_response_and_its_trailers_arrive(self):
        self.server.routes["/chunked"] = chunked_with_trailers
        done = self.inside("""
            got = Wire().send(request(path="/chunked", headers=[("TE", "trailers")])).answer()
            report(body=got.body.decode(), trailers=got.trailers)
        """)
        self.assertEqual(done.report, {"body": "hello, world", "trailers": ["X-Checksum: 42"]}, done)

    def test_bodiless_answers_leave_the_connection_usable(self):
        self.server.routes["/204"] = lambda request, connection: connection.respond(204, reason="No Content")
        self.server.routes["/304"] = lambda request, connection: connection.respond(
            304, headers=[("ETag", '"a"'), ("Content-Length", "999")], reason="Not Modified")
        done = self.inside("""
            wire = Wire()
            seen = []
            for method, path in (("HEAD", "/"), ("GET", "/204"), ("GET", "/304"), ("GET", "/last")):
                got = wire.send(request(method, path)).answer(method)
                seen.append([got.status, len(got.body) > 0])
            report(seen=seen)
        """)
        self.assertEqual(done.report["seen"], [[200, False], [204, False], [304, False], [200, True]], done)

    def test_an_answer_that_ends_with_the_connection_arrives_whole(self):
        def until_close(request, connection):
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n" + b"z" * 70000)
            connection.sock.unwrap()
            connection.end()

        self.server.routes["/close"] = until_close
        done = self.inside("""
            got = Wire().send(request(path="/close")).answer()
            report(size=len(got.body), complete=got.complete)
        """)
        self.assertEqual(done.report, {"size": 70000, "complete": True}, done)

    def test_server_sent_events_flow_one_by_one(self):
        events = Events(5)
        self.server.routes["/events"] = events
        running = self.start_python("""
            import http.client
            connection = http.client.HTTPSConnection("api.test.example", timeout=60)
            connection.request("GET", "/events")
            got = connection.getresponse()
            for n in range(5):
                lines = [got.fp.readline() for _ in range(0)]
                text = got.readline() + got.readline() + got.readline()
                assert text == f"id: {n}\\ndata: event {n}\\n\\n".encode(), text
                sync(f"event{n}")
            report(rest=got.read().decode())
        """)
        for number in range(5):
            events.release()  # event N+1 leaves the server only after event N was read inside
            running.reached(f"event{number}")
            running.go(f"event{number}")
        done = running.finish()
        self.assertEqual((done.status, done.report), (0, {"rest": ""}), done)

    def test_a_slow_answer_is_waited_for(self):
        running = None

        def slow(request, connection):
            self.assertTrue(self.released.wait(60))
            echo(request, connection)

        import threading
        self.released = threading.Event()
        self.server.routes["/slow"] = slow
        running = self.start_python("""
            wire = Wire()
            wire.send(request(path="/slow"))
            sync("asked")
            report(status=wire.answer().status)
        """)
        running.reached("asked")
        self.assertTrue(self.server.wait_for(lambda: "/slow" in [r.path for r in self.server.requests]))
        running.go("asked")
        self.released.set()
        self.assertEqual(running.finish().report, {"status": 200})

    def test_an_upload_that_the_server_refuses_early_is_answered(self):
        def early(request, connection):
            connection.send(b"HTTP/1.1 413 Too Large\r\nContent-Length: 4\r\nConnection: close\r\n\r\nno!\n")
            connection.sock.settimeout(5)
            try:
                while connection.sock.recv(65536):
                    pass
            except OSError:
                pass
            connection.end()

        self.server.routes["/early"] = early
        self.write("body", b"x" * 20_000_000)
        done = self.run_inside("curl", "-sS", "-o", "/dev/null", "-w", "%{http_code}", "-H", "Expect:",
                               "--data-binary", "@body", "https://api.test.example/early")
        self.assertEqual(done.out, "413", done)


@also_as_ordinary_user
class Serialisation(WeirTest):
    """G7: what goes upstream is what weir wrote, never the sandbox's bytes."""

    def setUp(self):
        super().setUp()
        self.server = self.https("api.test.example")
        self.policy(OPEN, api=self.server)

    def test_G7_the_head_upstream_is_canonical(self):
        done = self.inside("""
            got = ask("REPORT /a/./b/../%7Euser?q=%41 HTTP/1.1\\r\\nhOST:api.test.example\\r\\nX-Odd:   spaced\\t \\r\\n"
                      "Connection: keep-alive, X-Hop\\r\\nX-Hop: gone\\r\\nKeep-Alive: timeout=5\\r\\n"
                      "Proxy-Authorization: Basic Zm9v\\r\\nTE: trailers\\r\\nUpgrade: foo\\r\\n\\r\\n")
            report(answer=got)
        """)
        self.assertEqual(done.report["answer"]["status"], 200, done)
        head = self.server.requests[0].raw_head.decode()
        self.assertTrue(head.startswith("REPORT /a/~user?q=%41 HTTP/1.1\r\n"), head)
        request = self.server.requests[0]
        self.assertEqual(request.all("host"), ["api.test.example"], head)
        self.assertIn("X-Odd: spaced\r\n", head)
        for name in ("X-Hop", "Keep-Alive", "Proxy-Authorization", "Upgrade"):
            self.assertEqual(request.all(name), [], head)

    def test_G7_a_chunked_body_is_framed_anew(self):
        self.inside("""
            ask(b"POST / HTTP/1.1\\r\\nHost: api.test.example\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n"
                b"5;name=\\"v\\"\\r\\nhello\\r\\n000003\\r\\nabc\\r\\n0\\r\\n\\r\\n")
            report(done=True)
        """)
        request = self.server.requests[0]
        self.assertEqual(request.body, b"helloabc")
        self.assertEqual(len(request.all("transfer-encoding")) + len(request.all("content-length")), 1,
                         request.raw_head)


if __name__ == "__main__":
    main()
