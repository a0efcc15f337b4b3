"""Logins that exist on the host: taken into weir's vault, and used inside by tools that never see them.

All logins here are made up, in homes of their own. WEIR_CODEX and WEIR_GEMINI name those programs, where they are installed."""

import base64
import json
import os
import shutil
import subprocess
import time
import unittest
import urllib.parse

from harness import ROOT, SANITIZED, WeirTest, also_as_ordinary_user, main
from standins.messages_api import MessagesApi
from test_terminal import Terminal

CLAUDE = os.environ.get("WEIR_CLAUDE", os.path.join(ROOT, "build/tools/claude/node_modules/.bin/claude"))
ACCESS = "sk-ant-oat01-REAL-access-4e1c7b90d2f64a55b7c8-AA"
REFRESH = "sk-ant-ort01-REAL-refresh-90d2f64a55b7c84e1c7b-AA"
NEW_ACCESS = "sk-ant-oat01-REAL-new-access-55b7c84e1c7b90d2f64a-AA"
NEW_REFRESH = "sk-ant-ort01-REAL-new-refresh-c84e1c7b90d2f64a55b7-AA"


def b64(text):
    return base64.b64encode(text.encode()).decode()


def body_of(request, connection):
    body = bytearray()
    connection.read_body(request, body.extend)
    return bytes(body).decode()


class LoginTest(WeirTest):
    def host_file(self, path, text, mode=0o600):
        full = os.path.join(self.home, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        self.own(self.home)
        return self.write(os.path.basename(full), text, folder=os.path.dirname(full), mode=mode)

    def take(self, name, *more, secrets=()):
        done = self.weir("vault", "import", "--from", name, *more)
        self.assertEqual(done.status, 0, done)
        for secret in secrets:
            self.assertNotIn(secret, done.out + done.err)
        return done

    def secret_of(self, entry):
        """What the vault has, seen through a program that is given it: no command of weir's prints a value."""
        server = self.https("reveal.test.example")
        old = self.policy_file
        self.policy(f"""
            credentials:
              seen: {{from: "store:{entry}", hosts: [reveal.test.example], inject: {{header: x-seen, format: "{{secret}}"}}}}
            rules: [{{hosts: [reveal.test.example]}}]
        """, reveal=server)
        done = self.run_inside("curl", "-sS", "-o", "/dev/null", "https://reveal.test.example/", options=["--no-profile"])
        self.assertEqual(done.status, 0, done)
        self.policy_file = old
        return server.requests[-1].get("x-seen")


@also_as_ordinary_user
class Importing(LoginTest):
    def test_G2_names_are_printed_and_never_values(self):
        self.host_file(".claude/.credentials.json", json.dumps({
            "claudeAiOauth": {"accessToken": ACCESS, "refreshToken": REFRESH, "expiresAt": 1}, "mcpOAuth": {"a": {"accessToken": "MCP-SECRET"}}}))
        done = self.take("claude", secrets=(ACCESS, REFRESH, "MCP-SECRET"))
        self.assertEqual(done.out.splitlines(), ["claude/access_token: version 1 stored", "claude/refresh_token: version 1 stored",
                                                 "claude/login: version 1 stored"])
        self.assertIn("mcpOAuth is not known to be part of the login", done.err)
        listed = self.weir("vault", "list")
        for name in ("claude/access_token", "claude/refresh_token", "claude/login"):
            self.assertIn(name, listed.out)
        again = self.take("claude")
        self.assertIn("claude/access_token: version 1, unchanged", again.out)
        self.assertEqual(self.secret_of("claude/refresh_token"), REFRESH)

    def test_a_new_login_makes_new_versions(self):
        self.host_file(".config/gh/hosts.yml", "github.com:\n    oauth_token: gho_1111\n")
        self.take("gh")
        self.host_file(".config/gh/hosts.yml", "github.com:\n    oauth_token: gho_2222\n")
        self.assertIn("gh/github.com/token: version 2 stored", self.take("gh").out)

    def test_a_file_elsewhere_and_json(self):
        path = self.write("config.json", json.dumps({"auths": {"reg.example": {"auth": b64("bob:pw")}}}), folder=self.root)
        done = self.take("docker", "--file", path, "--json")
        self.assertEqual([entry["name"] for entry in json.loads(done.out)], ["docker/reg.example/password", "docker/login"])
        self.assertIn("can be read by others", done.err)

    def test_what_cannot_be_taken_says_why_and_nothing_is_stored(self):
        def refused(name, why, *more):
            done = self.weir("vault", "import", "--from", name, *more)
            self.assertEqual(done.status, 2, done)
            self.assertIn(why, done.err)
            self.assertNotIn("SECRET", done.err)
            self.assertFalse(os.path.exists(os.path.join(self.data, "weir/vault.json")))
        refused("claude", ".credentials.json is not there: log in with `claude`")
        refused("clade", "there is no login `clade`; those that weir knows: aws, claude")
        self.host_file(".claude/.credentials.json", "SECRET")
        refused("claude", "not a JSON object")
        self.host_file(".claude/.credentials.json", "{}")
        refused("claude", "has no login in it")
        self.host_file(".config/gh/hosts.yml", "github.com:\n    user: ann\n")
        refused("gh", "keyring")
        self.host_file(".docker/config.json", '{"auths": {"reg.example": {}}, "credsStore": "pass"}')
        refused("docker", "credsStore")
        os.remove(os.path.join(self.home, ".claude/.credentials.json"))
        outside = self.write("elsewhere", "{}", folder=self.root)
        os.symlink(outside, os.path.join(self.home, ".claude/.credentials.json"))
        refused("claude", "a link to outside of your home")
        if os.getuid() == 0 and self.user:
            other = self.host_file(".npmrc", "//h/:_authToken=SECRET\n", mode=0o644)
            os.chown(other, 12345, 12345)
            refused("npm", "belongs to another user")


@also_as_ordinary_user
class Tools(LoginTest):
    """Each with its own file, and the service's stand-in that takes the real token alone."""

    def seen(self, path, command, *options):
        """A run that prints the file that the tool would read, then runs a command."""
        done = self.run_inside("sh", "-c", f'stat -c %a "$HOME/{path}"; cat "$HOME/{path}"; echo; echo ----; {command}', options=options)
        self.assertEqual(done.status, 0, done)
        mode, _, rest = done.out.partition("\n")
        self.assertEqual(mode, "600", done)
        text, _, out = rest.partition("\n----\n")
        return text, out, done

    def test_G2_a_placeholder_stands_in_the_file_and_the_token_in_the_request(self):
        self.host_file(".config/gh/hosts.yml", "github.com:\n    user: ann\n    oauth_token: gho_REALREALREALREALREALREALREALREAL0000\n    git_protocol: https\n")
        self.take("gh")
        api = self.https("api.github.com")
        self.policy("rules: [{hosts: [api.github.com]}]", resolve={"api.github.com": api})
        text, _, done = self.seen(".config/gh/hosts.yml",
                                  """curl -sS -o /dev/null -H "Authorization: token $(sed -n 's/.*oauth_token: //p' ~/.config/gh/hosts.yml)" https://api.github.com/user""",
                                  "--login", "gh")
        self.assertRegex(text, r"^github.com:\n    user: ann\n    oauth_token: gho_[A-Za-z0-9]{36}\n    git_protocol: https\n$")
        self.assertNotIn("REAL", str(done))
        self.assertEqual(api.requests[-1].all("authorization"), ["token gho_REALREALREALREALREALREALREALREAL0000"])

    @unittest.skipUnless(shutil.which("gh", path="/usr/bin"), "gh is not installed")
    def test_gh_believes_itself_logged_in(self):
        self.host_file(".config/gh/hosts.yml", "github.com:\n    user: ann\n    oauth_token: gho_REALREALREALREALREALREALREALREAL0000\n    git_protocol: https\n")
        self.take("gh")
        api = self.https("api.github.com")
        api.route("/user")(lambda request, connection: connection.respond_json({"login": "ann"}))
        self.policy("rules: [{hosts: [api.github.com]}]", resolve={"api.github.com": api})
        done = self.run_inside("gh", "api", "user", options=["--login", "gh"])
        self.assertEqual(done.status, 0, done)
        self.assertIn('"login"', done.out)
        self.assertEqual(api.requests[-1].all("authorization"), ["token gho_REALREALREALREALREALREALREALREAL0000"])

    def test_npms_token(self):
        self.host_file(".npmrc", "registry=https://npm.test.example/\n//npm.test.example/:_authToken=npm_REALREALREALREALREALREALREALREAL0000\n")
        self.take("npm")
        registry = self.https("npm.test.example")
        registry.route("/-/whoami")(lambda request, connection: connection.respond_json({"username": "ann"}))
        self.policy("rules: [{hosts: [npm.test.example]}]", npm=registry)
        done = self.run_inside("npm", "whoami", options=["--login", "npm"], deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertIn("ann", done.out)
        self.assertEqual(registry.requests[-1].all("authorization"), ["Bearer npm_REALREALREALREALREALREALREALREAL0000"])

    def test_G2_a_registrys_password_inside_base64(self):
        self.host_file(".docker/config.json", json.dumps({"auths": {"reg.test.example": {"auth": b64("bob:REAL-password")}}, "credsStore": ""}))
        self.take("docker")
        registry = self.https("reg.test.example")
        self.policy("rules: [{hosts: [reg.test.example]}]", reg=registry)
        text, _, done = self.seen(".docker/config.json",
                                  """curl -sS -o /dev/null -H "Authorization: Basic $(sed 's/.*"auth": "\\([^"]*\\)".*/\\1/' ~/.docker/config.json)" https://reg.test.example/v2/""",
                                  "--login", "docker")
        inside = base64.b64decode(json.loads(text)["auths"]["reg.test.example"]["auth"]).decode()
        self.assertRegex(inside, r"^bob:[A-Za-z0-9]{32}$")
        self.assertEqual(registry.requests[-1].all("authorization"), ["Basic " + b64("bob:REAL-password")])
        self.assertNotIn("REAL", str(done))

    def test_git_with_the_passwords_of_its_store(self):
        self.host_file(".git-credentials", "https://ann:REAL%2Dpassword@git.test.example\n")
        self.take("git")
        forge = self.https("git.test.example")

        @forge.route("/r/info/refs")
        def _(request, connection):
            if not request.get("authorization"):
                connection.respond(401, "", headers=[("WWW-Authenticate", 'Basic realm="x"')])
            else:
                connection.respond(200, "001e# service=git-upload-pack\n0000" + "0000", content_type="application/x-git-upload-pack-advertisement")
        self.policy("rules: [{hosts: [git.test.example]}]", git=forge)
        done = self.run_inside("git", "ls-remote", "https://git.test.example/r", options=["--login", "git"])
        self.assertEqual(done.status, 0, done)
        self.assertEqual(forge.requests[-1].get("authorization"), "Basic " + b64("ann:REAL-password"))

    def test_aws_requests_are_signed_with_the_keys_of_the_chosen_account(self):
        self.host_file(".aws/credentials", "[default]\naws_access_key_id = AKIAREALREALREALREAL\naws_secret_access_key = REAL-default-secret\n"
                                           "[work]\naws_access_key_id = AKIAREALREALREALWORK\naws_secret_access_key = REAL-work-secret\n")
        self.host_file(".aws/config", "[default]\nregion = eu-central-1\n")
        self.take("aws")
        sts = self.https("sts.eu-central-1.amazonaws.com")
        self.policy('rules: [{hosts: ["*.amazonaws.com"]}]', resolve={"sts.eu-central-1.amazonaws.com": sts})
        ask = ("""key=$(sed -n '/\\[%s\\]/,$ s/aws_access_key_id = //p' ~/.aws/credentials | head -1); """
               """curl -sS -o /dev/null --aws-sigv4 aws:amz:eu-central-1:sts -u "$key:anything" https://sts.eu-central-1.amazonaws.com/""")
        for options, section, key in (((), "default", "REAL"), (("--login", "aws:work"), "work", "WORK")):
            text, _, done = self.seen(".aws/credentials", ask % section, *(options or ("--login", "aws")))
            self.assertNotIn("REAL", str(done))
            self.assertEqual(text.count("AKIAWEIRSIGNSOUTSIDE"), 1)
            self.assertTrue(sts.requests, done)
            self.assertIn(f"Credential=AKIAREALREALREAL{key}/", sts.requests[-1].get("authorization"))
        missing = self.run_inside("true", options=["--login", "aws:nobody"])
        self.assertEqual(missing.status, 2, missing)
        self.assertIn("there is no account `nobody`; there are: default, work", missing.err)

    @unittest.skipUnless(shutil.which("gcloud", path="/usr/bin"), "gcloud is not installed")
    def test_G2_gcloud_refreshes_and_prints_no_token(self):
        self.host_file(".config/gcloud/application_default_credentials.json", json.dumps({
            "client_id": "1.apps.example", "client_secret": "REAL-client-secret", "refresh_token": "1//0REAL-refresh", "type": "authorized_user"}))
        self.take("gcloud")
        asked = []

        def token(request, connection):
            asked.append(dict(urllib.parse.parse_qsl(body_of(request, connection))))
            connection.respond_json({"access_token": "ya29.REAL-access-token", "expires_in": 3599, "token_type": "Bearer", "scope": "x"})
        google = self.https("oauth2.googleapis.com", routes={"/token": token})
        self.policy("rules: [{hosts: [oauth2.googleapis.com], methods: [POST], paths: [/token]}]", resolve={"oauth2.googleapis.com": google})
        done = self.run_inside("gcloud", "auth", "print-access-token", options=["--login", "gcloud"], deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertRegex(done.out.strip(), r"^ya29\.a0[A-Za-z0-9]{200}$")
        self.assertEqual((asked[0]["refresh_token"], asked[0]["client_secret"]), ("1//0REAL-refresh", "REAL-client-secret"))
        self.assertEqual(self.secret_of("gcloud/access_token"), "ya29.REAL-access-token")

    def test_an_agents_login_is_offered_once_at_the_terminal(self):
        self.host_file(".claude/.credentials.json", json.dumps({"claudeAiOauth": {"accessToken": ACCESS, "refreshToken": REFRESH, "expiresAt": 1}}))
        command = self.weir_command("run", "--profile", "claude", "--", "sh", "-c", "read line; echo \"read $line\"; ls -a ~/.claude")

        def at_terminal(typed):
            terminal = Terminal(command, self.environment, self.project)
            terminal.expect("Take claude's login (~/.claude/.credentials.json) into weir's vault? [y/N]")
            terminal.type(typed)
            return terminal.end()[0]
        refused = at_terminal("n\n")
        self.assertIn("weir vault import --from claude", refused)
        self.assertFalse(os.path.exists(os.path.join(self.data, "weir/vault.json")))
        taken = at_terminal("y\nfor-the-command\n")  # what follows is the command's
        self.assertIn("read for-the-command", taken)
        self.assertIn(".credentials.json", taken.split("read for-the-command")[1])
        self.assertNotIn("REAL", taken)

    def test_an_entry_that_the_policy_names_already_is_not_doubled(self):
        self.host_file(".config/gh/hosts.yml", "github.com:\n    oauth_token: gho_REALREALREALREALREALREALREALREAL0000\n")
        self.take("gh")
        api = self.https("api.github.com")
        self.policy("""
            credentials:
              mine: {from: store:gh/github.com/token, hosts: [api.github.com], substitute: {shape: "mine-{random:30}", env: GH_SEEN}}
            rules: [{hosts: [api.github.com]}]
        """, resolve={"api.github.com": api})
        text, out, done = self.seen(".config/gh/hosts.yml", 'echo "$GH_SEEN"', "--login", "gh")
        self.assertIn("oauth_token: " + out.strip(), text)
        self.assertTrue(out.startswith("mine-"), done)

    def test_what_is_wrong_is_said_before_anything_starts(self):
        self.policy("rules: [{hosts: [other.test.example]}]")
        for options, why in ((["--login", "gh"], "run: weir vault import --from gh"), (["--login", "ghh"], "there is no login `ghh`"),
                             (["--login", "gh:x"], "none can be chosen")):
            done = self.run_inside("true", options=options)
            self.assertEqual(done.status, 2, done)
            self.assertIn(why, done.err)
        self.host_file(".config/gh/hosts.yml", "github.com:\n    oauth_token: gho_REAL\n")
        self.take("gh")
        done = self.run_inside("true", options=["--login", "gh"])
        self.assertEqual(done.status, 0, done)
        self.assertIn("no rule of the policy reaches the hosts of the login `gh`", done.err)

    def test_G6_the_hosts_own_file_is_never_written(self):
        path = self.host_file(".config/gh/hosts.yml", "github.com:\n    oauth_token: gho_REAL\n")
        self.take("gh")
        self.policy("rules: []")
        done = self.run_inside("true", options=["--login", "gh", "--mount", "rw:" + os.path.join(self.home, ".config")])
        self.assertEqual(done.status, 2, done)
        self.assertIn("would be written to the host", done.err)
        with open(path, encoding="ascii") as file:
            self.assertIn("gho_REAL", file.read())


class LoggedInApi(MessagesApi):
    """The Messages API for a subscription: `tokens` are the access tokens that it takes now."""

    def __init__(self, tokens, command):
        super().__init__("-", command)
        self.tokens = tokens
        self.bearers = []

    def __call__(self, request, connection):
        self.bearers.append(request.all("authorization") + request.all("x-api-key"))
        if request.get("authorization") in ["Bearer " + token for token in self.tokens] and not request.get("x-api-key"):
            request.headers.append(("x-api-key", self.key))
        super().__call__(request, connection)


LOOK = """
r=REAL; a=sk-ant-oat01-$r; b=sk-ant-ort01-$r   # put together, so that the command itself does not hold them
cp ~/.claude/.credentials.json seen-inside.json
for key in $a $b; do
env | grep -c -F -f /dev/fd/3 3<<<"$key"
grep -r -l -a -F -s -f /dev/fd/3 /etc /run /tmp "$HOME" . 3<<<"$key" 2>/dev/null | wc -l
done | tr '\\n' ' '
"""


@unittest.skipUnless(os.access(CLAUDE, os.X_OK), f"Claude Code is not at {CLAUDE}")
class ClaudeCode(LoginTest):
    def setUp(self):
        super().setUp()
        self.api = LoggedInApi([ACCESS], LOOK)
        self.refreshes = []
        answer = {"/v1/messages": self.api, "/v1/messages/count_tokens": self.api, "/": self.nothing}
        self.server = self.https("api.anthropic.com", routes=answer)
        self.login = self.https("platform.claude.com", routes={"/v1/oauth/token": self.refresh, "/": self.nothing})
        self.environment["PATH"] = os.path.dirname(CLAUDE) + ":" + self.environment["PATH"]

    def nothing(self, request, connection):
        connection.read_body(request, lambda _: None)
        connection.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def refresh(self, request, connection):
        asked = json.loads(body_of(request, connection))
        self.refreshes.append(asked)
        if asked.get("refresh_token") != REFRESH:
            connection.respond_json({"error": "invalid_grant"}, status=400)
            return
        self.api.tokens = [NEW_ACCESS]
        connection.respond_json({"token_type": "Bearer", "access_token": NEW_ACCESS, "refresh_token": NEW_REFRESH, "expires_in": 28800,
                                 "scope": "user:inference user:profile"})

    def log_in(self, expires):
        self.host_file(".claude/.credentials.json", json.dumps({"claudeAiOauth": {
            "accessToken": ACCESS, "refreshToken": REFRESH, "expiresAt": int(expires * 1000),
            "scopes": ["user:inference", "user:profile"], "subscriptionType": "max"}}))
        self.take("claude")

    def turn(self, **more):
        self.policy("use: [claude-login]", resolve={"api.anthropic.com": self.server, "platform.claude.com": self.login})
        done = self.run_inside("claude", "-p", "Run the test's command.", "--dangerously-skip-permissions",
                               deadline=240 if SANITIZED else 120, **more)
        self.assertEqual(done.status, 0, done)
        self.assertIn("The command has run.", done.out, done)
        self.assertNotIn("REAL", str(done))
        result = self.api.results[-1]
        self.assertNotIn("REAL", result)
        self.assertEqual(result.split(), ["0"] * 4, f"{result}\n{done}")
        with open(os.path.join(self.project, "seen-inside.json"), encoding="ascii") as file:
            return json.load(file)["claudeAiOauth"], done

    def test_G2_a_turn_with_a_login_that_claude_code_never_sees(self):
        self.log_in(time.time() + 8 * 3600)
        inside, _ = self.turn()
        self.assertTrue(inside["accessToken"].startswith("sk-ant-oat01-"), inside)
        self.assertEqual(self.refreshes, [])
        for bearer in self.api.bearers:
            self.assertEqual(bearer, ["Bearer " + ACCESS])

    def test_G2_a_refresh_inside_goes_into_the_vault(self):
        self.log_in(time.time() - 3600)
        inside, done = self.turn()
        self.assertEqual([asked["refresh_token"] for asked in self.refreshes], [REFRESH])
        self.assertEqual(self.api.bearers[-1], ["Bearer " + NEW_ACCESS])
        self.assertGreater(inside["expiresAt"], time.time() * 1000)
        captured = done.of("credential.captured", host="platform.claude.com")
        self.assertEqual([one["kept"] for one in captured], [True], done)
        self.assertEqual(self.secret_of("claude/access_token"), NEW_ACCESS)
        self.assertEqual(self.secret_of("claude/refresh_token"), NEW_REFRESH)

    def test_without_a_login_it_says_how_to_take_it(self):
        done = self.run_inside("claude", "-p", "hello")
        self.assertEqual(done.status, 2, done)
        self.assertIn("weir vault import --from claude", done.err)

    def test_a_key_goes_before_the_login(self):
        self.log_in(time.time() + 3600)
        self.environment["ANTHROPIC_API_KEY"] = "sk-ant-api03-some-key"
        done = self.run_inside("sh", "-c", 'ls -a ~/.claude; echo "$ANTHROPIC_API_KEY"', options=["--profile", "claude"])
        self.assertEqual(done.status, 0, done)
        self.assertNotIn(".credentials.json", done.out)
        del self.environment["ANTHROPIC_API_KEY"]
        done = self.run_inside("sh", "-c", 'ls -a ~/.claude; echo "key $ANTHROPIC_API_KEY."', options=["--profile", "claude"])
        self.assertEqual(done.status, 0, done)
        self.assertIn(".credentials.json", done.out)
        self.assertIn("key .", done.out)


def jwt(claims, signature):
    """A JWT of a form that tools can read; nobody checks its signature."""
    def part(value):
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")
    return ".".join([part({"alg": "RS256", "typ": "JWT"}), part(claims), signature])


def chatgpt_tokens(expires, mark):
    claims = {"email": "ann@example.com", "exp": int(expires),
              "https://api.openai.com/auth": {"chatgpt_plan_type": "plus", "chatgpt_account_id": "acc-1", "chatgpt_user_id": "u1"}}
    return {"id_token": jwt(claims, "REAL-id-" + mark), "access_token": jwt(claims, "REAL-access-" + mark), "refresh_token": "rt_REAL-" + mark}


@unittest.skipUnless(os.access(os.environ.get("WEIR_CODEX", ""), os.X_OK), "WEIR_CODEX names no program")
class Codex(LoginTest):
    """The login alone: what a whole turn asks of the service is not public."""

    def test_G2_codex_uses_its_login_and_refreshes_it_once(self):
        old, new = chatgpt_tokens(time.time() - 3600, "old"), chatgpt_tokens(time.time() + 86400, "new")
        self.host_file(".codex/auth.json", json.dumps({"auth_mode": "chatgpt", "OPENAI_API_KEY": None, "tokens": {**old, "account_id": "acc-1"},
                                                       "last_refresh": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}))
        self.take("codex")
        asked = []

        def refresh(request, connection):
            asked.append(json.loads(body_of(request, connection)))
            connection.respond_json(new)

        def service(request, connection):
            body_of(request, connection)
            good = request.get("authorization") == "Bearer " + new["access_token"]
            connection.respond_json({} if good else {"error": {"code": "token_expired"}}, status=404 if good else 401)
        login = self.https("auth.openai.com", routes={"/oauth/token": refresh})
        chat = self.https("chatgpt.com", routes={"/": service})
        self.policy("use: [codex-login]", resolve={"auth.openai.com": login, "chatgpt.com": chat})
        self.environment["PATH"] = os.path.dirname(os.environ["WEIR_CODEX"]) + ":" + self.environment["PATH"]
        done = self.run_inside("codex", "exec", "--skip-git-repo-check", "hello", deadline=120)
        self.assertNotIn("REAL", str(done))
        self.assertEqual([one["refresh_token"] for one in asked], [old["refresh_token"]], done)
        seen = [request.get("authorization") for request in chat.requests]
        self.assertEqual(seen[0], "Bearer " + old["access_token"])
        self.assertEqual(seen[-1], "Bearer " + new["access_token"])
        self.assertEqual(self.secret_of("codex/refresh_token"), new["refresh_token"])


@unittest.skipUnless(os.access(os.environ.get("WEIR_GEMINI", ""), os.X_OK), "WEIR_GEMINI names no program")
class Gemini(LoginTest):
    def test_G2_gemini_refreshes_its_login_and_uses_the_new_token(self):
        self.host_file(".gemini/oauth_creds.json", json.dumps({
            "access_token": "ya29.REAL-old", "refresh_token": "1//0REAL-refresh", "token_type": "Bearer", "scope": "x",
            "id_token": jwt({"email": "ann@example.com"}, "REAL-id"), "expiry_date": int((time.time() - 60) * 1000)}))
        self.take("gemini")
        asked = []

        def token(request, connection):
            asked.append(dict(urllib.parse.parse_qsl(body_of(request, connection))))
            connection.respond_json({"access_token": "ya29.REAL-new", "expires_in": 3599, "token_type": "Bearer", "scope": "x"})

        def info(request, connection):
            body_of(request, connection)
            connection.respond_json({"expires_in": 3599, "scope": "x", "email": "ann@example.com"})

        def assist(request, connection):
            body_of(request, connection)
            connection.respond_json({"error": {"code": 403, "message": "not today", "status": "PERMISSION_DENIED"}}, status=403)
        google = self.https("oauth2.googleapis.com", routes={"/token": token, "/tokeninfo": info})
        code = self.https("cloudcode-pa.googleapis.com", routes={"/": assist})
        self.policy("use: [gemini-login]", resolve={"oauth2.googleapis.com": google, "cloudcode-pa.googleapis.com": code})
        self.environment["PATH"] = os.path.dirname(os.environ["WEIR_GEMINI"]) + ":" + self.environment["PATH"]
        done = self.run_inside("gemini", "--skip-trust", "-p", "hello", deadline=120)
        self.assertNotIn("REAL", str(done))
        self.assertTrue(asked, done)
        self.assertEqual({one["refresh_token"] for one in asked}, {"1//0REAL-refresh"}, done)
        self.assertTrue(code.requests, done)
        self.assertEqual(code.requests[-1].get("authorization"), "Bearer ya29.REAL-new", done)
        self.assertEqual(self.secret_of("gemini/access_token"), "ya29.REAL-new")


if __name__ == "__main__":
    main()
