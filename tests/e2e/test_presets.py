"""Presets: the real package managers, configured for stand-in registries, with a policy that says no more than `use: [npm]`."""

import functools
import glob
import json
import os
import shutil
import subprocess
import unittest

from harness import PATH, PYTHON, WeirTest, also_as_ordinary_user, main
from standins.git_server import GitServer
from standins.registries import (CRATE, add_apt_repository, add_cargo_downloads, add_cargo_index, add_go_proxy,
                                 add_npm_registry, add_simple_index, crate_entry)
from standins.server import not_found

GO = shutil.which("go") or next(iter(glob.glob("/usr/local/go/bin/go")), None)


@functools.cache
def real_cargo():
    """cargo itself, where what PATH has may be rustup's stand-in for it."""
    found = shutil.which("cargo") or next(iter(glob.glob(os.path.expanduser("~/.cargo/bin/cargo"))), None)
    rustup = found and os.path.join(os.path.dirname(found), "rustup")
    if rustup and os.path.exists(rustup):
        done = subprocess.run([rustup, "which", "cargo"], capture_output=True, text=True, cwd="/", check=False)
        return done.stdout.strip() or None
    return found


def need(program, what):
    return unittest.skipUnless(program, f"{what} is not installed")


class PresetTest(WeirTest):
    def show(self, preset, **more):
        done = self.weir("policy", "show", preset, **more)
        self.assertEqual(done.status, 0, done)
        return done.out

    def registry(self, name):
        """A server that has nothing yet."""
        return self.https(name, routes={"/": not_found})

    def configure(self, name, text):
        """A file of the user's own configuration, and the option that shows it inside."""
        path = os.path.join(self.home, name)
        folder = self.home
        for part in os.path.dirname(name).split("/"):
            folder = os.path.join(folder, part)
            if not os.path.isdir(folder):
                os.mkdir(folder, 0o700)
                os.chown(folder, self.uid, self.gid)
        self.write(name, text, folder=self.home)
        return ("--mount", f"ro:{path}")

    def assert_denied_inside(self, method, url, code, *options):
        """A request by hand, whatever the tool itself would do."""
        done = self.run_inside("curl", "-sS", "-i", "-X", method, "-d", "x", url, options=options)
        self.assertIn(f"deny {code}", done.out, done)


@also_as_ordinary_user
@need(shutil.which("npm"), "npm")
class Npm(PresetTest):
    def setUp(self):
        super().setUp()
        self.npm, self.corp = self.registry("npm.test.example"), self.registry("corp.test.example")
        add_npm_registry(self.npm, "npm.test.example")
        add_npm_registry(self.corp, "corp.test.example", prefix="/npm", scope="corp")
        self.policy("use: [npm]", npm=self.npm, corp=self.corp)
        self.shown = self.configure(".npmrc", """
            registry=https://npm.test.example/
            @corp:registry=https://reader:hunter2@corp.test.example/npm/
            //npm.test.example/:_authToken=hunter3
        """)
        self.write("package.json", '{"name": "p", "version": "1.0.0"}')

    def test_npm_installs_from_the_registries_that_it_is_configured_for(self):
        done = self.run_inside("npm", "install", "--no-fund", "@weir/sample", "@corp/sample", options=self.shown, deadline=120)
        self.assertEqual(done.status, 0, done)
        for scope in ("weir", "corp"):
            self.assertTrue(os.path.exists(os.path.join(self.project, f"node_modules/@{scope}/sample/index.js")), done)
        # The audit is a POST. It is refused, and npm does without.
        self.assert_recorded_denial(done, "no_rule", method="POST", host="npm.test.example")
        self.assertNotIn("POST", [request.method for request in self.npm.requests])

    def test_npm_may_not_publish(self):
        done = self.run_inside("npm", "publish", options=self.shown, deadline=120)
        self.assertNotEqual(done.status, 0, done)
        self.assert_recorded_denial(done, "no_rule", method="PUT", host="npm.test.example", path="/p")
        self.assertNotIn("PUT", [request.method for request in self.npm.requests])

    def test_a_projects_configuration_opens_nothing(self):
        self.write(".npmrc", "registry=https://evil.test.example/\n@evil:registry=https://evil.test.example/\n")
        text = self.show("npm")
        self.assertIn("npm.test.example", text)
        self.assertNotIn("evil", text)
        done = self.run_inside("npm", "view", "anything", "--fetch-retries=0", options=self.shown)
        self.assertNotEqual(done.status, 0, done)
        self.assertTrue(done.of("dns.query", name="evil.test.example", verdict="refused"), done)

    def test_what_is_shown_says_what_was_found_and_holds_no_password(self):
        text = self.show("npm")
        for part in ("npm config list", "registry of @corp", "https://corp.test.example/npm/", '"/npm/**"'):
            self.assertIn(part, text)
        done = self.weir("policy", "show", self.policy_file)
        self.assertIn("# --- what `use: [npm]` brings in ---", done.out, done)
        everything = text + done.out + done.err
        self.assertNotIn("hunter", everything)
        self.assertNotIn("reader", everything)

    def test_every_verb_knows_the_preset(self):
        done = self.weir("policy", "check", self.policy_file)
        self.assertEqual(done.status, 0, done)
        done = self.weir("policy", "explain", self.policy_file, "GET", "https://npm.test.example/@weir%2fsample")
        self.assertEqual(done.status, 0, done)
        done = self.weir("policy", "explain", self.policy_file, "PUT", "https://npm.test.example/p")
        self.assertEqual(done.status, 3, done)
        self.assertIn("npm ", self.weir("policy", "presets").out)
        self.assertIn("npm.test.example", json.loads(self.weir("policy", "show", "npm", "--json").out)["text"])

    def test_a_variable_of_the_users_counts(self):
        text = self.show("npm", environment={"npm_config_registry": "https://elsewhere.test.example/"})
        self.assertIn("elsewhere.test.example", text)
        self.assertNotIn('"npm.test.example"', text)

    def test_variables_that_npm_run_hands_on_do_not_count(self):
        self.write(".npmrc", "registry=https://evil.test.example/\n")
        program = self.weir_command()[-1]
        self.write("package.json", json.dumps({"name": "p", "version": "1.0.0", "scripts": {"x": f"{program} policy show npm"}}))
        process = subprocess.run(self.as_user(["npm", "run", "--silent", "x"]), cwd=self.project, env=self.environment,
                                 capture_output=True, text=True, check=False)
        self.assertEqual(process.returncode, 0, process)
        self.assertIn("npm.test.example", process.stdout)
        self.assertNotIn("evil", process.stdout)


@also_as_ordinary_user
class Pip(PresetTest):
    INSTALL = [PYTHON, "-m", "pip", "install", "--no-cache-dir", "--disable-pip-version-check", "--target", "lib", "weir-sample"]

    def setUp(self):
        super().setUp()
        self.server = self.registry("index.test.example")
        add_simple_index(self.server, prefix="/pip")
        self.policy("use: [pip]", index=self.server)
        self.shown = self.configure(".pip/pip.conf", "[global]\nindex-url = https://u:hunter2@index.test.example/pip/simple/\n")

    def test_pip_installs_from_the_index_that_it_is_configured_for(self):
        done = self.run_inside(*self.INSTALL, options=self.shown, deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(os.path.exists(os.path.join(self.project, "lib/weir_sample.py")), done)

    def test_uploads_and_the_rest_of_the_host_are_denied(self):
        self.assert_denied_inside("POST", "https://index.test.example/pip/legacy/", "no_rule")
        self.assert_denied_inside("GET", "https://index.test.example/private", "no_rule")
        self.assertEqual(self.server.requests, [])

    def test_a_projects_configuration_opens_nothing(self):
        self.write("pip.conf", "[global]\nindex-url = https://evil.test.example/simple/\n")
        for name, value in {"PIP_CONFIG_FILE": os.path.join(self.project, "pip.conf"), "PYTHONPATH": self.project}.items():
            text = self.show("pip", environment={name: value})
            self.assertIn("index.test.example", text)
            self.assertNotIn("evil", text)
            self.assertIn(name, text)
            self.assertNotIn("hunter2", text)

    def test_without_configuration_it_is_the_index_built_into_pip(self):
        self.configure(".pip/pip.conf", "")
        text = self.show("pip")
        self.assertNotIn("test.example", text)
        self.assertEqual(text.count("hosts:"), 2, text)  # the index and the host of its files
        self.assertEqual(self.weir("policy", "check", self.policy_file).status, 0)


@also_as_ordinary_user
@need(GO, "go")
class Go(PresetTest):
    MODULE = "sample.test/weir"

    def setUp(self):
        super().setUp()
        self.server = self.registry("go.test.example")
        add_go_proxy(self.server, prefix="/mirror")
        self.policy("use: [go]", go=self.server)
        self.environment["PATH"] = os.path.dirname(GO) + ":" + PATH
        text = "GOPROXY=https://go.test.example/mirror,direct\nGOSUMDB=off\nGOTOOLCHAIN=local\n"
        os.mkdir(os.path.join(self.config, "go"))
        self.own(self.config)
        self.write("go/env", text, folder=self.config)  # where go looks with XDG_CONFIG_HOME, which is not passed on
        self.shown = self.configure(".config/go/env", text)
        self.write("go.mod", "module probe\n\ngo 1.16\n")

    def test_go_downloads_modules_from_the_proxy_that_it_is_configured_for(self):
        done = self.run_inside(GO, "mod", "download", "-json", f"{self.MODULE}@v1.0.0", options=self.shown, deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertIn(f"/mirror/{self.MODULE}/@v/v1.0.0.zip", self.server.paths())

    def test_what_the_proxy_does_not_have_is_not_fetched_from_elsewhere(self):
        done = self.run_inside(GO, "mod", "download", "other.test.example/x@v1.0.0", options=self.shown, deadline=120)
        self.assertNotEqual(done.status, 0, done)
        self.assertTrue(done.of("dns.query", name="other.test.example", verdict="refused"), done)
        self.assertIn("direct", self.show("go"))

    def test_a_projects_configuration_opens_nothing(self):
        path = self.write("go.env", "GOPROXY=https://evil.test.example\n")
        self.write(".env", "GOPROXY=https://evil.test.example\n")
        text = self.show("go", environment={"GOENV": path})
        self.assertIn("go.test.example", text)
        self.assertNotIn("evil", text)


@also_as_ordinary_user
@need(real_cargo(), "cargo")
class Cargo(PresetTest):
    def setUp(self):
        super().setUp()
        self.index, self.downloads = self.registry("crates.test.example"), self.registry("dl.test.example")
        add_cargo_index(self.index, "https://dl.test.example/crates", api="https://crates.test.example")
        add_cargo_downloads(self.downloads)
        self.policy("use: [cargo]", crates=self.index, dl=self.downloads)
        tools = self.folder("tools")
        os.chmod(tools, 0o755)
        self.cargo = os.path.join(tools, "cargo")
        shutil.copy(real_cargo(), self.cargo)
        self.environment["PATH"] = tools + ":" + PATH
        config = self.configure(".cargo/config.toml", """
            [source.crates-io]
            replace-with = "corp"
            [registries.corp]
            index = "sparse+https://crates.test.example/index/"
        """)
        self.shown = (*config, "--mount", f"ro:{tools}")
        # How weir's own question finds the stand-in: curl's configuration, as a user behind a company's proxy would have one.
        self.configure(".curlrc", f'cacert = "{self.authority.certificate_file}"\n'
                                  f'connect-to = "crates.test.example:443:{self.index.address}"\n')
        os.mkdir(os.path.join(self.project, "src"))
        self.write("src/lib.rs", "")
        self.write("Cargo.toml", f'[package]\nname = "p"\nversion = "1.0.0"\n[dependencies]\n{CRATE} = "1"\n')
        self.own(self.project)

    def test_cargo_fetches_from_the_registry_that_it_is_configured_for(self):
        # `vendor` rather than `fetch`, which asks the compiler about itself first.
        done = self.run_inside(self.cargo, "vendor", "--quiet", "--respect-source-config", options=self.shown, deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(os.path.exists(os.path.join(self.project, f"vendor/{CRATE}/src/lib.rs")), done)

    def test_cargo_may_not_publish(self):
        self.write("Cargo.toml", '[package]\nname = "p"\nversion = "1.0.0"\nedition = "2018"\nlicense = "MIT"\ndescription = "p"\n')
        done = self.run_inside(self.cargo, "publish", "--registry", "corp", "--token", "t", "--no-verify", "--allow-dirty",
                               options=self.shown, deadline=120)
        self.assertNotEqual(done.status, 0, done)
        self.assert_recorded_denial(done, "no_rule", method="PUT", path="/api/v1/crates/new")

    def test_publishing_by_hand_is_denied(self):
        self.assert_denied_inside("PUT", "https://crates.test.example/api/v1/crates/new", "no_rule")
        self.assert_denied_inside("PUT", "https://crates.test.example/index/api/v1/crates/new", "no_rule")

    def test_an_index_in_git_lets_that_repository_be_fetched_and_tells_where_crates_are(self):
        git = GitServer(self.standins_folder)
        git.publish("registry/index", {"config.json": json.dumps({"dl": "https://dl.test.example/crates/{crate}/{version}/download"}),
                                       f"{CRATE[:2]}/{CRATE[2:4]}/{CRATE}": crate_entry()})
        forge = self.https("forge.test.example", routes={"/": git})
        self.policy("use: [cargo]", forge=forge, dl=self.downloads)
        # git's own way to say where a host is keeps the port, so the index is at the stand-in's.
        url = f"https://forge.test.example:{forge.port}/registry/index"
        config = self.configure(".cargo/config.toml", f'''
            [source.crates-io]
            replace-with = "corp"
            [source.corp]
            registry = "{url}"
        ''')
        self.configure(".gitconfig", f'''
            [http]
                sslCAInfo = {self.authority.certificate_file}
                curloptResolve = forge.test.example:{forge.port}:127.0.0.1
        ''')
        text = self.show("cargo")
        self.assertIn("/registry/index/git-upload-pack", text)
        self.assertIn("https://dl.test.example/crates/", text)
        done = self.run_inside(self.cargo, "vendor", "--quiet", "--respect-source-config", options=(*config, *self.shown[2:]), deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(os.path.exists(os.path.join(self.project, f"vendor/{CRATE}/src/lib.rs")), done)
        done = self.run_inside("git", "ls-remote", f"https://forge.test.example:{forge.port}/org/project.git")
        self.assertNotEqual(done.status, 0, done)

    def test_a_projects_configuration_opens_nothing(self):
        os.mkdir(os.path.join(self.project, ".cargo"))
        self.write(".cargo/config.toml", '[registries.evil]\nindex = "sparse+https://evil.test.example/"\n')
        text = self.show("cargo")
        self.assertIn("https://crates.test.example/index/", text)
        self.assertIn("https://dl.test.example/crates", text)
        self.assertNotIn("evil", text)
        done = self.weir("policy", "show", "cargo", environment={"CARGO_HOME": os.path.join(self.project, ".cargo")})
        self.assertNotIn("evil", done.out)

    def test_an_index_that_cannot_be_asked_is_said(self):
        self.configure(".curlrc", 'connect-to = "crates.test.example:443:127.0.0.1:1"\n')
        text = self.show("cargo")
        self.assertIn("https://crates.test.example/index/", text)
        self.assertIn("# Not here: where crates are downloaded from", text)
        self.assertNotIn("dl.test.example", text)

    def test_without_configuration_it_is_the_index_built_into_cargo(self):
        self.configure(".cargo/config.toml", "")
        self.configure(".curlrc", 'proxy = "http://127.0.0.1:1"\n')  # nothing leaves this host
        text = self.show("cargo", environment={"https_proxy": "http://127.0.0.1:1"})
        self.assertNotIn("test.example", text)
        self.assertEqual(text.count("hosts:"), 1, text)
        self.assertEqual(self.weir("policy", "check", self.policy_file).status, 0)


@also_as_ordinary_user
@need(shutil.which("apt-get") and shutil.which("dpkg-deb"), "apt")
class Apt(PresetTest):
    def setUp(self):
        super().setUp()
        self.server = self.http(routes={"/": not_found})
        add_apt_repository(self.server, self.standins_folder)
        self.policy("use: [apt]", apt=self.server)
        sources = self.configure("sources.list", "deb [trusted=yes] http://apt.test.example/debian stable main\n")
        lists = os.path.join(self.project, "apt")
        for folder in ("state/lists/partial", "cache/archives/partial", "log"):
            os.makedirs(os.path.join(lists, folder))
        self.write("status", "", folder=os.path.join(lists, "state"))
        self.own(self.project)
        config = self.configure("apt.conf", f"""
            Dir::Etc::sourcelist "{self.home}/sources.list";
            Dir::Etc::sourceparts "-";
            Dir::State "{lists}/state";
            Dir::State::status "{lists}/state/status";
            Dir::Cache "{lists}/cache";
            Dir::Log "{lists}/log";
            APT::Sandbox::User "root";
        """)
        self.environment["APT_CONFIG"] = os.path.join(self.home, "apt.conf")
        self.shown = (*sources, *config, "--env", "APT_CONFIG")

    def test_apt_updates_and_downloads_from_its_sources(self):
        done = self.run_inside("sh", "-ec", "apt-get -q update && apt-get -q download weir-sample", options=self.shown, deadline=120)
        self.assertEqual(done.status, 0, done)
        self.assertTrue(os.path.exists(os.path.join(self.project, "weir-sample_1.0_all.deb")), done)

    def test_only_the_repository_can_be_read(self):
        self.assert_denied_inside("GET", "http://apt.test.example/private", "no_rule")
        self.assert_denied_inside("POST", "http://apt.test.example/debian/x", "no_rule")
        done = self.run_inside("curl", "-sS", "http://outside.test.example/")
        self.assertTrue(done.of("dns.query", name="outside.test.example", verdict="refused"), done)

    def test_sources_in_the_project_are_refused(self):
        path = self.write("apt.conf", f'Dir::Etc::sourcelist "{self.project}/sources.list";\n', folder=self.home)
        self.write("sources.list", "deb http://evil.test.example/debian stable main\n")
        done = self.weir("policy", "show", "apt", environment={"APT_CONFIG": path})
        self.assertEqual(done.status, 2, done)
        self.assertIn("where a sandbox can write", done.err)


@also_as_ordinary_user
class GitClone(PresetTest):
    def setUp(self):
        super().setUp()
        self.git = GitServer(self.standins_folder)
        self.server = self.https("github.com", routes={"/": self.git})
        self.policy("use: [git-clone]", resolve={"github.com": self.server})

    def test_git_clones(self):
        done = self.run_inside("sh", "-ec", "git clone -q https://github.com/org/project.git copy && cat copy/README")
        self.assertEqual((done.status, done.out), (0, "a project\n"), done)

    def test_a_push_is_denied_at_its_first_request(self):
        done = self.run_inside("sh", "-ec", """
            git clone -q https://github.com/org/project.git copy && cd copy
            git config user.name t && git config user.email t@test.example
            echo more >> README && git commit -q -am "Add more" && git push -q origin HEAD:topic
        """)
        self.assertNotEqual(done.status, 0, done)
        self.assertNotIn("topic", self.git.branches())
        self.assert_recorded_denial(done, "rule_denies", method="GET", path="/org/project.git/info/refs")
        self.assertFalse([request.target for request in self.server.requests if "receive-pack" in request.target])


@also_as_ordinary_user
class Missing(PresetTest):
    def test_a_tool_that_is_not_there_is_an_error_with_its_place(self):
        self.policy("use: [cargo]")
        tools = self.folder("tools")
        os.chmod(tools, 0o755)
        os.symlink(shutil.which("setpriv"), os.path.join(tools, "setpriv"))  # by which the test becomes the ordinary user
        for wrong in (["policy", "check", self.policy_file], ["run", "--policy", self.policy_file, "--", "true"]):
            done = self.weir(*wrong, environment={"PATH": tools})
            self.assertNotEqual(done.status, 0, done)
            self.assertIn("policy.yaml:2:7", done.out + done.err)
            self.assertIn("preset `cargo`: cargo is not installed on this host (install it, or write rules for its hosts)", done.out + done.err)


if __name__ == "__main__":
    main()
