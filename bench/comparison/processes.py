"""Processes under measurement: starting and ending them, their CPU time, their memory. Everything is read from /proc."""

import os
import signal
import socket
import subprocess
import time


class Problem(Exception):
    """Something that keeps a figure from being taken; the text says what and how to mend it."""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port, process, what, seconds=20):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise Problem(f"{what} ended with status {process.returncode} before it listened")
        with socket.socket() as probe:
            probe.settimeout(0.5)
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise Problem(f"{what} does not listen after {seconds} s")


def start(command, log_path, cpu=None, **options):
    """A child in a session of its own, pinned to one core from its first instruction on."""

    def pin():
        if cpu is not None:
            os.sched_setaffinity(0, {cpu})

    with open(log_path, "ab") as log:
        options.setdefault("stdin", subprocess.DEVNULL)
        options.setdefault("stdout", log)
        options.setdefault("stderr", log)
        return subprocess.Popen(command, preexec_fn=pin, start_new_session=True, **options)


def end(process):
    """Ends a process started here, and what it left of its children."""
    if process is None or process.poll() is not None:
        return
    family = descendants(process.pid)
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    for pid, started in family:
        if start_time(pid) == started:  # still the same process, not a later one with its number
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass


def _stat_fields(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
        text = stat.read()
    return text[text.rindex(")") + 2:].split()


def start_time(pid):
    try:
        return _stat_fields(pid)[19]
    except (FileNotFoundError, ProcessLookupError):
        return None


def name_of(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as comm:
            return comm.read().strip()
    except (FileNotFoundError, ProcessLookupError):
        return ""


def descendants(root):
    """(pid, start time) of all processes below `root`, without it."""
    children = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                fields = _stat_fields(entry)
            except (FileNotFoundError, ProcessLookupError):
                continue
            children.setdefault(int(fields[1]), []).append((int(entry), fields[19]))
    found, todo = [], [root]
    while todo:
        for child in children.get(todo.pop(), []):
            found.append(child)
            todo.append(child[0])
    return found


def cpu_seconds(pids):
    """CPU time that the processes have used so far, user and system, all threads.

    The scheduler's own account in nanoseconds where the kernel has it; utime + stime in ticks otherwise.
    """
    total = 0.0
    for pid in pids:
        try:
            threads = os.listdir(f"/proc/{pid}/task")
            for thread in threads:
                with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as account:
                    total += int(account.read().split()[0]) / 1e9
        except FileNotFoundError:
            fields = _stat_fields(pid)
            total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def private_bytes(pids):
    """Memory that would be free again if the processes ended: Private_Clean + Private_Dirty."""
    total = 0
    for pid in pids:
        try:
            with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
                for line in rollup:
                    if line.startswith(("Private_Clean:", "Private_Dirty:", "Private_Hugetlb:")):
                        total += int(line.split()[1]) * 1024
        except PermissionError as error:
            raise Problem(f"the memory of process {pid} cannot be read ({name_of(pid)}): run as root") from error
    return total


def machine_busy_seconds():
    """CPU time that all processes of the machine, and its hypervisor's other guests, have used so far."""
    with open("/proc/stat", encoding="ascii") as stat:
        fields = [int(field) for field in stat.readline().split()[1:9]]
    user, nice, system, _idle, _iowait, irq, softirq, steal = fields
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def wait_for_quiet(patience):
    """Waits until less than a tenth of one core is busy, at most `patience` seconds."""
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before = machine_busy_seconds()
        time.sleep(0.5)
        if machine_busy_seconds() - before < 0.05:
            return
