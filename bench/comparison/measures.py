"""The figures. Every repetition starts all products afresh, then goes figure by figure, product by product in changing
order, so that a slow minute of the machine falls on all of them."""

import os
import statistics
import time

from .processes import Problem, cpu_seconds, descendants, machine_busy_seconds, wait_for_quiet

# (key, title, unit, decimals); all are "less is better".
FIGURES = [
    ("request_cpu", "CPU per keep-alive request, 1 KiB", "µs", 1),
    ("connection_cpu", "CPU per new TLS connection with one request", "µs", 0),
    ("download_cpu", "CPU per GiB downloaded", "s", 2),
    ("added_p50", "added latency, one connection, p50", "µs", 0),
    ("added_p99", "added latency, one connection, p99", "µs", 0),
    ("idle_memory", "private memory per idle connection", "KiB", 1),
]


class Measures:
    def __init__(self, quick, patience=0):
        self.patience = patience
        self.other_work = []  # per piece: the share of one core that processes of others used meanwhile
        self.seconds = 1.0 if quick else 4.0
        self.idle_connections = 100 if quick else 200
        self.raw = {}      # product → figure → values, one per repetition
        self.ciphers = {}
        self.problems = {}  # product → why it has no figures

    def repetition(self, products, turn):
        started = []
        try:
            for product in products:
                if product.name not in self.problems and self._guarded(product, product.start):
                    started.append(product)
            for product in list(started):
                if not self._guarded(product, lambda p=product: self.ciphers.__setitem__(p.name, p.check())):
                    started.remove(product)
                    product.stop()
            for number, take in enumerate((self._idle, self._latency, self._requests, self._connections, self._download)):
                shift = (turn + number) % max(1, len(started))
                order = started[shift:] + started[:shift]
                for product in order if turn % 2 == 0 else reversed(order):
                    if product.name not in self.problems:
                        wait_for_quiet(self.patience)
                        self._guarded(product, lambda p=product, t=take: self._watched(t, p))
        finally:
            for product in products:
                product.stop()

    def _guarded(self, product, action):
        try:
            action()
            return True
        except (Problem, OSError, RuntimeError) as problem:
            self.problems[product.name] = str(problem)
            return False

    def _watched(self, take, product):
        own = [os.getpid(), *(pid for pid, _ in descendants(os.getpid()))]
        began, busy, ours = time.monotonic(), machine_busy_seconds(), cpu_seconds(own)
        take(product)
        others = (machine_busy_seconds() - busy) - (cpu_seconds(own) - ours)
        self.other_work.append(max(0.0, others) / (time.monotonic() - began))

    def _note(self, product, figure, value):
        self.raw.setdefault(product.name, {}).setdefault(figure, []).append(value)

    def _idle(self, product):
        if product.name == "direct":
            return
        product.load.ask("open 1 /1k")  # what the first request alone brings in is no connection's share
        before = product.memory()
        product.load.ask(f"open {self.idle_connections} /1k")
        self._note(product, "idle_memory", (product.memory() - before) / self.idle_connections / 1024)
        product.load.ask("close")

    def _latency(self, product):
        product.load.ask("open 1 /1k")
        product.load.ask("run 0.2 /1k")
        answer = product.load.ask(f"run {self.seconds} /1k")
        product.load.ask("close")
        self._note(product, "p50", answer["p50_us"])
        self._note(product, "p99", answer["p99_us"])

    def _per(self, product, figure, command, warm_up, unit):
        """CPU time over what `unit` counts in the answer."""
        if warm_up:
            product.load.ask(warm_up)
        before = product.cpu()
        answer = product.load.ask(command)
        used = product.cpu() - before
        if product.name == "direct":
            return
        if used <= 0:
            raise Problem(f"{figure}: no CPU time was seen; did a process of {product.name} end?")
        self._note(product, figure, used / unit(answer))
        self._note(product, figure + "_per_second", unit(answer) / answer["seconds"])

    def _requests(self, product):
        product.load.ask("open 16 /1k")
        self._per(product, "request_cpu", f"run {self.seconds} /1k", "run 0.2 /1k", lambda a: a["requests"] / 1e6)
        product.load.ask("close")

    def _connections(self, product):
        self._per(product, "connection_cpu", f"connect 8 {self.seconds} /1k", "connect 8 0.2 /1k",
                  lambda a: a["requests"] / 1e6)

    def _download(self, product):
        product.load.ask("open 2 /1k")
        self._per(product, "download_cpu", f"run {self.seconds} /big", None, lambda a: a["bytes"] / 2**30)
        product.load.ask("close")

    def median(self, name, figure):
        values = self.raw.get(name, {}).get(figure)
        return statistics.median(values) if values else None

    def results(self, names):
        """product → figure → median. Added latency is the difference of the medians to direct."""
        results = {}
        for name in names:
            row = {figure: self.median(name, figure) for figure in self.raw.get(name, {})}
            for quantile in ("p50", "p99"):
                if name != "direct" and row.get(quantile) is not None and self.median("direct", quantile) is not None:
                    row["added_" + quantile] = row[quantile] - self.median("direct", quantile)
            results[name] = row
        return results
