"""The products under comparison: how each is configured, started, reached and ended.

Each terminates the client's TLS with a P-256 certificate, sets the Authorization header, and re-encrypts to the upstream
with verification of its name. One worker each, no access log: the rivals at their fastest.
"""

import json
import os
import select
import shutil
import subprocess
import time

from .ground import CIPHER, NAME, TOKEN, nginx_temp_paths
from .processes import Problem, cpu_seconds, descendants, end, free_port, private_bytes, start, wait_for_port


class Load:
    """bench/load.cpp as a child that is told what to do line by line."""

    def __init__(self, command, log_path, **options):
        self.process = start(command, log_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0, **options)
        self.log_path = log_path
        self.pending = b""

    def ask(self, line, seconds=120):
        try:
            self.process.stdin.write(line.encode() + b"\n")
        except BrokenPipeError:
            pass  # the reason is in the log, read below
        deadline = time.monotonic() + seconds
        while b"\n" not in self.pending:
            ready, _, _ = select.select([self.process.stdout], [], [], max(0.0, deadline - time.monotonic()))
            if not ready:
                raise Problem(f"{line}: no answer in {seconds} s")
            got = os.read(self.process.stdout.fileno(), 65536)
            if not got:
                with open(self.log_path, encoding="utf-8", errors="replace") as log:
                    raise Problem(f"{line}: the load generator is gone: {log.read()[-600:].strip()}")
            self.pending += got
        answer, self.pending = self.pending.split(b"\n", 1)
        answer = json.loads(answer)
        if "error" in answer:
            raise Problem(f"{line}: {answer['error']}")
        return answer

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            pass
        end(self.process)
        self.process.stdout.close()


class Product:
    """One way from the client to the upstream. Subclasses say how to start it."""

    name = ""
    package = None   # Debian package
    program = None   # its path, which also tells whether it is there

    def __init__(self, ground):
        self.ground = ground
        self.process = None
        self.load = None
        self.port = None

    def available(self):
        return self.program is None or os.path.exists(self.program)

    def command(self):
        """The command to start, with self.port set; configuration files are written here."""
        raise NotImplementedError

    def environment(self):
        return None

    def load_options(self):
        return ["--connect", f"127.0.0.1:{self.port}"]

    def start(self):
        ground = self.ground
        self.port = free_port()
        self.process = start(self.command(), self.log(), ground.proxy_cpu, env=self.environment(), cwd=ground.folder)
        wait_for_port(self.port, self.process, self.name)
        self.start_load()

    def start_load(self):
        ground = self.ground
        command = [ground.path("load"), "--name", NAME, *self.load_options(), *cpu_option(ground)]
        self.load = Load(command, ground.path(f"load-{self.name}.log"), cpu=ground.load_cpu,
                         env={**os.environ, "SSL_CERT_FILE": ground.path("ca.pem")})

    def log(self):
        return self.ground.path(f"{self.name}.log")

    def pids(self):
        return [self.process.pid, *(pid for pid, _ in descendants(self.process.pid))]

    def cpu(self):
        return cpu_seconds(self.pids())

    def memory(self):
        return private_bytes(self.pids())

    def check(self):
        """Both sides speak TLS 1.3 with the one cipher; that there is an answer at all says that the token arrived."""
        answer = self.load.ask("probe /probe")
        sides = {"downstream": answer["tls"], "upstream": answer["body"]}
        if set(sides.values()) != {f"TLSv1.3 {CIPHER}"}:
            raise Problem(f"{self.name}: wanted TLSv1.3 {CIPHER} on both sides, got {sides}")
        return sides

    def stop(self):
        if self.load:
            self.load.close()
        end(self.process)
        self.load = self.process = None


def cpu_option(ground):
    return [] if ground.load_cpu is None else ["--cpu", str(ground.load_cpu)]


class Direct(Product):
    """No proxy: what the load generator and the upstream take by themselves."""

    name = "direct"

    def start(self):
        self.port = self.ground.upstream_port
        self.process = None
        self.start_load()

    def load_options(self):
        return [*super().load_options(), "--header", f"Authorization: Bearer {TOKEN}"]

    def pids(self):
        return []


class Nginx(Product):
    name = "nginx"
    package = "nginx"
    program = "/usr/sbin/nginx"

    def command(self):
        ground = self.ground
        conf = ground.write("nginx.conf", f"""\
daemon off; master_process off; pid {ground.path('nginx.pid')}; error_log stderr warn;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  {nginx_temp_paths(ground.path('nginx-tmp'))}
  access_log off; keepalive_timeout 1h; keepalive_requests 1000000000;
  upstream bench {{ server 127.0.0.1:{ground.upstream_port}; keepalive 256; keepalive_requests 1000000000; }}
  server {{
    listen 127.0.0.1:{self.port} ssl backlog=4096;
    server_name {NAME};
    ssl_certificate {ground.path('leaf.pem')}; ssl_certificate_key {ground.path('leaf.key')};
    ssl_protocols TLSv1.3;
    location / {{
      proxy_pass https://bench;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header Host $host;
      proxy_set_header Authorization "Bearer {TOKEN}";
      proxy_ssl_protocols TLSv1.3;
      proxy_ssl_verify on; proxy_ssl_trusted_certificate {ground.path('ca.pem')};
      proxy_ssl_name {NAME}; proxy_ssl_server_name on;
      proxy_max_temp_file_size 0;
    }}
  }}
}}
""")
        return [self.program, "-c", conf, "-e", "stderr"]


class Haproxy(Product):
    name = "haproxy"
    package = "haproxy"
    program = "/usr/sbin/haproxy"

    def command(self):
        ground = self.ground
        conf = ground.write("haproxy.cfg", f"""\
global
  nbthread 1
  maxconn 4096
  ssl-default-bind-options ssl-min-ver TLSv1.3
  ssl-default-server-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 1h
  timeout server 1h
  timeout http-keep-alive 1h
  http-reuse always
frontend client
  bind 127.0.0.1:{self.port} ssl crt {ground.path('leaf-with-key.pem')} alpn http/1.1 backlog 4096
  default_backend bench
backend bench
  http-request set-header Authorization "Bearer {TOKEN}"
  server u1 127.0.0.1:{ground.upstream_port} ssl verify required verifyhost {NAME} sni str({NAME}) ca-file {ground.path('ca.pem')}
""")
        return [self.program, "-db", "-f", conf]


class Squid(Product):
    """Spoken to with CONNECT, whose cost is part of a new connection; ssl_bump then makes the certificate."""

    name = "squid"
    package = "squid-openssl"
    program = "/usr/sbin/squid"
    generator = "/usr/lib/squid/security_file_certgen"

    def load_options(self):
        return [*super().load_options(), "--tunnel", f"{NAME}:{self.ground.upstream_port}"]

    def command(self):
        ground = self.ground
        folder = ground.path(f"squid-{self.port}")
        os.makedirs(folder)
        authority = shutil.copy(ground.path("ca-with-key.pem"), folder)
        store = os.path.join(folder, "certificates")
        subprocess.run([self.generator, "-c", "-s", store, "-M", "4MB"], check=True, capture_output=True)
        hosts = ground.write("hosts", f"127.0.0.1 localhost {NAME}\n")
        user = ""
        if os.geteuid() == 0:  # as root squid insists on becoming somebody else, who must be able to write here
            user = "cache_effective_user proxy\n"
            for place, _, files in os.walk(folder):
                for path in (place, *(os.path.join(place, file) for file in files)):
                    shutil.chown(path, "proxy", "proxy")
        conf = ground.write("squid.conf", f"""\
{user}http_port 127.0.0.1:{self.port} ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=4MB tls-cert={authority} options=NO_SSLv3,NO_TLSv1,NO_TLSv1_1,NO_TLSv1_2
sslcrtd_program {self.generator} -s {store} -M 4MB
sslcrtd_children 1 startup=1
ssl_bump bump all
tls_outgoing_options cafile={ground.path('ca.pem')} min-version=1.3
http_access allow all
request_header_access Authorization deny all
request_header_add Authorization "Bearer {TOKEN}" all
hosts_file {hosts}
visible_hostname {NAME}
cache deny all
cache_mem 0
access_log none
cache_store_log none
cache_log {folder}/cache.log
pid_filename {folder}/squid.pid
coredump_dir {folder}
netdb_filename none
pinger_enable off
via off
forwarded_for delete
client_idle_pconn_timeout 1 hour
server_idle_pconn_timeout 1 hour
shutdown_lifetime 0 seconds
max_filedescriptors 8192
workers 1
""")
        return [self.program, "-N", "-n", f"bench{self.port}", "-f", conf]


class Mitmproxy(Product):
    name = "mitmproxy"
    package = "mitmproxy"
    program = "/usr/bin/mitmdump"

    def environment(self):
        # Debian's program with Debian's modules, whatever else the user's environment points Python at.
        kept = {key: value for key, value in os.environ.items() if not key.startswith("PYTHON")}
        return {**kept, "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": self.ground.folder}

    def command(self):
        ground = self.ground
        confdir = ground.path("mitmproxy")
        os.makedirs(confdir, exist_ok=True)
        with open(os.path.join(confdir, "mitmproxy-ca.pem"), "w", encoding="ascii") as file:
            file.write(open(ground.path("ca-with-key.pem"), encoding="ascii").read())
        settings = {
            "confdir": confdir, "listen_host": "127.0.0.1", "listen_port": self.port,
            "mode": f"reverse:https://127.0.0.1:{ground.upstream_port}", "keep_host_header": "true",
            "ssl_verify_upstream_trusted_ca": ground.path("ca.pem"), "http2": "false", "flow_detail": "0",
            "termlog_verbosity": "error", "stream_large_bodies": "64k", "connection_strategy": "lazy",
            "tls_version_client_min": "TLS1_3", "tls_version_server_min": "TLS1_3", "onboarding": "false",
            "modify_headers": f"/~q/Authorization/Bearer {TOKEN}",
        }
        command = [self.program, "-q"]
        for key, value in settings.items():
            command += ["--set", f"{key}={value}"]
        return command
