"""The command line of policies: explain, test, presets, schema; and its completion in a shell."""

import json
import os
import shutil
import subprocess
import unittest

from harness import PATH, ROOT, WeirTest, main, program_for
from test_terminal import Terminal

POLICY = """
    credentials:
      token:
        from: env:TOKEN
        hosts: [api.test.example]
        inject: {header: Authorization, format: "Bearer {secret}"}
    rules:
      - name: read
        hosts: [api.test.example]
        methods: [GET, HEAD]
        rate: 60/min
      - name: small posts
        hosts: [api.test.example]
        methods: [POST]
        headers: {x-team: "data-*"}
        body_max: 1KiB
      - name: queries
        hosts: [graph.test.example]
        graphql: {operations: [query], fields: ["view*"]}
      - name: tools
        hosts: [mcp.test.example]
        mcp: {methods: [initialize, tools/call], tools: ["search_*"]}
      - name: office hours
        hosts: [office.test.example]
        when: ["mon-fri 09:00-17:30"]
      - name: by git alone
        hosts: [forge.test.example]
        process: [/usr/bin/git]
      - name: live
        hosts: [api.test.example]
        websocket: true
      - name: perhaps
        hosts: [ask.test.example]
        action: ask
      - name: database
        tcp: ["db.test.example:5432"]
"""


class Verbs(WeirTest):
    def setUp(self):
        super().setUp()
        self.file = self.policy(POLICY)

    def explain(self, *arguments, status):
        done = self.weir("policy", "explain", self.file, "--json", *arguments)
        self.assertEqual(done.status, status, done)
        return json.loads(done.out)

    def test_explain_names_the_rule_the_credential_and_the_rate(self):
        said = self.explain("GET", "https://api.test.example/x?y=1", status=0)
        self.assertEqual((said["verdict"], said["rule"]["name"], said["credentials"]), ("allow", "read", ["token"]), said)
        self.assertEqual(said["rates"], [{"rule": "read", "count": 60, "seconds": 60}], said)
        self.assertEqual(said["request"]["query"], "y=1")
        done = self.weir("policy", "explain", self.file, "https://api.test.example/x")
        self.assertIn("rate: 60/min (rule read)", done.out, done)

    def test_explain_looks_at_headers_and_the_size_of_the_body(self):
        post = ["POST", "https://api.test.example/x"]
        self.assertEqual(self.explain(*post, "-d", "x", status=3)["code"], "no_rule")
        said = self.explain(*post, "-H", "X-Team: data-1", "-d", "x", status=0)
        self.assertEqual((said["rule"]["name"], said["body_max"]), ("small posts", 1024), said)
        big = self.write("big", "x" * 1025)
        self.assertEqual(self.explain(*post, "-H", "X-Team: data-1", "-d", "@" + big, status=3)["code"], "body_too_large")

    def test_explain_reads_the_operations_of_a_body(self):
        post = ["POST", "https://graph.test.example/graphql", "-H", "Content-Type: application/json", "-d"]
        self.assertEqual(self.explain(*post, '{"query": "{viewer {login}}"}', status=0)["rule"]["name"], "queries")
        said = self.explain(*post, '{"query": "mutation {deleteRepo}"}', status=3)
        self.assertEqual(said["operation"], {"kind": "mutation", "name": "deleteRepo"}, said)
        self.assertEqual(self.explain(*post, '{"query": "{"}', status=3)["code"], "body_unreadable")
        call = '{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "%s"}}'
        post[1] = "https://mcp.test.example/"
        self.assertEqual(self.explain(*post, call % "search_web", status=0)["rule"]["name"], "tools")
        done = self.weir("policy", "explain", self.file, *post, call % "delete_all")
        self.assertEqual(done.status, 3, done)
        self.assertIn("operation that decided: tools/call delete_all", done.out, done)

    def test_explain_asks_for_another_time_process_or_kind_of_connection(self):
        office = ["GET", "https://office.test.example/"]
        self.explain(*office, "--at", "2026-03-02T10:00Z", status=0)
        self.explain(*office, "--at", "2026-03-02T19:00+01:00", status=3)
        self.explain("GET", "https://forge.test.example/", "--process", "/usr/bin/git", status=0)
        self.explain("GET", "https://forge.test.example/", "--process", "/usr/bin/curl", status=3)
        self.assertEqual(self.explain("GET", "wss://api.test.example/live", status=0)["rule"]["name"], "live")
        self.assertEqual(self.explain("GET", "https://api.test.example/live", "--websocket", status=0)["rule"]["name"], "live")
        self.explain("GET", "https://ask.test.example/", status=4)
        self.assertEqual(self.explain("tcp://db.test.example:5432", status=0)["rule"]["name"], "database")
        self.explain("tcp://db.test.example:5433", status=3)

    def test_bad_input_is_one_line_and_status_2(self):
        for arguments, text in {
            (): "FILE is required",
            ("GET", "api.test.example"): "has no scheme",
            ("GET", "https://api.test.example/", "-H", "no-colon"): "'Name: value'",
            ("GET", "https://api.test.example/", "-H", "Host: other"): "follows from the URL",
            ("GET", "https://api.test.example/", "-d", "@/nowhere"): "/nowhere",
            ("GET", "https://api.test.example/", "--at", "noon"): "is not a time",
            ("GET", "tcp://db.test.example:5432"): "has no method",
        }.items():
            done = self.weir("policy", "explain", *([self.file] if arguments else []), *arguments)
            self.assertEqual((done.status, done.out), (2, ""), done)
            self.assertIn(text, done.err, done)
            self.assertEqual(done.err.count("\n"), 1, done)

    def cases(self, text):
        return self.write("cases.yaml", "version: 1\ncases:\n" + text)

    def test_test_tells_each_case_that_differs(self):
        path = self.cases("""\
  - {name: reading, url: "https://api.test.example/", expect: allow, credential: token}
  - {name: no posting, method: POST, url: "https://api.test.example/", expect: deny}
  - {name: a wrong hope, method: PUT, url: "https://api.test.example/", expect: allow}
""")
        done = self.weir("policy", "test", self.file, path)
        self.assertEqual(done.status, 1, done)
        self.assertEqual(done.out.splitlines(),
                         [f"{path}:5:5: a wrong hope: expected allow, got deny (no rule matches)", "1 of 3 cases not as expected"])
        said = json.loads(self.weir("policy", "test", self.file, path, "--json").out)
        self.assertEqual((said["cases"], said["differing"]), (3, 1))
        self.assertEqual([case["as_expected"] for case in said["outcomes"]], [True, True, False])

    def test_test_is_content_when_all_is_as_expected(self):
        done = self.weir("policy", "test", self.file, self.cases('  - {url: "https://api.test.example/", expect: allow}\n'))
        self.assertEqual((done.status, done.err), (0, ""), done)
        self.assertIn("as expected", done.out)

    def test_test_refuses_cases_that_are_wrong(self):
        done = self.weir("policy", "test", self.file, self.cases('  - {url: "https://api.test.example/", expekt: allow}\n'))
        self.assertEqual((done.status, done.out), (2, ""), done)
        self.assertIn("did you mean `expect`?", done.err)

    def test_the_examples_have_no_warning_and_agree_with_their_cases(self):
        for name in ("laptop", "ci-agent", "data-agent"):
            if name == "ci-agent" and not (shutil.which("npm", path=PATH) and shutil.which("pip3", path=PATH)):
                continue  # it asks these tools
            with self.subTest(name):
                done = self.weir("policy", "check", f"examples/{name}.yaml", cwd=ROOT)
                self.assertEqual(done.status, 0, done)
                self.assertNotIn("warning", done.out, done)
                done = self.weir("policy", "test", f"examples/{name}.yaml", f"examples/{name}.cases.yaml", cwd=ROOT)
                self.assertEqual(done.status, 0, done)

    def test_presets_show_and_schema_speak_json(self):
        presets = json.loads(self.weir("policy", "presets", "--json").out)
        self.assertIn("anthropic", [preset["name"] for preset in presets])
        self.assertIn("version: 1", json.loads(self.weir("policy", "show", "anthropic", "--json").out)["text"])
        self.assertIn("$schema", json.loads(self.weir("policy", "schema", "--json").out))


class Completion(WeirTest):
    def candidates(self, *words, shell="zsh"):
        done = self.weir("__complete", shell, *words)
        self.assertEqual((done.status, done.err), (0, ""), done)
        return [line.split("\t")[0] for line in done.out.splitlines()]

    def test_verbs_options_and_values_are_offered(self):
        self.assertEqual(self.candidates("pol"), ["policy"])
        self.assertEqual(self.candidates("policy", "ex"), ["explain"])
        self.assertEqual(self.candidates("run", "--pro"), ["--profile"])
        self.assertEqual(self.candidates("run", "--durability", ""), ["group", "sync"])
        self.assertEqual(self.candidates("run", "--durability=s"), ["--durability=sync"])
        self.assertEqual(self.candidates("policy", "show", "an"), ["anthropic", ":files"])
        self.assertIn("claude", self.candidates("run", "--profile", ""))
        self.assertEqual(self.candidates("completion", ""), ["bash", "zsh", "fish"])
        self.assertNotIn("__complete", self.candidates(""))

    def test_every_verb_can_be_completed(self):
        def walk(*words):
            for name in self.candidates(*words, ""):
                if name in self.verbs(*words):
                    self.assertIn("--help", self.candidates(*words, name, "-"), (*words, name))
                    walk(*words, name)
        walk()

    def verbs(self, *words):
        """The verbs that --help lists."""
        out = self.weir(*words, "--help").out
        return [line.split()[0] for line in out.partition("Subcommands:")[2].splitlines() if line.startswith("  ") and line[2] != " "]

    def test_files_and_programs_are_left_to_the_shell(self):
        self.assertEqual(self.candidates("policy", "check", ""), [":files"])
        self.assertEqual(self.candidates("run", "--policy", ""), [":files"])
        self.assertEqual(self.candidates("run", "--no-profile", "--", "cu"), [":commands"])
        self.assertEqual(self.candidates("run", "--", "curl", "--pro"), [":files"])

    def test_sessions_are_offered(self):
        self.policy("rules: []")
        self.run_inside("true")
        offered = self.candidates("log", "ses_")
        self.assertEqual(len(offered), 1, offered)
        self.assertEqual(self.candidates("policy", "learn", offered[0][:8]), offered)

    def test_bash_takes_words_apart_at_equals_signs(self):
        self.assertEqual(self.candidates("run", "--durability", "=", shell="bash"), ["group", "sync"])
        self.assertEqual(self.candidates("run", "--durability", "=", "s", shell="bash"), ["sync"])

    def shell(self, *command):
        """An interactive shell that completes weir."""
        tools = self.folder("tools")
        os.symlink(program_for(self.uid), os.path.join(tools, "weir"))
        environment = {**self.environment, "PATH": f"{tools}:{self.environment['PATH']}", "PS1": "$ "}
        terminal = Terminal(list(command), environment, self.project, columns=200)
        self.addCleanup(os.close, terminal.fd)
        return terminal

    def completes(self, terminal, typed, whole):
        terminal.type(typed + "\t")
        terminal.expect(whole)
        terminal.type("\x15")  # Ctrl-U: an empty line again

    LINES = {"weir pol": "weir policy ", "weir policy ex": "weir policy explain ", "weir run --pro": "weir run --profile ",
             "weir policy show an": "weir policy show anthropic ", "weir run --durability=s": "weir run --durability=sync "}

    def test_real_bash_completes(self):
        bash = self.shell("bash", "--norc", "--noprofile", "-i")
        bash.type("bind 'set enable-bracketed-paste off'; source <(weir completion bash); echo rea''dy\n")
        bash.expect("ready\r\n")
        for typed, whole in self.LINES.items():
            self.completes(bash, typed, whole)
        bash.type("exit\n")
        bash.end()

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_real_zsh_completes(self):
        zsh = self.shell("zsh", "-f", "-i")
        zsh.type("unsetopt zle_bracketed_paste 2>/dev/null; autoload -Uz compinit && compinit -u -D; source <(weir completion zsh); echo rea''dy\n")
        zsh.expect("ready\r\n")
        zsh.type("weir pol\t")
        zsh.expect("icy")
        zsh.type("\x15exit\n")
        zsh.end()

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_real_fish_completes(self):
        done = self.weir_in_fish("weir pol")
        self.assertIn("policy\t", done)
        self.assertIn("--profile\t", self.weir_in_fish("weir run --pro"))

    def weir_in_fish(self, line):
        environment = {**self.environment, "PATH": f"{os.path.dirname(program_for(self.uid))}:{self.environment['PATH']}"}
        return subprocess.run(["fish", "-N", "-c", f"weir completion fish | source; complete -C '{line}'"], check=True,
                              capture_output=True, text=True, env=environment).stdout


if __name__ == "__main__":
    main()
