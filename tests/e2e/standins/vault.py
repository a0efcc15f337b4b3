"""A real Vault in development mode for one test case: the program that tests/vault-server/build.sh makes."""

import json
import os
import re
import socket
import ssl
import subprocess
import time
import unittest
import urllib.error
import urllib.request

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
PROGRAM = os.environ.get("WEIR_VAULT_SERVER", os.path.join(ROOT, "build/tools/vault/vault"))


class VaultServer:
    def __init__(self, folder, port=0, tls=False):
        if not os.access(PROGRAM, os.X_OK):
            raise unittest.SkipTest(f"no Vault at {PROGRAM}: tests/vault-server/build.sh {os.path.dirname(PROGRAM)} builds it, with Go")
        if not port:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
        self.port, self.folder = port, folder
        self.address = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
        self.ca = os.path.join(folder, "vault-ca.pem")
        self.tls = None
        self.log = os.path.join(folder, f"vault-{port}.log")
        with open(self.log, "w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [PROGRAM, "server", "-dev", "-dev-root-token-id=root", f"-dev-listen-address=127.0.0.1:{port}", "-dev-no-store-token",
                 *(["-dev-tls", f"-dev-tls-cert-dir={folder}"] if tls else [])],
                stdout=log, stderr=log, env={"HOME": folder, "PATH": os.environ["PATH"]})
        end = time.monotonic() + 60
        while not self.is_ready():
            if self.process.poll() is not None or time.monotonic() > end:
                with open(self.log, encoding="utf-8") as log:
                    raise AssertionError("Vault does not start\n" + log.read()[-4000:])
            time.sleep(0.05)

    def is_ready(self):
        try:
            if self.address.startswith("https") and self.tls is None:
                self.tls = ssl.create_default_context(cafile=self.ca)
            return bool(self.call("GET", "sys/mounts").get("secret/"))
        except OSError:
            return False

    @property
    def key(self):
        with open(self.log, encoding="utf-8") as log:
            return re.search(r"Unseal Key: (\S+)", log.read()).group(1)

    def call(self, method, path, token="root", wrap=None, **body):
        headers = {"X-Vault-Token": token, "Content-Type": "application/json"}
        if wrap:
            headers["X-Vault-Wrap-TTL"] = wrap
        request = urllib.request.Request(f"{self.address}/v1/{path}", method=method, headers=headers,
                                         data=json.dumps(body).encode() if body or method != "GET" else None)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self.tls) as answer:
                return json.loads(answer.read() or b"{}")
        except urllib.error.HTTPError as error:
            text = error.read().decode()
            error.close()
            raise OSError(f"{method} {path}: {error.code} {text}") from None

    def leases(self, prefix):
        try:
            return self.call("LIST", f"sys/leases/lookup/{prefix}")["data"]["keys"]
        except OSError:
            return []

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
