"""Each way to put a credential into a request, seen at the place where it arrives."""

import base64
import json
import os
import ssl
import urllib.parse

from harness import WeirTest, also_as_ordinary_user, main
from standin_s3 import S3, Account
from standins.server import Server, keep
from standins.websocket_server import WebSocketServer
from test_websockets import CLIENT

SECRET = "real-secret/7f3a+9c51e2b84d06="
PLAIN = "real-secret-7f3a9c51e2b84d06"


class WithCredential(WeirTest):
    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example")
        self.other = self.https("other.test.example")
        self.environment["TEST_TOKEN"] = SECRET

    def credential(self, how, more="", **servers):
        self.policy(f"""
            credentials:
              token:
                from: env:TEST_TOKEN
                hosts: [api.test.example]
                {how}
            rules:
              - hosts: [api.test.example, other.test.example]
              - hosts: [api.test.example]
                websocket: true
            {more}
            """, **{"api": self.api, "other": self.other, **servers})


@also_as_ordinary_user
class Injected(WithCredential):
    def test_basic(self):
        self.credential('inject: {basic: {username: x-access-token, password: "{secret}"}}')
        done = self.inside("""
            report(a=get("/a", headers=[("Authorization", "Bearer own"), ("AUTHORIZATION", "Basic b3du")])["status"])
        """)
        sent, = self.api.requests[0].all("authorization")
        scheme, _, text = sent.partition(" ")
        self.assertEqual((scheme, base64.b64decode(text).decode()), ("Basic", f"x-access-token:{SECRET}"), done)
        self.assertEqual(done.of("credential.used")[0]["place"], "basic", done)

    def test_basic_is_for_the_host_alone(self):
        self.credential('inject: {basic: {username: u, password: "{secret}"}}')
        self.inside("get('/a', host='other.test.example')")
        self.assertEqual(self.other.requests[0].all("authorization"), [])

    def test_query(self):
        self.credential("inject: {query: key}")
        done = self.inside("""
            for path in ("/a", "/a?", "/a?x=1", "/a?key=own&x=1&key=own2&%6bey=own3&KEY=own4", "/a?keys=other"):
                report(status=get(path)["status"])
        """)
        for request in self.api.requests:
            query = urllib.parse.parse_qs(request.target.partition("?")[2], keep_blank_values=True)
            self.assertEqual(query["key"], [SECRET], done)
            self.assertNotIn("own", request.target)
        self.assertIn("x=1", self.api.requests[2].target)
        self.assertIn("keys=other", self.api.requests[4].target)
        self.assertNotIn(SECRET, str(done))
        self.assertEqual(done.of("credential.used")[0]["place"], "query key", done)

    def test_a_redirect_that_repeats_the_query_does_not_bring_the_secret_in(self):
        self.environment["TEST_TOKEN"] = PLAIN
        self.credential("inject: {query: key}")
        self.api.routes["/moved"] = lambda request, connection: connection.respond(
            302, headers=[("Location", "https://other.test.example/caught" + request.target.partition("/moved")[2])], reason="Found")
        done = self.run_inside("curl", "-sS", "-L", "-i", "https://api.test.example/moved")
        self.assertNotIn(PLAIN, done.out)
        self.assertIn("key=" + "*" * len(PLAIN), done.out)
        self.assertNotIn(PLAIN.encode(), self.other.requests[0].raw_head)

    def test_cookie(self):
        self.environment["TEST_TOKEN"] = PLAIN
        self.credential("inject: {cookie: session}")
        done = self.inside("""
            get("/a")
            get("/b", headers=[("Cookie", "a=1; session=own; b=2"), ("cookie", "session=own")])
            get("/c", headers=[("Cookie", "sessionx=keep")])
        """)
        def pairs(r):
            return sorted(p.strip() for v in r.all("cookie") for p in v.split(";"))
        self.assertEqual([pairs(r) for r in self.api.requests],
                         [[f"session={PLAIN}"], ["a=1", "b=2", f"session={PLAIN}"], [f"session={PLAIN}", "sessionx=keep"]], done)

    def test_a_value_that_cannot_be_a_cookie_is_not_sent(self):
        self.environment["TEST_TOKEN"] = "one; two=three-four-five"
        self.credential("inject: {cookie: session}")
        done = self.inside("report(answer=get('/a'))")
        self.assert_verdict(done.report["answer"], 503, "credential_unusable", done)
        self.assertEqual(self.api.requests, [])

    def test_client_certificate(self):
        with open(self.authority.client_file("agent@example")) as file:
            pem = file.read()
        context = self.authority.server_context("api.test.example")
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority.certificate_file)
        names = []

        def who(request, connection):
            names.append(dict(x[0] for x in connection.sock.getpeercert()["subject"])["commonName"])
            connection.respond(200, "ok")

        server = Server(context, {"/": who})
        self.addCleanup(server.close)
        secret = self.write("client.pem", pem, folder=self.root, mode=0o600)
        self.policy(f"""
            credentials:
              certificate:
                from: file:{secret}
                hosts: [api.test.example]
                inject: client_certificate
            rules:
              - hosts: [api.test.example, other.test.example]
            """, api=server, other=self.other)
        done = self.inside("report(api=get('/a')['status'], again=get('/b')['status'], other=get('/', host='other.test.example')['status'])")
        self.assertEqual(done.report, {"api": 200, "again": 200, "other": 200}, done)
        self.assertEqual(names, ["agent@example"] * 2)

    def test_a_client_certificate_without_its_key_is_found_before_anything_starts(self):
        with open(self.authority.client_file("agent@example")) as file:
            pem = file.read()
        secret = self.write("client.pem", pem[:pem.index("-----BEGIN PRIVATE KEY")], folder=self.root, mode=0o600)
        self.policy(f"credentials:\n  c: {{from: 'file:{secret}', hosts: [api.test.example], inject: client_certificate}}\n"
                    "rules: [{hosts: [api.test.example]}]\n", api=self.api)
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn("credential `c`", done.err)


@also_as_ordinary_user
class SignedForAws(WeirTest):
    """boto3 inside, with keys that mean nothing; a store that checks every signature."""

    BOTO = """
import boto3, io
from botocore.config import Config
s3 = boto3.client("s3", endpoint_url="https://s3.test.example", region_name="eu-central-1", aws_access_key_id="AKIAINSIDE", aws_secret_access_key="made-up",
                  config=Config(s3={"addressing_style": "path"}))
"""

    def setUp(self):
        super().setUp()
        self.s3 = S3(Account("AKIAREAL", "real-secret-key-0123456789abcdefghij", "session-token-0123456789"))
        self.server = self.https("s3.test.example", routes={"/": self.s3})
        self.keys("AKIAREAL", "real-secret-key-0123456789abcdefghij", "session-token-0123456789")

    def keys(self, *keys, how="aws_sigv4: {}"):
        file = self.write("keys", json.dumps(dict(zip(("AccessKeyId", "SecretAccessKey", "SessionToken"), keys))), folder=self.root, mode=0o600)
        self.policy(f"""
            credentials:
              aws: {{from: "file:{file}", hosts: [s3.test.example], inject: {{{how}}}}}
            rules: [{{hosts: [s3.test.example]}}]
            """, resolve={"s3.test.example": self.server})

    def test_objects_go_there_and_back(self):
        done = self.inside(self.BOTO + """
big = os.urandom(3 << 20)
s3.put_object(Bucket="b", Key="small file+ü.txt", Body=b"hello", Metadata={"a": "b"})
s3.upload_fileobj(io.BytesIO(big), "b", "big")
report(small=s3.get_object(Bucket="b", Key="small file+ü.txt")["Body"].read().decode(), big=s3.get_object(Bucket="b", Key="big")["Body"].read() == big,
       names=[o["Key"] for o in s3.list_objects_v2(Bucket="b")["Contents"]])
""")
        self.assertEqual(done.report, {"small": "hello", "big": True, "names": ["big", "small file+ü.txt"]}, done)
        self.assertEqual({key for _, _, key, _ in self.s3.calls}, {"AKIAREAL"})
        self.assertEqual(self.s3.refused, [])
        self.assertEqual(done.of("credential.used")[0]["place"], "aws signature", done)

    def test_presigned_addresses_and_curl(self):
        done = self.inside(self.BOTO + """
put = s3.generate_presigned_url("put_object", Params={"Bucket": "b", "Key": "k"}, ExpiresIn=600)
got = s3.generate_presigned_url("get_object", Params={"Bucket": "b", "Key": "k"}, ExpiresIn=600)
subprocess.run(["curl", "-sS", "-f", "-T", "inside.py", put], check=True)
report(same=subprocess.run(["curl", "-sS", "-f", got], capture_output=True).stdout == open("inside.py", "rb").read(), hidden="AKIAREAL" not in put + got)
""")
        self.assertEqual(done.report, {"same": True, "hidden": True}, done)

    def test_without_a_signature_of_the_clients_when_the_policy_says_all(self):
        self.keys("AKIAREAL", "real-secret-key-0123456789abcdefghij", "session-token-0123456789", how="aws_sigv4: {region: eu-central-1, service: s3}")
        done = self.run_inside("curl", "-sS", "-f", "-T", "inside.py", "https://s3.test.example/b/plain")
        self.assertEqual(done.status, 0, done)
        self.assertIn(("b", "plain"), self.s3.objects)

    def test_wrong_keys_are_refused_by_the_store_and_not_by_weir(self):
        self.keys("AKIAREAL", "another-secret-key-0123456789abcdefg", "session-token-0123456789")
        done = self.run_inside(*self.script(self.BOTO + 's3.put_object(Bucket="b", Key="k", Body=b"x")'))
        self.assertIn("SignatureDoesNotMatch", done.err)

    def test_an_unsigned_request_without_a_scope_is_told_what_is_missing(self):
        done = self.inside("report(a=get('/b/k', host='s3.test.example'))")
        self.assert_verdict(done.report["a"], 400, "signature_scope_missing", done)


@also_as_ordinary_user
class Substituted(WithCredential):
    ENV = 'env: API_KEY, shape: "sk_live_{random:24}"'

    def test_the_sandbox_sees_a_placeholder_and_the_upstream_the_value(self):
        self.credential(f"substitute: {{{self.ENV}}}")
        done = self.inside("""
            key = os.environ["API_KEY"]
            first = get("/a", headers=[("Authorization", "Bearer " + key), ("X-Twice", key + "," + key)])
            report(key=key, status=first["status"])
        """)
        self.assertRegex(done.report["key"], "^sk_live_[0-9A-Za-z]{24}$")
        self.assertEqual(self.api.requests[0].all("authorization"), [f"Bearer {SECRET}"])
        self.assertEqual(self.api.requests[0].all("x-twice"), [f"{SECRET},{SECRET}"])
        self.assertNotIn(SECRET, str(done))
        used, = done.of("credential.used")
        self.assertEqual(used["credential"], "token")

    def test_each_sandbox_has_its_own(self):
        self.credential(f"substitute: {{{self.ENV}}}")
        keys = {self.inside("report(key=os.environ['API_KEY'])").report["key"] for _ in range(3)}
        self.assertEqual(len(keys), 3)

    def test_inside_basic(self):
        self.credential(f"substitute: {{{self.ENV}}}")
        done = self.run_inside("sh", "-c", 'curl -sS -u "$API_KEY:" https://api.test.example/a; curl -sS -u "me:$API_KEY" https://api.test.example/b')
        sent = [base64.b64decode(r.get("authorization").split()[1]).decode() for r in self.api.requests]
        self.assertEqual(sent, [f"{SECRET}:", f"me:{SECRET}"], done)

    def test_in_query_and_path(self):
        self.credential(f"substitute: {{{self.ENV}, in: [query, path]}}")
        done = self.inside("""
            key = os.environ["API_KEY"]
            get("/v1/" + key + "/x?q=" + key + "&r=1")
            get("/h", headers=[("X-Key", key)])
        """)
        quoted = urllib.parse.quote(SECRET, safe="")
        path, _, query = self.api.requests[0].target.partition("?")
        self.assertEqual(path, f"/v1/{quoted}/x", done)
        self.assertEqual(urllib.parse.parse_qs(query), {"q": [SECRET], "r": ["1"]})
        self.assertRegex(self.api.requests[1].get("x-key"), "^sk_live_", "not where it is not to be replaced")

    def test_in_bodies_of_all_kinds(self):
        self.api.routes["/a"] = keep
        self.environment["TEST_TOKEN"] = 'qu"ote\\and/slash-0123'
        self.credential(f"substitute: {{{self.ENV}, in: [body]}}")
        done = self.inside("""
            key = os.environ["API_KEY"]
            def post(kind, body, chunked=()):
                wire = Wire()
                head = f"POST /a HTTP/1.1\\r\\nHost: {API}\\r\\nContent-Type: {kind}\\r\\n"
                if chunked:
                    wire.send(head + "Transfer-Encoding: chunked\\r\\n\\r\\n")
                    for i in range(0, len(body), chunked):
                        part = body[i:i + chunked]
                        wire.send(f"{len(part):x}\\r\\n{part}\\r\\n")
                    wire.send("0\\r\\n\\r\\n")
                else:
                    wire.send(head + f"Content-Length: {len(body)}\\r\\n\\r\\n" + body)
                report(status=wire.answer().status)
            text = json.dumps({"a": [key, "sk_live_", key + key], "b": 1})
            post("application/json", text)
            post("application/json; charset=utf-8", text, chunked=7)
            post("application/json", json.dumps({"pad": "x" * 100000, "k": key}))
            post("application/x-www-form-urlencoded", "grant=x&token=" + key + "&z=1")
            post("text/plain", key + " and " + key)
            post("application/octet-stream", key)
        """)
        value = self.environment["TEST_TOKEN"]
        bodies = [r.body.decode() for r in self.api.requests]
        self.assertEqual(len(bodies), 6, done)
        self.assertEqual(json.loads(bodies[0]), {"a": [value, "sk_live_", value + value], "b": 1})
        self.assertEqual(json.loads(bodies[1]), {"a": [value, "sk_live_", value + value], "b": 1})
        self.assertEqual(json.loads(bodies[2])["k"], value)
        self.assertEqual(urllib.parse.parse_qs(bodies[3])["token"], [value])
        self.assertEqual(bodies[4], f"{value} and {value}")
        self.assertRegex(bodies[5], "^sk_live_")
        self.assertEqual(self.api.requests[0].get("content-length"), str(len(bodies[0])))

    def test_a_body_larger_than_what_is_kept_goes_on_in_chunks(self):
        self.api.routes["/a"] = keep
        self.environment["TEST_TOKEN"] = PLAIN
        self.credential(f"substitute: {{{self.ENV}, in: [body]}}", more="limits: {inspected_body: 64KiB}")
        done = self.inside("""
            key = os.environ["API_KEY"]
            report(status=ask(request("POST", "/a", headers=[("Content-Type", "text/plain")], body="x" * 300000 + key + "y" * 300000))["status"])
        """)
        self.assertEqual(self.api.requests[0].body.decode(), "x" * 300000 + PLAIN + "y" * 300000, done)
        self.assertEqual(self.api.requests[0].get("transfer-encoding"), "chunked")

    def test_in_websocket_text(self):
        self.environment["TEST_TOKEN"] = PLAIN
        server = WebSocketServer(self.authority.server_context("api.test.example"))
        self.addCleanup(server.close)
        self.credential(f"substitute: {{{self.ENV}, in: [body, header]}}", api=server)
        done = self.inside(CLIENT + """
async def main():
    key = os.environ["API_KEY"]
    socket = await talk()
    await socket.send(json.dumps({"key": key}))
    first = await socket.recv()
    await socket.send(part for part in ("one ", key[:9], key[9:] + " two"))
    second = await socket.recv()
    await socket.close()
    report(first=first, second=second)
run(main)
""")
        # The stand-in sends back what it got: the value, which is masked on its way in.
        self.assertEqual(done.report, {"first": '{"key": "' + "*" * len(PLAIN) + '"}', "second": f"one {'*' * len(PLAIN)} two"}, done)

    def test_a_variable_or_file_may_hold_it_by_name(self):
        self.credential('substitute: {shape: "tok-{random:30}"}')
        done = self.inside('report(header=os.environ["HEADER"]); get("/a", headers=[("Authorization", os.environ["HEADER"])])',
                           options=("--env", "HEADER=Bearer {placeholder:token}"))
        self.assertRegex(done.report["header"], "^Bearer tok-[0-9A-Za-z]{30}$")
        self.assertEqual(self.api.requests[0].get("authorization"), f"Bearer {SECRET}")

    def test_the_hosts_own_variable_is_not_passed_in_beside_it(self):
        self.credential("substitute: {env: TEST_TOKEN, shape: \"sk_{random:24}\"}")
        done = self.run_inside("/bin/true", options=("--env", "TEST_TOKEN"))
        self.assertEqual(done.status, 2, done)
        self.assertIn("TEST_TOKEN", done.err)
        self.assertNotIn(SECRET, done.err)

    def test_a_reload_keeps_the_placeholder(self):
        self.credential(f"substitute: {{{self.ENV}}}")
        running = self.start_python("""
            key = os.environ["API_KEY"]
            get("/a", headers=[("X-Key", key)])
            sync("changed")
            get("/b", headers=[("X-Key", key)])
        """)
        running.reached("changed")
        self.environment["TEST_TOKEN"] = SECRET
        with open(self.policy_file, "a") as file:
            file.write("limits: {connections: 99}\n")
        running.wait_for_event("policy.loaded", by="a change of the file")
        running.go("changed")
        done = running.finish()
        self.assertEqual([r.get("x-key") for r in self.api.requests], [SECRET, SECRET], done)

    def test_a_placeholder_whose_value_cannot_be_had_is_never_sent(self):
        flag = self.write("flag", PLAIN, folder=self.root)
        self.policy(f"""
            credentials:
              token:
                from: {{exec: [/bin/cat, {flag}]}}
                ttl: 1s
                hosts: [api.test.example]
                substitute: {{{self.ENV}}}
            rules: [{{hosts: [api.test.example]}}]
            """, api=self.api)
        running = self.start_python("""
            sync("lost")
            report(answer=get("/a", headers=[("X-Key", os.environ["API_KEY"])]))
        """)
        running.reached("lost")
        os.unlink(flag)
        running.wait_for_event("vault.error", usable=False)
        running.go("lost")
        done = running.finish()
        self.assert_verdict(done.report["answer"], 503, "credential_unavailable", done)
        self.assertEqual(self.api.requests, [])


if __name__ == "__main__":
    main()
