"""What all products stand on: a folder of their own, certificates, and the HTTPS upstream that insists on the token."""

import os
import shutil
import subprocess
import tempfile

from .processes import end, free_port, start, wait_for_port

NAME = "bench.test.example"
TOKEN = "bench-8f2c1d7a5e904b36"
CIPHER = "TLS_AES_128_GCM_SHA256"
BIG = 64 * 1024 * 1024


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


class Ground:
    def __init__(self, repository):
        cores = sorted(os.sched_getaffinity(0))
        # The load and the upstream share one core, the product under test has another to itself.
        self.load_cpu, self.proxy_cpu = (cores[0], cores[1]) if len(cores) > 1 else (None, None)
        self.repository = repository
        self.folder = tempfile.mkdtemp(prefix="weir-bench.")
        os.chmod(self.folder, 0o755)
        self.upstream_port = free_port()
        self.upstream = None

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def prepare(self):
        self._build_load()
        self._make_certificates()
        self._start_upstream()

    def _build_load(self):
        source = os.path.join(self.repository, "bench", "load.cpp")
        built = os.path.join(self.repository, "build", "bench", "load")
        if not os.path.exists(built) or os.path.getmtime(built) < os.path.getmtime(source):
            os.makedirs(os.path.dirname(built), exist_ok=True)
            run(["g++", "-std=c++23", "-O2", source, "-o", built, "-lssl", "-lcrypto"])
        # Beside the configuration, because a sandbox sees its working directory and little else.
        shutil.copy(built, self.path("load"))

    def _make_certificates(self):
        """One CA, and one P-256 leaf that the upstream and the products with a fixed certificate share."""
        def key(name):
            run(["openssl", "genpkey", "-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256", "-out", self.path(name)])

        key("ca.key")
        run(["openssl", "req", "-x509", "-new", "-key", self.path("ca.key"), "-days", "30", "-subj", "/CN=weir bench CA",
             "-addext", "basicConstraints=critical,CA:TRUE", "-addext", "keyUsage=critical,keyCertSign,cRLSign,digitalSignature",
             "-out", self.path("ca.pem")])
        key("leaf.key")
        run(["openssl", "req", "-new", "-key", self.path("leaf.key"), "-subj", f"/CN={NAME}", "-out", self.path("leaf.csr")])
        self.write("leaf.ext", f"subjectAltName=DNS:{NAME}\nextendedKeyUsage=serverAuth\n")
        run(["openssl", "x509", "-req", "-in", self.path("leaf.csr"), "-CA", self.path("ca.pem"), "-CAkey",
             self.path("ca.key"), "-CAcreateserial", "-days", "30", "-extfile", self.path("leaf.ext"), "-out",
             self.path("leaf.pem")])
        for whole, parts in (("leaf-with-key.pem", ("leaf.pem", "leaf.key")), ("ca-with-key.pem", ("ca.key", "ca.pem"))):
            texts = [open(self.path(part), encoding="ascii").read() for part in parts]
            self.write(whole, "".join(texts))

    def _start_upstream(self):
        os.makedirs(self.path("www"))
        with open(self.path("www", "1k"), "wb") as file:
            file.write(b"x" * 1024)
        with open(self.path("www", "big"), "wb") as file:
            file.truncate(BIG)
        conf = self.write("upstream.conf", f"""\
daemon off; master_process off; pid {self.path('upstream.pid')}; error_log stderr warn;
worker_rlimit_nofile 16384;
events {{ worker_connections 8192; }}
http {{
  {nginx_temp_paths(self.path('upstream-tmp'))}
  access_log off; default_type text/plain; tcp_nodelay on;
  keepalive_timeout 1h; keepalive_requests 1000000000;
  server {{
    listen 127.0.0.1:{self.upstream_port} ssl backlog=4096;
    server_name {NAME};
    ssl_certificate {self.path('leaf.pem')}; ssl_certificate_key {self.path('leaf.key')};
    ssl_protocols TLSv1.3;
    root {self.path('www')};
    # One cipher for all: products differ in which one they would ask for.
    ssl_conf_command Ciphersuites {CIPHER};
    # The request header that every product is to set: without it there is no 200.
    if ($http_authorization != "Bearer {TOKEN}") {{ return 401; }}
    location = /probe {{ return 200 "$ssl_protocol $ssl_cipher"; }}
  }}
}}
""")
        self.upstream = start(["/usr/sbin/nginx", "-c", conf, "-e", "stderr"], self.path("upstream.log"), self.load_cpu)
        wait_for_port(self.upstream_port, self.upstream, "the upstream (nginx)")

    def close(self, keep=False):
        end(self.upstream)
        if not keep:
            shutil.rmtree(self.folder, ignore_errors=True)


def nginx_temp_paths(folder):
    os.makedirs(folder, exist_ok=True)
    return " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
