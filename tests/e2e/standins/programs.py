"""Real servers as ordinary processes on loopback, each in a folder of its own, stopped by pid."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def ordinary_account():
    """Whom servers run as: PostgreSQL refuses to be root."""
    if os.getuid() != 0:
        return pwd.getpwuid(os.getuid())
    return pwd.getpwnam(os.environ.get("WEIR_TEST_USER", "weir-test"))


class Program:
    """A server process. Subclasses say how it is prepared and started; it is ready when its port accepts."""

    def __init__(self):
        self.account = ordinary_account()
        self.folder = tempfile.mkdtemp(prefix="weir-server-")
        os.chmod(self.folder, 0o700)
        os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.prepare()
        with open(os.path.join(self.folder, "log"), "wb") as log:
            self.process = subprocess.Popen(self.as_account(self.command()), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            cwd=self.folder, env=self.environment())
        end = time.monotonic() + 60
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > end:
                    log = self.log()
                    self.close()
                    raise AssertionError(f"{type(self).__name__} did not start:\n{log}") from None
                time.sleep(0.02)

    def prepare(self):
        pass

    def command(self):
        raise NotImplementedError

    def environment(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.folder, "LANG": "C.UTF-8"}

    def as_account(self, command):
        if os.getuid() == self.account.pw_uid:
            return list(command)
        return ["setpriv", f"--reuid={self.account.pw_uid}", f"--regid={self.account.pw_gid}", "--clear-groups", "--", *command]

    def run(self, *command):
        subprocess.run(self.as_account(command), check=True, cwd=self.folder, env=self.environment(), stdin=subprocess.DEVNULL,
                       stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def write(self, name, text, mode=0o600):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(path, mode)
        os.chown(path, self.account.pw_uid, self.account.pw_gid)
        return path

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8", errors="replace") as file:
            return file.read()

    def kill(self):
        """At once, as the kernel does it to a process that is out of memory."""
        self.process.kill()
        self.process.wait()

    def close(self):
        if getattr(self, "process", None) and self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)  # PostgreSQL: fast shutdown
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


class PostgreSQL(Program):
    """A cluster with one user `agent`, password `sesame`, and TLS by the authority's certificate."""

    def __init__(self, authority, name):
        self.authority, self.name = authority, name
        super().__init__()

    def prepare(self):
        binaries = "/usr/lib/postgresql"
        self.binaries = os.path.join(binaries, sorted(os.listdir(binaries))[-1], "bin")
        self.data = os.path.join(self.folder, "data")
        password = self.write("password", "sesame\n")
        self.run(os.path.join(self.binaries, "initdb"), "-D", self.data, "-U", "agent", "--auth=scram-sha-256", f"--pwfile={password}", "-N",
                 "--locale=C.UTF-8")
        with open(self.authority.server_file(self.name), encoding="ascii") as file:
            self.server_file = self.write("server.pem", file.read())

    def command(self):
        settings = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": "", "ssl": "on", "ssl_cert_file": self.server_file,
                    "ssl_key_file": self.server_file, "fsync": "off",
                    "shared_buffers": "16MB", "max_connections": 20}
        return [os.path.join(self.binaries, "postgres"), "-D", self.data, *(f"--{name}={value}" for name, value in settings.items())]


class Redis(Program):
    def command(self):
        return ["redis-server", "--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no", "--dir", self.folder]


class Sshd(Program):
    """An sshd that lets `key` in as the account it runs as. `user` is that account's name."""

    def prepare(self):
        self.key = os.path.join(self.folder, "client")
        for name in ("host", "client"):
            self.run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", os.path.join(self.folder, name))
        self.user = self.account.pw_name
        self.configuration = self.write("sshd_config", f"""
            Port {self.port}
            ListenAddress 127.0.0.1
            HostKey {self.folder}/host
            AuthorizedKeysFile {self.folder}/client.pub
            PidFile none
            UsePAM no
            StrictModes no
            PasswordAuthentication no
            SetEnv HOME={self.folder}
            """)

    def command(self):
        return ["/usr/sbin/sshd", "-D", "-e", "-f", self.configuration]

    def host_key(self):
        with open(os.path.join(self.folder, "host.pub"), encoding="ascii") as file:
            return " ".join(file.read().split()[:2])


class Stream:
    """A TCP server in this process: `serve(sock)` runs for each connection."""

    def __init__(self, serve):
        self.serve = serve
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._one, args=(sock,), daemon=True).start()

    def _one(self, sock):
        with sock:
            try:
                self.serve(sock)
            except OSError:
                pass

    def close(self):
        try:
            self.listener.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.listener.close()
