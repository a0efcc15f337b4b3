"""Runs inside the sandbox, next to the test's script: sockets and HTTP by hand, so that a test may say anything."""

import ctypes
import errno
import json
import os
import socket
import ssl
import struct
import subprocess
import sys
import time
import urllib.request

API = "api.test.example"


def report(**values):
    """Hands a JSON object to the test."""
    print(json.dumps(values, default=str), flush=True)


def failure(action):
    """What goes wrong when `action` runs: an errno's name, an exception's name, or None when nothing does."""
    try:
        action()
        return None
    except socket.timeout:
        return "timeout"
    except ssl.SSLError as error:
        return "ssl:" + str(error.reason)
    except socket.gaierror as error:
        return "gaierror:" + str(error.errno)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error))


class Answer:
    def __init__(self, head, body, complete):
        lines = head.decode("latin-1").split("\r\n")
        self.status = int(lines[0].split(" ")[1])
        self.headers = {}
        for line in lines[1:]:
            if line:
                name, _, value = line.partition(":")
                self.headers[name.lower()] = value.strip()
        self.body = body
        self.complete = complete  # the body ended as its framing said

    def as_dict(self):
        return {"status": self.status, "headers": self.headers, "body": self.body.decode("latin-1"),
                "complete": self.complete}


class Wire:
    """A connection to send any bytes on. TLS with `sni` unless `tls=False`."""

    def __init__(self, host=API, port=None, tls=True, sni=None, timeout=30, alpn=("http/1.1",)):
        self.sock = socket.create_connection((host, port or (443 if tls else 80)), timeout=timeout)
        self.buffer = bytearray()
        if tls:
            context = ssl.create_default_context()
            if alpn:
                context.set_alpn_protocols(list(alpn))
            # The name is checked against the certificate only where SNI and host agree.
            context.check_hostname = sni is None
            self.sock = context.wrap_socket(self.sock, server_hostname=sni or host)

    def send(self, data):
        self.sock.sendall(data.encode("latin-1") if isinstance(data, str) else data)
        return self

    def _fill(self):
        try:
            data = self.sock.recv(1 << 18)
        except (ConnectionError, ssl.SSLError):
            data = b""
        self.buffer += data
        return bool(data)

    def _until(self, end):
        while end not in self.buffer:
            if not self._fill():
                return None
        part, self.buffer = self.buffer.split(end, 1)
        return part

    def answer(self, method="GET"):
        """The next response; None when the connection ended without one."""
        head = self._until(b"\r\n\r\n")
        if head is None:
            return None
        answer = Answer(head, b"", True)
        if answer.status // 100 == 1 or answer.status in (204, 304) or method == "HEAD":
            return answer
        if answer.headers.get("transfer-encoding", "").lower() == "chunked":
            while True:
                size = self._until(b"\r\n")
                if size is None:
                    answer.complete = False
                    return answer
                size = int(size.split(b";")[0], 16)
                while len(self.buffer) < size + 2 and size:
                    if not self._fill():
                        answer.complete = False
                        return answer
                if size == 0:
                    answer.trailers = []
                    while (line := self._until(b"\r\n")):
                        answer.trailers.append(line.decode())
                    return answer
                answer.body += self.buffer[:size]
                del self.buffer[:size + 2]
        if "content-length" in answer.headers:
            size = int(answer.headers["content-length"])
            while len(self.buffer) < size:
                if not self._fill():
                    answer.complete = False
                    break
            answer.body, self.buffer = self.buffer[:size], self.buffer[size:]
            return answer
        while self._fill():
            pass
        answer.body, self.buffer = self.buffer, bytearray()
        return answer

    def ended(self):
        """True when the peer closes without another byte."""
        return not self.buffer and not self._fill()

    def close(self):
        self.sock.close()


def request(method="GET", path="/", host=API, headers=(), body=b""):
    """The bytes of a plain request."""
    lines = [f"{method} {path} HTTP/1.1", f"Host: {host}"] + [f"{name}: {value}" for name, value in headers]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body.encode() if isinstance(body, str) else body)


def ask(data, **wire):
    """One request on a connection of its own; the answer as a dict, None when there was none."""
    connection = Wire(**wire)
    try:
        got = connection.send(data).answer()
        return got.as_dict() if got else None
    finally:
        connection.close()


def get(path="/", host=API, **more):
    wire = {key: more.pop(key) for key in ("port", "tls", "sni", "timeout") if key in more}
    return ask(request(path=path, host=host, **more), host=host, **wire)


def dns_query(name, qtype=1, server="198.18.0.1", tcp=False, timeout=20, identity=0x1234):
    """A question in wire form to any server; (rcode, answer count, octets)."""
    labels = b"".join(struct.pack("B", len(part)) + part.encode() for part in name.split(".") if part)
    query = struct.pack(">HHHHHH", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack(">HH", qtype, 1)
    family = socket.AF_INET6 if ":" in server else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM if tcp else socket.SOCK_DGRAM) as sock:
        sock.settimeout(timeout)
        sock.connect((server, 53))
        if tcp:
            sock.sendall(struct.pack(">H", len(query)) + query)
            reply = sock.recv(65535)
            while len(reply) < 2 or len(reply) < 2 + struct.unpack(">H", reply[:2])[0]:
                reply += sock.recv(65535)
            reply = reply[2:]
        else:
            sock.send(query)
            reply = sock.recv(65535)
    got, flags, _, answers = struct.unpack(">HHHH", reply[:8])
    assert got == identity, "another query's reply"
    return {"rcode": flags & 15, "answers": answers, "reply": reply.hex()}


NOERROR, NXDOMAIN, REFUSED = 0, 3, 5


def sync(name):
    """Tells the test that a point was reached (a file), and waits until the test allows the next step."""
    with open(name + ".reached", "w", encoding="ascii"):
        pass
    end = time.monotonic() + 120
    while not os.path.exists(name + ".go"):
        if time.monotonic() > end:
            raise TimeoutError(name)
        time.sleep(0.01)
