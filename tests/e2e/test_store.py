"""weir's own vault: each kind of key through a sandbox to a stand-in, and its verbs."""

import json
import os
import re
import secrets
import shutil
import signal
import subprocess
import unittest

from harness import PATIENCE, WeirTest, also_as_ordinary_user, main, wait_until
from test_terminal import Terminal

PASSPHRASE = "correct horse battery"


class WithStore(WeirTest):
    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example")
        self.environment["XDG_RUNTIME_DIR"] = self.folder("run")

    def feed(self, text, *arguments, **more):
        """A verb with `text` on its standard input."""
        running = self.start(*arguments, stdin=subprocess.PIPE, **more)
        running.process.stdin.write(text)
        return running.finish()

    def done(self, finished):
        self.assertEqual(finished.status, 0, finished)
        return finished

    def set(self, name, value):
        return self.done(self.feed(value, "vault", "set", name))

    def use(self, entry="token"):
        self.policy(f"""
            credentials:
              token:
                from: store:{entry}
                hosts: [api.test.example]
                inject: {{header: X-Token, format: "{{secret}}"}}
            rules:
              - hosts: [api.test.example]
            """, api=self.api)

    def sent(self):
        return [value for r in self.api.requests for value in r.all("x-token")]

    def gives(self, value, entry="token"):
        """A sandbox's request carries `value`."""
        self.use(entry)
        self.inside('report(status=get()["status"])')
        self.assertEqual(self.sent()[-1], value)

    def refused(self, *says, **more):
        """Nothing starts, and one line says why."""
        self.use()
        done = self.run_inside("touch", "ran", **more)
        self.assertEqual(done.status, 2, done)
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))
        self.assertEqual(done.events, [])
        self.assertEqual(len(done.err.strip().splitlines()), 1, done)
        for text in says:
            self.assertIn(text, done.err)
        return done

    def terminal(self, *command):
        terminal = Terminal(list(command), self.environment, self.project)
        self.addCleanup(terminal.close)
        return terminal

    @property
    def store_file(self):
        return os.path.join(self.data, "weir/vault.json")

    def status(self, code=0):
        done = self.weir("vault", "status", "--json")
        self.assertEqual(done.status, code, done)
        return json.loads(done.out)

    def protect_by_passphrase(self):
        file = self.write("passphrase", PASSPHRASE + "\n", folder=self.root, mode=0o600)
        self.environment["WEIR_VAULT_PASSPHRASE_FILE"] = file
        self.done(self.weir("vault", "init", "--passphrase"))
        return file


@also_as_ordinary_user
class KeyKinds(WithStore):
    def test_key_file(self):
        self.set("token", "s3cret")
        self.gives("s3cret")
        self.assertEqual(self.status()["key"], {"kind": "key-file", "file": os.path.join(self.config, "weir/vault.key")})

    def test_passphrase_from_a_file(self):
        self.protect_by_passphrase()
        self.set("token", "s3cret")
        self.gives("s3cret")
        self.assertEqual(self.status()["key"], {"kind": "passphrase"})

    def test_passphrase_asked_for_on_the_terminal_before_anything_starts(self):
        self.protect_by_passphrase()
        self.set("token", "s3cret")
        del self.environment["WEIR_VAULT_PASSPHRASE_FILE"]
        self.use()
        terminal = self.terminal(*self.weir_command(*self.run_arguments([])), "--", *self.script('print("status", get()["status"])'))
        terminal.expect("Passphrase of weir's vault: ")
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))
        terminal.type(PASSPHRASE + "\r")
        seen, status = terminal.end()
        self.assertEqual(status, 0, seen)
        self.assertIn("status 200", seen)
        self.assertNotIn(PASSPHRASE, seen)
        self.assertEqual(self.sent(), ["s3cret"])

    def test_wrong_passphrase_on_the_terminal(self):
        self.protect_by_passphrase()
        self.set("token", "s3cret")
        del self.environment["WEIR_VAULT_PASSPHRASE_FILE"]
        self.use()
        terminal = self.terminal(*self.weir_command(*self.run_arguments([])), "--", "touch", "ran")
        terminal.expect("Passphrase of weir's vault: ")
        terminal.type("wrong\r")
        seen, status = terminal.end()
        self.assertEqual(status, 2, seen)
        self.assertIn("this passphrase does not open it", seen)
        self.assertFalse(os.path.exists(os.path.join(self.project, "ran")))

    def test_wrong_passphrase_in_the_file(self):
        file = self.protect_by_passphrase()
        self.set("token", "s3cret")
        self.write(file, "wr0ng-passphrase")
        os.chmod(file, 0o600)
        self.assertNotIn("wr0ng", self.refused("vault.json", "this passphrase does not open it").err)

    def test_no_passphrase_and_nobody_to_ask(self):
        self.protect_by_passphrase()
        self.set("token", "s3cret")
        del self.environment["WEIR_VAULT_PASSPHRASE_FILE"]
        self.refused("WEIR_VAULT_PASSPHRASE_FILE", wrap=["setsid", "--wait"])

    def test_truncated_store(self):
        self.set("token", "s3cret")
        os.truncate(self.store_file, os.path.getsize(self.store_file) // 2)
        self.refused(self.store_file, "is not whole")
        self.assertEqual(self.status(1)["state"], "vault_damaged")

    def test_truncated_store_with_a_profile_that_would_take_the_key_from_elsewhere_too(self):
        self.set("anthropic", "s3cret")
        os.truncate(self.store_file, os.path.getsize(self.store_file) // 2)
        done = self.run_inside("touch", "ran", options=["--profile", "claude"])
        self.assertEqual(done.status, 2, done)
        self.assertIn("is not whole", done.err)
        self.assertEqual(done.events, [])

    def test_store_that_somebody_changed(self):
        self.set("token", "s3cret")
        with open(self.store_file, encoding="ascii") as file:
            document = json.load(file)
        sealed = document["entries"]["token"][0]["sealed"]
        document["entries"]["token"][0]["sealed"] = ("1" if sealed[0] == "0" else "0") + sealed[1:]
        self.write(self.store_file, json.dumps(document), mode=0o600)
        self.refused("entry `token` version 1 is damaged")

    def test_key_that_is_gone(self):
        self.set("token", "s3cret")
        os.unlink(os.path.join(self.config, "weir/vault.key"))
        self.refused("vault.key is missing")


@also_as_ordinary_user
class SystemdCredential(WithStore):
    def make(self):
        """The store, and its key given as systemd gives it."""
        self.key = os.path.join(self.root, "config/made.key")
        done = self.done(self.weir("vault", "init", "--systemd-credential", "--key-out", self.key))
        with open(self.key, encoding="ascii") as file:
            text = file.read()
        self.assertRegex(text, r"^[0-9a-f]{64}\n$")
        self.assertNotIn(text.strip(), done.out + done.err)
        self.assertEqual(os.stat(self.key).st_mode & 0o7777, 0o600)
        self.assertIn(f"LoadCredential=weir-vault-key:{self.key}", done.out)
        self.assertIn("LoadCredentialEncrypted=weir-vault-key", done.out)
        return done, text

    def give(self, text, name="weir-vault-key"):
        folder = self.environment["CREDENTIALS_DIRECTORY"] = os.path.join(self.root, "credentials")
        if not os.path.exists(folder):
            self.folder("credentials")
        self.write(name, text, folder=folder, mode=0o400)
        return os.path.join(folder, name)

    def test_opens_the_store(self):
        _, key = self.make()
        file = self.give(key)
        self.set("token", "s3cret")
        self.gives("s3cret")
        self.assertEqual(self.status()["key"], {"kind": "systemd-credential", "credential": "weir-vault-key"})
        done = self.inside(f"""
            import os
            try:
                seen = open("{file}").read()
            except OSError as error:
                seen = None
            report(key=seen, names=[name for name in os.environ if "CRED" in name])
        """)
        self.assertEqual(done.report, {"key": None, "names": []})

    def test_another_name(self):
        self.environment["WEIR_VAULT_CREDENTIAL"] = "team"
        key = secrets.token_hex(32)
        self.give(key + "\n", "team")
        done = self.done(self.weir("vault", "init", "--systemd-credential"))
        self.assertNotIn(key, done.out + done.err)
        self.set("token", "s3cret")
        self.gives("s3cret")

    def test_without_it_nothing_starts(self):
        _, key = self.make()
        self.give(key)
        self.set("token", "s3cret")
        del self.environment["CREDENTIALS_DIRECTORY"]
        self.refused("weir-vault-key", "$CREDENTIALS_DIRECTORY is not set")
        status = self.status(1)
        self.assertEqual((status["key"]["kind"], status["state"], status["entries"]),
                         ("systemd-credential", "credential_directory_unset", 1))
        self.give(secrets.token_hex(32))
        self.refused("the systemd credential `weir-vault-key` does not open it")

    def test_init_without_a_key_says_both_ways(self):
        done = self.weir("vault", "init", "--systemd-credential")
        self.assertEqual(done.status, 2, done)
        self.assertIn("$CREDENTIALS_DIRECTORY is not set", done.err)
        self.assertIn("--key-out FILE", done.err)
        self.assertFalse(os.path.exists(self.store_file))

    def test_rekey_to_and_fro(self):
        self.set("token", "s3cret")
        file = os.path.join(self.root, "config/k")
        done = self.done(self.weir("vault", "rekey", "--systemd-credential", "--key-out", file))
        self.assertIn("LoadCredential=weir-vault-key:" + file, done.out)
        self.assertIn("vault.key is no longer used", done.out)
        with open(file, encoding="ascii") as text:
            self.give(text.read())
        self.gives("s3cret")
        self.done(self.weir("vault", "rekey"))
        self.assertEqual(self.status()["key"]["kind"], "key-file")
        self.gives("s3cret")


@also_as_ordinary_user
class Keyring(WithStore):
    """The real gnome-keyring on a session bus of its own."""

    def setUp(self):
        super().setUp()
        for program in ("dbus-daemon", "gnome-keyring-daemon", "dbus-send"):
            if shutil.which(program) is None:
                self.skipTest(f"no {program} here: apt-get install dbus gnome-keyring libsecret-1-0")
        bus = self.daemon(["dbus-daemon", "--session", "--nofork", "--print-address=1"])
        self.environment["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()
        keyring = self.daemon(["gnome-keyring-daemon", "--foreground", "--unlock", "--components=secrets"])
        keyring.stdin.write(b"login-password")
        keyring.stdin.close()
        # Only asked once it has its name: a call before would have the bus start another daemon, which is locked.
        wait_until(self.has_owner, "the keyring's name on the bus")
        wait_until(self.has_login_keyring, "the login keyring on the bus")

    def has_owner(self):
        asked = subprocess.run(self.as_user(["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.DBus", "/org/freedesktop/DBus",
                                             "org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.secrets"]),
                               env=self.environment, capture_output=True, text=True, timeout=30 * PATIENCE, check=False)
        return "boolean true" in asked.stdout

    def has_login_keyring(self):
        return self.call("/org/freedesktop/secrets/collection/login", "org.freedesktop.DBus.Properties.Get",
                         "string:org.freedesktop.Secret.Collection", "string:Items").returncode == 0

    def daemon(self, command):
        process = subprocess.Popen(self.as_user(command), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                   env=self.environment, cwd=self.home)
        self.addCleanup(process.wait)
        for end in (process.stdin, process.stdout):
            self.addCleanup(end.close)
        self.addCleanup(process.kill)
        return process

    def call(self, path, method, *arguments):
        return subprocess.run(self.as_user(["dbus-send", "--session", "--print-reply", "--dest=org.freedesktop.secrets", path, method,
                                            *arguments]),
                              env=self.environment, capture_output=True, text=True, timeout=30 * PATIENCE, check=False)

    def items(self):
        shown = self.call("/org/freedesktop/secrets/collection/login", "org.freedesktop.DBus.Properties.Get",
                          "string:org.freedesktop.Secret.Collection", "string:Items")
        return re.findall(r'object path "(/org/freedesktop/secrets/collection/login/\w+)"', shown.stdout)

    def test_opens_the_store(self):
        self.done(self.weir("vault", "init", "--keyring"))
        self.assertFalse(os.path.exists(os.path.join(self.config, "weir/vault.key")))
        self.set("token", "s3cret")
        self.gives("s3cret")
        self.assertEqual(self.status()["key"], {"kind": "keyring"})
        self.assertEqual(len(self.items()), 1)

    def test_a_running_session_needs_the_keyring_no_more(self):
        self.done(self.weir("vault", "init", "--keyring"))
        self.set("token", "first")
        self.use()
        running = self.start_python("""
            get()
            sync("locked")
            get()
        """)
        running.reached("locked")
        self.set("token", "second")
        self.lock()
        os.kill(running.pid, signal.SIGHUP)
        running.wait_for_event("policy.loaded", by="SIGHUP")
        running.go("locked")
        self.assertEqual(running.finish().status, 0)
        self.assertEqual(self.sent(), ["first", "second"])

    def lock(self):
        locked = self.call("/org/freedesktop/secrets", "org.freedesktop.Secret.Service.Lock",
                           "array:objpath:/org/freedesktop/secrets/collection/login")
        self.assertEqual(locked.returncode, 0, locked)

    def test_locked_keyring_is_said_before_anything_starts(self):
        self.done(self.weir("vault", "init", "--keyring"))
        self.set("token", "s3cret")
        self.lock()
        self.refused("the desktop keyring is locked")
        self.assertEqual(self.status(1)["state"], "keyring_locked")

    def test_keyring_of_somebody_else(self):
        self.done(self.weir("vault", "init", "--keyring"))
        self.set("token", "s3cret")
        for item in self.items():
            self.assertEqual(self.call(item, "org.freedesktop.Secret.Item.Delete").returncode, 0)
        self.refused("the desktop keyring has no key for this vault")

    def test_without_a_session_bus(self):
        self.done(self.weir("vault", "init", "--keyring"))
        self.set("token", "s3cret")
        del self.environment["DBUS_SESSION_BUS_ADDRESS"]
        self.refused("no D-Bus session")

    def test_rekey_leaves_no_key_behind(self):
        self.set("token", "s3cret")
        self.done(self.weir("vault", "rekey", "--keyring"))
        self.gives("s3cret")
        self.done(self.weir("vault", "rekey", "--keyring"))
        self.assertEqual(len(self.items()), 1)
        self.gives("s3cret")
        self.done(self.weir("vault", "rekey"))
        self.assertEqual(self.items(), [])
        self.gives("s3cret")

    def test_init_where_a_vault_is_leaves_no_key_behind(self):
        self.set("token", "s3cret")
        self.assertEqual(self.weir("vault", "init", "--keyring").status, 2)
        self.assertEqual(self.items(), [])


class Verbs(WithStore):
    def complains(self, *says, finished):
        self.assertEqual(finished.status, 2, finished)
        self.assertEqual(len(finished.err.strip().splitlines()), 1, finished)
        for text in says:
            self.assertIn(text, finished.err)
        return finished

    def names(self):
        return {entry["name"]: [v["version"] for v in entry["versions"]] for entry in json.loads(self.weir("vault", "list", "--json").out)}

    def test_rotated_value_is_for_new_sessions_and_for_running_ones_after_a_reload(self):
        self.set("token", "first")
        self.use()
        running = self.start_python("""
            get()
            sync("rotated")
            get()
            sync("reloaded")
            get()
        """)
        running.reached("rotated")
        done = self.done(self.feed("second\n", "vault", "rotate", "token"))
        self.assertIn("version 2", done.out)
        self.assertIn("weir policy reload", done.err)
        running.go("rotated")
        running.reached("reloaded")
        self.done(self.weir("policy", "reload"))
        running.go("reloaded")
        self.assertEqual(running.finish().status, 0)
        self.assertEqual(self.sent(), ["first", "first", "second"])

    def test_rotate_refuses_what_is_no_rotation(self):
        self.complains("there is no vault yet", finished=self.feed("x", "vault", "rotate", "token"))
        self.set("token", "s3cret")
        self.complains("no entry `tokn`", finished=self.feed("x", "vault", "rotate", "tokn"))
        done = self.complains("has this value already", finished=self.feed("s3cret", "vault", "rotate", "token"))
        self.assertNotIn("s3cret", done.err)
        self.complains("empty", finished=self.feed("", "vault", "rotate", "token"))
        self.assertNotIn("s3cret2", self.complains("never taken from the command line",
                                                   finished=self.weir("vault", "rotate", "token", "s3cret2")).err)
        self.assertEqual(self.names(), {"token": [1]})

    def test_an_older_version_can_be_asked_for(self):
        for value in ("first", "second"):
            self.set("token", value)
        self.gives("first", "token@1")
        self.gives("second", "token@2")
        self.gives("second", "token")

    def test_rotate_makes_a_value_of_a_shape(self):
        self.set("token", "s3cret")
        self.done(self.weir("vault", "rotate", "token", "--generate=key_{random:24}"))
        self.use()
        self.inside('report(status=get()["status"])')
        self.assertRegex(self.sent()[-1], r"^key_[A-Za-z0-9]{24}$")
        done = self.done(self.weir("vault", "rotate", "--generate", "token", "--json"))
        self.assertEqual(json.loads(done.out), {"name": "token", "version": 3})
        self.inside('report(status=get()["status"])')
        self.assertRegex(self.sent()[-1], r"^[A-Za-z0-9]{40}$")
        self.complains("is not a shape", finished=self.weir("vault", "rotate", "token", "--generate=short"))

    def test_set_and_list_and_rm(self):
        self.assertEqual(self.names(), {})
        for value in ("1", "2", "3"):
            self.set("team/token", value)
        self.assertEqual(json.loads(self.feed("x", "vault", "set", "b", "--json").out), {"name": "b", "version": 1})
        self.assertEqual(self.names(), {"team/token": [1, 2, 3], "b": [1]})
        self.assertRegex(self.weir("vault", "list").out, r"team/token +3 +3 ")
        self.done(self.weir("vault", "rm", "team/token@2"))
        self.assertEqual(self.names()["team/token"], [1, 3])
        self.complains("no version 2; it keeps 1, 3", finished=self.weir("vault", "rm", "team/token@2"))
        self.complains("version's number", finished=self.weir("vault", "rm", "team/token@x"))
        self.complains("version's number", finished=self.weir("vault", "rm", "team/token@"))
        self.done(self.weir("vault", "rm", "team/token"))
        self.complains("no entry `team/token`", finished=self.weir("vault", "rm", "team/token"))
        self.assertEqual(self.names(), {"b": [1]})

    def test_set_keeps_lines_and_says_what_they_are_not_for(self):
        done = self.done(self.feed("-----BEGIN\nx\n-----END\n", "vault", "set", "pem"))
        self.assertIn("a line feed at octet 11", done.err)
        self.complains("empty", finished=self.feed("\n", "vault", "set", "pem"))

    def test_set_asks_on_a_terminal(self):
        terminal = self.terminal(*self.weir_command("vault", "set", "token"))
        terminal.expect("Value for token (not shown): ")
        terminal.type("s3cret\r")
        seen, status = terminal.end()
        self.assertEqual(status, 0, seen)
        self.assertNotIn("s3cret", seen)
        self.gives("s3cret")

    def test_import_of_an_env_file(self):
        file = self.write(".env", "# keys\nexport A='1'\nEMPTY=\nPEM=\"-----BEGIN\nx\n-----END\"\n", folder=self.root, mode=0o600)
        done = self.done(self.weir("vault", "import", file, "--prefix", "team/"))
        self.assertIn("team/A: version 1 stored", done.out)
        self.assertIn("team/EMPTY is empty and was left out", done.err)
        self.gives("1", "team/A")
        with open(file, encoding="ascii") as text:
            again = self.done(self.feed(text.read().replace("'1'", "2"), "vault", "import", "-", "--prefix=team/", "--json"))
        self.assertEqual(json.loads(again.out), [{"name": "team/A", "version": 2, "changed": True},
                                                 {"name": "team/PEM", "version": 1, "changed": False}])
        os.chmod(file, 0o644)
        self.assertIn("can be read by others", self.weir("vault", "import", file).err)

    def test_import_of_json(self):
        file = self.write("keys.json", '{"a": "1", "b": "2"}', folder=self.root, mode=0o600)
        self.done(self.weir("vault", "import", file))
        self.assertEqual(self.names(), {"a": [1], "b": [1]})
        self.done(self.feed('{"c": "3"}', "vault", "import", "-", "--format", "json"))
        self.assertEqual(set(self.names()), {"a", "b", "c"})

    def test_import_takes_all_or_nothing_and_names_the_line(self):
        for text, says in (("A=1\ns3cret\n", "line 2: no '='"), ("A=1\nB='s3cret", "line 2: the quote"), ("A=1\nA=s3cret", "line 2: A is here"),
                           ("A=\n", "no names and values"), ("", "no names and values"),
                           ("A=1\nKEY=-----BEGIN\ns3cret/s3cret=\n", "line 3: what stands before the '='"),
                           ("A=1\nB=" + "s3cret" * 11000, "longer than 64 KiB")):
            with self.subTest(says):
                done = self.feed(text, "vault", "import", "-")
                self.assertEqual(done.status, 2, done)
                self.assertIn(says, done.err)
                self.assertNotIn("s3cret", done.err + done.out)
                self.assertEqual(self.names(), {})
        self.complains("not a JSON object", finished=self.feed('["s3cret"]', "vault", "import", "-", "--format=json"))
        self.complains("no-such-file", finished=self.weir("vault", "import", "no-such-file"))
        self.complains("cannot name an entry", finished=self.feed("A=1", "vault", "import", "-", "--prefix", "a b/"))
        self.complains("--format", finished=self.feed("A=1", "vault", "import", "-", "--format", "yaml"))

    def test_options_that_do_not_go_together(self):
        self.complains("exclude one another", finished=self.weir("vault", "init", "--passphrase", "--keyring"))
        self.complains("exclude one another", finished=self.weir("vault", "rekey", "--systemd-credential", "--keyring"))
        self.complains("--key-out belongs to", finished=self.weir("vault", "init", "--key-out", "x"))
        self.done(self.weir("vault", "init"))
        self.complains("there is a vault already", finished=self.weir("vault", "init"))
        self.complains("there is a vault already", finished=self.weir("vault", "init", "--systemd-credential", "--key-out", "x"))

    def test_status(self):
        self.assertEqual(self.status(), {"vault": self.store_file, "state": "none"})
        self.assertIn("none yet", self.weir("vault", "status").out)
        self.set("token", "x")
        self.assertEqual(self.status(), {"vault": self.store_file, "state": "whole", "entries": 1, "writes": 2,
                                         "key": {"kind": "key-file", "file": os.path.join(self.config, "weir/vault.key")}})
        os.chmod(self.store_file, 0o644)
        done = self.weir("vault", "status")
        self.assertIn("state    whole", done.out)
        self.assertIn("chmod 600", done.err)
        self.write(self.store_file, "{}")
        done = self.weir("vault", "status")
        self.assertEqual(done.status, 1, done)
        self.assertIn("is not a weir vault", done.err)

    def test_rekey_asks_for_the_new_passphrase_twice(self):
        self.set("token", "s3cret")
        for first, second, says, code in (("short", "short", "shorter than 8", 2), ("long enough", "long enouhg", "differ", 2),
                                          (PASSPHRASE, PASSPHRASE, "encrypted anew", 0)):
            terminal = self.terminal(*self.weir_command("vault", "rekey", "--passphrase"))
            terminal.expect("New passphrase for weir's vault: ")
            terminal.type(first + "\r")
            terminal.expect("Once more: ")
            terminal.type(second + "\r")
            seen, status = terminal.end()
            self.assertEqual(status, code, seen)
            self.assertIn(says, seen)
        self.environment["WEIR_VAULT_PASSPHRASE_FILE"] = self.write("passphrase", PASSPHRASE, folder=self.root, mode=0o600)
        self.gives("s3cret")

    def test_no_help_lacks_a_key_kind(self):
        for verb in ("init", "rekey"):
            shown = self.weir("vault", verb, "--help").out
            for option in ("--passphrase", "--keyring", "--systemd-credential", "--key-out"):
                self.assertIn(option, shown)


if __name__ == "__main__":
    main()
