"""Credentials that are exchanged for tokens which live shortly: the real program against services that verify what they get."""

import json
import subprocess
import unittest

from harness import WeirTest, also_as_ordinary_user
from standins.server import Server
from standins.token_service import TokenService

# Asks for as long as `seconds`, and tells what it got each time.
KEEP_ASKING = """
    import time
    end = time.monotonic() + {seconds}
    got = []
    while time.monotonic() < end:
        got.append(get()["status"])
        time.sleep(0.1)
    report(statuses=sorted(set(got)), asked=len(got))
"""


class Exchanged(WeirTest):
    def setUp(self):
        super().setUp()
        self.tokens = TokenService(seconds=3)
        self.service = Server(self.authority.server_context("localhost"), self.tokens.routes)
        self.addCleanup(self.service.close)
        self.url = f"https://localhost:{self.service.port}"
        self.api = self.https("api.test.example", routes={"/": self.answer})

    def answer(self, request, connection):
        connection.read_body(request, lambda _: None)
        good = self.tokens.is_good((request.get("authorization") or "").removeprefix("Bearer "))
        connection.respond(200 if good else 401, "yes\n" if good else "no\n", reason="OK" if good else "Unauthorized")

    def credential(self, source, refresh, inject='{header: Authorization, format: "Bearer {secret}"}'):
        self.policy(f"""
            credentials:
              token:
                from: {source}
                refresh: {refresh}
                hosts: [api.test.example]
                inject: {inject}
            rules:
              - hosts: [api.test.example]
            """, api=self.api)

    def policy_text(self):
        with open(self.policy_file, encoding="utf-8") as file:
            return file.read()

    def sent(self):
        return [value.removeprefix("Bearer ") for r in self.api.requests for value in r.all("authorization")]

    def client_credentials(self):
        self.environment["CLIENT_SECRET"] = "cl1ent s3cret"
        self.credential("env:CLIENT_SECRET", f"{{oauth2: {{token_url: {self.url}/oauth, grant: client_credentials, client_id: agent}}}}")

    def serves_beyond_one_life(self):
        done = self.inside(KEEP_ASKING.format(seconds=8))
        self.assertEqual(done.report["statuses"], [200], f"{done}\n{self.tokens.problems}")
        self.assertGreaterEqual(len(set(self.sent())), 3)
        self.assertEqual(self.tokens.problems, [])
        renewed = done.of("vault.renewed", new_value=True)
        self.assertGreaterEqual(len(renewed), 2)
        text = json.dumps(done.events) + done.out + done.err
        for token in self.tokens.tokens:
            self.assertNotIn(f'"{token}"', text)
        return done


@also_as_ordinary_user
class Tokens(Exchanged):
    def test_a_clients_token_is_current_for_longer_than_it_lives(self):
        self.client_credentials()
        done = self.serves_beyond_one_life()
        self.assertNotIn("s3cret", json.dumps(done.events) + done.out + done.err)
        self.assertEqual(done.of("vault.renewed")[0]["path"], "env:CLIENT_SECRET")

    def test_while_the_service_is_away_the_token_serves_to_its_end_and_then_503(self):
        self.tokens.seconds = 6
        self.client_credentials()
        running = self.start_python("""
            get()
            sync("away")
            serves = get()["status"]
            sync("over")
            answer = get()
            report(serves=serves, status=answer["status"], body=answer["body"])
        """)
        running.reached("away")
        self.service.close()
        running.go("away")
        running.reached("over")
        running.wait_for_event("vault.error", usable=False)
        running.go("over")
        done = running.finish()
        self.assertEqual((done.report["serves"], done.report["status"]), (200, 503), done)
        self.assertIn("credential_unavailable", done.report["body"])
        self.assertEqual(done.of("vault.error", usable=True)[0]["path"], "env:CLIENT_SECRET")
        self.assertEqual(len(set(self.sent())), 1)

    def test_a_service_that_says_no_keeps_the_command_from_starting(self):
        self.environment["CLIENT_SECRET"] = "wr0ng"
        self.credential("env:CLIENT_SECRET", f"{{oauth2: {{token_url: {self.url}/oauth, grant: client_credentials, client_id: agent}}}}")
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn("credential `token`", done.err)
        self.assertIn("does not know the client", done.err)
        self.assertNotIn("wr0ng", done.err)

    def test_a_certificate_that_nobody_vouches_for_is_not_believed(self):
        self.client_credentials()
        other = Server(type(self.authority)(self.folder("other"), "another").server_context("localhost"), self.tokens.routes)
        self.addCleanup(other.close)
        text = self.policy_text().replace(f":{self.service.port}/", f":{other.port}/")
        self.write("policy.yaml", text, folder=self.root)
        done = self.run_inside("/bin/true")
        self.assertEqual(done.status, 2, done)
        self.assertIn("certificate", done.err)
        self.assertEqual(self.tokens.asked, 0)

    def test_a_github_app(self):
        self.write("app.pem", self.tokens.key.pem(traditional=True), folder=self.root, mode=0o600)
        self.credential("file:app.pem", f'{{github_app: {{app: "12345", installation: "678", api: "{self.url}", '
                                        "repositories: [tools], permissions: {contents: read}}}")
        self.tokens.seconds = 4  # GitHub's times are whole seconds
        self.serves_beyond_one_life()

    def test_a_google_service_account(self):
        self.write("account.json", json.dumps({"type": "service_account", "client_email": "agent@project.example", "private_key_id": "k",
                                               "private_key": self.tokens.key.pem(), "token_uri": f"{self.url}/google"}), folder=self.root, mode=0o600)
        self.credential("file:account.json", "{google: {scopes: [https://scope.example/a], subject: anna@corp.example}}")
        self.serves_beyond_one_life()


class RefreshTokens(Exchanged):
    def setUp(self):
        super().setUp()
        self.tokens.rotates = True
        self.refresh = f"{{oauth2: {{token_url: {self.url}/oauth, grant: refresh_token, client_id: agent}}}}"

    def test_one_that_is_replaced_goes_back_to_the_store(self):
        subprocess.run(self.weir_command("vault", "set", "idp"), input="rt-0", text=True, env=self.environment, check=True, capture_output=True)
        self.credential("store:idp", self.refresh)
        self.serves_beyond_one_life()
        done = self.inside(KEEP_ASKING.format(seconds=0.3))  # another session, with what the first has left
        self.assertEqual(done.report["statuses"], [200], f"{done}\n{self.tokens.problems}")
        self.assertNotIn("was replaced", done.err)

    def test_one_from_elsewhere_serves_for_the_session_with_a_warning(self):
        self.environment["REFRESH_TOKEN"] = "rt-0"
        self.credential("env:REFRESH_TOKEN", self.refresh)
        done = self.serves_beyond_one_life()
        self.assertEqual(done.err.count("was replaced by its service"), 1, done)
        refused = self.run_inside("/bin/true")
        self.assertEqual(refused.status, 2)
        self.assertIn("log in anew (invalid_grant): used before", refused.err)

    def test_a_reload_goes_on_with_the_token_that_is_there(self):
        self.tokens.seconds = 60
        self.environment["REFRESH_TOKEN"] = "rt-0"
        self.credential("env:REFRESH_TOKEN", self.refresh)
        running = self.start_python("""
            get()
            sync("reloaded")
            report(status=get()["status"])
        """)
        running.reached("reloaded")
        text = self.policy_text()
        self.write("policy.yaml", text.replace("rules:", "rules:\n  - hosts: [other.test.example]"), folder=self.root)
        running.wait_for_event("policy.loaded", by="a change of the file")
        running.go("reloaded")
        self.assertEqual(running.finish().report["status"], 200)
        self.assertEqual(self.tokens.asked, 1)


class AwsRoles(Exchanged):
    """The keys of a role sign what the sandbox sends."""

    def setUp(self):
        super().setUp()
        self.identities = []

    def answer(self, request, connection):
        from standins.token_service import is_signed
        connection.read_body(request, lambda _: None)
        identity = request.get("authorization", "").partition("Credential=")[2].partition("/")[0]
        self.identities.append(identity)
        good = identity.startswith("ASIA") and request.get("x-amz-security-token") == f"token-of-{identity}" and is_signed(request, self.tokens.aws, "eu-central-1", "execute-api")
        connection.respond(200 if good else 403, reason="OK" if good else "Forbidden")

    INJECT = "{aws_sigv4: {region: eu-central-1, service: execute-api}}"
    SIGNED = """
        import time, datetime
        end = time.monotonic() + 8
        got = []
        while time.monotonic() < end:
            when = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
            scope = f"AKIDNONE/{when[:8]}/eu-central-1/execute-api/aws4_request"
            fields = [("X-Amz-Date", when),
                      ("Authorization", f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host;x-amz-date, Signature=" + "0" * 64)]
            got.append(get(headers=fields)["status"])
            time.sleep(0.1)
        report(statuses=sorted(set(got)))
    """

    def assumes(self, source, more, path):
        self.tokens.routes[path] = self.service.routes[path] = self.tokens.sts
        self.credential(source, f'{{aws_role: {{role: "arn:aws:iam::123456789012:role/agent", region: eu-central-1, endpoint: "{self.url}{path}"{more}}}}}',
                        inject=self.INJECT)
        done = self.inside(self.SIGNED)
        self.assertEqual(done.report["statuses"], [200], f"{done}\n{self.tokens.problems}")
        self.assertGreaterEqual(len(set(self.identities)), 2)
        self.assertEqual(self.tokens.problems, [])
        for secret in self.tokens.aws.values():
            self.assertNotIn(secret, json.dumps(done.events) + done.out + done.err)

    def test_a_role_of_keys(self):
        self.write("keys", json.dumps({"AccessKeyId": "AKIDBASE", "SecretAccessKey": "base secret/key".replace(" ", "")}), folder=self.root, mode=0o600)
        self.tokens.aws["AKIDBASE"] = "basesecret/key"
        self.assumes("file:keys", ", session: agent-1, external_id: ext, duration: 1h", "/sts")

    def test_a_role_of_a_web_identity_and_an_answer_in_xml(self):
        self.write("identity", "web.identity.token\n", folder=self.root, mode=0o600)
        self.tokens.seconds = 4
        self.assumes("file:identity", ", web_identity: true", "/sts/xml")


if __name__ == "__main__":
    unittest.main()
