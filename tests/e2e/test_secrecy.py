"""Where a secret's bytes lie while it is used: nowhere but in locked memory of the processes that need it."""

import os
import re
import resource
import shutil
import signal
import subprocess
import unittest

from harness import SANITIZED, WeirTest, descendants, main, wait_until
from standins.server import keep

ROOT = os.geteuid() == 0


def regions(pid, undumped):
    """(start, end) of readable memory; `undumped`: also what core dumps leave out (VmFlags `dd`, proc(5))."""
    found, current = [], None
    with open(f"/proc/{pid}/smaps") as file:
        for line in file:
            head = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+) \S+ \S+ \S+\s*(.*)", line)
            if head:
                current = (int(head[1], 16), int(head[2], 16)) if head[3].startswith("r") and head[4] not in ("[vvar]", "[vsyscall]", "[vvar_vclock]") else None
            elif line.startswith("VmFlags:") and current and (undumped or " dd" not in line):
                found.append(current)
    return found


def memory_holds(pid, needles, undumped=True):
    """Those of the needles that stand somewhere in the process's memory."""
    held = set()
    with open(f"/proc/{pid}/mem", "rb", buffering=0) as memory:
        for start, end in regions(pid, undumped):
            if end - start > 1 << 32:
                continue  # a sanitizer's shadow
            try:
                memory.seek(start)
                data = memory.read(end - start) or b""
            except OSError:
                continue
            held |= {needle for needle in needles if needle in data}
    return held


@unittest.skipUnless(ROOT, "needs root to read other processes' memory")
@unittest.skipIf(SANITIZED, "a sanitizer keeps freed memory, and its shadow cannot be read")
class Memory(WeirTest):
    HEADER, BASIC, PLACED, SIGNED = (f"secret-{kind}-{os.urandom(12).hex()}" for kind in ("header", "basic", "placed", "signed"))

    def setUp(self):
        super().setUp()
        self.api = self.https("api.test.example", "basic.test.example", "placed.test.example", "aws.test.example", routes={"/": keep})
        self.secrets = [s.encode() for s in (self.HEADER, self.BASIC, self.PLACED, self.SIGNED)]

    def credentials(self):
        files = {name: self.write(name, value, folder=self.root, mode=0o600) for name, value in (
            ("header", self.HEADER), ("basic", self.BASIC), ("placed", self.PLACED), ("aws", f"AKIDEXAMPLE0\n{self.SIGNED}"))}
        self.policy(f"""
            credentials:
              header: {{from: "file:{files['header']}", hosts: [api.test.example], inject: {{header: X-Key, format: "{{secret}}"}}}}
              basic: {{from: "file:{files['basic']}", hosts: [basic.test.example], inject: {{basic: {{username: u, password: "{{secret}}"}}}}}}
              placed: {{from: "file:{files['placed']}", hosts: [placed.test.example], substitute: {{env: PLACED, shape: "p-{{random:30}}", in: [header, body]}}}}
              aws: {{from: "file:{files['aws']}", hosts: [aws.test.example], inject: {{aws_sigv4: {{region: eu-central-1, service: execute-api}}}}}}
            rules:
              - hosts: ["*.test.example"]
            """, resolve={f"{n}.test.example": self.api for n in ("api", "basic", "placed", "aws")})

    USE = """
        key = os.environ["PLACED"]
        for n in range(5):
            report(s=[get("/", host="api.test.example")["status"], get("/", host="basic.test.example")["status"],
                      ask(request("POST", "/", host="placed.test.example", headers=[("Content-Type", "application/json"), ("X-K", key)],
                          body=json.dumps({"k": key})), host="placed.test.example")["status"],
                      ask(request("POST", "/", host="aws.test.example", body="{}"), host="aws.test.example")["status"]])
        sync("used")
    """

    def used(self):
        self.credentials()
        running = self.start_python(self.USE)
        running.reached("used")
        sent = b"".join(r.raw_head + r.body for r in self.api.requests)
        for secret in (self.HEADER.encode(), self.PLACED.encode()):
            self.assertIn(secret, sent)
        return running

    def test_G2_no_process_inside_ever_holds_a_secret(self):
        running = self.used()
        proxy = running.proxy()
        inside = [p for p, _ in descendants(running.pid) if p != proxy]
        self.assertGreaterEqual(len(inside), 2)
        for pid in inside:
            self.assertEqual(memory_holds(pid, self.secrets), set(), f"process {pid}")
        running.go("used")
        done = running.finish()
        self.assertEqual(done.status, 0, done)

    def test_the_test_can_find_them(self):
        running = self.used()
        self.assertEqual(memory_holds(running.proxy(), self.secrets), set(self.secrets), "in the proxy's locked memory")
        running.go("used")
        running.finish()

    def test_G2_what_a_core_dump_would_hold_has_none(self):
        running = self.used()
        for pid in (running.proxy(), running.pid):
            self.assertEqual(memory_holds(pid, self.secrets, undumped=False), set(), f"process {pid}")
        running.go("used")
        running.finish()

    @unittest.skipUnless(shutil.which("gcore"), "needs gdb")
    def test_G2_a_core_that_is_forced_has_none(self):
        running = self.used()
        for pid in (running.proxy(), running.pid):
            subprocess.run(["gcore", "-o", os.path.join(self.root, "core"), str(pid)], check=True, capture_output=True, timeout=120)
            with open(os.path.join(self.root, f"core.{pid}"), "rb") as file:
                core = file.read()
            self.assertGreater(len(core), 1 << 16)
            self.assertEqual([s for s in self.secrets if s in core], [], f"process {pid}")
        running.go("used")
        running.finish()

    def test_G2_a_crash_leaves_no_core(self):
        self.credentials()
        where = self.folder("cores")
        running = self.start_python(self.USE, wrap=("prlimit", "--core=unlimited", "--"), cwd=self.project)
        running.reached("used")
        proxy = running.proxy()
        with open(f"/proc/{proxy}/limits") as file:
            core, = [line for line in file if line.startswith("Max core file size")]
        self.assertEqual(core.split()[4:6], ["0", "0"])
        os.kill(proxy, signal.SIGABRT)
        running.wait_for_event("proxy.failed")
        running.go("used")
        done = running.finish()
        left = [os.path.join(at, n) for top in (self.root, where) for at, _, files in os.walk(top) for n in files if n.startswith("core")]
        self.assertEqual(left, [], done)

    def test_G2_nothing_on_disk_or_in_what_is_said_holds_one(self):
        running = self.used()
        running.go("used")
        done = running.finish()
        own = {os.path.join(self.root, n) for n in ("header", "basic", "placed", "aws")}
        for at, _, files in os.walk(self.root):
            for name in files:
                path = os.path.join(at, name)
                if path in own or not os.path.isfile(path):
                    continue
                with open(path, "rb") as file:
                    data = file.read()
                self.assertEqual([s for s in self.secrets if s in data], [], path)
        for secret in self.secrets:
            self.assertNotIn(secret.decode(), done.out + done.err)

    def test_G5_a_sandboxs_proxy_never_gets_anothers_secret(self):
        self.credentials()
        apart = self.policy_file + ".first"
        os.rename(self.policy_file, apart)
        self.policy_file = apart
        first = self.start_python(self.USE)
        first.reached("used")
        other = f"secret-other-{os.urandom(12).hex()}"
        file = self.write("other", other, folder=self.root, mode=0o600)
        self.policy(f"""
            credentials:
              other: {{from: "file:{file}", hosts: [api.test.example], inject: {{header: X-Key, format: "{{secret}}"}}}}
            rules: [{{hosts: ["*.test.example"]}}]
            """, resolve={"api.test.example": self.api})
        second = self.start_python('get("/"); sync("second")')
        second.reached("second")
        everything = [*self.secrets, other.encode()]
        self.assertEqual(memory_holds(first.proxy(), everything), set(self.secrets))
        self.assertEqual(memory_holds(second.proxy(), everything), {other.encode()})
        for running, name in ((first, "used"), (second, "second")):
            running.go(name)
            running.finish()

    def test_G5_before_the_first_request_the_proxy_has_none(self):
        self.credentials()
        running = self.start_python('sync("idle"); get("/"); sync("used")')
        running.reached("idle")
        self.assertEqual(memory_holds(running.proxy(), self.secrets), set())
        running.go("idle")
        running.reached("used")
        self.assertEqual(memory_holds(running.proxy(), [self.secrets[0]]), {self.secrets[0]})
        running.go("used")
        running.finish()


if __name__ == "__main__":
    main()
