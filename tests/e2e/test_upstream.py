"""Towards upstreams: limits, a corporate proxy, TLS sessions resumed."""

import socket
import threading

from harness import WeirTest, also_as_ordinary_user, main

OPEN = "rules:\n  - hosts: [api.test.example]\n"


class ConnectProxy:
    """A forward proxy that knows CONNECT only, and leads every tunnel to one server."""

    def __init__(self, target):
        self.target = target
        self.asked = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.tunnel, args=(client,), daemon=True).start()

    def tunnel(self, client):
        head = b""
        while b"\r\n\r\n" not in head:
            data = client.recv(1)
            if not data:
                return
            head += data
        self.asked.append(head.decode())
        host, port = self.target.rsplit(":", 1)
        server = socket.create_connection((host, int(port)))
        client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        threading.Thread(target=self.pump, args=(server, client), daemon=True).start()
        self.pump(client, server)

    @staticmethod
    def pump(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        self.listener.close()


@also_as_ordinary_user
class Upstream(WeirTest):
    def setUp(self):
        super().setUp()
        self.server = self.https("api.test.example")

    def test_requests_beyond_the_rate_are_refused(self):
        self.policy(OPEN + "limits: {requests_per_minute: 3}\n", api=self.server)
        done = self.inside("""
            wire = Wire()
            report(statuses=[wire.send(request()).answer().status for _ in range(5)])
        """)
        self.assertEqual(done.report["statuses"], [200, 200, 200, 429, 429], done)
        self.assertEqual(len(done.of("egress.denied", code="rate_limited")), 2, done)

    def test_a_body_beyond_the_limit_is_refused_before_it_is_read(self):
        self.policy(OPEN + "limits: {request_body: 10}\n", api=self.server)
        done = self.inside("""
            report(small=Wire().send(request("POST", body="0123456789")).answer().status,
                   large=Wire().send(request("POST", body="0123456789a")).answer().status)
        """)
        self.assertEqual(done.report, {"small": 200, "large": 413}, done)

    def test_a_corporate_proxy_sees_the_tunnel_and_nothing_of_the_request(self):
        proxy = ConnectProxy(self.server.address)
        self.addCleanup(proxy.close)
        path = self.policy(OPEN, api=self.server)
        with open(path, "a", encoding="utf-8") as file:
            file.write(f"  proxy: http://{proxy.address}\n")
        done = self.inside("report(status=get('/secret-path')['status'])")
        self.assertEqual(done.report, {"status": 200}, done)
        self.assertEqual(len(proxy.asked), 1)
        self.assertTrue(proxy.asked[0].startswith("CONNECT api.test.example:443 HTTP/1.1\r\n"), proxy.asked)
        self.assertNotIn("secret-path", proxy.asked[0])

    def test_tls_sessions_are_resumed(self):
        self.server.routes["/once"] = lambda request, connection: connection.respond(
            200, b"x", headers=[("Connection", "close")])
        self.policy(OPEN, api=self.server)
        done = self.inside("""
            wire = Wire()
            report(statuses=[wire.send(request(path="/once")).answer().status for _ in range(4)])
        """)
        self.assertEqual(done.report["statuses"], [200] * 4, done)
        self.assertGreaterEqual(self.server.resumed, 2, "each connection was a full handshake")

    def test_durability_sync_records_and_verifies(self):
        self.policy(OPEN, api=self.server)
        done = self.weir("run", "--policy", self.policy_file, "--durability", "sync", "--",
                         "curl", "-sS", "https://api.test.example/")
        self.assertEqual(done.status, 0, done)
        self.assertEqual(len(done.of("egress.request")), 1, done)
        self.assertEqual(self.weir("log", "verify").status, 0)


if __name__ == "__main__":
    main()
