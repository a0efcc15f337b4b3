"""What the end-to-end tests share: a test case with a project folder, a policy, stand-ins, and the real program.

Environment: WEIR (the program; by default the release build's), WEIR_SANITIZE (of the build under test),
WEIR_TEST_USER (an ordinary user to run as when the tests run as root; by default weir-test)."""

import functools
import glob
import json
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
WEIR = os.environ.get("WEIR", os.path.join(ROOT, "build/release/weir"))
SANITIZED = bool(os.environ.get("WEIR_SANITIZE"))
PATIENCE = 3 if SANITIZED else 1  # sanitised programs are slow; deadlines stretch by this
PYTHON = "/usr/bin/python3"
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

sys.path.insert(0, HERE)
from standins.authority import Authority  # noqa: E402
from standins.server import Server, echo  # noqa: E402


def ordinary_user():
    """The ordinary user to run as; None when there is none or the tests do not run as root."""
    if os.getuid() != 0:
        return None
    try:
        return pwd.getpwnam(os.environ.get("WEIR_TEST_USER", "weir-test"))
    except KeyError:
        return None


def also_as_ordinary_user(case):
    """Class decorator: the same tests once more with weir started by an ordinary user, when we are root. Sanitisers look for mistakes
    that do not depend on who starts weir: once is enough for them, as the user who is more confined."""
    if os.getuid() == 0 and SANITIZED and ordinary_user() is not None:
        case.AS_ORDINARY_USER = True
    elif os.getuid() == 0:
        twin = type(case.__name__ + "AsOrdinaryUser", (case,), {"AS_ORDINARY_USER": True, "__doc__": case.__doc__})
        twin.__module__ = case.__module__
        sys.modules[case.__module__].__dict__[twin.__name__] = twin
    return case


def wait_until(condition, what, deadline=20.0):
    """Polls until `condition()` is true and gives its value."""
    end = time.monotonic() + deadline * PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain for: {what}")
        time.sleep(0.01)


@functools.cache
def program_for(uid):
    """A path to the program that `uid` can execute: a copy in /tmp when the checkout is closed to others."""
    if uid == os.getuid():
        return WEIR
    path = WEIR
    while path != "/":
        if not os.stat(path).st_mode & 0o001:
            folder = tempfile.mkdtemp(prefix="weir-program-")
            for part in (WEIR, *(os.path.join(os.path.dirname(WEIR), name) for name in ("weir-init", "weir-proxy"))):
                shutil.copy2(part, folder)
            os.chmod(folder, 0o755)
            return os.path.join(folder, os.path.basename(WEIR))
        path = os.path.dirname(path)
    return WEIR


class Finished:
    """A weir that has ended: its status, output, and the events of its session (none when it made no session)."""

    def __init__(self, status, out, err, events):
        self.status, self.out, self.err, self.events = status, out, err, events

    @property
    def report(self):
        """What the code inside handed to report()."""
        for line in reversed(self.out.splitlines()):
            if line.startswith("{"):
                return json.loads(line)
        raise AssertionError(f"no report from inside\n{self}")

    def of(self, kind, **data):
        """The data of the events of a type whose fields are as given."""
        return [e["data"] for e in self.events
                if e["type"] == kind and all(e["data"].get(k) == v for k, v in data.items())]

    def __str__(self):
        lines = "\n".join(json.dumps({"seq": e["seq"], "type": e["type"], **e["data"]}) for e in self.events[-60:])
        return (f"--- status {self.status}\n--- stdout\n{self.out[-6000:]}\n--- stderr\n{self.err[-6000:]}\n"
                f"--- events\n{lines}")


class Running:
    """A weir in the background."""

    def __init__(self, case, process, state):
        self.case, self.process, self.state = case, process, state

    @property
    def pid(self):
        return self.process.pid

    def events(self):
        return read_events(self.state)

    def wait_for_event(self, kind, **data):
        def found():
            return [e["data"] for e in self.events()
                    if e["type"] == kind and all(e["data"].get(k) == v for k, v in data.items())]
        try:
            return wait_until(found, f"event {kind} {data}")[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{[(e['type'], e['data']) for e in self.events()]}") from None

    def descendant(self, name):
        """The pid of the process called `name` (comm) below this weir."""
        return wait_until(lambda: find_descendant(self.pid, name), f"a process {name} below {self.pid}")

    def proxy(self):
        return self.descendant("weir-proxy")

    def reached(self, name, deadline=20):
        """Waits until the script inside is at sync(name)."""
        mark = os.path.join(self.case.project, name + ".reached")
        try:
            wait_until(lambda: os.path.exists(mark) or self.process.poll() is not None, name, deadline)
        finally:
            if not os.path.exists(mark):
                if self.process.poll() is None:
                    self.process.kill()
                raise AssertionError(f"the script did not reach {name}\n{self.finish()}")

    def go(self, name):
        """Lets the script inside go on from sync(name)."""
        self.case.write(name + ".go", "")

    def finish(self, deadline=60):
        try:
            out, err = self.process.communicate(timeout=deadline * PATIENCE)
        except subprocess.TimeoutExpired:
            tree = process_tree(self.pid)
            self.process.kill()
            out, err = self.process.communicate()
            done = Finished("killed by the test: it did not end", out, err, self.events())
            raise AssertionError(f"weir did not end\n{tree}\n{done}") from None
        return Finished(self.process.returncode, out, err, self.events())


def sessions(state):
    return sorted(glob.glob(os.path.join(state, "weir/sessions/ses_*")))


def read_events(state, session=None):
    """All complete events of the newest session under an XDG_STATE_HOME."""
    directory = session or (sessions(state) or [None])[-1]
    events = []
    for segment in sorted(glob.glob(os.path.join(directory, "*.jsonl"))) if directory else []:
        with open(segment, encoding="utf-8") as file:
            for line in file:
                try:
                    events.append(json.loads(line))
                except ValueError:
                    pass  # half-written, or spoilt by a test
    return [event for event in events if "data" in event]


def processes():
    """pid → (parent, comm) of all processes."""
    found = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="latin-1") as file:
                    text = file.read()
            except OSError:
                continue
            comm, rest = text[text.index("(") + 1:text.rindex(")")], text[text.rindex(")") + 2:].split()
            if rest[0] != "Z":
                found[int(entry)] = (int(rest[1]), comm)
    return found


def descendants(pid):
    table, found, queue = processes(), [], [pid]
    while queue:
        parent = queue.pop()
        children = [child for child, (of, _) in table.items() if of == parent]
        found += [(child, table[child][1]) for child in children]
        queue += children
    return found


def find_descendant(pid, name):
    for child, comm in descendants(pid):
        if comm == name:
            return child
    return None


def process_tree(pid):
    return f"processes below {pid}: {descendants(pid)}"


def memory_kib(pid, field):
    """A field of /proc/PID/status in KiB: VmHWM, VmRSS, RssAnon."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        for line in file:
            if line.startswith(field + ":"):
                return int(line.split()[1])
    raise KeyError(field)


class WeirTest(unittest.TestCase):
    """A folder of its own for each test: project/ (the working folder inside), home/, state/, config/, data/."""

    AS_ORDINARY_USER = False
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if not os.access(WEIR, os.X_OK):
            raise AssertionError(f"there is no program at {WEIR}: build it, or say where it is with WEIR=")
        if cls.AS_ORDINARY_USER and ordinary_user() is None:
            raise unittest.SkipTest("no ordinary user: useradd --system --create-home weir-test")

    def setUp(self):
        self.user = ordinary_user() if self.AS_ORDINARY_USER else None
        self.uid = self.user.pw_uid if self.user else os.getuid()
        self.gid = self.user.pw_gid if self.user else os.getgid()
        self.root = tempfile.mkdtemp(prefix="weir-e2e-")
        self.addCleanup(shutil.rmtree, self.root, ignore_errors=True)
        self.home, self.project, self.state = self.folder("home"), self.folder("project"), self.folder("state")
        self.config, self.data = self.folder("config"), self.folder("data")
        self.standins_folder = self.folder("standins")
        os.chmod(self.root, 0o755)
        os.chmod(self.standins_folder, 0o755)
        self.authority = Authority(self.standins_folder)
        shutil.copy(os.path.join(HERE, "inside.py"), self.project)
        self.own(self.project)
        self.policy_file = None
        self.environment = {
            "HOME": self.home, "PATH": PATH, "LANG": "C.UTF-8", "TERM": "xterm-256color",
            "XDG_STATE_HOME": self.state, "XDG_CONFIG_HOME": self.config, "XDG_DATA_HOME": self.data,
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS"):
            if name in os.environ:
                self.environment[name] = os.environ[name]

    def folder(self, name):
        path = os.path.join(self.root, name)
        os.mkdir(path, 0o700)
        os.chown(path, self.uid, self.gid)
        return path

    def own(self, path):
        for at, folders, files in os.walk(path):
            for name in [at] + [os.path.join(at, n) for n in folders + files]:
                os.chown(name, self.uid, self.gid, follow_symlinks=False)

    def write(self, name, text, folder=None, mode=0o644):
        path = os.path.join(folder or self.project, name)
        with open(path, "w" if isinstance(text, str) else "wb") as file:
            file.write(textwrap.dedent(text) if isinstance(text, str) else text)
        os.chmod(path, mode)
        os.chown(path, self.uid, self.gid)
        return path

    # -- stand-ins and policy

    def https(self, *names, routes=None, **certificate):
        server = Server(self.authority.server_context(*names, **certificate), routes or {"/": echo})
        self.addCleanup(server.close)
        return server

    def http(self, routes=None):
        server = Server(None, routes or {"/": echo})
        self.addCleanup(server.close)
        return server

    def policy(self, body, **resolve):
        """Writes policy.yaml: `body` (YAML below `version: 1`), and where test names lead. Keyword arguments name
        servers: api="…" stands for api.test.example; full names go in `resolve={name: server}`."""
        names = resolve.pop("resolve", {})
        names.update({f"{name}.test.example": server for name, server in resolve.items()})
        lines = ", ".join(f'{name}: "{s if isinstance(s, str) else s.address}"' for name, s in names.items())
        text = (f"version: 1\n{textwrap.dedent(body)}\nupstream:\n  ca_file: {self.authority.certificate_file}\n"
                f"  resolve: {{{lines}}}\n")
        self.policy_file = self.write("policy.yaml", text, folder=self.root)
        return self.policy_file

    # -- the program

    def as_user(self, command):
        if not self.user:
            return list(command)
        return ["setpriv", f"--reuid={self.uid}", f"--regid={self.gid}", "--clear-groups", "--", *command]

    def weir_command(self, *arguments):
        return self.as_user([program_for(self.uid), *arguments])

    def weir(self, *arguments, deadline=60, stdin=subprocess.DEVNULL, **more):
        """Any verb, to its end."""
        return self.start(*arguments, stdin=stdin, **more).finish(deadline)

    def start(self, *arguments, stdin=subprocess.DEVNULL, environment=None, wrap=(), cwd=None):
        process = subprocess.Popen(
            [*wrap, *self.weir_command(*arguments)], stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**self.environment, **(environment or {})}, cwd=cwd or self.project, text=True, errors="replace")
        self.addCleanup(self.reap, process)
        return Running(self, process, self.state)

    def reap(self, process):
        if process.poll() is None:
            process.kill()
        process.communicate()

    def run_arguments(self, options):
        policy = ["--policy", self.policy_file] if self.policy_file else []
        return ["run", *policy, *options]

    def run_inside(self, *command, options=(), **more):
        """`weir run` of a command, to its end."""
        return self.weir(*self.run_arguments(options), "--", *command, **more)

    def start_inside(self, *command, options=(), **more):
        return self.start(*self.run_arguments(options), "--", *command, **more)

    def script(self, source, name="script.py"):
        """Python for the inside: `source` after `from inside import *`."""
        self.write(name, "from inside import *\n" + textwrap.dedent(source))
        return [PYTHON, "-u", name]

    def inside(self, source, **more):
        """Runs Python inside, expects it to end well, and gives the Finished (its `.report`)."""
        done = self.run_inside(*self.script(source), **more)
        self.assertEqual(done.status, 0, done)
        return done

    def start_python(self, source, **more):
        return self.start_inside(*self.script(source), **more)

    # -- what tests say often

    def assert_verdict(self, answer, status, code, done):
        """`answer` (from inside.Answer.as_dict) is a refusal in weir's form."""
        self.assertEqual(answer["status"], status, f"{answer}\n{done}")
        verdict = answer["headers"].get("x-weir-verdict", "")
        self.assertIn(code, verdict.split(), f"x-weir-verdict: {verdict}\n{answer}\n{done}")
        body = json.loads(answer["body"])["weir"]
        self.assertEqual(body["code"], code, f"{answer}\n{done}")
        self.assertTrue(body["message"], answer)
        for key in ("host", "rule") + (("how_to_allow",) if code in ("no_rule", "rule_denies") else ()):
            self.assertIn(key, body, answer)

    def assert_recorded_denial(self, done, code, **data):
        found = [d for d in done.of("egress.denied", **data) if d["code"] == code]
        self.assertTrue(found, f"no egress.denied with code {code} {data}\n{done}")
        self.assertTrue(found[0]["reason"], done)
        return found[0]


def main():
    unittest.main(verbosity=2)
