"""An HTTP/1.1 server for tests, with a hand on every byte: routes may answer properly, stall, reset or send rubbish.

Every request's head is kept as the raw bytes that arrived, so that a test can check what the gate serialised."""

import hashlib
import json
import socket
import ssl
import struct
import threading


class Closed(Exception):
    """The peer closed the connection, or a route ended it."""


class Request:
    def __init__(self, raw_head):
        self.raw_head = raw_head
        lines = raw_head.decode("latin-1").split("\r\n")
        self.method, self.target, self.version = lines[0].split(" ", 2)
        self.headers = [tuple(part.strip() for part in line.split(":", 1)) for line in lines[1:] if line]
        self.path = self.target.partition("?")[0]
        self.body = b""
        self.trailers = []

    def all(self, name):
        return [value for key, value in self.headers if key.lower() == name.lower()]

    def get(self, name, default=None):
        values = self.all(name)
        return values[0] if values else default


class Connection:
    """One accepted connection as a route sees it."""

    def __init__(self, sock, server_name):
        self.sock = sock
        self.server_name = server_name  # SNI, None on plain HTTP
        self.buffer = b""

    def fill(self):
        data = self.sock.recv(1 << 18)
        if not data:
            raise Closed
        self.buffer += data

    def read_until(self, end):
        while end not in self.buffer:
            self.fill()
        head, self.buffer = self.buffer.split(end, 1)
        return head + end

    def read_exactly(self, size, sink):
        while size:
            if not self.buffer:
                self.fill()
            part, self.buffer = self.buffer[:size], self.buffer[size:]
            size -= len(part)
            sink(part)

    def read_body(self, request, sink):
        """Reads the request's body into `sink`, after a 100 (Continue) when the client asked for one."""
        if (request.get("expect") or "").lower() == "100-continue":
            self.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        if (request.get("transfer-encoding") or "").lower() == "chunked":
            while True:
                size = int(self.read_until(b"\r\n").split(b";")[0], 16)
                if size == 0:
                    break
                self.read_exactly(size, sink)
                self.read_exactly(2, lambda _: None)
            while (line := self.read_until(b"\r\n")) != b"\r\n":
                request.trailers.append(tuple(part.strip() for part in line.decode().split(":", 1)))
        else:
            self.read_exactly(int(request.get("content-length") or 0), sink)

    def send(self, data):
        self.sock.sendall(data)

    def respond(self, status=200, body=b"", headers=(), content_type="text/plain", reason="OK"):
        if isinstance(body, str):
            body = body.encode()
        lines = [f"HTTP/1.1 {status} {reason}"]
        if status != 204 and status != 304:
            lines += [f"Content-Type: {content_type}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.send("\r\n".join(lines).encode() + b"\r\n\r\n" + body)

    def respond_json(self, value, status=200):
        self.respond(status, json.dumps(value), content_type="application/json")

    def end(self):
        raise Closed

    def reset(self):
        """Ends the connection with a TCP RST."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # A TLS socket's close would first say goodbye; the descriptor itself must go.
        fd = self.sock.detach()
        socket.socket(fileno=fd).close()
        raise Closed


class Server:
    """Listens on 127.0.0.1. `routes` maps a path, or a prefix ending in "/", to `route(request, connection)`."""

    def __init__(self, context=None, routes=None):
        self.context = context
        if context:
            context.sni_callback = lambda sock, name, _context: setattr(sock, "asked_for", name)
        self.routes = dict(routes or {})
        self.requests = []
        self.connections = 0
        self.resumed = 0  # TLS sessions
        self.server_names = []
        self.changed = threading.Condition()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.address = f"127.0.0.1:{self.port}"
        self._open = set()
        self._stopped = False
        threading.Thread(target=self._accept, daemon=True).start()

    def route(self, path):
        def keep(function):
            self.routes[path] = function
            return function
        return keep

    def close(self):
        self._stopped = True
        try:
            self.listener.shutdown(socket.SHUT_RDWR)  # wakes accept(), which else would take one more
        except OSError:
            pass
        self.listener.close()
        with self.changed:
            for sock in list(self._open):
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass

    def wait_for(self, condition, deadline=20):
        with self.changed:
            return self.changed.wait_for(condition, deadline)

    def heads(self):
        with self.changed:
            return [request.raw_head for request in self.requests]

    def paths(self):
        with self.changed:
            return [request.path for request in self.requests]

    def _accept(self):
        while not self._stopped:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(sock,), daemon=True).start()

    def _serve(self, sock):
        server_name = None
        with self.changed:
            self.connections += 1
            self._open.add(sock)
            self.changed.notify_all()
        raw = sock
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self.context:
                sock = self.context.wrap_socket(sock, server_side=True)
                self.resumed += bool(sock.session_reused)
                server_name = getattr(sock, "asked_for", None)
                with self.changed:
                    self._open.add(sock)
                    self.server_names.append(server_name)
            connection = Connection(sock, server_name)
            while True:
                self._one(connection)
        except (Closed, OSError, ssl.SSLError, ValueError):
            pass
        finally:
            with self.changed:
                self._open.discard(raw)
                self._open.discard(sock)
            try:
                sock.close()
            except OSError:
                pass

    def _one(self, connection):
        request = Request(connection.read_until(b"\r\n\r\n"))
        route = self._find(request.path)
        with self.changed:
            self.requests.append(request)
            self.changed.notify_all()
        route(request, connection)
        if (request.get("connection") or "").lower() == "close":
            raise Closed

    def _find(self, path):
        if path in self.routes:
            return self.routes[path]
        prefixes = [p for p in self.routes if p.endswith("/") and path.startswith(p)]
        return self.routes[max(prefixes, key=len)] if prefixes else not_found


def not_found(request, connection):
    connection.read_body(request, lambda _: None)
    connection.respond(404, "no such page\n", reason="Not Found")


# Routes that many tests use.

def keep(request, connection):
    """Keeps the whole body."""
    parts = []
    connection.read_body(request, parts.append)
    request.body = b"".join(parts)
    connection.respond(200, "kept")


def echo(request, connection):
    """What arrived, as JSON: method, target, headers, body (its size and hash, and its text when short)."""
    digest, size, start = hashlib.sha256(), 0, b""

    def sink(part):
        nonlocal size, start
        digest.update(part)
        size += len(part)
        if len(start) < 4096:
            start += part[:4096]

    connection.read_body(request, sink)
    request.body = start
    body = json.dumps({"method": request.method, "target": request.target, "headers": request.headers,
                       "size": size, "sha256": digest.hexdigest(), "trailers": request.trailers,
                       "body": start.decode("latin-1")}).encode()
    if request.method == "HEAD":
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body))
    else:
        connection.respond(200, body, content_type="application/json")


BLOCK = bytes(range(256)) * 1024  # 256 KiB, all octets


def big(request, connection):
    """A body of as many octets as the query says, without ever holding it whole."""
    size = int(request.target.partition("?")[2])
    connection.send(f"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n"
                    f"Content-Length: {size}\r\n\r\n".encode())
    while size:
        part = BLOCK[:min(size, len(BLOCK))]
        connection.send(part)
        size -= len(part)


def big_hash(size):
    digest = hashlib.sha256()
    while size:
        part = BLOCK[:min(size, len(BLOCK))]
        digest.update(part)
        size -= len(part)
    return digest.hexdigest()


def chunked_with_trailers(request, connection):
    connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n"
                    b"Trailer: X-Checksum\r\n\r\n5\r\nhello\r\n7;note=dropped\r\n, world\r\n0\r\nX-Checksum: 42\r\n\r\n")


class Events:
    """Server-sent events, each of which waits until the test releases it."""

    def __init__(self, count):
        self.count = count
        self.gates = threading.Semaphore(0)

    def release(self):
        self.gates.release()

    def __call__(self, request, connection):
        connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n")
        for number in range(self.count):
            if not self.gates.acquire(timeout=60):
                connection.end()
            event = f"id: {number}\ndata: event {number}\n\n".encode()
            connection.send(b"%x\r\n%s\r\n" % (len(event), event))
        connection.send(b"0\r\n\r\n")
