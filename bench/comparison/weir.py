"""weir as one of the products, and the figures that only weir has: start-up and memory of a sandbox."""

import json
import os
import shutil
import statistics
import subprocess
import time

from .ground import NAME, TOKEN
from .processes import Problem, cpu_seconds, descendants, name_of, private_bytes
from .products import Load, Product, cpu_option


class Weir(Product):
    """The load generator runs inside the sandbox, so what is measured includes the way out of it."""

    name = "weir"

    def __init__(self, ground, program):
        super().__init__(ground)
        self.program = program

    def run_command(self, *command):
        policy = self.ground.path("weir.yaml")
        if not os.path.exists(policy):  # once: a sandbox that runs would notice a changed file, and one that starts half of it
            self.ground.write("weir.yaml", f"""\
version: 1
credentials:
  token:
    from: env:BENCH_TOKEN
    hosts: [{NAME}]
    inject: {{header: Authorization, format: "Bearer {{secret}}"}}
rules:
  - name: bench
    hosts: [{NAME}]
upstream:
  ca_file: {self.ground.path('ca.pem')}
  resolve: {{{NAME}: "127.0.0.1:{self.ground.upstream_port}"}}
limits: {{connections: 2000}}
""")
        return [self.program, "run", "--no-profile", "--policy", policy, "--", *command]

    def sandbox_folder(self):
        """The sandbox's working directory: the load generator and nothing else."""
        folder = self.ground.path("sandbox")
        if not os.path.exists(folder):
            os.makedirs(folder)
            shutil.copy(self.ground.path("load"), folder)
        return folder

    def environment(self):
        home = self.ground.path("home")
        os.makedirs(home, exist_ok=True)
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("XDG_", "WEIR_"))}
        return {**kept, "HOME": home, "BENCH_TOKEN": TOKEN}

    def load_command(self):
        return ["./load", "--name", NAME, "--connect", f"{NAME}:443", *cpu_option(self.ground)]

    def start(self):
        folder = self.sandbox_folder()
        self.load = Load(self.run_command(*self.load_command()), self.log(), cpu=self.ground.proxy_cpu,
                         env=self.environment(), cwd=folder)
        self.load.ask("probe /1k")
        self.process = None
        self.load_pids = {pid for pid, _ in descendants(self.load.process.pid) if name_of(pid) == "load"}

    def pids(self):
        """weir's own processes: the keeper and its proxy, not bubblewrap and not the load."""
        root = self.load.process.pid
        return [root, *(pid for pid, _ in descendants(root) if name_of(pid).startswith("weir"))]

    def memory_by_process(self):
        return {f"{name_of(pid)}": private_bytes([pid]) for pid in self.pids()}


def paired(first, second, count):
    """Medians of two actions in ms, run in turns so that both see the same machine."""
    times = ([], [])
    for turn in range(count):
        for which in ((0, 1), (1, 0))[turn % 2]:
            began = time.perf_counter()
            (first, second)[which]()
            times[which].append((time.perf_counter() - began) * 1000)
    return statistics.median(times[0]), statistics.median(times[1])


def start_up(weir, count):
    """`weir run -- true` against the bubblewrap call that makes the same kind of rooms without a way out."""
    folder, environment = weir.sandbox_folder(), weir.environment()

    def quietly(command):
        done = subprocess.run(command, cwd=folder, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode != 0:
            raise Problem(f"{' '.join(command[:2])} …: status {done.returncode}: {done.stderr.strip()[-400:]}")
        return done

    bare = ["bwrap", "--unshare-user", "--unshare-pid", "--unshare-net", "--unshare-ipc", "--die-with-parent", "--ro-bind",
            "/usr", "/usr", "--symlink", "usr/bin", "/bin", "--symlink", "usr/lib", "/lib", "--symlink", "usr/lib64", "/lib64",
            "--ro-bind", "/etc", "/etc", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp", "--bind", folder, folder,
            "--chdir", folder, "true"]
    whole = weir.run_command("true")
    ours, theirs = paired(lambda: quietly(whole), lambda: quietly(bare), count)
    return {"run_true_ms": ours, "bwrap_true_ms": theirs, **first_answer(weir, max(3, count // 2))}


def first_answer(weir, count):
    """The first HTTPS request of a sandbox, by itself (name, leaf certificate, both handshakes, secret, event), and from
    the start of `weir run`, which has the client's own start in it: reading the system's roots takes OpenSSL some 30 ms."""
    requests, wholes = [], []
    for _ in range(count):
        began = time.monotonic()
        load = Load(weir.run_command(*weir.load_command()), weir.log(), env=weir.environment(), cwd=weir.sandbox_folder())
        try:
            answer = load.ask("probe /1k")
            requests.append(answer["seconds"] * 1000)
            wholes.append((answer["monotonic"] - began) * 1000)  # the sandbox has the host's monotonic clock
        finally:
            load.close()
    return {"first_request_ms": statistics.median(requests), "first_answer_ms": statistics.median(wholes)}


def idle_sandboxes(weir, count):
    """Private memory of one sandbox that does nothing, by process, among `count` of them at once."""
    loads, sums = [], {}
    try:
        for _ in range(count):
            loads.append(Load(weir.run_command(*weir.load_command()), weir.log(), env=weir.environment(),
                              cwd=weir.sandbox_folder()))
        for load in loads:
            load.ask("close")  # an answer from inside: the sandbox is up, and has asked for nothing
            root = load.process.pid
            for pid in [root, *(pid for pid, _ in descendants(root) if name_of(pid).startswith("weir"))]:
                kind = "weir (keeper)" if pid == root else name_of(pid)
                sums[kind] = sums.get(kind, 0) + private_bytes([pid])
    finally:
        for load in loads:
            load.close()
    return {kind: total / count for kind, total in sums.items()}


def leaf_certificate_us(weir):
    """A new leaf certificate, where the micro-benchmark was built beside the program (-DWEIR_BENCH=ON)."""
    program = os.path.join(os.path.dirname(weir.program), "bench", "leaf_bench")
    if not os.path.exists(program):
        return None
    done = subprocess.run([program, "--benchmark_filter=^new_leaf$", "--benchmark_format=json"], capture_output=True, text=True,
                          check=False)
    return json.loads(done.stdout)["benchmarks"][0]["cpu_time"] if done.returncode == 0 else None
