"""Bad input gives one clear error that says where, exit status 2, and nothing is started."""

import os

from harness import WeirTest, also_as_ordinary_user, main, sessions

GOOD = "version: 1\nrules:\n  - hosts: [api.test.example]\n"


@also_as_ordinary_user
class BadInput(WeirTest):
    def refuse(self, *arguments, says=(), environment=None):
        before = sessions(self.state)
        done = self.weir(*arguments, environment=environment)
        self.assertEqual(done.status, 2, done)
        self.assertEqual(done.out, "", done)
        for text in says:
            self.assertIn(text, done.err, done)
        self.assertEqual(sessions(self.state), before, f"a session was begun\n{done}")
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")), f"the command was started\n{done}")
        self.assertNotIn("terminate called", done.err)
        self.assertTrue(done.err.strip(), "no word about what is wrong")
        return done

    def refuse_policy(self, text, *says, environment=None):
        self.policy_file = self.write("bad.yaml", text, folder=self.root)
        return self.refuse("run", "--policy", self.policy_file, "--", "touch", "ran", says=["bad.yaml", *says],
                           environment=environment)

    def test_an_unknown_key(self):
        done = self.refuse_policy(GOOD + "    method: [GET]\n", "bad.yaml:4:5", "method", "methods")
        self.assertIn("    method: [GET]", done.err, "the line itself is not shown\n" + str(done))
        self.assertIn("^", done.err)

    def test_an_unknown_key_at_the_top(self):
        self.refuse_policy("version: 1\nrule: []\n", "bad.yaml:2:1", "rules")

    def test_a_doubled_key(self):
        self.refuse_policy(GOOD + "    methods: [GET]\n    methods: [POST]\n", "bad.yaml:5:5", "methods")

    def test_wrong_types(self):
        for text, place in ((GOOD + "    methods: {GET: 1}\n", "bad.yaml:4:"), ("version: 1\nrules: 7\n", "bad.yaml:2:"),
                            ("version: 1\nrules:\n  - api.test.example\n", "bad.yaml:3:"),
                            ("version: one\nrules: []\n", "bad.yaml:1:"), ("[1, 2]\n", "bad.yaml:1:"),
                            (GOOD + "limits: {connections: many}\n", "bad.yaml:4:"),
                            (GOOD + "    ports: [99999]\n", "bad.yaml:4:")):
            with self.subTest(text):
                self.refuse_policy(text, place)

    def test_no_version(self):
        self.refuse_policy("rules:\n  - hosts: [a.example]\n", "version")

    def test_a_version_of_the_future(self):
        self.refuse_policy("version: 2\nrules: []\n", "bad.yaml:1:", "version")

    def test_text_that_is_not_yaml(self):
        self.refuse_policy("version: 1\nrules:\n  - hosts: [a.example\n", "bad.yaml:")
        self.refuse_policy("version: 1\n\trules: []\n", "bad.yaml:2:")

    def test_an_empty_file(self):
        self.refuse_policy("", "bad.yaml")

    def test_octets_that_are_not_text(self):
        self.policy_file = self.write("bad.yaml", b"version: 1\nrules:\n  - hosts: [\xff\xfe\x00]\n", folder=self.root)
        self.refuse("run", "--policy", self.policy_file, "--", "touch", "ran", says=["bad.yaml"])

    def test_bad_host_patterns(self):
        for host in ("a.*.example", "*a.example", "-a.example", "a..example", "https://a.example", "a.example/path", "",
                     "0x7f.1", "a.example:99999"):
            with self.subTest(host):
                self.refuse_policy(f"version: 1\nrules:\n  - hosts: [\"{host}\"]\n", "bad.yaml:3:")

    def test_bad_path_globs(self):
        for path in ("no-slash", "/a/../b", "/a?x=1"):
            with self.subTest(path):
                self.refuse_policy(GOOD + f"    paths: [\"{path}\"]\n", "bad.yaml:4:")

    def test_bad_methods_and_actions(self):
        self.refuse_policy(GOOD + "    methods: [\"G ET\"]\n", "bad.yaml:4:")
        self.refuse_policy(GOOD + "    action: permit\n", "bad.yaml:4:", "permit")
        self.refuse_policy("version: 1\ndefault: open\nrules: []\n", "bad.yaml:2:", "open")

    def test_an_unknown_preset(self):
        self.refuse_policy("version: 1\nuse: [anthropik]\n", "bad.yaml:2:", "anthropic")

    def test_a_policy_file_that_is_not_there(self):
        self.refuse("run", "--policy", f"{self.root}/none.yaml", "--", "touch", "ran", says=["none.yaml"])

    def test_a_policy_file_that_is_a_folder(self):
        self.refuse("run", "--policy", self.root, "--", "touch", "ran", says=[self.root])

    def test_a_ca_file_that_is_not_there(self):
        self.refuse_policy(GOOD + "upstream: {ca_file: none.pem}\n", "none.pem")

    def test_a_ca_file_that_holds_no_certificate(self):
        self.write("not.pem", "not a certificate\n", folder=self.root)
        self.refuse_policy(GOOD + "upstream: {ca_file: not.pem}\n", "not.pem")

    def test_a_bad_fixed_address(self):
        for address in ("localhost:1", "127.0.0.1:99999", "127.1", "nonsense"):
            with self.subTest(address):
                self.refuse_policy(GOOD + f"upstream: {{resolve: {{api.test.example: \"{address}\"}}}}\n", "bad.yaml:4:")

    CREDENTIAL = GOOD + "credentials:\n  t:\n    from: {source}\n    hosts: [api.test.example]\n" \
                        "    inject: {{header: Authorization, format: \"Bearer {{secret}}\"}}\n"

    def test_a_secret_that_is_not_in_the_store(self):
        self.refuse_with("store:github-token", "github-token", "weir vault set")

    def refuse_with(self, source, *says, environment=None):
        self.policy_file = self.write("bad.yaml", self.CREDENTIAL.format(source=source), folder=self.root)
        return self.refuse("run", "--policy", self.policy_file, "--", "touch", "ran", says=says,
                           environment=environment)

    def test_an_environment_variable_that_is_not_set(self):
        self.refuse_with("env:WEIR_TEST_NOT_SET", "WEIR_TEST_NOT_SET")

    def test_an_environment_variable_that_is_empty(self):
        self.refuse_with("env:WEIR_TEST_EMPTY", "WEIR_TEST_EMPTY", environment={"WEIR_TEST_EMPTY": ""})

    def test_a_secret_with_a_line_break_in_it_is_not_sent_as_two_headers(self):
        done = self.refuse_with("env:WEIR_TEST_BROKEN", "WEIR_TEST_BROKEN",
                                environment={"WEIR_TEST_BROKEN": "abc-secret\r\nX-Evil: 1"})
        self.assertNotIn("abc-secret", done.err)

    def test_a_secret_file_that_is_not_there(self):
        self.refuse_with("file:none.txt", "none.txt")

    def test_an_unknown_source(self):
        self.refuse_with("keychain:x", "keychain")

    def test_a_format_without_the_secret(self):
        self.refuse_policy(GOOD + "credentials:\n  t:\n    from: env:HOME\n    hosts: [api.test.example]\n"
                           "    inject: {header: Authorization, format: \"Bearer\"}\n", "bad.yaml:", "{secret}")

    def test_two_credentials_for_one_header(self):
        text = GOOD + "credentials:\n"
        for name in ("one", "two"):
            text += (f"  {name}:\n    from: env:HOME\n    hosts: [api.test.example]\n"
                     "    inject: {header: authorization, format: \"{secret}\"}\n")
        self.refuse_policy(text, "bad.yaml:", "one", "two")

    def test_a_command_that_is_not_there(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        self.refuse("run", "--policy", self.policy_file, "--", "no-such-command-weir", says=["no-such-command-weir"])

    def test_a_command_that_is_not_executable(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        self.write("plain", "text")
        self.refuse("run", "--policy", self.policy_file, "--", "./plain", says=["plain"])

    def test_no_command(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        self.refuse("run", "--policy", self.policy_file)
        self.refuse("run", "--policy", self.policy_file, "--")

    def test_bad_mounts(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        for mount in ("/usr", "rx:/usr", "ro:", "ro:/no/such/place", "ro:/usr:relative", "rw:", "ro:relative:/x"):
            with self.subTest(mount):
                self.refuse("run", "--policy", self.policy_file, "--mount", mount, "--", "touch", "ran",
                            says=[mount.split(":", 1)[-1].split(":")[0] or "mount"])

    def test_bad_environment_entries(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        for entry in ("=value", "A B=1", ""):
            with self.subTest(entry):
                self.refuse("run", "--policy", self.policy_file, "--env", entry, "--", "touch", "ran", says=["env"])

    def test_an_unknown_profile(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        self.refuse("run", "--policy", self.policy_file, "--profile", "claud", "--", "touch", "ran", says=["claud"])

    def test_unknown_options_and_verbs(self):
        self.refuse("run", "--polcy", "x", "--", "touch", "ran", says=["polcy"])
        self.refuse("runn", says=["runn"])
        self.refuse()

    def test_a_state_folder_that_cannot_be_made(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        in_the_way = self.write("file", "", folder=self.root)
        self.refuse("run", "--policy", self.policy_file, "--", "touch", "ran", says=[in_the_way],
                    environment={"XDG_STATE_HOME": in_the_way})

    def test_policy_check_reports_every_error_of_a_file_at_once(self):
        path = self.write("bad.yaml", "version: 1\nrule: 1\nrules:\n  - hosts: [\"a.*.b\"]\n    method: x\n",
                          folder=self.root)
        done = self.weir("policy", "check", path)
        self.assertEqual(done.status, 1, done)
        for place in ("bad.yaml:2:1", "bad.yaml:4:", "bad.yaml:5:5"):
            self.assertIn(place, done.out + done.err, done)

    def test_policy_check_accepts_a_good_file(self):
        done = self.weir("policy", "check", self.write("good.yaml", GOOD, folder=self.root))
        self.assertEqual(done.status, 0, done)

    def test_log_of_a_session_that_is_not_there(self):
        self.policy_file = self.write("good.yaml", GOOD, folder=self.root)
        self.assertEqual(self.run_inside("true").status, 0)
        done = self.weir("log", "ses_nothing")
        self.assertNotEqual(done.status, 0, done)
        self.assertIn("ses_nothing", done.err, done)
        done = self.weir("log", "../../etc")
        self.assertNotEqual(done.status, 0, done)

    def test_bad_vault_names_and_values(self):
        for name in ("", "../x", "a b", "a/b\n"):
            with self.subTest(name):
                self.refuse("vault", "set", name)
        self.refuse("vault", "set", "empty")  # standard input is empty


if __name__ == "__main__":
    main()
