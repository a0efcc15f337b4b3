"""Logins inside the sandbox: tokens are caught in flight, kept in weir's vault, and never come in."""

import gzip
import json
import os
import subprocess
import urllib.parse

from harness import WeirTest, also_as_ordinary_user, main
from standins.server import keep


class TokenServer:
    """A token endpoint (RFC 6749) that knows which refresh tokens it gave; and an API that knows which access tokens."""

    def __init__(self, case, form=False):
        self.form, self.count, self.access, self.refresh, self.asked = form, 0, set(), set(), []
        self.change = lambda answer: answer
        self.login = case.https("login.test.example", routes={"/oauth/token": self.token})
        self.api = case.https("api.test.example", routes={"/": self.resource})

    def token(self, request, connection):
        keep_only = []
        connection.read_body(request, keep_only.append)
        body = b"".join(keep_only).decode()
        asked = json.loads(body) if body.startswith("{") else dict(urllib.parse.parse_qsl(body))
        self.asked.append(asked)
        if asked.get("grant_type") == "refresh_token" and asked.get("refresh_token") not in self.refresh:
            return connection.respond(400, json.dumps({"error": "invalid_grant"}), content_type="application/json")
        self.count += 1
        access, refresh = f"real-access-{self.count}-0123456789abcdef", f"real-refresh-{self.count}-0123456789abcdef"
        self.access.add(access)
        self.refresh.add(refresh)
        answer = self.change({"access_token": access, "refresh_token": refresh, "token_type": "bearer", "expires_in": 3600, "scope": "a b"})
        if self.form:
            return connection.respond(200, urllib.parse.urlencode(answer), content_type="application/x-www-form-urlencoded")
        return connection.respond(200, json.dumps(answer), content_type="application/json;charset=utf-8")

    def resource(self, request, connection):
        token = (request.get("authorization") or "").removeprefix("Bearer ")
        connection.respond(200 if token in self.access else 401, "welcome" if token in self.access else "who?")


LOGIN = """
import urllib.parse
def token(**fields):
    body = urllib.parse.urlencode(fields)
    got = ask(request("POST", "/oauth/token", host="login.test.example", headers=[("Content-Type", "application/x-www-form-urlencoded"),
              ("Accept-Encoding", "gzip")], body=body), host="login.test.example")
    return got
def parsed(got):
    return json.loads(got["body"]) if got["body"].startswith("{") else dict(urllib.parse.parse_qsl(got["body"]))
def api(access):
    return get("/me", headers=[("Authorization", "Bearer " + access)])["status"]
"""


class OAuthTest(WeirTest):
    def setUp(self):
        super().setUp()
        self.server = TokenServer(self)
        self.log_in_policy()

    def log_in_policy(self):
        self.policy("""
            credentials:
              access: {from: store:tool/access, hosts: [api.test.example], substitute: {shape: "acc-{random:32}"}}
              refresh: {from: store:tool/refresh, hosts: [login.test.example], substitute: {shape: "ref-{random:32}", in: [body]}}
            oauth:
              - token_url: https://login.test.example/oauth/token
                keep: {access_token: access, refresh_token: refresh}
            rules:
              - hosts: [login.test.example, api.test.example]
            """, login=self.server.login, api=self.server.api)

    def nothing_came_in(self, done):
        for token in self.server.access | self.server.refresh:
            self.assertNotIn(token, done.out + done.err)
            self.assertNotIn(token, json.dumps(done.events))


@also_as_ordinary_user
class Caught(OAuthTest):
    def test_a_login_a_use_and_a_refresh(self):
        done = self.inside(LOGIN + """
first = parsed(token(grant_type="authorization_code", code="abc"))
used = api(first["access_token"])
second = parsed(token(grant_type="refresh_token", refresh_token=first["refresh_token"]))
report(first=first, used=used, second=second, again=api(second["access_token"]))
""")
        first = done.report["first"]
        self.assertRegex(first["access_token"], "^acc-[0-9A-Za-z]{32}$")
        self.assertRegex(first["refresh_token"], "^ref-[0-9A-Za-z]{32}$")
        self.assertEqual({k: first[k] for k in ("token_type", "expires_in", "scope")}, {"token_type": "bearer", "expires_in": 3600, "scope": "a b"})
        self.assertEqual((done.report["used"], done.report["again"]), (200, 200), done)
        self.assertEqual(self.server.asked[1]["refresh_token"], "real-refresh-1-0123456789abcdef")
        self.nothing_came_in(done)
        captured = done.of("credential.captured")
        self.assertEqual([(c["credential"], c["kept"]) for c in captured], [("access,refresh", True)] * 2, done)

    def test_the_next_session_goes_on_with_what_was_kept(self):
        self.inside(LOGIN + 'token(grant_type="authorization_code", code="abc")')
        listed = self.weir("vault", "list")
        self.assertIn("tool/access", listed.out)
        done = self.inside(LOGIN + """
report(used=api(os.environ["ACCESS"]), refreshed=token(grant_type="refresh_token", refresh_token=os.environ["REFRESH"])["status"])
""", options=("--env", "ACCESS={placeholder:access}", "--env", "REFRESH={placeholder:refresh}"))
        self.assertEqual(done.report, {"used": 200, "refreshed": 200}, done)
        self.nothing_came_in(done)

    def test_before_any_login_there_is_no_value(self):
        done = self.inside(LOGIN + 'report(got=get("/me", headers=[("Authorization", "Bearer " + os.environ["ACCESS"])]))',
                           options=("--env", "ACCESS={placeholder:access}"))
        self.assert_verdict(done.report["got"], 503, "credential_unavailable", done)
        self.assertIn("logged in", done.report["got"]["body"])

    def test_G2_a_refresh_at_another_path_of_that_host_brings_no_token_in(self):
        self.server.login.routes["/oauth/token/"] = self.server.token
        done = self.inside(LOGIN + """
first = parsed(token(grant_type="authorization_code", code="abc"))
body = "grant_type=refresh_token&refresh_token=" + first["refresh_token"]
got = ask(request("POST", "/oauth/token/", host="login.test.example", headers=[("Content-Type", "application/x-www-form-urlencoded")], body=body),
          host="login.test.example")
report(status=got["status"])
""")
        self.assertEqual(done.report, {"status": 400}, done)
        self.assertEqual(self.server.asked[1]["refresh_token"][:4], "ref-")
        self.nothing_came_in(done)

    def test_an_error_is_passed_on(self):
        done = self.inside(LOGIN + 'got = token(grant_type="refresh_token", refresh_token="none"); report(s=got["status"], b=got["body"])')
        self.assertEqual(done.report, {"s": 400, "b": '{"error": "invalid_grant"}'}, done)

    def test_tokens_that_cannot_be_kept_do_not_come_in(self):
        running = self.start_python(LOGIN + """
sync("broken")
report(got=token(grant_type="authorization_code", code="abc"))
""")
        running.reached("broken")
        store = os.path.join(self.data, "weir")
        os.makedirs(store, exist_ok=True)
        os.chown(store, self.uid, self.gid)
        self.write("vault.json", "{ broken", folder=store, mode=0o600)
        running.go("broken")
        done = running.finish()
        self.assert_verdict(done.report["got"], 502, "tokens_not_kept", done)
        self.nothing_came_in(done)
        self.assertEqual([c["kept"] for c in done.of("credential.captured")], [False], done)

    def test_answers_that_could_hide_tokens_do_not_come_in(self):
        def compressed(request, connection):
            connection.read_body(request, lambda _: None)
            body = gzip.compress(b'{"access_token": "real-access-9-0123456789abcdef"}')
            connection.respond(200, body, headers=[("Content-Encoding", "gzip")], content_type="application/json")

        def broken(request, connection):
            connection.read_body(request, lambda _: None)
            connection.respond(200, '{"access_token": "real-access-9-0123456789abcdef", ', content_type="application/json")

        def twice(request, connection):
            connection.read_body(request, lambda _: None)
            connection.respond(200, '{"access_token": "x", "access_token": "real-access-9-0123456789abcdef"}', content_type="application/json")

        def elsewhere(request, connection):
            connection.read_body(request, lambda _: None)
            connection.respond(200, json.dumps({"access_token": "real-access-9-0123456789abcdef", "copy": "real-access-9-0123456789abcdef"}),
                               content_type="application/json")

        for route in (compressed, broken, twice, elsewhere):
            with self.subTest(route.__name__):
                self.server.login.routes["/oauth/token"] = route
                done = self.inside(LOGIN + 'report(got=token(grant_type="authorization_code", code="abc"))')
                self.assertNotIn("real-access-9", done.out, done)
                self.assertEqual(done.report["got"]["status"], 200 if route is elsewhere else 502, done)

    def test_as_a_form_and_at_the_path_written_otherwise(self):
        self.server.form = True
        done = self.inside(LOGIN + """
body = "grant_type=authorization_code&code=x"
got = ask(request("POST", "/oauth/./%74oken?x=1", host="login.test.example", headers=[("Content-Type", "application/x-www-form-urlencoded")], body=body),
          host="login.test.example")
report(got=parsed(got), used=api(parsed(got)["access_token"]))
""")
        self.assertRegex(done.report["got"]["access_token"], "^acc-")
        self.assertEqual(done.report["used"], 200, done)
        self.nothing_came_in(done)

    def test_with_real_curl_and_python(self):
        done = self.run_inside("sh", "-c", """
            answer=$(curl -sS -d grant_type=authorization_code -d code=x https://login.test.example/oauth/token)
            access=$(printf %s "$answer" | sed 's/.*"access_token": "\\([^"]*\\)".*/\\1/')
            curl -sS -H "Authorization: Bearer $access" https://api.test.example/me
        """)
        self.assertEqual(done.out, "welcome", done)


if __name__ == "__main__":
    main()
